/* Reductions against loops in f64, in every layout and choice of dims; identities, NaN, accuracy.
 */
#include "tensors.h"

static sel_tensor *all_of(sel_status (*reduce)(sel_tensor *, int, const int *, bool, sel_tensor **),
                          sel_tensor *x) {
  sel_tensor *t = NULL;
  ASSERT_OK(reduce(x, 0, NULL, false, &t));
  return keep(t);
}

/* ---- any layout, any dims ---- */

typedef struct reference {
  double sum, product, largest, smallest, sum_abs, sum_square, square_deviations;
  int64_t count, where_largest, where_smallest;
  bool any, all;
} reference;

/* Position of element `inside` of the reduced dims of row `row` of the kept dims. */
static double element_at(const sel_tensor *x, unsigned mask, int64_t row, int64_t inside) {
  int64_t position[SEL_MAX_DIMS];
  double value;
  for (int d = sel_ndim(x) - 1; d >= 0; d--) {
    int64_t *rest = mask >> d & 1 ? &inside : &row;
    position[d] = *rest % sel_size(x, d);
    *rest /= sel_size(x, d);
  }
  ASSERT_OK(sel_get(x, sel_ndim(x), position, &value));
  return value;
}

static reference reduce_row(const sel_tensor *x, unsigned mask, int64_t row) {
  reference r = {.product = 1, .largest = -INFINITY, .smallest = INFINITY, .count = 1, .all = true};
  for (int d = 0; d < sel_ndim(x); d++)
    if (mask >> d & 1) r.count *= sel_size(x, d);
  for (int64_t i = 0; i < r.count; i++) {
    double v = element_at(x, mask, row, i);
    r.sum += v;
    r.product *= v;
    r.sum_abs += fabs(v);
    r.sum_square += v * v;
    if (v > r.largest) r.largest = v, r.where_largest = i;
    if (v < r.smallest) r.smallest = v, r.where_smallest = i;
    r.any |= v != 0;
    r.all &= v != 0;
  }
  for (int64_t i = 0; i < r.count; i++) {
    double deviation = element_at(x, mask, row, i) - r.sum / (double)r.count;
    r.square_deviations += deviation * deviation;
  }
  return r;
}

static double tolerance_of(sel_dtype dtype) {
  switch (dtype) {
    case SEL_F64:
      return 1e-13;
    case SEL_F32:
      return 1e-6;
    case SEL_F16:
      return 1e-3;
    case SEL_BF16:
      return 8e-3;
    default:
      return 0;
  }
}

static void expect_row(const sel_tensor *t, const char *what, int64_t row, double expected) {
  char text[64];
  double got = element_of(t, row);
  ck_assert_msg(near(got, expected, tolerance_of(sel_tensor_dtype(t))),
                "%s, row %d of %s: expected %.17g, got %.17g", what, (int)row,
                sel_describe(t, text, sizeof text), expected, got);
}

