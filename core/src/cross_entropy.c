/* Losses on class ids: cross-entropy from logits and negative log-likelihood.
 *
 * Cross-entropy works on rows [rows, classes]: logits of more dims are permuted and reshaped to
 * that, recorded like any other operation. One kernel gives a row's loss and log sum exp, another
 * its gradient. Target probabilities, instead of ids, are a composition.
 */
#include "loss.h"
#include "op.h"
#include "precision.h"
#include "selenite/autograd.h"

/* ---- the operation: (logits [rows, classes], ids [rows], weight [classes] or NULL) to losses and
 * log sums [rows]; f32 or f64; checked before it is called ---- */

typedef struct ids_attrs {
  int64_t ignore_index;
  double label_smoothing;
} ids_attrs;

static sel_cross_entropy_args kernel_args(sel_scope *s, const sel_call *call, bool backward,
                                          sel_tensor *logits, sel_tensor *target,
                                          sel_tensor *weight) {
  const ids_attrs *attrs = call->attrs;
  sel_cross_entropy_args args = {.backward = backward,
                                 .rows = logits->shape[0],
                                 .classes = logits->shape[1],
                                 .ignore_index = attrs->ignore_index,
                                 .label_smoothing = attrs->label_smoothing};
  sel_dtype dtype = (sel_dtype)logits->dtype;
  logits = sel__operand_as(s, logits, dtype);
  target = sel__operand_as(s, target, (sel_dtype)target->dtype);
  if (weight) weight = sel__operand_as(s, weight, dtype);
  if (s->status != SEL_OK) return args;
  args.logits = sel__operand(logits);
  args.target = sel__operand(target);
  if (weight) args.weight = sel__operand(weight);
  return args;
}

static sel_status losses_infer(const sel_call *call, sel_spec *out) {
  const sel_tensor *logits = call->in[0];
  out[0] = (sel_spec){.dtype = (sel_dtype)logits->dtype, .ndim = 1, .shape = {logits->shape[0]}};
  out[1] = out[0];
  return SEL_OK;
}

static sel_status losses_launch(sel_call *call) {
  sel_device *device = sel__device(call->in[0]);
  SEL_KERNEL(device, cross_entropy, "cross_entropy");
  if (call->in[0]->shape[0] == 0) return SEL_OK;
  SEL_SCOPE(s);
  sel_cross_entropy_args args = kernel_args(&s, call, false, call->in[0], call->in[1], call->in[2]);
  args.losses = sel__operand(call->out[0]);
  args.log_sums = sel__operand(call->out[1]);
  if (s.status == SEL_OK) s.status = device->k.cross_entropy(device->handle, &args);
  sel__scope_drop(&s);
  return s.status;
}

extern const sel_op sel__op_cross_entropy_grad;

static sel_status losses_gradient(const void *attrs, sel_tensor *g, sel_tensor *const *in,
                                  sel_tensor *log_sums, sel_tensor **out) {
  sel_tensor *inputs[] = {g, in[0], in[1], in[2], log_sums};
  return sel__run1(&sel__op_cross_entropy_grad, 5, inputs, attrs, out);
}

static sel_status losses_backward(sel_vjp *v) {
  if (!v->needs[0] || !v->g[0]) return SEL_OK;
  return losses_gradient(v->attrs, v->g[0], v->in, v->out[1], &v->grad[0]);
}

const sel_op sel__op_cross_entropy = {
    .name = "cross_entropy",
    .n_out = 2,
    .attrs_size = sizeof(ids_attrs),
    .infer = losses_infer,
    .launch = losses_launch,
    .backward = losses_backward,
    .save_for = {SEL_IN(0) | SEL_IN(1) | SEL_IN(2) | SEL_OUT(1), 0}};

/* ---- its gradient: (g [rows], logits, ids, weight, log sums) to [rows, classes].
 * With T[r][c] the weighted target and W[r] = sum_c T[r][c]: g[r] (W[r] softmax(x)[r][c] -
 * T[r][c]). The log sums are a function of the logits: their share is in the logits' gradient. ----
 */

