/* Reductions: sums, extremes, variance, norms, any/all, running sums.
 *
 * A reduction is laid out for its kernel as kept dims, then reduced dims, each group merged; the
 * result is contiguous over the kept dims, and keepdim only changes the shape it is seen under.
 */
#include <math.h>
#include <string.h>

#include "op.h"
#include "selenite/autograd.h"

typedef struct reduce_attrs {
  uint8_t mask; /* bit d: dim d is reduced */
  bool keepdim;
  double number; /* correction of var, p of norm */
} reduce_attrs;

/* ---- dims ---- */

static sel_status dims_mask(const char *what, const sel_tensor *x, int ndims, const int *dims,
                            uint8_t *out) {
  SEL_TRY(sel__expect_tensor(what, "input", x));
  unsigned mask = 0;
  if (ndims == 0) mask = (1u << x->ndim) - 1;
  for (int i = 0; i < ndims; i++) {
    int d;
    SEL_TRY(sel__dim(what, x, dims[i], &d));
    if (x->ndim == 0) continue;
    SEL_CHECK(!(mask & 1u << d), SEL_E_ARGUMENT, "%s: dim %d is given twice", what, dims[i]);
    mask |= 1u << d;
  }
  *out = (uint8_t)mask;
  return SEL_OK;
}

static void reduced_shape(const sel_tensor *x, const reduce_attrs *a, sel_spec *out) {
  out->ndim = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (!(a->mask >> d & 1))
      out->shape[out->ndim++] = x->shape[d];
    else if (a->keepdim)
      out->shape[out->ndim++] = 1;
  }
}

static int64_t reduced_count(const sel_spec *x, uint8_t mask) {
  int64_t n = 1;
  for (int d = 0; d < x->ndim; d++)
    if (mask >> d & 1) n *= x->shape[d];
  return n;
}

/* ---- the kernel ---- */

/* Appends the dims of x whose mask bit is `reduced` to shape/stride, merged; returns how many. */
static int lay_out(const sel_tensor *x, uint8_t mask, bool reduced, int64_t *shape, int64_t *stride,
                   int64_t *count) {
  int n = 0;
  *count = 1;
  for (int d = 0; d < x->ndim; d++) {
    if ((mask >> d & 1) != reduced) continue;
    *count *= x->shape[d];
    if (x->shape[d] == 1) continue;
    if (n > 0 && stride[n - 1] == x->stride[d] * x->shape[d]) {
      shape[n - 1] *= x->shape[d];
      stride[n - 1] = x->stride[d];
    } else {
      shape[n] = x->shape[d];
      stride[n++] = x->stride[d];
    }
  }
  return n;
}

static sel_status launch_reduce(const sel_call *call, sel_reduce_op op, double scale) {
  sel_tensor *x = call->in[0], *out = call->out[0];
  const reduce_attrs *a = call->attrs;
  if (out->numel == 0) return SEL_OK;
  sel_device *device = sel__device(x);
  SEL_KERNEL(device, reduce, call->op->name);
  sel_reduce_args args = {.op = op,
                          .input = sel__operand(x),
                          .output = sel__operand(out),
                          .scale = scale,
                          .scalar = a->number};
  args.kept = lay_out(x, a->mask, false, args.shape, args.stride, &args.rows);
  args.reduced =
      lay_out(x, a->mask, true, args.shape + args.kept, args.stride + args.kept, &args.columns);
  return device->k.reduce(device->handle, &args);
}

/* A gradient, or a result, of the reduced shape as it was before keepdim dropped dims. */
static sel_tensor *with_dims(sel_scope *s, sel_tensor *t, const sel_spec *x, uint8_t mask) {
  int64_t shape[SEL_MAX_DIMS];
  for (int d = 0; d < x->ndim; d++) shape[d] = mask >> d & 1 ? 1 : x->shape[d];
  return x_reshape(s, t, x->ndim, shape);
}

static sel_tensor *expanded(sel_scope *s, sel_tensor *t, const sel_spec *x, uint8_t mask) {
  return x_expand(s, with_dims(s, t, x, mask), x->ndim, x->shape);
}

#define S v->scope
#define G v->g[0]
#define X v->in[0]
#define Y v->out[0]
#define ATTRS ((const reduce_attrs *)v->attrs)
#define MASK (ATTRS->mask)
#define GRAD(expression)                                \
  if (v->needs[0]) v->grad[0] = sel_retain(expression); \
  return v->scope->status