static void check_all(sel_tensor *x, unsigned mask, bool keepdim) {
  int dims[SEL_MAX_DIMS], n = 0, mark = n_kept;
  for (int d = 0; d < sel_ndim(x); d++)
    if (mask >> d & 1) dims[n++] = d - (d % 2 ? sel_ndim(x) : 0);
  bool is_float = sel_dtype_is_float(sel_tensor_dtype(x));
  sel_tensor *sum = NEW(sum, x, n, dims, keepdim), *product = NEW(prod, x, n, dims, keepdim);
  sel_tensor *largest = NEW(amax, x, n, dims, keepdim), *smallest = NEW(amin, x, n, dims, keepdim);
  sel_tensor *any = NEW(any, x, n, dims, keepdim), *all = NEW(all, x, n, dims, keepdim);
  ck_assert_int_eq(sel_tensor_dtype(sum), is_float ? sel_tensor_dtype(x) : SEL_I64);
  ck_assert_int_eq(sel_tensor_dtype(product), is_float ? sel_tensor_dtype(x) : SEL_I64);
  ck_assert_int_eq(sel_tensor_dtype(largest), sel_tensor_dtype(x));
  ck_assert_int_eq(sel_tensor_dtype(any), SEL_BOOL);
  ck_assert_int_eq(sel_ndim(sum), keepdim ? sel_ndim(x) : sel_ndim(x) - n);
  for (int i = 0; i < n && keepdim; i++) ck_assert_int_eq(sel_size(sum, dims[i]), 1);
  for (int64_t row = 0; row < sel_numel(sum); row++) {
    reference r = reduce_row(x, mask, row);
    expect_row(sum, "sum", row, r.sum);
    expect_row(product, "prod", row, r.product);
    expect_row(largest, "amax", row, r.largest);
    expect_row(smallest, "amin", row, r.smallest);
    expect_row(any, "any", row, r.any);
    expect_row(all, "all", row, r.all);
    if (n == 1) {
      expect_row(NEW(argmax, x, dims[0], keepdim), "argmax", row, (double)r.where_largest);
      expect_row(NEW(argmin, x, dims[0], keepdim), "argmin", row, (double)r.where_smallest);
      sel_tensor *values = NULL, *at = NULL;
      ASSERT_OK(sel_max(x, dims[0], keepdim, &values, &at));
      expect_row(keep(values), "max", row, r.largest);
      expect_row(keep(at), "max's index", row, (double)r.where_largest);
      ASSERT_OK(sel_min(x, dims[0], keepdim, &values, &at));
      expect_row(keep(values), "min", row, r.smallest);
      expect_row(keep(at), "min's index", row, (double)r.where_smallest);
    }
    if (!is_float) continue;
    double n_row = (double)r.count;
    expect_row(NEW(mean, x, n, dims, keepdim), "mean", row, r.sum / n_row);
    expect_row(NEW(norm, x, 1, n, dims, keepdim), "norm 1", row, r.sum_abs);
    expect_row(NEW(norm, x, 2, n, dims, keepdim), "norm 2", row, sqrt(r.sum_square));
    expect_row(NEW(var, x, n, dims, 1, keepdim), "var", row, r.square_deviations / (n_row - 1));
    expect_row(NEW(std, x, n, dims, 0, keepdim), "std", row, sqrt(r.square_deviations / n_row));
  }
  release_kept(mark);
}

START_TEST(layouts_and_dims) {
  static const sel_dtype dtypes[] = {SEL_F32, SEL_F64, SEL_F16, SEL_BF16,
                                     SEL_I64, SEL_I32, SEL_U8,  SEL_BOOL};
  for (int i = 0; i < 8; i++) {
    sel_dtype d = dtypes[i];
    bool is_float = sel_dtype_is_float(d);
    sel_tensor *wide = NEW(mul_scalar,
                           some_tensor(SEL_F64, is_float ? -1.5 : 1, is_float ? 1.5 : 2.9,
                                       (uint64_t)i, SHAPE(3, 2, 5)),
                           1);
    sel_tensor *x = NEW(to, wide, d, NULL);
    if (d == SEL_BOOL) x = NEW(gt_scalar, wide, 1.9);
    sel_tensor *layouts[] = {x, NEW(permute, x, DIMS(2, 0, 1)), NEW(slice, x, 2, 1, 5, 2),
                             NEW(expand, NEW(narrow, x, 1, 1, 1), SHAPE(3, 4, 5)),
                             NEW(narrow, x, 0, 1, 1)};
    for (int l = 0; l < 5; l++)
      for (unsigned mask = 1; mask < 8; mask++) check_all(layouts[l], mask, mask % 2);
  }
}
END_TEST

