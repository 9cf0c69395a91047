/* Order: sort, argsort, topk. The kernel sorts rows of a contiguous matrix; another dim is swapped
 * with the last for it. Values are elements of the input, so their gradient goes back to where the
 * indices say they came from. */
#include "op.h"
#include "precision.h"

SEL_X(zeros, (sel_scope * s, int n, const int64_t *shape, sel_dtype dtype, sel_device *d), n, shape,
      dtype, d)
SEL_X(scatter_add, (sel_scope * s, sel_tensor *x, int dim, sel_tensor *index, sel_tensor *src), x,
      dim, index, src)

typedef struct order_attrs {
  int dim;
  bool descending;
  int64_t k; /* how many of each row are wanted */
} order_attrs;

static sel_status order_infer(const sel_call *call, sel_spec *out) {
  const order_attrs *a = call->attrs;
  out[0] = sel__spec_of(call->in[0]);
  if (out[0].ndim) out[0].shape[a->dim] = a->k;
  out[1] = out[0];
  out[1].dtype = SEL_I64;
  return SEL_OK;
}

/* t with `dim` swapped with the last: an alias. */
static sel_tensor *as_rows(sel_scope *s, sel_tensor *t, int dim) {
  sel_tensor *rows = NULL;
  if (s->status != SEL_OK || !sel__hold(s, sel__tensor_alias(t, &rows), &rows)) return NULL;
  int last = t->ndim - 1;
  if (last <= dim) return rows;
  rows->shape[dim] = t->shape[last];
  rows->stride[dim] = t->stride[last];
  rows->shape[last] = t->shape[dim];
  rows->stride[last] = t->stride[dim];
  sel__tensor_settle(rows);
  return rows;
}

/* What the kernel writes instead of `rows`: itself where it is contiguous, else a new tensor. */
static sel_tensor *room_for(sel_scope *s, sel_tensor *rows) {
  sel_tensor *room = NULL;
  if (s->status != SEL_OK || rows->contiguous) return rows;
  return sel__hold(s, sel_empty_like(rows, &room), &room);
}

static sel_status sort_rows(const sel_call *call, sel_tensor *x, sel_tensor *values,
                            sel_tensor *indices) {
  const order_attrs *a = call->attrs;
  sel_device *device = sel__device(x);
  SEL_KERNEL(device, sort, call->op->name);
  int64_t columns = x->ndim ? x->shape[x->ndim - 1] : 1;
  sel_sort_args args = {.input = sel__operand(x),
                        .values = sel__operand(values),
                        .indices = sel__operand(indices),
                        .rows = x->numel / columns,
                        .columns = columns,
                        .k = a->k,
                        .descending = a->descending};
  return device->k.sort(device->handle, &args);
}

static sel_status order_launch(sel_call *call) {
  const order_attrs *a = call->attrs;
  sel_tensor *x = call->in[0], *rows[2], *room[2];
  if (call->out[0]->numel == 0) return SEL_OK;
  SEL_SCOPE(s);
  sel_tensor *packed = sel__operand_as(&s, as_rows(&s, x, a->dim), (sel_dtype)x->dtype);
  for (int k = 0; k < 2; k++) {
    rows[k] = as_rows(&s, call->out[k], a->dim);
    room[k] = room_for(&s, rows[k]);
  }
  if (s.status == SEL_OK) s.status = sort_rows(call, packed, room[0], room[1]);
  for (int k = 0; k < 2; k++)
    if (s.status == SEL_OK && room[k] != rows[k]) s.status = sel__copy(rows[k], room[k]);
  sel__scope_drop(&s);
  return s.status;
}

static sel_status order_backward(sel_vjp *v) {
  if (!v->needs[0]) return SEL_OK;
  const order_attrs *a = v->attrs;
  const sel_spec *x = &v->in_spec[0];
  sel_tensor *g = v->g[0];
  sel_tensor *zeros = x_zeros(v->scope, x->ndim, x->shape, x->dtype, sel__device(g));
  v->grad[0] = sel_retain(x_scatter_add(v->scope, zeros, a->dim, v->out[1], g));
  return v->scope->status;
}

const sel_op sel__op_sort = {.name = "sort",
                             .n_out = 2,
                             .attrs_size = sizeof(order_attrs),
                             .infer = order_infer,
                             .launch = order_launch,
                             .backward = order_backward,
                             .save_for = {SEL_OUT(1)}};
const sel_op sel__op_topk = {.name = "topk",
                             .n_out = 2,
                             .attrs_size = sizeof(order_attrs),
                             .infer = order_infer,
                             .launch = order_launch,
                             .backward = order_backward,
                             .save_for = {SEL_OUT(1)}};

/* ---- the C functions ---- */

static sel_status check_dim(const char *what, const sel_tensor *x, int dim, order_attrs *a) {
  SEL_TRY(sel__expect_tensor(what, "input", x));
  SEL_TRY(sel__dim(what, x, dim, &a->dim));
  a->k = x->ndim ? x->shape[a->dim] : 1;
  return SEL_OK;
}

static sel_status run(const sel_op *op, sel_tensor *x, const order_attrs *a, sel_tensor **values,
                      sel_tensor **indices) {
  sel_call call = {.op = op, .n_in = 1, .in = &x, .attrs = a};
  SEL_TRY(sel__run(&call));
  *values = call.out[0];
  *indices = call.out[1];
  return SEL_OK;
}

sel_status sel_sort(sel_tensor *x, int dim, bool descending, sel_tensor **values,
                    sel_tensor **indices) {
  order_attrs a = {.descending = descending};
  SEL_TRY(check_dim("sort", x, dim, &a));
  return run(&sel__op_sort, x, &a, values, indices);
}

sel_status sel_argsort(sel_tensor *x, int dim, bool descending, sel_tensor **indices) {
  order_attrs a = {.descending = descending};
  SEL_TRY(check_dim("argsort", x, dim, &a));
  sel_tensor *values;
  SEL_TRY(run(&sel__op_sort, x, &a, &values, indices));
  sel_release(values);
  return SEL_OK;
}

sel_status sel_topk(sel_tensor *x, int64_t k, int dim, bool largest, sel_tensor **values,
                    sel_tensor **indices) {
  order_attrs a = {.descending = largest};
  SEL_TRY(check_dim("topk", x, dim, &a));
  char text[SEL_TEXT];
  int64_t least = x->ndim ? 0 : 1; /* a tensor without dims has no place for 0 results */
  SEL_CHECK(k >= least && k <= a.k, SEL_E_ARGUMENT,
            "topk: expected k from %lld to %lld, the extent of dim %d of %s, got %lld",
            (long long)least, (long long)a.k, dim, sel_describe(x, text, sizeof text),
            (long long)k);
  a.k = k;
  return run(&sel__op_topk, x, &a, values, indices);
}
