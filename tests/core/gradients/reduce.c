/* Samples of reductions and running sums. */
#include <math.h>

#include "sample.h"

/* number[0]: keepdim; dims: bits of number[1], none for all */
static int dims_of(const sample *s, int dims[SEL_MAX_DIMS]) {
  int n = 0;
  for (int d = 0; d < SEL_MAX_DIMS; d++)
    if ((int)s->number[1] >> d & 1) dims[n++] = d;
  return n;
}

#define REDUCTION(name, call)                                                              \
  static sel_status run_##name(const sample *s, sel_tensor *const *in, sel_tensor **out) { \
    int dims[SEL_MAX_DIMS], n = dims_of(s, dims);                                          \
    bool keep = s->number[0] != 0;                                                         \
    return call;                                                                           \
  }
REDUCTION(sum, sel_sum(in[0], n, dims, keep, out))
REDUCTION(mean, sel_mean(in[0], n, dims, keep, out))
REDUCTION(prod, sel_prod(in[0], n, dims, keep, out))
REDUCTION(amax, sel_amax(in[0], n, dims, keep, out))
REDUCTION(amin, sel_amin(in[0], n, dims, keep, out))
REDUCTION(var, sel_var(in[0], n, dims, s->number[2], keep, out))
REDUCTION(std, sel_std(in[0], n, dims, s->number[2], keep, out))
REDUCTION(norm, sel_norm(in[0], s->number[2], n, dims, keep, out))
REDUCTION(logsumexp, sel_logsumexp(in[0], n, dims, keep, out))

SAMPLE_RUN(run_cumsum, sel_cumsum(in[0], (int)s->number[0], out))
SAMPLE_RUN(run_sum_to, sel_sum_to(in[0], 2, (int64_t[]){3, 1}, out))

static sel_status first_of_two(sel_status status, sel_tensor *first, sel_tensor *second,
                               sel_tensor **out) {
  if (status != SEL_OK) return status;
  sel_release(second);
  *out = first;
  return SEL_OK;
}
static sel_status run_max(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *values = NULL, *at = NULL;
  sel_status status = sel_max(in[0], (int)s->number[0], s->number[1] != 0, &values, &at);
  return first_of_two(status, values, at, out);
}
static sel_status run_min(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *values = NULL, *at = NULL;
  sel_status status = sel_min(in[0], (int)s->number[0], s->number[1] != 0, &values, &at);
  return first_of_two(status, values, at, out);
}

/* A product with zeros among its factors: 0 twice in one row, once in another. */
static sel_status run_prod_of_zeros(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  (void)s;
  static const double values[] = {0, 1, 1, 0, 0, 1};
  sel_tensor *pattern, *x = NULL;
  sel_status status =
      sel_from_data(2, (int64_t[]){2, 3}, SEL_F64, NULL, values, sizeof values, &pattern);
  if (status != SEL_OK) return status;
  status = sel_mul(in[0], pattern, &x);
  sel_release(pattern);
  if (status == SEL_OK) status = sel_prod(x, 1, (int[]){1}, false, out);
  sel_release(x);
  return status;
}

/* clang-format off */
#define EACH_WAY(op, run, low, high, ...) \
  SAMPLE(op, "all", run, {X(low, high, 2, 3)}, {0, 0, __VA_ARGS__}), \
  SAMPLE(op, "all, keepdim, transposed", run, {XT(low, high, 2, 3)}, {1, 0, __VA_ARGS__}), \
  SAMPLE(op, "first", run, {X(low, high, 3, 4)}, {0, 1, __VA_ARGS__}), \
  SAMPLE(op, "last, sliced", run, {XS(low, high, 2, 5)}, {0, 2, __VA_ARGS__}), \
  SAMPLE(op, "middle, keepdim", run, {X(low, high, 2, 3, 2)}, {1, 2, __VA_ARGS__}), \
  SAMPLE(op, "outer two", run, {XT(low, high, 2, 2, 3)}, {0, 5, __VA_ARGS__}), \
  SAMPLE(op, "outer two, keepdim, sliced", run, {XS(low, high, 3, 2, 2)}, {1, 5, __VA_ARGS__})
#define ONE_ELEMENT(op, run, low, high, ...) \
  SAMPLE(op, "a number", run, {X(low, high)}, {0, 0, __VA_ARGS__}), \
  SAMPLE(op, "over an extent of 1", run, {X(low, high, 3, 1, 2)}, {0, 2, __VA_ARGS__})
#define EXPANDED_INPUT(op, run, low, high, ...) \
  SAMPLE(op, "expanded", run, {XE(low, high, 2, 3)}, {0, 3, __VA_ARGS__})
#define EMPTY(op, run, low, high, ...) \
  SAMPLE(op, "empty", run, {X(low, high, 2, 0)}, {0, 2, __VA_ARGS__})