/* Lengths around those where kernels unroll and split work. */
START_TEST(odd_lengths) {
  static const int64_t lengths[] = {1,  2,  3,  7,  8,   9,   15,   16,  17,
                                    31, 33, 63, 65, 127, 129, 1000, 4099};
  for (int f64 = 0; f64 < 2; f64++)
    for (int i = 0; i < (int)(sizeof lengths / sizeof *lengths); i++) {
      int64_t n = lengths[i];
      sel_dtype d = f64 ? SEL_F64 : SEL_F32;
      double tolerance = f64 ? 1e-13 : 2e-6;
      sel_tensor *x = some_tensor(d, 0.5, 1.5, (uint64_t)n, SHAPE(n, 3));
      sel_tensor *in_rows = NEW(clone, NEW(transpose, x, 0, 1));
      for (int64_t row = 0; row < 3; row++) {
        reference r = reduce_row(x, 1, row);
        ck_assert(near(element_of(NEW(sum, x, DIMS(0), false), row), r.sum, tolerance));
        ck_assert(near(element_of(NEW(sum, in_rows, DIMS(1), false), row), r.sum, tolerance));
        ck_assert(near(element_of(NEW(amax, in_rows, DIMS(1), false), row), r.largest, 0));
        ck_assert(
            near(element_of(NEW(argmin, in_rows, 1, false), row), (double)r.where_smallest, 0));
        ck_assert(near(element_of(NEW(argmax, x, 0, false), row), (double)r.where_largest, 0));
        if (n == 1) continue;
        double var = r.square_deviations / (double)(n - 1);
        ck_assert(near(element_of(NEW(var, in_rows, DIMS(1), 1, false), row), var, tolerance));
        ck_assert(near(element_of(NEW(var, x, DIMS(0), 1, false), row), var, tolerance));
      }
      release_kept(0);
    }
}
END_TEST

/* ---- dims and shapes ---- */

START_TEST(choice_of_dims) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3)), *t = NULL;
  ASSERT_TENSOR(all_of(sel_sum, x), "f32[]", 15);
  ASSERT_TENSOR(NEW(sum, x, 0, NULL, true), "f32[1, 1]", 15);
  ASSERT_TENSOR(NEW(sum, x, DIMS(-1), false), "f32[2]", 3, 12);
  ASSERT_TENSOR(NEW(sum, x, DIMS(1, 0), true), "f32[1, 1]", 15);
  sel_tensor *number = TENSOR(SEL_F32, SHAPE(), 5);
  ASSERT_TENSOR(all_of(sel_sum, number), "f32[]", 5);
  ASSERT_TENSOR(NEW(sum, number, DIMS(0), true), "f32[]", 5);
  ASSERT_TENSOR(NEW(argmax, number, -1, false), "i64[]", 0);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_sum(x, DIMS(2), false, &t), "sum", "dim 2", "f32[2, 3]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_mean(x, DIMS(-3), false, &t), "mean", "dim -3");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_amax(x, DIMS(0, -2), false, &t), "amax", "twice");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_argmax(x, 2, false, &t), "argmax", "dim 2");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_cumsum(x, 2, &t), "cumsum", "dim 2");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_sum(NULL, 0, NULL, false, &t), "sum", "NULL");
  ASSERT_FAILS(SEL_E_DTYPE, sel_mean(sequence(SEL_I64, 0, 1, SHAPE(3)), 0, NULL, false, &t), "mean",
               "float", "i64");
  ASSERT_FAILS(SEL_E_DTYPE, sel_var(sequence(SEL_U8, 0, 1, SHAPE(3)), 0, NULL, 1, false, &t),
               "var");
  ASSERT_FAILS(SEL_E_DTYPE, sel_norm(sequence(SEL_I32, 0, 1, SHAPE(3)), 2, 0, NULL, false, &t),
               "norm", "i32");
  ASSERT_FAILS(SEL_E_DTYPE, sel_logsumexp(sequence(SEL_I32, 0, 1, SHAPE(3)), 0, NULL, false, &t),
               "logsumexp");
  ck_assert_ptr_null(t);
}
END_TEST

