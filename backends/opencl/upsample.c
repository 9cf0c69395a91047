/* Resampling: kernels in upsample.cl. */
#include <stdio.h>

#include "kernels.h"
#include "launch.h"
#include "texts.h"
#include "window.h"

typedef struct planes {
  cl_int in[3], out[3];
} planes;

sel_status opencl_upsample(sel_backend_device handle, const sel_upsample_args *args) {
  opencl_device *device = handle;
  opencl_window w;
  sel_status status = opencl_check_dtype(device, args->dtype, "upsample");
  if (status == SEL_OK)
    status =
        opencl_window_of("upsample", args->dims, args->in, args->out, NULL, NULL, NULL, NULL, &w);
  if (status != SEL_OK) return status;
  const int64_t items = args->planes * opencl_volume(args->backward ? w.in : w.out);
  if (items == 0) return SEL_OK;
  const bool linear = args->mode != SEL_UPSAMPLE_NEAREST;
  const sel_dtype position = args->dtype == SEL_F64 && linear ? SEL_F64 : SEL_F32;
  char defines[160];
  snprintf(defines, sizeof defines,
           "#define T %s\n#define POSITION %s\n#define LINEAR %d\n#define CORNERS %d\n",
           args->dtype == SEL_F64 ? "double" : "float", position == SEL_F64 ? "double" : "float",
           linear, args->align_corners);
  opencl_launch l;
  opencl_begin(&l, device, "upsample", "upsample.cl", opencl_text_upsample, defines,
               args->backward ? "backward" : "forward");
  planes p;
  for (int d = 0; d < 3; d++) p.in[d] = w.in[d], p.out[d] = w.out[d];
  opencl_value(&l, &p, sizeof p);
  for (int d = 0; d < 3; d++) {
    const int from = d - (3 - args->dims);
    double scale = from < 0 ? 1 : args->scale[from];
    if (linear && args->align_corners)
      scale = w.out[d] > 1 ? (double)(w.in[d] - 1) / (double)(w.out[d] - 1) : 0;
    opencl_real(&l, position, scale);
  }
  opencl_long(&l, items);
  opencl_operand(&l, &args->x);
  opencl_operand(&l, &args->y);
  return opencl_run(&l, 1, &items, NULL);
}
