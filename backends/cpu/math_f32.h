/* Elementary functions of float, written without branches so that compilers vectorise loops that
 * call them. Special values are the C library's: NaN, infinities, signed zeros, subnormal and huge
 * arguments, subnormal results.
 *
 * Largest error in units of the last place, without and with fused multiply-add, over every 31st
 * float (tests/backends/math.c):
 *
 *   exp 0.96 0.99   log   1.07 0.85   tanh 1.31 1.31   sin 1.49 1.49
 *   expm1 1.55 1.43 log1p 1.61 1.48   erf  1.18 1.01   cos 1.48 1.48
 *
 * Method: reduce the argument with a split constant, evaluate a minimax polynomial, put the
 * exponent back with integer arithmetic. The polynomials of exp, log, erf, sin, cos are Norbert
 * Juffa's (published for free use), that of tanh is from Cephes.
 */
#ifndef CPU_MATH_F32_H
#define CPU_MATH_F32_H

#include <math.h>

#include "float16.h"
#include "kernels.h"
#include "quarter_turns.h"

/* Added to a small float, leaves the nearest whole number in the low bits of the sum. */
#define CPU_ROUNDER 0x1.8p23f

/* 2^n for n in [-126, 127]. */
CPU_INLINE float cpu_exp2_whole(int32_t n) { return cpu_float_of_bits((uint32_t)(n + 127) << 23); }

/* exp(f) - 1 - f for |f| <= ln(2)/2, to be added to 1 + f or to f. */
CPU_INLINE float cpu_exp_tail(float f) {
  float r = 1.37805939e-3f;
  r = r * f + 8.37312452e-3f;
  r = r * f + 4.16695364e-2f;
  r = r * f + 1.66664720e-1f;
  r = r * f + 4.99999851e-1f;
  return r * f * f;
}

/* x = n ln(2) + f; returns f. */
CPU_INLINE float cpu_exp_reduce(float x, int32_t *n) {
  const float shifted = x * 1.44269502f + CPU_ROUNDER;
  const float whole = shifted - CPU_ROUNDER;
  *n = (int32_t)(cpu_bits_of_float(shifted) - cpu_bits_of_float(CPU_ROUNDER));
  return (x - whole * 0x1.62e400p-1f) - whole * 0x1.7f7d1cp-20f;
}

CPU_INLINE float cpu_expf(float x) {
  x = x > 89.0f ? 89.0f : x < -104.0f ? -104.0f : x; /* infinity and 0 from there on; NaN stays */
  int32_t n;
  const float f = cpu_exp_reduce(x, &n);
  const int32_t half = n >> 1; /* two steps, so that overflow and subnormals come out right */
  return (cpu_exp_tail(f) + f + 1.0f) * cpu_exp2_whole(half) * cpu_exp2_whole(n - half);
}

CPU_INLINE float cpu_expm1f(float x) {
  const float bounded = x > 89.0f ? 89.0f : x < -20.0f ? -20.0f : x;
  int32_t n;
  const float f = cpu_exp_reduce(bounded, &n);
  const float half = cpu_exp2_whole(n - 1); /* half the scale, as 2^128 is no float */
  const float r = (f + cpu_exp_tail(f)) * half + (half - 0.5f);
  return x == 0 ? x : r + r;
}

/* log(1 + m) for m in [-1/3, 1/3]. */
CPU_INLINE float cpu_log1p_core(float m) {
  const float s = m * m;
  float r = -0.130310059f, t = 0.140869141f;
  r = r * s + -0.121483512f;
  t = t * s + 0.139814854f;
  r = r * s + -0.166846126f;
  t = t * s + 0.200120345f;
  r = r * s + -0.249996200f;
  r = t * m + r;
  r = r * m + 0.333331972f;
  r = r * m + -0.5f;
  return r * s + m;
}

/* Bits to take from a positive float's so that it lands in [2/3, 4/3): its exponent. */
CPU_INLINE uint32_t cpu_log_exponent(float x) {
  return (cpu_bits_of_float(x) - cpu_bits_of_float(0.666666667f)) & 0xff800000u;
}

/* The result r for x in (0, infinity), else that of a logarithm. */
CPU_INLINE float cpu_log_special(float x, float r) {
  r = x == INFINITY ? x : r;
  r = x == 0 ? -INFINITY : r;
  return x >= 0 ? r : NAN;
}

CPU_INLINE float cpu_logf(float x) {
  const bool tiny = x < 0x1p-126f;
  const float scaled = tiny ? x * 0x1p23f : x;
  const uint32_t e = cpu_log_exponent(scaled);
  const float m = cpu_float_of_bits(cpu_bits_of_float(scaled) - e) - 1.0f;
  const float exponent = (float)(int32_t)e * 0x1p-23f - (tiny ? 23.0f : 0.0f);
  return cpu_log_special(x, exponent * 0x1.62e430p-1f + cpu_log1p_core(m));
}

