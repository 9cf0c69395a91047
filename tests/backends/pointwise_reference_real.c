/* Float rows of SEL_POINTWISE in double: see pointwise_reference.h. */
#include <math.h>

#include "pointwise_reference.h"

typedef double T;
#define K(x) ((double)(x))
#define EXP exp
#define EXPM1 expm1
#define LOG log
#define LOG1P log1p
#define LOG2 log2
#define LOG10 log10
#define TANH tanh
#define ERF erf
#define SIN sin
#define COS cos
#define TAN tan
#define ASIN asin
#define ACOS acos
#define ATAN atan
#define ATAN2 atan2
#define SINH sinh
#define COSH cosh
#define POW pow
#define SQRT sqrt
#define RSQRT(x) (1 / sqrt(x))
#define FLOOR floor
#define CEIL ceil
#define RINT nearbyint
#define TRUNC trunc
#define FABS fabs
#define FLOOR_DIV floor_division
#define FLOOR_MOD floor_remainder

static double floor_remainder(double a, double b) {
  const double r = fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* fmod is exact, so the quotient is whole but for rounding. */
static double floor_division(double a, double b) {
  if (b == 0) return a / b;
  return nearbyint((a - fmod(a, b)) / b - (floor_remainder(a, b) != fmod(a, b)));
}

#define DEFINE(kind, name, types, ...)                                           \
  static double row_##name(double a, double b, double c, double s0, double s1) { \
    (void)a, (void)b, (void)c, (void)s0, (void)s1;                               \
    return (__VA_ARGS__);                                                        \
  }
SEL_POINTWISE(DEFINE)

#define ENTRY(kind, name, types, ...) [SEL_PW_##name] = row_##name,
real_row *const real_rows[SEL_PW_COUNT] = {SEL_POINTWISE(ENTRY)};
