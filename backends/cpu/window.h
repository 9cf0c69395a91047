/* Windows that slide over planes, as convolution and pooling see them: always three dims, outermost
 * first; the outer ones that a call does not have are of extent 1.
 *
 * Tap k of output position o lies at input position o * stride - padding + k * dilation.
 */
#ifndef CPU_WINDOW_H
#define CPU_WINDOW_H

#include <stdint.h>

typedef struct cpu_window {
  int64_t in[3], out[3], kernel[3], stride[3], padding[3], dilation[3];
  int64_t in_size, out_size, taps; /* elements of a plane of each kind */
} cpu_window;

static inline cpu_window cpu_window_of(int dims, const int64_t *in, const int64_t *out,
                                       const int64_t *kernel, const int64_t *stride,
                                       const int64_t *padding, const int64_t *dilation) {
  cpu_window w = {.in_size = 1, .out_size = 1, .taps = 1};
  for (int d = 0; d < 3; d++) {
    const int from = d - (3 - dims);
    w.in[d] = from < 0 ? 1 : in[from];
    w.out[d] = from < 0 ? 1 : out[from];
    w.kernel[d] = from < 0 ? 1 : kernel[from];
    w.stride[d] = from < 0 ? 1 : stride[from];
    w.padding[d] = from < 0 ? 0 : padding[from];
    w.dilation[d] = from < 0 ? 1 : dilation[from];
    w.in_size *= w.in[d];
    w.out_size *= w.out[d];
    w.taps *= w.kernel[d];
  }
  return w;
}

/* Where tap k along dim d lies for output position o; may be outside. */
static inline int64_t cpu_window_at(const cpu_window *w, int d, int64_t o, int64_t k) {
  return o * w->stride[d] - w->padding[d] + k * w->dilation[d];
}

/* The output positions [*first, *end) within [from, to) whose tap k along dim d lies inside. */
static inline void cpu_window_inside(const cpu_window *w, int d, int64_t k, int64_t from,
                                     int64_t to, int64_t *first, int64_t *end) {
  const int64_t s = w->stride[d], shift = k * w->dilation[d] - w->padding[d];
  const int64_t last = w->in[d] - 1 - shift; /* o * stride may be at most this, at least -shift */
  int64_t a = shift >= 0 ? 0 : s == 1 ? -shift : (-shift + s - 1) / s;
  int64_t b = last < 0 ? 0 : s == 1 ? last + 1 : last / s + 1;
  if (a < from) a = from;
  if (b > to) b = to;
  *first = a < to ? a : to;
  *end = b > *first ? b : *first;
}

#endif
