/* The operations batch_norm, layer_norm, rms_norm, group_norm: one kernel call forward, one
 * backward.
 *
 * Inputs (x, weight, bias, mean, rstd), the last two for fixed statistics alone; outputs (y, mean,
 * rstd, var), of which callers see y. The gradient is an operation itself, without a gradient of
 * its own: where gradients are recorded it is composed instead. Checks are in norm_functions.c.
 */
#include "norm.h"

#include "precision.h"
#include "selenite/autograd.h"

/* ---- kernel calls ---- */

static sel_norm_args kernel_args(const sel_norm_attrs *attrs, sel_dtype dtype, bool backward) {
  return (sel_norm_args){.kind = attrs->kind,
                         .backward = backward,
                         .fixed_statistics = attrs->fixed,
                         .dtype = dtype,
                         .n = attrs->n,
                         .channels = attrs->channels,
                         .inner = attrs->inner,
                         .groups = attrs->groups,
                         .eps = attrs->eps};
}

static sel_operand operand_or_none(const sel_tensor *t) {
  return t ? sel__operand(t) : (sel_operand){0};
}

static sel_tensor *optional_as(sel_scope *s, sel_tensor *t, sel_dtype dtype) {
  return t ? sel__operand_as(s, t, dtype) : NULL;
}

/* ---- forward ---- */

static int64_t statistics(const sel_norm_attrs *attrs) {
  if (attrs->fixed) return 0;
  switch (attrs->kind) {
    case SEL_NORM_GROUP:
      return attrs->n * attrs->groups;
    case SEL_NORM_BATCH:
      return attrs->channels;
    default:
      return attrs->n;
  }
}

static sel_status norm_infer(const sel_call *call, sel_spec *out) {
  const sel_norm_attrs *attrs = call->attrs;
  out[0] = sel__spec_of(call->in[0]);
  out[2] = (sel_spec){
      .dtype = sel__compute_dtype(out[0].dtype), .ndim = 1, .shape = {statistics(attrs)}};
  out[1] = out[2];
  if (attrs->kind == SEL_NORM_RMS) out[1].shape[0] = 0;
  out[3] = out[2];
  if (!attrs->wants_var) out[3].shape[0] = 0;
  return SEL_OK;
}

static sel_status norm_launch(sel_call *call) {
  const sel_norm_attrs *attrs = call->attrs;
  sel_tensor *out = call->out[0];
  if (out->numel == 0) return SEL_OK;
  sel_device *device = sel__device(out);
  SEL_KERNEL(device, norm, call->op->name);
  sel_dtype dtype = sel__compute_dtype((sel_dtype)out->dtype);
  SEL_SCOPE(s);
  sel_tensor *in[5];
  for (int i = 0; i < 5; i++) in[i] = optional_as(&s, call->in[i], dtype);
  sel_tensor *y = sel__result_as(&s, out, dtype);
  if (s.status == SEL_OK) {
    sel_norm_args args = kernel_args(attrs, dtype, false);
    args.x = sel__operand(in[0]);
    args.weight = operand_or_none(in[1]);
    args.bias = operand_or_none(in[2]);
    args.y = sel__operand(y);
    args.mean = sel__operand(attrs->fixed ? in[3] : call->out[1]);
    args.rstd = sel__operand(attrs->fixed ? in[4] : call->out[2]);
    if (attrs->wants_var) args.var = sel__operand(call->out[3]);
    s.status = device->k.norm(device->handle, &args);
  }
  return sel__launch_end(&s, y, out);
}

/* ---- backward ---- */

/* (g, x, weight, mean, rstd) to the gradients of x, weight and bias. */
typedef struct gradient_attrs {
  sel_norm_attrs norm;
  bool wanted[3];
  sel_spec spec[3];
} gradient_attrs;

static sel_status norm_grad_infer(const sel_call *call, sel_spec *out) {
  const gradient_attrs *attrs = call->attrs;
  for (int k = 0; k < 3; k++)
    out[k] = attrs->wanted[k] ? attrs->spec[k]
                              : (sel_spec){.dtype = attrs->spec[0].dtype, .ndim = 1, .shape = {0}};
  return SEL_OK;
}

