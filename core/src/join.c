/* Joining tensors: cat along a dim they have, stack along a new one. Each input is copied into its
 * part of the result; its gradient is that part of the result's gradient. */
#include "op.h"

#define DIM(holder) (*(const int *)(holder)->attrs)

static sel_status expect_tensors(const char *what, int n, sel_tensor *const *tensors) {
  SEL_CHECK(n > 0 && tensors, SEL_E_ARGUMENT, "%s: expected at least one tensor", what);
  char text[SEL_TEXT];
  for (int i = 0; i < n; i++)
    SEL_CHECK(tensors[i] && tensors[i]->storage, SEL_E_ARGUMENT,
              "%s: expected tensors, got %s at position %d", what,
              sel_describe(tensors[i], text, sizeof text), i);
  return SEL_OK;
}

/* All must agree with the first in dtype and in all extents but that of `free_dim` (-1: in all). */
static sel_status check_alike(const sel_call *call, int free_dim) {
  const sel_tensor *first = call->in[0];
  char a[SEL_TEXT], b[SEL_TEXT];
  for (int i = 1; i < call->n_in; i++) {
    const sel_tensor *t = call->in[i];
    SEL_TRY(sel__same_dtype(call->op->name, first, t));
    bool fits = t->ndim == first->ndim;
    for (int d = 0; fits && d < t->ndim; d++)
      fits = d == free_dim || t->shape[d] == first->shape[d];
    SEL_CHECK(fits, SEL_E_SHAPE, "%s: expected %s, got %s at position 0 and %s at position %d",
              call->op->name,
              free_dim < 0 ? "tensors of one shape" : "shapes that differ only in the joined dim",
              sel_describe(first, a, sizeof a), sel_describe(t, b, sizeof b), i);
  }
  return SEL_OK;
}

/* ---- cat ---- */

static sel_status cat_infer(const sel_call *call, sel_spec *out) {
  int dim = DIM(call);
  SEL_TRY(check_alike(call, dim));
  *out = sel__spec_of(call->in[0]);
  for (int i = 1; i < call->n_in; i++)
    SEL_CHECK(!__builtin_add_overflow(out->shape[dim], call->in[i]->shape[dim], &out->shape[dim]),
              SEL_E_SHAPE, "cat: the joined extent can't be addressed");
  return sel__check_shape("cat", out->ndim, out->shape);
}

static sel_status cat_launch(sel_call *call) {
  int dim = DIM(call);
  int64_t start = 0;
  sel_status status = SEL_OK;
  for (int i = 0; i < call->n_in && status == SEL_OK; i++) {
    sel_tensor *part;
    SEL_TRY(sel__tensor_alias(call->out[0], &part));
    part->shape[dim] = call->in[i]->shape[dim];
    part->offset += start * part->stride[dim];
    sel__tensor_settle(part);
    status = sel__copy(part, call->in[i]);
    start += part->shape[dim];
    sel_release(part);
  }
  return status;
}

static sel_status cat_backward(sel_vjp *v) {
  int dim = DIM(v);
  int64_t start = 0;
  for (int i = 0; i < v->n_in; i++) {
    int64_t length = v->in_spec[i].shape[dim];
    if (v->needs[i]) SEL_TRY(sel_narrow(v->g[0], dim, start, length, &v->grad[i]));
    start += length;
  }
  return SEL_OK;
}

const sel_op sel__op_cat = {.name = "cat",
                            .n_out = 1,
                            .attrs_size = sizeof(int),
                            .infer = cat_infer,
                            .launch = cat_launch,
                            .backward = cat_backward};

sel_status sel_cat(int n, sel_tensor *const *tensors, int dim, sel_tensor **out) {
  SEL_TRY(expect_tensors("cat", n, tensors));
  SEL_CHECK(tensors[0]->ndim > 0, SEL_E_SHAPE,
            "cat: tensors without dims can't be joined; use stack");
  SEL_TRY(sel__dim("cat", tensors[0], dim, &dim));
  return sel__run1(&sel__op_cat, n, tensors, &dim, out);
}

/* ---- stack ---- */

static sel_status stack_infer(const sel_call *call, sel_spec *out) {
  const sel_tensor *first = call->in[0];
  int dim = DIM(call);
  SEL_TRY(check_alike(call, -1));
  out->dtype = (sel_dtype)first->dtype;
  out->ndim = first->ndim + 1;
  for (int d = 0; d < out->ndim; d++)
    out->shape[d] = d == dim ? call->n_in : first->shape[d < dim ? d : d - 1];
  return sel__check_shape("stack", out->ndim, out->shape);
}

static sel_status stack_launch(sel_call *call) {
  int dim = DIM(call);
  const sel_tensor *out = call->out[0];
  sel_status status = SEL_OK;
  for (int i = 0; i < call->n_in && status == SEL_OK; i++) {
    sel_tensor *part;
    SEL_TRY(sel__tensor_alias(out, &part));
    part->ndim--;
    for (int d = dim; d < part->ndim; d++) {
      part->shape[d] = out->shape[d + 1];
      part->stride[d] = out->stride[d + 1];
    }
    part->offset += i * out->stride[dim];
    sel__tensor_settle(part);
    status = sel__copy(part, call->in[i]);
    sel_release(part);
  }
  return status;
}

static sel_status stack_backward(sel_vjp *v) {
  for (int i = 0; i < v->n_in; i++)
    if (v->needs[i]) SEL_TRY(sel_select(v->g[0], DIM(v), i, &v->grad[i]));
  return SEL_OK;
}

const sel_op sel__op_stack = {.name = "stack",
                              .n_out = 1,
                              .attrs_size = sizeof(int),
                              .infer = stack_infer,
                              .launch = stack_launch,
                              .backward = stack_backward};

sel_status sel_stack(int n, sel_tensor *const *tensors, int dim, sel_tensor **out) {
  SEL_TRY(expect_tensors("stack", n, tensors));
  char text[SEL_TEXT];
  int ndim = tensors[0]->ndim + 1; /* of the result */
  SEL_CHECK(ndim <= SEL_MAX_DIMS, SEL_E_SHAPE, "stack: %s has the most dims there can be",
            sel_describe(tensors[0], text, sizeof text));
  SEL_CHECK(
      dim >= -ndim && dim < ndim, SEL_E_ARGUMENT,
      "stack: dim %d is out of range for a result of %d dims (counted from 0; -1 is the last)", dim,
      ndim);
  if (dim < 0) dim += ndim;
  return sel__run1(&sel__op_stack, n, tensors, &dim, out);
}