static sel_status expect_mask(const sel_call *call, sel_spec *out, bool float_only) {
  const sel_tensor *x = call->in[0];
  if (float_only) SEL_TRY(sel__float_dtype(call->op->name, x));
  out->dtype = (sel_dtype)x->dtype;
  reduced_shape(x, call->attrs, out);
  return SEL_OK;
}

/* ---- sum, mean, prod ---- */

static sel_status sum_infer(const sel_call *call, sel_spec *out) {
  SEL_TRY(expect_mask(call, out, false));
  if (!sel_dtype_is_float(out->dtype)) out->dtype = SEL_I64;
  return SEL_OK;
}
static sel_status sum_launch(sel_call *call) { return launch_reduce(call, SEL_REDUCE_OP_SUM, 1); }
static sel_status sum_backward(sel_vjp *v) { GRAD(expanded(S, G, v->in_spec, MASK)); }
const sel_op sel__op_sum = {.name = "sum",
                            .n_out = 1,
                            .attrs_size = sizeof(reduce_attrs),
                            .infer = sum_infer,
                            .launch = sum_launch,
                            .backward = sum_backward};

static sel_status mean_infer(const sel_call *call, sel_spec *out) {
  return expect_mask(call, out, true);
}
static sel_status mean_launch(sel_call *call) {
  const sel_spec x = sel__spec_of(call->in[0]);
  int64_t n = reduced_count(&x, ((const reduce_attrs *)call->attrs)->mask);
  return launch_reduce(call, SEL_REDUCE_OP_SUM, n ? 1.0 / (double)n : NAN);
}
static sel_status mean_backward(sel_vjp *v) {
  double n = (double)reduced_count(v->in_spec, MASK);
  GRAD(expanded(S, x_mul_scalar(S, G, 1 / n), v->in_spec, MASK));
}
const sel_op sel__op_mean = {.name = "mean",
                             .n_out = 1,
                             .attrs_size = sizeof(reduce_attrs),
                             .infer = mean_infer,
                             .launch = mean_launch,
                             .backward = mean_backward};

static sel_status prod_launch(sel_call *call) { return launch_reduce(call, SEL_REDUCE_OP_PROD, 1); }

/* The product of all others, without division, so that zeros are right: the reduced dims are
 * brought to the end and flattened, then prod_{j<i} x_j times prod_{j>i} x_j from a triangle of
 * copies. */
static sel_status prod_backward(sel_vjp *v) {
  const sel_spec *spec = v->in_spec;
  int order[SEL_MAX_DIMS], inverse[SEL_MAX_DIMS], n = 0;
  int64_t flat[2] = {1, 1}, permuted[SEL_MAX_DIMS];
  for (int reduced = 0; reduced < 2; reduced++)
    for (int d = 0; d < spec->ndim; d++)
      if ((MASK >> d & 1) == reduced) {
        inverse[d] = n;
        permuted[n] = spec->shape[d];
        order[n++] = d;
        flat[reduced] *= spec->shape[d];
      }
  if (!v->needs[0]) return SEL_OK;
  int64_t wide[3] = {flat[0], flat[1], flat[1]};
  sel_tensor *rows = x_reshape(S, x_permute(S, X, spec->ndim, order), 2, flat);
  sel_tensor *copies = x_expand(S, x_unsqueeze(S, rows, 1), 3, wide);
  sel_tensor *eye = NULL;
  if (S->status == SEL_OK)
    eye = sel__hold(S, sel_eye(flat[1], flat[1], SEL_BOOL, sel__device(X), &eye), &eye);
  sel_tensor *others = x_masked_fill(S, copies, eye, 1);
  const int last = 2;
  sel_tensor *product = NULL;
  if (S->status == SEL_OK)
    product = sel__hold(S, sel_prod(others, 1, &last, false, &product), &product);
  int64_t column[2] = {flat[0], 1};
  sel_tensor *grad = x_mul(S, product, x_reshape(S, G, 2, column));
  v->grad[0] =
      sel_retain(x_permute(S, x_reshape(S, grad, spec->ndim, permuted), spec->ndim, inverse));
  return S->status;
}
const sel_op sel__op_prod = {.name = "prod",
                             .n_out = 1,
                             .attrs_size = sizeof(reduce_attrs),
                             .infer = sum_infer,
                             .launch = prod_launch,
                             .backward = prod_backward,
                             .save_for = {SEL_IN(0)}};

/* ---- extremes ---- */

