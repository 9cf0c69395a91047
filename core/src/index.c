/* Indexing along one dim: taking elements (index_select, gather, embedding), and adding or writing
 * them back (index_add, scatter_add, scatter).
 *
 * Kernels see contiguous [outer, extent, inner]; the launches here bring tensors to that form.
 * Adding is the inverse of taking, so each is the gradient of the other. Sums of f16 and bf16 are
 * taken in f32.
 */
#include <string.h>

#include "op.h"
#include "precision.h"
#include "profile.h"

SEL_X(pad, (sel_scope * s, sel_tensor *x, int n, const int64_t *pads, double v), x, n, pads, v)
SEL_X(zeros, (sel_scope * s, int n, const int64_t *shape, sel_dtype dtype, sel_device *d), n, shape,
      dtype, d)
SEL_X(arange, (sel_scope * s, double end, sel_dtype dtype, sel_device *d), 0, end, 1, dtype, d)
SEL_X(scatter, (sel_scope * s, sel_tensor *x, int dim, sel_tensor *index, sel_tensor *src), x, dim,
      index, src)
SEL_X(where_scalar, (sel_scope * s, sel_tensor *cond, sel_tensor *a, double b), cond, a, b)

/* ---- the kernel ---- */

static int64_t extent_at(const sel_tensor *t, int dim) { return t->ndim ? t->shape[dim] : 1; }

/* Runs the kernel over three contiguous tensors. `whole` has the indexed extent along dim, `part`
 * one position for each index there; whichever of them is not `out` is x. */
static sel_status launch_index(const char *what, sel_index_op op, int dim, sel_tensor *whole,
                               sel_tensor *index, sel_tensor *part, bool take) {
  sel_device *device = sel__device(whole);
  SEL_KERNEL(device, index, what);
  sel_index_args args = {.op = op,
                         .x = sel__operand(take ? whole : part),
                         .index = sel__operand(index),
                         .out = sel__operand(take ? part : whole),
                         .outer = 1,
                         .extent = extent_at(whole, dim),
                         .count = extent_at(part, dim),
                         .inner = 1,
                         .operation = what};
  for (int d = 0; d < part->ndim; d++) {
    if (d < dim) args.outer *= part->shape[d];
    if (d > dim) args.inner *= part->shape[d];
  }
  sel_status status = device->k.index(device->handle, &args);
  if (status != SEL_OK) sel_error_prefix(what);
  return status;
}

/* t cut to the extents of `shape`, from the start of each dim but `dim` (-1: of each). An alias. */
static sel_tensor *cut(sel_scope *s, sel_tensor *t, const int64_t *shape, int dim) {
  sel_tensor *part = NULL;
  if (s->status != SEL_OK || !sel__hold(s, sel__tensor_alias(t, &part), &part)) return NULL;
  for (int d = 0; d < t->ndim; d++)
    if (d != dim) part->shape[d] = shape[d];
  sel__tensor_settle(part);
  return part;
}

/* out = x indexed; `shape`: the extents of x that are read. */
static sel_status take(const sel_call *call, sel_index_op op, int dim, const int64_t *shape) {
  sel_tensor *out = call->out[0], *ids = call->in[1];
  if (out->numel == 0) return SEL_OK;
  SEL_SCOPE(s);
  sel_tensor *x = sel__operand_as(&s, cut(&s, call->in[0], shape, dim), (sel_dtype)out->dtype);
  sel_tensor *index = sel__operand_as(&s, ids, (sel_dtype)ids->dtype);
  if (s.status == SEL_OK) s.status = launch_index(call->op->name, op, dim, x, index, out, true);
  sel__scope_drop(&s);
  return s.status;
}

/* out = x with src put at index; `shape`: the extents of src that are put, and of out that they
 * reach beside dim. Where the kernel can't write into out itself, it writes into a copy. */
