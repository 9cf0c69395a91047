/* The cpu backend's own elementary functions of float against the C library's of double: the
 * largest error in units of the last place, over floats of all sizes and signs.
 *
 * usage: test_backends_math [STEP]     (looks at every STEP-th float)
 * Prints what it finds; backends/cpu/math_f32.h states the figures for STEP 31.
 */
#include <float.h>

#include "harness.h"

enum { SKIPPED = 77, BLOCK = 1 << 16 };
static uint64_t step = 1021; /* a prime: all exponents, all sorts of fractions */

static const struct {
  const char *name;
  int op;
  double (*reference)(double x);
  double limit; /* units of the last place */
} functions[] = {
    {"exp", SEL_PW_exp, exp, 1},      {"expm1", SEL_PW_expm1, expm1, 2},
    {"log", SEL_PW_log, log, 1.25},   {"log1p", SEL_PW_log1p, log1p, 2},
    {"tanh", SEL_PW_tanh, tanh, 1.5}, {"erf", SEL_PW_erf, erf, 1.25},
    {"sin", SEL_PW_sin, sin, 1.6},    {"cos", SEL_PW_cos, cos, 1.6},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* The distance of neighbouring floats at x. */
static double unit_at(double x) {
  const float f = fabsf((float)x);
  return f < FLT_MIN ? 0x1p-149 : ldexp(1, ilogbf(f) - 23);
}

static double error_of(float got, double wanted) {
  if (wanted != wanted) return got != got ? 0 : INFINITY;
  if (isinf((float)wanted)) return got == (float)wanted ? 0 : INFINITY;
  if (wanted == 0) return got == 0 && signbit(got) == signbit(wanted) ? 0 : INFINITY;
  return fabs(got - wanted) / unit_at(wanted);
}

START_TEST(stays_within_limits) {
  array x = vector_new(SEL_F32, BLOCK), y = vector_new(SEL_F32, BLOCK);
  upload(&y);
  double worst = 0;
  float worst_at = 0;
  for (uint64_t bits = 0; bits < UINT64_C(1) << 32;) {
    for (int i = 0; i < BLOCK; i++, bits += step)
      ((float *)x.host)[i] = float_of((uint32_t)(bits < UINT64_C(1) << 32 ? bits : 0x7f800000));
    upload(&x);
    const sel_pointwise_args args = {.op = functions[_i].op,
                                     .compute = SEL_F32,
                                     .inputs = 1,
                                     .outputs = 1,
                                     .operand = {operand_of(&x), operand_of(&y)},
                                     .ndim = 1,
                                     .numel = BLOCK,
                                     .shape = {BLOCK},
                                     .stride = {{1}, {1}}};
    must(backend->pointwise(device, &args), functions[_i].name);
    must(backend->read(device, y.host, y.buffer, 0, BLOCK * sizeof(float)), "read");
    for (int i = 0; i < BLOCK; i++) {
      const float at = ((float *)x.host)[i];
      const double error = error_of(((float *)y.host)[i], functions[_i].reference(at));
      if (error > worst) worst = error, worst_at = at;
    }
  }
  printf("%-8s %.3f at %a (%g)\n", functions[_i].name, worst, worst_at, worst_at);
  fflush(stdout);
  if (worst > functions[_i].limit)
    ck_abort_msg("%s(%a) is off by %.3f units of the last place; allowed: %g", functions[_i].name,
                 worst_at, worst, functions[_i].limit);
  array_free(&x), array_free(&y);
}
END_TEST

int main(int argc, char **argv) {
  if (argc > 1) step = strtoull(argv[1], NULL, 10);
  const sel_status status = sel_init(NULL);
  if (status != SEL_OK) {
    printf("%s\n", sel_error());
    return getenv("SELENITE_CPU_LEVEL") && strstr(sel_error(), "lacks") ? SKIPPED : 1;
  }
  for (int i = 0; (backend = sel_backend_at(i)) != NULL; i++)
    if (strcmp(backend->name, "cpu") == 0) break;
  if (!backend) return printf("no cpu backend\n"), 1;
  if (backend->device_open(0, &device) != SEL_OK) return printf("%s\n", sel_error()), 1;
  printf("%s\n", backend->device_summary(device));
  fflush(stdout);
  Suite *suite = suite_create("math");
  TCase *cases = tcase_create("math");
  tcase_set_timeout(cases, argc > 1 ? 0 : 100);
  tcase_add_loop_test(cases, stays_within_limits, 0, FUNCTIONS);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
