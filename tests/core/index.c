/* index_select, index_add, gather, scatter, scatter_add, embedding, one_hot, masked_fill,
 * masked_select, nonzero. */
#include "tensors.h"

#define INDEX(shape, ...) tensor_of(SEL_I64, shape, VALUES(__VA_ARGS__))

/* A 2 x 3 matrix 0...5 that is a transpose in memory. */
static sel_tensor *transposed(sel_dtype dtype) {
  return NEW(transpose, TENSOR(dtype, SHAPE(3, 2), 0, 3, 1, 4, 2, 5), 0, 1);
}

static sel_tensor *number(double value) { return NEW(scalar, value); }

/* ---- index_select, index_add ---- */

START_TEST(selects_rows_and_columns) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3));
  ASSERT_TENSOR(NEW(index_select, x, 0, INDEX(SHAPE(3), 1, 0, 1)), "f32[3, 3]", 3, 4, 5, 0, 1, 2, 3,
                4, 5);
  ASSERT_TENSOR(NEW(index_select, x, 1, INDEX(SHAPE(2), 2, 0)), "f32[2, 2]", 2, 0, 5, 3);
  ASSERT_TENSOR(NEW(index_select, x, -1, TENSOR(SEL_I32, SHAPE(1), 1)), "f32[2, 1]", 1, 4);
  ASSERT_TENSOR(NEW(index_select, transposed(SEL_F32), 1, INDEX(SHAPE(2), 2, 0)), "f32[2, 2]", 2, 0,
                5, 3);
  sel_tensor *cube = sequence(SEL_I32, 0, 1, SHAPE(2, 2, 2));
  ASSERT_TENSOR(NEW(index_select, cube, 1, INDEX(SHAPE(3), 1, 1, 0)), "i32[2, 3, 2]", 2, 3, 2, 3, 0,
                1, 6, 7, 6, 7, 4, 5);
}
END_TEST

START_TEST(selects_from_every_dtype) {
  for (int dtype = 0; dtype < SEL_DTYPE_COUNT; dtype++) {
    sel_tensor *x = TENSOR((sel_dtype)dtype, SHAPE(3), 0, 1, 1);
    char text[32];
    snprintf(text, sizeof text, "%s[3]", sel_dtype_name((sel_dtype)dtype));
    ASSERT_TENSOR(NEW(index_select, x, 0, INDEX(SHAPE(3), 2, 0, 1)), text, 1, 0, 1);
    sel_tensor *gathered = NEW(gather, x, 0, INDEX(SHAPE(3), 2, 0, 1));
    ASSERT_TENSOR(gathered, text, 1, 0, 1);
    ASSERT_TENSOR(NEW(scatter, x, 0, INDEX(SHAPE(2), 2, 0), NEW(narrow, x, 0, 0, 2)), text, 1, 1,
                  0);
  }
}
END_TEST

START_TEST(index_may_be_a_view) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(5));
  sel_tensor *wide = INDEX(SHAPE(3, 2), 4, 0, 2, 0, 1, 0);
  ASSERT_TENSOR(NEW(index_select, x, 0, NEW(select, wide, 1, 0)), "f32[3]", 4, 2, 1);
  ASSERT_TENSOR(NEW(index_select, NEW(slice, x, 0, 1, 5, 2), 0, INDEX(SHAPE(2), 1, 0)), "f32[2]", 3,
                1);
}
END_TEST

START_TEST(selecting_nothing) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3));
  ASSERT_TENSOR(NEW(index_select, x, 0, INDEX(SHAPE(0), )), "f32[0, 3]", );
  sel_tensor *hollow = NEW(zeros, SHAPE(2, 0), SEL_F32, NULL);
  ASSERT_TENSOR(NEW(index_select, hollow, 0, INDEX(SHAPE(3), 0, 1, 0)), "f32[3, 0]", );
  ASSERT_FAILS(SEL_E_ARGUMENT,
               sel_index_select(NEW(zeros, SHAPE(0, 2), SEL_F32, NULL), 0, INDEX(SHAPE(1), 0),
                                &(sel_tensor *){NULL}),
               "index_select", "0");
}
END_TEST