static sel_status gradient_infer(const sel_call *call, sel_spec *out) {
  *out = sel__spec_of(call->in[1]);
  return SEL_OK;
}

static sel_status gradient_launch(sel_call *call) {
  sel_tensor *out = call->out[0];
  if (out->numel == 0) return SEL_OK;
  sel_device *device = sel__device(out);
  SEL_KERNEL(device, cross_entropy, "cross_entropy_grad");
  SEL_SCOPE(s);
  sel_cross_entropy_args args = kernel_args(&s, call, true, call->in[1], call->in[2], call->in[3]);
  sel_tensor *g = sel__operand_as(&s, call->in[0], (sel_dtype)out->dtype);
  sel_tensor *log_sums = sel__operand_as(&s, call->in[4], (sel_dtype)out->dtype);
  if (s.status == SEL_OK) {
    args.grad_losses = sel__operand(g);
    args.log_sums = sel__operand(log_sums);
    args.grad_logits = sel__operand(out);
    s.status = device->k.cross_entropy(device->handle, &args);
  }
  sel__scope_drop(&s);
  return s.status;
}

static sel_tensor *counted(sel_scope *s, sel_tensor *ids, int64_t ignore_index) {
  return x_ne_scalar(s, ids, (double)ignore_index);
}

/* weight[id] where the id counts, else 0. weight NULL: 1. */
static sel_tensor *weight_of(sel_scope *s, sel_tensor *ids, sel_tensor *weight, sel_dtype dtype,
                             int64_t ignore_index) {
  sel_tensor *counts = counted(s, ids, ignore_index), *safe = NULL, *w = NULL;
  if (!weight) return x_to(s, counts, dtype);
  if (s->status == SEL_OK) safe = sel__hold(s, sel_where_scalar(counts, ids, 0, &safe), &safe);
  sel_tensor *picked = x_index_select(s, weight, 0, safe);
  if (s->status == SEL_OK) w = sel__hold(s, sel_where_scalar(counts, picked, 0, &w), &w);
  return w;
}

/* W: what the target probabilities of each row, weighted, sum to. */
static sel_tensor *target_sums(sel_scope *s, const ids_attrs *a, sel_tensor *ids,
                               sel_tensor *weight, const sel_spec *logits) {
  double e = a->label_smoothing, spread = e / (double)logits->shape[1];
  sel_tensor *at_id = weight_of(s, ids, weight, logits->dtype, a->ignore_index);
  if (e == 0 || !weight) return at_id;
  sel_tensor *counts = x_to(s, counted(s, ids, a->ignore_index), logits->dtype);
  sel_tensor *all = x_mul_scalar(s, x_sum(s, weight, 0, NULL, false), spread);
  return x_add(s, x_mul_scalar(s, at_id, 1 - e), x_mul(s, counts, all));
}

/* dg = sum_c G (W p - T), dx = g W p (G - sum_c G p) with p = softmax(x). */
static sel_status gradient_backward(sel_vjp *v) {
  sel_scope *s = v->scope;
  const sel_spec *logits = &v->in_spec[1];
  sel_tensor *G = v->g[0], *one = NULL, *unit = NULL;
  if (v->needs[0]) {
    one = sel__hold(s, sel_ones(1, logits->shape, logits->dtype, sel__device(G), &one), &one);
    if (s->status != SEL_OK) return s->status;
    SEL_TRY(losses_gradient(v->attrs, one, v->in + 1, v->in[4], &unit));
    unit = sel__hold(s, SEL_OK, &unit);
    v->grad[0] = sel_retain(x_sum(s, x_mul(s, G, unit), 1, (const int[]){1}, false));
  }
  if (v->needs[1]) {
    sel_tensor *p = x_softmax(s, v->in[1], 1), *pg = x_mul(s, p, G);
    sel_tensor *sums = target_sums(s, v->attrs, v->in[2], v->in[3], logits);
    sel_tensor *scale = x_unsqueeze(s, x_mul(s, v->in[0], sums), 1);
    sel_tensor *mean = x_mul(s, p, x_sum(s, pg, 1, (const int[]){1}, true));
    v->grad[1] = sel_retain(x_mul(s, scale, x_sub(s, pg, mean)));
  }
  return s->status;
}

