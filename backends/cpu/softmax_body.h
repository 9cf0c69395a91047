/* Softmax for one type: included by softmax.c with VALUE, TYPED(name), EXP, LOG. */
#include "row_body.h"

/* ---- one contiguous row ---- */

CPU_INLINE void TYPED(forward_row)(bool logarithm, const VALUE *x, VALUE *y, int64_t n) {
  const VALUE top = TYPED(largest)(x, n);
  if (logarithm) {
    const VALUE log_sum = LOG(TYPED(sum_exp)(x, n, top));
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = (x[i] - top) - log_sum;
  } else {
    VALUE lane[ROW_LANES] = {0};
    int64_t i = 0;
    for (; i + ROW_LANES <= n; i += ROW_LANES)
#pragma omp simd
      for (int l = 0; l < ROW_LANES; l++) lane[l] += y[i + l] = EXP(x[i + l] - top);
    for (int l = 0; i < n; i++, l++) lane[l] += y[i] = EXP(x[i] - top);
    const VALUE scale = 1 / TYPED(sum_lanes)(lane);
#pragma omp simd
    for (i = 0; i < n; i++) y[i] *= scale;
  }
}

static void TYPED(backward_row)(bool logarithm, const VALUE *y, const VALUE *dy, VALUE *dx,
                                int64_t n) {
  VALUE lane[ROW_LANES] = {0};
  int64_t i = 0;
  for (; i + ROW_LANES <= n; i += ROW_LANES)
#pragma omp simd
    for (int l = 0; l < ROW_LANES; l++) lane[l] += logarithm ? dy[i + l] : y[i + l] * dy[i + l];
  for (int l = 0; i < n; i++, l++) lane[l] += logarithm ? dy[i] : y[i] * dy[i];
  const VALUE sum = TYPED(sum_lanes)(lane);
  if (logarithm) {
#pragma omp simd
    for (i = 0; i < n; i++) dx[i] = dy[i] - EXP(y[i]) * sum;
  } else {
#pragma omp simd
    for (i = 0; i < n; i++) dx[i] = y[i] * (dy[i] - sum);
  }
}

/* ---- strips: `width` neighbouring positions, each a row of stride `step` ---- */

static void TYPED(forward_strip)(bool logarithm, const VALUE *x, VALUE *y, int64_t n, int64_t step,
                                 int64_t width) {
  VALUE top[STRIP], sum[STRIP];
  for (int64_t w = 0; w < width; w++) top[w] = x[w], sum[w] = 0;
  for (int64_t i = 1; i < n; i++)
    for (int64_t w = 0; w < width; w++)
      top[w] = x[i * step + w] > top[w] ? x[i * step + w] : top[w];
  for (int64_t i = 0; i < n; i++)
#pragma omp simd
    for (int64_t w = 0; w < width; w++) {
      const VALUE shifted = x[i * step + w] - top[w], e = EXP(shifted);
      sum[w] += e;
      y[i * step + w] = logarithm ? shifted : e;
    }
  for (int64_t w = 0; w < width; w++) sum[w] = logarithm ? LOG(sum[w]) : 1 / sum[w];
  for (int64_t i = 0; i < n; i++)
    for (int64_t w = 0; w < width; w++)
      y[i * step + w] = logarithm ? y[i * step + w] - sum[w] : y[i * step + w] * sum[w];
}

static void TYPED(backward_strip)(bool logarithm, const VALUE *y, const VALUE *dy, VALUE *dx,
                                  int64_t n, int64_t step, int64_t width) {
  VALUE sum[STRIP] = {0};
  for (int64_t i = 0; i < n; i++)
    for (int64_t w = 0; w < width; w++)
      sum[w] += logarithm ? dy[i * step + w] : y[i * step + w] * dy[i * step + w];
  for (int64_t i = 0; i < n; i++)
#pragma omp simd
    for (int64_t w = 0; w < width; w++) {
      const int64_t at = i * step + w;
      dx[at] = logarithm ? dy[at] - EXP(y[at]) * sum[w] : y[at] * (dy[at] - sum[w]);
    }
}

static void TYPED(strips)(const void *context, int64_t begin, int64_t end) {
  const sel_softmax_args *args = context;
  const int64_t strips = (args->inner + STRIP - 1) / STRIP, step = args->inner;
  for (int64_t s = begin; s < end; s++) {
    const int64_t first = s % strips * STRIP;
    const int64_t width = args->inner - first < STRIP ? args->inner - first : STRIP;
    const int64_t at = s / strips * args->extent * step + first;
    const VALUE *x = (const VALUE *)cpu_at(&args->x) + at;
    VALUE *out = (VALUE *)cpu_at(&args->out) + at;
    if (args->backward) {
      const VALUE *grad = (const VALUE *)cpu_at(&args->grad) + at;
      TYPED(backward_strip)(args->log, x, grad, out, args->extent, step, width);
    } else {
      TYPED(forward_strip)(args->log, x, out, args->extent, step, width);
    }
  }
}

/* ---- contiguous rows ---- */

static void TYPED(turn_out)(const VALUE *in, int64_t rows, int64_t n, VALUE *out) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t i = 0; i < n; i++) out[r * n + i] = in[i * ROW_BLOCK + r];
}

/* Short rows: a turned block of them is a strip. */
static void TYPED(short_rows)(const sel_softmax_args *args, const VALUE *x, const VALUE *grad,
                              VALUE *out, int64_t rows) {
  const int64_t n = args->extent;
  VALUE block[SHORT_ROW * ROW_BLOCK], grads[SHORT_ROW * ROW_BLOCK];
  TYPED(turn_in)(x, rows, n, block);
  if (args->backward) {
    TYPED(turn_in)(grad, rows, n, grads);
    TYPED(backward_strip)(args->log, block, grads, block, n, ROW_BLOCK, ROW_BLOCK);
  } else {
    TYPED(forward_strip)(args->log, block, block, n, ROW_BLOCK, ROW_BLOCK);
  }
  TYPED(turn_out)(block, rows, n, out);
}

static void TYPED(rows)(const void *context, int64_t begin, int64_t end) {
  const sel_softmax_args *args = context;
  const int64_t n = args->extent, step = n <= SHORT_ROW ? ROW_BLOCK : 1;
  const VALUE *x = cpu_at(&args->x), *grad = args->backward ? cpu_at(&args->grad) : x;
  VALUE *out = cpu_at(&args->out);
  for (int64_t r = begin; r < end; r += step) {
    const int64_t at = r * n;
    if (n <= SHORT_ROW)
      TYPED(short_rows)(args, x + at, grad + at, out + at, end - r < step ? end - r : step);
    else if (args->backward)
      TYPED(backward_row)(args->log, x + at, grad + at, out + at, n);
    else
      TYPED(forward_row)(args->log, x + at, out + at, n);
  }
}

#undef VALUE
#undef TYPED
#undef EXP
#undef LOG
