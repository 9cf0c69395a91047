// Softmax, or with LOG its logarithm, along lines of `extent` elements `inner` apart. In front of
// this text: T, the elements' type, SUM, the same, LOG, HOST, DENSE (1 where `inner` is 1), BESIDE
// and LANES.
#include "exp.cl"
#include "lines.cl"

#define STEP (DENSE ? 1 : inner)
#define AT(i) ((i)*STEP)

#if !HOST || DENSE

__kernel void forward(long lines, long extent, long inner, __global const T *x, long x_first,
                      __global T *y, long y_first) {
  IF_NO_LINE(lines);
  SHARED
  const long first = LINE / inner * extent * inner + LINE % inner;
  x += x_first + first, y += y_first + first;
  T top, sum;
#define VALUE(i) x[AT(i)]
#define POWER(i) (LOG ? EXP(x[AT(i)] - top) : (y[AT(i)] = EXP(x[AT(i)] - top)))
  OVER_LINE(top, extent, -INFINITY, larger, VALUE)
  OVER_LANES(top, larger)
  OVER_LINE(sum, extent, 0, plus, POWER)
  OVER_LANES(sum, plus)
  const T scale = LOG ? log(sum) : 1 / sum;
  ANY_ORDER
  for (long i = LANE; i < extent; i += LANES)
    y[AT(i)] = LOG ? (x[AT(i)] - top) - scale : y[AT(i)] * scale;
}

// From the result y and its gradient.
__kernel void backward(long lines, long extent, long inner, __global const T *y, long y_first,
                       __global const T *grad, long grad_first, __global T *dx, long dx_first) {
  IF_NO_LINE(lines);
  SHARED
  const long first = LINE / inner * extent * inner + LINE % inner;
  y += y_first + first, grad += grad_first + first, dx += dx_first + first;
  T sum;
#define PULL(i) (LOG ? grad[AT(i)] : y[AT(i)] * grad[AT(i)])
  OVER_LINE(sum, extent, 0, plus, PULL)
  OVER_LANES(sum, plus)
  ANY_ORDER
  for (long i = LANE; i < extent; i += LANES)
    dx[AT(i)] = LOG ? grad[AT(i)] - EXP(y[AT(i)]) * sum : y[AT(i)] * (grad[AT(i)] - sum);
}

#else

// Lines that lie beside one another in memory, BESIDE a work-item: it goes from row to row of the
// memory. Dims: blocks of lines.
#define BLOCK_OF_LINES                                                                  \
  const long blocks = (inner + BESIDE - 1) / BESIDE, block = get_global_id(0) % blocks; \
  const long first = get_global_id(0) / blocks * extent * inner + block * BESIDE;       \
  const int width = (int)min(inner - block * BESIDE, (long)BESIDE);
#define EACH_ELEMENT(...)                       \
  for (long row = 0; row < extent; row++) {     \
    const long begin = row * inner;             \
    ANY_ORDER for (int l = 0; l < width; l++) { \
      const long i = begin + l;                 \
      __VA_ARGS__                               \
    }                                           \
  }

__kernel void forward_beside(long lines, long extent, long inner, __global const T *x, long x_first,
                             __global T *y, long y_first) {
  BLOCK_OF_LINES
  T top[BESIDE], sum[BESIDE];
  x += x_first + first, y += y_first + first;
  for (int l = 0; l < width; l++) top[l] = -INFINITY, sum[l] = 0;
  EACH_ELEMENT({ top[l] = larger(top[l], x[i]); })
  EACH_ELEMENT({
    const T shifted = x[i] - top[l], power = EXP(shifted);
    sum[l] += power;
    y[i] = LOG ? shifted : power;
  })
  for (int l = 0; l < width; l++) sum[l] = LOG ? log(sum[l]) : 1 / sum[l];
  EACH_ELEMENT({ y[i] = LOG ? y[i] - sum[l] : y[i] * sum[l]; })
}

__kernel void backward_beside(long lines, long extent, long inner, __global const T *y,
                              long y_first, __global const T *grad, long grad_first, __global T *dx,
                              long dx_first) {
  BLOCK_OF_LINES
  T sum[BESIDE];
  y += y_first + first, grad += grad_first + first, dx += dx_first + first;
  for (int l = 0; l < width; l++) sum[l] = 0;
  EACH_ELEMENT({ sum[l] += LOG ? grad[i] : y[i] * grad[i]; })
  EACH_ELEMENT({ dx[i] = LOG ? grad[i] - EXP(y[i]) * sum[l] : y[i] * (grad[i] - sum[l]); })
}

#endif
