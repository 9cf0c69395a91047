// Resampling of planes, a work-item an element of the result; backward gathers from the outputs
// that look at it. In front of this text: T, LINEAR, CORNERS (align_corners) and POSITION, the type
// source positions are computed in, so that choices at an exact boundary are the CPU's.
//
//   nearest   y[o] = x[floor(o * scale)]
//   linear    y[o] = (1 - t) x[i] + t x[i + 1], i + t = (o + 1/2) * scale - 1/2 (0 where negative),
//             or, with align_corners, o * scale; the last i is repeated past the end
#pragma OPENCL FP_CONTRACT OFF

typedef struct planes {
  int in[3], out[3];
} planes;

typedef struct look {
  int low, high;
  T t;
} look;

inline look look_at(const planes *p, int d, POSITION scale, int o) {
  const POSITION shift = LINEAR && !CORNERS ? (POSITION)0.5f : (POSITION)0;
  POSITION source = ((POSITION)o + shift) * scale - shift;
  if (source < 0) source = 0;
  const int last = p->in[d] - 1, low = min((int)source, last);
  if (!LINEAR) return (look){low, low, 0};
  return (look){low, min(low + 1, last), (T)min(source - (POSITION)low, (POSITION)1)};
}

// How much output o of dim d takes from input i.
inline T share(const planes *p, int d, POSITION scale, int o, int i) {
  const look l = look_at(p, d, scale, o);
  return (l.low == i ? 1 - l.t : 0) + (l.high == i ? l.t : 0);
}

__kernel void forward(planes p, POSITION s0, POSITION s1, POSITION s2, long n, __global const T *x,
                      long x_first, __global T *y, long y_first) {
  const long item = get_global_id(0);
  if (item >= n) return;
  const long o2 = item % p.out[2], o1 = item / p.out[2] % p.out[1];
  const long o0 = item / p.out[2] / p.out[1] % p.out[0];
  const long plane = item / p.out[2] / p.out[1] / p.out[0];
  const look a = look_at(&p, 0, s0, (int)o0), b = look_at(&p, 1, s1, (int)o1);
  const look c = look_at(&p, 2, s2, (int)o2);
  T sum = 0;
  for (int corner = 0; corner < (LINEAR ? 4 : 1); corner++) {
    const T part = (corner & 2 ? a.t : 1 - a.t) * (corner & 1 ? b.t : 1 - b.t);
    if (part == 0) continue;
    const long row = ((plane * p.in[0] + (corner & 2 ? a.high : a.low)) * p.in[1] +
                      (corner & 1 ? b.high : b.low)) * p.in[2] + x_first;
    sum += LINEAR ? part * ((1 - c.t) * x[row + c.low] + c.t * x[row + c.high]) : x[row + c.low];
  }
  y[y_first + item] = sum;
}

// The outputs along dim d among which are all that look at input i: [first, end).
inline int first_look(const planes *p, int d, POSITION scale, int i) {
  if (i == 0 || scale <= 0) return 0;
  return max(0, (int)min(((POSITION)i - 2) / scale, (POSITION)p->out[d]) - 2);
}
inline int end_look(const planes *p, int d, POSITION scale, int i) {
  if (i == p->in[d] - 1 || scale <= 0) return p->out[d];
  return min(p->out[d], (int)min(((POSITION)i + 2) / scale, (POSITION)p->out[d]) + 3);
}

__kernel void backward(planes p, POSITION s0, POSITION s1, POSITION s2, long n, __global T *x,
                       long x_first, __global const T *y, long y_first) {
  const long item = get_global_id(0);
  if (item >= n) return;
  const int i2 = (int)(item % p.in[2]), i1 = (int)(item / p.in[2] % p.in[1]);
  const int i0 = (int)(item / p.in[2] / p.in[1] % p.in[0]);
  const long plane = item / p.in[2] / p.in[1] / p.in[0];
  T sum = 0;
  for (int o0 = first_look(&p, 0, s0, i0); o0 < end_look(&p, 0, s0, i0); o0++) {
    const T a = share(&p, 0, s0, o0, i0);
    if (a == 0) continue;
    for (int o1 = first_look(&p, 1, s1, i1); o1 < end_look(&p, 1, s1, i1); o1++) {
      const T b = a * share(&p, 1, s1, o1, i1);
      if (b == 0) continue;
      const long row = ((plane * p.out[0] + o0) * p.out[1] + o1) * p.out[2] + y_first;
      for (int o2 = first_look(&p, 2, s2, i2); o2 < end_look(&p, 2, s2, i2); o2++)
        sum += b * share(&p, 2, s2, o2, i2) * y[row + o2];
    }
  }
  x[x_first + item] = sum;
}