static sel_status put(const sel_call *call, sel_index_op op, int dim, const int64_t *shape,
                      sel_dtype compute) {
  sel_tensor *out = call->out[0], *ids = call->in[1];
  if (out != call->in[0]) SEL_TRY(sel__copy(out, call->in[0]));
  if (ids->numel == 0) return SEL_OK;
  SEL_SCOPE(s);
  sel_tensor *region = cut(&s, out, shape, dim);
  sel_tensor *target = sel__operand_as(&s, region, compute);
  sel_tensor *index = sel__operand_as(&s, ids, (sel_dtype)ids->dtype);
  sel_tensor *src = sel__operand_as(&s, cut(&s, call->in[2], shape, -1), compute);
  if (s.status == SEL_OK)
    s.status = launch_index(call->op->name, op, dim, target, index, src, false);
  return sel__launch_end(&s, target, region);
}

/* Of x, what is taken is read. */
static void take_cost(const sel_call *call, sel_cost *cost) {
  cost->bytes = sel__bytes_of(call->in[1]) + 2 * sel__bytes_of(call->out[0]);
}

/* What is put is read, and where it goes read and written; without copying x if it is in place. */
static void put_cost(const sel_call *call, sel_cost *cost) {
  const sel_tensor *src = call->in[2];
  cost->bytes = sel__bytes_of(call->in[1]) + sel__bytes_of(src) +
                2 * (double)src->numel * (double)sel_dtype_size((sel_dtype)src->dtype);
  if (call->out[0] != call->in[0]) cost->bytes += 2 * sel__bytes_of(call->out[0]);
}

#define DIM(holder) (*(const int *)(holder)->attrs)

/* The gradient of input 0 of an operation that takes: `grad` added at index into zeros, by `op`. */
static sel_status add_into_zeros(sel_vjp *v, const sel_op *op, int dim, sel_tensor *index,
                                 sel_tensor *grad) {
  const sel_spec *x = &v->in_spec[0];
  sel_tensor *sum;
  SEL_TRY(sel_zeros(x->ndim, x->shape, x->dtype, sel__device(grad), &sum));
  sel_call call = {.op = op, .n_in = 3, .in = (sel_tensor *[]){sum, index, grad}, .attrs = &dim};
  sel_status status = sel__run_in_place(&call);
  if (status == SEL_OK)
    v->grad[0] = sum;
  else
    sel_release(sum);
  return status;
}

/* ---- index_add, index_select: one index for a whole row ---- */

static sel_status check_vector(const char *what, const sel_tensor *x, const sel_tensor *index) {
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_TRY(sel__index_dtype(what, index));
  SEL_CHECK(index->ndim <= 1, SEL_E_SHAPE, "%s: expected a vector of indices, got %s", what,
            sel_describe(index, a, sizeof a));
  SEL_CHECK(x->ndim > 0 || index->numel == 1, SEL_E_SHAPE, "%s: expected one index for %s, got %s",
            what, sel_describe(x, b, sizeof b), sel_describe(index, a, sizeof a));
  return SEL_OK;
}

static sel_status expect_addable(const char *what, const sel_tensor *x, const sel_tensor *src) {
  SEL_TRY(sel__same_dtype(what, x, src));
  SEL_CHECK(x->dtype != SEL_BOOL, SEL_E_DTYPE, "%s: expected numbers, got bool", what);
  return SEL_OK;
}

