/* Rows of softmax and cross-entropy for one type: included by both with VALUE, TYPED(name) and EXP.
 *
 * Long rows are summed in ROW_LANES independent lanes. Short rows, of at most SHORT_ROW elements,
 * are taken ROW_BLOCK at once and turned, so that neighbours in memory belong to different rows:
 * nothing is left over by whole vectors, and no vector has to be summed up at the end.
 */

/* The largest element, NaN left out: it will show up in the sum. */
CPU_INLINE VALUE TYPED(largest)(const VALUE *x, int64_t n) {
  VALUE lane[ROW_LANES], top = -INFINITY;
  int64_t i = 0;
  for (int l = 0; l < ROW_LANES; l++) lane[l] = -INFINITY;
  for (; i + ROW_LANES <= n; i += ROW_LANES)
#pragma omp simd
    for (int l = 0; l < ROW_LANES; l++) lane[l] = x[i + l] > lane[l] ? x[i + l] : lane[l];
  for (; i < n; i++) top = x[i] > top ? x[i] : top;
  for (int l = 0; l < ROW_LANES; l++) top = lane[l] > top ? lane[l] : top;
  return top;
}

CPU_INLINE VALUE TYPED(sum_lanes)(VALUE *lane) {
  for (int width = ROW_LANES / 2; width > 0; width /= 2)
    for (int l = 0; l < width; l++) lane[l] += lane[l + width];
  return lane[0];
}

CPU_INLINE VALUE TYPED(sum_exp)(const VALUE *x, int64_t n, VALUE top) {
  VALUE lane[ROW_LANES] = {0};
  int64_t i = 0;
  for (; i + ROW_LANES <= n; i += ROW_LANES)
#pragma omp simd
    for (int l = 0; l < ROW_LANES; l++) lane[l] += EXP(x[i + l] - top);
  for (int l = 0; i < n; i++, l++) lane[l] += EXP(x[i] - top);
  return TYPED(sum_lanes)(lane);
}

/* `rows` rows of n elements, turned: out[i][r]. Columns of absent rows are 0. */
static void TYPED(turn_in)(const VALUE *x, int64_t rows, int64_t n, VALUE *out) {
  if (rows < ROW_BLOCK) memset(out, 0, (size_t)(n * ROW_BLOCK) * sizeof(VALUE));
  for (int64_t r = 0; r < rows; r++)
    for (int64_t i = 0; i < n; i++) out[i * ROW_BLOCK + r] = x[r * n + i];
}
