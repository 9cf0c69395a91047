/* cat, stack, pad, flip, roll, repeat, tril, triu. */
#include "tensors.h"

static sel_tensor *matrix(void) { return sequence(SEL_F32, 1, 1, SHAPE(2, 3)); }
static sel_tensor *number(double value) { return NEW(scalar, value); }

/* ---- cat, stack ---- */

START_TEST(cats) {
  sel_tensor *x = matrix(), *row = TENSOR(SEL_F32, SHAPE(1, 3), 7, 8, 9);
  ASSERT_TENSOR(NEW(cat, TENSORS(x, row), 0), "f32[3, 3]", 1, 2, 3, 4, 5, 6, 7, 8, 9);
  ASSERT_TENSOR(NEW(cat, TENSORS(x, NEW(narrow, x, 1, 1, 1), x), -1), "f32[2, 7]", 1, 2, 3, 2, 1, 2,
                3, 4, 5, 6, 5, 4, 5, 6);
  sel_tensor *t = NEW(transpose, TENSOR(SEL_F32, SHAPE(3, 1), 7, 8, 9), 0, 1);
  ASSERT_TENSOR(NEW(cat, TENSORS(t, NEW(expand, TENSOR(SEL_F32, SHAPE(1), 5), SHAPE(1, 3))), 0),
                "f32[2, 3]", 7, 8, 9, 5, 5, 5);
  ASSERT_TENSOR(NEW(cat, TENSORS(NEW(narrow, x, 0, 0, 0), x, NEW(narrow, x, 0, 0, 0)), 0),
                "f32[2, 3]", 1, 2, 3, 4, 5, 6);
  ASSERT_TENSOR(NEW(cat, TENSORS(TENSOR(SEL_BOOL, SHAPE(1), 1), TENSOR(SEL_BOOL, SHAPE(1), 0)), 0),
                "bool[2]", 1, 0);
}
END_TEST

START_TEST(cats_many) {
  enum { N = 100 };
  sel_tensor *parts[N];
  for (int i = 0; i < N; i++) parts[i] = leaf(TENSOR(SEL_F32, SHAPE(1), i));
  sel_tensor *y = NEW(cat, N, parts, 0);
  ck_assert_int_eq(sel_size(y, 0), N);
  for (int i = 0; i < N; i++) ck_assert_double_eq(element_of(y, i), i);
  ASSERT_OK(sel_backward(1, &y, &y, false, false));
  for (int i = 0; i < N; i++) ASSERT_TENSOR(sel_grad_of(parts[i]), "f32[1]", i);
}
END_TEST

START_TEST(cat_refuses) {
  sel_tensor *x = matrix(), *out = NULL;
  ASSERT_FAILS(SEL_E_SHAPE, sel_cat(TENSORS(x, NEW(transpose, x, 0, 1)), 0, &out), "cat",
               "f32[2, 3]", "f32[3, 2]", "position 1");
  ASSERT_FAILS(SEL_E_SHAPE, sel_cat(TENSORS(x, NEW(select, x, 0, 0)), 0, &out), "f32[3]");
  ASSERT_FAILS(SEL_E_DTYPE, sel_cat(TENSORS(x, NEW(to, x, SEL_I64, NULL)), 0, &out), "f32", "i64");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_cat(TENSORS(x, x), 2, &out), "cat", "dim 2");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_cat(0, NULL, 0, &out), "at least one");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_cat(TENSORS(x, NULL), 0, &out), "NULL", "position 1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_cat(TENSORS(number(1), x), 0, &out), "the number", "position 0");
  sel_tensor *single = TENSOR(SEL_F32, SHAPE(), 1);
  ASSERT_FAILS(SEL_E_SHAPE, sel_cat(TENSORS(single, single), 0, &out), "stack");
  ck_assert_ptr_null(out);
}
END_TEST

