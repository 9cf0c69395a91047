/* Softmax and its logarithm along a dim, and their gradients, which are operations themselves. */
#include "op.h"
#include "precision.h"

/* ---- the kernel: contiguous [outer, extent, inner] ---- */

static void split_at(const sel_tensor *t, int dim, sel_softmax_args *args) {
  args->outer = args->extent = args->inner = 1;
  for (int d = 0; d < t->ndim; d++)
    *(d < dim ? &args->outer : d == dim ? &args->extent : &args->inner) *= t->shape[d];
}

/* Forward: in[0] is x. Backward: in[0] is the gradient of the output in[1]. */
static sel_status launch_softmax(sel_call *call, bool log, bool backward) {
  sel_tensor *out = call->out[0];
  if (out->numel == 0) return SEL_OK;
  sel_device *device = sel__device(out);
  SEL_KERNEL(device, softmax, call->op->name);
  sel_dtype dtype = sel__compute_dtype((sel_dtype)out->dtype);
  SEL_SCOPE(s);
  sel_tensor *x = sel__operand_as(&s, call->in[backward ? 1 : 0], dtype);
  sel_tensor *grad = backward ? sel__operand_as(&s, call->in[0], dtype) : NULL;
  sel_tensor *result = sel__result_as(&s, out, dtype);
  if (s.status == SEL_OK) {
    sel_softmax_args args = {.log = log, .backward = backward};
    args.x = sel__operand(x);
    args.out = sel__operand(result);
    if (grad) args.grad = sel__operand(grad);
    split_at(out, *(const int *)call->attrs, &args);
    s.status = device->k.softmax(device->handle, &args);
  }
  return sel__launch_end(&s, result, out);
}

static sel_status softmax_infer(const sel_call *call, sel_spec *out) {
  *out = sel__spec_of(call->in[0]);
  return SEL_OK;
}

static sel_status run_grad(const sel_op *op, const sel_vjp *v, sel_tensor *g, sel_tensor *y,
                           sel_tensor **out) {
  return sel__run1(op, 2, (sel_tensor *[]){g, y}, v->attrs, out);
}

#define DIM (*(const int *)v->attrs)

static sel_tensor *sum_along(sel_vjp *v, sel_tensor *t) {
  return x_sum(v->scope, t, 1, &DIM, true);
}

/* ---- softmax: dx = y (g - sum g y) ---- */

static sel_status softmax_grad_launch(sel_call *call) { return launch_softmax(call, false, true); }

/* The rule is symmetric in its Jacobian. dy = G (g - sum g y) - g sum G y. */
static sel_status softmax_grad_backward(sel_vjp *v) {
  sel_scope *s = v->scope;
  sel_tensor *G = v->g[0], *g = v->in[0], *y = v->in[1];
  if (v->needs[0]) SEL_TRY(run_grad(v->op, v, G, y, &v->grad[0]));
  if (!v->needs[1]) return SEL_OK;
  sel_tensor *direct = x_mul(s, G, x_sub(s, g, sum_along(v, x_mul(s, g, y))));
  sel_tensor *through_sum = x_mul(s, g, sum_along(v, x_mul(s, G, y)));
  v->grad[1] = sel_retain(x_sub(s, direct, through_sum));
  return s->status;
}
const sel_op sel__op_softmax_grad = {.name = "softmax_grad",
                                     .n_out = 1,
                                     .attrs_size = sizeof(int),
                                     .infer = softmax_infer,
                                     .launch = softmax_grad_launch,
                                     .backward = softmax_grad_backward,
                                     .save_for = {SEL_IN(1), SEL_IN(0) | SEL_IN(1)}};

static sel_status softmax_launch(sel_call *call) { return launch_softmax(call, false, false); }
static sel_status softmax_backward(sel_vjp *v) {
  if (!v->needs[0]) return SEL_OK;
  return run_grad(&sel__op_softmax_grad, v, v->g[0], v->out[0], &v->grad[0]);
}
const sel_op sel__op_softmax = {.name = "softmax",
                                .n_out = 1,
                                .attrs_size = sizeof(int),
                                .infer = softmax_infer,
                                .launch = softmax_launch,
                                .backward = softmax_backward,
                                .save_for = {SEL_OUT(0)}};

/* ---- log_softmax: dx = g - exp(y) sum g ---- */

static sel_status log_softmax_grad_launch(sel_call *call) {
  return launch_softmax(call, true, true);
}

/* dg = G - sum G exp(y); dy = - G exp(y) sum g. */
static sel_status log_softmax_grad_backward(sel_vjp *v) {
  sel_scope *s = v->scope;
  sel_tensor *G = v->g[0];
  sel_tensor *weighted = x_mul(s, G, x_exp(s, v->in[1]));
  if (v->needs[0]) v->grad[0] = sel_retain(x_sub(s, G, sum_along(v, weighted)));
  if (v->needs[1]) v->grad[1] = sel_retain(x_neg(s, x_mul(s, weighted, sum_along(v, v->in[0]))));
  return s->status;
}
const sel_op sel__op_log_softmax_grad = {.name = "log_softmax_grad",
                                         .n_out = 1,
                                         .attrs_size = sizeof(int),
                                         .infer = softmax_infer,
                                         .launch = log_softmax_grad_launch,
                                         .backward = log_softmax_grad_backward,
                                         .save_for = {SEL_IN(1), SEL_IN(0) | SEL_IN(1)}};

static sel_status log_softmax_launch(sel_call *call) { return launch_softmax(call, true, false); }
static sel_status log_softmax_backward(sel_vjp *v) {
  if (!v->needs[0]) return SEL_OK;
  return run_grad(&sel__op_log_softmax_grad, v, v->g[0], v->out[0], &v->grad[0]);
}
const sel_op sel__op_log_softmax = {.name = "log_softmax",
                                    .n_out = 1,
                                    .attrs_size = sizeof(int),
                                    .infer = softmax_infer,
                                    .launch = log_softmax_launch,
                                    .backward = log_softmax_backward,
                                    .save_for = {SEL_OUT(0)}};

/* ---- the C functions ---- */

static sel_status check(const char *what, const sel_tensor *x, int *dim) {
  SEL_TRY(sel__expect_tensor(what, "input", x));
  SEL_TRY(sel__float_dtype(what, x));
  return sel__dim(what, x, *dim, dim);
}

/* For backends without the kernel: x - log sum exp x. */
static sel_tensor *composed_log(sel_scope *s, sel_tensor *x, int dim) {
  sel_tensor *sums = NULL;
  sums = sel__hold(s, sel_logsumexp(x, 1, &dim, true, &sums), &sums);
  return x_sub(s, x, sums);
}

sel_status sel_log_softmax(sel_tensor *x, int dim, sel_tensor **out) {
  SEL_TRY(check("log_softmax", x, &dim));
  if (sel__device(x)->k.softmax) return sel__run1(&sel__op_log_softmax, 1, &x, &dim, out);
  SEL_SCOPE(s);
  return sel__scope_end(&s, composed_log(&s, x, dim), out);
}

sel_status sel_softmax(sel_tensor *x, int dim, sel_tensor **out) {
  SEL_TRY(check("softmax", x, &dim));
  if (sel__device(x)->k.softmax) return sel__run1(&sel__op_softmax, 1, &x, &dim, out);
  SEL_SCOPE(s);
  return sel__scope_end(&s, x_exp(&s, composed_log(&s, x, dim)), out);
}
