/* Products: matmul, linear, bilinear against their definitions, and how few kernel calls and copies
 * views take. */
#include "differences.h"

/* ---- a backend that counts its products ---- */

static sel_backend counting;
static const sel_backend *cpu;
static int gemm_calls;
static sel_gemm_args last_gemm;

static sel_status counted_gemm(sel_backend_device device, const sel_gemm_args *args) {
  gemm_calls++;
  last_gemm = *args;
  return cpu->gemm(device, args);
}

/* A device whose memory is the cpu's and whose products are counted from now on. */
static sel_device *counting_device(void) {
  sel_device *device;
  if (!cpu) {
    cpu = sel_backend_at(0);
    counting = *cpu;
    counting.name = "counting";
    counting.gemm = counted_gemm;
    ASSERT_OK(sel_register_backend(&counting));
  }
  ASSERT_OK(sel_device_find("counting", &device));
  gemm_calls = 0;
  return device;
}

static sel_tensor *numbers(sel_device *device, int ndim, const int64_t *shape) {
  return NEW(to, some_tensor(SEL_F32, -1, 1, 5, ndim, shape), SEL_F32, device);
}

/* ---- the definition ---- */

/* The elements of t, broadcast to the leading dims of `out`, as new host memory. */
static double *values_under(sel_tensor *t, const sel_tensor *out) {
  int64_t shape[SEL_MAX_DIMS];
  int n = sel_ndim(out);
  for (int d = 0; d < n - 2; d++) shape[d] = sel_size(out, d);
  shape[n - 2] = sel_size(t, -2);
  shape[n - 1] = sel_size(t, -1);
  sel_tensor *all = NEW(to, NEW(expand, t, n, shape), SEL_F64, NULL);
  size_t bytes = (size_t)sel_numel(all) * sizeof(double);
  double *values = malloc(bytes + 1);
  ASSERT_OK(sel_read(all, values, bytes));
  return values;
}

/* out[..., i, j] = sum_k a[..., i, k] b[..., k, j], leading dims broadcast */
static void assert_product(sel_tensor *out, sel_tensor *a, sel_tensor *b, double tolerance,
                           int line) {
  int64_t n = sel_size(out, -2), m = sel_size(out, -1), terms = sel_size(a, -1);
  double *x = values_under(a, out), *y = values_under(b, out), *z = values_under(out, out);
  for (int64_t e = 0; e < sel_numel(out); e++) {
    int64_t batch = e / (n * m), i = e / m % n, j = e % m;
    double sum = 0;
    for (int64_t k = 0; k < terms; k++)
      sum += x[(batch * n + i) * terms + k] * y[(batch * terms + k) * m + j];
    ck_assert_msg(near(z[e], sum, tolerance), "line %d, element %d: expected %.9g, got %.9g", line,
                  (int)e, sum, z[e]);
  }
  free(x);
  free(y);
  free(z);
}

static double tolerance_of(sel_dtype dtype) {
  return dtype == SEL_F64 ? 1e-13 : dtype == SEL_F32 ? 1e-5 : dtype == SEL_F16 ? 1e-3 : 8e-3;
}

static void check_product(sel_tensor *a, sel_tensor *b, const char *shape, int line) {
  char text[256], expected[256];
  sel_tensor *out = NEW(matmul, a, b);
  snprintf(expected, sizeof expected, "%s%s", sel_dtype_name(sel_tensor_dtype(a)), shape);
  ck_assert_str_eq(sel_describe(out, text, sizeof text), expected);
  assert_product(out, a, b, tolerance_of(sel_tensor_dtype(a)), line);
}
#define CHECK_PRODUCT(a, b, shape) check_product(a, b, shape, __LINE__)

static const sel_dtype float_dtypes[] = {SEL_F32, SEL_F64, SEL_F16, SEL_BF16};

