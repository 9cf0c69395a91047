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

enum { BLOCK = 128, VECTOR = 16 };     /* counters */
static const double NANOSECONDS = 1.5; /* an element */

/* Words of up to BLOCK counters, one array a word. */
typedef struct words {
  uint32_t w[4][BLOCK];
} words;

static void fill_words(words *out, uint64_t seed, uint64_t counter, int n) {
#pragma omp simd
  for (int i = 0; i < n; i++) {
    const cpu_words four = cpu_philox(seed, counter + (uint64_t)i);
    out->w[0][i] = four.w[0];
    out->w[1][i] = four.w[1];
    out->w[2][i] = four.w[2];
    out->w[3][i] = four.w[3];
  }
}

/* Uniform numbers of n counters in element order: 4 n floats, or 2 n doubles. */
static void units_f32(const words *in, float *out, int n) {
#pragma omp simd
  for (int i = 0; i < n; i++) {
    out[4 * i] = cpu_unit_f32(in->w[0][i]);
    out[4 * i + 1] = cpu_unit_f32(in->w[1][i]);
    out[4 * i + 2] = cpu_unit_f32(in->w[2][i]);
    out[4 * i + 3] = cpu_unit_f32(in->w[3][i]);
  }
}

static void units_f64(const words *in, double *out, int n) {
#pragma omp simd
  for (int i = 0; i < n; i++) {
    out[2 * i] = cpu_unit_f64(in->w[0][i], in->w[1][i]);
    out[2 * i + 1] = cpu_unit_f64(in->w[2][i], in->w[3][i]);
  }
}

/* ---- elements from uniform numbers: n of a block, from `first` on ---- */

typedef void maker(const sel_random_args *args, const void *units, int64_t first, int64_t n);

#define OUT(type) ((type *)cpu_at(&args->out) + first)

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#include "random_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#include "random_body.h"

static void integer_i64(const sel_random_args *args, const void *units, int64_t first, int64_t n) {
  const int64_t low = (int64_t)args->p0;
  const double range = args->p1 - args->p0;
  const double *u = units;
  int64_t *out = OUT(int64_t);
  for (int64_t i = 0; i < n; i++) out[i] = low + (int64_t)(u[i] * range);
}

/* cos(2 pi u) and sin(2 pi u) for u in [0, 1): the nearest quarter turn and the rest. */
CPU_INLINE void turn(float u, float *cosine, float *sine) {
  const int32_t quarters = (int32_t)(u * 4.0f + 0.5f);
  const float angle = (u - (float)quarters * 0.25f) * 6.28318531f;
  *cosine = cpu_sin_turned(quarters + 1, angle);
  *sine = cpu_sin_turned(quarters, angle);
}

/* Box-Muller on pairs of uniform numbers: 2 i and 2 i + 1. The last block may end in half a pair.
 */
static void normal_f32(const sel_random_args *args, const void *units, int64_t first, int64_t n) {
  const float mean = (float)args->p0, deviation = (float)args->p1;
  const float *u = units;
  float pairs[4 * BLOCK];
#pragma omp simd
  for (int64_t i = 0; i < (n + 1) / 2; i++) {
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
    const int64_t left = j->args->numel - block * elements;
    const int64_t n = left < elements ? left : elements;
    /* A whole number of vectors: the last draw may be a short one. */
    const int vectors = (int)(n / j->draw.each) / VECTOR + 1;
    const int counters = vectors * VECTOR < BLOCK ? vectors * VECTOR : BLOCK;
    fill_words(&raw, j->args->seed, j->args->offset + (uint64_t)(block * BLOCK), counters);
    if (j->draw.wide)
      units_f64(&raw, units.f64, counters);
    else
      units_f32(&raw, units.f32, counters);
    j->draw.make(j->args, &units, block * elements, n);
  }
}

sel_status CPU_NAME(cpu_random)(sel_backend_device device, const sel_random_args *args) {
  (void)device;
  const job j = {args, find_draw(args->op, args->out.dtype)};
  const int64_t elements = BLOCK * j.draw.each;
  cpu_parallel((args->numel + elements - 1) / elements, (double)args->numel * NANOSECONDS, run, &j);
  return SEL_OK;
}
