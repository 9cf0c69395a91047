/* Normalisation of every kind, forward and backward, against sums written out. */
#include "cases.h"
#include "harness.h"

/* n, channels, inner, groups: short and long segments, channels that fill a strip and more. */
static const struct {
  sel_norm_kind kind;
  int64_t n, channels, inner, groups;
} shapes[] = {
    {SEL_NORM_LAYER, 1, 1, 1, 1},    {SEL_NORM_LAYER, 5, 1, 7, 1},
    {SEL_NORM_LAYER, 33, 1, 300, 1}, {SEL_NORM_RMS, 3, 1, 1, 1},
    {SEL_NORM_RMS, 40, 1, 65, 1},    {SEL_NORM_GROUP, 2, 6, 5, 3},
    {SEL_NORM_GROUP, 3, 4, 70, 4},   {SEL_NORM_GROUP, 4, 6, 1, 1},
    {SEL_NORM_BATCH, 9, 3, 1, 1},    {SEL_NORM_BATCH, 20, 300, 1, 1},
    {SEL_NORM_BATCH, 3, 70, 4, 1},   {SEL_NORM_BATCH, 2, 5, 32, 1},
    {SEL_NORM_BATCH, 3, 4, 33, 1},   {SEL_NORM_BATCH, 1, 2, 500, 1},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static const double eps = 1e-3;

/* Which statistic and which affine number belong to element i. */
static int64_t statistic_of(const sel_norm_args *a, int64_t i) {
  const int64_t channel = i / a->inner % a->channels, sample = i / (a->channels * a->inner);
  if (a->kind == SEL_NORM_BATCH) return channel;
  if (a->kind == SEL_NORM_GROUP) return sample * a->groups + channel * a->groups / a->channels;
  return sample;
}
static int64_t affine_of(const sel_norm_args *a, int64_t i) {
  if (a->kind == SEL_NORM_LAYER || a->kind == SEL_NORM_RMS) return i % a->inner;
  return i / a->inner % a->channels;
}

typedef struct problem {
  sel_norm_args args;
  int64_t elements, statistics, affine;
  array x, y, mean, rstd, var, weight, bias, grad, grad_x, grad_weight, grad_bias;
  double *m, *v; /* mean and variance by statistic */
  double count;  /* elements of a statistic */
} problem;

static array *const *arrays_of(problem *p, array *all[11]) {
  array *list[] = {&p->x,    &p->y,    &p->mean,   &p->rstd,        &p->var,      &p->weight,
                   &p->bias, &p->grad, &p->grad_x, &p->grad_weight, &p->grad_bias};
  memcpy(all, list, sizeof list);
  return all;
}

static void find_statistics(problem *p) {
  const bool rms = p->args.kind == SEL_NORM_RMS;
  p->m = calloc((size_t)p->statistics, sizeof *p->m);
  p->v = calloc((size_t)p->statistics, sizeof *p->v);
  p->count = (double)p->elements / (double)p->statistics;
  for (int64_t i = 0; i < p->elements && !rms; i++)
    p->m[statistic_of(&p->args, i)] += get(&p->x, i) / p->count;
  for (int64_t i = 0; i < p->elements; i++) {
    const int64_t k = statistic_of(&p->args, i);
    p->v[k] += (get(&p->x, i) - p->m[k]) * (get(&p->x, i) - p->m[k]) / p->count;
  }
}

static double standard(const problem *p, int64_t i) {
  const int64_t k = statistic_of(&p->args, i);
  return (get(&p->x, i) - p->m[k]) / sqrt(p->v[k] + eps);
}

static problem prepare(int shape, sel_dtype dtype, bool affine, bool fixed) {
  problem p = {.args = {.kind = shapes[shape].kind,
                        .fixed_statistics = fixed,
                        .dtype = dtype,
                        .n = shapes[shape].n,
                        .channels = shapes[shape].channels,
                        .inner = shapes[shape].inner,
                        .groups = shapes[shape].groups,
                        .eps = eps}};
  p.elements = p.args.n * p.args.channels * p.args.inner;
  p.statistics = statistic_of(&p.args, p.elements - 1) + 1;
  p.affine = affine_of(&p.args, p.elements - 1) + 1;
  array *all[11];
  arrays_of(&p, all);
  const int64_t sizes[] = {p.elements,   p.elements, p.statistics, p.statistics,
                           p.statistics, p.affine,   p.affine,     p.elements,
                           p.elements,   p.affine,   p.affine};
  for (int i = 0; i < 11; i++) *all[i] = array_new(dtype, 1, &sizes[i], OFFSET);
  fill(&p.x, false), fill(&p.weight, false), fill(&p.bias, false), fill(&p.grad, false);
  find_statistics(&p);
  for (int64_t k = 0; k < p.statistics; k++)
    set(&p.mean, k, p.m[k]), set(&p.rstd, k, 1 / sqrt(p.v[k] + eps));
  for (int i = 0; i < 11; i++) upload(all[i]);
  p.args.x = operand_of(&p.x), p.args.y = operand_of(&p.y);
  p.args.mean = operand_of(&p.mean), p.args.rstd = operand_of(&p.rstd);
  if (affine) p.args.weight = operand_of(&p.weight), p.args.bias = operand_of(&p.bias);
  return p;
}

static void drop(problem *p) {
  array *all[11];
  arrays_of(p, all);
  for (int i = 0; i < 11; i++) array_free(all[i]);
  free(p->m), free(p->v);
}

static double weight_at(const problem *p, int64_t i) {
  return p->args.weight.data ? get(&p->weight, affine_of(&p->args, i)) : 1;
}

static void check_forward(problem *p, const char *what) {
  const double tolerance = 64 * epsilon(p->args.dtype);
  const bool batch = p->args.kind == SEL_NORM_BATCH && !p->args.fixed_statistics;
  if (batch) p->args.var = operand_of(&p->var);
  must(backend->norm(device, &p->args), what);
  download(&p->y), download(&p->mean), download(&p->rstd), download(&p->var);
  for (int64_t i = 0; i < p->elements; i++) {
    const double shift = p->args.bias.data ? get(&p->bias, affine_of(&p->args, i)) : 0;
    expect_near(get(&p->y, i), standard(p, i) * weight_at(p, i) + shift, tolerance, what, i);
  }
  for (int64_t k = 0; k < p->statistics; k++) {
    if (p->args.kind != SEL_NORM_RMS) expect_near(get(&p->mean, k), p->m[k], tolerance, what, k);
    expect_near(get(&p->rstd, k), 1 / sqrt(p->v[k] + eps), tolerance, what, k);
    if (batch) expect_near(get(&p->var, k), p->v[k], tolerance, what, k);
  }
}

static void check_backward(problem *p, const char *what) {
  const bool fixed = p->args.fixed_statistics, rms = p->args.kind == SEL_NORM_RMS;
  double *along = calloc((size_t)p->statistics, sizeof *along); /* means of w g, of w g xhat */
  double *along_x = calloc((size_t)p->statistics, sizeof *along_x);
  double *weight = calloc((size_t)p->affine, sizeof *weight);
  double *bias = calloc((size_t)p->affine, sizeof *bias);
  for (int64_t i = 0; i < p->elements; i++) {
    const int64_t k = statistic_of(&p->args, i), a = affine_of(&p->args, i);
    const double g = get(&p->grad, i), wg = g * weight_at(p, i);
    if (!fixed && !rms) along[k] += wg / p->count;
    if (!fixed) along_x[k] += wg * standard(p, i) / p->count;
    weight[a] += g * standard(p, i), bias[a] += g;
  }
  p->args.backward = true;
  p->args.grad = operand_of(&p->grad), p->args.grad_x = operand_of(&p->grad_x);
  p->args.grad_weight = operand_of(&p->grad_weight);
  if (!rms) p->args.grad_bias = operand_of(&p->grad_bias);
  must(backend->norm(device, &p->args), what);
  download(&p->grad_x), download(&p->grad_weight), download(&p->grad_bias);
  for (int64_t i = 0; i < p->elements; i++) {
    const int64_t k = statistic_of(&p->args, i);
    const double wg = get(&p->grad, i) * weight_at(p, i), rstd = 1 / sqrt(p->v[k] + eps);
    expect_near(get(&p->grad_x, i), rstd * (wg - along[k] - standard(p, i) * along_x[k]),
                64 * (1 + rstd) * epsilon(p->args.dtype), what, i);
  }
  for (int64_t a = 0; a < p->affine; a++) {
    const double tolerance = 64 * sqrt(p->count) * epsilon(p->args.dtype);
    expect_near(get(&p->grad_weight, a), weight[a], tolerance, what, a);
    if (!rms) expect_near(get(&p->grad_bias, a), bias[a], tolerance, what, a);
  }
  free(along), free(along_x), free(weight), free(bias);
}

START_TEST(every_shape) {
  static const char *const names[] = {"layer", "rms", "group", "batch"};
  seed_numbers((uint64_t)_i);
  for (int bits = 0; bits < 16; bits++) {
    const bool affine = bits & 1, is_backward = bits & 2, fixed = bits & 4;
    const sel_dtype dtype = bits & 8 ? SEL_F64 : SEL_F32;
    if (fixed && shapes[_i].kind != SEL_NORM_BATCH) continue;
    if (!tested_dtype(dtype)) continue;
    problem p = prepare(_i, dtype, affine, fixed);
    char what[96];
    snprintf(what, sizeof what, "%s norm %s%s%s %s, shape %d", names[p.args.kind],
             is_backward ? "backward" : "forward", affine ? ", affine" : "", fixed ? ", fixed" : "",
             sel_dtype_name(dtype), _i);
    if (is_backward)
      check_backward(&p, what);
    else
      check_forward(&p, what);
    drop(&p);
  }
}
END_TEST

/* A large mean takes no digits from the variance. */
START_TEST(large_mean) {
  enum { N = 1000 };
  array x = vector_new(SEL_F32, N), y = vector_new(SEL_F32, N);
  array mean = vector_new(SEL_F32, 1), rstd = vector_new(SEL_F32, 1);
  for (int64_t i = 0; i < N; i++) set(&x, i, 4096 + (double)(i % 2));
  upload(&x), upload(&y), upload(&mean), upload(&rstd);
  const sel_norm_args args = {.kind = SEL_NORM_LAYER,
                              .dtype = SEL_F32,
                              .x = operand_of(&x),
                              .y = operand_of(&y),
                              .mean = operand_of(&mean),
                              .rstd = operand_of(&rstd),
                              .n = 1,
                              .channels = 1,
                              .inner = N,
                              .groups = 1};
  must(backend->norm(device, &args), "layer norm");
  download(&y), download(&rstd);
  expect_near(get(&rstd, 0), 2, 1e-6, "rstd", 0);
  for (int64_t i = 0; i < N; i++) expect_near(get(&y, i), i % 2 ? 1 : -1, 1e-6, "y", i);
  array_free(&x), array_free(&y), array_free(&mean), array_free(&rstd);
}
END_TEST

TCase *norm_cases(void) {
  TCase *cases = tcase_create("norm");
  tcase_add_loop_test(cases, every_shape, 0, SHAPES);
  tcase_add_test(cases, large_mean);
  return cases;
}
