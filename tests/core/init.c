/* Initialisers: ranges and moments of what they draw, fans, refusals. */
#include <math.h>

#include "expect.h"

static sel_tensor *new_tensor(sel_dtype dtype, int ndim, const int64_t *shape) {
  sel_tensor *t;
  ASSERT_OK(sel_zeros(ndim, shape, dtype, NULL, &t));
  if (sel_dtype_is_float(dtype)) ASSERT_OK(sel_set_requires_grad(t, true));
  return t;
}

/* All elements as doubles; the caller frees. */
static double *read_values(sel_tensor *t) {
  sel_tensor *detached, *wide;
  size_t bytes = (size_t)sel_numel(t) * sizeof(double);
  double *values = malloc(bytes);
  ASSERT_OK(sel_detach(t, &detached));
  ASSERT_OK(sel_to(detached, SEL_F64, NULL, &wide));
  ASSERT_OK(sel_read(wide, values, bytes));
  sel_release(wide);
  sel_release(detached);
  return values;
}

typedef struct moments {
  double mean, variance, low, high;
} moments;

static moments moments_of(sel_tensor *t) {
  double *x = read_values(t), n = (double)sel_numel(t);
  moments m = {.low = x[0], .high = x[0]};
  for (int64_t i = 0; i < sel_numel(t); i++) {
    m.mean += x[i] / n;
    m.low = fmin(m.low, x[i]);
    m.high = fmax(m.high, x[i]);
  }
  for (int64_t i = 0; i < sel_numel(t); i++) m.variance += (x[i] - m.mean) * (x[i] - m.mean) / n;
  free(x);
  return m;
}

static void assert_uniform(sel_tensor *t, double bound) {
  moments m = moments_of(t);
  double deviation = bound / sqrt(3.0 * (double)sel_numel(t));
  ck_assert_double_le(fabs(m.mean), 5 * deviation);
  ck_assert_double_eq_tol(m.variance, bound * bound / 3, 0.02 * bound * bound);
  ck_assert(m.low >= -bound && m.high <= bound && m.high - m.low > 1.98 * bound);
}

static void assert_normal(sel_tensor *t, double std) {
  moments m = moments_of(t);
  ck_assert_double_le(fabs(m.mean), 5 * std / sqrt((double)sel_numel(t)));
  ck_assert_double_eq_tol(m.variance, std * std, 0.05 * std * std);
  ck_assert(m.high > 3 * std && m.low < -3 * std);
}

static void assert_untaped(sel_tensor *t) {
  ck_assert(sel_is_leaf(t) && sel_requires_grad(t) && sel_grad_enabled());
}

/* ---- scaled by fans ---- */

START_TEST(gain) {
  const struct {
    const char *name;
    double slope, gain;
  } gains[] = {{"linear", 0, 1},       {"sigmoid", 0, 1},
               {"tanh", 0, 5.0 / 3},   {"relu", 0, M_SQRT2},
               {"leaky_relu", 1, 1},   {"leaky_relu", 0, M_SQRT2},
               {"selu", 0, 3.0 / 4.0}, {"leaky_relu", 0.01, 1.4141428569978354}};
  double value = -1;
  for (size_t i = 0; i < sizeof gains / sizeof *gains; i++) {
    ASSERT_OK(sel_init_gain(gains[i].name, gains[i].slope, &value));
    ck_assert_double_eq_tol(value, gains[i].gain, 1e-15);
  }
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_init_gain("leakyrelu", 0, &value),
               "got 'leakyrelu'; did you mean 'leaky_relu'?");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_init_gain(NULL, 0, &value), "got NULL");
  ck_assert_double_eq_tol(value, 1.4141428569978354, 1e-15);
}
END_TEST

/* A convolution's weight: 60 outputs, 20 inputs, a kernel of 9; fans 180 and 540. */
static const int64_t conv[] = {60, 20, 3, 3};

START_TEST(fans) {
  sel_tensor *t = new_tensor(SEL_F32, 4, conv);
  sel_manual_seed(3);
  ASSERT_OK(sel_init_kaiming_uniform_(t, sqrt(5), SEL_FAN_IN, "leaky_relu"));
  assert_uniform(t, 1 / sqrt(180));
  assert_untaped(t);
  ASSERT_OK(sel_init_kaiming_uniform_(t, 0, SEL_FAN_OUT, "relu"));
  assert_uniform(t, sqrt(6.0 / 540));
  ASSERT_OK(sel_init_kaiming_normal_(t, 0, SEL_FAN_IN, "tanh"));
  assert_normal(t, 5.0 / 3 / sqrt(180));
  ASSERT_OK(sel_init_kaiming_normal_(t, 0, SEL_FAN_OUT, "relu"));
  assert_normal(t, sqrt(2.0 / 540));
  ASSERT_OK(sel_init_xavier_uniform_(t, 2));
  assert_uniform(t, 2 * sqrt(6.0 / 720));
  ASSERT_OK(sel_init_xavier_normal_(t, 1));
  assert_normal(t, sqrt(2.0 / 720));
  assert_untaped(t);
  sel_release(t);
}
END_TEST