START_TEST(nothing_to_reduce) {
  sel_tensor *x = NEW(zeros, SHAPE(2, 0), SEL_F32, NULL), *t = NULL;
  ASSERT_TENSOR(NEW(sum, x, DIMS(1), false), "f32[2]", 0, 0);
  ASSERT_TENSOR(NEW(sum, x, DIMS(0), false), "f32[0]");
  ASSERT_TENSOR(all_of(sel_sum, x), "f32[]", 0);
  ASSERT_TENSOR(all_of(sel_prod, x), "f32[]", 1);
  ASSERT_TENSOR(all_of(sel_mean, x), "f32[]", NAN);
  ASSERT_TENSOR(all_of(sel_any, x), "bool[]", 0);
  ASSERT_TENSOR(all_of(sel_all, x), "bool[]", 1);
  ASSERT_TENSOR(NEW(var, x, DIMS(1), 1, false), "f32[2]", NAN, NAN);
  ASSERT_TENSOR(NEW(norm, x, 2, DIMS(1), false), "f32[2]", 0, 0);
  ASSERT_TENSOR(NEW(cumsum, x, 1), "f32[2, 0]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_amax(x, 0, NULL, false, &t), "amax", "nothing", "f32[2, 0]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_argmin(x, 1, false, &t), "argmin", "nothing");
  ASSERT_TENSOR(NEW(amax, x, DIMS(0), false), "f32[0]");
  ck_assert_ptr_null(t);
}
END_TEST

/* ---- values ---- */

START_TEST(integers) {
  sel_tensor *bytes = NEW(full, SHAPE(1000), 255, SEL_U8, NULL);
  ASSERT_TENSOR(all_of(sel_sum, bytes), "i64[]", 255000);
  ASSERT_TENSOR(all_of(sel_prod, NEW(narrow, bytes, 0, 0, 3)), "i64[]", 255.0 * 255 * 255);
  ASSERT_TENSOR(all_of(sel_sum, NEW(full, SHAPE(3), 0x7fffffff, SEL_I32, NULL)), "i64[]",
                3.0 * 0x7fffffff);
  ASSERT_TENSOR(all_of(sel_sum, TENSOR(SEL_BOOL, SHAPE(4), 1, 0, 1, 1)), "i64[]", 3);
  ASSERT_TENSOR(NEW(cumsum, TENSOR(SEL_U8, SHAPE(3), 200, 200, 200), 0), "i64[3]", 200, 400, 600);
  const int64_t wide[] = {INT64_MAX, -1, 1, INT64_MIN};
  sel_tensor *x = NEW(from_data, SHAPE(4), SEL_I64, NULL, wide, sizeof wide);
  int64_t got;
  ASSERT_OK(sel_read(all_of(sel_sum, x), &got, sizeof got)); /* no detour through doubles */
  ck_assert_int_eq(got, -1);
  ASSERT_OK(sel_read(all_of(sel_amax, x), &got, sizeof got));
  ck_assert_int_eq(got, INT64_MAX);
  ASSERT_OK(sel_read(all_of(sel_amin, x), &got, sizeof got));
  ck_assert_int_eq(got, INT64_MIN);
  ASSERT_TENSOR(all_of(sel_amax, TENSOR(SEL_BOOL, SHAPE(2), 0, 1)), "bool[]", 1);
  ASSERT_TENSOR(all_of(sel_amin, TENSOR(SEL_BOOL, SHAPE(2), 0, 1)), "bool[]", 0);
}
END_TEST

START_TEST(nan_wins) {
  for (int f64 = 0; f64 < 2; f64++)
    for (int64_t at = 0; at < 40; at++) { /* wherever it stands */
      sel_tensor *x = sequence(f64 ? SEL_F64 : SEL_F32, -20, 1, SHAPE(40));
      ASSERT_OK(sel_set(x, 1, &at, NAN));
      ck_assert(isnan(item(all_of(sel_amax, x))));
      ck_assert(isnan(item(all_of(sel_amin, x))));
      ck_assert(isnan(item(all_of(sel_sum, x))));
      ck_assert_double_eq(item(NEW(argmax, x, 0, false)), (double)at);
      ck_assert_double_eq(item(NEW(argmin, x, 0, false)), (double)at);
      sel_tensor *values = NULL, *where = NULL;
      ASSERT_OK(sel_max(x, 0, false, &values, &where));
      ck_assert(isnan(item(keep(values))));
      ck_assert_double_eq(item(keep(where)), (double)at);
      release_kept(0);
    }
  sel_tensor *two = TENSOR(SEL_F32, SHAPE(4), 1, NAN, 5, NAN);
  ck_assert_double_eq(item(NEW(argmax, two, 0, false)), 1); /* the first of several */
}
END_TEST