START_TEST(selecting_without_dims) {
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(), 7);
  ASSERT_TENSOR(NEW(index_select, x, 0, INDEX(SHAPE(1), 0)), "f32[]", 7);
  ASSERT_TENSOR(NEW(index_select, TENSOR(SEL_F32, SHAPE(2), 7, 8), 0, INDEX(SHAPE(), 1)), "f32[1]",
                8);
  ASSERT_TENSOR(NEW(index_add, x, 0, INDEX(SHAPE(1), 0), x), "f32[]", 14);
}
END_TEST

START_TEST(index_select_refuses) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3)), *out = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_index_select(x, 0, INDEX(SHAPE(2), 0, 2), &out), "index_select",
               "2", "[0, 2)");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_index_select(x, 0, INDEX(SHAPE(1), -1), &out), "-1");
  ASSERT_FAILS(SEL_E_DTYPE, sel_index_select(x, 0, x, &out), "index_select", "i64 or i32", "f32");
  ASSERT_FAILS(SEL_E_SHAPE, sel_index_select(x, 0, INDEX(SHAPE(1, 1), 0), &out), "i64[1, 1]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_index_select(x, 2, INDEX(SHAPE(1), 0), &out), "dim 2",
               "f32[2, 3]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_index_select(NULL, 0, x, &out), "input", "NULL");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_index_select(x, 0, NULL, &out), "index", "NULL");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_index_select(x, 0, number(1), &out), "index", "the number");
  ck_assert_ptr_null(out);
}
END_TEST

START_TEST(adds_rows) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(3, 2));
  sel_tensor *src = TENSOR(SEL_F32, SHAPE(3, 2), 10, 20, 30, 40, 50, 60);
  ASSERT_TENSOR(NEW(index_add, x, 0, INDEX(SHAPE(3), 2, 0, 2), src), "f32[3, 2]", 30, 41, 2, 3, 64,
                85);
  ASSERT_TENSOR(x, "f32[3, 2]", 0, 1, 2, 3, 4, 5);
  ASSERT_TENSOR(NEW(index_add, NEW(transpose, x, 0, 1), 1, INDEX(SHAPE(1), 1),
                    TENSOR(SEL_F32, SHAPE(2, 1), 100, 200)),
                "f32[2, 3]", 0, 102, 4, 1, 203, 5);
  ASSERT_TENSOR(NEW(index_add, x, 0, INDEX(SHAPE(0), ), NEW(narrow, src, 0, 0, 0)), "f32[3, 2]", 0,
                1, 2, 3, 4, 5);
  ASSERT_TENSOR(NEW(index_add, TENSOR(SEL_I64, SHAPE(2), 1, 2), 0, INDEX(SHAPE(2), 1, 1),
                    TENSOR(SEL_I64, SHAPE(2), 5, 6)),
                "i64[2]", 1, 13);
}
END_TEST

/* In f16 2048 + 1 is 2048: a sum taken there would stop. */
START_TEST(low_precision_adds_in_f32) {
  const int64_t n = 4096;
  sel_tensor *index = NEW(zeros, 1, &n, SEL_I64, NULL);
  for (int k = 0; k < 2; k++) {
    sel_dtype dtype = k ? SEL_BF16 : SEL_F16;
    sel_tensor *ones = NEW(ones, 1, &n, dtype, NULL), *zero = NEW(zeros, SHAPE(1), dtype, NULL);
    ck_assert_double_eq(item(NEW(index_add, zero, 0, index, ones)), 4096);
    ck_assert_double_eq(item(NEW(scatter_add, zero, 0, index, ones)), 4096);
  }
}
END_TEST

START_TEST(index_add_refuses) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(3, 2)), *out = NULL;
  sel_tensor *index = INDEX(SHAPE(2), 0, 1), *src = sequence(SEL_F32, 0, 1, SHAPE(2, 2));
  ASSERT_FAILS(SEL_E_SHAPE, sel_index_add(x, 1, index, src, &out), "index_add", "f32[2, 2]",
               "f32[3, 2]");
  ASSERT_FAILS(SEL_E_DTYPE, sel_index_add(x, 0, index, NEW(to, src, SEL_F64, NULL), &out), "f32",
               "f64");
  ASSERT_FAILS(
      SEL_E_DTYPE,
      sel_index_add(NEW(to, x, SEL_BOOL, NULL), 0, index, NEW(to, src, SEL_BOOL, NULL), &out),
      "bool");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_index_add(x, 0, INDEX(SHAPE(2), 0, 3), src, &out), "3");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_index_add(x, 0, index, number(1), &out), "source", "the number");
  ck_assert_ptr_null(out);
}
END_TEST