static sel_status index_add_infer(const sel_call *call, sel_spec *out) {
  const sel_tensor *x = call->in[0], *index = call->in[1], *src = call->in[2];
  int dim = DIM(call);
  char a[SEL_TEXT], b[SEL_TEXT], c[SEL_TEXT];
  SEL_TRY(expect_addable("index_add", x, src));
  SEL_TRY(check_vector("index_add", x, index));
  bool fits = src->ndim == x->ndim;
  for (int d = 0; fits && d < x->ndim; d++)
    fits = src->shape[d] == (d == dim ? index->numel : x->shape[d]);
  SEL_CHECK(
      fits, SEL_E_SHAPE,
      "index_add: %s can't be added at indices %s along dim %d of %s: it must have one row an "
      "index and agree in the other dims",
      sel_describe(src, a, sizeof a), sel_describe(index, b, sizeof b), dim,
      sel_describe(x, c, sizeof c));
  *out = sel__spec_of(x);
  return SEL_OK;
}
static sel_status index_add_launch(sel_call *call) {
  sel_dtype compute = sel__compute_dtype((sel_dtype)call->out[0]->dtype);
  return put(call, SEL_INDEX_ADD, DIM(call), call->in[2]->shape, compute);
}
static sel_status index_add_backward(sel_vjp *v) {
  if (v->needs[0]) v->grad[0] = sel_retain(v->g[0]);
  if (v->needs[2]) v->grad[2] = sel_retain(x_index_select(v->scope, v->g[0], DIM(v), v->in[1]));
  return v->scope->status;
}
const sel_op sel__op_index_add = {.name = "index_add",
                                  .n_out = 1,
                                  .attrs_size = sizeof(int),
                                  .infer = index_add_infer,
                                  .launch = index_add_launch,
                                  .backward = index_add_backward,
                                  .save_for = {0, 0, SEL_IN(1)},
                                  .cost = put_cost};

static sel_status index_select_infer(const sel_call *call, sel_spec *out) {
  const sel_tensor *x = call->in[0], *index = call->in[1];
  SEL_TRY(check_vector("index_select", x, index));
  *out = sel__spec_of(x);
  if (x->ndim) out->shape[DIM(call)] = index->numel;
  return sel__check_shape("index_select", out->ndim, out->shape);
}
static sel_status index_select_launch(sel_call *call) {
  return take(call, SEL_INDEX_SELECT, DIM(call), call->in[0]->shape);
}
static sel_status index_select_backward(sel_vjp *v) {
  if (!v->needs[0]) return SEL_OK;
  return add_into_zeros(v, &sel__op_index_add, DIM(v), v->in[1], v->g[0]);
}
const sel_op sel__op_index_select = {.name = "index_select",
                                     .n_out = 1,
                                     .attrs_size = sizeof(int),
                                     .infer = index_select_infer,
                                     .launch = index_select_launch,
                                     .backward = index_select_backward,
                                     .save_for = {SEL_IN(1)},
                                     .cost = take_cost};

/* ---- embedding: rows of a table ---- */

static sel_status embedding_infer(const sel_call *call, sel_spec *out) {
  const sel_tensor *weight = call->in[0], *index = call->in[1];
  char text[SEL_TEXT];
  SEL_TRY(sel__index_dtype("embedding", index));
  SEL_CHECK(weight->ndim == 2, SEL_E_SHAPE, "embedding: expected a weight [rows, columns], got %s",
            sel_describe(weight, text, sizeof text));
  SEL_CHECK(index->ndim < SEL_MAX_DIMS, SEL_E_SHAPE, "embedding: %s has too many dims",
            sel_describe(index, text, sizeof text));
  *out = sel__spec_of(index);
  out->dtype = (sel_dtype)weight->dtype;
  out->shape[out->ndim++] = weight->shape[1];
  return sel__check_shape("embedding", out->ndim, out->shape);
}
static sel_status embedding_launch(sel_call *call) {
  sel_tensor *rows;
  SEL_TRY(sel__tensor_alias(call->out[0], &rows));
  rows->ndim = 2;
  rows->shape[0] = call->in[1]->numel;
  rows->shape[1] = rows->stride[0] = call->in[0]->shape[1];
  rows->stride[1] = 1;
  sel_call flat = *call;
  flat.out[0] = rows;
  sel_status status = take(&flat, SEL_INDEX_SELECT, 0, call->in[0]->shape);
  sel_release(rows);
  return status;
}
static sel_status embedding_backward(sel_vjp *v) {
  if (!v->needs[0]) return SEL_OK;
  sel_tensor *index = v->in[1];
  int64_t rows[2] = {index->numel, v->in_spec[0].shape[1]};
  sel_tensor *flat_index = x_reshape(v->scope, index, 1, rows);
  sel_tensor *grad = x_reshape(v->scope, v->g[0], 2, rows);
  SEL_TRY(v->scope->status);
  return add_into_zeros(v, &sel__op_index_add, 0, flat_index, grad);
}
const sel_op sel__op_embedding = {.name = "embedding",
                                  .n_out = 1,
                                  .infer = embedding_infer,
                                  .launch = embedding_launch,
                                  .backward = embedding_backward,
                                  .save_for = {SEL_IN(1)},
                                  .cost = take_cost};

