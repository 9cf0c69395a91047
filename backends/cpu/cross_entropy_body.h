/* Cross-entropy for one type: included by cross_entropy.c with VALUE, TYPED(name), EXP, LOG. */

static VALUE TYPED(log_sum_exp)(const VALUE *x, int64_t n) {
  VALUE top = -INFINITY, sum = 0;
#pragma omp simd reduction(max : top)
  for (int64_t i = 0; i < n; i++) top = x[i] > top ? x[i] : top; /* a NaN shows up in the sum */
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; i++) sum += EXP(x[i] - top);
  return top + LOG(sum);
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
  const double e = args->label_smoothing;
  VALUE *losses = cpu_at(&args->losses), *log_sums = cpu_at(&args->log_sums);
  for (int64_t r = begin; r < end; r++) {
    const VALUE *x = (const VALUE *)cpu_at(&args->logits) + r * n;
    const int64_t id = cpu_id(target, args->target.dtype, r);
    losses[r] = log_sums[r] = 0;
    if (id == args->ignore_index) continue;
    const VALUE log_sum = TYPED(log_sum_exp)(x, n);
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
