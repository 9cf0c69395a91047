/* Pooling: kernels in pool.cl. */
#include <stdio.h>

#include "kernels.h"
#include "launch.h"
#include "texts.h"
#include "window.h"

static const char *const kernels[] = {[SEL_POOL_MAX] = "max_forward",
                                      [SEL_POOL_MAX_GRAD] = "max_backward",
                                      [SEL_POOL_AVG] = "avg_forward",
                                      [SEL_POOL_AVG_GRAD] = "avg_backward"};

sel_status opencl_pool(sel_backend_device handle, const sel_pool_args *args) {
  opencl_device *device = handle;
  opencl_window window;
  sel_status status = opencl_check_dtype(device, args->dtype, "pool");
  if (status == SEL_OK)
    status = opencl_window_of("pool", args->dims, args->in, args->out,
                              args->adaptive ? NULL : args->kernel, args->stride, args->padding,
                              args->dilation, &window);
  const bool forward = args->op == SEL_POOL_MAX || args->op == SEL_POOL_AVG;
  if (status != SEL_OK) return status;
  const int64_t elements = args->planes * opencl_volume(forward ? window.out : window.in);
  if (elements == 0) return SEL_OK;
  char defines[96];
  snprintf(defines, sizeof defines, "#define T %s\n#define SUM %s\n#define PLANES %d\n",
           args->dtype == SEL_F64 ? "double" : "float", device->f64 ? "double" : "float",
           device->host);
  opencl_launch l;
  opencl_begin(&l, device, "pool", "pool.cl", opencl_text_pool, defines, kernels[args->op]);
  opencl_value(&l, &window, sizeof window);
  opencl_long(&l, args->planes);
  opencl_operand(&l, &args->x);
  opencl_operand(&l, &args->y);
  if (args->op == SEL_POOL_MAX || args->op == SEL_POOL_MAX_GRAD) {
    opencl_operand(&l, &args->index);
  } else {
    opencl_int(&l, args->count_padding);
    opencl_real(&l, args->dtype, (double)args->divisor);
  }
  const size_t alone = 1;
  return device->host ? opencl_run(&l, 1, &args->planes, &alone)
                      : opencl_run(&l, 1, &elements, NULL);
}