/* Every way to hold the matrix [..., rows, columns] of `plain`. */
enum { LAYOUTS = 5 };
static sel_tensor *laid_out(sel_tensor *plain, int layout) {
  int n = sel_ndim(plain);
  int64_t wide[SEL_MAX_DIMS];
  for (int d = 0; d < n; d++) wide[d] = sel_size(plain, d);
  switch (layout) {
    case 0:
      return plain;
    case 1: /* transposed in memory */
      return NEW(transpose, NEW(contiguous, NEW(transpose, plain, -1, -2)), -1, -2);
    case 2: { /* rows far apart */
      wide[n - 1] += 3;
      sel_tensor *t = NEW(zeros, n, wide, sel_tensor_dtype(plain), NULL);
      sel_tensor *view = NEW(narrow, t, -1, 2, sel_size(plain, -1));
      ASSERT_OK(sel_copy_(view, plain));
      return view;
    }
    case 3: { /* neither dim dense */
      wide[n - 1] *= 2;
      sel_tensor *t = NEW(zeros, n, wide, sel_tensor_dtype(plain), NULL);
      sel_tensor *view = NEW(slice, t, -1, 1, INT64_MAX, 2);
      ASSERT_OK(sel_copy_(view, plain));
      return view;
    }
    default: { /* first dim last in memory */
      sel_tensor *t = NEW(contiguous, NEW(transpose, plain, 0, -1));
      return NEW(transpose, t, 0, -1);
    }
  }
}

START_TEST(matrices) {
  static const int64_t extents[][3] = {{2, 3, 4}, {1, 5, 1}, {1, 1, 1},   {7, 1, 5},
                                       {3, 9, 1}, {1, 6, 8}, {33, 65, 17}};
  for (int d = 0; d < 4; d++)
    for (size_t e = 0; e < sizeof extents / sizeof *extents; e++) {
      int64_t n = extents[e][0], k = extents[e][1], m = extents[e][2];
      if (n > 30 && d > 0) continue;
      sel_tensor *a = some_tensor(float_dtypes[d], -1, 1, 1, SHAPE(n, k));
      sel_tensor *b = some_tensor(float_dtypes[d], -1, 1, 2, SHAPE(k, m));
      char shape[64];
      snprintf(shape, sizeof shape, "[%d, %d]", (int)n, (int)m);
      for (int i = 0; i < LAYOUTS; i++)
        for (int j = 0; j < LAYOUTS; j++) CHECK_PRODUCT(laid_out(a, i), laid_out(b, j), shape);
    }
}
END_TEST

/* One row, or column, many times: extents too large for a kernel that takes any stride. */
START_TEST(repeated_rows) {
  sel_tensor *row = some_tensor(SEL_F32, -1, 1, 1, SHAPE(1, 90));
  sel_tensor *column = some_tensor(SEL_F32, -1, 1, 2, SHAPE(90, 1));
  sel_tensor *rows = NEW(expand, row, SHAPE(70, 90)), *columns = NEW(expand, column, SHAPE(90, 80));
  CHECK_PRODUCT(rows, columns, "[70, 80]");
  CHECK_PRODUCT(NEW(transpose, columns, 0, 1), NEW(transpose, rows, 0, 1), "[80, 70]");
}
END_TEST

