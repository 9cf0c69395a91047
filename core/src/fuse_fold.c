/* Rows of SEL_POINTWISE on three numbers, in double: what constants of expressions are folded with.
 */
#include <math.h>

#include "fuse_graph.h"

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
#define RINT rint
#define TRUNC trunc
#define FABS fabs
#define FLOOR_DIV floor_divide
#define FLOOR_MOD floor_mod

static double floor_mod(double a, double b) {
  const double remainder = fmod(a, b);
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder;
}
static double floor_divide(double a, double b) {
  return b == 0 ? a / b : rint((a - floor_mod(a, b)) / b);
}

#define NUMBERS double a, double b, double c
#define FOLD(name, ...)                \
  static double fold_##name(NUMBERS) { \
    (void)a, (void)b, (void)c;         \
    return __VA_ARGS__;                \
  }

/* Rows of other kinds have parameters or serve gradients. */
#define FOLD_U(...) FOLD(__VA_ARGS__)
#define FOLD_B(...) FOLD(__VA_ARGS__)
#define FOLD_T(...) FOLD(__VA_ARGS__)
#define FOLD_U1(...)
#define FOLD_U2(...)
#define FOLD_B1(...)
#define FOLD_T1(...)
#define FOLD_GB(...)
#define FOLD_GB1(...)
#define FOLD_GB2(...)
#define FOLD_GT(...)
#define FOLD_GT1(...)
#define DEFINE(kind, name, types, ...) FOLD_##kind(name, __VA_ARGS__)
SEL_POINTWISE(DEFINE)

typedef struct row {
  int arity;
  double (*fold)(NUMBERS);
} row;

#define ROW_U(name) [SEL_PW_##name] = {1, fold_##name},
#define ROW_B(name) [SEL_PW_##name] = {2, fold_##name},
#define ROW_T(name) [SEL_PW_##name] = {3, fold_##name},
#define ROW_U1(name)
#define ROW_U2(name)
#define ROW_B1(name)
#define ROW_T1(name)
#define ROW_GB(name)
#define ROW_GB1(name)
#define ROW_GB2(name)
#define ROW_GT(name)
#define ROW_GT1(name)
#define LIST(kind, name, types, ...) ROW_##kind(name)
static const row rows[SEL_PW_COUNT] = {SEL_POINTWISE(LIST)};

int sel__fuse_arity(int op) { return op >= 0 && op < SEL_PW_COUNT ? rows[op].arity : 0; }

double sel__fuse_fold(int op, double a, double b, double c) { return rows[op].fold(a, b, c); }
