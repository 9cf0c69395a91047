/* Random draws: bit for bit what sel_random_args says, of every length, from every offset. */
#include "cases.h"
#include "harness.h"

/* Philox4x32-10 as in Salmon et al. 2011. */
static void philox(uint64_t seed, uint64_t counter, uint32_t word[4]) {
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  uint32_t c[4] = {(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0};
  for (int round = 0; round < 10; round++) {
    const uint64_t a = (uint64_t)c[0] * 0xD2511F53u, b = (uint64_t)c[2] * 0xCD9E8D57u;
    const uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ key[0], (uint32_t)b,
                              (uint32_t)(a >> 32) ^ c[3] ^ key[1], (uint32_t)a};
    memcpy(c, next, sizeof c);
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  memcpy(word, c, sizeof c);
}

/* The paper's test vector for counter and key 0 (Random123, kat_vectors). */
START_TEST(known_answer) {
  uint32_t word[4];
  const uint32_t wanted[4] = {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u};
  philox(0, 0, word);
  ck_assert_mem_eq(word, wanted, sizeof word);
}
END_TEST

static const uint64_t seed = 0x123456789abcdef0u;

static float unit_f32(uint64_t offset, int64_t i) {
  uint32_t w[4];
  philox(seed, offset + (uint64_t)i / 4, w);
  return (float)(w[i % 4] >> 8) * 0x1p-24f;
}

/* From words 2 half and 2 half + 1 of one counter. */
static double unit_f64(uint64_t counter, int half) {
  uint32_t w[4];
  philox(seed, counter, w);
  return ((w[2 * half] >> 5) * 0x1p26 + (w[2 * half + 1] >> 6)) * 0x1p-53;
}

static double unit(sel_dtype dtype, uint64_t offset, int64_t i) {
  return dtype == SEL_F32 ? unit_f32(offset, i) : unit_f64(offset + (uint64_t)i / 2, (int)(i % 2));
}

static double wanted(const sel_random_args *a, const array *x, int64_t i) {
  const bool f32 = a->out.dtype == SEL_F32;
  const double u = unit(a->out.dtype, a->offset, i);
  switch (a->op) {
    case SEL_RANDOM_UNIFORM: {
      if (!f32) return a->p0 + u * (a->p1 - a->p0);
      const volatile float range = (float)a->p1 - (float)a->p0, scaled = (float)u * range;
      return (float)a->p0 + scaled;
    }
    case SEL_RANDOM_NORMAL: {
      const int64_t even = i / 2 * 2;
      const double u0 = f32 ? unit_f32(a->offset, even) : unit_f64(a->offset + (uint64_t)even, 0);
      const double u1 =
          f32 ? unit_f32(a->offset, even + 1) : unit_f64(a->offset + (uint64_t)even + 1, 0);
      const double radius = sqrt(-2 * log(1 - u0)), angle = 2 * 3.14159265358979323846 * u1;
      return a->p0 + a->p1 * radius * (i % 2 ? sin(angle) : cos(angle));
    }
    case SEL_RANDOM_BERNOULLI:
      return unit_f32(a->offset, i) < (float)a->p0;
    case SEL_RANDOM_INTEGER: {
      const double r = unit_f64(a->offset + (uint64_t)i / 2, (int)(i % 2));
      return a->p0 + floor(r * (a->p1 - a->p0));
    }
    default:
      return u < (f32 ? (float)a->p0 : a->p0) ? 0 : get(x, i) * a->p1;
  }
}

static const struct {
  sel_random_op op;
  sel_dtype dtype;
  double p0, p1;
} draws[] = {
    {SEL_RANDOM_UNIFORM, SEL_F32, 0, 1},       {SEL_RANDOM_UNIFORM, SEL_F32, -0.3, 2.7},
    {SEL_RANDOM_UNIFORM, SEL_F64, -0.5, 0.25}, {SEL_RANDOM_NORMAL, SEL_F32, 0, 1},
    {SEL_RANDOM_NORMAL, SEL_F32, 0.5, 2},      {SEL_RANDOM_NORMAL, SEL_F64, -1, 0.5},
    {SEL_RANDOM_BERNOULLI, SEL_F32, 0.3, 0},   {SEL_RANDOM_BERNOULLI, SEL_F64, 0.7, 0},
    {SEL_RANDOM_INTEGER, SEL_I64, -3, 11},     {SEL_RANDOM_INTEGER, SEL_I64, 0, 1e15},
    {SEL_RANDOM_DROPOUT, SEL_F32, 0.25, 1.5},  {SEL_RANDOM_DROPOUT, SEL_F64, 0.5, 2},
};
enum { DRAWS = sizeof draws / sizeof *draws };

START_TEST(every_draw) {
  static const int64_t lengths[] = {0, 1, 2, 3, 7, 511, 512, 513, 40000};
  static const uint64_t offsets[] = {0, 5, UINT64_C(0xfffffff0)};
  for (int l = 0; l < 9; l++)
    for (int o = 0; o < 3; o++) {
      array out = array_new(draws[_i].dtype, 1, &lengths[l], OFFSET);
      array x = array_new(draws[_i].dtype, 1, &lengths[l], CONTIGUOUS);
      fill(&x, false);
      upload(&out), upload(&x);
      const sel_random_args args = {.op = draws[_i].op,
                                    .out = operand_of(&out),
                                    .x = operand_of(&x),
                                    .numel = lengths[l],
                                    .seed = seed,
                                    .offset = offsets[o],
                                    .p0 = draws[_i].p0,
                                    .p1 = draws[_i].p1};
      must(backend->random(device, &args), "random");
      download(&out);
      /* All but normals are exact. */
      const double tolerance = args.op == SEL_RANDOM_NORMAL ? 8 * epsilon(out.dtype) : 0;
      for (int64_t i = 0; i < lengths[l]; i++)
        expect_near(get(&out, i), rounded(out.dtype, wanted(&args, &x, i)), tolerance, "random", i);
      array_free(&out), array_free(&x);
    }
}
END_TEST

/* The moments of a long draw, and that a half-open range stays open. */
START_TEST(distributions) {
  const int64_t n = 400000;
  array out = vector_new(SEL_F32, n);
  upload(&out);
  sel_random_args args = {
      .op = SEL_RANDOM_NORMAL, .out = operand_of(&out), .numel = n, .seed = 42, .p0 = 3, .p1 = 2};
  must(backend->random(device, &args), "normal");
  download(&out);
  double mean = 0, square = 0;
  for (int64_t i = 0; i < n; i++) mean += get(&out, i) / (double)n;
  for (int64_t i = 0; i < n; i++) square += pow(get(&out, i) - mean, 2) / (double)n;
  expect_near(mean, 3, 0.005, "mean of normals", 0); /* five standard errors: 5 * 2 / sqrt(n) / 3 */
  expect_near(square, 4, 0.0112, "variance of normals", 0);
  args.op = SEL_RANDOM_UNIFORM, args.p0 = 16777215, args.p1 = 16777216;
  must(backend->random(device, &args), "uniform");
  download(&out);
  for (int64_t i = 0; i < n; i++) expect_near(get(&out, i), 16777215, 0, "range", i);
  array_free(&out);
}
END_TEST

TCase *random_cases(void) {
  TCase *cases = tcase_create("random");
  tcase_add_test(cases, known_answer);
  tcase_add_loop_test(cases, every_draw, 0, DRAWS);
  tcase_add_test(cases, distributions);
  return cases;
}