static const sample samples[] = {
    EACH_WAY("sum", run_sum, -2, 2),
    ONE_ELEMENT("sum", run_sum, -2, 2),
    EXPANDED_INPUT("sum", run_sum, -2, 2),
    EMPTY("sum", run_sum, -2, 2),
    SAMPLE("sum", "more than one block", run_sum, {X(-2, 2, 2, 40)}, {0, 2}),
    SAMPLE("sum", "sum_to", run_sum_to, {X(-2, 2, 3, 4)}),
    EACH_WAY("mean", run_mean, -2, 2),
    ONE_ELEMENT("mean", run_mean, -2, 2),
    EXPANDED_INPUT("mean", run_mean, -2, 2),
    EACH_WAY("prod", run_prod, 0.3, 1.5),
    ONE_ELEMENT("prod", run_prod, -2, 2),
    EXPANDED_INPUT("prod", run_prod, 0.3, 1.5),
    EMPTY("prod", run_prod, -2, 2),
    SAMPLE("prod", "zeros", run_prod_of_zeros, {X(0.3, 2, 2, 3)}),
    EACH_WAY("amax", run_amax, -2, 2),
    ONE_ELEMENT("amax", run_amax, -2, 2),
    EACH_WAY("amin", run_amin, -2, 2),
    ONE_ELEMENT("amin", run_amin, -2, 2),
    EACH_WAY("var", run_var, -2, 2, 1),
    EACH_WAY("var", run_var, -2, 2, 0),
    SAMPLE("var", "expanded", run_var, {XE(-2, 2, 2, 3)}, {0, 0, 1}),
    SAMPLE("var", "std", run_std, {X(-2, 2, 2, 5)}, {0, 2, 1}, .inner = true),
    SAMPLE("var", "std, first, keepdim", run_std, {XT(-2, 2, 4, 2)}, {1, 1, 0}, .inner = true),
    EACH_WAY("sum_abs", run_norm, -2, 2, 1),
    ONE_ELEMENT("sum_abs", run_norm, -2, 2, 1),
    SAMPLE("sum_square", "norm 2", run_norm, {X(-2, 2, 2, 3)}, {0, 0, 2}, .inner = true),
    SAMPLE("sum_square", "norm 2, first", run_norm, {X(-2, 2, 3, 4)}, {0, 1, 2}, .inner = true),
    SAMPLE("sum_square", "norm 2, last, sliced", run_norm, {XS(-2, 2, 2, 5)}, {0, 2, 2}, .inner = true),
    SAMPLE("sum_square", "norm 2, outer", run_norm, {XT(-2, 2, 2, 2, 3)}, {1, 5, 2}, .inner = true),
    SAMPLE("sum_square", "norm 2 of a number", run_norm, {X(0.3, 2)}, {0, 0, 2}, .inner = true),
    SAMPLE("pow", "norm 3", run_norm, {X(-2, 2, 2, 3)}, {0, 2, 3}),
    SAMPLE("pow", "norm 0.5", run_norm, {XT(-2, 2, 2, 3)}, {1, 1, 0.5}),
    SAMPLE("amax", "norm infinity", run_norm, {X(-2, 2, 2, 3)}, {0, 2, INFINITY}),
    SAMPLE("amin", "norm -infinity", run_norm, {X(-2, 2, 2, 3)}, {0, 2, -INFINITY}),
    SAMPLE("add", "logsumexp", run_logsumexp, {X(-2, 2, 2, 3)}, {0, 2}),
    SAMPLE("add", "logsumexp, all", run_logsumexp, {XT(-2, 2, 2, 3)}, {1, 0}),
    SAMPLE("gather", "max, keepdim", run_max, {XT(-2, 2, 3, 4)}, {0, 1}),
    SAMPLE("view", "max", run_max, {X(-2, 2, 3, 4)}, {-1, 0}),
    SAMPLE("gather", "min, keepdim", run_min, {XS(-2, 2, 2, 3)}, {1, 1}),
    SAMPLE("to", "max of a number", run_max, {X(-2, 2)}, {0, 0}),
    SAMPLE("cumsum", "first", run_cumsum, {X(-2, 2, 4, 3)}, {0}),
    SAMPLE("cumsum", "middle, transposed", run_cumsum, {XT(-2, 2, 2, 3, 2)}, {1}),
    SAMPLE("cumsum", "last, sliced", run_cumsum, {XS(-2, 2, 2, 5)}, {-1}),
    SAMPLE("cumsum", "expanded", run_cumsum, {XE(-2, 2, 3, 2)}, {0}),
    SAMPLE("cumsum", "a number", run_cumsum, {X(-2, 2)}, {0}),
};
/* clang-format on */

void visit_reduce_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
