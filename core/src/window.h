/* Windows that slide over the last dims of an image: their checks and how many fit, for convolution
 * and pooling. */
#ifndef SEL_WINDOW_H
#define SEL_WINDOW_H

#include "op.h"

enum { SEL_WINDOW_DIMS = 3 };

typedef struct sel_window {
  int dims; /* 1 to 3 */
  int64_t kernel[SEL_WINDOW_DIMS], stride[SEL_WINDOW_DIMS], dilation[SEL_WINDOW_DIMS];
  int64_t before[SEL_WINDOW_DIMS], after[SEL_WINDOW_DIMS]; /* padding */
} sel_window;

/* Fills `out` from arrays of `dims` extents, checked: kernel, stride, dilation (NULL: 1) at least
 * 1, padding at least 0. */
sel_status sel__window(const char *what, int dims, const int64_t *kernel, const int64_t *stride,
                       const int64_t *before, const int64_t *after, const int64_t *dilation,
                       sel_window *out);

/* How many windows fit along each of x's last dims; at least one must. ceil_mode: a last one that
 * begins inside x or the padding in front may end outside. */
sel_status sel__window_count(const char *what, const sel_window *w, const sel_tensor *x,
                             bool ceil_mode, int64_t *out);

/* Product of the last `dims` extents. */
static inline int64_t sel__plane_size(int dims, const int64_t *extents) {
  int64_t size = 1;
  for (int d = 0; d < dims; d++) size *= extents[d];
  return size;
}

#endif
