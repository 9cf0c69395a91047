/* Kernels that plugins bring as text: see selenite/source.h. Equal texts are one program. */
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "hash.h"
#include "kernels.h"
#include "launch.h"
#include "library.h"

/* A kernel would read what its last launch left in parameters that this one doesn't set. */
static void check_count(opencl_launch *l, const sel_source_args *args) {
  cl_uint takes = 0;
  const cl_uint gets = 1 + 2 * (cl_uint)args->operands + (cl_uint)args->numbers;
  if (l->status != SEL_OK) return;
  cl.GetKernelInfo(l->kernel, CL_KERNEL_NUM_ARGS, sizeof takes, &takes, NULL);
  if (takes != gets)
    l->status = sel_fail(SEL_E_ARGUMENT,
                         "%s: the kernel has %u parameters, %d tensors and %d numbers make %u",
                         args->kernel, takes, args->operands, args->numbers, gets);
}

static sel_status run(sel_backend_device handle, const sel_source_args *args) {
  opencl_device *device = handle;
  char name[64], defines[64];
  const sel_status status = opencl_check_dtype(device, args->dtype, args->kernel);
  if (status != SEL_OK) return status;
  snprintf(name, sizeof name, "source %016llx",
           (unsigned long long)opencl_hash(OPENCL_HASH_START, args->text, strlen(args->text)));
  snprintf(defines, sizeof defines, "#define T STORED(%s)\n", sel_dtype_name(args->dtype));
  opencl_launch l;
  opencl_begin(&l, device, args->kernel, name, args->text, defines, args->kernel);
  check_count(&l, args);
  opencl_long(&l, args->items);
  for (int i = 0; i < args->operands; i++) opencl_operand(&l, &args->operand[i]);
  for (int i = 0; i < args->numbers; i++) opencl_real(&l, args->dtype, args->number[i]);
  return opencl_run(&l, 1, &args->items, NULL);
}

const sel_source_ability opencl_source = {
    .size = sizeof opencl_source, .language = "OpenCL C", .run = run};
