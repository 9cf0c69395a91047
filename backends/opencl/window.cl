// Windows that slide over planes, as convolution and pooling see them: always three dims, outermost
// first; the outer ones that a call does not have are of extent 1.
//
// Tap k of output position o lies at input position o * stride - padding + k * dilation. Adaptive
// windows, with 0 taps, are [floor(o in / out), ceil((o + 1) in / out)).

typedef struct window {
  int in[3], out[3], taps[3], stride[3], padding[3], dilation[3];
} window;

typedef struct range {
  int first, end, step;
} range;

inline int ceil_divide(int a, int b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

// The input positions along dim d that output o sees.
inline range seen_by_output(const window *w, int d, int o) {
  if (w->taps[d] == 0) {
    const long in = w->in[d], out = w->out[d];
    return (range){(int)(o * in / out), (int)(((o + 1) * in + out - 1) / out), 1};
  }
  const int step = w->dilation[d], from = o * w->stride[d] - w->padding[d];
  const int end = from + (w->taps[d] - 1) * step + 1;
  const int first = from < 0 ? from + ceil_divide(-from, step) * step : from;
  return (range){first, min(end, w->in[d]), step};
}

// The output positions along dim d among which are all that see input i.
inline range may_see_input(const window *w, int d, int i) {
  if (w->taps[d] == 0) {
    const long in = w->in[d], out = w->out[d];
    return (range){(int)(i * out / in), (int)(((i + 1) * out + in - 1) / in), 1};
  }
  const int at = i + w->padding[d], reach = (w->taps[d] - 1) * w->dilation[d];
  return (range){max(0, ceil_divide(at - reach, w->stride[d])),
                 min(w->out[d], at / w->stride[d] + 1), 1};
}

// Whether output o sees input i along dim d, and with which tap.
inline bool sees(const window *w, int d, int o, int i, int *tap) {
  if (w->taps[d] == 0) {
    const range r = seen_by_output(w, d, o);
    return i >= r.first && i < r.end;
  }
  const int from = i + w->padding[d] - o * w->stride[d];
  *tap = from / w->dilation[d];
  return from >= 0 && from % w->dilation[d] == 0 && *tap < w->taps[d];
}

// The position of `index` in a volume of these extents.
inline void position(const int *extent, int index, int *at) {
  at[2] = index % extent[2];
  index /= extent[2];
  at[1] = index % extent[1];
  at[0] = index / extent[1];
}