/* ---- gather, scatter ---- */

START_TEST(gathers) {
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(2, 2), 1, 2, 3, 4);
  ASSERT_TENSOR(NEW(gather, x, 1, INDEX(SHAPE(2, 2), 0, 0, 1, 0)), "f32[2, 2]", 1, 1, 4, 3);
  sel_tensor *y = sequence(SEL_F32, 0, 1, SHAPE(2, 3));
  /* longer along dim, shorter beside it */
  ASSERT_TENSOR(NEW(gather, y, 1, INDEX(SHAPE(1, 4), 2, 2, 0, 1)), "f32[1, 4]", 2, 2, 0, 1);
  ASSERT_TENSOR(NEW(gather, y, 0, INDEX(SHAPE(3, 2), 1, 0, 0, 1, 1, 1)), "f32[3, 2]", 3, 1, 0, 4, 3,
                4);
  ASSERT_TENSOR(NEW(gather, transposed(SEL_F64), -2, TENSOR(SEL_I32, SHAPE(1, 3), 1, 0, 1)),
                "f64[1, 3]", 3, 1, 5);
  ASSERT_TENSOR(NEW(gather, TENSOR(SEL_F32, SHAPE(), 4), 0, INDEX(SHAPE(), 0)), "f32[]", 4);
  ASSERT_TENSOR(NEW(gather, y, 1, INDEX(SHAPE(2, 0), )), "f32[2, 0]", );
}
END_TEST

START_TEST(gather_refuses) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3)), *out = NULL;
  ASSERT_FAILS(SEL_E_SHAPE, sel_gather(x, 1, INDEX(SHAPE(3), 0, 0, 0), &out), "gather", "i64[3]",
               "f32[2, 3]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_gather(x, 1, INDEX(SHAPE(3, 1), 0, 0, 0), &out), "i64[3, 1]",
               "dim 0");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_gather(x, 1, INDEX(SHAPE(1, 1), 3), &out), "gather", "3",
               "[0, 3)");
  ASSERT_FAILS(SEL_E_DTYPE, sel_gather(x, 1, x, &out), "i64 or i32");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_gather(number(1), 0, x, &out), "input", "the number");
  ck_assert_ptr_null(out);
}
END_TEST

START_TEST(scatters) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3));
  sel_tensor *index = INDEX(SHAPE(1, 4), 2, 0, 2, 1);
  sel_tensor *src = TENSOR(SEL_F32, SHAPE(2, 5), 10, 20, 30, 40, -1, -1, -1, -1, -1, -1);
  ASSERT_TENSOR(NEW(scatter, x, 1, index, src), "f32[2, 3]", 20, 40, 30, 3, 4, 5);
  ASSERT_TENSOR(NEW(scatter_add, x, 1, index, src), "f32[2, 3]", 20, 41, 42, 3, 4, 5);
  ASSERT_TENSOR(x, "f32[2, 3]", 0, 1, 2, 3, 4, 5);
  /* beside dim shorter than x, in its first columns only */
  sel_tensor *column = INDEX(SHAPE(2, 1), 1, 1);
  ASSERT_TENSOR(NEW(scatter, x, 0, column, src), "f32[2, 3]", 0, 1, 2, -1, 4, 5);
  ASSERT_TENSOR(NEW(scatter_add, x, 0, column, src), "f32[2, 3]", 0, 1, 2, 12, 4, 5);
  sel_tensor *same = NEW(expand, TENSOR(SEL_F32, SHAPE(1, 1), 9), SHAPE(2, 1));
  ASSERT_TENSOR(NEW(scatter, transposed(SEL_F32), 1, INDEX(SHAPE(2, 1), 0, 2), same), "f32[2, 3]",
                9, 1, 2, 3, 4, 9);
  ASSERT_TENSOR(NEW(scatter, x, 1, INDEX(SHAPE(2, 0), ), src), "f32[2, 3]", 0, 1, 2, 3, 4, 5);
  sel_tensor *zero_dim = TENSOR(SEL_F32, SHAPE(), 4);
  ASSERT_TENSOR(NEW(scatter_add, zero_dim, 0, INDEX(SHAPE(), 0), zero_dim), "f32[]", 8);
}
END_TEST

