/* The pointwise operations: one list of expressions for every backend.
 *
 * Each row is written in the common subset of C and OpenCL C. The CPU backend compiles the rows to
 * vectorised loops, an OpenCL backend turns the same text into kernels, so two backends can't
 * disagree about what an operation means. Core derives the operations' C functions, their dispatch
 * and their in-place forms from the same rows; derivatives are in core/src/pointwise.c.
 *
 *   X(kind, name, types, expression)
 *
 * kind says what goes in: U one tensor `a`; B two, `a` and `b`; T three, `a`, `b`, `c`; a digit
 * behind it is the number of scalar parameters s0, s1. Kinds in G (GB, GB1, GT, ...) are the same,
 * but serve gradients and have no in-place form.
 *
 * types says which dtypes go in and what comes out:
 *   F  float dtypes, the same comes out     N  every dtype but bool, the same comes out
 *   A  every dtype, the same comes out      W  first input bool, the others A, theirs comes out
 *   P  float dtypes, bool comes out         C  every dtype, bool comes out
 *
 * An including file defines T (the arithmetic type: float, double, int64_t, int32_t, uint8_t), K(x)
 * (a constant in T) and, for float types, EXP LOG LOG2 LOG10 LOG1P EXPM1 SQRT RSQRT SIN COS TAN
 * ASIN ACOS ATAN ATAN2 SINH COSH TANH ERF POW FLOOR CEIL RINT TRUNC FABS; for all types FLOOR_DIV
 * and FLOOR_MOD (rounding towards minus infinity; integers give 0 when divided by 0). f16 and bf16
 * are computed in f32; bool is computed in uint8_t and stored as 0 or 1.
 *
 * Rows are only appended to within one ABI major version: the position is the kernel's id.
 */
#ifndef SELENITE_POINTWISE_H
#define SELENITE_POINTWISE_H

