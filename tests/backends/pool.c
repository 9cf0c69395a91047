/* Pooling and its gradients against plain definitions. */
#include "cases.h"
#include "harness.h"

typedef struct shape {
  int dims;
  int64_t planes;
  int64_t in[3], out[3], kernel[3], stride[3], padding[3], dilation[3];
  bool adaptive;
} shape;

#define ONE \
  { 1, 1, 1 }
#define NONE \
  { 0, 0, 0 }
static const shape shapes[] = {
    {1, 3, {7}, {3}, {2}, {2}, NONE, ONE, false},
    {1, 2, {9}, {4}, {3}, {2}, {1}, {2}, false},
    {2, 4, {6, 8}, {3, 4}, {2, 2}, {2, 2}, NONE, ONE, false},
    {2, 3, {7, 9}, {7, 9}, {3, 3}, ONE, ONE, ONE, false},
    {2, 3, {9, 18}, {4, 9}, {2, 2}, {2, 2}, NONE, ONE, false}, /* squares side by side */
    {2, 2, {8, 11}, {4, 5}, {2, 2}, {2, 2}, NONE, ONE, false},
    {3, 2, {3, 4, 33}, {3, 2, 16}, {1, 2, 2}, {1, 2, 2}, NONE, ONE, false},
    {2, 2, {6, 7}, {3, 4}, {3, 2}, {2, 2}, {1, 1}, ONE, false},  /* the last one reaches over */
    {2, 2, {5, 150}, {4, 149}, {2, 2}, ONE, NONE, ONE, false},   /* long rows */
    {2, 1, {12, 90}, {2, 41}, {9, 9}, {3, 2}, NONE, ONE, false}, /* windows of many rows */
    {2, 2, {9, 9}, {5, 7}, {3, 2}, {1, 1}, NONE, {2, 2}, false},
    {2, 3, {5, 7}, {2, 3}, NONE, NONE, NONE, NONE, true},
    {2, 3, {3, 4}, {5, 6}, NONE, NONE, NONE, NONE, true},
    {2, 5, {8, 9}, {1, 1}, NONE, NONE, NONE, NONE, true},
    {3, 2, {4, 5, 6}, {2, 3, 3}, {2, 3, 2}, {2, 1, 2}, NONE, ONE, false},
    {3, 1, {4, 5, 6}, {3, 2, 4}, NONE, NONE, NONE, NONE, true},
    {2, 0, {4, 4}, {2, 2}, {2, 2}, {2, 2}, NONE, ONE, false},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static int64_t size_of(const shape *s, const int64_t *extents) {
  int64_t size = 1;
  for (int d = 0; d < s->dims; d++) size *= extents[d];
  return size;
}

static void position_of(const shape *s, const int64_t *extents, int64_t at, int64_t *out) {
  for (int d = s->dims - 1; d >= 0; d--) {
    out[d] = at % extents[d];
    at /= extents[d];
  }
}

/* Whether output position o sees input position i. */
static bool sees(const shape *s, int64_t o, int64_t i) {
  int64_t to[3], from[3];
  position_of(s, s->out, o, to);
  position_of(s, s->in, i, from);
  for (int d = 0; d < s->dims; d++) {
    if (s->adaptive) {
      const int64_t first = to[d] * s->in[d] / s->out[d];
      const int64_t end = ((to[d] + 1) * s->in[d] + s->out[d] - 1) / s->out[d];
      if (from[d] < first || from[d] >= end) return false;
      continue;
    }
    const int64_t within = from[d] - (to[d] * s->stride[d] - s->padding[d]);
    if (within < 0 || within % s->dilation[d] || within / s->dilation[d] >= s->kernel[d])
      return false;
  }
  return true;
}

static double divisor_of(const shape *s, int64_t o, bool count_padding, int64_t divisor) {
  if (divisor) return (double)divisor;
  double size = 0;
  if (!count_padding || s->adaptive) {
    for (int64_t i = 0; i < size_of(s, s->in); i++) size += sees(s, o, i);
    return size;
  }
  int64_t to[3];
  position_of(s, s->out, o, to);
  size = 1;
  for (int d = 0; d < s->dims; d++) {
    const int64_t first = to[d] * s->stride[d] - s->padding[d], end = first + s->kernel[d];
    size *= (double)((end < s->in[d] + s->padding[d] ? end : s->in[d] + s->padding[d]) - first);
  }
  return size;
}

static sel_pool_args args_of(const shape *s, sel_pool_op op, const array *x, const array *y,
                             const array *index) {
  sel_pool_args args = {.op = op,
                        .dtype = x->dtype,
                        .dims = s->dims,
                        .x = operand_of(x),
                        .y = operand_of(y),
                        .index = operand_of(index),
                        .planes = s->planes,
                        .adaptive = s->adaptive};
  for (int d = 0; d < s->dims; d++) {
    args.in[d] = s->in[d];
    args.out[d] = s->out[d];
    args.kernel[d] = s->kernel[d];
    args.stride[d] = s->stride[d];
    args.padding[d] = s->padding[d];
    args.dilation[d] = s->dilation[d];
  }
  return args;
}

typedef struct operands {
  array x, y, index;
} operands;

static operands operands_new(const shape *s, sel_dtype dtype) {
  const int64_t in = s->planes * size_of(s, s->in), out = s->planes * size_of(s, s->out);
  operands a = {array_new(dtype, 1, &in, OFFSET), array_new(dtype, 1, &out, OFFSET),
                array_new(SEL_I64, 1, &out, OFFSET)};
  fill(&a.x, false), fill(&a.y, false);
  for (int64_t i = 0; i < out; i++) set_whole(&a.index, i, 0);
  return a;
}

static void send(operands *a) { upload(&a->x), upload(&a->y), upload(&a->index); }

static void operands_free(operands *a) {
  array_free(&a->x), array_free(&a->y), array_free(&a->index);
}

/* The first largest of what o sees in the plane; NaN is larger than all. */
static int64_t largest(const shape *s, const array *x, int64_t plane, int64_t o) {
  const int64_t in = size_of(s, s->in);
  int64_t best = -1;
  for (int64_t i = 0; i < in; i++) {
    if (!sees(s, o, i)) continue;
    const double v = get(x, plane * in + i);
    const double top = best < 0 ? -INFINITY : get(x, plane * in + best);
    if (best < 0 || v > top || (isnan(v) && !isnan(top))) best = i;
  }
  return best;
}

START_TEST(max) {
  const shape *s = &shapes[_i];
  const int64_t in = size_of(s, s->in), out = size_of(s, s->out);
  for (int kind = 0; kind < 4; kind++) {
    const sel_dtype dtype = kind & 1 ? SEL_F64 : SEL_F32;
    if (!tested_dtype(dtype)) continue;
    seed_numbers((uint64_t)(10 * _i + kind));
    operands a = operands_new(s, dtype);
    if (kind & 2)
      for (int64_t i = 0; i < a.x.numel; i += 7)
        set(&a.x, i, i % 3 == 0 ? NAN : i % 3 == 1 ? -INFINITY : INFINITY);
    send(&a);
    sel_pool_args args = args_of(s, SEL_POOL_MAX, &a.x, &a.y, &a.index);
    must(backend->pool(device, &args), "max pool");
    download(&a.y), download(&a.index);
    for (int64_t i = 0; i < a.y.numel; i++) {
      const int64_t best = largest(s, &a.x, i / out, i % out);
      expect_whole(get_whole(&a.index, i), best, "index of max pool", i);
      expect_near(get(&a.y, i), get(&a.x, i / out * in + best), 0, "max pool", i);
    }
    if (kind & 2) {
      operands_free(&a);
      continue;
    }
    /* Back: y is a gradient now. */
    fill(&a.y, false), send(&a);
    args.op = SEL_POOL_MAX_GRAD;
    must(backend->pool(device, &args), "max pool back");
    double *wanted = calloc((size_t)a.x.numel + 1, sizeof *wanted);
    for (int64_t i = 0; i < a.y.numel; i++)
      wanted[i / out * in + get_whole(&a.index, i)] += get(&a.y, i);
    download(&a.x);
    for (int64_t i = 0; i < a.x.numel; i++)
      expect_near(get(&a.x, i), wanted[i], 32 * epsilon(a.x.dtype), "max pool back", i);
    free(wanted);
    operands_free(&a);
  }
}
END_TEST

START_TEST(average) {
  const shape *s = &shapes[_i];
  const int64_t in = size_of(s, s->in), out = size_of(s, s->out);
  for (int d = 0; d < s->dims; d++)
    if (s->dilation[d] > 1) return; /* there is no such average */
  for (int kind = 0; kind < 6; kind++) {
    const bool count_padding = kind / 2 == 1;
    const int64_t divisor = kind / 2 == 2 ? 5 : 0;
    const sel_dtype dtype = kind & 1 ? SEL_F64 : SEL_F32;
    if (!tested_dtype(dtype)) continue;
    seed_numbers((uint64_t)(10 * _i + kind));
    operands a = operands_new(s, dtype);
    send(&a);
    sel_pool_args args = args_of(s, SEL_POOL_AVG, &a.x, &a.y, &a.index);
    args.count_padding = count_padding;
    args.divisor = divisor;
    must(backend->pool(device, &args), "avg pool");
    download(&a.y);
    const double tolerance = 16 * epsilon(a.x.dtype);
    for (int64_t i = 0; i < a.y.numel; i++) {
      double sum = 0;
      for (int64_t k = 0; k < in; k++)
        if (sees(s, i % out, k)) sum += get(&a.x, i / out * in + k);
      expect_near(get(&a.y, i), sum / divisor_of(s, i % out, count_padding, divisor), tolerance,
                  "avg pool", i);
    }
    fill(&a.y, false), send(&a);
    args.op = SEL_POOL_AVG_GRAD;
    must(backend->pool(device, &args), "avg pool back");
    download(&a.x);
    for (int64_t i = 0; i < a.x.numel; i++) {
      double sum = 0;
      for (int64_t o = 0; o < out; o++)
        if (sees(s, o, i % in))
          sum += get(&a.y, i / in * out + o) / divisor_of(s, o, count_padding, divisor);
      expect_near(get(&a.x, i), sum, 4 * tolerance, "avg pool back", i);
    }
    operands_free(&a);
  }
}
END_TEST

TCase *pool_cases(void) {
  TCase *cases = tcase_create("pool");
  if (!backend->pool) return cases;
  tcase_add_loop_test(cases, max, 0, SHAPES);
  tcase_add_loop_test(cases, average, 0, SHAPES);
  return cases;
}
