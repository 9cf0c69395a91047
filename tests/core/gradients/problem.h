/* The inputs of a sample: leaves with values, and views of them in the layouts asked for. */
#ifndef GRADIENTS_PROBLEM_H
#define GRADIENTS_PROBLEM_H

#include "sample.h"
#include "tensors.h"

enum { ELEMENTS = 128 }; /* most elements of one tensor */

typedef struct variable {
  int ndim;
  int64_t shape[SEL_MAX_DIMS], n; /* of the leaf; the input is a view of it */
  double value[ELEMENTS];
} variable;

typedef struct problem {
  const sample *s;
  variable v[SAMPLE_INPUTS + 1]; /* by input; the last one is w */
  int w;                         /* how many inputs there are, and the index of w */
} problem;

/* The leaf's shape, of which `in` is a view. */
static inline void leaf_shape(const sample_input *in, variable *v) {
  v->ndim = in->ndim;
  for (int d = 0; d < in->ndim; d++) v->shape[d] = in->shape[d];
  if (in->layout == TRANSPOSED)
    for (int d = 0; d < in->ndim; d++) v->shape[d] = in->shape[in->ndim - 1 - d];
  if (in->layout == SLICED && in->ndim > 0)
    v->shape[in->ndim - 1] = 2 * in->shape[in->ndim - 1] + 1;
  if (in->layout == SLICED && in->ndim == 0) v->shape[v->ndim++] = 3;
  if (in->layout == EXPANDED) v->shape[0] = 1;
  v->n = 1;
  for (int d = 0; d < v->ndim; d++) v->n *= v->shape[d];
  ck_assert_int_le(v->n, ELEMENTS);
}

/* Value k of n: a multiple of 1/2 that some_number picks, plus an offset from a band that belongs
 * to input i alone, in which each k has its own place. */
static inline double draw(const sample_input *in, int i, int64_t k, int64_t n, uint64_t seed) {
  static const double band[] = {0.06, 0.21, 0.33};
  int64_t place = (k * 7919 + 3) % n; /* 7919 is prime and larger than any n */
  double fraction = band[i % 3] + 0.09 * ((double)place + 0.5) / (double)n;
  double first = ceil((in->low - fraction) * 2), last = floor((in->high - fraction) * 2);
  ck_assert_double_le(first, last);
  double steps = floor(some_number(seed + (uint64_t)k, 0, last - first + 1));
  return (first + steps) / 2 + fraction;
}

static inline void prepare(problem *p, const sample *s) {
  p->s = s;
  while (p->w < SAMPLE_INPUTS && s->in[p->w].kind != NONE) p->w++;
  for (int i = 0; i < p->w; i++) {
    const sample_input *in = &s->in[i];
    variable *v = &p->v[i];
    if (in->kind == ABSENT || in->kind == NUMBER) continue;
    leaf_shape(in, v);
    for (int64_t k = 0; k < v->n; k++) {
      uint64_t seed = (uint64_t)(1000 * i + 17) + 31 * (uint64_t)v->n;
      if (in->kind == IDS)
        v->value[k] = floor(some_number(seed + (uint64_t)k, in->low, in->high));
      else if (in->kind == MASK)
        v->value[k] = some_number(seed + (uint64_t)k, 0, 1) < 0.5;
      else
        v->value[k] = draw(in, i, k, v->n, seed);
    }
  }
}

/* The input as a view of its leaf; new. */
static inline sel_status make_view(sel_tensor *t, const sample_input *in, sel_tensor **out) {
  int dims[SEL_MAX_DIMS];
  switch (in->layout) {
    case TRANSPOSED:
      for (int d = 0; d < in->ndim; d++) dims[d] = in->ndim - 1 - d;
      return sel_permute(t, in->ndim, dims, out);
    case SLICED:
      return in->ndim ? sel_slice(t, -1, 1, INT64_MAX, 2, out) : sel_select(t, 0, 1, out);
    case EXPANDED:
      return sel_expand(t, in->ndim, in->shape, out);
    default:
      *out = sel_retain(t);
      return SEL_OK;
  }
}

static inline sel_tensor *tensor_from(const variable *v, sel_dtype dtype) {
  return tensor_of(dtype, v->ndim, v->shape, (int)v->n, v->value);
}

static inline bool varies(const problem *p, int i) {
  return i == p->w || p->s->in[i].kind == VARYING;
}

/* The leaf (or constant) of input i; NULL where it is absent. */
static inline sel_tensor *make_leaf(const problem *p, int i, bool grad) {
  const sample_input *what = &p->s->in[i];
  if (what->kind == ABSENT) return NULL;
  if (what->kind == NUMBER) return NEW(scalar, (what->low + what->high) / 2 + 0.125);
  sel_dtype dtype = what->kind == IDS ? SEL_I64 : what->kind == MASK ? SEL_BOOL : SEL_F64;
  sel_tensor *t = tensor_from(&p->v[i], dtype);
  return grad && what->kind == VARYING ? leaf(t) : t;
}

static inline void make_inputs(const problem *p, bool grad, sel_tensor **leaves, sel_tensor **in) {
  for (int i = 0; i < p->w; i++) {
    leaves[i] = in[i] = make_leaf(p, i, grad);
    if (!in[i] || p->s->in[i].kind == NUMBER) continue;
    ASSERT_OK(make_view(leaves[i], &p->s->in[i], &in[i]));
    keep(in[i]);
  }
}

/* Fixed weights of the first gradients. */
static inline double u_weight(int i, int64_t k) {
  return some_number(9000 + 100 * (uint64_t)i + (uint64_t)k, 0.5, 1.5);
}

/* The suite's second half, in failing_memory.c. */
void add_failing_memory_tests(TCase *tcase);

#endif