static sel_status extreme_infer(const sel_call *call, sel_spec *out) {
  const sel_spec x = sel__spec_of(call->in[0]);
  char text[SEL_TEXT];
  SEL_TRY(expect_mask(call, out, false));
  int64_t results = 1;
  for (int d = 0; d < out->ndim; d++) results *= out->shape[d];
  SEL_CHECK(results == 0 || reduced_count(&x, ((const reduce_attrs *)call->attrs)->mask) > 0,
            SEL_E_SHAPE, "%s: there is no extreme of nothing: %s", call->op->name,
            sel_describe(call->in[0], text, sizeof text));
  return SEL_OK;
}
static sel_status amax_launch(sel_call *call) { return launch_reduce(call, SEL_REDUCE_OP_MAX, 1); }
static sel_status amin_launch(sel_call *call) { return launch_reduce(call, SEL_REDUCE_OP_MIN, 1); }

/* Ties share evenly. */
static sel_status extreme_backward(sel_vjp *v) {
  int dims[SEL_MAX_DIMS], n = 0;
  for (int d = 0; d < v->in_spec->ndim; d++)
    if (MASK >> d & 1) dims[n++] = d;
  sel_tensor *ties = x_to(S, x_eq(S, X, with_dims(S, Y, v->in_spec, MASK)), v->in_spec->dtype);
  sel_tensor *count = n ? x_sum(S, ties, n, dims, true) : ties;
  GRAD(x_mul(S, x_div(S, ties, count), with_dims(S, G, v->in_spec, MASK)));
}
const sel_op sel__op_amax = {.name = "amax",
                             .n_out = 1,
                             .attrs_size = sizeof(reduce_attrs),
                             .infer = extreme_infer,
                             .launch = amax_launch,
                             .backward = extreme_backward,
                             .save_for = {SEL_IN(0) | SEL_OUT(0)}};
const sel_op sel__op_amin = {.name = "amin",
                             .n_out = 1,
                             .attrs_size = sizeof(reduce_attrs),
                             .infer = extreme_infer,
                             .launch = amin_launch,
                             .backward = extreme_backward,
                             .save_for = {SEL_IN(0) | SEL_OUT(0)}};

static sel_status arg_infer(const sel_call *call, sel_spec *out) {
  SEL_TRY(extreme_infer(call, out));
  out->dtype = SEL_I64;
  return SEL_OK;
}
static sel_status argmax_launch(sel_call *call) {
  return launch_reduce(call, SEL_REDUCE_OP_ARGMAX, 1);
}
static sel_status argmin_launch(sel_call *call) {
  return launch_reduce(call, SEL_REDUCE_OP_ARGMIN, 1);
}
const sel_op sel__op_argmax = {.name = "argmax",
                               .n_out = 1,
                               .attrs_size = sizeof(reduce_attrs),
                               .infer = arg_infer,
                               .launch = argmax_launch};
const sel_op sel__op_argmin = {.name = "argmin",
                               .n_out = 1,
                               .attrs_size = sizeof(reduce_attrs),
                               .infer = arg_infer,
                               .launch = argmin_launch};

/* ---- any, all ---- */

static sel_status any_infer(const sel_call *call, sel_spec *out) {
  SEL_TRY(expect_mask(call, out, false));
  out->dtype = SEL_BOOL;
  return SEL_OK;
}
static sel_status any_launch(sel_call *call) { return launch_reduce(call, SEL_REDUCE_OP_ANY, 1); }
static sel_status all_launch(sel_call *call) { return launch_reduce(call, SEL_REDUCE_OP_ALL, 1); }
const sel_op sel__op_any = {.name = "any",
                            .n_out = 1,
                            .attrs_size = sizeof(reduce_attrs),
                            .infer = any_infer,
                            .launch = any_launch};
const sel_op sel__op_all = {.name = "all",
                            .n_out = 1,
                            .attrs_size = sizeof(reduce_attrs),
                            .infer = any_infer,
                            .launch = all_launch};

/* ---- variance and norms ---- */

static sel_status var_launch(sel_call *call) { return launch_reduce(call, SEL_REDUCE_OP_VAR, 1); }
/* 2 (x - mean) / (n - correction) */
static sel_status var_backward(sel_vjp *v) {
  int dims[SEL_MAX_DIMS], n = 0;
  for (int d = 0; d < v->in_spec->ndim; d++)
    if (MASK >> d & 1) dims[n++] = d;
  double divisor = (double)reduced_count(v->in_spec, MASK) - ATTRS->number;
  sel_tensor *mean = n ? x_mean(S, X, n, dims, true) : X;
  sel_tensor *deviation = x_mul_scalar(S, x_sub(S, X, mean), 2 / divisor);
  GRAD(x_mul(S, deviation, with_dims(S, G, v->in_spec, MASK)));
}
const sel_op sel__op_var = {.name = "var",
                            .n_out = 1,
                            .attrs_size = sizeof(reduce_attrs),
                            .infer = mean_infer,
                            .launch = var_launch,
                            .backward = var_backward,
                            .save_for = {SEL_IN(0)}};

