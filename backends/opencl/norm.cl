// Normalisation. In front of this text: T, SUM (what sums are carried in), KIND, WEIGHTED, SHIFTED,
// FIXED (statistics are given, and count as constants) and LANES.
//
//   y = (x - mean) rstd w + b            dx = rstd (g w - mean of g w - xh mean of g w xh)
//   dw = sum of g xh, db = sum of g      with xh = (x - mean) rstd
//
// A segment is what one statistic, or one number of the affine map, belongs to: `pieces` pieces of
// `length` elements, `step` apart. A line of lines.cl is a segment.
#include "lines.cl"

#define LAYER 0
#define RMS 1
#define GROUP_NORM 2
#define BATCH 3

typedef struct shape {
  long n, channels, inner, groups;
} shape;

typedef struct segment {
  long first, pieces, length, step;
} segment;

// What statistic s is taken over, and what number a of the affine map applies to.
inline segment statistic(shape z, long s) {
  const long each = z.channels / z.groups * z.inner;
  if (KIND == BATCH) return (segment){s * z.inner, z.n, z.inner, z.channels * z.inner};
  return (segment){s * each, 1, each, 0};
}
inline segment affine(shape z, long a) {
  if (KIND == LAYER || KIND == RMS) return (segment){a, z.n, 1, z.inner};
  return (segment){a * z.inner, z.n, z.inner, z.channels * z.inner};
}

// The affine number of element e of statistic s; the statistic of affine number a in piece p.
inline long affine_of(shape z, long s, long e) {
  if (KIND == BATCH) return s;
  if (KIND == GROUP_NORM) return s % z.groups * (z.channels / z.groups) + e / z.inner;
  return e;
}
inline long statistic_of(shape z, long a, long piece) {
  if (KIND == BATCH) return a;
  if (KIND == GROUP_NORM) return piece * z.groups + a * z.groups / z.channels;
  return piece;
}

// body for each element of the segment that is this lane's: `at` its place, `e` its number,
// `piece`.
#if LANES == 1
#define EACH(g, body)                                              \
  for (long piece = 0; piece < (g).pieces; piece++)                \
    ANY_ORDER for (long i = 0; i < (g).length; i++) {              \
      const long at = (g).first + piece * (g).step + i;            \
      const long e = piece * (g).length + i;                       \
      body;                                                        \
    }

// The sum of `term` over a segment, of which it is written as EACH's body is.
#define SEGMENT_SUM(sum, g, term)                                           \
  SUM sum = 0;                                                              \
  for (long piece = 0; piece < (g).pieces; piece++) {                       \
    const long piece_first = (g).first + piece * (g).step;                  \
    SUM part[VECTORS][EACH_VECTOR];                                         \
    for (int v = 0; v < VECTORS; v++)                                       \
      for (int l = 0; l < EACH_VECTOR; l++) part[v][l] = 0;                 \
    long i = 0;                                                             \
    for (; i + WIDTH <= (g).length; i += WIDTH)                             \
      _Pragma("unroll") for (int v = 0; v < VECTORS; v++)                   \
        ANY_ORDER for (int l = 0; l < EACH_VECTOR; l++) {                   \
          const long within = i + v * EACH_VECTOR + l;                      \
          const long at = piece_first + within;                             \
          const long e = piece * (g).length + within;                       \
          part[v][l] += (term);                                             \
        }                                                                   \
    for (; i < (g).length; i++) {                                           \
      const long at = piece_first + i, e = piece * (g).length + i;          \
      sum += (term);                                                        \
    }                                                                       \
    for (int v = 0; v < VECTORS; v++)                                       \
      for (int l = 0; l < EACH_VECTOR; l++) sum += part[v][l];              \
  }
#else
#define EACH(g, body)                                              \
  for (long e = LANE; e < (g).pieces * (g).length; e += LANES) {   \
    const long piece = e / (g).length;                             \
    const long at = (g).first + piece * (g).step + e % (g).length; \
    body;                                                          \
  }

#define SEGMENT_SUM(sum, g, term) \
  SUM sum = 0;                    \
  EACH(g, sum += (term))          \
  OVER_LANES(sum, plus)