/* ---- scatter_add, gather, scatter: one index an element ---- */

/* index must have x's number of dims and lie inside it beside dim. */
static sel_status check_inside(const char *what, const sel_tensor *x, const sel_tensor *index,
                               int dim) {
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_TRY(sel__index_dtype(what, index));
  SEL_CHECK(index->ndim == x->ndim, SEL_E_SHAPE,
            "%s: index and tensor must have as many dims, got %s for %s", what,
            sel_describe(index, a, sizeof a), sel_describe(x, b, sizeof b));
  for (int d = 0; d < x->ndim; d++)
    SEL_CHECK(d == dim || index->shape[d] <= x->shape[d], SEL_E_SHAPE,
              "%s: index %s reaches beyond %s in dim %d; only dim %d may be longer", what,
              sel_describe(index, a, sizeof a), sel_describe(x, b, sizeof b), d, dim);
  return SEL_OK;
}

static sel_status scatter_infer(const sel_call *call, sel_spec *out) {
  const char *what = call->op->name;
  const sel_tensor *x = call->in[0], *index = call->in[1], *src = call->in[2];
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_TRY(sel__same_dtype(what, x, src));
  SEL_TRY(check_inside(what, x, index, DIM(call)));
  bool fits = src->ndim == index->ndim;
  for (int d = 0; fits && d < src->ndim; d++) fits = index->shape[d] <= src->shape[d];
  SEL_CHECK(fits, SEL_E_SHAPE, "%s: the source must have an element an index, got %s for index %s",
            what, sel_describe(src, a, sizeof a), sel_describe(index, b, sizeof b));
  *out = sel__spec_of(x);
  return SEL_OK;
}
static sel_status scatter_add_infer(const sel_call *call, sel_spec *out) {
  SEL_TRY(expect_addable("scatter_add", call->in[0], call->in[2]));
  return scatter_infer(call, out);
}
static sel_status scatter_launch(sel_call *call) {
  sel_dtype dtype = (sel_dtype)call->out[0]->dtype;
  return put(call, SEL_INDEX_SCATTER, DIM(call), call->in[1]->shape, dtype);
}
static sel_status scatter_add_launch(sel_call *call) {
  sel_dtype compute = sel__compute_dtype((sel_dtype)call->out[0]->dtype);
  return put(call, SEL_INDEX_SCATTER_ADD, DIM(call), call->in[1]->shape, compute);
}

/* A gradient of index's shape as one of the source, which may reach further: zeros there. */
static sel_tensor *like_source(sel_scope *s, sel_tensor *grad, const sel_spec *source) {
  int64_t pads[2 * SEL_MAX_DIMS] = {0};
  bool same = true;
  if (s->status != SEL_OK) return NULL;
  for (int d = 0; d < source->ndim; d++) {
    int64_t more = source->shape[d] - grad->shape[d];
    pads[2 * (source->ndim - 1 - d) + 1] = more;
    same &= more == 0;
  }
  return same ? grad : x_pad(s, grad, 2 * source->ndim, pads, 0);
}

