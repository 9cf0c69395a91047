/* Gradients of a function of tensors against central differences in f64, first and second order.
 *
 * For y = f(x) and fixed weights w and u, with L = sum w y and h = sum u dL/dx: dL/dx from the tape
 * against differences of L, dh/dx against differences of h.
 */
#ifndef DIFFERENCES_H
#define DIFFERENCES_H

#include "tensors.h"

enum { DIFFERENCES_INPUTS = 4 };

/* From leaves (f64, which ask for gradients) to one result, kept. */
typedef sel_tensor *(*differentiable)(sel_tensor *const *in);

static inline sel_tensor *weighted_sum(sel_tensor *t, uint64_t seed) {
  sel_tensor *w = some_tensor(SEL_F64, 0.5, 1.5, seed, sel_ndim(t), sel_shape(t));
  return NEW(sum, NEW(mul, t, w), 0, NULL, false);
}

static inline sel_tensor *weighted_result(differentiable f, sel_tensor *const *in) {
  return weighted_sum(f(in), 77);
}

/* h, and dL/dx in `grad`. */
static inline sel_tensor *weighted_gradients(differentiable f, int n, sel_tensor *const *in,
                                             bool record, sel_tensor **grad) {
  sel_tensor *root = weighted_result(f, in), *h = NULL;
  ASSERT_OK(sel_grad(1, &root, NULL, n, in, record, record, false, grad));
  for (int i = 0; i < n; i++) {
    sel_tensor *term = weighted_sum(keep(grad[i]), 100 + (uint64_t)i);
    h = h ? NEW(add, h, term) : term;
  }
  return h;
}

static inline double value_of_order(int order, differentiable f, int n, sel_tensor *const *in) {
  int mark = n_kept;
  sel_tensor *grad[DIFFERENCES_INPUTS];
  double value =
      item(order == 1 ? weighted_result(f, in) : weighted_gradients(f, n, in, false, grad));
  release_kept(mark);
  return value;
}

static inline void set_element(sel_tensor *t, int64_t i, double value) {
  int64_t position[SEL_MAX_DIMS];
  for (int d = sel_ndim(t) - 1; d >= 0; d--) {
    position[d] = i % sel_size(t, d);
    i /= sel_size(t, d);
  }
  sel_set_grad_enabled(false);
  ASSERT_OK(sel_set(t, sel_ndim(t), position, value));
  sel_set_grad_enabled(true);
}

static inline void compare_with_differences(const char *what, int order, differentiable f, int n,
                                            sel_tensor *const *in, sel_tensor *const *grad) {
  const double step = 1e-5, tolerance = 2e-7;
  for (int i = 0; i < n; i++)
    for (int64_t k = 0; k < sel_numel(in[i]); k++) {
      double x = element_of(in[i], k);
      set_element(in[i], k, x + step);
      double above = value_of_order(order, f, n, in);
      set_element(in[i], k, x - step);
      double below = value_of_order(order, f, n, in);
      set_element(in[i], k, x);
      double expected = (above - below) / (2 * step), got = grad[i] ? element_of(grad[i], k) : 0;
      ck_assert_msg(near(got, expected, tolerance),
                    "%s: order %d, input %d, element %d: differences give %.10g, backward %.10g",
                    what, order, i, (int)k, expected, got);
    }
}

static inline void check_gradients(const char *what, differentiable f, int n,
                                   sel_tensor *const *in) {
  int mark = n_kept;
  sel_tensor *grad[DIFFERENCES_INPUTS], *second[DIFFERENCES_INPUTS] = {NULL};
  for (int i = 0; i < n; i++) leaf(in[i]);
  sel_tensor *h = weighted_gradients(f, n, in, true, grad);
  for (int i = 0; i < n; i++) ck_assert_int_eq(sel_numel(grad[i]), sel_numel(in[i]));
  /* h of a function that is linear in each of its pieces does not depend on anything */
  if (sel_requires_grad(h)) {
    ASSERT_OK(sel_grad(1, &h, NULL, n, in, false, false, true, second));
    for (int i = 0; i < n; i++)
      if (second[i]) keep(second[i]);
  }
  compare_with_differences(what, 1, f, n, in, grad);
  compare_with_differences(what, 2, f, n, in, second);
  release_kept(mark);
}

/* CHECK_GRADIENTS(f, a, b) */
#define CHECK_GRADIENTS(f, ...) check_gradients(#f, f, TENSORS(__VA_ARGS__))

#endif
