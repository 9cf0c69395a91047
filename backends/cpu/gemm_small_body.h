/* Small products of one type: included by gemm_small.c with VALUE and TYPED(name). */

/* Writes `width` finished sums of row i, from column `first` on. */
CPU_INLINE void TYPED(put)(const sel_gemm_args *args, const VALUE *bias, const VALUE *sum,
                           int64_t first, int64_t width, VALUE *row) {
  const VALUE alpha = (VALUE)args->alpha, beta = (VALUE)args->beta;
  VALUE *c = row + first;
  if (bias)
    for (int64_t l = 0; l < width; l++) c[l] = alpha * sum[l] + bias[first + l];
  else if (beta != 0)
    for (int64_t l = 0; l < width; l++) c[l] = alpha * sum[l] + beta * c[l];
  else
    for (int64_t l = 0; l < width; l++) c[l] = alpha * sum[l];
}

/* sum[l] = sum_p a[p * step] b[p][l]: rows of B are contiguous. */
CPU_INLINE void TYPED(rows_of_b)(const VALUE *a, int64_t step, const VALUE *b, int64_t ldb,
                                 int64_t k, int64_t width, VALUE *sum) {
  for (int64_t l = 0; l < width; l++) sum[l] = 0;
  for (int64_t p = 0; p < k; p++)
#pragma omp simd
    for (int64_t l = 0; l < width; l++) sum[l] += a[p * step] * b[p * ldb + l];
}

/* sum[l] = sum_p a[p * step] b[l][p]: columns of op(B) are contiguous. */
CPU_INLINE void TYPED(columns_of_b)(const VALUE *a, int64_t step, const VALUE *b, int64_t ldb,
                                    int64_t k, int64_t width, VALUE *sum) {
  for (int64_t l = 0; l < width; l++) {
    VALUE s = 0;
#pragma omp simd reduction(+ : s)
    for (int64_t p = 0; p < k; p++) s += a[p * step] * b[l * ldb + p];
    sum[l] = s;
  }
}

CPU_INLINE void TYPED(piece)(const sel_gemm_args *args, const VALUE *a, int64_t step,
                             const VALUE *b, int64_t first, int64_t width, VALUE *sum) {
  if (args->transpose_b)
    TYPED(columns_of_b)(a, step, b + first * args->ldb, args->ldb, args->k, width, sum);
  else
    TYPED(rows_of_b)(a, step, b + first, args->ldb, args->k, width, sum);
}

static void TYPED(product)(const sel_gemm_args *args, const VALUE *a, const VALUE *b, VALUE *c) {
  const VALUE *bias = args->bias.data ? cpu_at(&args->bias) : NULL;
  const int64_t step = args->transpose_a ? args->lda : 1;
  const int64_t whole = args->n / BLOCK * BLOCK;
  for (int64_t i = 0; i < args->m; i++) {
    const VALUE *row = a + i * (args->transpose_a ? 1 : args->lda);
    VALUE *out = c + i * args->ldc, sum[BLOCK];
    for (int64_t j = 0; j < whole; j += BLOCK) {
      TYPED(piece)(args, row, step, b, j, BLOCK, sum);
      TYPED(put)(args, bias, sum, j, BLOCK, out);
    }
    if (whole < args->n) {
      TYPED(piece)(args, row, step, b, whole, args->n - whole, sum);
      TYPED(put)(args, bias, sum, whole, args->n - whole, out);
    }
  }
}

#undef VALUE
#undef TYPED