START_TEST(ties_and_infinities) {
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(2, 3), 1, 3, 3, 2, 2, 2);
  ASSERT_TENSOR(NEW(argmax, x, 1, false), "i64[2]", 1, 0);
  ASSERT_TENSOR(NEW(argmin, x, 0, false), "i64[3]", 0, 1, 1);
  sel_tensor *same = NEW(zeros, SHAPE(1000), SEL_F32, NULL);
  ASSERT_TENSOR(NEW(argmax, same, 0, false), "i64[]", 0);
  ASSERT_TENSOR(NEW(argmin, same, 0, false), "i64[]", 0);
  sel_tensor *low = NEW(full, SHAPE(20), -INFINITY, SEL_F32, NULL);
  ASSERT_TENSOR(all_of(sel_amax, low), "f32[]", -INFINITY);
  ASSERT_TENSOR(NEW(argmax, low, 0, false), "i64[]", 0);
  sel_tensor *high = NEW(full, SHAPE(20), INFINITY, SEL_F64, NULL);
  ASSERT_TENSOR(all_of(sel_amin, high), "f64[]", INFINITY);
  ASSERT_TENSOR(all_of(sel_amax, TENSOR(SEL_F16, SHAPE(3), -4, -2, -9)), "f16[]", -2);
}
END_TEST

START_TEST(norms) {
  sel_tensor *x = TENSOR(SEL_F64, SHAPE(2, 2), 3, -4, 0, 2);
  ASSERT_TENSOR(NEW(norm, x, 2, DIMS(1), false), "f64[2]", 5, 2);
  ASSERT_TENSOR(NEW(norm, x, 1, DIMS(1), true), "f64[2, 1]", 7, 2);
  ASSERT_TENSOR(NEW(norm, x, 0, DIMS(1), false), "f64[2]", 2, 1);
  ASSERT_TENSOR(NEW(norm, x, INFINITY, DIMS(1), false), "f64[2]", 4, 2);
  ASSERT_TENSOR(NEW(norm, x, -INFINITY, DIMS(1), false), "f64[2]", 3, 0);
  ASSERT_NEAR(NEW(norm, x, 3, DIMS(1), false), 1e-15, "f64[2]", cbrt(27 + 64), 2);
  ASSERT_NEAR(NEW(norm, x, -2, DIMS(1), false), 1e-15, "f64[2]", pow(1. / 9 + 1. / 16, -0.5), 0);
  ASSERT_TENSOR(NEW(norm, NEW(full, SHAPE(10000), 100, SEL_F16, NULL), 2, 0, NULL, false), "f16[]",
                10000); /* the squares, 1e8 in sum, would not fit f16 */
}
END_TEST

START_TEST(half_precision_on_the_way) { /* squares and sums of these do not fit f16 */
  sel_tensor *x = TENSOR(SEL_F16, SHAPE(4), 1000, -1000, 1000, -1000);
  ASSERT_TENSOR(NEW(std, x, 0, NULL, 0, false), "f16[]", 1000);
  ASSERT_TENSOR(NEW(norm, x, 3, 0, NULL, true), "f16[1]", 1587); /* 4^(1/3) 1000 */
  sel_tensor *many = NEW(zeros, SHAPE(100000), SEL_F16, NULL);
  ASSERT_TENSOR(NEW(logsumexp, many, 0, NULL, false), "f16[]", 11.515625); /* ln 100000 */
  ASSERT_TENSOR(NEW(mean, NEW(full, SHAPE(1000), 1000, SEL_F16, NULL), 0, NULL, false), "f16[]",
                1000);
}
END_TEST

