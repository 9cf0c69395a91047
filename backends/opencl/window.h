/* Windows as window.cl has them. */
#ifndef OPENCL_WINDOW_H
#define OPENCL_WINDOW_H

#include "device.h"

typedef struct opencl_window {
  cl_int in[3], out[3], taps[3], stride[3], padding[3], dilation[3];
} opencl_window;

/* `kernel` NULL: adaptive. Fails where a plane has more elements than 32 bits count. */
sel_status opencl_window_of(const char *what, int dims, const int64_t *in, const int64_t *out,
                            const int64_t *kernel, const int64_t *stride, const int64_t *padding,
                            const int64_t *dilation, opencl_window *window);

static inline int64_t opencl_volume(const cl_int *extent) {
  return (int64_t)extent[0] * extent[1] * extent[2];
}

#endif