START_TEST(reproducible) {
  sel_tensor *a = new_tensor(SEL_F64, 4, conv), *b = new_tensor(SEL_F64, 4, conv);
  sel_manual_seed(9);
  ASSERT_OK(sel_init_orthogonal_(a, 1));
  ASSERT_OK(sel_init_trunc_normal_(a, 0, 1, -2, 2));
  sel_manual_seed(9);
  ASSERT_OK(sel_init_orthogonal_(b, 1));
  ASSERT_OK(sel_init_trunc_normal_(b, 0, 1, -2, 2));
  double *x = read_values(a), *y = read_values(b);
  ck_assert(memcmp(x, y, (size_t)sel_numel(a) * sizeof *x) == 0);
  free(x);
  free(y);
  sel_release(a);
  sel_release(b);
}
END_TEST

/* ---- orthogonal ---- */

/* Rows (columns, where there are more rows) of t are orthonormal, times scale. */
static void assert_orthogonal(sel_tensor *t, double scale, double tolerance) {
  int64_t rows = sel_size(t, 0), columns = sel_numel(t) / rows;
  bool tall = rows > columns;
  int64_t count = tall ? columns : rows, length = tall ? rows : columns;
  double *x = read_values(t), worst = 0;
  for (int64_t a = 0; a < count; a++)
    for (int64_t b = 0; b <= a; b++) {
      double sum = 0;
      for (int64_t k = 0; k < length; k++)
        sum += tall ? x[k * columns + a] * x[k * columns + b]
                    : x[a * columns + k] * x[b * columns + k];
      worst = fmax(worst, fabs(sum - (a == b ? scale * scale : 0)));
    }
  ck_assert_msg(worst <= tolerance, "products are off by %g", worst);
  free(x);
}

START_TEST(orthogonal) {
  const struct {
    int ndim;
    int64_t shape[4];
  } cases[] = {{2, {1, 1}},     {2, {5, 5}},    {2, {3, 7}},        {2, {7, 3}},   {2, {1, 9}},
               {2, {150, 150}}, {2, {200, 70}}, {4, {65, 3, 5, 5}}, {3, {4, 2, 2}}};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    sel_tensor *f64 = new_tensor(SEL_F64, cases[c].ndim, cases[c].shape);
    sel_tensor *f32 = new_tensor(SEL_F32, cases[c].ndim, cases[c].shape);
    ASSERT_OK(sel_init_orthogonal_(f64, 1));
    ASSERT_OK(sel_init_orthogonal_(f32, 1.5));
    assert_orthogonal(f64, 1, 1e-14);
    assert_orthogonal(f32, 1.5, 1e-6);
    assert_untaped(f64);
    sel_release(f64);
    sel_release(f32);
  }
}
END_TEST

/* A 1 by 1 orthogonal matrix is 1 or -1, each as often: the signs are not biased. */
START_TEST(orthogonal_signs) {
  sel_tensor *t = new_tensor(SEL_F64, 2, (int64_t[]){1, 1});
  int positive = 0;
  sel_manual_seed(1);
  for (int i = 0; i < 400; i++) {
    double value;
    ASSERT_OK(sel_init_orthogonal_(t, 1));
    ASSERT_OK(sel_item(t, &value));
    positive += value > 0;
  }
  ck_assert_int_le(abs(positive - 200), 60);
  sel_release(t);
}
END_TEST

/* ---- truncated normal ---- */

static double density(double x) { return exp(-0.5 * x * x) / sqrt(2 * M_PI); }
static double mass(double low, double high) {
  return 0.5 * (erfc(low / M_SQRT2) - erfc(high / M_SQRT2));
}

/* Mean and variance of a standard normal between a and b (Johnson and Kotz 1970). */
static moments truncated(double a, double b) {
  if (b < 0) { /* in the upper tail erfc keeps its digits */
    moments mirrored = truncated(-b, -a);
    return (moments){.mean = -mirrored.mean, .variance = mirrored.variance};
  }
  double z = mass(a, b), pa = isinf(a) ? 0 : density(a), pb = isinf(b) ? 0 : density(b);
  double mean = (pa - pb) / z;
  double ends = (isinf(a) ? 0 : a * pa) - (isinf(b) ? 0 : b * pb);
  return (moments){.mean = mean, .variance = 1 + ends / z - mean * mean};
}