START_TEST(variances) {
  sel_tensor *x = TENSOR(SEL_F64, SHAPE(4), 1, 2, 3, 6);
  ASSERT_TENSOR(NEW(var, x, 0, NULL, 0, false), "f64[]", 3.5);
  ASSERT_NEAR(NEW(var, x, 0, NULL, 1, false), 1e-15, "f64[]", 14. / 3);
  ASSERT_TENSOR(NEW(var, x, 0, NULL, 2, false), "f64[]", 7);
  ASSERT_TENSOR(NEW(var, x, 0, NULL, 4, false), "f64[]", NAN); /* nothing left to divide by */
  ASSERT_TENSOR(NEW(var, x, 0, NULL, 5, false), "f64[]", NAN);
  ASSERT_TENSOR(NEW(var, NEW(narrow, x, 0, 0, 1), 0, NULL, 1, false), "f64[]", NAN);
  ASSERT_TENSOR(NEW(var, NEW(narrow, x, 0, 0, 1), 0, NULL, 0, false), "f64[]", 0);
  /* a small spread around a large mean */
  sel_tensor *far = NEW(add_scalar, sequence(SEL_F32, 0, 1, SHAPE(1000)), 1e6);
  ck_assert_double_eq_tol(item(NEW(var, far, 0, NULL, 0, false)), (1e6 - 1) / 12, 1);
}
END_TEST

START_TEST(logsumexp) {
  sel_tensor *x = TENSOR(SEL_F64, SHAPE(2, 2), 1000, 1000, -1000, -1001);
  ASSERT_NEAR(NEW(logsumexp, x, DIMS(1), false), 1e-15, "f64[2]", 1000 + log(2),
              -1000 + log1p(exp(-1)));
  ASSERT_TENSOR(NEW(logsumexp, TENSOR(SEL_F32, SHAPE(2), -INFINITY, -INFINITY), 0, NULL, false),
                "f32[]", -INFINITY);
  ASSERT_TENSOR(NEW(logsumexp, TENSOR(SEL_F32, SHAPE(2), 1, INFINITY), 0, NULL, true), "f32[1]",
                INFINITY);
}
END_TEST

START_TEST(cumsum) {
  sel_tensor *x = sequence(SEL_F32, 1, 1, SHAPE(2, 3));
  ASSERT_TENSOR(NEW(cumsum, x, 1), "f32[2, 3]", 1, 3, 6, 4, 9, 15);
  ASSERT_TENSOR(NEW(cumsum, x, -2), "f32[2, 3]", 1, 2, 3, 5, 7, 9);
  ASSERT_TENSOR(NEW(cumsum, NEW(transpose, x, 0, 1), 0), "f32[3, 2]", 1, 4, 3, 9, 6, 15);
  ASSERT_TENSOR(NEW(cumsum, TENSOR(SEL_F64, SHAPE(), 3), 0), "f64[]", 3);
  ASSERT_TENSOR(NEW(cumsum, TENSOR(SEL_BOOL, SHAPE(3), 1, 0, 1), 0), "i64[3]", 1, 1, 2);
  /* half precision adds up in f32: 2048 + 1 = 2048 in f16 */
  sel_tensor *ones = NEW(ones, SHAPE(4096), SEL_F16, NULL);
  ck_assert_double_eq(element_of(NEW(cumsum, ones, 0), 4095), 4096);
  sel_tensor *cube = sequence(SEL_F64, 1, 1, SHAPE(3, 4, 5));
  for (int dim = 0; dim < 3; dim++) {
    sel_tensor *y = NEW(cumsum, cube, dim);
    sel_tensor *last = NEW(select, y, dim, -1);
    ASSERT_SAME(NEW(clone, last), NEW(sum, cube, 1, &dim, false));
  }
}
END_TEST

START_TEST(sum_to) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3)), *t = NULL;
  ASSERT_TENSOR(NEW(sum_to, x, SHAPE(3)), "f32[3]", 3, 5, 7);
  ASSERT_TENSOR(NEW(sum_to, x, SHAPE(2, 1)), "f32[2, 1]", 3, 12);
  ASSERT_TENSOR(NEW(sum_to, x, SHAPE(1, 3)), "f32[1, 3]", 3, 5, 7);
  ASSERT_TENSOR(NEW(sum_to, x, SHAPE(1)), "f32[1]", 15);
  ASSERT_TENSOR(NEW(sum_to, x, SHAPE()), "f32[]", 15);
  ck_assert_ptr_eq(NEW(sum_to, x, SHAPE(2, 3)), x);
  ASSERT_FAILS(SEL_E_SHAPE, sel_sum_to(x, SHAPE(2), &t), "sum_to", "f32[2, 3]", "[2]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_sum_to(x, SHAPE(1, 2, 3), &t), "sum_to", "[1, 2, 3]");
}
END_TEST

