// Pooling. In front of this text: T, SUM and PLANES: 1 where a work-item takes a plane, as on the
// host's own cores; else it takes an element of the result: forward of the output, backward of the
// input, which gathers from the outputs that see it. Both ways add in the C order of the outputs.
#include "window.cl"

#define SIZES                                          \
  const int in_size = w.in[0] * w.in[1] * w.in[2];     \
  const int out_size = w.out[0] * w.out[1] * w.out[2];

// body for each output o that is this work-item's: `item` its number, x its plane.
#if PLANES
#define EACH_OUTPUT(...)                                                       \
  long item = get_global_id(0) * out_size;                                     \
  x += x_first + get_global_id(0) * in_size;                                   \
  for (int o0 = 0; o0 < w.out[0]; o0++)                                        \
    for (int o1 = 0; o1 < w.out[1]; o1++)                                      \
      for (int o2 = 0; o2 < w.out[2]; o2++, item++) {                          \
        const int o[3] = {o0, o1, o2};                                         \
        __VA_ARGS__                                                            \
      }
#else
#define EACH_OUTPUT(...)                               \
  const long item = get_global_id(0);                  \
  if (item >= planes * out_size) return;               \
  int o[3];                                            \
  position(w.out, (int)(item % out_size), o);          \
  x += x_first + item / out_size * in_size;            \
  __VA_ARGS__

#define EACH_INPUT                                     \
  const long item = get_global_id(0);                  \
  if (item >= planes * in_size) return;                \
  const int here = (int)(item % in_size);              \
  int i[3];                                            \
  position(w.in, here, i);                             \
  y += y_first + item / in_size * out_size;
#endif

#define OVER(r, i) for (int i = (r).first; i < (r).end; i += (r).step)

__kernel void max_forward(window w, long planes, __global const T *x, long x_first, __global T *y,
                          long y_first, __global long *index, long index_first) {
  SIZES
  EACH_OUTPUT({
    const range a = seen_by_output(&w, 0, o[0]), b = seen_by_output(&w, 1, o[1]);
    const range c = seen_by_output(&w, 2, o[2]);
    int best = (a.first * w.in[1] + b.first) * w.in[2] + c.first;
    T top = x[best];
    OVER(a, i0) OVER(b, i1) OVER(c, i2) {
      const int at = (i0 * w.in[1] + i1) * w.in[2] + i2;
      const T v = x[at];
      const bool wins = (v > top) | ((v != v) & (top == top));
      top = wins ? v : top;
      best = wins ? at : best;
    }
    y[y_first + item] = top;
    index[index_first + item] = best;
  })
}

__kernel void max_backward(window w, long planes, __global T *x, long x_first, __global const T *y,
                           long y_first, __global const long *index, long index_first) {
  SIZES
#if PLANES
  const long plane = get_global_id(0);
  x += x_first + plane * in_size;
  y += y_first + plane * out_size;
  index += index_first + plane * out_size;
  for (int i = 0; i < in_size; i++) x[i] = 0;
  for (int o = 0; o < out_size; o++) x[index[o]] += y[o];
#else
  EACH_INPUT
  index += index_first + item / in_size * out_size;
  const range a = may_see_input(&w, 0, i[0]), b = may_see_input(&w, 1, i[1]);
  const range c = may_see_input(&w, 2, i[2]);
  T sum = 0;
  OVER(a, o0) OVER(b, o1) OVER(c, o2) {
    const int at = (o0 * w.out[1] + o1) * w.out[2] + o2;
    if (index[at] == here) sum += y[at];
  }
  x[x_first + item] = sum;
#endif
}

// What the sum over output o's window is divided by.
inline T divisor_of(const window *w, const int *o, int count_padding, T divisor) {
  if (divisor != 0) return divisor;
  int size = 1;
  for (int d = 0; d < 3; d++) {
    const range r = seen_by_output(w, d, o[d]);
    const int from = o[d] * w->stride[d] - w->padding[d];
    size *= count_padding && w->taps[d] ? min(from + w->taps[d], w->in[d] + w->padding[d]) - from
                                          : r.end - r.first;
  }
  return (T)size;
}

__kernel void avg_forward(window w, long planes, __global const T *x, long x_first, __global T *y,
                          long y_first, int count_padding, T divisor) {
  SIZES
  EACH_OUTPUT({
    const range a = seen_by_output(&w, 0, o[0]), b = seen_by_output(&w, 1, o[1]);
    const range c = seen_by_output(&w, 2, o[2]);
    SUM sum = 0;
    OVER(a, i0) OVER(b, i1) OVER(c, i2) sum += (SUM)x[(i0 * w.in[1] + i1) * w.in[2] + i2];
    y[y_first + item] = (T)sum / divisor_of(&w, o, count_padding, divisor);
  })
}

__kernel void avg_backward(window w, long planes, __global T *x, long x_first, __global const T *y,
                           long y_first, int count_padding, T divisor) {
  SIZES
#if PLANES
  for (long i = 0; i < in_size; i++) x[x_first + get_global_id(0) * in_size + i] = 0;
  EACH_OUTPUT({
    const range a = seen_by_output(&w, 0, o[0]), b = seen_by_output(&w, 1, o[1]);
    const range c = seen_by_output(&w, 2, o[2]);
    const T share = y[y_first + item] / divisor_of(&w, o, count_padding, divisor);
    OVER(a, i0) OVER(b, i1) OVER(c, i2) x[(i0 * w.in[1] + i1) * w.in[2] + i2] += share;
  })
#else
  EACH_INPUT
  const range a = may_see_input(&w, 0, i[0]), b = may_see_input(&w, 1, i[1]);
  const range c = may_see_input(&w, 2, i[2]);
  T sum = 0;
  int tap;
  OVER(a, o0) OVER(b, o1) OVER(c, o2) {
    const int o[3] = {o0, o1, o2};
    if (sees(&w, 0, o0, i[0], &tap) && sees(&w, 1, o1, i[1], &tap) && sees(&w, 2, o2, i[2], &tap))
      sum += y[(o0 * w.out[1] + o1) * w.out[2] + o2] / divisor_of(&w, o, count_padding, divisor);
  }
  x[x_first + item] = sum;
#endif
}