static sel_status scatter_add_backward(sel_vjp *v) {
  if (v->needs[0]) v->grad[0] = sel_retain(v->g[0]);
  if (v->needs[2]) {
    sel_tensor *grad = x_gather(v->scope, v->g[0], DIM(v), v->in[1]);
    v->grad[2] = sel_retain(like_source(v->scope, grad, &v->in_spec[2]));
  }
  return v->scope->status;
}
const sel_op sel__op_scatter_add = {.name = "scatter_add",
                                    .n_out = 1,
                                    .attrs_size = sizeof(int),
                                    .infer = scatter_add_infer,
                                    .launch = scatter_add_launch,
                                    .backward = scatter_add_backward,
                                    .save_for = {0, 0, SEL_IN(1)},
                                    .cost = put_cost};

static sel_status gather_infer(const sel_call *call, sel_spec *out) {
  const sel_tensor *x = call->in[0], *index = call->in[1];
  SEL_TRY(check_inside("gather", x, index, DIM(call)));
  *out = sel__spec_of(index);
  out->dtype = (sel_dtype)x->dtype;
  return SEL_OK;
}
static sel_status gather_launch(sel_call *call) {
  return take(call, SEL_INDEX_GATHER, DIM(call), call->in[1]->shape);
}
static sel_status gather_backward(sel_vjp *v) {
  if (!v->needs[0]) return SEL_OK;
  return add_into_zeros(v, &sel__op_scatter_add, DIM(v), v->in[1], v->g[0]);
}
const sel_op sel__op_gather = {.name = "gather",
                               .n_out = 1,
                               .attrs_size = sizeof(int),
                               .infer = gather_infer,
                               .launch = gather_launch,
                               .backward = gather_backward,
                               .save_for = {SEL_IN(1)},
                               .cost = take_cost};

/* True where a source element is the one that stayed: of several with one target, the last. Each
 * writes its own number, and looks which number is there in the end. */
static sel_tensor *stayed(sel_scope *s, sel_tensor *index, int dim, const sel_spec *x) {
  sel_device *device = sel__device(index);
  sel_tensor *number =
      x_reshape(s, x_arange(s, (double)index->numel, SEL_I64, device), index->ndim, index->shape);
  sel_tensor *last = x_zeros(s, x->ndim, x->shape, SEL_I64, device);
  return x_eq(s, x_gather(s, x_scatter(s, last, dim, index, number), dim, index), number);
}

static sel_status scatter_backward(sel_vjp *v) {
  sel_scope *s = v->scope;
  sel_tensor *index = v->in[1], *g = v->g[0];
  if (v->needs[0]) {
    sel_dtype dtype = (sel_dtype)g->dtype;
    sel_tensor *zeros = x_zeros(s, index->ndim, index->shape, dtype, sel__device(g));
    v->grad[0] = sel_retain(x_scatter(s, g, DIM(v), index, zeros));
  }
  if (v->needs[2]) {
    sel_tensor *mine = stayed(s, index, DIM(v), &v->in_spec[0]);
    sel_tensor *grad = x_where_scalar(s, mine, x_gather(s, g, DIM(v), index), 0);
    v->grad[2] = sel_retain(like_source(s, grad, &v->in_spec[2]));
  }
  return s->status;
}
const sel_op sel__op_scatter = {.name = "scatter",
                                .n_out = 1,
                                .attrs_size = sizeof(int),
                                .infer = scatter_infer,
                                .launch = scatter_launch,
                                .backward = scatter_backward,
                                .save_for = {SEL_IN(1), 0, SEL_IN(1)},
                                .cost = put_cost};

/* ---- one_hot ---- */

