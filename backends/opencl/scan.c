/* Running sums: the kernel in scan.cl. */
#include <stdio.h>

#include "kernels.h"
#include "launch.h"
#include "texts.h"

typedef struct layout {
  cl_long shape[SEL_MAX_DIMS], stride[SEL_MAX_DIMS];
  cl_long ndim;
} layout;

sel_status opencl_scan(sel_backend_device handle, const sel_scan_args *args) {
  opencl_device *device = handle;
  const sel_dtype from = args->input.dtype, to = args->output.dtype;
  const sel_status status = opencl_check_dtype(device, from, "cumsum");
  layout in = {.ndim = args->ndim};
  int64_t rows = 1;
  for (int d = 0; d < args->ndim; d++) {
    in.shape[d] = args->shape[d], in.stride[d] = args->stride[d];
    if (d < args->ndim - 1) rows *= args->shape[d];
  }
  const int64_t length = args->ndim ? args->shape[args->ndim - 1] : 1;
  if (status != SEL_OK || rows * length == 0) return status;
  char defines[192];
  const bool real = sel_dtype_is_float(from);
  snprintf(defines, sizeof defines, "#define T %s\n#define SUM %s\n#define IN %s\n#define OUT %s\n",
           from == SEL_F64 ? "double"
           : real          ? "float"
                           : "long",
           real ? device->f64 ? "double" : "float" : "long", sel_dtype_name(from),
           sel_dtype_name(to));
  opencl_launch l;
  opencl_begin(&l, device, "cumsum", "scan.cl", opencl_text_scan, defines, "scan");
  opencl_value(&l, &in, sizeof in);
  opencl_long(&l, rows);
  opencl_long(&l, length);
  opencl_operand(&l, &args->input);
  opencl_operand(&l, &args->output);
  return opencl_run(&l, 1, &rows, NULL);
}