START_TEST(batches) {
  for (int d = 0; d < 4; d++) {
    sel_dtype dtype = float_dtypes[d];
    sel_tensor *a = some_tensor(dtype, -1, 1, 1, SHAPE(2, 3, 4, 5));
    sel_tensor *b = some_tensor(dtype, -1, 1, 2, SHAPE(2, 3, 5, 2));
    for (int i = 0; i < LAYOUTS; i++)
      for (int j = 0; j < LAYOUTS; j++)
        CHECK_PRODUCT(laid_out(a, i), laid_out(b, j), "[2, 3, 4, 2]");

    sel_tensor *matrix = some_tensor(dtype, -1, 1, 3, SHAPE(5, 3));
    sel_tensor *column = some_tensor(dtype, -1, 1, 4, SHAPE(3, 5, 2));
    sel_tensor *row = some_tensor(dtype, -1, 1, 5, SHAPE(2, 1, 4, 5));
    sel_tensor *left = some_tensor(dtype, -1, 1, 6, SHAPE(7, 5));
    for (int i = 0; i < LAYOUTS; i++) {
      CHECK_PRODUCT(laid_out(a, i), matrix, "[2, 3, 4, 3]");
      CHECK_PRODUCT(laid_out(a, i), column, "[2, 3, 4, 2]");
      CHECK_PRODUCT(row, laid_out(column, i), "[2, 3, 4, 2]");
      CHECK_PRODUCT(left, laid_out(b, i), "[2, 3, 7, 2]");
    }
    CHECK_PRODUCT(NEW(expand, row, SHAPE(2, 3, 4, 5)), b, "[2, 3, 4, 2]");
    CHECK_PRODUCT(a, NEW(expand, matrix, SHAPE(2, 3, 5, 3)), "[2, 3, 4, 3]");
    /* heads of an attention: batch dims that don't merge */
    sel_tensor *heads = NEW(transpose, some_tensor(dtype, -1, 1, 7, SHAPE(2, 6, 3, 5)), 1, 2);
    CHECK_PRODUCT(heads, NEW(transpose, heads, -1, -2), "[2, 3, 6, 6]");
    /* one row a batch entry: rows of one tall product */
    CHECK_PRODUCT(some_tensor(dtype, -1, 1, 8, SHAPE(6, 1, 5)), matrix, "[6, 1, 3]");
    CHECK_PRODUCT(some_tensor(dtype, -1, 1, 8, SHAPE(1, 1, 1, 4, 5)), column, "[1, 1, 3, 4, 2]");
    /* rows that go on at no one distance, and one row an entry far from the next */
    sel_tensor *wide = some_tensor(dtype, -1, 1, 9, SHAPE(3, 6, 5));
    CHECK_PRODUCT(NEW(narrow, wide, 1, 1, 4), matrix, "[3, 4, 3]");
    CHECK_PRODUCT(NEW(narrow, wide, 1, 2, 1), matrix, "[3, 1, 3]");
  }
}
END_TEST

START_TEST(vectors) {
  sel_tensor *v = TENSOR(SEL_F32, SHAPE(3), 1, 2, 3), *w = TENSOR(SEL_F32, SHAPE(3), 4, 5, 6);
  sel_tensor *m = sequence(SEL_F32, 0, 1, SHAPE(2, 3));
  ASSERT_TENSOR(NEW(matmul, v, w), "f32[]", 32);
  ASSERT_TENSOR(NEW(matmul, m, v), "f32[2]", 8, 26);
  ASSERT_TENSOR(NEW(matmul, v, NEW(transpose, m, 0, 1)), "f32[2]", 8, 26);
  sel_tensor *batch = sequence(SEL_F32, 0, 1, SHAPE(2, 2, 3));
  ASSERT_TENSOR(NEW(matmul, batch, v), "f32[2, 2]", 8, 26, 44, 62);
  ASSERT_TENSOR(NEW(matmul, v, NEW(transpose, batch, 1, 2)), "f32[2, 2]", 8, 26, 44, 62);
  sel_tensor *wide = sequence(SEL_F32, 0, 1, SHAPE(6));
  ASSERT_TENSOR(NEW(matmul, m, NEW(slice, wide, 0, 0, 6, 2)), "f32[2]", 10, 28);
  ASSERT_TENSOR(NEW(matmul, NEW(expand, TENSOR(SEL_F32, SHAPE(1), 2), SHAPE(3)), v), "f32[]", 12);
}
END_TEST

