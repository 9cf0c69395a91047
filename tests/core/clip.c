/* Gradient clipping: PyTorch's numbers, dtypes mixed, what is not finite, refusals. */
#include <math.h>

#include "expect.h"

/* A parameter whose gradient has these values; n 0: none. */
static sel_tensor *parameter(sel_dtype dtype, int64_t n, const double *grad) {
  sel_tensor *t, *wide, *g;
  int64_t extent = n ? n : 2;
  ASSERT_OK(sel_zeros(1, &extent, dtype, NULL, &t));
  ASSERT_OK(sel_set_requires_grad(t, true));
  if (!n) return t;
  ASSERT_OK(sel_from_data(1, &n, SEL_F64, NULL, grad, (size_t)n * sizeof *grad, &wide));
  ASSERT_OK(sel_to(wide, dtype, NULL, &g));
  ASSERT_OK(sel_set_grad(t, g));
  sel_release(g);
  sel_release(wide);
  return t;
}

static double grad_at(const sel_tensor *t, int64_t i) {
  double value;
  ASSERT_OK(sel_get(sel_grad_of(t), 1, &i, &value));
  return value;
}

/* Gradients (3, 4), none, (12): 2-norm 13, 1-norm 19, 3-norm (27 + 64 + 1728)^(1/3), max 12. */
typedef struct three {
  sel_tensor *t[3];
} three;

static three new_three(sel_dtype a, sel_dtype b) {
  const double first[] = {3, -4}, last[] = {12};
  return (three){{parameter(a, 2, first), parameter(a, 0, NULL), parameter(b, 1, last)}};
}

static void drop(three p) {
  for (int i = 0; i < 3; i++) sel_release(p.t[i]);
}

START_TEST(norms) {
  const struct {
    double p, norm;
  } cases[] = {{2, 13}, {1, 19}, {3, 12.207054953820636}, {INFINITY, 12}, {0.5, 0}};
  for (int c = 0; c < 5; c++) {
    three p = new_three(SEL_F32, SEL_F32);
    double norm = cases[c].norm, total = -1;
    if (norm == 0) norm = pow(sqrt(3) + 2 + sqrt(12), 2);
    ASSERT_OK(sel_clip_grad_norm_(3, p.t, 6.5, cases[c].p, &total));
    ck_assert_double_eq_tol(total, norm, 1e-5 * norm);
    ck_assert_double_eq_tol(grad_at(p.t[0], 0), 3 * 6.5 / (norm + 1e-6), 1e-5);
    ck_assert_double_eq_tol(grad_at(p.t[0], 1), -4 * 6.5 / (norm + 1e-6), 1e-5);
    ck_assert_double_eq_tol(grad_at(p.t[2], 0), 12 * 6.5 / (norm + 1e-6), 1e-5);
    ck_assert_ptr_null(sel_grad_of(p.t[1]));
    ck_assert(sel_grad_enabled());
    drop(p);
  }
}
END_TEST

START_TEST(short_enough) {
  three p = new_three(SEL_F32, SEL_F32);
  double total;
  ASSERT_OK(sel_clip_grad_norm_(3, p.t, 14, 2, &total));
  ck_assert_double_eq(total, 13);
  ck_assert(grad_at(p.t[0], 0) == 3 && grad_at(p.t[2], 0) == 12);
  ASSERT_OK(sel_clip_grad_norm_(3, p.t, 0, 2, NULL));
  ck_assert(grad_at(p.t[0], 0) == 0 && grad_at(p.t[2], 0) == 0);
  ASSERT_OK(sel_clip_grad_norm_(1, p.t + 1, 1, 2, &total)); /* no gradient at all */
  ck_assert_double_eq(total, 0);
  ASSERT_OK(sel_clip_grad_norm_(0, NULL, 1, 2, &total));
  drop(p);
}
END_TEST

START_TEST(mixed_dtypes) {
  const sel_dtype dtypes[][2] = {{SEL_F64, SEL_F32}, {SEL_F16, SEL_F64}, {SEL_BF16, SEL_F16}};
  for (int i = 0; i < 3; i++) {
    three p = new_three(dtypes[i][0], dtypes[i][1]);
    double total;
    ASSERT_OK(sel_clip_grad_norm_(3, p.t, 6.5, 2, &total));
    ck_assert_double_eq_tol(total, 13, 1e-6);
    ck_assert_double_eq_tol(grad_at(p.t[0], 0), 1.5, 0.01);
    ck_assert_double_eq_tol(grad_at(p.t[2], 0), 6, 0.01);
    ck_assert_int_eq(sel_tensor_dtype(sel_grad_of(p.t[0])), dtypes[i][0]);
    drop(p);
  }
  /* The square of 300 is no f16, its norm is. */
  sel_tensor *t = parameter(SEL_F16, 1, (double[]){300});
  double total;
  ASSERT_OK(sel_clip_grad_norm_(1, &t, 1, 2, &total));
  ck_assert_double_eq(total, 300);
  sel_release(t);
}
END_TEST

/* As PyTorch does without error_if_nonfinite: an infinite norm scales by 0, NaN spreads. */
START_TEST(not_finite) {
  const double infinite[] = {INFINITY, 1}, broken[] = {NAN, 1};
  sel_tensor *t = parameter(SEL_F32, 2, infinite);
  double total;
  ASSERT_OK(sel_clip_grad_norm_(1, &t, 1, 2, &total));
  ck_assert(isinf(total) && isnan(grad_at(t, 0)) && grad_at(t, 1) == 0);
  sel_release(t);
  t = parameter(SEL_F32, 2, broken);
  ASSERT_OK(sel_clip_grad_norm_(1, &t, 1, 2, &total));
  ck_assert(isnan(total) && isnan(grad_at(t, 1)));
  sel_release(t);
}
END_TEST

START_TEST(values) {
  three p = new_three(SEL_F32, SEL_F64);
  ASSERT_OK(sel_clip_grad_value_(3, p.t, 3.5));
  ck_assert(grad_at(p.t[0], 0) == 3 && grad_at(p.t[0], 1) == -3.5 && grad_at(p.t[2], 0) == 3.5);
  ASSERT_OK(sel_clip_grad_value_(0, NULL, 1));
  drop(p);
}
END_TEST

START_TEST(refusals) {
  three p = new_three(SEL_F32, SEL_F32);
  double total = -1;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_clip_grad_norm_(3, p.t, -1, 2, &total),
               "clip_grad_norm: max_norm is at least 0, got -1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_clip_grad_norm_(3, p.t, NAN, 2, &total), "got nan");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_clip_grad_norm_(3, p.t, 1, 0, &total), "p is above 0", "got 0");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_clip_grad_norm_(2, NULL, 1, 2, &total), "a list");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_clip_grad_value_(3, p.t, -1), "clip_value is at least 0");
  ck_assert_double_eq(total, -1);
  ck_assert(grad_at(p.t[0], 0) == 3);
  drop(p);
}
END_TEST

static sel_status clip_both(void *context) {
  const three *p = context;
  sel_status status = sel_clip_grad_norm_(3, p->t, 100, 2, NULL);
  if (status == SEL_OK) status = sel_clip_grad_value_(3, p->t, 100);
  return status;
}

START_TEST(out_of_memory) {
  three p = new_three(SEL_F32, SEL_F16);
  expect_memory_errors(clip_both, &p);
  drop(p);
}
END_TEST

RUN_SUITE("clip", norms, short_enough, mixed_dtypes, not_finite, values, refusals, out_of_memory)
