/* What the rows of SEL_POINTWISE and generated kernels call in double: the C library's functions,
 * as f64 is for checking gradients. */
#ifndef CPU_FUNCTIONS_F64_H
#define CPU_FUNCTIONS_F64_H

#include <math.h>

#include "kernels.h"

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
#define RSQRT(x) (1.0 / sqrt(x))
#define FLOOR floor
#define CEIL ceil
#define RINT rint
#define TRUNC trunc
#define FABS fabs
#define FLOOR_DIV(a, b) floor_divide(a, b, fmod(a, b))
#define FLOOR_MOD(a, b) floor_mod(b, fmod(a, b))

#include "floor_divide.h"

#endif