START_TEST(nothing_to_multiply) {
  sel_tensor *a = NEW(ones, SHAPE(2, 0), SEL_F32, NULL), *b = NEW(ones, SHAPE(0, 3), SEL_F32, NULL);
  ASSERT_TENSOR(NEW(matmul, a, b), "f32[2, 3]", 0, 0, 0, 0, 0, 0);
  ck_assert_int_eq(sel_numel(NEW(matmul, b, NEW(ones, SHAPE(3, 2), SEL_F32, NULL))), 0);
  ck_assert_int_eq(sel_size(NEW(matmul, NEW(ones, SHAPE(0, 2, 3), SEL_F64, NULL),
                                NEW(ones, SHAPE(3, 4), SEL_F64, NULL)),
                            2),
                   4);
  ASSERT_TENSOR(NEW(matmul, NEW(ones, SHAPE(0), SEL_F32, NULL), NEW(ones, SHAPE(0), SEL_F32, NULL)),
                "f32[]", 0);
  sel_tensor *bias = TENSOR(SEL_F32, SHAPE(2), 3, 4);
  ASSERT_TENSOR(NEW(linear, a, NEW(ones, SHAPE(2, 0), SEL_F32, NULL), bias), "f32[2, 2]", 3, 4, 3,
                4);
  sel_tensor *none = NEW(linear, NEW(ones, SHAPE(0, 3), SEL_F32, NULL),
                         NEW(ones, SHAPE(2, 3), SEL_F32, NULL), bias);
  ck_assert_int_eq(sel_size(none, 0), 0);
  ck_assert_int_eq(sel_size(none, 1), 2);

  /* and backward: gradients of nothing are zero */
  leaf(a);
  leaf(b);
  sel_tensor *sum = NEW(sum, NEW(matmul, a, b), 0, NULL, false);
  ASSERT_OK(sel_backward(1, &sum, NULL, false, false));
  ck_assert_int_eq(sel_numel(sel_grad_of(a)), 0);
  sel_tensor *x = leaf(NEW(ones, SHAPE(0, 3), SEL_F32, NULL)),
             *w = leaf(NEW(ones, SHAPE(2, 3), SEL_F32, NULL));
  leaf(bias);
  sum = NEW(sum, NEW(linear, x, w, bias), 0, NULL, false);
  ASSERT_OK(sel_backward(1, &sum, NULL, false, false));
  ASSERT_TENSOR(sel_grad_of(w), "f32[2, 3]", 0, 0, 0, 0, 0, 0);
  ASSERT_TENSOR(sel_grad_of(bias), "f32[2]", 0, 0);
}
END_TEST

/* ---- linear ---- */

static void check_linear(sel_tensor *x, sel_tensor *w, sel_tensor *bias) {
  sel_tensor *out = NEW(linear, x, w, bias), *rows = NEW(unsqueeze, x, 0);
  sel_tensor *product = NEW(matmul, rows, NEW(transpose, NEW(contiguous, w), 0, 1));
  product = NEW(squeeze, product, 0);
  if (bias) product = NEW(add, product, bias);
  ck_assert_int_eq(sel_numel(out), sel_numel(product));
  double tolerance = tolerance_of(sel_tensor_dtype(x));
  for (int64_t i = 0; i < sel_numel(out); i++)
    ck_assert_msg(near(element_of(out, i), element_of(product, i), tolerance),
                  "element %d: expected %g, got %g", (int)i, element_of(product, i),
                  element_of(out, i));
}

START_TEST(linear) {
  for (int d = 0; d < 4; d++) {
    sel_dtype dtype = float_dtypes[d];
    sel_tensor *w = some_tensor(dtype, -1, 1, 1, SHAPE(3, 4));
    sel_tensor *bias = some_tensor(dtype, -1, 1, 2, SHAPE(3));
    sel_tensor *strided = NEW(slice, some_tensor(dtype, -1, 1, 2, SHAPE(6)), 0, 0, 6, 2);
    sel_tensor *vector = some_tensor(dtype, -1, 1, 3, SHAPE(4));
    sel_tensor *batch = some_tensor(dtype, -1, 1, 4, SHAPE(2, 5, 2, 4));
    for (int i = 0; i < LAYOUTS; i++) {
      check_linear(laid_out(some_tensor(dtype, -1, 1, 4, SHAPE(5, 4)), i), w, bias);
      check_linear(laid_out(batch, i), w, i % 2 ? bias : NULL);
      check_linear(batch, laid_out(w, i), strided);
    }
    check_linear(vector, w, bias);
    check_linear(NEW(slice, some_tensor(dtype, -1, 1, 3, SHAPE(8)), 0, 1, 8, 2), w, NULL);
    check_linear(NEW(expand, vector, SHAPE(5, 4)), w, bias);
  }
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(1, 2), 1, 2), *w = TENSOR(SEL_F32, SHAPE(2, 2), 1, 2, 3, 4);
  ASSERT_TENSOR(NEW(linear, x, w, TENSOR(SEL_F32, SHAPE(2), 10, 20)), "f32[1, 2]", 15, 31);
}
END_TEST

