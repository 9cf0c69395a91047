/* Random draws: exact values against a Philox of our own, which is checked against published ones;
 * statistics with fixed seeds; the generator's state; refusals. */
#include "differences.h"

/* ---- the reference ---- */

typedef struct words {
  uint32_t w[4];
} words;

/* Philox4x32-10 as in the paper: multiply, exchange, bump the key. */
static words philox(uint64_t seed, const uint32_t counter[4]) {
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  words x = {{counter[0], counter[1], counter[2], counter[3]}};
  for (int round = 0; round < 10; round++) {
    uint64_t left = 0xD2511F53ull * x.w[0], right = 0xCD9E8D57ull * x.w[2];
    x = (words){{(uint32_t)(right >> 32) ^ x.w[1] ^ key[0], (uint32_t)right,
                 (uint32_t)(left >> 32) ^ x.w[3] ^ key[1], (uint32_t)left}};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return x;
}

static words at_counter(uint64_t seed, uint64_t counter) {
  return philox(seed, (uint32_t[]){(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0});
}

static uint64_t seed = 0x123456789abcdefull,
                start = 0xfffffffe; /* the counter's low word overflows */

static void begin(void) { sel_generator_set(&(sel_generator){.seed = seed, .offset = start}); }

static uint64_t counters_used(void) {
  sel_generator now;
  sel_generator_get(&now);
  ck_assert_uint_eq(now.seed, seed);
  return now.offset - start;
}

/* Element i of a draw: one word an element, or two. */
static double unit24(int64_t i) {
  return (double)(at_counter(seed, start + (uint64_t)i / 4).w[i % 4] >> 8) * 0x1p-24;
}
static double unit53(int64_t i) {
  words x = at_counter(seed, start + (uint64_t)i / 2);
  const uint32_t *w = x.w + 2 * (i % 2);
  return ((double)(w[0] >> 5) * 0x1p26 + (double)(w[1] >> 6)) * 0x1p-53;
}

START_TEST(published_values) {
  /* from the test vectors of Random123, the authors' own implementation */
  words zero = philox(0, (uint32_t[]){0, 0, 0, 0});
  ck_assert_uint_eq(zero.w[0], 0x6627e8d5);
  ck_assert_uint_eq(zero.w[1], 0xe169c58d);
  ck_assert_uint_eq(zero.w[2], 0xbc57ac4c);
  ck_assert_uint_eq(zero.w[3], 0x9b00dbd8);
  words pi =
      philox(0x299f31d0a4093822ull, (uint32_t[]){0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344});
  ck_assert_uint_eq(pi.w[0], 0xd16cfe09);
  ck_assert_uint_eq(pi.w[1], 0x94fdcceb);
  ck_assert_uint_eq(pi.w[2], 0x5001e420);
  ck_assert_uint_eq(pi.w[3], 0x24126ea1);

  sel_manual_seed(0);
  sel_tensor *t = NEW(empty, SHAPE(4), SEL_F32, NULL);
  ASSERT_OK(sel_uniform_(t, 0, 1));
  ASSERT_TENSOR(t, "f32[4]", 0x6627e8 * 0x1p-24, 0xe169c5 * 0x1p-24, 0xbc57ac * 0x1p-24,
                0x9b00db * 0x1p-24);
}
END_TEST

/* ---- exact values ---- */

enum { N = 1027 }; /* more than a block of any kernel, and no multiple of 4 */

static sel_tensor *target(sel_dtype dtype) { return NEW(zeros, SHAPE(N), dtype, NULL); }

START_TEST(uniform_values) {
  sel_tensor *f32 = target(SEL_F32), *f64 = target(SEL_F64);
  begin();
  ASSERT_OK(sel_uniform_(f32, -2, 6));
  ck_assert_uint_eq(counters_used(), (N + 3) / 4);
  begin();
  ASSERT_OK(sel_uniform_(f64, -2, 6));
  ck_assert_uint_eq(counters_used(), (N + 1) / 2);
  for (int64_t i = 0; i < N; i++) {
    ck_assert_double_eq(element_of(f32, i), (double)(-2.0f + (float)unit24(i) * 8.0f));
    ck_assert_double_eq(element_of(f64, i), -2 + unit53(i) * 8);
  }
}
END_TEST

START_TEST(normal_values) {
  sel_tensor *f32 = target(SEL_F32), *f64 = target(SEL_F64);
  begin();
  ASSERT_OK(sel_normal_(f32, 3, 2));
  ck_assert_uint_eq(counters_used(), (N + 3) / 4);
  begin();
  ASSERT_OK(sel_normal_(f64, 3, 2));
  ck_assert_uint_eq(counters_used(), N + 1);
  for (int64_t i = 0; i < N; i++) {
    double radius = sqrt(-2 * log(1 - unit24(i & ~1))), angle = 2 * M_PI * unit24(i | 1);
    double expected = 3 + 2 * radius * (i % 2 ? sin(angle) : cos(angle));
    ck_assert_msg(near(element_of(f32, i), expected, 2e-6), "element %d: expected %g, got %g",
                  (int)i, expected, element_of(f32, i));
    /* f64: each counter's first two words make a number, two numbers a pair */
    radius = sqrt(-2 * log(1 - unit53(2 * (i & ~1))));
    angle = 2 * M_PI * unit53(2 * (i | 1));
    expected = 3 + 2 * radius * (i % 2 ? sin(angle) : cos(angle));
    ck_assert_msg(near(element_of(f64, i), expected, 1e-13), "element %d: expected %g, got %g",
                  (int)i, expected, element_of(f64, i));
  }
}
END_TEST

START_TEST(bernoulli_values) {
  for (sel_dtype d = 0; d < SEL_DTYPE_COUNT; d++) {
    sel_tensor *t = target(d);
    begin();
    ASSERT_OK(sel_bernoulli_(t, 0.3));
    ck_assert_uint_eq(counters_used(), (N + 3) / 4);
    for (int64_t i = 0; i < N; i++)
      ck_assert_double_eq(element_of(t, i), (float)unit24(i) < 0.3f ? 1 : 0);
  }
  sel_tensor *t = target(SEL_F32);
  ASSERT_OK(sel_bernoulli_(t, 1));
  ck_assert_double_eq(item(NEW(sum, t, 0, NULL, false)), N);
  ASSERT_OK(sel_bernoulli_(t, 0));
  ck_assert_double_eq(item(NEW(sum, t, 0, NULL, false)), 0);
}
END_TEST

START_TEST(integer_values) {
  for (sel_dtype d = 0; d < SEL_DTYPE_COUNT; d++) {
    bool small = d == SEL_U8 || d == SEL_BOOL;
    int64_t low = small ? 0 : -5, high = d == SEL_BOOL ? 2 : 12;
    sel_tensor *t = target(d);
    begin();
    ASSERT_OK(sel_randint_(t, low, high));
    ck_assert_uint_eq(counters_used(), (N + 1) / 2);
    for (int64_t i = 0; i < N; i++)
      ck_assert_double_eq(element_of(t, i), (double)low + floor(unit53(i) * (double)(high - low)));
  }
  sel_tensor *t = target(SEL_I32);
  ASSERT_OK(sel_randint_(t, INT32_MIN, (int64_t)INT32_MAX + 1));
  ASSERT_OK(sel_randint_(t, 7, 8));
  ck_assert_double_eq(item(NEW(sum, t, 0, NULL, false)), 7 * N);
}
END_TEST

/* f16 and bf16 are rounded f32; what rounds to `high` becomes `low`. */
START_TEST(half_values) {
  static const sel_dtype halves[] = {SEL_F16, SEL_BF16};
  for (int d = 0; d < 2; d++) {
    sel_tensor *t = target(halves[d]), *f32 = target(SEL_F32);
    begin();
    ASSERT_OK(sel_normal_(t, 0, 1));
    begin();
    ASSERT_OK(sel_normal_(f32, 0, 1));
    ASSERT_SAME(t, NEW(to, f32, halves[d], NULL));
    begin();
    ASSERT_OK(sel_uniform_(t, 1, 2));
    begin();
    ASSERT_OK(sel_uniform_(f32, 1, 2));
    ck_assert_double_lt(item(NEW(amax, t, 0, NULL, false)), 2);
    int rounded_up = 0;
    sel_tensor *narrow = NEW(to, f32, halves[d], NULL);
    for (int64_t i = 0; i < N; i++) {
      bool up = element_of(narrow, i) >= 2;
      rounded_up += up;
      ck_assert_double_eq(element_of(t, i), up ? 1 : element_of(narrow, i));
    }
    if (halves[d] == SEL_BF16) ck_assert_int_gt(rounded_up, 0);
  }
}
END_TEST

START_TEST(strided_targets) {
  sel_tensor *whole = NEW(zeros, SHAPE(4, 6), SEL_F32, NULL);
  sel_tensor *view = NEW(transpose, NEW(slice, whole, 1, 1, 6, 2), 0, 1);
  sel_tensor *packed = NEW(zeros, SHAPE(3, 4), SEL_F32, NULL);
  int64_t version = sel_tensor_version(whole);
  begin();
  ASSERT_OK(sel_uniform_(view, 0, 1));
  begin();
  ASSERT_OK(sel_uniform_(packed, 0, 1));
  ASSERT_SAME(view, packed);
  ck_assert_int_eq(sel_tensor_version(whole), version + 1);
  for (int64_t i = 0; i < 24; i += 2) ck_assert_double_eq(element_of(whole, i), 0);
  sel_tensor *ids = NEW(zeros, SHAPE(3, 4), SEL_I32, NULL), *across = NEW(transpose, ids, 0, 1);
  ASSERT_OK(sel_randint_(across, 1, 3));
  ck_assert_double_eq(item(NEW(amin, ids, 0, NULL, false)), 1);

  begin();
  sel_tensor *empty = NEW(empty, SHAPE(0, 3), SEL_F32, NULL);
  ASSERT_OK(sel_uniform_(empty, 0, 1));
  ASSERT_OK(sel_normal_(empty, 0, 1));
  ck_assert_uint_eq(counters_used(), 0);
  sel_tensor *number = NEW(empty, SHAPE(), SEL_F64, NULL);
  ASSERT_OK(sel_uniform_(number, 0, 1));
  ck_assert_double_eq(item(number), unit53(0));
}
END_TEST

/* ---- the generator ---- */

START_TEST(draws_go_on) {
  sel_tensor *first = target(SEL_F32), *second = target(SEL_F32), *again = target(SEL_F32);
  begin();
  ASSERT_OK(sel_uniform_(first, 0, 1));
  sel_generator between;
  sel_generator_get(&between);
  ASSERT_OK(sel_uniform_(second, 0, 1));
  ck_assert_double_ne(element_of(first, 0), element_of(second, 0));
  sel_generator_set(&between);
  ASSERT_OK(sel_uniform_(again, 0, 1));
  ASSERT_SAME(second, again);
  sel_manual_seed(3);
  ASSERT_OK(sel_uniform_(first, 0, 1));
  sel_manual_seed(3);
  ASSERT_OK(sel_uniform_(again, 0, 1));
  ASSERT_SAME(first, again);
  sel_manual_seed(4);
  ASSERT_OK(sel_uniform_(again, 0, 1));
  ck_assert_double_ne(element_of(first, 0), element_of(again, 0));
}
END_TEST

/* ---- statistics: bounds are at least 5 standard deviations wide ---- */

enum { MANY = 200000 };

static void check_moments(const sel_tensor *t, double mean, double variance, double deviation4) {
  sel_tensor *wide = NEW(to, (sel_tensor *)(uintptr_t)t, SEL_F64, NULL);
  double got_mean = item(NEW(mean, wide, 0, NULL, false));
  double got_variance = item(NEW(var, wide, 0, NULL, 1, false));
  ck_assert_double_le(fabs(got_mean - mean), 5 * sqrt(variance / MANY));
  ck_assert_double_le(fabs(got_variance - variance), 5 * sqrt(deviation4 / MANY));
  /* neighbours don't know of each other */
  sel_tensor *centred = NEW(sub_scalar, wide, mean);
  for (int64_t lag = 1; lag <= 4; lag++) {
    sel_tensor *a = NEW(narrow, centred, 0, 0, MANY - lag),
               *b = NEW(narrow, centred, 0, lag, MANY - lag);
    double covariance = item(NEW(mean, NEW(mul, a, b), 0, NULL, false));
    ck_assert_double_le(fabs(covariance), 5 * variance / sqrt(MANY));
  }
}

START_TEST(moments) {
  static const sel_dtype dtypes[] = {SEL_F32, SEL_F64};
  sel_manual_seed(1);
  for (int d = 0; d < 2; d++) {
    sel_tensor *t = NEW(empty, SHAPE(MANY), dtypes[d], NULL);
    ASSERT_OK(sel_uniform_(t, -1, 3));
    ck_assert_double_ge(item(NEW(amin, t, 0, NULL, false)), -1);
    ck_assert_double_lt(item(NEW(amax, t, 0, NULL, false)), 3);
    check_moments(t, 1, 16.0 / 12, 256.0 / 180); /* fourth moment minus variance squared */
    ASSERT_OK(sel_normal_(t, -1, 3));
    check_moments(t, -1, 9, 162);
    double beyond = 0; /* 2 sigma on either side: 4.55 % */
    sel_tensor *far = NEW(gt_scalar, NEW(abs, NEW(add_scalar, t, 1)), 6);
    beyond = item(NEW(sum, far, 0, NULL, false)) / MANY;
    ck_assert_double_le(fabs(beyond - 0.0455), 5 * sqrt(0.0455 / MANY));
    ASSERT_OK(sel_bernoulli_(t, 0.2));
    check_moments(t, 0.2, 0.16, 0.16 * (1 - 4 * 0.16));
  }
}
END_TEST

/* sum (seen - expected)^2 / expected */
static double chi_square(const int64_t *seen, const double *expected, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++)
    sum += ((double)seen[i] - expected[i]) * ((double)seen[i] - expected[i]) / expected[i];
  return sum;
}

START_TEST(even_integers) {
  sel_manual_seed(2);
  sel_tensor *t = NEW(empty, SHAPE(MANY), SEL_I64, NULL);
  ASSERT_OK(sel_randint_(t, 10, 20));
  int64_t seen[10] = {0}, *values = malloc(MANY * sizeof *values);
  double expected[10];
  ASSERT_OK(sel_read(t, values, MANY * sizeof *values));
  for (int i = 0; i < MANY; i++) {
    ck_assert(values[i] >= 10 && values[i] < 20);
    seen[values[i] - 10]++;
  }
  free(values);
  for (int i = 0; i < 10; i++) expected[i] = MANY / 10.0;
  ck_assert_double_le(chi_square(seen, expected, 10), 33.7); /* 9 degrees: probability 1e-4 */
}
END_TEST

START_TEST(orders) {
  sel_manual_seed(5);
  for (int64_t n = 0; n < 40; n += 13) {
    sel_tensor *order = NEW(randperm, n, NULL);
    char text[64], expected[64];
    snprintf(expected, sizeof expected, "i64[%d]", (int)n);
    ck_assert_str_eq(sel_describe(order, text, sizeof text), expected);
    bool seen[40] = {false};
    for (int64_t i = 0; i < n; i++) {
      int64_t value = (int64_t)element_of(order, i);
      ck_assert(value >= 0 && value < n && !seen[value]);
      seen[value] = true;
    }
  }
  int64_t counts[6] = {0};
  double expected[6];
  for (int i = 0; i < 6000; i++) {
    sel_tensor *order = NEW(randperm, 3, NULL);
    int a = (int)element_of(order, 0), b = (int)element_of(order, 1);
    counts[2 * a + (b > 3 - a - b)]++;
    release_kept(0);
  }
  for (int i = 0; i < 6; i++) expected[i] = 1000;
  ck_assert_double_le(chi_square(counts, expected, 6), 25.7); /* 5 degrees: 1e-4 */
  sel_manual_seed(9);
  sel_tensor *first = NEW(randperm, 10, NULL);
  sel_generator now;
  sel_generator_get(&now);
  ck_assert_uint_gt(now.offset, 0);
  sel_manual_seed(9);
  ASSERT_SAME(first, NEW(randperm, 10, NULL));
  sel_tensor *out = NULL;
  ASSERT_FAILS(SEL_E_SHAPE, sel_randperm(-1, NULL, &out), "randperm", "-1");
}
END_TEST

/* ---- multinomial ---- */

START_TEST(draws_by_weight) {
  static const double weights[5] = {0, 1, 0, 3, 4};
  sel_tensor *w = tensor_of(SEL_F32, SHAPE(5), 5, weights);
  sel_manual_seed(6);
  sel_tensor *t = NEW(multinomial, w, MANY);
  int64_t seen[5] = {0}, *ids = malloc(MANY * sizeof *ids);
  ASSERT_OK(sel_read(t, ids, MANY * sizeof *ids));
  for (int i = 0; i < MANY; i++) seen[ids[i]]++;
  free(ids);
  ck_assert_int_eq(seen[0] + seen[2], 0);
  int64_t positive[3] = {seen[1], seen[3], seen[4]};
  const double expected[3] = {MANY / 8.0, MANY * 3 / 8.0, MANY / 2.0};
  ck_assert_double_le(chi_square(positive, expected, 3), 18.4); /* 2 degrees: 1e-4 */

  /* exact, by rows, from weights of any layout and float dtype */
  sel_tensor *rows = TENSOR(SEL_F64, SHAPE(2, 3), 1, 1, 2, 0, 5, 5);
  begin();
  sel_tensor *drawn = NEW(multinomial, rows, 3);
  ck_assert_uint_eq(counters_used(), 3);
  for (int64_t i = 0; i < 6; i++) {
    double u = unit53(i);
    int64_t id = i < 3 ? (u < 0.25 ? 0 : u < 0.5 ? 1 : 2) : (u < 0.5 ? 1 : 2);
    ck_assert_double_eq(element_of(drawn, i), (double)id);
  }
  begin();
  sel_tensor *turned = NEW(transpose, NEW(contiguous, NEW(transpose, rows, 0, 1)), 0, 1);
  ASSERT_SAME(drawn, NEW(multinomial, NEW(to, turned, SEL_F16, NULL), 3));
  char text[64];
  ck_assert_str_eq(sel_describe(NEW(multinomial, rows, 0), text, sizeof text), "i64[2, 0]");
  ck_assert_str_eq(
      sel_describe(NEW(multinomial, NEW(ones, SHAPE(0, 3), SEL_F32, NULL), 2), text, sizeof text),
      "i64[0, 2]");
}
END_TEST

START_TEST(refused_weights) {
  sel_tensor *out = NULL;
  begin();
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_multinomial(TENSOR(SEL_F32, SHAPE(2), 1, -1), 3, &out),
               "multinomial", "-1", "class 1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_multinomial(TENSOR(SEL_F32, SHAPE(2), NAN, 1), 3, &out), "nan");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_multinomial(TENSOR(SEL_F32, SHAPE(2), INFINITY, 1), 3, &out),
               "inf");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_multinomial(TENSOR(SEL_F32, SHAPE(2, 2), 1, 1, 0, 0), 3, &out),
               "multinomial", "row 1", "sum to 0");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_multinomial(NEW(ones, SHAPE(0), SEL_F32, NULL), 3, &out),
               "multinomial", "sum to 0");
  ASSERT_FAILS(SEL_E_SHAPE, sel_multinomial(NEW(ones, SHAPE(1, 2, 2), SEL_F32, NULL), 3, &out),
               "multinomial", "[rows, classes]", "f32[1, 2, 2]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_multinomial(NEW(ones, SHAPE(2), SEL_F32, NULL), -1, &out),
               "multinomial");
  ASSERT_FAILS(SEL_E_DTYPE, sel_multinomial(NEW(ones, SHAPE(2), SEL_I64, NULL), 1, &out),
               "multinomial", "i64");
  ck_assert_uint_eq(counters_used(), 0);
  ck_assert_ptr_null(out);
}
END_TEST

