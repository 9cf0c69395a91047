/* Windows: see window.h. */
#include "window.h"

/* Product of the extents, or INT64_MAX where it is not small. */
static int64_t product(int dims, const int64_t *extent) {
  int64_t all = 1;
  for (int d = 0; d < dims; d++) {
    if (extent[d] > INT32_MAX || all > INT32_MAX) return INT64_MAX;
    all *= extent[d];
  }
  return all;
}

sel_status opencl_window_of(const char *what, int dims, const int64_t *in, const int64_t *out,
                            const int64_t *kernel, const int64_t *stride, const int64_t *padding,
                            const int64_t *dilation, opencl_window *window) {
  if (product(dims, in) > INT32_MAX || product(dims, out) > INT32_MAX)
    return sel_fail(SEL_E_UNSUPPORTED, "%s: opencl takes planes of up to %d elements", what,
                    INT32_MAX);
  for (int d = 0; d < 3; d++) {
    const int from = d - (3 - dims);
    const bool real = from >= 0;
    window->in[d] = real ? (cl_int)in[from] : 1;
    window->out[d] = real ? (cl_int)out[from] : 1;
    window->taps[d] = !kernel ? 0 : real ? (cl_int)kernel[from] : 1;
    window->stride[d] = real && kernel ? (cl_int)stride[from] : 1;
    window->padding[d] = real && kernel ? (cl_int)padding[from] : 0;
    window->dilation[d] = real && kernel ? (cl_int)dilation[from] : 1;
  }
  return SEL_OK;
}
