/* Views: what shape, strides and memory they have, what they refuse. */
#include "tensors.h"

START_TEST(reshape) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 6)), *t = NULL;
  sel_tensor *y = NEW(reshape, x, SHAPE(3, 4));
  ASSERT_TENSOR(y, "f32[3, 4]", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  ck_assert(sel_shares_storage(x, y));
  char text[64];
  ck_assert_str_eq(sel_describe(NEW(reshape, x, SHAPE(-1)), text, sizeof text), "f32[12]");
  ck_assert_str_eq(sel_describe(NEW(reshape, x, SHAPE(2, -1, 2)), text, 64), "f32[2, 3, 2]");
  ck_assert_str_eq(sel_describe(NEW(reshape, x, SHAPE(1, 12, -1)), text, 64), "f32[1, 12, 1]");
  ASSERT_TENSOR(NEW(reshape, TENSOR(SEL_F32, SHAPE(1), 5), SHAPE()), "f32[]", 5);
  ASSERT_FAILS(SEL_E_SHAPE, sel_reshape(x, SHAPE(5, 2), &t), "reshape", "f32[2, 6]", "12", "10");
  ASSERT_FAILS(SEL_E_SHAPE, sel_reshape(x, SHAPE(-1, -1), &t), "reshape", "only one");
  ASSERT_FAILS(SEL_E_SHAPE, sel_reshape(x, SHAPE(5, -1), &t), "reshape", "[5, -1]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_reshape(x, SHAPE(-2, 6), &t), "reshape", "[-2, 6]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_reshape(x, SHAPE(INT64_MAX, 4), &t), "reshape");
  ASSERT_FAILS(SEL_E_SHAPE, sel_reshape(x, SHAPE(1, 1, 1, 1, 1, 1, 1, 1, 12), &t), "8", "9");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_reshape(NULL, SHAPE(1), &t), "reshape", "NULL");
  ck_assert_ptr_null(t);

  sel_tensor *nothing = NEW(empty, SHAPE(0, 3), SEL_F32, NULL);
  ck_assert_str_eq(sel_describe(NEW(reshape, nothing, SHAPE(5, 0, 2)), text, 64), "f32[5, 0, 2]");
  ck_assert_str_eq(sel_describe(NEW(reshape, nothing, SHAPE(-1, 3)), text, 64), "f32[0, 3]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_reshape(nothing, SHAPE(-1, 0), &t), "reshape");
  ASSERT_FAILS(SEL_E_SHAPE, sel_reshape(nothing, SHAPE(1), &t), "reshape", "0", "1");

  sel_tensor *turned = NEW(transpose, x, 0, 1);
  sel_tensor *copied = NEW(reshape, turned, SHAPE(3, 4));
  ASSERT_TENSOR(copied, "f32[3, 4]", 0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11);
  ck_assert(!sel_shares_storage(copied, x));
  ASSERT_FAILS(SEL_E_SHAPE, sel_view(turned, SHAPE(12), &t), "view", "f32[6, 2]", "[12]",
               "reshape");
  ck_assert(sel_shares_storage(NEW(view, turned, SHAPE(3, 2, 2)), x)); /* 6 splits into 3, 2 */
}
END_TEST

/* Every order of dims and some cuts of a small tensor, under every shape of its size: reshape keeps
 * the C order of elements, and where view finds strides they show the same. */
static void try_shapes(sel_tensor *x, int ndim, int64_t *shape, int64_t rest, int *views) {
  if (ndim < 4)
    for (int64_t n = 1; n <= rest; n++) {
      if (rest % n || (n == 1 && ndim > 2)) continue;
      shape[ndim] = n;
      try_shapes(x, ndim + 1, shape, rest / n, views);
    }
  if (rest != 1) return;
  int mark = n_kept;
  sel_tensor *y = NEW(reshape, x, ndim, shape), *v = NULL;
  for (int64_t i = 0; i < sel_numel(x); i++)
    ck_assert_double_eq(element_of(y, i), element_of(x, i));
  ck_assert_int_eq(sel_ndim(y), ndim);
  if (sel_view(x, ndim, shape, &v) == SEL_OK) {
    (*views)++;
    keep(v);
    ck_assert(sel_shares_storage(x, v) && sel_shares_storage(x, y));
    for (int64_t i = 0; i < sel_numel(x); i++)
      ck_assert_double_eq(element_of(v, i), element_of(x, i));
  } else {
    ck_assert(!sel_shares_storage(x, y));
  }
  release_kept(mark);
}