static sel_status one_hot_infer(const sel_call *call, sel_spec *out) {
  const sel_tensor *index = call->in[0];
  int64_t classes = *(const int64_t *)call->attrs;
  char text[SEL_TEXT];
  SEL_TRY(sel__index_dtype("one_hot", index));
  SEL_CHECK(index->ndim < SEL_MAX_DIMS, SEL_E_SHAPE, "one_hot: %s has too many dims",
            sel_describe(index, text, sizeof text));
  SEL_CHECK(classes > 0, SEL_E_ARGUMENT, "one_hot: expected a number of classes above 0, got %lld",
            (long long)classes);
  *out = sel__spec_of(index);
  out->dtype = SEL_I64;
  out->shape[out->ndim++] = classes;
  return sel__check_shape("one_hot", out->ndim, out->shape);
}
/* Ones scattered along the last dim into zeros, one a row. */
static sel_status one_hot_launch(sel_call *call) {
  sel_tensor *out = call->out[0], *ids = call->in[0];
  if (out->numel == 0) return SEL_OK;
  SEL_TRY(sel_fill_(out, 0));
  SEL_SCOPE(s);
  int64_t column[SEL_MAX_DIMS];
  memcpy(column, out->shape, sizeof column);
  column[out->ndim - 1] = 1;
  sel_tensor *ones = NULL;
  sel__hold(&s, sel_ones(out->ndim, column, SEL_I64, sel__device(out), &ones), &ones);
  sel_tensor *index = sel__operand_as(&s, ids, (sel_dtype)ids->dtype);
  if (s.status == SEL_OK)
    s.status = launch_index("one_hot", SEL_INDEX_SCATTER, out->ndim - 1, out, index, ones, false);
  sel__scope_drop(&s);
  return s.status;
}
const sel_op sel__op_one_hot = {.name = "one_hot",
                                .n_out = 1,
                                .attrs_size = sizeof(int64_t),
                                .infer = one_hot_infer,
                                .launch = one_hot_launch};

/* ---- the C functions ---- */

/* x, and index, and where there is one src (else x again). */
static sel_status run(const sel_op *op, int dim, sel_tensor *x, sel_tensor *index, int n_in,
                      sel_tensor *src, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor(op->name, "input", x));
  SEL_TRY(sel__expect_tensor(op->name, "index", index));
  if (n_in == 3) SEL_TRY(sel__expect_tensor(op->name, "source", src));
  SEL_TRY(sel__dim(op->name, x, dim, &dim));
  return sel__run1(op, n_in, (sel_tensor *[]){x, index, src}, &dim, out);
}

sel_status sel_index_select(sel_tensor *x, int dim, sel_tensor *index, sel_tensor **out) {
  return run(&sel__op_index_select, dim, x, index, 2, NULL, out);
}
sel_status sel_index_add(sel_tensor *x, int dim, sel_tensor *index, sel_tensor *src,
                         sel_tensor **out) {
  return run(&sel__op_index_add, dim, x, index, 3, src, out);
}
sel_status sel_gather(sel_tensor *x, int dim, sel_tensor *index, sel_tensor **out) {
  return run(&sel__op_gather, dim, x, index, 2, NULL, out);
}
sel_status sel_scatter(sel_tensor *x, int dim, sel_tensor *index, sel_tensor *src,
                       sel_tensor **out) {
  return run(&sel__op_scatter, dim, x, index, 3, src, out);
}
sel_status sel_scatter_add(sel_tensor *x, int dim, sel_tensor *index, sel_tensor *src,
                           sel_tensor **out) {
  return run(&sel__op_scatter_add, dim, x, index, 3, src, out);
}

sel_status sel_embedding(sel_tensor *weight, sel_tensor *index, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("embedding", "weight", weight));
  SEL_TRY(sel__expect_tensor("embedding", "index", index));
  return sel__run1(&sel__op_embedding, 2, (sel_tensor *[]){weight, index}, NULL, out);
}

sel_status sel_one_hot(sel_tensor *index, int64_t classes, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("one_hot", "index", index));
  return sel__run1(&sel__op_one_hot, 1, &index, &classes, out);
}