static sel_status norm1_launch(sel_call *call) {
  return launch_reduce(call, SEL_REDUCE_OP_SUM_ABS, 1);
}
static sel_status norm1_backward(sel_vjp *v) {
  GRAD(x_mul(S, x_sign(S, X), with_dims(S, G, v->in_spec, MASK)));
}
const sel_op sel__op_sum_abs = {.name = "sum_abs",
                                .n_out = 1,
                                .attrs_size = sizeof(reduce_attrs),
                                .infer = mean_infer,
                                .launch = norm1_launch,
                                .backward = norm1_backward,
                                .save_for = {SEL_IN(0)}};

static sel_status sum_square_launch(sel_call *call) {
  return launch_reduce(call, SEL_REDUCE_OP_SUM_SQUARE, 1);
}
static sel_status sum_square_backward(sel_vjp *v) {
  GRAD(x_mul(S, x_mul_scalar(S, X, 2), with_dims(S, G, v->in_spec, MASK)));
}
const sel_op sel__op_sum_square = {.name = "sum_square",
                                   .n_out = 1,
                                   .attrs_size = sizeof(reduce_attrs),
                                   .infer = mean_infer,
                                   .launch = sum_square_launch,
                                   .backward = sum_square_backward,
                                   .save_for = {SEL_IN(0)}};

/* ---- running sums ---- */

static sel_status cumsum_infer(const sel_call *call, sel_spec *out) {
  *out = sel__spec_of(call->in[0]);
  if (!sel_dtype_is_float(out->dtype)) out->dtype = SEL_I64;
  return SEL_OK;
}

/* The scanned dim is brought to the end for the kernel; the result is written back in order. */
static sel_status cumsum_launch(sel_call *call) {
  sel_tensor *x = call->in[0], *out = call->out[0];
  int dim = *(const int *)call->attrs;
  if (out->numel == 0) return SEL_OK;
  sel_device *device = sel__device(x);
  SEL_KERNEL(device, scan, "cumsum");
  sel_tensor *moved = NULL, *result = NULL, *view = NULL;
  sel_spec spec = sel__spec_of(out);
  SEL_TRY(sel__tensor_alias(x, &moved));
  int n = 0;
  for (int d = 0; d < x->ndim; d++) {
    if (d == dim) continue;
    moved->shape[n] = x->shape[d];
    moved->stride[n++] = x->stride[d];
  }
  if (x->ndim > 0) {
    moved->shape[n] = x->shape[dim];
    moved->stride[n++] = x->stride[dim];
  }
  bool in_order = x->ndim == 0 || dim == x->ndim - 1;
  for (int d = 0; d < n; d++) spec.shape[d] = moved->shape[d];
  sel_status status = SEL_OK;
  if (in_order)
    result = sel_retain(out);
  else
    status = sel__tensor_new(&spec, device, &result);
  if (status == SEL_OK) {
    sel_scan_args args = {.input = sel__operand(moved), .output = sel__operand(result), .ndim = n};
    if (n == 0) {
      args.ndim = 1;
      args.shape[0] = 1;
    }
    for (int d = 0; d < n; d++) {
      args.shape[d] = moved->shape[d];
      args.stride[d] = moved->stride[d];
    }
    status = device->k.scan(device->handle, &args);
  }
  if (status == SEL_OK && !in_order) status = sel__tensor_alias(result, &view);
  if (view) {
    for (int d = 0, k = 0; d < n; d++) {
      int source = d == dim ? n - 1 : k++;
      view->shape[d] = result->shape[source];
      view->stride[d] = result->stride[source];
    }
    sel__tensor_settle(view);
    status = sel__copy(out, view);
  }
  sel_release(view);
  sel_release(result);
  sel_release(moved);
  return status;
}
static sel_status cumsum_backward(sel_vjp *v) {
  int dim = *(const int *)v->attrs;
  if (v->in_spec->ndim == 0) {
    GRAD(G);
  }
  GRAD(x_flip(S, x_cumsum(S, x_flip(S, G, 1, &dim), dim), 1, &dim));
}
const sel_op sel__op_cumsum = {.name = "cumsum",
                               .n_out = 1,
                               .attrs_size = sizeof(int),
                               .infer = cumsum_infer,
                               .launch = cumsum_launch,
                               .backward = cumsum_backward};