const sel_op sel__op_cross_entropy_grad = {
    .name = "cross_entropy_grad",
    .n_out = 1,
    .attrs_size = sizeof(ids_attrs),
    .infer = gradient_infer,
    .launch = gradient_launch,
    .backward = gradient_backward,
    .save_for = {SEL_IN(1) | SEL_IN(2) | SEL_IN(3) | SEL_IN(4),
                 SEL_IN(0) | SEL_IN(1) | SEL_IN(2) | SEL_IN(3), 0, 0}};

/* ---- checks ---- */

static int class_dim(const sel_tensor *x) { return x->ndim == 1 ? 0 : 1; }

static sel_status check_classes(const char *what, const sel_tensor *x, const sel_tensor *target,
                                const sel_tensor *weight) {
  char a[SEL_TEXT];
  SEL_TRY(sel__expect_tensor(what, "input", x));
  SEL_TRY(sel__expect_tensor(what, "target", target));
  if (weight) SEL_TRY(sel__expect_tensor(what, "weight", weight));
  SEL_TRY(sel__float_dtype(what, x));
  SEL_CHECK(x->ndim >= 1, SEL_E_SHAPE, "%s: expected [n, classes, ...], got %s", what,
            sel_describe(x, a, sizeof a));
  int64_t classes = x->shape[class_dim(x)];
  if (!weight) return SEL_OK;
  SEL_TRY(sel__same_dtype(what, x, weight));
  SEL_CHECK(weight->ndim == 1 && weight->shape[0] == classes, SEL_E_SHAPE,
            "%s: expected weight [%lld], a number for each class, got %s", what, (long long)classes,
            sel_describe(weight, a, sizeof a));
  SEL_CHECK(!sel_grad_enabled() || !sel_requires_grad(weight), SEL_E_AUTOGRAD,
            "%s: there is no gradient for the classes' weight; detach it", what);
  return SEL_OK;
}

static sel_status check_ids(const char *what, const sel_tensor *x, const sel_tensor *target) {
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_CHECK(target->dtype == SEL_I64 || target->dtype == SEL_I32, SEL_E_DTYPE,
            "%s: expected class ids (i64 or i32) as target, got %s", what,
            sel_dtype_name((sel_dtype)target->dtype));
  int dim = class_dim(x), own = 0;
  bool fits = target->ndim == x->ndim - 1;
  for (int d = 0; fits && d < x->ndim; d++)
    if (d != dim) fits = target->shape[own++] == x->shape[d];
  SEL_CHECK(fits, SEL_E_SHAPE,
            "%s: expected a class id for each position of %s (dim %d holds the classes), got %s",
            what, sel_describe(x, a, sizeof a), dim, sel_describe(target, b, sizeof b));
  return SEL_OK;
}

/* ---- cross_entropy ---- */

/* x with its classes last. */
static sel_tensor *classes_last(sel_scope *s, sel_tensor *x) {
  int order[SEL_MAX_DIMS], n = 0, dim = class_dim(x);
  if (dim == x->ndim - 1) return x;
  for (int d = 0; d < x->ndim; d++)
    if (d != dim) order[n++] = d;
  order[n] = dim;
  return x_permute(s, x, x->ndim, order);
}