START_TEST(bilinear) {
  sel_tensor *a = some_tensor(SEL_F64, -1, 1, 1, SHAPE(2, 3, 4));
  sel_tensor *b = some_tensor(SEL_F64, -1, 1, 2, SHAPE(2, 3, 5));
  sel_tensor *w = some_tensor(SEL_F64, -1, 1, 3, SHAPE(6, 4, 5));
  sel_tensor *bias = some_tensor(SEL_F64, -1, 1, 4, SHAPE(6));
  sel_tensor *out = NEW(bilinear, a, b, w, bias), *bare = NEW(bilinear, a, b, w, NULL);
  sel_tensor *strided = NEW(bilinear, laid_out(a, 3), laid_out(b, 1), laid_out(w, 4), bias);
  char text[64];
  ck_assert_str_eq(sel_describe(out, text, sizeof text), "f64[2, 3, 6]");
  for (int64_t n = 0; n < 6; n++)
    for (int64_t o = 0; o < 6; o++) {
      double sum = 0;
      for (int64_t i = 0; i < 4; i++)
        for (int64_t j = 0; j < 5; j++)
          sum += element_of(a, n * 4 + i) * element_of(w, (o * 4 + i) * 5 + j) *
                 element_of(b, n * 5 + j);
      ck_assert(near(element_of(bare, n * 6 + o), sum, 1e-13));
      ck_assert(near(element_of(out, n * 6 + o), sum + element_of(bias, o), 1e-13));
      ck_assert(near(element_of(strided, n * 6 + o), sum + element_of(bias, o), 1e-13));
    }
  sel_tensor *one =
      NEW(bilinear, NEW(ones, SHAPE(2), SEL_F32, NULL), NEW(ones, SHAPE(3), SEL_F32, NULL),
          NEW(ones, SHAPE(1, 2, 3), SEL_F32, NULL), NULL);
  ASSERT_TENSOR(one, "f32[1]", 6);
}
END_TEST

/* ---- gradients ---- */

static sel_tensor *product(sel_tensor *const *in) { return NEW(matmul, in[0], in[1]); }
static sel_tensor *product_of_views(sel_tensor *const *in) {
  return NEW(matmul, NEW(transpose, in[0], 0, 1), NEW(transpose, in[1], 0, 1));
}
static sel_tensor *square_of(sel_tensor *const *in) { return NEW(matmul, in[0], in[0]); }
static sel_tensor *with_bias(sel_tensor *const *in) { return NEW(linear, in[0], in[1], in[2]); }
static sel_tensor *without_bias(sel_tensor *const *in) { return NEW(linear, in[0], in[1], NULL); }
static sel_tensor *both_sides(sel_tensor *const *in) {
  return NEW(bilinear, in[0], in[1], in[2], in[3]);
}

static sel_tensor *vary(uint64_t seed, int ndim, const int64_t *shape) {
  return some_tensor(SEL_F64, -1, 1, seed, ndim, shape);
}