START_TEST(scatter_refuses) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3)), *out = NULL;
  sel_tensor *index = INDEX(SHAPE(2, 1), 0, 0);
  ASSERT_FAILS(SEL_E_SHAPE, sel_scatter(x, 1, index, NEW(narrow, x, 0, 0, 1), &out), "scatter",
               "f32[1, 3]", "i64[2, 1]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_scatter(x, 1, INDEX(SHAPE(3, 1), 0, 0, 0), x, &out), "dim 0");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_scatter_add(x, 0, INDEX(SHAPE(1, 1), 2), x, &out), "scatter_add",
               "2", "[0, 2)");
  ASSERT_FAILS(SEL_E_DTYPE, sel_scatter(x, 1, index, NEW(to, x, SEL_I64, NULL), &out), "f32",
               "i64");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_scatter(x, 1, index, NULL, &out), "source", "NULL");
  sel_tensor *flags = NEW(to, x, SEL_BOOL, NULL);
  ASSERT_FAILS(SEL_E_DTYPE, sel_scatter_add(flags, 1, index, flags, &out), "bool");
  ck_assert_ptr_null(out);
}
END_TEST

/* ---- embedding, one_hot ---- */

START_TEST(embeds) {
  sel_tensor *weight = sequence(SEL_F32, 0, 1, SHAPE(3, 2));
  ASSERT_TENSOR(NEW(embedding, weight, INDEX(SHAPE(2, 2), 2, 0, 1, 2)), "f32[2, 2, 2]", 4, 5, 0, 1,
                2, 3, 4, 5);
  ASSERT_TENSOR(NEW(embedding, weight, INDEX(SHAPE(), 1)), "f32[2]", 2, 3);
  ASSERT_TENSOR(NEW(embedding, weight, INDEX(SHAPE(0, 4), )), "f32[0, 4, 2]", );
  ASSERT_TENSOR(NEW(embedding, transposed(SEL_F32), TENSOR(SEL_I32, SHAPE(1), 1)), "f32[1, 3]", 3,
                4, 5);
  sel_tensor *out = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_embedding(weight, INDEX(SHAPE(1), 3), &out), "embedding", "3",
               "[0, 3)");
  ASSERT_FAILS(SEL_E_SHAPE, sel_embedding(NEW(select, weight, 0, 0), INDEX(SHAPE(1), 0), &out),
               "[rows, columns]", "f32[2]");
  ASSERT_FAILS(SEL_E_DTYPE, sel_embedding(weight, weight, &out), "embedding", "f32");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_embedding(NULL, weight, &out), "weight", "NULL");
}
END_TEST

START_TEST(one_hots) {
  ASSERT_TENSOR(NEW(one_hot, INDEX(SHAPE(3), 2, 0, 1), 3), "i64[3, 3]", 0, 0, 1, 1, 0, 0, 0, 1, 0);
  ASSERT_TENSOR(NEW(one_hot, INDEX(SHAPE(), 1), 4), "i64[4]", 0, 1, 0, 0);
  ASSERT_TENSOR(NEW(one_hot, NEW(transpose, INDEX(SHAPE(2, 1), 1, 0), 0, 1), 2), "i64[1, 2, 2]", 0,
                1, 1, 0);
  ASSERT_TENSOR(NEW(one_hot, INDEX(SHAPE(0), ), 4), "i64[0, 4]", );
  sel_tensor *out = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_one_hot(INDEX(SHAPE(2), 0, 5), 5, &out), "one_hot", "5");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_one_hot(INDEX(SHAPE(1), 0), 0, &out), "classes", "0");
  ASSERT_FAILS(SEL_E_DTYPE, sel_one_hot(TENSOR(SEL_F32, SHAPE(1), 0), 2, &out), "f32");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_one_hot(number(1), 2, &out), "the number");
}
END_TEST

/* ---- masks ---- */

