/* Small products of one type: included by gemm_small.c with VALUE and TYPED(name). */

/* Four neighbouring numbers, as compilers for all machines know them. */
typedef VALUE TYPED(four)
    __attribute__((vector_size(4 * sizeof(VALUE)), aligned(sizeof(VALUE)), may_alias));
#define FOUR TYPED(four)

/* Writes `width` finished sums of one row of C, from column `first` on. */
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

/* sum[l] = sum_p a[p * step] b[p][l]: rows of op(B) are contiguous. */
CPU_INLINE void TYPED(rows_of_b)(const VALUE *a, int64_t step, const VALUE *b, int64_t ldb,
                                 int64_t k, int64_t width, VALUE *sum) {
  for (int64_t l = 0; l < width; l++) sum[l] = 0;
  for (int64_t p = 0; p < k; p++)
#pragma omp simd
    for (int64_t l = 0; l < width; l++) sum[l] += a[p * step] * b[p * ldb + l];
}

/* Element l of *sum becomes the sum of the elements of s[l]. (Vectors go by address: how they are
 * passed by value depends on the instruction set.) */
CPU_INLINE void TYPED(sums_of_four)(const FOUR *s, FOUR *sum) {
  const FOUR s01 = __builtin_shufflevector(s[0], s[1], 0, 4, 1, 5) +
                   __builtin_shufflevector(s[0], s[1], 2, 6, 3, 7);
  const FOUR s23 = __builtin_shufflevector(s[2], s[3], 0, 4, 1, 5) +
                   __builtin_shufflevector(s[2], s[3], 2, 6, 3, 7);
  *sum =
      __builtin_shufflevector(s01, s23, 0, 1, 4, 5) + __builtin_shufflevector(s01, s23, 2, 3, 6, 7);
}

/* sum[l] = sum_p a[p * step] b[l][p]: columns of op(B) are contiguous; four of them at once where
 * those of op(A)'s row are as well. */
CPU_INLINE void TYPED(columns_of_b)(const VALUE *a, int64_t step, const VALUE *b, int64_t ldb,
                                    int64_t k, int64_t width, VALUE *sum) {
  int64_t l = 0;
  const int64_t fours = k / 4 * 4;
  for (; l + 4 <= width && step == 1 && k >= 8; l += 4) {
    const VALUE *b0 = b + l * ldb, *b1 = b0 + ldb, *b2 = b1 + ldb, *b3 = b2 + ldb;
    FOUR s[4] = {{0}, {0}, {0}, {0}}, total;
    for (int64_t p = 0; p < fours; p += 4) {
      const FOUR x = *(const FOUR *)(a + p);
      s[0] += x * *(const FOUR *)(b0 + p);
      s[1] += x * *(const FOUR *)(b1 + p);
      s[2] += x * *(const FOUR *)(b2 + p);
      s[3] += x * *(const FOUR *)(b3 + p);
    }
    TYPED(sums_of_four)(s, &total);
    for (int64_t p = fours; p < k; p++) total += a[p] * (FOUR){b0[p], b1[p], b2[p], b3[p]};
    *(FOUR *)(sum + l) = total;
  }
  for (; l < width; l++) {
    sum[l] = 0;
    for (int64_t p = 0; p < k; p++) sum[l] += a[p * step] * b[l * ldb + p];
  }
}

CPU_INLINE void TYPED(piece)(const sel_gemm_args *args, const VALUE *a, int64_t step,
                             const VALUE *b, int64_t first, int64_t width, VALUE *sum) {
  if (args->transpose_b)
    TYPED(columns_of_b)(a, step, b + first * args->ldb, args->ldb, args->k, width, sum);
  else
    TYPED(rows_of_b)(a, step, b + first, args->ldb, args->k, width, sum);
}

/* One row of C. Widths the compiler knows stay in registers. */
CPU_INLINE void TYPED(row)(const sel_gemm_args *args, const VALUE *a, int64_t step, const VALUE *b,
                           const VALUE *bias, VALUE *c) {
  VALUE sum[BLOCK];
  int64_t j = 0;
  for (; j + BLOCK <= args->n; j += BLOCK) {
    TYPED(piece)(args, a, step, b, j, BLOCK, sum);
    TYPED(put)(args, bias, sum, j, BLOCK, c);
  }
  if (j + BLOCK / 2 <= args->n) {
    TYPED(piece)(args, a, step, b, j, BLOCK / 2, sum);
    TYPED(put)(args, bias, sum, j, BLOCK / 2, c);
    j += BLOCK / 2;
  }
  if (j < args->n) {
    TYPED(piece)(args, a, step, b, j, args->n - j, sum);
    TYPED(put)(args, bias, sum, j, args->n - j, c);
  }
}

static void TYPED(product)(const sel_gemm_args *args, const VALUE *a, const VALUE *b, VALUE *c) {
  const VALUE *bias = args->bias.data ? cpu_at(&args->bias) : NULL;
  const int64_t next = args->transpose_a ? 1 : args->lda;
  const int64_t step = args->transpose_a ? args->lda : 1;
  for (int64_t i = 0; i < args->m; i++)
    TYPED(row)(args, a + i * next, step, b, bias, c + i * args->ldc);
}

#undef FOUR
#undef VALUE
#undef TYPED