#endif

#define W(e) (WEIGHTED ? (SUM)weight[affine_of(z, s, e)] : (SUM)1)

__kernel void forward(shape z, long statistics, SUM eps, __global const T *x, long x_first,
                      __global T *y, long y_first, __global T *means, long means_first,
                      __global T *rstds, long rstds_first, __global T *vars, long vars_first,
                      __global const T *weight, long weight_first, __global const T *bias,
                      long bias_first) {
  IF_NO_LINE(statistics);
  SHARED
  const long s = LINE;
  const segment g = statistic(z, s);
  const SUM count = (SUM)(g.pieces * g.length);
  x += x_first, y += y_first, weight += weight_first, bias += bias_first;
  means += means_first, rstds += rstds_first;
  SUM mean = 0, rstd;
  if (FIXED) {
    mean = means[s], rstd = rstds[s];
  } else {
    if (KIND != RMS) {
      SEGMENT_SUM(sum, g, (SUM)x[at])
      mean = sum / count;
    }
    SEGMENT_SUM(squares, g, ((SUM)x[at] - mean) * ((SUM)x[at] - mean))
    rstd = 1 / sqrt(squares / count + eps);
    if (LANE == 0) {
      if (KIND != RMS) means[s] = (T)mean;
      rstds[s] = (T)rstd;
      if (vars) vars[vars_first + s] = (T)(squares / count);
    }
  }
  EACH(g, y[at] = (T)(((SUM)x[at] - mean) * rstd * W(e) +
                      (SHIFTED ? (SUM)bias[affine_of(z, s, e)] : (SUM)0)))
}

__kernel void backward(shape z, long statistics, __global const T *x, long x_first,
                       __global const T *grad, long grad_first, __global const T *means,
                       long means_first, __global const T *rstds, long rstds_first,
                       __global const T *weight, long weight_first, __global T *dx,
                       long dx_first) {
  IF_NO_LINE(statistics);
  SHARED
  const long s = LINE;
  const segment g = statistic(z, s);
  const SUM count = (SUM)(g.pieces * g.length);
  x += x_first, grad += grad_first, weight += weight_first, dx += dx_first;
  const SUM mean = KIND == RMS ? (SUM)0 : (SUM)means[means_first + s];
  const SUM rstd = rstds[rstds_first + s];
#define PULL ((SUM)grad[at] * W(e))
#define STANDARD (((SUM)x[at] - mean) * rstd)
  if (FIXED) {
    EACH(g, dx[at] = (T)(PULL * rstd))
    return;
  }
  SEGMENT_SUM(along, g, PULL * STANDARD)
  SUM level = 0;
  if (KIND != RMS) {
    SEGMENT_SUM(sum, g, PULL)
    level = sum / count;
  }
  EACH(g, dx[at] = (T)(rstd * (PULL - level - STANDARD * along / count)))
}

__kernel void affine_gradients(shape z, long numbers, __global const T *x, long x_first,
                               __global const T *grad, long grad_first, __global const T *means,
                               long means_first, __global const T *rstds, long rstds_first,
                               __global T *grad_weight, long grad_weight_first,
                               __global T *grad_bias, long grad_bias_first) {
  IF_NO_LINE(numbers);
  SHARED
  const long a = LINE;
  const segment g = affine(z, a);
  x += x_first, grad += grad_first, means += means_first, rstds += rstds_first;
#define STATISTIC statistic_of(z, a, piece)
#define MEAN (KIND == RMS ? (SUM)0 : (SUM)means[STATISTIC])
  // Both sums in any case: PoCL 3.1 makes an endless loop of barriers behind such a condition.
  SEGMENT_SUM(along, g, (SUM)grad[at] * ((SUM)x[at] - MEAN) * (SUM)rstds[STATISTIC])
  SEGMENT_SUM(sum, g, (SUM)grad[at])
  if (LANE == 0 && grad_weight) grad_weight[grad_weight_first + a] = (T)along;
  if (LANE == 0 && grad_bias) grad_bias[grad_bias_first + a] = (T)sum;
}