START_TEST(fills_where_masked) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3));
  sel_tensor *mask = TENSOR(SEL_BOOL, SHAPE(3), 1, 0, 1);
  ASSERT_TENSOR(NEW(masked_fill, x, mask, -1), "f32[2, 3]", -1, 1, -1, -1, 4, -1);
  sel_tensor *rows = TENSOR(SEL_BOOL, SHAPE(2, 1), 0, 1);
  ASSERT_TENSOR(NEW(masked_fill, transposed(SEL_I64), rows, 7), "i64[2, 3]", 0, 1, 2, 7, 7, 7);
  ASSERT_TENSOR(NEW(masked_fill, NEW(narrow, x, 0, 0, 0), mask, 1), "f32[0, 3]", );
  ASSERT_TENSOR(NEW(masked_fill, TENSOR(SEL_F32, SHAPE(1), NAN), TENSOR(SEL_BOOL, SHAPE(1), 1), 0),
                "f32[1]", 0);
  sel_tensor *out = NULL;
  ASSERT_FAILS(SEL_E_DTYPE, sel_masked_fill(x, x, 0, &out), "masked_fill", "bool", "f32");
  ASSERT_FAILS(SEL_E_SHAPE, sel_masked_fill(x, TENSOR(SEL_BOOL, SHAPE(2), 0, 1), 0, &out),
               "masked_fill", "[2, 3]", "[2]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_masked_fill(x, NULL, 0, &out), "mask", "NULL");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_masked_fill(number(1), mask, 0, &out), "input", "the number");
}
END_TEST

START_TEST(selects_where_masked) {
  sel_tensor *x = transposed(SEL_F32);
  sel_tensor *mask = TENSOR(SEL_BOOL, SHAPE(2, 3), 0, 1, 0, 1, 0, 1);
  ASSERT_TENSOR(NEW(masked_select, x, mask), "f32[3]", 1, 3, 5);
  ASSERT_TENSOR(NEW(masked_select, x, TENSOR(SEL_BOOL, SHAPE(3), 0, 1, 0)), "f32[2]", 1, 4);
  ASSERT_TENSOR(NEW(masked_select, NEW(select, x, 0, 0), mask), "f32[3]", 1, 0, 2);
  ASSERT_TENSOR(NEW(masked_select, x, NEW(zeros, SHAPE(), SEL_BOOL, NULL)), "f32[0]", );
  ASSERT_TENSOR(NEW(masked_select, NEW(zeros, SHAPE(0, 3), SEL_I64, NULL), NEW(select, mask, 0, 0)),
                "i64[0]", );
  ASSERT_TENSOR(NEW(masked_select, TENSOR(SEL_F64, SHAPE(), 3), NEW(ones, SHAPE(), SEL_BOOL, NULL)),
                "f64[1]", 3);
  sel_tensor *out = NULL;
  ASSERT_FAILS(SEL_E_DTYPE, sel_masked_select(x, x, &out), "masked_select", "bool");
  ASSERT_FAILS(SEL_E_SHAPE, sel_masked_select(x, TENSOR(SEL_BOOL, SHAPE(2), 0, 1), &out),
               "masked_select");
}
END_TEST

START_TEST(finds_nonzero) {
  ASSERT_TENSOR(NEW(nonzero, TENSOR(SEL_F32, SHAPE(2, 3), 0, 2, 0, -1, 0, NAN)), "i64[3, 2]", 0, 1,
                1, 0, 1, 2);
  ASSERT_TENSOR(NEW(nonzero, transposed(SEL_I32)), "i64[5, 2]", 0, 1, 0, 2, 1, 0, 1, 1, 1, 2);
  ASSERT_TENSOR(NEW(nonzero, TENSOR(SEL_BOOL, SHAPE(3), 1, 0, 1)), "i64[2, 1]", 0, 2);
  ASSERT_TENSOR(NEW(nonzero, NEW(zeros, SHAPE(2, 2), SEL_F16, NULL)), "i64[0, 2]", );
  ASSERT_TENSOR(NEW(nonzero, NEW(ones, SHAPE(), SEL_F32, NULL)), "i64[1, 0]", );
  ASSERT_TENSOR(NEW(nonzero, NEW(ones, SHAPE(0, 2), SEL_F32, NULL)), "i64[0, 2]", );
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_nonzero(NULL, &(sel_tensor *){NULL}), "nonzero", "NULL");
}
END_TEST

