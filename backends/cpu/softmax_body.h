/* Softmax for one type: included by softmax.c with VALUE, TYPED(name), EXP, LOG. */

/* ---- contiguous rows ---- */

static VALUE TYPED(largest)(const VALUE *x, int64_t n) {
  VALUE top = -INFINITY;
#pragma omp simd reduction(max : top)
  for (int64_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top; /* a NaN shows up in the sum */
  return top;
}

static void TYPED(forward_row)(bool logarithm, const VALUE *x, VALUE *y, int64_t n) {
  const VALUE top = TYPED(largest)(x, n);
  VALUE sum = 0;
  if (logarithm) {
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += EXP(x[i] - top);
    const VALUE log_sum = LOG(sum);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = (x[i] - top) - log_sum;
  } else {
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += y[i] = EXP(x[i] - top);
    const VALUE scale = 1 / sum;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] *= scale;
  }
}

static void TYPED(backward_row)(bool logarithm, const VALUE *y, const VALUE *dy, VALUE *dx,
                                int64_t n) {
  VALUE sum = 0;
  if (logarithm) {
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += dy[i];
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dx[i] = dy[i] - EXP(y[i]) * sum;
  } else {
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += y[i] * dy[i];
#pragma omp simd
    for (int64_t i = 0; i < n; i++) dx[i] = y[i] * (dy[i] - sum);
  }
}

static void TYPED(rows)(const void *context, int64_t begin, int64_t end) {
  const sel_softmax_args *args = context;
  const int64_t n = args->extent;
  const VALUE *x = cpu_at(&args->x);
  VALUE *out = cpu_at(&args->out);
  if (args->backward) {
    const VALUE *grad = cpu_at(&args->grad);
    for (int64_t r = begin; r < end; r++)
      TYPED(backward_row)(args->log, x + r * n, grad + r * n, out + r * n, n);
  } else {
    for (int64_t r = begin; r < end; r++) TYPED(forward_row)(args->log, x + r * n, out + r * n, n);
  }
}

/* ---- strips: `width` neighbouring inner positions, each a row of stride `step` ---- */

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

#undef VALUE
#undef TYPED
#undef EXP
#undef LOG
