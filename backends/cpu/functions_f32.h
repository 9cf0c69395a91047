/* What the rows of SEL_POINTWISE and generated kernels call in float. */
#ifndef CPU_FUNCTIONS_F32_H
#define CPU_FUNCTIONS_F32_H

#include <math.h>

#include "math_f32.h"

typedef float T;
#define K(x) ((float)(x))

#define EXP cpu_expf
#define EXPM1 cpu_expm1f
#define LOG cpu_logf
#define LOG1P cpu_log1pf
#define LOG2 log2f
#define LOG10 log10f
#define TANH cpu_tanhf
#define ERF cpu_erff
#define SIN cpu_sinf
#define COS cpu_cosf
#define TAN tanf
#define ASIN asinf
#define ACOS acosf
#define ATAN atanf
#define ATAN2 atan2f
#define SINH sinhf
#define COSH coshf
#define POW powf
#define SQRT sqrtf
#define RSQRT(x) (1.0f / sqrtf(x))
#define FLOOR floorf
#define CEIL ceilf
#define RINT rintf
#define TRUNC truncf
#define FABS fabsf
#define FLOOR_DIV(a, b) floor_divide(a, b, fmodf(a, b))
#define FLOOR_MOD(a, b) floor_mod(b, fmodf(a, b))

#include "floor_divide.h"

#endif