static sel_status zero_all(sel_call *call) {
  for (int k = 0; k < 3; k++)
    if (call->out[k]->numel > 0) SEL_TRY(sel_fill_(call->out[k], 0));
  return SEL_OK;
}

static sel_status norm_grad_launch(sel_call *call) {
  const gradient_attrs *attrs = call->attrs;
  if (call->in[0]->numel == 0) return zero_all(call);
  sel_device *device = sel__device(call->in[0]);
  SEL_KERNEL(device, norm, "norm_grad");
  sel_dtype dtype = sel__compute_dtype((sel_dtype)call->in[0]->dtype);
  SEL_SCOPE(s);
  sel_tensor *in[5], *result[3];
  for (int i = 0; i < 5; i++) in[i] = optional_as(&s, call->in[i], dtype);
  for (int k = 0; k < 3; k++) result[k] = sel__result_as(&s, call->out[k], dtype);
  if (s.status == SEL_OK) {
    sel_norm_args args = kernel_args(&attrs->norm, dtype, true);
    args.grad = sel__operand(in[0]);
    args.x = sel__operand(in[1]);
    args.weight = operand_or_none(in[2]);
    args.mean = operand_or_none(in[3]);
    args.rstd = sel__operand(in[4]);
    if (attrs->wanted[0]) args.grad_x = sel__operand(result[0]);
    if (attrs->wanted[1]) args.grad_weight = sel__operand(result[1]);
    if (attrs->wanted[2]) args.grad_bias = sel__operand(result[2]);
    s.status = device->k.norm(device->handle, &args);
  }
  for (int k = 0; k < 3 && s.status == SEL_OK; k++)
    if (result[k] != call->out[k]) s.status = sel__copy(call->out[k], result[k]);
  sel__scope_drop(&s);
  return s.status;
}

const sel_op sel__op_norm_grad = {.name = "norm_grad",
                                  .n_out = 3,
                                  .attrs_size = sizeof(gradient_attrs),
                                  .infer = norm_grad_infer,
                                  .launch = norm_grad_launch};

static sel_status norm_backward(sel_vjp *v) {
  if (!v->g[0]) return SEL_OK;
  /* For the bias alone neither x nor statistics were saved. */
  if (sel_grad_enabled() || (!v->needs[0] && !v->needs[1])) return sel__norm_composed_gradient(v);
  const sel_norm_attrs *norm = v->attrs;
  gradient_attrs attrs = {.norm = *norm};
  for (int k = 0; k < 3; k++) {
    attrs.wanted[k] = v->needs[k];
    attrs.spec[k] = v->in_spec[k];
  }
  sel_tensor *in[] = {v->g[0], v->in[0], v->in[1], norm->fixed ? v->in[3] : v->out[1],
                      norm->fixed ? v->in[4] : v->out[2]};
  sel_call call = {.op = &sel__op_norm_grad, .n_in = 5, .in = in, .attrs = &attrs};
  SEL_TRY(sel__run(&call));
  for (int k = 0; k < 3; k++) {
    if (v->needs[k])
      v->grad[k] = call.out[k];
    else
      sel_release(call.out[k]);
  }
  return SEL_OK;
}

#define SAVED_FOR_WEIGHT (SEL_IN(0) | SEL_IN(3) | SEL_IN(4) | SEL_OUT(1) | SEL_OUT(2))
#define NORM_OP(name_)                      \
  const sel_op sel__op_##name_ = {          \
      .name = #name_,                       \
      .n_out = 4,                           \
      .attrs_size = sizeof(sel_norm_attrs), \
      .infer = norm_infer,                  \
      .launch = norm_launch,                \
      .backward = norm_backward,            \
      .save_for = {SAVED_FOR_WEIGHT | SEL_IN(1), SAVED_FOR_WEIGHT, 0, 0}}
NORM_OP(batch_norm);
NORM_OP(layer_norm);
NORM_OP(rms_norm);
NORM_OP(group_norm);