START_TEST(reshape_of_any_view) {
  static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  int views = 0;
  int64_t shape[SEL_MAX_DIMS];
  sel_tensor *base = sequence(SEL_I32, 0, 1, SHAPE(4, 3, 4));
  sel_tensor *cuts[] = {base, NEW(slice, base, 0, 0, 4, 2), NEW(slice, base, 2, 1, 4, 2),
                        NEW(narrow, base, 1, 1, 1),
                        NEW(expand, NEW(narrow, base, 0, 2, 1), SHAPE(2, 3, 4))};
  for (int c = 0; c < 5; c++)
    for (int o = 0; o < 6; o++) {
      sel_tensor *x = NEW(permute, cuts[c], 3, orders[o]);
      try_shapes(x, 0, shape, sel_numel(x), &views);
    }
  ck_assert_int_gt(views, 100);
}
END_TEST

START_TEST(flatten_squeeze_unsqueeze) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 1, 3, 2)), *t = NULL;
  char text[64];
#define ASSERT_SHAPE(view, expected) ck_assert_str_eq(sel_describe(view, text, 64), expected)
  ASSERT_SHAPE(NEW(flatten, x, 0, -1), "f32[12]");
  ASSERT_SHAPE(NEW(flatten, x, 1, 2), "f32[2, 3, 2]");
  ASSERT_SHAPE(NEW(flatten, x, -2, -1), "f32[2, 1, 6]");
  ASSERT_SHAPE(NEW(flatten, x, 2, 2), "f32[2, 1, 3, 2]");
  ASSERT_SHAPE(NEW(flatten, TENSOR(SEL_F32, SHAPE(), 1), 0, -1), "f32[1]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_flatten(x, 2, 1, &t), "flatten");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_flatten(x, 0, 4, &t), "flatten", "dim 4");
  ASSERT_SHAPE(NEW(squeeze, x, 1), "f32[2, 3, 2]");
  ASSERT_SHAPE(NEW(squeeze, x, -3), "f32[2, 3, 2]");
  ASSERT_SHAPE(NEW(squeeze, x, 0), "f32[2, 1, 3, 2]"); /* as in PyTorch: nothing to squeeze */
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_squeeze(x, 4, &t), "squeeze", "dim 4");
  ASSERT_SHAPE(NEW(squeeze_all, NEW(zeros, SHAPE(1, 2, 1), SEL_F32, NULL)), "f32[2]");
  ASSERT_SHAPE(NEW(squeeze_all, NEW(zeros, SHAPE(1, 1), SEL_F32, NULL)), "f32[]");
  ASSERT_SHAPE(NEW(squeeze, TENSOR(SEL_F32, SHAPE(), 1), 0), "f32[]");
  ASSERT_SHAPE(NEW(unsqueeze, x, 0), "f32[1, 2, 1, 3, 2]");
  ASSERT_SHAPE(NEW(unsqueeze, x, -1), "f32[2, 1, 3, 2, 1]");
  ASSERT_SHAPE(NEW(unsqueeze, x, 4), "f32[2, 1, 3, 2, 1]");
  ASSERT_SHAPE(NEW(unsqueeze, TENSOR(SEL_F32, SHAPE(), 1), -1), "f32[1]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_unsqueeze(x, 5, &t), "unsqueeze", "dim 5");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_unsqueeze(x, -6, &t), "unsqueeze", "dim -6");
  sel_tensor *deep = NEW(zeros, SHAPE(1, 1, 1, 1, 1, 1, 1, 1), SEL_F32, NULL);
  ASSERT_FAILS(SEL_E_SHAPE, sel_unsqueeze(deep, 0, &t), "unsqueeze", "most dims");
  sel_tensor *turned = NEW(transpose, sequence(SEL_F32, 0, 1, SHAPE(2, 3)), 0, 1);
  sel_tensor *wide = NEW(unsqueeze, turned, 1);
  ASSERT_TENSOR(wide, "f32[3, 1, 2]", 0, 3, 1, 4, 2, 5);
  ck_assert(sel_shares_storage(wide, turned));
  ck_assert_ptr_null(t);
}
END_TEST

START_TEST(permute) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3, 2)), *t = NULL;
  sel_tensor *y = NEW(permute, x, DIMS(2, 0, 1));
  ASSERT_TENSOR(y, "f32[2, 2, 3]", 0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11);
  ck_assert(sel_shares_storage(x, y));
  ck_assert(!sel_is_contiguous(y));
  ASSERT_SAME(NEW(permute, y, DIMS(-2, -1, -3)), x);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_permute(x, DIMS(0, 1), &t), "permute", "3", "2");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_permute(x, DIMS(0, 1, 1), &t), "permute", "twice");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_permute(x, DIMS(0, 1, -2), &t), "permute", "twice");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_permute(x, DIMS(0, 1, 3), &t), "permute", "dim 3");
  ASSERT_TENSOR(NEW(permute, TENSOR(SEL_F32, SHAPE(), 4), 0, NULL), "f32[]", 4);
  ASSERT_SAME(NEW(transpose, x, 1, 1), x);
  ASSERT_TENSOR(NEW(transpose, sequence(SEL_U8, 0, 1, SHAPE(2, 3)), -1, 0), "u8[3, 2]", 0, 3, 1, 4,
                2, 5);
  ASSERT_TENSOR(NEW(transpose, TENSOR(SEL_F32, SHAPE(), 4), 0, -1), "f32[]", 4);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_transpose(x, 0, 3, &t), "transpose", "dim 3");
  ck_assert_ptr_null(t);
  sel_tensor *one_row = NEW(transpose, sequence(SEL_F32, 0, 1, SHAPE(4, 1)), 0, 1);
  ck_assert(sel_is_contiguous(one_row)); /* an extent of 1 has no stride to speak of */
}
END_TEST