/* ---- dropout ---- */

START_TEST(dropout_values) {
  static const sel_dtype dtypes[] = {SEL_F32, SEL_F64, SEL_F16};
  for (int d = 0; d < 3; d++) {
    bool wide = dtypes[d] == SEL_F64;
    sel_tensor *x = leaf(NEW(full, SHAPE(N), 3, dtypes[d], NULL));
    begin();
    sel_tensor *y = NEW(dropout, x, 0.25);
    ck_assert_uint_eq(counters_used(), wide ? (N + 1) / 2 : (N + 3) / 4);
    for (int64_t i = 0; i < N; i++)
      ck_assert_double_eq(element_of(y, i), (wide ? unit53(i) : unit24(i)) < 0.25 ? 0 : 4);
    /* the gradient passes where the value did, also after other draws */
    ASSERT_OK(sel_uniform_(target(SEL_F32), 0, 1));
    sel_tensor *sum = NEW(sum, y, 0, NULL, false);
    ASSERT_OK(sel_backward(1, &sum, NULL, false, false));
    sel_tensor *scaled = NEW(mul_scalar, NEW(detach, y), 1.0 / 3);
    for (int64_t i = 0; i < N; i++)
      ck_assert(near(element_of(sel_grad_of(x), i), element_of(scaled, i), 1e-3));
  }
  sel_tensor *x = some_tensor(SEL_F32, -1, 1, 1, SHAPE(4, 5));
  begin();
  ck_assert_ptr_eq(NEW(dropout, x, 0), x);
  ck_assert_uint_eq(counters_used(), 0);
  sel_tensor *none = NEW(dropout, TENSOR(SEL_F32, SHAPE(3), 1, INFINITY, -2), 1);
  ASSERT_TENSOR(none, "f32[3]", 0, 0, 0);
  begin();
  sel_tensor *strided = NEW(dropout, NEW(transpose, x, 0, 1), 0.5);
  begin();
  ASSERT_SAME(strided, NEW(dropout, NEW(contiguous, NEW(transpose, x, 0, 1)), 0.5));
  ck_assert_int_eq(sel_numel(NEW(dropout, NEW(ones, SHAPE(0), SEL_F32, NULL), 0.5)), 0);

  sel_tensor *out = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_dropout(x, 1.5, &out), "dropout", "0 to 1", "1.5");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_dropout(x, -0.1, &out), "dropout", "-0.1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_dropout(x, NAN, &out), "dropout", "nan");
  ASSERT_FAILS(SEL_E_DTYPE, sel_dropout(NEW(ones, SHAPE(2), SEL_I64, NULL), 0.5, &out), "dropout",
               "i64");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_dropout(NEW(scalar, 2), 0.5, &out), "dropout", "the number 2");
}
END_TEST