START_TEST(stacks) {
  sel_tensor *a = TENSOR(SEL_F32, SHAPE(2), 1, 2), *b = TENSOR(SEL_F32, SHAPE(2), 3, 4);
  ASSERT_TENSOR(NEW(stack, TENSORS(a, b), 0), "f32[2, 2]", 1, 2, 3, 4);
  ASSERT_TENSOR(NEW(stack, TENSORS(a, b), 1), "f32[2, 2]", 1, 3, 2, 4);
  ASSERT_TENSOR(NEW(stack, TENSORS(a, b), -1), "f32[2, 2]", 1, 3, 2, 4);
  sel_tensor *t = NEW(transpose, matrix(), 0, 1);
  ASSERT_TENSOR(NEW(stack, TENSORS(t, t), 1), "f32[3, 2, 2]", 1, 4, 1, 4, 2, 5, 2, 5, 3, 6, 3, 6);
  sel_tensor *single = TENSOR(SEL_I64, SHAPE(), 5);
  ASSERT_TENSOR(NEW(stack, TENSORS(single, single, single), 0), "i64[3]", 5, 5, 5);
  ASSERT_TENSOR(NEW(stack, TENSORS(NEW(narrow, a, 0, 0, 0)), 0), "f32[1, 0]", );
  sel_tensor *out = NULL;
  ASSERT_FAILS(SEL_E_SHAPE, sel_stack(TENSORS(a, t), 0, &out), "stack", "f32[2]", "f32[3, 2]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_stack(TENSORS(a, b), 2, &out), "dim 2");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_stack(TENSORS(a, b), -3, &out), "dim -3");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_stack(TENSORS(a, NULL), 0, &out), "NULL");
  sel_tensor *deep = NEW(zeros, SHAPE(1, 1, 1, 1, 1, 1, 1, 1), SEL_F32, NULL);
  ASSERT_FAILS(SEL_E_SHAPE, sel_stack(TENSORS(deep), 0, &out), "stack");
}
END_TEST

/* ---- pad ---- */

#define PADS(...) SHAPE(__VA_ARGS__)

START_TEST(pads) {
  sel_tensor *x = matrix();
  ASSERT_TENSOR(NEW(pad, x, PADS(1, 0), 9), "f32[2, 4]", 9, 1, 2, 3, 9, 4, 5, 6);
  ASSERT_TENSOR(NEW(pad, x, PADS(0, 1, 1, 0), 0), "f32[3, 4]", 0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0);
  ASSERT_TENSOR(NEW(pad, x, PADS(-1, -1), 0), "f32[2, 1]", 2, 5);
  ASSERT_TENSOR(NEW(pad, x, PADS(-2, 1, 0, -1), 7), "f32[1, 2]", 3, 7);
  ASSERT_TENSOR(NEW(pad, x, PADS(-4, 3), 7), "f32[2, 2]", 7, 7, 7,
                7); /* cropped away, then padded */
  ASSERT_TENSOR(NEW(pad, x, PADS(-3, 0), 7), "f32[2, 0]", );
  ASSERT_TENSOR(NEW(pad, NEW(transpose, x, 0, 1), PADS(0, 0, 0, 1), -1), "f32[4, 2]", 1, 4, 2, 5, 3,
                6, -1, -1);
  ASSERT_TENSOR(NEW(pad, NEW(narrow, x, 0, 0, 0), PADS(0, 0, 1, 0), 2), "f32[1, 3]", 2, 2, 2);
  ASSERT_TENSOR(NEW(pad, TENSOR(SEL_F32, SHAPE(), 3), 0, NULL, 0), "f32[]", 3);
  ASSERT_TENSOR(NEW(pad, TENSOR(SEL_BOOL, SHAPE(1), 0), PADS(1, 0), 1), "bool[2]", 1, 0);
  sel_tensor *same = NEW(pad, x, 0, NULL, 0);
  ck_assert(!sel_shares_storage(same, x));
}
END_TEST

START_TEST(pad_refuses) {
  sel_tensor *x = matrix(), *out = NULL;
  ASSERT_FAILS(SEL_E_SHAPE, sel_pad(x, PADS(-2, -2), 0, &out), "pad", "dim 1", "f32[2, 3]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_pad(x, PADS(1), 0, &out), "pair", "got 1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_pad(x, PADS(1, 1, 1, 1, 1, 1), 0, &out), "got 6");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_pad(x, PADS(INT64_MAX, 0), 0, &out), "out of range");
  ASSERT_FAILS(SEL_E_SHAPE, sel_pad(x, PADS((int64_t)1 << 60, 0), 0, &out), "addressed");
  ASSERT_FAILS(SEL_E_DTYPE, sel_pad(NEW(to, x, SEL_I64, NULL), PADS(1, 0), 0.5, &out), "0.5",
               "i64");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_pad(NULL, PADS(1, 0), 0, &out), "NULL");
  ck_assert_ptr_null(out);
}
END_TEST

/* ---- flip, roll, repeat ---- */