START_TEST(expand) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(3, 1)), *t = NULL;
  sel_tensor *y = NEW(expand, x, SHAPE(2, 3, 2));
  ASSERT_TENSOR(y, "f32[2, 3, 2]", 0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2);
  ck_assert_int_eq(sel_stride(y, 0), 0);
  ck_assert_int_eq(sel_stride(y, 2), 0);
  ck_assert(!sel_is_contiguous(y));
  ASSERT_TENSOR(NEW(expand, x, SHAPE(-1, 2)), "f32[3, 2]", 0, 0, 1, 1, 2, 2);
  ASSERT_TENSOR(NEW(expand, x, SHAPE(3, 0)), "f32[3, 0]");
  ASSERT_TENSOR(NEW(expand, TENSOR(SEL_I64, SHAPE(), 7), SHAPE(2)), "i64[2]", 7, 7);
  ASSERT_FAILS(SEL_E_SHAPE, sel_expand(x, SHAPE(2, 2), &t), "expand", "f32[3, 1]", "[2, 2]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_expand(x, SHAPE(3), &t), "expand", "[3]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_expand(x, SHAPE(-1, 3, 1), &t), "expand");
  ASSERT_FAILS(SEL_E_SHAPE, sel_expand(x, 9, (int64_t[]){1, 1, 1, 1, 1, 1, 1, 3, 1}, &t), "expand");
  ASSERT_FAILS(SEL_E_SHAPE, sel_expand(x, SHAPE(INT64_MAX, 3, 1), &t), "expand", "more elements");
  ck_assert_ptr_null(t);
}
END_TEST

START_TEST(narrow_select_slice) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(3, 4)), *t = NULL;
  ASSERT_TENSOR(NEW(narrow, x, 1, 1, 2), "f32[3, 2]", 1, 2, 5, 6, 9, 10);
  ASSERT_TENSOR(NEW(narrow, x, 0, -1, 1), "f32[1, 4]", 8, 9, 10, 11);
  ASSERT_TENSOR(NEW(narrow, x, -1, 4, 0), "f32[3, 0]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_narrow(x, 1, 3, 2, &t), "narrow", "2 elements", "3", "extent 4");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_narrow(x, 1, -5, 1, &t), "narrow", "-5");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_narrow(x, 1, 0, -1, &t), "narrow", "-1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_narrow(x, 1, 1, INT64_MAX, &t), "narrow");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_narrow(x, 2, 0, 1, &t), "narrow", "dim 2");
  sel_tensor *number = TENSOR(SEL_F32, SHAPE(), 1);
  ASSERT_FAILS(SEL_E_SHAPE, sel_narrow(number, 0, 0, 1, &t), "narrow", "without dims");

  ASSERT_TENSOR(NEW(select, x, 0, 1), "f32[4]", 4, 5, 6, 7);
  ASSERT_TENSOR(NEW(select, x, -1, -2), "f32[3]", 2, 6, 10);
  ASSERT_TENSOR(NEW(select, TENSOR(SEL_F32, SHAPE(1), 5), 0, 0), "f32[]", 5);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_select(x, 0, 3, &t), "select", "3", "extent 3");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_select(x, 0, -4, &t), "select", "-4");
  ASSERT_FAILS(SEL_E_SHAPE, sel_select(number, 0, 0, &t), "select");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_select(NEW(zeros, SHAPE(0), SEL_F32, NULL), 0, 0, &t),
               "extent 0");

  ASSERT_TENSOR(NEW(slice, x, 1, 0, 4, 3), "f32[3, 2]", 0, 3, 4, 7, 8, 11);
  ASSERT_TENSOR(NEW(slice, x, 1, -3, -1, 1), "f32[3, 2]", 1, 2, 5, 6, 9, 10);
  ASSERT_TENSOR(NEW(slice, x, 0, 1, 99, 1), "f32[2, 4]", 4, 5, 6, 7, 8, 9, 10, 11);
  ASSERT_TENSOR(NEW(slice, x, 0, -99, 1, 1), "f32[1, 4]", 0, 1, 2, 3);
  ASSERT_TENSOR(NEW(slice, x, 0, 2, 1, 1), "f32[0, 4]");
  ASSERT_TENSOR(NEW(slice, x, 0, 50, 60, 1), "f32[0, 4]");
  ASSERT_TENSOR(NEW(slice, x, 1, 1, INT64_MAX, INT64_MAX), "f32[3, 1]", 1, 5, 9);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_slice(x, 1, 0, 4, 0, &t), "slice", "step", "0");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_slice(x, 1, 0, 4, -1, &t), "slice", "step", "-1");
  ck_assert_ptr_null(t);
  /* a part of a part of a turned tensor */
  sel_tensor *y = NEW(slice, NEW(transpose, x, 0, 1), 0, 1, 4, 2);
  ASSERT_TENSOR(NEW(select, y, 1, 2), "f32[2]", 9, 11);
}
END_TEST

