/* The plugin to copy (plugins/template) loads, and its layer works as its comments say. */
#include "expect.h"

START_TEST(works) {
  sel_layer *layer;
  sel_tensor *x, *y, *sum;
  double value;
  ASSERT_OK(sel_plugin_load(SEL_TEST_PLUGINS "/copies/scale.so"));
  ASSERT_OK(sel_layer_make("scale", "features=3, init=0.5", &layer));
  ASSERT_OK(sel_full(2, (int64_t[]){2, 3}, 4, SEL_F32, NULL, &x));
  ASSERT_OK(sel_layer_apply(layer, x, &y));
  ASSERT_OK(sel_get(y, 2, (int64_t[]){1, 2}, &value));
  ck_assert_double_eq(value, 2);
  ASSERT_OK(sel_sum(y, 0, NULL, false, &sum));
  ASSERT_OK(sel_backward(1, &sum, NULL, false, false));
  ASSERT_OK(sel_get(sel_grad_of(sel_layer_tensor(layer, "weight")), 1, (int64_t[]){0}, &value));
  ck_assert_double_eq(value, 8);
  sel_release(sum);
  sel_release(y);
  sel_release(x);

  ASSERT_OK(sel_full(1, (int64_t[]){4}, 1, SEL_F32, NULL, &x));
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_apply(layer, x, &y),
               "scale: an input of 3 features in its last dim is expected, got f32[4]");
  sel_release(x);
  sel_layer_release(layer);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_make("scale", "features=0", &layer), "got 0");
}
END_TEST

RUN_SUITE("template", works)