/* The same draw in every call, so that differences see one function. */
static sel_tensor *dropped(sel_tensor *const *in) {
  sel_manual_seed(8);
  return NEW(square, NEW(dropout, NEW(transpose, in[0], 0, 1), 0.4));
}

START_TEST(dropout_gradients) {
  CHECK_GRADIENTS(dropped, some_tensor(SEL_F64, -1, 1, 1, SHAPE(3, 4)));
}
END_TEST

/* ---- writing in place ---- */

START_TEST(random_fills_and_the_tape) {
  sel_tensor *w = leaf(NEW(ones, SHAPE(2, 2), SEL_F32, NULL));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_uniform_(w, 0, 1), "uniform_", "leaf", "no_grad");
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_normal_(w, 0, 1), "normal_", "no_grad");
  sel_set_grad_enabled(false);
  ASSERT_OK(sel_uniform_(w, 0, 1));
  sel_set_grad_enabled(true);

  /* what is overwritten has no influence any more */
  sel_tensor *y = NEW(mul_scalar, w, 2), *grad = NULL;
  ASSERT_OK(sel_uniform_(y, 0, 1));
  sel_tensor *sum = NEW(sum, y, 0, NULL, false);
  ASSERT_OK(sel_grad(1, &sum, NULL, 1, &w, false, false, true, &grad));
  ck_assert_ptr_null(grad);

  /* what backward needs is not overwritten unseen */
  sel_tensor *x = NEW(ones, SHAPE(2, 2), SEL_F32, NULL), *product = NEW(mul, w, x);
  ASSERT_OK(sel_normal_(x, 0, 1));
  sum = NEW(sum, product, 0, NULL, false);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &sum, NULL, false, false), "'mul'", "normal_");
}
END_TEST