START_TEST(split) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 5)), *parts[3] = {NULL};
  ASSERT_OK(sel_split(x, 3, (int64_t[]){2, 0, 3}, 1, parts));
  for (int i = 0; i < 3; i++) keep(parts[i]);
  ASSERT_TENSOR(parts[0], "f32[2, 2]", 0, 1, 5, 6);
  ASSERT_TENSOR(parts[1], "f32[2, 0]");
  ASSERT_TENSOR(parts[2], "f32[2, 3]", 2, 3, 4, 7, 8, 9);
  ck_assert(sel_shares_storage(parts[2], x));
  sel_tensor *untouched[3] = {x, x, x};
  ASSERT_FAILS(SEL_E_SHAPE, sel_split(x, 2, (int64_t[]){2, 2}, 1, untouched), "split", "[2, 2]",
               "add up to 5", "dim 1");
  ASSERT_FAILS(SEL_E_SHAPE, sel_split(x, 2, (int64_t[]){7, -2}, 1, untouched), "split", "[7, -2]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_split(x, 2, (int64_t[]){INT64_MAX, 6}, 1, untouched), "split");
  ck_assert_ptr_eq(untouched[1], x);
  ck_assert_ptr_eq(untouched[0], x);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_split(x, 1, (int64_t[]){5}, 2, untouched), "split", "dim 2");
}
END_TEST

START_TEST(views_share_memory) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3));
  sel_tensor *column = NEW(select, x, 1, 1), *flat = NEW(reshape, x, SHAPE(6));
  ASSERT_OK(sel_fill_(column, 9));
  ASSERT_TENSOR(flat, "f32[6]", 0, 9, 2, 3, 9, 5);
  ck_assert_int_eq(sel_tensor_version(x), 1);
  ck_assert_int_eq(sel_tensor_version(flat), 1);
  ASSERT_OK(sel_mul_scalar_(flat, 2));
  ASSERT_TENSOR(column, "f32[2]", 18, 18);
  ck_assert_int_eq(sel_tensor_version(column), 2);
}
END_TEST

START_TEST(eight_dims) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 1, 2, 1, 2, 1, 2, 1));
  sel_tensor *y = sequence(SEL_F32, 0, 100, SHAPE(1, 2, 1, 2, 1, 2, 1, 2));
  sel_tensor *sum = NEW(add, x, y);
  ck_assert_int_eq(sel_numel(sum), 256);
  for (int i = 0; i < 256; i++) {
    int of_x = (i >> 7 & 1) << 3 | (i >> 5 & 1) << 2 | (i >> 3 & 1) << 1 | (i >> 1 & 1);
    int of_y = (i >> 6 & 1) << 3 | (i >> 4 & 1) << 2 | (i >> 2 & 1) << 1 | (i & 1);
    ck_assert_double_eq(element_of(sum, i), of_x + 100 * of_y);
  }
  sel_tensor *turned = NEW(permute, sum, DIMS(7, 6, 5, 4, 3, 2, 1, 0));
  ck_assert_double_eq(element_of(turned, 1), element_of(sum, 128));
  ASSERT_SAME(NEW(permute, NEW(clone, turned), DIMS(7, 6, 5, 4, 3, 2, 1, 0)), sum);
  ck_assert_double_eq(item(NEW(sum, turned, 0, NULL, false)), 256 * (7.5 + 750));
  sel_tensor *odd = NEW(sum, turned, DIMS(1, 3, 5, 7), true);
  ck_assert_int_eq(sel_ndim(odd), 8);
  ck_assert_int_eq(sel_numel(odd), 16);
}
END_TEST

TENSOR_SUITE("shape", reshape, reshape_of_any_view, flatten_squeeze_unsqueeze, permute, expand,
             narrow_select_slice, split, views_share_memory, eight_dims)