/* Without the kernel: the definition, from log-probabilities. */
static sel_tensor *composed_losses(sel_scope *s, const ids_attrs *a, sel_tensor *rows,
                                   sel_tensor *ids, sel_tensor *weight) {
  double e = a->label_smoothing;
  sel_tensor *logp = NULL, *losses = NULL, *picked = NULL;
  if (s->status != SEL_OK) return NULL;
  logp = sel__hold(s, sel_log_softmax(rows, 1, &logp), &logp);
  if (s->status != SEL_OK) return NULL;
  picked = sel__hold(s, sel_nll_loss(logp, ids, weight, a->ignore_index, SEL_REDUCE_NONE, &picked),
                     &picked);
  if (e == 0) return picked;
  sel_tensor *weighted = weight ? x_mul(s, logp, weight) : logp;
  sel_tensor *all =
      x_mul_scalar(s, x_sum(s, weighted, 1, (const int[]){1}, false), -e / (double)rows->shape[1]);
  sel_tensor *counts = counted(s, ids, a->ignore_index);
  if (s->status == SEL_OK)
    losses = sel__hold(s, sel_where_scalar(counts, all, 0, &losses), &losses);
  return x_add(s, x_mul_scalar(s, picked, 1 - e), losses);
}

static sel_tensor *losses_of_rows(sel_scope *s, const ids_attrs *a, sel_tensor *rows,
                                  sel_tensor *ids, sel_tensor *weight) {
  if (s->status != SEL_OK) return NULL;
  if (!sel__device(rows)->k.cross_entropy) return composed_losses(s, a, rows, ids, weight);
  sel_call call = {.op = &sel__op_cross_entropy,
                   .n_in = 3,
                   .in = (sel_tensor *[]){rows, ids, weight},
                   .attrs = a};
  sel_status status = sel__run(&call);
  if (status == SEL_OK) sel_release(call.out[1]);
  return sel__hold(s, status, &call.out[0]);
}

/* The mean divides by the weights of the targets that count. */
static sel_tensor *weighted_mean(sel_scope *s, sel_tensor *losses, sel_tensor *ids,
                                 sel_tensor *weight, int64_t ignore_index) {
  if (s->status != SEL_OK) return NULL;
  sel_tensor *weights = weight_of(s, ids, weight, (sel_dtype)losses->dtype, ignore_index);
  sel_tensor *total = x_sum(s, weights, 0, NULL, false);
  return x_div(s, x_sum(s, losses, 0, NULL, false), total);
}

static sel_status from_ids(sel_tensor *logits, sel_tensor *target, sel_tensor *weight,
                           const ids_attrs *attrs, sel_reduction reduction, sel_tensor **out) {
  SEL_TRY(check_ids("cross_entropy", logits, target));
  sel_dtype dtype = (sel_dtype)logits->dtype, wide = sel__compute_dtype(dtype);
  int64_t shape[2] = {target->numel, logits->shape[class_dim(logits)]};
  SEL_SCOPE(s);
  sel_tensor *rows = logits, *ids = target;
  if (dtype != wide) rows = x_to(&s, rows, wide);
  if (weight && dtype != wide) weight = x_to(&s, weight, wide);
  if (s.status == SEL_OK && logits->ndim != 2)
    rows = x_reshape(&s, classes_last(&s, rows), 2, shape);
  if (target->ndim != 1) ids = x_reshape(&s, target, 1, shape);
  sel_tensor *losses = losses_of_rows(&s, attrs, rows, ids, weight);
  sel_tensor *result = losses;
  if (reduction == SEL_REDUCE_MEAN)
    result = weighted_mean(&s, losses, ids, weight, attrs->ignore_index);
  else if (reduction == SEL_REDUCE_SUM)
    result = x_sum(&s, losses, 0, NULL, false);
  else if (target->ndim != 1)
    result = x_reshape(&s, losses, target->ndim, target->shape);
  if (dtype != wide) result = x_to(&s, result, dtype);
  return sel__scope_end(&s, result, out);
}