START_TEST(refused_fills) {
  sel_tensor *t = NEW(zeros, SHAPE(2), SEL_F32, NULL), *ids = NEW(zeros, SHAPE(2), SEL_I64, NULL);
  sel_tensor *wide = NEW(expand, NEW(zeros, SHAPE(1), SEL_F32, NULL), SHAPE(3));
  begin();
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_uniform_(t, 2, 1), "uniform_", "low <= high", "2 and 1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_uniform_(t, 0, INFINITY), "uniform_", "finite");
  ASSERT_FAILS(SEL_E_DTYPE, sel_uniform_(ids, 0, 1), "uniform_", "float", "i64");
  ASSERT_FAILS(SEL_E_DTYPE, sel_normal_(ids, 0, 1), "normal_", "float", "i64");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_normal_(t, 0, -1), "normal_", "-1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_normal_(t, 0, NAN), "normal_", "nan");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_bernoulli_(t, 1.5), "bernoulli_", "0 to 1", "1.5");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_randint_(ids, 3, 3), "randint_", "low < high", "3 and 3");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_randint_(NEW(zeros, SHAPE(2), SEL_U8, NULL), 0, 257), "randint_",
               "0 to 256", "0 to 255", "u8");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_randint_(NEW(zeros, SHAPE(2), SEL_U8, NULL), -1, 3), "randint_",
               "-1");
  ASSERT_FAILS(SEL_E_ARGUMENT,
               sel_randint_(NEW(zeros, SHAPE(2), SEL_I32, NULL), 0, (int64_t)1 << 32), "randint_",
               "i32");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_randint_(NEW(zeros, SHAPE(2), SEL_F16, NULL), 0, 5000),
               "randint_", "f16");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_randint_(ids, 0, (int64_t)1 << 60), "randint_", "i64");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_uniform_(wide, 0, 1), "uniform_", "share memory", "f32[3]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_uniform_(NEW(scalar, 1), 0, 1), "uniform_", "the number 1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_bernoulli_(NULL, 0.5), "bernoulli_", "NULL");
  ck_assert_uint_eq(counters_used(), 0);
  ck_assert_int_eq(sel_tensor_version(t), 0);
}
END_TEST