/* clang-format off */
#define SEL_POINTWISE(X) \
  /* arithmetic */ \
  X(B,  add,            N, a + b) \
  X(B,  sub,            N, a - b) \
  X(B,  mul,            N, a * b) \
  X(B,  div,            F, a / b) \
  X(B,  floor_divide,   N, FLOOR_DIV(a, b)) \
  X(B,  remainder,      N, FLOOR_MOD(a, b)) \
  X(B,  pow,            F, POW(a, b)) \
  X(B,  atan2,          F, ATAN2(a, b)) \
  X(B,  maximum,        N, (a > b || a != a) ? a : b) \
  X(B,  minimum,        N, (a < b || a != a) ? a : b) \
  X(U,  neg,            N, -a) \
  X(U,  abs,            N, (a < 0) ? -a : a) \
  X(U,  sign,           N, (T)(a > 0) - (T)(a < 0)) \
  X(U,  square,         N, a * a) \
  X(U,  reciprocal,     F, K(1) / a) \
  X(U,  sqrt,           F, SQRT(a)) \
  X(U,  rsqrt,          F, RSQRT(a)) \
  X(U,  exp,            F, EXP(a)) \
  X(U,  expm1,          F, EXPM1(a)) \
  X(U,  log,            F, LOG(a)) \
  X(U,  log2,           F, LOG2(a)) \
  X(U,  log10,          F, LOG10(a)) \
  X(U,  log1p,          F, LOG1P(a)) \
  X(U,  sin,            F, SIN(a)) \
  X(U,  cos,            F, COS(a)) \
  X(U,  tan,            F, TAN(a)) \
  X(U,  asin,           F, ASIN(a)) \
  X(U,  acos,           F, ACOS(a)) \
  X(U,  atan,           F, ATAN(a)) \
  X(U,  sinh,           F, SINH(a)) \
  X(U,  cosh,           F, COSH(a)) \
  X(U,  tanh,           F, TANH(a)) \
  X(U,  erf,            F, ERF(a)) \
  X(U,  floor,          F, FLOOR(a)) \
  X(U,  ceil,           F, CEIL(a)) \
  X(U,  round,          F, RINT(a)) \
  X(U,  trunc,          F, TRUNC(a)) \
  X(U2, clamp,          N, (a < s0) ? s0 : (a > s1) ? s1 : a) \
  X(T,  lerp,           F, a + c * (b - a)) \
  X(T1, addcmul,        F, a + s0 * b * c) \
  X(T1, addcdiv,        F, a + s0 * b / c) \
  /* comparisons and logic */ \
  X(B,  eq,             C, a == b) \
  X(B,  ne,             C, a != b) \
  X(B,  lt,             C, a < b) \
  X(B,  le,             C, a <= b) \
  X(B,  gt,             C, a > b) \
  X(B,  ge,             C, a >= b) \
  X(B,  logical_and,    C, a != 0 && b != 0) \
  X(B,  logical_or,     C, a != 0 || b != 0) \
  X(B,  logical_xor,    C, (a != 0) != (b != 0)) \
  X(U,  logical_not,    C, a == 0) \
  X(U,  isnan,          P, a != a) \
  X(U,  isinf,          P, a == a && (a - a) != (a - a)) \
  X(U,  isfinite,       P, (a - a) == (a - a)) \
  X(T,  where,          W, (a != 0) ? b : c) \
  /* activations (names and formulas as in torch.nn.functional) */ \
  X(U,  relu,           N, (a < 0) ? 0 : a) \
  X(U1, leaky_relu,     F, (a < 0) ? s0 * a : a) \
  X(U1, elu,            F, (a < 0) ? s0 * EXPM1(a) : a) \
  X(U1, celu,           F, (a < 0) ? s0 * EXPM1(a / s0) : a) \
  X(U,  selu,           F, K(1.0507009873554805) * ((a < 0) ? K(1.6732632423543772) * EXPM1(a) : a)) \
  X(U,  sigmoid,        F, K(1) / (K(1) + EXP(-a))) \
  X(U,  log_sigmoid,    F, ((a < 0) ? a : 0) - LOG1P(EXP(-FABS(a)))) \
  X(U2, softplus,       F, (a * s0 > s1) ? a : LOG1P(EXP((a * s0 > s1) ? s1 : a * s0)) / s0) \
  X(U,  softsign,       F, a / (K(1) + FABS(a))) \
  X(U,  gelu,           F, K(0.5) * a * (K(1) + ERF(a * K(0.70710678118654752)))) \
  X(U,  gelu_tanh,      F, K(0.5) * a * (K(1) + TANH(K(0.79788456080286536) * (a + K(0.044715) * a * a * a)))) \
  X(U,  silu,           F, a / (K(1) + EXP(-a))) \
  X(U,  mish,           F, a * TANH(((a > 0) ? a : 0) + LOG1P(EXP(-FABS(a))))) \
  X(U,  hardsigmoid,    F, (a <= -3) ? 0 : (a >= 3) ? 1 : a / K(6) + K(0.5)) \
  X(U,  hardswish,      F, (a <= -3) ? 0 : (a >= 3) ? a : a * (a + K(3)) / K(6)) \
  X(U1, hardshrink,     F, (a >= -s0 && a <= s0) ? 0 : a) \
  X(U1, softshrink,     F, (a >= -s0 && a <= s0) ? 0 : (a > 0) ? a - s0 : a + s0) \
  /* losses, one value an element; a is the prediction, b the target */ \
  X(B1, smooth_l1_each, F, (FABS(a - b) < s0) ? K(0.5) * (a - b) * (a - b) / s0 : FABS(a - b) - K(0.5) * s0) \
  X(B1, huber_each,     F, (FABS(a - b) <= s0) ? K(0.5) * (a - b) * (a - b) : s0 * (FABS(a - b) - K(0.5) * s0)) \
  X(B,  bce_each,       F, -(b * ((a <= K(3.720075976020836e-44)) ? K(-100) : LOG(a)) + (K(1) - b) * ((K(1) - a <= K(3.720075976020836e-44)) ? K(-100) : LOG1P(-a)))) \
  X(B,  bce_with_logits_each, F, ((a > 0) ? a : 0) - a * b + LOG1P(EXP(-FABS(a)))) \
  X(B,  kl_div_each,    F, (b > 0) ? b * (LOG((b > 0) ? b : K(1)) - a) : K(0) * a) \
  /* gradients: a is the incoming gradient, b the saved input (x) or output (y) */ \
  X(GB,  relu_grad,         N, (b > 0) ? a : 0) /* y */ \
  X(GB1, leaky_relu_grad,   F, (b > 0) ? a : s0 * a) /* x */ \
  X(GB1, elu_grad,          F, (b > 0) ? a : a * s0 * EXP(b)) /* x */ \
  X(GB1, celu_grad,         F, (b > 0) ? a : a * EXP(b / s0)) /* x */ \
  X(GB,  selu_grad,         F, K(1.0507009873554805) * ((b > 0) ? a : a * K(1.6732632423543772) * EXP(b))) /* x */ \
  X(GB,  sigmoid_grad,      F, a * b * (K(1) - b)) /* y */ \
  X(GB,  tanh_grad,         F, a * (K(1) - b * b)) /* y */ \
  X(GB,  log_sigmoid_grad,  F, a / (K(1) + EXP(b))) /* x */ \
  X(GB2, softplus_grad,     F, (b * s0 > s1) ? a : a / (K(1) + EXP(-b * s0))) /* x */ \
  X(GB,  gelu_grad,         F, a * (K(0.5) * (K(1) + ERF(b * K(0.70710678118654752))) + b * K(0.39894228040143268) * EXP(K(-0.5) * b * b))) /* x */ \
  X(GB,  gelu_tanh_grad,    F, a * (K(0.5) * (K(1) + TANH(K(0.79788456080286536) * (b + K(0.044715) * b * b * b))) + K(0.5) * b * (K(1) - TANH(K(0.79788456080286536) * (b + K(0.044715) * b * b * b)) * TANH(K(0.79788456080286536) * (b + K(0.044715) * b * b * b))) * K(0.79788456080286536) * (K(1) + K(0.134145) * b * b))) /* x */ \
  X(GB,  silu_grad,         F, a / (K(1) + EXP(-b)) * (K(1) + b * (K(1) - K(1) / (K(1) + EXP(-b))))) /* x */ \
  X(GB2, clamp_grad,        N, (b > s0 && b < s1) ? a : 0) /* x */ \
  X(GB,  hardsigmoid_grad,  F, (b > -3 && b < 3) ? a / K(6) : 0) /* x */ \
  X(GB,  hardswish_grad,    F, (b <= -3) ? 0 : (b >= 3) ? a : a * (b + K(1.5)) / K(3)) /* x */ \
  X(GB1, shrink_grad,       F, (b > s0 || b < -s0) ? a : 0) /* x; hardshrink and softshrink */ \
  X(GT1, smooth_l1_grad,    F, (FABS(b - c) < s0) ? a * (b - c) / s0 : ((b > c) ? a : -a)) /* x, target */ \
  X(GT1, huber_grad,        F, (FABS(b - c) <= s0) ? a * (b - c) : ((b > c) ? a * s0 : -a * s0)) /* x, target */ \
  X(GT,  bce_with_logits_grad, F, a * (K(1) / (K(1) + EXP(-b)) - c)) /* x, target */

