/* Stable sorts and top-k: every dtype, both directions, ties, NaN, all lengths that matter. */
#include "cases.h"
#include "harness.h"

/* Whether element a comes before b in ascending order; NaN is largest, -0 equals 0. */
static bool less(const array *x, int64_t a, int64_t b) {
  if (!sel_dtype_is_float(x->dtype)) return get_whole(x, a) < get_whole(x, b);
  const double p = get(x, a), q = get(x, b);
  return p == p && (q != q || p < q);
}

/* Positions of row `row` in stable order: a merge sort. */
static void order(const array *x, int64_t first, int64_t n, bool descending, int64_t *out,
                  int64_t *spare) {
  if (n == 1) return;
  const int64_t half = n / 2;
  order(x, first, half, descending, out, spare);
  order(x, first, n - half, descending, out + half, spare);
  int64_t i = 0, j = half;
  for (int64_t k = 0; k < n; k++) {
    const bool second =
        i == half || (j < n && (descending ? less(x, first + out[i], first + out[j])
                                           : less(x, first + out[j], first + out[i])));
    spare[k] = second ? out[j++] : out[i++];
  }
  memcpy(out, spare, (size_t)n * sizeof *out);
}

static void sort_case(sel_dtype dtype, int64_t rows, int64_t columns, int64_t k, bool descending) {
  char what[96];
  snprintf(what, sizeof what, "sort %s %lld x %lld, first %lld, %s", sel_dtype_name(dtype),
           (long long)rows, (long long)columns, (long long)k, descending ? "down" : "up");
  const int64_t n = rows * columns, picked = rows * k;
  array x = array_new(dtype, 1, &n, OFFSET), values = array_new(dtype, 1, &picked, OFFSET);
  array indices = array_new(SEL_I64, 1, &picked, OFFSET);
  fill(&x, true);
  if (dtype == SEL_I64 && n > 4) set_whole(&x, 1, INT64_MIN), set_whole(&x, 4, INT64_MAX);
  upload(&x), upload(&values), upload(&indices);
  const sel_sort_args args = {.input = operand_of(&x),
                              .values = operand_of(&values),
                              .indices = operand_of(&indices),
                              .rows = rows,
                              .columns = columns,
                              .k = k,
                              .descending = descending};
  must(backend->sort(device, &args), what);
  download(&values), download(&indices);
  int64_t *positions = malloc((size_t)(columns + 1) * sizeof *positions);
  int64_t *spare = malloc((size_t)(columns + 1) * sizeof *spare);
  for (int64_t r = 0; r < rows && columns > 0; r++) {
    for (int64_t c = 0; c < columns; c++) positions[c] = c;
    order(&x, r * columns, columns, descending, positions, spare);
    for (int64_t i = 0; i < k; i++) {
      const int64_t at = r * k + i, from = place(&x, r * columns + positions[i]);
      const size_t size = sel_dtype_size(dtype);
      expect_whole(get_whole(&indices, at), positions[i], what, at);
      if (memcmp(values.host + (size_t)place(&values, at) * size, x.host + (size_t)from * size,
                 size))
        ck_abort_msg("%s: place %lld does not hold what its index says", what, (long long)at);
    }
  }
  free(positions), free(spare);
  array_free(&x), array_free(&values), array_free(&indices);
}

static const int64_t sizes[][3] = {
    {1, 1, 1},      {5, 2, 2},       {3, 31, 31}, {7, 48, 48},  {4, 49, 49},
    {3, 257, 257},  {2, 5000, 5000}, {9, 100, 1}, {2, 100, 99}, {3, 1000, 10},
    {2, 3000, 700}, {0, 5, 3},       {4, 0, 0},   {4, 6, 0},    {300, 70, 70},
};

START_TEST(every_dtype) {
  const int64_t *s = sizes[_i];
  seed_numbers((uint64_t)_i);
  for (sel_dtype dtype = 0; dtype < SEL_DTYPE_COUNT; dtype++)
    for (int descending = 0; descending < 2; descending++)
      sort_case(dtype, s[0], s[1], s[2], descending);
}
END_TEST

TCase *sort_cases(void) {
  TCase *cases = tcase_create("sort");
  tcase_add_loop_test(cases, every_dtype, 0, 15);
  return cases;
}