START_TEST(flips) {
  sel_tensor *x = matrix();
  ASSERT_TENSOR(NEW(flip, x, DIMS(0)), "f32[2, 3]", 4, 5, 6, 1, 2, 3);
  ASSERT_TENSOR(NEW(flip, x, DIMS(-1)), "f32[2, 3]", 3, 2, 1, 6, 5, 4);
  ASSERT_TENSOR(NEW(flip, x, DIMS(1, 0)), "f32[2, 3]", 6, 5, 4, 3, 2, 1);
  ASSERT_TENSOR(NEW(flip, NEW(transpose, x, 0, 1), DIMS(0)), "f32[3, 2]", 3, 6, 2, 5, 1, 4);
  ASSERT_TENSOR(NEW(flip, NEW(expand, TENSOR(SEL_F32, SHAPE(2, 1), 1, 2), SHAPE(2, 2)), DIMS(0, 1)),
                "f32[2, 2]", 2, 2, 1, 1);
  ASSERT_TENSOR(NEW(flip, NEW(narrow, x, 1, 0, 0), DIMS(1)), "f32[2, 0]", );
  ASSERT_TENSOR(NEW(flip, TENSOR(SEL_F32, SHAPE(), 3), DIMS(0)), "f32[]", 3);
  ASSERT_TENSOR(NEW(flip, x, 0, NULL), "f32[2, 3]", 1, 2, 3, 4, 5, 6);
  sel_tensor *out = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_flip(x, DIMS(2), &out), "flip", "dim 2");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_flip(x, DIMS(0, -2), &out), "twice");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_flip(number(2), DIMS(0), &out), "the number");
}
END_TEST

/* Every element of a larger tensor, for each dtype's width. */
START_TEST(flips_all_widths) {
  for (int dtype = 0; dtype < SEL_DTYPE_COUNT; dtype++) {
    if (dtype == SEL_BOOL) continue;
    sel_tensor *x = sequence((sel_dtype)dtype, 0, 1, SHAPE(4, 9, 7));
    sel_tensor *y = NEW(flip, x, DIMS(0, 2));
    for (int64_t i = 0; i < 4 * 9 * 7; i++) {
      int64_t a = i / 63, b = i / 7 % 9, c = i % 7;
      ck_assert_double_eq(element_of(y, i), element_of(x, ((3 - a) * 9 + b) * 7 + 6 - c));
    }
  }
}
END_TEST

START_TEST(rolls) {
  sel_tensor *x = matrix();
  ASSERT_TENSOR(NEW(roll, x, 1, 1), "f32[2, 3]", 3, 1, 2, 6, 4, 5);
  ASSERT_TENSOR(NEW(roll, x, -1, 1), "f32[2, 3]", 2, 3, 1, 5, 6, 4);
  ASSERT_TENSOR(NEW(roll, x, 7, -2), "f32[2, 3]", 4, 5, 6, 1, 2, 3);
  ASSERT_TENSOR(NEW(roll, NEW(transpose, x, 0, 1), 2, 0), "f32[3, 2]", 2, 5, 3, 6, 1, 4);
  ASSERT_TENSOR(NEW(roll, TENSOR(SEL_F32, SHAPE(), 3), 5, 0), "f32[]", 3);
  ASSERT_TENSOR(NEW(roll, NEW(narrow, x, 0, 0, 0), 5, 0), "f32[0, 3]", );
  sel_tensor *same = NEW(roll, x, 3, 1);
  ASSERT_SAME(same, x);
  ck_assert(!sel_shares_storage(same, x));
  sel_tensor *out = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_roll(x, 1, 2, &out), "roll", "dim 2");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_roll(NULL, 1, 0, &out), "NULL");
}
END_TEST

START_TEST(repeats) {
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(2), 1, 2);
  ASSERT_TENSOR(NEW(repeat, x, SHAPE(3)), "f32[6]", 1, 2, 1, 2, 1, 2);
  ASSERT_TENSOR(NEW(repeat, x, SHAPE(2, 2)), "f32[2, 4]", 1, 2, 1, 2, 1, 2, 1, 2);
  sel_tensor *m = NEW(transpose, TENSOR(SEL_F32, SHAPE(2, 2), 1, 3, 2, 4), 0, 1); /* 1 2; 3 4 */
  ASSERT_TENSOR(NEW(repeat, m, SHAPE(2, 1, 2)), "f32[2, 2, 4]", 1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2,
                3, 4, 3, 4);
  ASSERT_TENSOR(NEW(repeat, m, SHAPE(2, 1)), "f32[4, 2]", 1, 2, 3, 4, 1, 2, 3, 4);
  ASSERT_TENSOR(NEW(repeat, x, SHAPE(0)), "f32[0]", );
  ASSERT_TENSOR(NEW(repeat, TENSOR(SEL_I64, SHAPE(), 7), SHAPE(2, 2)), "i64[2, 2]", 7, 7, 7, 7);
  ASSERT_TENSOR(NEW(repeat, NEW(narrow, x, 0, 0, 0), SHAPE(2, 3)), "f32[2, 0]", );
  /* one element many times could be an expanded view: it is a copy that may be written to */
  sel_tensor *one = TENSOR(SEL_F32, SHAPE(1), 5), *many = NEW(repeat, one, SHAPE(3));
  ASSERT_OK(sel_add_scalar_(many, 1));
  ASSERT_TENSOR(many, "f32[3]", 6, 6, 6);
  ck_assert(!sel_shares_storage(NEW(repeat, x, SHAPE(1)), x));
  sel_tensor *out = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_repeat(m, SHAPE(2), &out), "repeat", "f32[2, 2]", "got 1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_repeat(x, SHAPE(-1), &out), "[-1]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_repeat(x, SHAPE((int64_t)1 << 61), &out), "addressed");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_repeat(number(1), SHAPE(2), &out), "the number");
}
END_TEST

