/* Random draws from Philox counters: which words make which element is said at sel_random_args.
 *
 * A group is what one counter gives: 4 elements of one word each, 2 of two words. Groups are
 * computed in blocks, first all words, then all elements, so that both loops vectorise. This file
 * is compiled without fused multiply-add: a draw has the same bits at every instruction-set level
 * (f64 normals use the C library's log, sin, cos).
 */
#include <math.h>
#include <string.h>

#include "math_f32.h"
#include "philox.h"
#include "threads.h"

enum { BLOCK = 128 };                  /* counters */
static const double NANOSECONDS = 1.5; /* an element */

/* Words of BLOCK counters, one array a word. */
typedef struct words {
  uint32_t w[4][BLOCK];
} words;

static void fill_words(words *out, uint64_t seed, uint64_t counter) {
#pragma omp simd
  for (int i = 0; i < BLOCK; i++) {
    const cpu_words four = cpu_philox(seed, counter + (uint64_t)i);
    out->w[0][i] = four.w[0];
    out->w[1][i] = four.w[1];
    out->w[2][i] = four.w[2];
    out->w[3][i] = four.w[3];
  }
}

/* [0, 1) in steps of 2^-24, and of 2^-53. */
CPU_INLINE float unit_f32(uint32_t word) { return (float)(int32_t)(word >> 8) * 0x1p-24f; }
CPU_INLINE double unit_f64(uint32_t w0, uint32_t w1) {
  return ((double)(int32_t)(w0 >> 5) * 0x1p26 + (double)(int32_t)(w1 >> 6)) * 0x1p-53;
}

/* Uniform numbers of a block in element order: 4 * BLOCK floats, or 2 * BLOCK doubles. */
static void units_f32(const words *in, float *out) {
#pragma omp simd
  for (int i = 0; i < BLOCK; i++) {
    out[4 * i] = unit_f32(in->w[0][i]);
    out[4 * i + 1] = unit_f32(in->w[1][i]);
    out[4 * i + 2] = unit_f32(in->w[2][i]);
    out[4 * i + 3] = unit_f32(in->w[3][i]);
  }
}

static void units_f64(const words *in, double *out) {
#pragma omp simd
  for (int i = 0; i < BLOCK; i++) {
    out[2 * i] = unit_f64(in->w[0][i], in->w[1][i]);
    out[2 * i + 1] = unit_f64(in->w[2][i], in->w[3][i]);
  }
}

/* ---- elements from uniform numbers: n of a block, from `first` on ---- */

typedef void maker(const sel_random_args *args, const void *units, int64_t first, int64_t n);

#define OUT(type) ((type *)cpu_at(&args->out) + first)

/* low + u (high - low), each step rounded in the element's type; low where that gives high. */
#define UNIFORM(name, type)                                                                    \
  static void name(const sel_random_args *args, const void *units, int64_t first, int64_t n) { \
    const type low = (type)args->p0, high = (type)args->p1, range = high - low;                \
    const type *u = units;                                                                     \
    type *out = OUT(type);                                                                     \
    for (int64_t i = 0; i < n; i++) {                                                          \
      const type x = low + u[i] * range;                                                       \
      out[i] = x < high ? x : low;                                                             \
    }                                                                                          \
  }
UNIFORM(uniform_f32, float)
UNIFORM(uniform_f64, double)

#define BERNOULLI(name, type)                                                                  \
  static void name(const sel_random_args *args, const void *units, int64_t first, int64_t n) { \
    const float p = (float)args->p0;                                                           \
    const float *u = units;                                                                    \
    type *out = OUT(type);                                                                     \
    for (int64_t i = 0; i < n; i++) out[i] = u[i] < p ? 1 : 0;                                 \
  }
BERNOULLI(bernoulli_f32, float)
BERNOULLI(bernoulli_f64, double)

#define DROPOUT(name, type)                                                                    \
  static void name(const sel_random_args *args, const void *units, int64_t first, int64_t n) { \
    const type p = (type)args->p0, scale = (type)args->p1;                                     \
    const type *u = units, *x = (const type *)cpu_at(&args->x) + first;                        \
    type *out = OUT(type);                                                                     \
    for (int64_t i = 0; i < n; i++) out[i] = u[i] < p ? 0 : x[i] * scale;                      \
  }
DROPOUT(dropout_f32, float)
DROPOUT(dropout_f64, double)

static void integer_i64(const sel_random_args *args, const void *units, int64_t first, int64_t n) {
  const int64_t low = (int64_t)args->p0;
  const double range = args->p1 - args->p0;
  const double *u = units;
  int64_t *out = OUT(int64_t);
  for (int64_t i = 0; i < n; i++) out[i] = low + (int64_t)(u[i] * range);
}