#undef S
#undef G
#undef X
#undef Y

/* ---- the C functions ---- */

static sel_status reduce(const sel_op *op, sel_tensor *x, int ndims, const int *dims, double number,
                         bool keepdim, sel_tensor **out) {
  reduce_attrs attrs = {.keepdim = keepdim, .number = number};
  SEL_TRY(dims_mask(op->name, x, ndims, dims, &attrs.mask));
  return sel__run1(op, 1, &x, &attrs, out);
}

#define REDUCTION(name)                                                          \
  sel_status sel_##name(sel_tensor *x, int ndims, const int *dims, bool keepdim, \
                        sel_tensor **out) {                                      \
    return reduce(&sel__op_##name, x, ndims, dims, 0, keepdim, out);             \
  }
REDUCTION(sum)
REDUCTION(mean)
REDUCTION(prod)
REDUCTION(amax)
REDUCTION(amin)
REDUCTION(any)
REDUCTION(all)

sel_status sel_argmax(sel_tensor *x, int dim, bool keepdim, sel_tensor **out) {
  return reduce(&sel__op_argmax, x, 1, &dim, 0, keepdim, out);
}
sel_status sel_argmin(sel_tensor *x, int dim, bool keepdim, sel_tensor **out) {
  return reduce(&sel__op_argmin, x, 1, &dim, 0, keepdim, out);
}

/* The position first, then the value at it: gather carries the gradient. */
static sel_status extreme_along(sel_status (*arg)(sel_tensor *, int, bool, sel_tensor **),
                                sel_tensor *x, int dim, bool keepdim, sel_tensor **values,
                                sel_tensor **indices) {
  SEL_SCOPE(s);
  sel_tensor *where = NULL, *at = NULL;
  SEL_TRY(arg(x, dim, true, &where));
  sel__hold(&s, SEL_OK, &where);
  at = x->ndim ? x_gather(&s, x, dim, where) : x_clone(&s, x);
  if (!keepdim && x->ndim) {
    at = x_squeeze(&s, at, dim);
    where = x_squeeze(&s, where, dim);
  }
  if (s.status == SEL_OK) {
    *indices = sel_retain(where);
    *values = sel_retain(at);
  }
  sel__scope_drop(&s);
  return s.status;
}
sel_status sel_max(sel_tensor *x, int dim, bool keepdim, sel_tensor **values,
                   sel_tensor **indices) {
  return extreme_along(sel_argmax, x, dim, keepdim, values, indices);
}
sel_status sel_min(sel_tensor *x, int dim, bool keepdim, sel_tensor **values,
                   sel_tensor **indices) {
  return extreme_along(sel_argmin, x, dim, keepdim, values, indices);
}

sel_status sel_var(sel_tensor *x, int ndims, const int *dims, double correction, bool keepdim,
                   sel_tensor **out) {
  return reduce(&sel__op_var, x, ndims, dims, correction, keepdim, out);
}
/* f16 and bf16 are seen as f32 where squares or powers on the way would leave their range. */
static sel_tensor *widened(sel_scope *s, sel_tensor *x) {
  return x_to(s, x, sel__compute_dtype((sel_dtype)x->dtype));
}

sel_status sel_std(sel_tensor *x, int ndims, const int *dims, double correction, bool keepdim,
                   sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("std", "input", x));
  SEL_TRY(sel__float_dtype("std", x));
  SEL_SCOPE(s);
  sel_tensor *wide = widened(&s, x), *var = NULL;
  if (s.status == SEL_OK) {
    s.status = reduce(&sel__op_var, wide, ndims, dims, correction, keepdim, &var);
    if (s.status == SEL_OK) sel__hold(&s, SEL_OK, &var);
  }
  return sel__scope_end(&s, x_to(&s, x_sqrt(&s, var), (sel_dtype)x->dtype), out);
}

static sel_tensor *reduced(sel_scope *s, const sel_op *op, sel_tensor *x, int ndims,
                           const int *dims, bool keepdim) {
  sel_tensor *t = NULL;
  if (s->status != SEL_OK) return NULL;
  return sel__hold(s, reduce(op, x, ndims, dims, 0, keepdim, &t), &t);
}