/* ---- gradients: what gradients.c does not see ---- */

START_TEST(what_is_overwritten_gets_no_gradient) {
  sel_tensor *x = leaf(sequence(SEL_F32, 0, 1, SHAPE(3)));
  sel_tensor *src = leaf(TENSOR(SEL_F32, SHAPE(4), 10, 20, 30, 40));
  sel_tensor *y = NEW(scatter, x, 0, INDEX(SHAPE(3), 2, 0, 2), src);
  ASSERT_OK(
      sel_backward(1, &y, (sel_tensor *[]){TENSOR(SEL_F32, SHAPE(3), 5, 6, 7)}, false, false));
  ASSERT_TENSOR(sel_grad_of(x), "f32[3]", 0, 6, 0);
  ASSERT_TENSOR(sel_grad_of(src), "f32[4]", 0, 5, 7, 0);
}
END_TEST

/* The table's gradient comes in f16 as well, and is summed in f32. */
START_TEST(embedding_gradient_in_f16) {
  const int64_t n = 4096;
  sel_tensor *weight = leaf(NEW(zeros, SHAPE(2, 1), SEL_F16, NULL));
  sel_tensor *y = NEW(embedding, weight, NEW(ones, 1, &n, SEL_I64, NULL));
  sel_tensor *g = NEW(ones, sel_ndim(y), sel_shape(y), SEL_F16, NULL);
  ASSERT_OK(sel_backward(1, &y, &g, false, false));
  ASSERT_TENSOR(sel_grad_of(weight), "f16[2, 1]", 0, 4096);
}
END_TEST

START_TEST(a_changed_index_is_noticed) {
  sel_tensor *x = leaf(sequence(SEL_F32, 0, 1, SHAPE(3)));
  sel_tensor *index = INDEX(SHAPE(1), 1), *y = NEW(gather, x, 0, index);
  ASSERT_OK(sel_fill_(index, 0));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &y, NULL, false, false), "gather", "copy_");
}
END_TEST

/* ---- host memory that runs out ---- */

static sel_status all_of_them(void *context) {
  sel_tensor *const *t = context; /* x [2, 3] transposed, index [2, 2], row [2], mask [2, 3] */
  sel_tensor *out[9] = {NULL};
  sel_status status = sel_index_select(t[0], 1, t[2], &out[0]);
  if (!status) status = sel_gather(t[0], 1, t[1], &out[1]);
  if (!status) status = sel_index_add(t[0], 1, t[2], out[0], &out[2]);
  if (!status) status = sel_scatter(t[0], 0, t[1], out[1], &out[3]);
  if (!status) status = sel_scatter_add(t[0], 1, t[1], out[1], &out[4]);
  if (!status) status = sel_embedding(t[0], t[1], &out[5]);
  if (!status) status = sel_one_hot(t[1], 2, &out[6]);
  if (!status) status = sel_masked_select(t[0], t[3], &out[7]);
  if (!status) status = sel_nonzero(t[0], &out[8]);
  for (int i = 0; i < 9; i++) sel_release(out[i]);
  return status;
}

START_TEST(memory_errors) {
  sel_tensor *t[] = {transposed(SEL_F16), INDEX(SHAPE(2, 2), 1, 0, 0, 1), INDEX(SHAPE(2), 1, 1),
                     TENSOR(SEL_BOOL, SHAPE(2, 3), 1, 0, 1, 1, 1, 0)};
  expect_memory_errors(all_of_them, t);
}
END_TEST

TENSOR_SUITE("core: indexing", selects_rows_and_columns, selects_from_every_dtype,
             index_may_be_a_view, selecting_nothing, selecting_without_dims, index_select_refuses,
             adds_rows, low_precision_adds_in_f32, index_add_refuses, gathers, gather_refuses,
             scatters, scatter_refuses, embeds, one_hots, fills_where_masked, selects_where_masked,
             finds_nonzero, what_is_overwritten_gets_no_gradient, embedding_gradient_in_f16,
             a_changed_index_is_noticed, memory_errors)
