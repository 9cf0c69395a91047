// Random draws from Philox counters, one work-item a counter; sel_random_args says which words make
// which element. In front of this text stand T and one of UNIFORM, NORMAL, BERNOULLI, INTEGER,
// DROPOUT as DRAW, and WIDE: 1 where an element takes two words.
//
// The same bits as on the CPU: nothing is contracted, and the normals' functions are the CPU's.
#pragma OPENCL FP_CONTRACT OFF

#define UNIFORM 0
#define NORMAL 1
#define BERNOULLI 2
#define INTEGER 3
#define DROPOUT 4

#include "philox.cl"

#if WIDE
#define UNIT double
#define EACH 2
#define UNITS(words) \
  { wide_unit((words).x, (words).y), wide_unit((words).z, (words).w) }
#else
#define UNIT float
#define EACH 4
#define UNITS(words) \
  { narrow_unit((words).x), narrow_unit((words).y), narrow_unit((words).z), narrow_unit((words).w) }
#endif

#if DRAW != NORMAL

#if DRAW == INTEGER
#define NUMBER double
#else
#define NUMBER UNIT
#endif

inline T make(UNIT u, NUMBER p0, NUMBER p1, T x) {
#if DRAW == UNIFORM
  const T y = p0 + u * (p1 - p0); // low where rounding gives high
  return y < p1 ? y : p0;
#elif DRAW == BERNOULLI
  return u < p0 ? 1 : 0;
#elif DRAW == INTEGER
  return (long)p0 + (long)(u * (p1 - p0));
#else
  return u < p0 ? 0 : x * p1;
#endif
}

__kernel void draw(ulong seed, ulong offset, long n, NUMBER p0, NUMBER p1, __global T *out,
                   long out_first, __global const T *x, long x_first) {
  const long counter = get_global_id(0);
  const UNIT u[EACH] = UNITS(philox(seed, offset + (ulong)counter));
  for (int k = 0; k < EACH; k++) {
    const long i = counter * EACH + k;
    if (i < n) out[out_first + i] = make(u[k], p0, p1, DRAW == DROPOUT ? x[x_first + i] : 0);
  }
}

#elif WIDE

// Box-Muller: u0 and u1 from words 0, 1 of two neighbouring counters.
__kernel void draw(ulong seed, ulong offset, long n, double p0, double p1, __global double *out,
                   long out_first, __global const double *x, long x_first) {
  const long i = 2 * (long)get_global_id(0);
  if (i >= n) return;
  const uint4 a = philox(seed, offset + (ulong)i), b = philox(seed, offset + (ulong)i + 1);
  const double radius = sqrt(-2 * log(1 - wide_unit(a.x, a.y)));
  const double angle = 2 * M_PI * wide_unit(b.x, b.y);
  out[out_first + i] = p0 + p1 * (radius * cos(angle));
  if (i + 1 < n) out[out_first + i + 1] = p0 + p1 * (radius * sin(angle));
}

#else

// The CPU's functions, after Norbert Juffa: log of a number in (0, 1], sin and cos of turns.
inline float log_core(float m) {
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

inline float log_of(float x) {
  const uint e = (as_uint(x) - as_uint(0.666666667f)) & 0xff800000u;
  const float m = as_float(as_uint(x) - e) - 1.0f;
  return (float)(int)e * 0x1p-23f * 0x1.62e430p-1f + log_core(m);
}

inline float sin_core(float a) {
  const float s = a * a;
  float r = 2.86567956e-6f;
  r = r * s + -1.98559923e-4f;
  r = r * s + 8.33338592e-3f;
  r = r * s + -1.66666672e-1f;
  return r * (a * s) + a;
}

inline float cos_core(float a) {
  const float s = a * a;
  float r = 2.44677067e-5f;
  r = r * s + -1.38877297e-3f;
  r = r * s + 4.16666567e-2f;
  r = r * s + -0.5f;
  return r * s + 1.0f;
}

inline float sin_turned(int quarters, float angle) {
  const float r = quarters & 1 ? cos_core(angle) : sin_core(angle);
  return quarters & 2 ? -r : r;
}

__kernel void draw(ulong seed, ulong offset, long n, float p0, float p1, __global float *out,
                   long out_first, __global const float *x, long x_first) {
  const long counter = get_global_id(0);
  const float u[EACH] = UNITS(philox(seed, offset + (ulong)counter));
  for (int k = 0; k < EACH; k += 2) {
    const long i = counter * EACH + k;
    const float radius = sqrt(-2.0f * log_of(1.0f - u[k]));
    const int quarters = (int)(u[k + 1] * 4.0f + 0.5f);
    const float angle = (u[k + 1] - (float)quarters * 0.25f) * 6.28318531f;
    if (i < n) out[out_first + i] = p0 + p1 * (radius * sin_turned(quarters + 1, angle));
    if (i + 1 < n) out[out_first + i + 1] = p0 + p1 * (radius * sin_turned(quarters, angle));
  }
}

#endif