/* - sum_c t w log p, with smoothed t; the mean divides by the number of distributions. */
static sel_status from_probabilities(sel_tensor *logits, sel_tensor *target, sel_tensor *weight,
                                     const ids_attrs *attrs, sel_reduction reduction,
                                     sel_tensor **out) {
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_TRY(sel__same_dtype("cross_entropy", logits, target));
  SEL_CHECK(sel__same_shape(logits, target), SEL_E_SHAPE,
            "cross_entropy: expected probabilities of the logits' shape, %s, as target (class ids "
            "are i64 or i32), got %s",
            sel_describe(logits, a, sizeof a), sel_describe(target, b, sizeof b));
  SEL_CHECK(attrs->ignore_index < 0, SEL_E_ARGUMENT,
            "cross_entropy: ignore_index goes with class ids, not with probabilities as target");
  int dim = class_dim(logits);
  double classes = (double)logits->shape[dim], e = attrs->label_smoothing;
  SEL_SCOPE(s);
  sel_tensor *logp = NULL;
  logp = sel__hold(&s, sel_log_softmax(logits, dim, &logp), &logp);
  if (e != 0) target = x_add_scalar(&s, x_mul_scalar(&s, target, 1 - e), e / classes);
  sel_tensor *terms = x_mul(&s, logp, target);
  if (weight) {
    int64_t shape[SEL_MAX_DIMS];
    for (int d = 0; d < logits->ndim - dim; d++) shape[d] = d == 0 ? weight->shape[0] : 1;
    terms = x_mul(&s, terms, x_reshape(&s, weight, logits->ndim - dim, shape));
  }
  sel_tensor *losses = x_neg(&s, x_sum(&s, terms, 1, &dim, false));
  return sel__scope_end(&s, sel__reduce_losses(&s, losses, reduction), out);
}

sel_status sel_cross_entropy(sel_tensor *logits, sel_tensor *target, sel_tensor *weight,
                             int64_t ignore_index, double label_smoothing, sel_reduction reduction,
                             sel_tensor **out) {
  SEL_TRY(check_classes("cross_entropy", logits, target, weight));
  SEL_CHECK(label_smoothing >= 0 && label_smoothing <= 1, SEL_E_ARGUMENT,
            "cross_entropy: expected label_smoothing from 0 to 1, got %g", label_smoothing);
  ids_attrs attrs = {.ignore_index = ignore_index, .label_smoothing = label_smoothing};
  if (sel_dtype_is_float((sel_dtype)target->dtype))
    return from_probabilities(logits, target, weight, &attrs, reduction, out);
  return from_ids(logits, target, weight, &attrs, reduction, out);
}

/* ---- nll_loss: - w[id] x[id], 0 where the id does not count ---- */

static sel_tensor *picked_losses(sel_scope *s, sel_tensor *x, sel_tensor *target,
                                 sel_tensor *weight, int64_t ignore_index) {
  int dim = class_dim(x);
  sel_tensor *counts = counted(s, target, ignore_index), *safe = NULL, *losses = NULL;
  if (s->status == SEL_OK) safe = sel__hold(s, sel_where_scalar(counts, target, 0, &safe), &safe);
  sel_tensor *picked = x_squeeze(s, x_gather(s, x, dim, x_unsqueeze(s, safe, dim)), dim);
  if (weight) {
    sel_tensor *w = x_index_select(s, weight, 0, x_reshape(s, safe, 1, &target->numel));
    picked = x_mul(s, picked, x_reshape(s, w, target->ndim, target->shape));
  }
  picked = x_neg(s, picked);
  if (s->status == SEL_OK)
    losses = sel__hold(s, sel_where_scalar(counts, picked, 0, &losses), &losses);
  return losses;
}

sel_status sel_nll_loss(sel_tensor *x, sel_tensor *target, sel_tensor *weight, int64_t ignore_index,
                        sel_reduction reduction, sel_tensor **out) {
  SEL_TRY(check_classes("nll_loss", x, target, weight));
  SEL_TRY(check_ids("nll_loss", x, target));
  SEL_SCOPE(s);
  sel_tensor *losses = picked_losses(&s, x, target, weight, ignore_index);
  sel_tensor *result = losses;
  if (reduction == SEL_REDUCE_MEAN) {
    sel_tensor *ids = target->ndim == 1 ? target : x_reshape(&s, target, 1, &target->numel);
    result = weighted_mean(&s, losses, ids, weight, ignore_index);
  } else if (reduction == SEL_REDUCE_SUM) {
    result = x_sum(&s, losses, 0, NULL, false);
  }
  if (s.status != SEL_OK) sel_error_prefix("nll_loss");
  return sel__scope_end(&s, result, out);
}