/* cos(2 pi u) and sin(2 pi u) for u in [0, 1): the nearest quarter turn, then polynomials for the
 * rest, at most an eighth of a turn (coefficients by Norbert Juffa). */
CPU_INLINE void turn(float u, float *cosine, float *sine) {
  const int32_t quarter = (int32_t)(u * 4.0f + 0.5f);
  const float a = (u - (float)quarter * 0.25f) * 6.28318531f, s = a * a;
  float c = 2.44677067e-5f;
  c = c * s + -1.38877297e-3f;
  c = c * s + 4.16666567e-2f;
  c = c * s + -0.5f;
  c = c * s + 1.0f;
  float r = 2.86567956e-6f;
  r = r * s + -1.98559923e-4f;
  r = r * s + 8.33338592e-3f;
  r = r * s + -1.66666672e-1f;
  r = r * (a * s) + a;
  const float x = quarter & 1 ? r : c, y = quarter & 1 ? c : r;
  *cosine = (quarter + 1) & 2 ? -x : x;
  *sine = quarter & 2 ? -y : y;
}

/* Box-Muller on pairs of uniform numbers: 2 i and 2 i + 1. The last block may end in half a pair.
 */
static void normal_f32(const sel_random_args *args, const void *units, int64_t first, int64_t n) {
  const float mean = (float)args->p0, deviation = (float)args->p1;
  const float *u = units;
  float pairs[4 * BLOCK];
#pragma omp simd
  for (int64_t i = 0; i < 2 * BLOCK; i++) {
    const float radius = sqrtf(-2.0f * cpu_logf(1.0f - u[2 * i]));
    float cosine, sine;
    turn(u[2 * i + 1], &cosine, &sine);
    pairs[2 * i] = mean + deviation * (radius * cosine);
    pairs[2 * i + 1] = mean + deviation * (radius * sine);
  }
  memcpy(OUT(float), pairs, (size_t)n * sizeof(float));
}

/* The same in double: units 2 i and 2 i + 2 come from words 0, 1 of neighbouring counters. */
static void normal_f64(const sel_random_args *args, const void *units, int64_t first, int64_t n) {
  const double *u = units;
  double *out = OUT(double);
  for (int64_t i = 0; i < n; i += 2) {
    const double radius = sqrt(-2 * log(1 - u[2 * i]));
    const double angle = 2 * M_PI * u[2 * i + 2];
    out[i] = args->p0 + args->p1 * (radius * cos(angle));
    if (i + 1 < n) out[i + 1] = args->p0 + args->p1 * (radius * sin(angle));
  }
}

/* ---- draws ---- */

/* How a draw goes: the maker for out's dtype, whether it uses doubles, elements per counter. */
typedef struct draw {
  maker *make;
  bool wide;
  int64_t each;
} draw;

static draw find_draw(sel_random_op op, sel_dtype dtype) {
  const bool f32 = dtype == SEL_F32;
  switch (op) {
    case SEL_RANDOM_UNIFORM:
      return f32 ? (draw){uniform_f32, false, 4} : (draw){uniform_f64, true, 2};
    case SEL_RANDOM_NORMAL:
      return f32 ? (draw){normal_f32, false, 4} : (draw){normal_f64, true, 1};
    case SEL_RANDOM_BERNOULLI:
      return (draw){f32 ? bernoulli_f32 : bernoulli_f64, false, 4};
    case SEL_RANDOM_DROPOUT:
      return f32 ? (draw){dropout_f32, false, 4} : (draw){dropout_f64, true, 2};
    default:
      return (draw){integer_i64, true, 2};
  }
}

typedef struct job {
  const sel_random_args *args;
  draw draw;
} job;

/* Item = a block of counters. */
static void run(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int64_t elements = BLOCK * j->draw.each;
  words raw;
  union {
    float f32[4 * BLOCK];
    double f64[2 * BLOCK];
  } units;
  for (int64_t block = begin; block < end; block++) {
    fill_words(&raw, j->args->seed, j->args->offset + (uint64_t)(block * BLOCK));
    if (j->draw.wide)
      units_f64(&raw, units.f64);
    else
      units_f32(&raw, units.f32);
    const int64_t left = j->args->numel - block * elements;
    j->draw.make(j->args, &units, block * elements, left < elements ? left : elements);
  }
}

sel_status CPU_NAME(cpu_random)(sel_backend_device device, const sel_random_args *args) {
  (void)device;
  const job j = {args, find_draw(args->op, args->out.dtype)};
  const int64_t elements = BLOCK * j.draw.each;
  cpu_parallel((args->numel + elements - 1) / elements, (double)args->numel * NANOSECONDS, run, &j);
  return SEL_OK;
}