CPU_INLINE float cpu_log1pf(float x) {
  const uint32_t e = cpu_log_exponent(1.0f + x);
  const float scale = cpu_float_of_bits(cpu_bits_of_float(1.0f) - e); /* 2^-exponent */
  /* (1 + x) scale - 1 without rounding 1 + x, where that matters and scale is no subnormal. */
  const float large = cpu_float_of_bits(cpu_bits_of_float(1.0f + x) - e) - 1.0f;
  const float m = x > 0x1p30f ? large : x * scale + (scale - 1.0f);
  const float r = (float)(int32_t)e * 0x1p-23f * 0x1.62e430p-1f + cpu_log1p_core(m);
  return x == 0 ? x : cpu_log_special(1.0f + x, r);
}

CPU_INLINE float cpu_tanhf(float x) {
  const float t = fabsf(x), s = x * x;
  float r = -5.70498872745e-3f;
  r = r * s + 2.06390887954e-2f;
  r = r * s + -5.37397155531e-2f;
  r = r * s + 1.33314422036e-1f;
  r = r * s + -3.33332819422e-1f;
  const float near = r * s * x + x;
  const float far = 1.0f - 2.0f / (cpu_expf(t + t) + 1.0f);
  return t < 0.625f ? near : copysignf(far, x);
}

CPU_INLINE float cpu_erff(float x) {
  const float t = fabsf(x), s = x * x;
  float near = -5.96761703e-4f;
  near = near * s + 4.99119423e-3f;
  near = near * s + -2.67681349e-2f;
  near = near * s + 1.12819925e-1f;
  near = near * s + -3.76125336e-1f;
  near = near * s + 1.28379166e-1f;
  near = near * x + x;
  const float b = t > 4.0f ? 4.0f : t, c = b * b; /* 1 from 3.92 on; NaN stays */
  float r = -1.72853470e-5f * b + 3.83197126e-4f;
  const float u = -3.88396438e-3f * b + 2.42546219e-2f;
  r = r * c + u;
  r = r * b + -1.06777877e-1f;
  r = r * b + -6.34846687e-1f;
  r = r * b + -1.28717512e-1f;
  const float far = 1.0f - cpu_expf(r * b - b);
  return t > 0.927734375f ? copysignf(far, x) : near;
}

/* sin and cos of an angle of at most pi/4, and a little beyond. */
CPU_INLINE float cpu_sin_core(float a) {
  const float s = a * a;
  float r = 2.86567956e-6f;
  r = r * s + -1.98559923e-4f;
  r = r * s + 8.33338592e-3f;
  r = r * s + -1.66666672e-1f;
  return r * (a * s) + a;
}

CPU_INLINE float cpu_cos_core(float a) {
  const float s = a * a;
  float r = 2.44677067e-5f;
  r = r * s + -1.38877297e-3f;
  r = r * s + 4.16666567e-2f;
  r = r * s + -0.5f;
  return r * s + 1.0f;
}

/* t = quarters pi/2 + angle for t >= 0, with the angle at most pi/4; quarters modulo 2^32. */
CPU_INLINE float cpu_quarter_reduce(float t, int32_t *quarters) {
  const int64_t e = (int64_t)(cpu_bits_of_float(t) >> 23) - (127 + 23);
  const int64_t row = e < 0 ? 0 : e < CPU_QUARTER_ROWS ? e : CPU_QUARTER_ROWS - 1;
  const double m = (double)t * cpu_float_of_bits((uint32_t)(127 - row) << 23); /* t 2^-row */
  const double turns = m * cpu_quarters_first[row];
  const double shifted = turns + 0x1.8p52, whole = shifted - 0x1.8p52;
  uint64_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  *quarters = (int32_t)(uint32_t)bits;
  return (float)(((turns - whole) + m * cpu_quarters_rest[row]) * 1.57079632679489662);
}

/* sin(quarters pi/2 + angle). */
CPU_INLINE float cpu_sin_turned(int32_t quarters, float angle) {
  const float r = quarters & 1 ? cpu_cos_core(angle) : cpu_sin_core(angle);
  return quarters & 2 ? -r : r;
}

CPU_INLINE float cpu_sinf(float x) {
  int32_t quarters;
  const float angle = cpu_quarter_reduce(fabsf(x), &quarters);
  const float r = cpu_sin_turned(quarters, angle);
  return signbit(x) ? -r : r;
}

CPU_INLINE float cpu_cosf(float x) {
  int32_t quarters;
  const float angle = cpu_quarter_reduce(fabsf(x), &quarters);
  return cpu_sin_turned(quarters + 1, angle);
}

#endif
