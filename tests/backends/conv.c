/* Convolution and its two gradients against the plain sums: strides, padding, dilation, groups,
 * depthwise and 1x1; tiles, blocks and parts of the batch; Winograd's algorithm; nothing to sum;
 * the same for every number of threads. */
#include "cases.h"
#include "harness.h"

typedef struct shape {
  int dims;
  int64_t n, groups, group_in, group_out;
  int64_t in[3], kernel[3], stride[3], padding[3], behind[3], dilation[3];
} shape;

#define ONE \
  { 1, 1, 1 }
#define NONE \
  { 0, 0, 0 }
static const shape shapes[] = {
    {1, 2, 1, 3, 4, {9}, {3}, {1}, {1}, {1}, {1}},
    {1, 1, 2, 2, 3, {11}, {4}, {2}, {2}, {3}, {2}},
    {1, 3, 1, 1, 8, {1}, {1}, {1}, {0}, {0}, {1}},
    {2, 2, 1, 3, 5, {7, 6}, {3, 3}, ONE, ONE, ONE, ONE},
    {2, 2, 1, 4, 6, {9, 8}, {3, 2}, {2, 3}, {0, 1}, {1, 0}, {1, 2}},
    {2, 1, 3, 2, 2, {6, 7}, {2, 3}, {1, 2}, {1, 0}, {1, 2}, {2, 1}},
    {2, 2, 1, 1, 12, {8, 9}, {5, 5}, ONE, {2, 2}, {2, 2}, ONE},
    {2, 3, 1, 5, 4, {6, 5}, {1, 1}, ONE, NONE, NONE, ONE},
    {2, 1, 2, 5, 4, {6, 5}, {1, 1}, {2, 1}, NONE, NONE, ONE},
    {2, 2, 1, 2, 3, {6, 7}, {3, 3}, ONE, {2, 2}, {2, 2}, {2, 2}}, /* the input's extents */
    {2, 1, 1, 2, 3, {5, 4}, {3, 3}, ONE, {0, 2}, {2, 0}, ONE},
    {2, 1, 1, 2, 3, {3, 2}, {5, 7}, ONE, {2, 3}, {2, 3}, ONE},
    {2, 1, 1, 2, 3, {6, 1}, {3, 3}, ONE, ONE, ONE, ONE},
    {2, 1, 1, 2, 3, {4, 5}, {4, 2}, ONE, {3, 1}, {0, 0}, ONE},
    {2, 1, 1, 2, 3, {3, 4}, {3, 3}, ONE, {3, 4}, {4, 3}, ONE}, /* windows wholly outside */
    {2, 1, 1, 3, 3, {4, 4}, {4, 4}, ONE, NONE, NONE, ONE},     /* one position */
    {2, 2, 6, 1, 1, {7, 9}, {3, 3}, ONE, ONE, ONE, ONE},       /* depthwise */
    {2, 2, 3, 1, 2, {9, 8}, {3, 2}, {2, 2}, {1, 1}, {0, 1}, {1, 2}},
    {2, 1, 4, 1, 1, {5, 40}, {1, 7}, {1, 1}, {0, 3}, {0, 3}, ONE},
    {2, 1, 4, 1, 1, {3, 400}, {3, 3}, {1, 1}, ONE, ONE, {1, 150}}, /* windows reach far */
    {2, 2, 3, 1, 2, {6, 5}, {2, 3}, ONE, {2, 4}, {3, 0}, {1, 2}},  /* padding beyond the windows */
    {2, 1, 2, 1, 1, {300, 260}, {3, 2}, ONE, ONE, {1, 0}, ONE},    /* a large plane */
    {2, 1, 2, 1, 9, {5, 6}, {3, 3}, ONE, ONE, ONE, ONE},
    {2, 2, 1, 64, 40, {20, 21}, {3, 3}, ONE, ONE, ONE, ONE},       /* Winograd's */
    {2, 1, 1, 32, 40, {20, 21}, {5, 5}, ONE, {2, 2}, {2, 2}, ONE}, /* several tiles */
    {2, 1, 1, 48, 100, {13, 13}, {3, 3}, {2, 2}, ONE, ONE, ONE},   /* blocks of channels */
    {2, 11, 1, 8, 6, {10, 10}, {3, 3}, ONE, ONE, ONE, ONE},        /* parts of the batch */
    {2, 9, 1, 16, 24, {12, 12}, {1, 1}, ONE, NONE, NONE, ONE},
    {3, 2, 1, 2, 3, {4, 5, 3}, {2, 3, 2}, {1, 2, 1}, {1, 1, 0}, {0, 1, 1}, {1, 1, 2}},
    {3, 1, 4, 1, 1, {3, 4, 5}, {3, 3, 3}, ONE, ONE, ONE, ONE},
    {2, 2, 1, 16, 17, {21, 14}, {3, 3}, ONE, ONE, ONE, ONE}, /* Winograd's: tiles cut off */
    {2, 7, 1, 19, 8, {8, 8}, {3, 3}, ONE, ONE, ONE, ONE},    /* a last lane, half a vector */
    {2, 5, 1, 16, 50, {15, 13}, {3, 3}, ONE, NONE, NONE, ONE},
    {2, 4, 1, 12, 24, {11, 12}, {3, 3}, ONE, {2, 1}, {2, 2}, ONE},
    {2, 3, 1, 17, 16, {13, 15}, {3, 3}, ONE, {1, 2}, {0, 1}, ONE},
    {2, 6, 1, 70, 36, {4, 4}, {3, 3}, ONE, ONE, ONE, ONE},      /* chunks of channels, few tiles */
    {2, 3, 1, 16, 17, {21, 14}, {3, 3}, {2, 2}, ONE, ONE, ONE}, /* by two */
    {2, 7, 1, 19, 8, {8, 8}, {3, 3}, {2, 2}, ONE, ONE, ONE},
    {2, 2, 1, 12, 40, {31, 34}, {3, 3}, {2, 2}, ONE, {0, 2}, ONE},
    {2, 6, 1, 70, 36, {8, 8}, {3, 3}, {2, 2}, ONE, ONE, ONE},
    {2, 4, 1, 8, 8, {33, 30}, {3, 3}, ONE, ONE, ONE, ONE}, /* chunks of tiles */
    {2, 1, 1, 8, 8, {9, 300}, {3, 3}, ONE, ONE, ONE, ONE}, /* long strips */
    {2, 0, 1, 3, 5, {7, 6}, {3, 3}, ONE, ONE, ONE, ONE},   /* no images */
    {2, 0, 3, 1, 1, {7, 6}, {3, 3}, ONE, ONE, ONE, ONE},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct problem {
  const shape *s;
  int64_t in[3], out[3], kernel[3], stride[3], padding[3], dilation[3]; /* always three dims */
  int64_t in_size, out_size, taps, channels, out_channels;
} problem;

static problem problem_of(const shape *s) {
  problem p = {.s = s, .in_size = 1, .out_size = 1, .taps = 1};
  p.channels = s->groups * s->group_in;
  p.out_channels = s->groups * s->group_out;
  for (int d = 0; d < 3; d++) {
    const bool there = d < s->dims;
    p.in[d] = there ? s->in[d] : 1;
    p.kernel[d] = there ? s->kernel[d] : 1;
    p.stride[d] = there ? s->stride[d] : 1;
    p.padding[d] = there ? s->padding[d] : 0;
    p.dilation[d] = there ? s->dilation[d] : 1;
    const int64_t behind = there ? s->behind[d] : 0;
    p.out[d] =
        (p.in[d] + p.padding[d] + behind - p.dilation[d] * (p.kernel[d] - 1) - 1) / p.stride[d] + 1;
    p.in_size *= p.in[d];
    p.out_size *= p.out[d];
    p.taps *= p.kernel[d];
  }
  return p;
}

/* Where tap `tap` of position `o` lies in its plane; -1: outside. */
static int64_t input_at(const problem *p, int64_t o, int64_t tap) {
  int64_t place = 0, position[3], part[3];
  for (int d = 2; d >= 0; d--) {
    position[d] = o % p->out[d], part[d] = tap % p->kernel[d];
    o /= p->out[d], tap /= p->kernel[d];
  }
  for (int d = 0; d < 3; d++) {
    const int64_t i = position[d] * p->stride[d] - p->padding[d] + part[d] * p->dilation[d];
    if (i < 0 || i >= p->in[d]) return -1;
    place = place * p->in[d] + i;
  }
  return place;
}

typedef struct operands {
  array x, weight, bias, y;
} operands;

/* One product of the sums: what all three operations walk over. */
typedef struct term {
  int64_t x, weight, y, o; /* elements; the output channel */
} term;

typedef struct sums {
  double *value, *magnitude; /* by element of the result */
} sums;

static void add_term(sel_conv_op op, const operands *a, const term *t, sums *s) {
  const int64_t at = op == SEL_CONV_FORWARD ? t->y : op == SEL_CONV_GRAD_INPUT ? t->x : t->weight;
  const double first = op == SEL_CONV_FORWARD ? get(&a->x, t->x) : get(&a->y, t->y);
  const double second = op == SEL_CONV_GRAD_WEIGHT ? get(&a->x, t->x) : get(&a->weight, t->weight);
  s->value[at] += first * second;
  s->magnitude[at] += fabs(first * second);
}

static void add_all(const problem *p, sel_conv_op op, const operands *a, sums *s) {
  const shape *h = p->s;
  for (int64_t image = 0; image < h->n; image++)
    for (int64_t o = 0; o < p->out_channels; o++)
      for (int64_t c = 0; c < h->group_in; c++)
        for (int64_t position = 0; position < p->out_size; position++)
          for (int64_t tap = 0; tap < p->taps; tap++) {
            const int64_t at = input_at(p, position, tap);
            if (at < 0) continue;
            const int64_t channel = o / h->group_out * h->group_in + c;
            const term t = {(image * p->channels + channel) * p->in_size + at,
                            (o * h->group_in + c) * p->taps + tap,
                            (image * p->out_channels + o) * p->out_size + position, o};
            add_term(op, a, &t, s);
          }
}

static array operand(sel_dtype dtype, int64_t n) {
  array a = array_new(dtype, 1, &n, OFFSET);
  fill(&a, false);
  return a;
}

static array *result_of(sel_conv_op op, operands *a) {
  return op == SEL_CONV_FORWARD ? &a->y : op == SEL_CONV_GRAD_INPUT ? &a->x : &a->weight;
}

static void clear(array *a) { /* what is there must not matter */
  for (int64_t i = 0; i < a->numel; i++) set(a, i, NAN);
}

static sel_conv_args args_of(const problem *p, sel_conv_op op, sel_dtype dtype, bool bias,
                             const operands *a) {
  sel_conv_args args = {.op = op,
                        .dtype = dtype,
                        .dims = p->s->dims,
                        .x = operand_of(&a->x),
                        .weight = operand_of(&a->weight),
                        .y = operand_of(&a->y),
                        .n = p->s->n,
                        .channels = p->channels,
                        .out_channels = p->out_channels,
                        .groups = p->s->groups};
  if (bias) args.bias = operand_of(&a->bias);
  for (int d = 0; d < p->s->dims; d++) {
    args.in[d] = p->in[d];
    args.out[d] = p->out[d];
    args.kernel[d] = p->kernel[d];
    args.stride[d] = p->stride[d];
    args.padding[d] = p->padding[d];
    args.dilation[d] = p->dilation[d];
  }
  return args;
}

static void check_bias(const problem *p, sel_dtype dtype, operands *a, const char *what) {
  download(&a->bias);
  for (int64_t o = 0; o < p->out_channels; o++) {
    double sum = 0, magnitude = 0;
    for (int64_t image = 0; image < p->s->n; image++)
      for (int64_t i = 0; i < p->out_size; i++) {
        const double grad = get(&a->y, (image * p->out_channels + o) * p->out_size + i);
        sum += grad, magnitude += fabs(grad);
      }
    expect_near(get(&a->bias, o), sum, epsilon(dtype) * (2 + magnitude), what, o);
  }
}

/* Whether a backend may use Winograd's algorithm, which sums whole patches: its errors are relative
 * to the largest sums around, where those of plain sums are relative to each element's own. */
static bool mixes_patches(const shape *s, sel_dtype dtype) {
  bool mixes = dtype == SEL_F32 && s->dims == 2 && s->groups == 1;
  for (int d = 0; d < 2; d++)
    mixes = mixes && s->kernel[d] == 3 && s->stride[d] <= 2 && s->dilation[d] == 1;
  return mixes && s->group_in >= 8 && s->group_out >= 8;
}

/* Each magnitude becomes the largest of its plane, or of a window's taps. */
static void spread_over_planes(double *magnitude, int64_t n, int64_t plane) {
  for (int64_t begin = 0; begin < n; begin += plane) {
    double largest = 0;
    for (int64_t i = begin; i < begin + plane; i++) largest = fmax(largest, magnitude[i]);
    for (int64_t i = begin; i < begin + plane; i++) magnitude[i] = largest;
  }
}

static void check_result(const problem *p, sel_conv_op op, sel_dtype dtype, bool bias, operands *a,
                         const char *what) {
  array *result = result_of(op, a);
  const int64_t n = result->numel;
  sums s = {calloc((size_t)n + 1, sizeof(double)), calloc((size_t)n + 1, sizeof(double))};
  add_all(p, op, a, &s);
  if (mixes_patches(p->s, dtype))
    spread_over_planes(s.magnitude, n,
                       op == SEL_CONV_FORWARD      ? p->out_size
                       : op == SEL_CONV_GRAD_INPUT ? p->in_size
                                                   : p->taps);
  download(result);
  for (int64_t i = 0; i < n; i++) {
    double wanted = s.value[i];
    if (op == SEL_CONV_FORWARD && bias) wanted += get(&a->bias, i / p->out_size % p->out_channels);
    expect_near(get(result, i), wanted, epsilon(dtype) * (2 + 4 * s.magnitude[i]), what, i);
  }
  free(s.value), free(s.magnitude);
  if (op == SEL_CONV_GRAD_WEIGHT && bias) check_bias(p, dtype, a, what);
}

START_TEST(every_shape) {
  const problem p = problem_of(&shapes[_i]);
  for (int bits = 0; bits < 12; bits++) {
    const sel_conv_op op = (sel_conv_op)(bits % 3);
    const sel_dtype dtype = bits / 3 & 1 ? SEL_F64 : SEL_F32;
    if (!tested_dtype(dtype)) continue;
    const bool bias = bits / 6 && op != SEL_CONV_GRAD_INPUT;
    char what[96];
    snprintf(what, sizeof what, "conv %s, shape %d, %s%s",
             op == SEL_CONV_FORWARD      ? "forward"
             : op == SEL_CONV_GRAD_INPUT ? "grad input"
                                         : "grad weight",
             _i, sel_dtype_name(dtype), bias ? ", bias" : "");
    seed_numbers((uint64_t)(100 * _i + bits));
    operands a = {operand(dtype, p.s->n * p.channels * p.in_size),
                  operand(dtype, p.out_channels * p.s->group_in * p.taps),
                  operand(dtype, p.out_channels),
                  operand(dtype, p.s->n * p.out_channels * p.out_size)};
    clear(result_of(op, &a));
    upload(&a.x), upload(&a.weight), upload(&a.bias), upload(&a.y);
    const sel_conv_args args = args_of(&p, op, dtype, bias, &a);
    must(backend->conv(device, &args), what);
    check_result(&p, op, dtype, bias, &a, what);
    array_free(&a.x), array_free(&a.weight), array_free(&a.bias), array_free(&a.y);
  }
}
END_TEST

/* The bytes of a result with one thread and with three. */
START_TEST(threads) {
  if (!backend->set_threads) return;
  const problem p = problem_of(&shapes[_i]);
  for (int op = 0; op < 3; op++) {
    seed_numbers((uint64_t)_i);
    operands a = {operand(SEL_F32, p.s->n * p.channels * p.in_size),
                  operand(SEL_F32, p.out_channels * p.s->group_in * p.taps),
                  operand(SEL_F32, p.out_channels),
                  operand(SEL_F32, p.s->n * p.out_channels * p.out_size)};
    upload(&a.x), upload(&a.weight), upload(&a.bias), upload(&a.y);
    const sel_conv_args args = args_of(&p, (sel_conv_op)op, SEL_F32, false, &a);
    array *result = result_of((sel_conv_op)op, &a);
    must(backend->set_threads(device, 1), "one thread");
    must(backend->conv(device, &args), "conv");
    download(result);
    double *before = malloc(((size_t)result->numel + 1) * sizeof *before);
    for (int64_t i = 0; i < result->numel; i++) before[i] = get(result, i);
    must(backend->set_threads(device, 3), "three threads");
    must(backend->conv(device, &args), "conv");
    download(result);
    for (int64_t i = 0; i < result->numel; i++)
      expect_near(get(result, i), before[i], 0, "conv with three threads", i);
    must(backend->set_threads(device, 0), "as many as there are");
    free(before);
    array_free(&a.x), array_free(&a.weight), array_free(&a.bias), array_free(&a.y);
  }
}
END_TEST

TCase *conv_cases(void) {
  TCase *cases = tcase_create("conv");
  if (!backend->conv) return cases;
  tcase_add_loop_test(cases, every_shape, 0, SHAPES);
  tcase_add_loop_test(cases, threads, 11, SHAPES);
  return cases;
}