START_TEST(gradients_of_products) {
  CHECK_GRADIENTS(product, vary(1, SHAPE(2, 3)), vary(2, SHAPE(3, 4)));
  CHECK_GRADIENTS(product_of_views, vary(1, SHAPE(3, 2)), vary(2, SHAPE(4, 3)));
  CHECK_GRADIENTS(square_of, vary(1, SHAPE(3, 3)));
  CHECK_GRADIENTS(product, vary(1, SHAPE(3)), vary(2, SHAPE(3)));
  CHECK_GRADIENTS(product, vary(1, SHAPE(3)), vary(2, SHAPE(2, 3, 2)));
  CHECK_GRADIENTS(product, vary(1, SHAPE(2, 2, 3)), vary(2, SHAPE(3)));
  CHECK_GRADIENTS(product, vary(1, SHAPE(2, 2, 3)), vary(2, SHAPE(2, 3, 2)));
  CHECK_GRADIENTS(product, vary(1, SHAPE(2, 2, 3)), vary(2, SHAPE(3, 2))); /* shared weight */
  CHECK_GRADIENTS(product, vary(1, SHAPE(2, 2, 3)), vary(2, SHAPE(1, 3, 2)));
  CHECK_GRADIENTS(product, vary(1, SHAPE(2, 3)), vary(2, SHAPE(1, 1, 3, 2)));
  CHECK_GRADIENTS(product, vary(1, SHAPE(2, 3)), vary(2, SHAPE(2, 3, 2)));
  CHECK_GRADIENTS(product, vary(1, SHAPE(2, 1, 2, 2)), vary(2, SHAPE(3, 2, 2)));
}
END_TEST

START_TEST(gradients_of_layers) {
  CHECK_GRADIENTS(with_bias, vary(1, SHAPE(3, 2)), vary(2, SHAPE(4, 2)), vary(3, SHAPE(4)));
  CHECK_GRADIENTS(with_bias, vary(1, SHAPE(2, 2, 3)), vary(2, SHAPE(2, 3)), vary(3, SHAPE(2)));
  CHECK_GRADIENTS(with_bias, vary(1, SHAPE(3)), vary(2, SHAPE(2, 3)), vary(3, SHAPE(2)));
  CHECK_GRADIENTS(without_bias, vary(1, SHAPE(1, 3)), vary(2, SHAPE(2, 3)));
  CHECK_GRADIENTS(both_sides, vary(1, SHAPE(2, 3)), vary(2, SHAPE(2, 2)), vary(3, SHAPE(2, 3, 2)),
                  vary(4, SHAPE(2)));
}
END_TEST

START_TEST(gradients_on_request) {
  sel_tensor *x = some_tensor(SEL_F32, -1, 1, 1, SHAPE(2, 3));
  sel_tensor *w = leaf(some_tensor(SEL_F32, -1, 1, 2, SHAPE(4, 3)));
  sel_tensor *sum = NEW(sum, NEW(linear, x, w, NULL), 0, NULL, false);
  ASSERT_OK(sel_backward(1, &sum, NULL, false, false));
  ck_assert_ptr_null(sel_grad_of(x));
  for (int64_t i = 0; i < 12; i++)
    ck_assert(
        near(element_of(sel_grad_of(w), i), element_of(x, i % 3) + element_of(x, 3 + i % 3), 1e-6));
}
END_TEST

/* ---- what it costs ---- */

/* Bytes of tensors that a @ b makes, besides the result's. */
static double bytes_beside(sel_tensor *a, sel_tensor *b, sel_tensor *result) {
  double before = sel_allocated_bytes();
  sel_tensor *out = NEW(matmul, a, b);
  double used = sel_allocated_bytes() - before;
  before = sel_allocated_bytes();
  NEW(empty_like, result ? result : out);
  return used - (sel_allocated_bytes() - before);
}

START_TEST(views_are_not_copied) {
  sel_tensor *a = some_tensor(SEL_F32, -1, 1, 1, SHAPE(64, 32));
  sel_tensor *b = some_tensor(SEL_F32, -1, 1, 2, SHAPE(64, 32));
  ck_assert_double_eq(bytes_beside(a, NEW(transpose, b, 0, 1), NULL), 0);
  ck_assert_double_eq(bytes_beside(NEW(transpose, a, 0, 1), b, NULL), 0);
  ck_assert_double_eq(
      bytes_beside(NEW(narrow, a, 1, 4, 8), NEW(transpose, NEW(narrow, b, 1, 8, 8), 0, 1), NULL),
      0);
  sel_tensor *heads = NEW(transpose, some_tensor(SEL_F32, -1, 1, 3, SHAPE(2, 16, 4, 8)), 1, 2);
  ck_assert_double_eq(bytes_beside(heads, NEW(transpose, heads, -1, -2), NULL), 0);
  ck_assert_double_gt(bytes_beside(NEW(slice, a, 1, 0, 32, 2), NEW(narrow, b, 0, 0, 16), NULL), 0);
}
END_TEST

