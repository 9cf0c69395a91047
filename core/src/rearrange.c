/* The elements of one tensor in another order, or several times: flip, roll, repeat. */
#include "op.h"

/* ---- flip: its own gradient ---- */

typedef struct flip_attrs {
  uint8_t mask; /* bit d: dim d is reversed */
} flip_attrs;

static sel_status flip_infer(const sel_call *call, sel_spec *out) {
  *out = sel__spec_of(call->in[0]);
  return SEL_OK;
}
/* A copy from the last element on, with negative strides. */
static sel_status flip_launch(sel_call *call) {
  const flip_attrs *a = call->attrs;
  const sel_tensor *x = call->in[0];
  if (x->numel == 0) return SEL_OK;
  sel_tensor *reversed;
  SEL_TRY(sel__tensor_alias(x, &reversed));
  for (int d = 0; d < x->ndim; d++) {
    if (!(a->mask >> d & 1)) continue;
    reversed->offset += (x->shape[d] - 1) * x->stride[d];
    reversed->stride[d] = -x->stride[d];
  }
  sel__tensor_settle(reversed);
  sel_status status = sel__copy(call->out[0], reversed);
  sel_release(reversed);
  return status;
}
static sel_status flip_backward(sel_vjp *v) {
  if (!v->needs[0]) return SEL_OK;
  sel_tensor *g = v->g[0];
  return sel__run1(v->op, 1, &g, v->attrs, &v->grad[0]);
}
const sel_op sel__op_flip = {.name = "flip",
                             .n_out = 1,
                             .attrs_size = sizeof(flip_attrs),
                             .infer = flip_infer,
                             .launch = flip_launch,
                             .backward = flip_backward};

sel_status sel_flip(sel_tensor *x, int ndims, const int *dims, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("flip", "input", x));
  unsigned mask = 0;
  for (int i = 0; i < ndims; i++) {
    int d;
    SEL_TRY(sel__dim("flip", x, dims[i], &d));
    SEL_CHECK(!(mask >> d & 1), SEL_E_ARGUMENT, "flip: dim %d is given twice", dims[i]);
    mask |= 1u << d;
  }
  flip_attrs a = {.mask = (uint8_t)mask};
  return sel__run1(&sel__op_flip, 1, &x, &a, out);
}

/* ---- roll: the two halves in the other order ---- */

sel_status sel_roll(sel_tensor *x, int64_t shift, int dim, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("roll", "input", x));
  SEL_TRY(sel__dim("roll", x, dim, &dim));
  int64_t n = x->ndim ? x->shape[dim] : 1;
  int64_t back = n ? shift % n : 0; /* how many come from the end to the front */
  if (back < 0) back += n;
  if (back == 0) return sel_clone(x, out);
  SEL_SCOPE(s);
  sel_tensor *halves[2] = {x_narrow(&s, x, dim, n - back, back), x_narrow(&s, x, dim, 0, n - back)};
  sel_tensor *rolled = NULL;
  if (s.status == SEL_OK) rolled = sel__hold(&s, sel_cat(2, halves, dim, &rolled), &rolled);
  return sel__scope_end(&s, rolled, out);
}

/* ---- repeat ---- */

static sel_status repeated_shape(const sel_tensor *x, int ndim, const int64_t *times) {
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_CHECK(ndim >= x->ndim && ndim <= SEL_MAX_DIMS, SEL_E_ARGUMENT,
            "repeat: expected a number of times for each dim of %s, at most %d, got %d",
            sel_describe(x, a, sizeof a), SEL_MAX_DIMS, ndim);
  int64_t shape[SEL_MAX_DIMS] = {0};
  for (int d = 0; d < ndim; d++) {
    int own = d - (ndim - x->ndim);
    SEL_CHECK(
        times[d] >= 0 && !__builtin_mul_overflow(own < 0 ? 1 : x->shape[own], times[d], &shape[d]),
        SEL_E_ARGUMENT, "repeat: %s can't be repeated %s times", sel_describe(x, a, sizeof a),
        sel__shape_text(ndim, times, b, sizeof b));
  }
  return sel__check_shape("repeat", ndim, shape);
}

/* Dim by dim: what lies inside is seen as one block, which a broadcast repeats. */
sel_status sel_repeat(sel_tensor *x, int ndim, const int64_t *times, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("repeat", "input", x));
  SEL_TRY(repeated_shape(x, ndim, times));
  int64_t shape[SEL_MAX_DIMS];
  for (int d = 0, lead = ndim - x->ndim; d < ndim; d++)
    shape[d] = d < lead ? 1 : x->shape[d - lead];
  SEL_SCOPE(s);
  sel_tensor *y = x_reshape(&s, x, ndim, shape);
  int64_t block = 1;
  for (int d = ndim - 1; d >= 0; d--) {
    block *= shape[d];
    if (times[d] == 1) continue;
    int64_t wide[3] = {1, 1, block};
    for (int outer = 0; outer < d; outer++) wide[0] *= shape[outer];
    sel_tensor *blocks = x_reshape(&s, y, 3, wide);
    wide[1] = times[d];
    shape[d] *= times[d];
    block *= times[d];
    y = x_reshape(&s, x_expand(&s, blocks, 3, wide), ndim, shape);
  }
  if (s.status == SEL_OK && sel_shares_storage(y, x)) y = x_clone(&s, y);
  return sel__scope_end(&s, y, out);
}