START_TEST(trunc_normal) {
  const double bounds[][2] = {{-2, 2}, {-1, 3},  {0, 0.1},  {-INFINITY, 0},       {1, INFINITY},
                              {5, 6},  {-9, -7}, {-20, 20}, {-INFINITY, INFINITY}};
  sel_tensor *t = new_tensor(SEL_F64, 2, (int64_t[]){200, 200});
  sel_manual_seed(2);
  for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
    double a = bounds[i][0], b = bounds[i][1], std = 0.5, mean = 3;
    ASSERT_OK(sel_init_trunc_normal_(t, mean, std, mean + std * a, mean + std * b));
    moments got = moments_of(t), expected = truncated(a, b);
    ck_assert(got.low >= mean + std * a && got.high <= mean + std * b && isfinite(got.mean));
    double spread = std * sqrt(expected.variance);
    ck_assert_msg(fabs(got.mean - mean - std * expected.mean) <= 5 * spread / 200 &&
                      fabs(got.variance - spread * spread) <= 0.05 * spread * spread,
                  "[%g, %g]: mean %g, variance %g", a, b, got.mean, got.variance);
  }
  assert_untaped(t);
  sel_release(t);
}
END_TEST

/* f32 rounds to nearest, so a value may not leave the bounds by it. */
START_TEST(trunc_normal_f32) {
  sel_tensor *t = new_tensor(SEL_F32, 1, (int64_t[]){5000});
  ASSERT_OK(sel_init_trunc_normal_(t, 0, 1, -0.5, 0.25));
  moments m = moments_of(t);
  ck_assert(m.low >= -0.5 && m.high <= 0.25);
  sel_release(t);
}
END_TEST

/* ---- refusals ---- */

START_TEST(refusals) {
  sel_tensor *vector = new_tensor(SEL_F32, 1, conv), *whole = new_tensor(SEL_I64, 2, conv);
  sel_tensor *matrix = new_tensor(SEL_F32, 2, conv), *empty;
  empty = new_tensor(SEL_F32, 2, (int64_t[]){0, 4});
  ASSERT_FAILS(SEL_E_SHAPE, sel_init_kaiming_uniform_(vector, 0, SEL_FAN_IN, "relu"),
               "kaiming_uniform: fans need a tensor of at least 2 dims", "got f32[60]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_init_xavier_normal_(vector, 1), "xavier_normal: ", "2 dims");
  ASSERT_FAILS(SEL_E_DTYPE, sel_init_xavier_uniform_(whole, 1), "got i64[60, 20]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_init_kaiming_normal_(matrix, 0, SEL_FAN_IN, "gelu"), "'gelu'");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_init_kaiming_normal_(matrix, 0, (sel_fan_mode)7, "relu"),
               "kaiming_normal: fan_in or fan_out is expected, got mode 7");
  ASSERT_FAILS(SEL_E_SHAPE, sel_init_orthogonal_(vector, 1), "orthogonal: ", "2 dims");
  ASSERT_FAILS(SEL_E_DTYPE, sel_init_trunc_normal_(whole, 0, 1, -1, 1), "trunc_normal: ");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_init_trunc_normal_(matrix, 0, 1, 1, 1), "got 1 and 1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_init_trunc_normal_(matrix, 0, 0, -1, 1), "positive std");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_init_trunc_normal_(matrix, NAN, 1, -1, 1), "finite mean");
  moments m = moments_of(matrix);
  ck_assert(m.low == 0 && m.high == 0);
  ASSERT_OK(sel_init_kaiming_uniform_(empty, 0, SEL_FAN_OUT, "relu"));
  ASSERT_OK(sel_init_orthogonal_(empty, 1));
  ASSERT_OK(sel_init_trunc_normal_(empty, 0, 1, -1, 1));
  sel_tensor *all[] = {vector, whole, matrix, empty};
  for (int i = 0; i < 4; i++) sel_release(all[i]);
}
END_TEST

static sel_status initialise(void *context) {
  sel_tensor *t = context;
  sel_status status = sel_init_orthogonal_(t, 1);
  if (status == SEL_OK) status = sel_init_trunc_normal_(t, 0, 1, -2, 2);
  return status;
}

START_TEST(out_of_memory) {
  sel_tensor *t = new_tensor(SEL_F32, 2, (int64_t[]){80, 100});
  expect_memory_errors(initialise, t);
  ck_assert(sel_grad_enabled());
  sel_release(t);
}
END_TEST

RUN_SUITE("init", gain, fans, reproducible, orthogonal, orthogonal_signs, trunc_normal,
          trunc_normal_f32, refusals, out_of_memory)