START_TEST(kernel_calls) {
  sel_device *device = counting_device();
  sel_tensor *x = numbers(device, SHAPE(2, 3, 4, 5)), *w = numbers(device, SHAPE(5, 6));
  NEW(matmul, x, w); /* a shared matrix: one tall product */
  ck_assert_int_eq(gemm_calls, 1);
  ck_assert_int_eq(last_gemm.m, 24);
  ck_assert_int_eq(last_gemm.batch, 1);

  counting_device();
  NEW(matmul, x, numbers(device, SHAPE(2, 3, 5, 2))); /* batch dims that merge: one call */
  ck_assert_int_eq(gemm_calls, 1);
  ck_assert_int_eq(last_gemm.batch, 6);

  counting_device();
  sel_tensor *heads = NEW(transpose, x, 1, 2);
  NEW(matmul, heads, NEW(transpose, heads, -1, -2)); /* one call for each of the outer dim */
  ck_assert_int_eq(gemm_calls, 2);
  ck_assert_int_eq(last_gemm.batch, 4);
  ck_assert(last_gemm.transpose_b);

  counting_device();
  sel_tensor *weight = leaf(numbers(device, SHAPE(6, 5))), *bias = leaf(numbers(device, SHAPE(6)));
  leaf(x);
  sel_tensor *y = NEW(linear, x, weight, bias);
  ck_assert_int_eq(gemm_calls, 1);
  ck_assert_ptr_nonnull(last_gemm.bias.data);
  sel_tensor *sum = NEW(sum, NEW(square, y), 0, NULL, false);
  ASSERT_OK(sel_backward(1, &sum, NULL, false, false));
  ck_assert_int_eq(gemm_calls, 3);

  counting_device();
  sel_tensor *shared = leaf(numbers(device, SHAPE(5, 6)));
  sum = NEW(sum, NEW(square, NEW(matmul, x, shared)), 0, NULL, false);
  ASSERT_OK(sel_backward(1, &sum, NULL, false, false));
  ck_assert_int_eq(gemm_calls, 3);
  ck_assert_int_eq(last_gemm.batch, 1);
  ck_assert_int_eq(last_gemm.k, 24);
}
END_TEST

/* ---- refusals ---- */

