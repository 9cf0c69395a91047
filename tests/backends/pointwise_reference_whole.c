/* Integer rows of SEL_POINTWISE in int64_t: see pointwise_reference.h. */
#include "pointwise_reference.h"

typedef int64_t T;
#define K(x) ((int64_t)(x))
#define FLOOR_DIV floor_division
#define FLOOR_MOD floor_remainder

static int64_t floor_division(int64_t a, int64_t b) {
  if (b == 0) return 0;
  int64_t quotient = a / b;
  while (quotient * b > a && b > 0) quotient--;
  while (quotient * b < a && b < 0) quotient--;
  return quotient;
}

static int64_t floor_remainder(int64_t a, int64_t b) {
  return b == 0 ? 0 : a - floor_division(a, b) * b;
}

#define ROW(name, ...)                                                                 \
  static int64_t row_##name(int64_t a, int64_t b, int64_t c, int64_t s0, int64_t s1) { \
    (void)a, (void)b, (void)c, (void)s0, (void)s1;                                     \
    return (__VA_ARGS__);                                                              \
  }
#define ENTRY(name) [SEL_PW_##name] = row_##name,
#define NONE(...)
#define DEFINE_F NONE
#define DEFINE_P NONE
#define DEFINE_N ROW
#define DEFINE_A ROW
#define DEFINE_W ROW
#define DEFINE_C ROW
#define LIST_F NONE
#define LIST_P NONE
#define LIST_N ENTRY
#define LIST_A ENTRY
#define LIST_W ENTRY
#define LIST_C ENTRY

#define DEFINE(kind, name, types, ...) DEFINE_##types(name, __VA_ARGS__)
SEL_POINTWISE(DEFINE)

#define LIST(kind, name, types, ...) LIST_##types(name)
whole_row *const whole_rows[SEL_PW_COUNT] = {SEL_POINTWISE(LIST)};