/* Update rules of the optimizers: `p` the parameter, `g` its gradient, `m`, `v`, `w` running state
 * of the same shape, s0...s7 parameters (core/src/optim_rules.c says what they mean, with sources).
 *
 *   X(name, states, statements)
 */
#define SEL_UPDATES(X) \
  X(sgd,          0, g = s2 * g + s1 * p; p -= s0 * g;) \
  X(sgd_momentum, 1, g = s2 * g + s1 * p; m = s3 * m + s4 * g; p -= s0 * ((s5 != 0) ? g + s3 * m : m);) \
  X(adam,         2, g = s2 * g + s1 * p; p -= s7 * p; m += s3 * (g - m); v = (K(1) - s4) * v + s4 * g * g; \
                     p -= s0 * m / (SQRT(v) * s6 + s5);) \
  X(adam_amsgrad, 3, g = s2 * g + s1 * p; p -= s7 * p; m += s3 * (g - m); v = (K(1) - s4) * v + s4 * g * g; \
                     w = (v > w) ? v : w; p -= s0 * m / (SQRT(w) * s6 + s5);) \
  X(rmsprop,          1, g = s2 * g + s1 * p; m = (K(1) - s3) * m + s3 * g * g; p -= s0 * g / (SQRT(m) + s4);) \
  X(rmsprop_momentum, 2, g = s2 * g + s1 * p; m = (K(1) - s3) * m + s3 * g * g; \
                         v = s5 * v + g / (SQRT(m) + s4); p -= s0 * v;) \
  X(rmsprop_centered, 3, g = s2 * g + s1 * p; m = (K(1) - s3) * m + s3 * g * g; w += s3 * (g - w); \
                         v = s5 * v + g / (SQRT(m - w * w) + s4); p -= s0 * v;) \
  X(adagrad,      1, g = s2 * g + s1 * p; m += g * g; p -= s0 * g / (SQRT(m) + s3);)
/* clang-format on */

/* How many tensors a row of a kind takes. */
#define SEL_POINTWISE_INPUTS(kind) SEL_POINTWISE_INPUTS_##kind
#define SEL_POINTWISE_INPUTS_U 1
#define SEL_POINTWISE_INPUTS_U1 1
#define SEL_POINTWISE_INPUTS_U2 1
#define SEL_POINTWISE_INPUTS_B 2
#define SEL_POINTWISE_INPUTS_B1 2
#define SEL_POINTWISE_INPUTS_T 3
#define SEL_POINTWISE_INPUTS_T1 3
#define SEL_POINTWISE_INPUTS_GB 2
#define SEL_POINTWISE_INPUTS_GB1 2
#define SEL_POINTWISE_INPUTS_GB2 2
#define SEL_POINTWISE_INPUTS_GT 3
#define SEL_POINTWISE_INPUTS_GT1 3

#define SEL_POINTWISE_ID(kind, name, types, ...) SEL_PW_##name,
typedef enum sel_pointwise_op { SEL_POINTWISE(SEL_POINTWISE_ID) SEL_PW_COUNT } sel_pointwise_op;
#undef SEL_POINTWISE_ID

#define SEL_UPDATE_ID(name, states, ...) SEL_UPDATE_##name,
typedef enum sel_update_op { SEL_UPDATES(SEL_UPDATE_ID) SEL_UPDATE_COUNT } sel_update_op;
#undef SEL_UPDATE_ID

#endif
