/* Cross-entropy for one type: included by cross_entropy.c with VALUE, TYPED(name), EXP, LOG. */
#include "row_body.h"

static VALUE TYPED(log_sum_exp)(const VALUE *x, int64_t n) {
  const VALUE top = TYPED(largest)(x, n);
  return top + LOG(TYPED(sum_exp)(x, n, top));
}

static void TYPED(short_log_sums)(const VALUE *x, int64_t rows, int64_t n, VALUE *out) {
  VALUE block[SHORT_ROW * ROW_BLOCK], top[ROW_BLOCK], sum[ROW_BLOCK] = {0};
  TYPED(turn_in)(x, rows, n, block);
  for (int r = 0; r < ROW_BLOCK; r++) top[r] = -INFINITY;
  for (int64_t i = 0; i < n; i++)
#pragma omp simd
    for (int r = 0; r < ROW_BLOCK; r++) {
      const VALUE v = block[i * ROW_BLOCK + r];
      top[r] = v > top[r] ? v : top[r];
    }
  for (int64_t i = 0; i < n; i++)
#pragma omp simd
    for (int r = 0; r < ROW_BLOCK; r++) sum[r] += EXP(block[i * ROW_BLOCK + r] - top[r]);
#pragma omp simd
  for (int r = 0; r < ROW_BLOCK; r++) out[r] = top[r] + LOG(sum[r]);
}

/* log sum exp of `rows` rows; out has room for ROW_BLOCK. */
static void TYPED(log_sums_of)(const VALUE *x, int64_t rows, int64_t n, VALUE *out) {
  if (n <= SHORT_ROW)
    TYPED(short_log_sums)(x, rows, n, out);
  else
    for (int64_t r = 0; r < rows; r++) out[r] = TYPED(log_sum_exp)(x + r * n, n);
}

/* sum_c w_c (log_sum - x_c): what smoothing spreads over all classes. */
static double TYPED(smooth_loss)(const VALUE *x, const VALUE *weight, VALUE log_sum, int64_t n) {
  double sum = 0;
  for (int64_t c = 0; c < n; c++) sum += (double)(log_sum - x[c]) * (weight ? weight[c] : 1);
  return sum;
}

static void TYPED(forward)(const void *context, int64_t begin, int64_t end) {
  const sel_cross_entropy_args *args = context;
  const int64_t n = args->classes;
  const void *target = cpu_at(&args->target);
  const VALUE *weight = args->weight.data ? cpu_at(&args->weight) : NULL;
  const VALUE *logits = cpu_at(&args->logits);
  const double e = args->label_smoothing;
  VALUE *losses = cpu_at(&args->losses), *log_sums = cpu_at(&args->log_sums), block[ROW_BLOCK];
  for (int64_t r = begin; r < end; r++) {
    const int64_t within = (r - begin) % ROW_BLOCK, left = end - r;
    if (within == 0)
      TYPED(log_sums_of)(logits + r * n, left < ROW_BLOCK ? left : ROW_BLOCK, n, block);
    const VALUE *x = logits + r * n, log_sum = block[within];
    const int64_t id = cpu_id(target, args->target.dtype, r);
    losses[r] = log_sums[r] = 0;
    if (id == args->ignore_index) continue;
    double loss = (1 - e) * (double)(log_sum - x[id]) * (weight ? weight[id] : 1);
    if (e != 0) loss += e / (double)n * TYPED(smooth_loss)(x, weight, log_sum, n);
    log_sums[r] = log_sum;
    losses[r] = (VALUE)loss;
  }
}

/* dx = scale * softmax(x) - smooth * weight. */
static void TYPED(backward_row)(const VALUE *x, const VALUE *weight, VALUE *dx, int64_t n,
                                VALUE log_sum, VALUE scale, VALUE smooth) {
#pragma omp simd
  for (int64_t c = 0; c < n; c++) dx[c] = scale * EXP(x[c] - log_sum);
  if (smooth == 0) return;
  for (int64_t c = 0; c < n; c++) dx[c] -= smooth * (weight ? weight[c] : 1);
}

static void TYPED(backward)(const void *context, int64_t begin, int64_t end) {
  const sel_cross_entropy_args *args = context;
  const int64_t n = args->classes;
  const void *target = cpu_at(&args->target);
  const VALUE *weight = args->weight.data ? cpu_at(&args->weight) : NULL;
  const VALUE *log_sums = cpu_at(&args->log_sums), *grad = cpu_at(&args->grad_losses);
  const double e = args->label_smoothing;
  double all_weights = (double)n;
  if (weight) {
    all_weights = 0;
    for (int64_t c = 0; c < n; c++) all_weights += weight[c];
  }
  for (int64_t r = begin; r < end; r++) {
    const VALUE *x = (const VALUE *)cpu_at(&args->logits) + r * n;
    VALUE *dx = (VALUE *)cpu_at(&args->grad_logits) + r * n;
    const int64_t id = cpu_id(target, args->target.dtype, r);
    if (id == args->ignore_index) {
      for (int64_t c = 0; c < n; c++) dx[c] = 0;
      continue;
    }
    const double at_id = (1 - e) * (weight ? weight[id] : 1), spread = e / (double)n;
    const VALUE scale = (VALUE)(grad[r] * (at_id + spread * all_weights));
    const VALUE smooth = (VALUE)(grad[r] * spread);
    TYPED(backward_row)(x, weight, dx, n, log_sums[r], scale, smooth);
    dx[id] -= (VALUE)(grad[r] * at_id);
  }
}

#undef VALUE
#undef TYPED
#undef EXP
#undef LOG