START_TEST(repeats_eight_dims) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 1, 2, 1, 1, 1, 1, 1));
  sel_tensor *y = NEW(repeat, x, SHAPE(2, 2, 1, 1, 1, 2, 1, 2));
  ck_assert_int_eq(sel_numel(y), 64);
  for (int64_t i = 0; i < 64; i++) /* y[a, b, c, 0, 0, d, 0, e] */
    ck_assert_double_eq(element_of(y, i), (double)(i / 16 % 2 * 2 + i / 4 % 2));
}
END_TEST

/* ---- tril, triu ---- */

START_TEST(triangles) {
  sel_tensor *x = sequence(SEL_F32, 1, 1, SHAPE(3, 3));
  ASSERT_TENSOR(NEW(tril, x, 0), "f32[3, 3]", 1, 0, 0, 4, 5, 0, 7, 8, 9);
  ASSERT_TENSOR(NEW(triu, x, 0), "f32[3, 3]", 1, 2, 3, 0, 5, 6, 0, 0, 9);
  ASSERT_TENSOR(NEW(tril, x, -1), "f32[3, 3]", 0, 0, 0, 4, 0, 0, 7, 8, 0);
  ASSERT_TENSOR(NEW(triu, x, 1), "f32[3, 3]", 0, 2, 3, 0, 0, 6, 0, 0, 0);
  ASSERT_TENSOR(NEW(triu, matrix(), -1), "f32[2, 3]", 1, 2, 3, 4, 5, 6);
  ASSERT_TENSOR(NEW(tril, NEW(transpose, matrix(), 0, 1), 0), "f32[3, 2]", 1, 0, 2, 5, 3, 6);
  ASSERT_TENSOR(NEW(tril, sequence(SEL_I64, 1, 1, SHAPE(2, 2, 2)), 0), "i64[2, 2, 2]", 1, 0, 3, 4,
                5, 0, 7, 8);
  ASSERT_TENSOR(NEW(tril, NEW(ones, SHAPE(2, 2), SEL_BOOL, NULL), 0), "bool[2, 2]", 1, 0, 1, 1);
  ASSERT_TENSOR(NEW(tril, NEW(full, SHAPE(2, 2), INFINITY, SEL_F16, NULL), -1), "f16[2, 2]", 0, 0,
                INFINITY, 0);
  ASSERT_TENSOR(NEW(tril, x, INT64_MIN), "f32[3, 3]", 0, 0, 0, 0, 0, 0, 0, 0, 0);
  ASSERT_TENSOR(NEW(triu, x, INT64_MAX), "f32[3, 3]", 0, 0, 0, 0, 0, 0, 0, 0, 0);
  ASSERT_SAME(NEW(tril, x, INT64_MAX), x);
  ASSERT_TENSOR(NEW(tril, NEW(narrow, x, 0, 0, 0), 0), "f32[0, 3]", );
  sel_tensor *out = NULL;
  ASSERT_FAILS(SEL_E_SHAPE, sel_tril(NEW(select, x, 0, 0), 0, &out), "tril", "f32[3]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_triu(NULL, 0, &out), "triu", "NULL");
}
END_TEST

/* ---- host memory that runs out ---- */

static sel_status all_of_them(void *context) {
  sel_tensor *x = context, *out[7] = {NULL};
  sel_status status = sel_cat(TENSORS(x, x), 0, &out[0]);
  if (!status) status = sel_stack(TENSORS(x, x), 0, &out[1]);
  if (!status) status = sel_pad(x, PADS(1, 0), 2, &out[2]);
  if (!status) status = sel_flip(x, DIMS(0), &out[3]);
  if (!status) status = sel_roll(x, 1, 0, &out[4]);
  if (!status) status = sel_repeat(x, SHAPE(2, 2), &out[5]);
  if (!status) status = sel_tril(x, 0, &out[6]);
  for (int i = 0; i < 7; i++) sel_release(out[i]);
  return status;
}

START_TEST(memory_errors) { expect_memory_errors(all_of_them, NEW(transpose, matrix(), 0, 1)); }
END_TEST

TENSOR_SUITE("core: joining", cats, cats_many, cat_refuses, stacks, pads, pad_refuses, flips,
             flips_all_widths, rolls, repeats, repeats_eight_dims, triangles, memory_errors)