START_TEST(refused_products) {
  sel_tensor *out = NULL, *a = NEW(ones, SHAPE(2, 3), SEL_F32, NULL);
  sel_tensor *ids = NEW(ones, SHAPE(3, 2), SEL_I64, NULL), *number = NEW(scalar, 2);
  ASSERT_FAILS(SEL_E_SHAPE, sel_matmul(a, a, &out), "matmul", "f32[2, 3]", "3 columns meet 2 rows");
  ASSERT_FAILS(SEL_E_SHAPE, sel_matmul(a, NEW(ones, SHAPE(2), SEL_F32, NULL), &out), "matmul",
               "f32[2, 3] and f32[2]", "3 columns meet 2 rows");
  ASSERT_FAILS(SEL_E_SHAPE, sel_matmul(a, NEW(ones, SHAPE(), SEL_F32, NULL), &out), "matmul",
               "at least 1 dimension", "f32[]");
  ASSERT_FAILS(SEL_E_SHAPE,
               sel_matmul(NEW(ones, SHAPE(2, 2, 3), SEL_F32, NULL),
                          NEW(ones, SHAPE(3, 3, 2), SEL_F32, NULL), &out),
               "matmul", "broadcast", "[2]", "[3]");
  ASSERT_FAILS(SEL_E_DTYPE, sel_matmul(ids, ids, &out), "matmul", "float", "i64", "to(");
  ASSERT_FAILS(SEL_E_DTYPE, sel_matmul(a, NEW(ones, SHAPE(3, 2), SEL_F64, NULL), &out), "matmul",
               "f32", "f64");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_matmul(a, number, &out), "matmul", "the number 2");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_matmul(NULL, a, &out), "matmul", "NULL");
  sel_device *device = counting_device();
  ASSERT_FAILS(SEL_E_DEVICE, sel_matmul(a, numbers(device, SHAPE(3, 2)), &out), "matmul", "cpu",
               "counting");

  sel_tensor *w = NEW(ones, SHAPE(4, 3), SEL_F32, NULL);
  ASSERT_FAILS(SEL_E_SHAPE, sel_linear(NEW(ones, SHAPE(2, 5), SEL_F32, NULL), w, NULL, &out),
               "linear", "[..., 3]", "f32[4, 3]", "f32[2, 5]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_linear(a, NEW(ones, SHAPE(3), SEL_F32, NULL), NULL, &out), "linear",
               "[out, in]", "f32[3]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_linear(a, w, NEW(ones, SHAPE(3), SEL_F32, NULL), &out), "linear",
               "bias [4]", "f32[3]");
  ASSERT_FAILS(SEL_E_DTYPE, sel_linear(a, w, NEW(ones, SHAPE(4), SEL_F64, NULL), &out), "linear",
               "f32", "f64");
  ASSERT_FAILS(SEL_E_SHAPE, sel_linear(NEW(ones, SHAPE(), SEL_F32, NULL), w, NULL, &out), "linear",
               "f32[]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_linear(a, NULL, NULL, &out), "linear", "NULL");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_linear(a, number, NULL, &out), "linear", "the number 2");

  ASSERT_FAILS(SEL_E_SHAPE, sel_bilinear(a, a, w, NULL, &out), "bilinear", "[out, in_a, in_b]");
  ASSERT_FAILS(SEL_E_SHAPE,
               sel_bilinear(a, a, NEW(ones, SHAPE(2, 3, 4), SEL_F32, NULL), NULL, &out), "bilinear",
               "[..., 3] and [..., 4]", "f32[2, 3]");
  ASSERT_FAILS(SEL_E_SHAPE,
               sel_bilinear(a, a, NEW(ones, SHAPE(2, 3, 3), SEL_F32, NULL),
                            NEW(ones, SHAPE(3), SEL_F32, NULL), &out),
               "bilinear", "bias [2]");
  ck_assert_ptr_null(out);
}
END_TEST

/* ---- no memory ---- */

static sel_status layers_and_back(void *context) {
  sel_tensor **in = context, *y = NULL, *z = NULL, *grads[3] = {NULL};
  sel_status status = sel_linear(in[0], in[1], in[2], &y);
  if (status == SEL_OK) status = sel_matmul(y, in[3], &z);
  sel_tensor *ones = NULL;
  if (status == SEL_OK) status = sel_ones(sel_ndim(z), sel_shape(z), SEL_F16, NULL, &ones);
  if (status == SEL_OK) status = sel_grad(1, &z, &ones, 3, in, false, true, false, grads);
  for (int i = 0; i < 3; i++) sel_release(grads[i]);
  sel_release(ones);
  sel_release(z);
  sel_release(y);
  return status;
}

START_TEST(without_memory) {
  sel_tensor *in[] = {leaf(some_tensor(SEL_F16, -1, 1, 1, SHAPE(2, 3, 4))),
                      leaf(NEW(transpose, some_tensor(SEL_F16, -1, 1, 2, SHAPE(4, 5)), 0, 1)),
                      leaf(some_tensor(SEL_F16, -1, 1, 3, SHAPE(5))),
                      some_tensor(SEL_F16, -1, 1, 4, SHAPE(5))};
  expect_memory_errors(layers_and_back, in);
}
END_TEST

TENSOR_SUITE("matmul", matrices, repeated_rows, batches, vectors, nothing_to_multiply, linear,
             bilinear, gradients_of_products, gradients_of_layers, gradients_on_request,
             views_are_not_copied, kernel_calls, refused_products, without_memory)