sel_status sel_norm(sel_tensor *x, double p, int ndims, const int *dims, bool keepdim,
                    sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("norm", "input", x));
  SEL_TRY(sel__float_dtype("norm", x));
  if (p == 1) return reduce(&sel__op_sum_abs, x, ndims, dims, 0, keepdim, out);
  SEL_SCOPE(s);
  sel_tensor *result;
  if (p == 2) {
    sel_tensor *wide = widened(&s, x);
    result = x_sqrt(&s, reduced(&s, &sel__op_sum_square, wide, ndims, dims, keepdim));
  } else if (p == INFINITY) {
    result = reduced(&s, &sel__op_amax, x_abs(&s, x), ndims, dims, keepdim);
  } else if (p == -INFINITY) {
    result = reduced(&s, &sel__op_amin, x_abs(&s, x), ndims, dims, keepdim);
  } else if (p == 0) {
    sel_tensor *nonzero = x_to(&s, x_ne_scalar(&s, x, 0), (sel_dtype)x->dtype);
    result = reduced(&s, &sel__op_sum, nonzero, ndims, dims, keepdim);
  } else {
    sel_tensor *powers = x_pow_scalar(&s, x_abs(&s, widened(&s, x)), p);
    result = x_pow_scalar(&s, reduced(&s, &sel__op_sum, powers, ndims, dims, keepdim), 1 / p);
  }
  return sel__scope_end(&s, x_to(&s, result, (sel_dtype)x->dtype), out);
}

/* max + ln sum exp(x - max), the maximum taken as a constant; where it is infinite, 0 stands for
 * it, so that inf - inf never arises. */
sel_status sel_logsumexp(sel_tensor *x, int ndims, const int *dims, bool keepdim,
                         sel_tensor **out) {
  uint8_t mask;
  SEL_TRY(dims_mask("logsumexp", x, ndims, dims, &mask));
  SEL_TRY(sel__float_dtype("logsumexp", x));
  SEL_SCOPE(s);
  sel_tensor *wide = widened(&s, x), *detached = NULL, *shift = NULL;
  if (s.status == SEL_OK) detached = sel__hold(&s, sel_detach(wide, &detached), &detached);
  sel_tensor *top = reduced(&s, &sel__op_amax, detached, ndims, dims, true);
  sel_tensor *finite = x_isfinite(&s, top);
  if (s.status == SEL_OK) shift = sel__hold(&s, sel_where_scalar(finite, top, 0, &shift), &shift);
  sel_tensor *terms = x_exp(&s, x_sub(&s, wide, shift));
  sel_tensor *sum = reduced(&s, &sel__op_sum, terms, ndims, dims, keepdim);
  if (s.status == SEL_OK && !keepdim) {
    sel_spec flat;
    reduce_attrs attrs = {.mask = mask, .keepdim = false};
    reduced_shape(x, &attrs, &flat);
    shift = x_reshape(&s, shift, flat.ndim, flat.shape);
  }
  sel_tensor *result = x_add(&s, x_log(&s, sum), shift);
  return sel__scope_end(&s, x_to(&s, result, (sel_dtype)x->dtype), out);
}

sel_status sel_cumsum(sel_tensor *x, int dim, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("cumsum", "input", x));
  SEL_TRY(sel__dim("cumsum", x, dim, &dim));
  return sel__run1(&sel__op_cumsum, 1, &x, &dim, out);
}

/* Which dims of x a broadcast from `shape` made: leading ones, and those of extent 1 there. */
sel_status sel_sum_to(sel_tensor *x, int ndim, const int64_t *shape, sel_tensor **out) {
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_TRY(sel__expect_tensor("sum_to", "input", x));
  int dims[SEL_MAX_DIMS], n = 0, lead = x->ndim - ndim;
  bool fits = lead >= 0, same = lead == 0;
  for (int d = 0; d < x->ndim && fits; d++) {
    int64_t want = d < lead ? 1 : shape[d - lead];
    if (want == x->shape[d] && d >= lead) continue;
    same = false;
    fits = want == 1;
    dims[n++] = d;
  }
  SEL_CHECK(fits, SEL_E_SHAPE, "sum_to: %s is no broadcast of %s", sel_describe(x, a, sizeof a),
            sel__shape_text(ndim, shape, b, sizeof b));
  if (same) {
    *out = sel_retain(x);
    return SEL_OK;
  }
  SEL_SCOPE(s);
  sel_tensor *sum = x_sum(&s, x, n, dims, true);
  return sel__scope_end(&s, lead ? x_reshape(&s, sum, ndim, shape) : sum, out);
}
