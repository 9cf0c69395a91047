/* sort, argsort, topk. */
#include "tensors.h"

typedef struct ordered {
  sel_tensor *values, *indices;
} ordered;

static ordered sorted(sel_tensor *x, int dim, bool descending) {
  ordered o = {NULL, NULL};
  ASSERT_OK(sel_sort(x, dim, descending, &o.values, &o.indices));
  keep(o.values);
  keep(o.indices);
  return o;
}

static ordered top(sel_tensor *x, int64_t k, int dim, bool largest) {
  ordered o = {NULL, NULL};
  ASSERT_OK(sel_topk(x, k, dim, largest, &o.values, &o.indices));
  keep(o.values);
  keep(o.indices);
  return o;
}

START_TEST(sorts) {
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(2, 3), 3, 1, 2, 4, 6, 5);
  ordered o = sorted(x, 1, false);
  ASSERT_TENSOR(o.values, "f32[2, 3]", 1, 2, 3, 4, 5, 6);
  ASSERT_TENSOR(o.indices, "i64[2, 3]", 1, 2, 0, 0, 2, 1);
  o = sorted(x, -1, true);
  ASSERT_TENSOR(o.values, "f32[2, 3]", 3, 2, 1, 6, 5, 4);
  ASSERT_TENSOR(o.indices, "i64[2, 3]", 0, 2, 1, 1, 2, 0);
  o = sorted(x, 0, true);
  ASSERT_TENSOR(o.values, "f32[2, 3]", 4, 6, 5, 3, 1, 2);
  ASSERT_TENSOR(o.indices, "i64[2, 3]", 1, 1, 1, 0, 0, 0);
  ASSERT_TENSOR(NEW(argsort, x, 1, false), "i64[2, 3]", 1, 2, 0, 0, 2, 1);
}
END_TEST

START_TEST(sorts_views) {
  sel_tensor *t = NEW(transpose, TENSOR(SEL_I32, SHAPE(3, 2), 3, 4, 1, 6, 2, 5), 0, 1);
  ordered o = sorted(t, 1, false);
  ASSERT_TENSOR(o.values, "i32[2, 3]", 1, 2, 3, 4, 5, 6);
  o = sorted(t, 0, true);
  ASSERT_TENSOR(o.values, "i32[2, 3]", 4, 6, 5, 3, 1, 2);
  sel_tensor *cube = TENSOR(SEL_F32, SHAPE(2, 2, 2), 8, 1, 3, 6, 4, 7, 2, 5);
  o = sorted(cube, 1, false);
  ASSERT_TENSOR(o.values, "f32[2, 2, 2]", 3, 1, 8, 6, 2, 5, 4, 7);
  ASSERT_TENSOR(o.indices, "i64[2, 2, 2]", 1, 0, 0, 1, 1, 1, 0, 0);
  o = sorted(NEW(slice, TENSOR(SEL_F64, SHAPE(5), 5, 0, 3, 0, 4), 0, 0, 5, 2), 0, false);
  ASSERT_TENSOR(o.values, "f64[3]", 3, 4, 5);
  o = sorted(NEW(expand, TENSOR(SEL_F32, SHAPE(1), 2), SHAPE(3)), 0, true);
  ASSERT_TENSOR(o.indices, "i64[3]", 0, 1, 2);
}
END_TEST

START_TEST(ties_keep_their_order) {
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(5), 1, 0, 1, -0.0, 1);
  ASSERT_TENSOR(NEW(argsort, x, 0, false), "i64[5]", 1, 3, 0, 2, 4);
  ASSERT_TENSOR(NEW(argsort, x, 0, true), "i64[5]", 0, 2, 4, 1, 3);
  ASSERT_TENSOR(top(x, 2, 0, true).indices, "i64[2]", 0, 2);
}
END_TEST

START_TEST(nan_is_largest) {
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(4), NAN, -INFINITY, INFINITY, 0);
  ordered o = sorted(x, 0, false);
  ASSERT_TENSOR(o.values, "f32[4]", -INFINITY, 0, INFINITY, NAN);
  ASSERT_TENSOR(top(x, 1, 0, true).values, "f32[1]", NAN);
  ASSERT_TENSOR(top(x, 1, 0, false).values, "f32[1]", -INFINITY);
}
END_TEST