/* ---- no memory ---- */

static sel_status draw_all(void *context) {
  sel_tensor **in = context, *out[3] = {NULL};
  sel_status status = sel_uniform_(in[0], 0, 1);
  if (status == SEL_OK) status = sel_randint_(in[0], 0, 5);
  if (status == SEL_OK) status = sel_randperm(100, NULL, &out[0]);
  if (status == SEL_OK) status = sel_multinomial(in[1], 7, &out[1]);
  if (status == SEL_OK) status = sel_dropout(in[1], 0.5, &out[2]);
  for (int i = 0; i < 3; i++) sel_release(out[i]);
  return status;
}

START_TEST(without_memory) {
  sel_tensor *wide = NEW(zeros, SHAPE(3, 8), SEL_F16, NULL);
  sel_tensor *in[] = {NEW(transpose, wide, 0, 1), leaf(NEW(ones, SHAPE(2, 5), SEL_F16, NULL))};
  expect_memory_errors(draw_all, in);
}
END_TEST

TENSOR_SUITE("random", published_values, uniform_values, normal_values, bernoulli_values,
             integer_values, half_values, strided_targets, draws_go_on, moments, even_integers,
             orders, draws_by_weight, refused_weights, dropout_values, dropout_gradients,
             random_fills_and_the_tape, refused_fills, without_memory)
