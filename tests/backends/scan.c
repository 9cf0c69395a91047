/* Running sums along the last dim: shapes, layouts, dtypes. */
#include "cases.h"
#include "harness.h"

static void scan_case(sel_dtype dtype, int ndim, const int64_t *shape, layout how) {
  char what[96];
  snprintf(what, sizeof what, "scan %s %s", sel_dtype_name(dtype), layout_names[how]);
  const bool real = sel_dtype_is_float(dtype);
  array in = array_new(dtype, ndim, shape, how);
  array out = array_new(real ? dtype : SEL_I64, ndim, shape, CONTIGUOUS);
  fill(&in, false);
  upload(&in), upload(&out);
  sel_scan_args args = {.input = operand_of(&in), .output = operand_of(&out), .ndim = ndim};
  memcpy(args.shape, in.shape, sizeof args.shape);
  memcpy(args.stride, in.stride, sizeof args.stride);
  must(backend->scan(device, &args), what);
  download(&out);
  const int64_t n = ndim ? shape[ndim - 1] : 1;
  double sum = 0;
  for (int64_t i = 0; i < out.numel; i++) {
    if (i % n == 0) sum = 0;
    sum += get(&in, i);
    expect_near(get(&out, i), rounded(out.dtype, sum), real ? 4 * epsilon(dtype) : 0, what, i);
  }
  array_free(&in), array_free(&out);
}

START_TEST(every_dtype_and_layout) {
  static const struct {
    int ndim;
    int64_t shape[3];
  } shapes[] = {{0, {0}},        {1, {1}},    {1, {5000}}, {2, {7, 33}},
                {3, {3, 4, 50}}, {2, {0, 4}}, {2, {4, 0}}, {3, {2, 1, 9}}};
  seed_numbers((uint64_t)_i);
  for (sel_dtype dtype = 0; dtype < SEL_DTYPE_COUNT; dtype++)
    for (layout how = 0; how < LAYOUTS; how++)
      scan_case(dtype, shapes[_i].ndim, shapes[_i].shape, how);
}
END_TEST

TCase *scan_cases(void) {
  TCase *cases = tcase_create("scan");
  tcase_add_loop_test(cases, every_dtype_and_layout, 0, 8);
  return cases;
}