START_TEST(sorts_every_dtype) {
  for (int dtype = 0; dtype < SEL_DTYPE_COUNT; dtype++) {
    sel_tensor *x = TENSOR((sel_dtype)dtype, SHAPE(3), 1, 0, 1);
    char text[32];
    snprintf(text, sizeof text, "%s[3]", sel_dtype_name((sel_dtype)dtype));
    ordered o = sorted(x, 0, false);
    ASSERT_TENSOR(o.values, text, 0, 1, 1);
    ASSERT_TENSOR(o.indices, "i64[3]", 1, 0, 2);
  }
}
END_TEST

START_TEST(sorts_long_rows) {
  enum { N = 1000 };
  sel_tensor *x = some_tensor(SEL_F32, -5, 5, 3, SHAPE(N, 2));
  ordered o = sorted(x, 0, false);
  ASSERT_SAME(o.values, NEW(gather, x, 0, o.indices));
  for (int64_t i = 2; i < 2 * N; i++)
    ck_assert(element_of(o.values, i - 2) <= element_of(o.values, i));
  ASSERT_SAME(top(x, 17, 0, false).values, NEW(narrow, o.values, 0, 0, 17));
}
END_TEST

START_TEST(takes_the_top) {
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(2, 4), 3, 1, 4, 2, 5, 8, 6, 7);
  ordered o = top(x, 2, 1, true);
  ASSERT_TENSOR(o.values, "f32[2, 2]", 4, 3, 8, 7);
  ASSERT_TENSOR(o.indices, "i64[2, 2]", 2, 0, 1, 3);
  o = top(x, 1, 0, false);
  ASSERT_TENSOR(o.values, "f32[1, 4]", 3, 1, 4, 2);
  ASSERT_TENSOR(o.indices, "i64[1, 4]", 0, 0, 0, 0);
  o = top(x, 0, -1, true);
  ASSERT_TENSOR(o.values, "f32[2, 0]", );
  ASSERT_TENSOR(top(x, 4, 1, false).values, "f32[2, 4]", 1, 2, 3, 4, 5, 6, 7, 8);
}
END_TEST

START_TEST(without_elements_or_dims) {
  ordered o = sorted(NEW(zeros, SHAPE(0), SEL_F32, NULL), 0, false);
  ASSERT_TENSOR(o.values, "f32[0]", );
  ASSERT_TENSOR(o.indices, "i64[0]", );
  o = sorted(NEW(zeros, SHAPE(0, 3), SEL_F32, NULL), 1, false);
  ASSERT_TENSOR(o.values, "f32[0, 3]", );
  o = sorted(TENSOR(SEL_F32, SHAPE(), 4), 0, true);
  ASSERT_TENSOR(o.values, "f32[]", 4);
  ASSERT_TENSOR(o.indices, "i64[]", 0);
  ASSERT_TENSOR(top(TENSOR(SEL_F32, SHAPE(), 4), 1, -1, true).values, "f32[]", 4);
}
END_TEST

START_TEST(order_refuses) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3)), *values = NULL, *indices = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_sort(x, 2, false, &values, &indices), "sort", "dim 2");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_argsort(NULL, 0, false, &indices), "argsort", "NULL");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_topk(x, 4, 1, true, &values, &indices), "topk", "0 to 3",
               "f32[2, 3]", "got 4");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_topk(x, -1, 1, true, &values, &indices), "got -1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_topk(NEW(scalar, 2), 1, 0, true, &values, &indices),
               "the number");
  ck_assert(!values && !indices);
}
END_TEST

static sel_status all_of_them(void *x) {
  sel_tensor *out[5] = {NULL};
  sel_status status = sel_sort(x, 0, false, &out[0], &out[1]);
  if (!status) status = sel_topk(x, 1, 0, true, &out[2], &out[3]);
  if (!status) status = sel_argsort(x, 1, false, &out[4]);
  for (int i = 0; i < 5; i++) sel_release(out[i]);
  return status;
}

START_TEST(memory_errors) {
  expect_memory_errors(all_of_them, some_tensor(SEL_F32, 0, 1, 1, SHAPE(3, 2)));
}
END_TEST

TENSOR_SUITE("core: order", sorts, sorts_views, ties_keep_their_order, nan_is_largest,
             sorts_every_dtype, sorts_long_rows, takes_the_top, without_elements_or_dims,
             order_refuses, memory_errors)