/* ---- accuracy and threads ---- */

enum { MANY = 10000000 };

/* A sum in long double of numbers that a f32 holds, for a tensor much larger than a cache. */
START_TEST(accuracy) {
  float *values = malloc(MANY * sizeof *values);
  long double sum = 0, squares = 0;
  for (int i = 0; i < MANY; i++) {
    values[i] = (float)some_number((uint64_t)i, 0, 1);
    sum += values[i];
  }
  long double mean = sum / MANY;
  for (int i = 0; i < MANY; i++) squares += (values[i] - mean) * (values[i] - mean);
  sel_tensor *x = NEW(from_data, SHAPE(MANY), SEL_F32, NULL, values, MANY * sizeof *values);
  free(values);
  const double rounding = 0x1p-24;
#define ASSERT_ACCURATE(t, exact, roundings)                                           \
  do {                                                                                 \
    double got_ = item(t), exact_ = (double)(exact);                                   \
    ck_assert_msg(fabs(got_ / exact_ - 1) <= (roundings)*rounding,                     \
                  "%s: expected %.9g, got %.9g: %.1f roundings off", #t, exact_, got_, \
                  fabs(got_ / exact_ - 1) / rounding);                                 \
  } while (0)
  ASSERT_ACCURATE(all_of(sel_sum, x), sum, 2);
  ASSERT_ACCURATE(all_of(sel_mean, x), mean, 2);
  ASSERT_ACCURATE(NEW(var, x, 0, NULL, 1, false), squares / (MANY - 1), 4);
  sel_tensor *tall = NEW(reshape, x, SHAPE(MANY / 10, 10)); /* down the columns */
  sel_tensor *columns = NEW(sum, tall, DIMS(0), false);
  long double column = 0;
  for (int64_t i = 0; i < MANY / 10; i++) column += ((const float *)sel_data(x))[10 * i + 3];
  ASSERT_ACCURATE(NEW(select, columns, 0, 3), column, 2);
  sel_tensor *odd = NEW(slice, x, 0, 1, MANY, 2); /* with a stride */
  long double half = 0;
  for (int i = 1; i < MANY; i += 2) half += ((const float *)sel_data(x))[i];
  ASSERT_ACCURATE(all_of(sel_sum, odd), half, 2);
}
END_TEST

START_TEST(thread_counts) {
  int threads = sel_num_threads();
  sel_tensor *x = some_tensor(SEL_F32, -1, 1, 1, SHAPE(1000, 2003)), *results[2][6];
  for (int two = 0; two < 2; two++) {
    ASSERT_OK(sel_set_num_threads(1 + two));
    ck_assert_int_eq(sel_num_threads(), 1 + two);
    sel_tensor **r = results[two];
    r[0] = all_of(sel_sum, x);
    r[1] = NEW(sum, x, DIMS(0), false);
    r[2] = NEW(mean, x, DIMS(1), false);
    r[3] = NEW(var, x, 0, NULL, 1, false);
    r[4] = NEW(norm, x, 2, 0, NULL, false);
    r[5] = NEW(argmax, NEW(reshape, x, SHAPE(-1)), 0, false);
  }
  for (int i = 0; i < 6; i++) ASSERT_SAME(results[0][i], results[1][i]);
  ASSERT_OK(sel_set_num_threads(threads));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_set_num_threads(-1), "-1");
}
END_TEST

TENSOR_SUITE("reduce", layouts_and_dims, odd_lengths, choice_of_dims, nothing_to_reduce, integers,
             nan_wins, ties_and_infinities, norms, half_precision_on_the_way, variances, logsumexp,
             cumsum, sum_to, accuracy, thread_counts)
