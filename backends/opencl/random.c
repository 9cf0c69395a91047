/* Random draws: kernels in random.cl. */
#include <stdio.h>

#include "kernels.h"
#include "launch.h"
#include "texts.h"

static const char *const names[] = {[SEL_RANDOM_UNIFORM] = "UNIFORM",
                                    [SEL_RANDOM_NORMAL] = "NORMAL",
                                    [SEL_RANDOM_BERNOULLI] = "BERNOULLI",
                                    [SEL_RANDOM_INTEGER] = "INTEGER",
                                    [SEL_RANDOM_DROPOUT] = "DROPOUT"};

sel_status opencl_random(sel_backend_device handle, const sel_random_args *args) {
  opencl_device *device = handle;
  const sel_dtype dtype = args->out.dtype;
  const bool integer = args->op == SEL_RANDOM_INTEGER; /* made from a double */
  const bool wide = integer || (dtype == SEL_F64 && args->op != SEL_RANDOM_BERNOULLI);
  const sel_status status =
      opencl_check_dtype(device, integer ? SEL_F64 : dtype, integer ? "random integers" : "random");
  if (status != SEL_OK || args->numel == 0) return status;
  char defines[160];
  snprintf(defines, sizeof defines, "#define T STORED(%s)\n#define DRAW %s\n#define WIDE %d\n",
           sel_dtype_name(dtype), names[args->op], wide);
  opencl_launch l;
  opencl_begin(&l, device, "random", "random.cl", opencl_text_random, defines, "draw");
  opencl_long(&l, (int64_t)args->seed);
  opencl_long(&l, (int64_t)args->offset);
  opencl_long(&l, args->numel);
  opencl_real(&l, wide ? SEL_F64 : SEL_F32, args->p0);
  opencl_real(&l, wide ? SEL_F64 : SEL_F32, args->p1);
  opencl_operand(&l, &args->out);
  static const sel_operand none;
  opencl_operand(&l, args->op == SEL_RANDOM_DROPOUT ? &args->x : &none);
  const int each = wide ? 2 : 4;
  const int64_t items = (args->numel + each - 1) / each;
  return opencl_run(&l, 1, &items, NULL);
}
