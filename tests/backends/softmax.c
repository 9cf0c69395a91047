/* Softmax and log-softmax, forward and backward, with and without inner positions. */
#include "cases.h"
#include "harness.h"

static const int64_t shapes[][3] = {
    {1, 1, 1},    {5, 10, 1},   {3, 1000, 1}, {2, 7, 5}, {3, 10, 64},
    {2, 33, 130}, {500, 40, 1}, {0, 3, 2},    {2, 3, 0}, {4, 1, 70},
};

/* Element (o, i) of the line through inner position w. */
static int64_t at(const int64_t *s, int64_t o, int64_t i, int64_t w) {
  return (o * s[1] + i) * s[2] + w;
}

static double forward(const array *x, const int64_t *s, bool logarithm, int64_t o, int64_t i,
                      int64_t w) {
  double top = -INFINITY, sum = 0;
  for (int64_t k = 0; k < s[1]; k++) top = fmax(top, get(x, at(s, o, k, w)));
  for (int64_t k = 0; k < s[1]; k++) sum += exp(get(x, at(s, o, k, w)) - top);
  const double shifted = get(x, at(s, o, i, w)) - top;
  return logarithm ? shifted - log(sum) : exp(shifted) / sum;
}

static double backward(const array *y, const array *grad, const int64_t *s, bool logarithm,
                       int64_t o, int64_t i, int64_t w) {
  double sum = 0;
  for (int64_t k = 0; k < s[1]; k++) {
    const int64_t here = at(s, o, k, w);
    sum += get(grad, here) * (logarithm ? 1 : get(y, here));
  }
  const int64_t here = at(s, o, i, w);
  return logarithm ? get(grad, here) - exp(get(y, here)) * sum
                   : get(y, here) * (get(grad, here) - sum);
}

START_TEST(every_shape) {
  const int64_t *s = shapes[_i];
  const int64_t n = s[0] * s[1] * s[2];
  seed_numbers((uint64_t)_i);
  for (int bits = 0; bits < 8; bits++) {
    const bool logarithm = bits & 1, is_backward = bits & 2;
    const sel_dtype dtype = bits & 4 ? SEL_F64 : SEL_F32;
    if (!tested_dtype(dtype)) continue;
    char what[96];
    snprintf(what, sizeof what, "%ssoftmax %s %s %lld x %lld x %lld", logarithm ? "log_" : "",
             is_backward ? "backward" : "forward", sel_dtype_name(dtype), (long long)s[0],
             (long long)s[1], (long long)s[2]);
    array x = array_new(dtype, 1, &n, OFFSET), grad = array_new(dtype, 1, &n, OFFSET);
    array out = array_new(dtype, 1, &n, OFFSET), y = array_new(dtype, 1, &n, OFFSET);
    fill(&x, false), fill(&grad, false);
    for (int64_t i = 0; i < n; i += 3) set(&x, i, get(&x, i) + (i % 2 ? 500 : -500));
    for (int64_t o = 0; o < s[0]; o++)
      for (int64_t i = 0; i < s[1]; i++)
        for (int64_t w = 0; w < s[2]; w++)
          set(&y, at(s, o, i, w), forward(&x, s, logarithm, o, i, w));
    upload(&x), upload(&grad), upload(&out), upload(&y);
    const sel_softmax_args args = {.log = logarithm,
                                   .backward = is_backward,
                                   .x = operand_of(is_backward ? &y : &x),
                                   .grad = operand_of(&grad),
                                   .out = operand_of(&out),
                                   .outer = s[0],
                                   .extent = s[1],
                                   .inner = s[2]};
    must(backend->softmax(device, &args), what);
    download(&out);
    for (int64_t o = 0; o < s[0]; o++)
      for (int64_t i = 0; i < s[1]; i++)
        for (int64_t w = 0; w < s[2]; w++) {
          const double wanted = is_backward ? backward(&y, &grad, s, logarithm, o, i, w)
                                            : forward(&x, s, logarithm, o, i, w);
          expect_near(get(&out, at(s, o, i, w)), wanted, 8 * sqrt((double)s[1]) * epsilon(dtype),
                      what, at(s, o, i, w));
        }
    array_free(&x), array_free(&grad), array_free(&out), array_free(&y);
  }
}
END_TEST

/* -inf is probability 0; a row with NaN, with +inf, or of -inf alone is NaN. */
START_TEST(special_values) {
  enum { N = 5 };
  static const double rows[4][N] = {{1, -INFINITY, 1, -INFINITY, -INFINITY},
                                    {1, NAN, 2, 3, 4},
                                    {INFINITY, 1, 2, 3, 4},
                                    {-INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY}};
  for (int bits = 0; bits < 4; bits++) {
    const sel_dtype dtype = bits & 1 ? SEL_F64 : SEL_F32;
    if (!tested_dtype(dtype)) continue;
    const int64_t inner = bits & 2 ? 2 : 1; /* both walks; the second line is plain */
    array x = vector_new(dtype, 4 * N * inner), out = vector_new(dtype, 4 * N * inner);
    for (int64_t i = 0; i < 4 * N; i++)
      for (int64_t w = 0; w < inner; w++) set(&x, i * inner + w, w ? 1 : rows[i / N][i % N]);
    upload(&x), upload(&out);
    const sel_softmax_args args = {
        .x = operand_of(&x), .out = operand_of(&out), .outer = 4, .extent = N, .inner = inner};
    must(backend->softmax(device, &args), "softmax");
    download(&out);
    for (int64_t i = 0; i < N; i++) {
      expect_near(get(&out, i * inner), i == 0 || i == 2 ? 0.5 : 0, epsilon(dtype), "masked row",
                  i);
      expect_near(get(&out, (N + i) * inner), NAN, 0, "row with NaN", i);
      expect_near(get(&out, (3 * N + i) * inner), NAN, 0, "row of -inf", i);
    }
    expect_near(get(&out, 2 * N * inner), NAN, 0, "row with +inf", 0);
    array_free(&x), array_free(&out);
  }
}
END_TEST

TCase *softmax_cases(void) {
  TCase *cases = tcase_create("softmax");
  tcase_add_loop_test(cases, every_shape, 0, 10);
  tcase_add_test(cases, special_values);
  return cases;
}
