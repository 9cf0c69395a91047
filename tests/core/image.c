/* Convolution, pooling, resampling and borders in C: small results worked out by hand, refusals,
 * host memory that runs out. Numbers against PyTorch are in tests/plugins/cnn.lua, gradients in
 * gradients/image.c. */
#include "tensors.h"

static const int64_t one[3] = {1, 1, 1}, two[3] = {2, 2, 2}, none[3] = {0, 0, 0};

static sel_tensor *image(int64_t n) { /* 1, 2, ... n^2 as [1, 1, n, n] */
  return NEW(reshape, NEW(arange, 1, (double)(n * n + 1), 1, SEL_F32, NULL), SHAPE(1, 1, n, n));
}

START_TEST(convolutions) {
  sel_tensor *x = image(3), *w = TENSOR(SEL_F32, SHAPE(1, 1, 2, 2), 1, 0, 0, -1);
  sel_tensor *bias = TENSOR(SEL_F32, SHAPE(1), 10);
  ASSERT_TENSOR(NEW(conv, 2, x, w, NULL, one, none, none, one, 1), "f32[1, 1, 2, 2]", -4, -4, -4,
                -4);
  ASSERT_TENSOR(NEW(conv, 2, x, w, bias, two, one, none, one, 1), "f32[1, 1, 2, 2]", 9, 7, 3, 6);
  sel_tensor *small = TENSOR(SEL_F32, SHAPE(1, 1, 1, 2), 1, 2);
  ASSERT_TENSOR(NEW(conv_transpose, 2, small, w, bias, one, none, none, one, 1), "f32[1, 1, 2, 3]",
                11, 12, 10, 10, 9, 8);
}
END_TEST

START_TEST(pools) {
  sel_tensor *x = image(4), *values, *indices;
  ASSERT_OK(sel_max_pool(2, x, two, two, none, one, false, &values, &indices));
  ASSERT_TENSOR(keep(values), "f32[1, 1, 2, 2]", 6, 8, 14, 16);
  ASSERT_TENSOR(keep(indices), "i64[1, 1, 2, 2]", 5, 7, 13, 15);
  ASSERT_TENSOR(NEW(avg_pool, 2, x, two, two, none, false, true, 0), "f32[1, 1, 2, 2]", 3.5, 5.5,
                11.5, 13.5);
  ASSERT_TENSOR(NEW(adaptive_avg_pool, 2, x, one), "f32[1, 1, 1, 1]", 8.5);
  ASSERT_OK(sel_adaptive_max_pool(2, x, one, &values, &indices));
  ASSERT_TENSOR(keep(values), "f32[1, 1, 1, 1]", 16);
  ASSERT_TENSOR(keep(indices), "i64[1, 1, 1, 1]", 15);
}
END_TEST

START_TEST(borders) {
  sel_tensor *x = TENSOR(SEL_I32, SHAPE(1, 3), 1, 2, 3);
  const int64_t pads[] = {2, 1};
  ASSERT_TENSOR(NEW(pad_border, x, 2, pads, SEL_BORDER_REFLECT), "i32[1, 6]", 3, 2, 1, 2, 3, 2);
  ASSERT_TENSOR(NEW(pad_border, x, 2, pads, SEL_BORDER_REPLICATE), "i32[1, 6]", 1, 1, 1, 2, 3, 3);
  ASSERT_TENSOR(NEW(pad_border, x, 2, pads, SEL_BORDER_CIRCULAR), "i32[1, 6]", 2, 3, 1, 2, 3, 1);
}
END_TEST

START_TEST(refusals) {
  sel_tensor *x = image(3), *w = NEW(ones, SHAPE(1, 1, 2, 2), SEL_F32, NULL), *out = NULL;
  const int64_t minus[3] = {-1, 0, 0}, three[3] = {3, 3, 3};
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_conv(2, NULL, w, NULL, one, none, none, one, 1, &out), "input");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_conv(4, x, w, NULL, one, none, none, one, 1, &out), "got 4");
  ASSERT_FAILS(SEL_E_SHAPE, sel_conv(1, x, w, NULL, one, none, none, one, 1, &out),
               "[n, channels, 1 extents]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_conv(2, x, w, NULL, none, none, none, one, 1, &out), "a stride");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_conv(2, x, w, NULL, one, minus, none, one, 1, &out), "padding");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_conv(2, x, w, NULL, one, none, none, one, 2, &out), "groups");
  ASSERT_FAILS(SEL_E_SHAPE, sel_conv(2, x, w, x, one, none, none, one, 1, &out), "bias [1]");
  sel_tensor *whole = NEW(ones, SHAPE(1, 1, 3, 3), SEL_I32, NULL);
  ASSERT_FAILS(SEL_E_DTYPE, sel_conv(2, whole, w, NULL, one, none, none, one, 1, &out), "float");
  ASSERT_FAILS(SEL_E_SHAPE, sel_avg_pool(2, w, three, one, none, false, true, 0, &out),
               "reaches over [3, 3]", "[2, 2] of f32[1, 1, 2, 2]");
  ck_assert_ptr_null(out);
}
END_TEST

/* ---- host memory that runs out ---- */

static sel_status all_of_them(void *context) {
  (void)context;
  enum { RESULTS = 8 };
  const int64_t shape[] = {1, 2, 4, 4}, four[] = {1, 2, 2, 2}, size[] = {5, 6}, pads[] = {1, 1};
  sel_tensor *x = NULL, *w = NULL, *loss = NULL, *r[RESULTS] = {NULL};
  sel_status s = sel_ones(4, shape, SEL_F32, NULL, &x);
  if (s == SEL_OK) s = sel_set_requires_grad(x, true);
  if (s == SEL_OK) s = sel_ones(4, four, SEL_F32, NULL, &w);
  if (s == SEL_OK) s = sel_set_requires_grad(w, true);
  if (s == SEL_OK) s = sel_pad_border(x, 2, pads, SEL_BORDER_REFLECT, &r[0]);
  if (s == SEL_OK) s = sel_conv(2, r[0], w, NULL, one, none, one, one, 1, &r[1]);
  if (s == SEL_OK) s = sel_max_pool(2, r[1], two, one, none, one, false, &r[2], NULL);
  if (s == SEL_OK) s = sel_avg_pool(2, r[2], two, one, none, false, true, 0, &r[3]);
  if (s == SEL_OK) s = sel_upsample(2, r[3], size, NULL, SEL_UPSAMPLE_LINEAR, false, &r[4]);
  if (s == SEL_OK) s = sel_sum(r[4], 0, NULL, false, &loss);
  if (s == SEL_OK) s = sel_backward(1, &loss, NULL, false, false);
  for (int i = 0; i < RESULTS; i++) sel_release(r[i]);
  sel_release(loss);
  sel_release(w);
  sel_release(x);
  return s;
}

START_TEST(memory_errors) { expect_memory_errors(all_of_them, NULL); }
END_TEST

TENSOR_SUITE("core: images", convolutions, pools, borders, refusals, memory_errors)
