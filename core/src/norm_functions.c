/* sel_batch_norm, sel_layer_norm, sel_rms_norm, sel_group_norm: checks, shapes in the kernel's
 * terms, running statistics. */
#include "norm.h"
#include "selenite/autograd.h"
#include "selenite/nn.h"

/* ---- what they share ---- */

static sel_status check_input(const char *what, const sel_tensor *x, double eps) {
  SEL_TRY(sel__expect_tensor(what, "input", x));
  SEL_TRY(sel__float_dtype(what, x));
  SEL_CHECK(eps >= 0, SEL_E_ARGUMENT, "%s: expected eps of at least 0, got %g", what, eps);
  return SEL_OK;
}

/* `t`, where given, has the shape of `ndim` extents and x's dtype. */
static sel_status check_affine(const char *what, const char *role, const sel_tensor *t,
                               const sel_tensor *x, int ndim, const int64_t *shape) {
  char expected[SEL_TEXT], got[SEL_TEXT], input[SEL_TEXT];
  if (!t) return SEL_OK;
  SEL_TRY(sel__expect_tensor(what, role, t));
  SEL_TRY(sel__same_dtype(what, x, t));
  bool fits = t->ndim == ndim;
  for (int d = 0; fits && d < ndim; d++) fits = t->shape[d] == shape[d];
  SEL_CHECK(fits, SEL_E_SHAPE, "%s: expected %s %s for an input %s, got %s", what, role,
            sel__shape_text(ndim, shape, expected, sizeof expected),
            sel_describe(x, input, sizeof input), sel_describe(t, got, sizeof got));
  return SEL_OK;
}

static sel_status run(const sel_op *op, const sel_norm_attrs *attrs, sel_tensor *const in[5],
                      sel_tensor **y, sel_tensor **mean, sel_tensor **var) {
  sel_call call = {.op = op, .n_in = 5, .in = in, .attrs = attrs};
  SEL_TRY(sel__run(&call));
  *y = call.out[0];
  sel_release(call.out[2]);
  if (mean) {
    *mean = call.out[1];
    *var = call.out[3];
  } else {
    sel_release(call.out[1]);
    sel_release(call.out[3]);
  }
  return SEL_OK;
}

static sel_status run_or_compose(const sel_op *op, const sel_norm_attrs *attrs,
                                 sel_tensor *const in[5], sel_tensor **y) {
  if (sel__device(in[0])->k.norm) return run(op, attrs, in, y, NULL, NULL);
  SEL_SCOPE(s);
  sel_dtype dtype = (sel_dtype)in[0]->dtype, wide = sel__compute_dtype(dtype);
  sel_tensor *t[5];
  for (int i = 0; i < 5; i++) t[i] = in[i] ? x_to(&s, in[i], wide) : NULL;
  sel_tensor *out = s.status ? NULL : sel__norm_composed(&s, attrs, t[0], t[1], t[2], t[3], t[4]);
  return sel__scope_end(&s, x_to(&s, out, dtype), y);
}

/* ---- layer norm, rms norm ---- */

static sel_status over_last_dims(const sel_op *op, sel_norm_kind kind, sel_tensor *x, int ndims,
                                 sel_tensor *weight, sel_tensor *bias, double eps,
                                 sel_tensor **out) {
  char text[SEL_TEXT];
  SEL_TRY(check_input(op->name, x, eps));
  SEL_CHECK(ndims >= 1 && ndims <= x->ndim, SEL_E_SHAPE,
            "%s: expected an input of at least %d dims and 1 or more to normalise, got %s",
            op->name, ndims, sel_describe(x, text, sizeof text));
  const int64_t *shape = x->shape + (x->ndim - ndims);
  SEL_TRY(check_affine(op->name, "weight", weight, x, ndims, shape));
  SEL_TRY(check_affine(op->name, "bias", bias, x, ndims, shape));
  sel_norm_attrs attrs = {.kind = kind, .n = 1, .channels = 1, .inner = 1, .groups = 1, .eps = eps};
  for (int d = 0; d < x->ndim; d++) *(d < x->ndim - ndims ? &attrs.n : &attrs.inner) *= x->shape[d];
  return run_or_compose(op, &attrs, (sel_tensor *[]){x, weight, bias, NULL, NULL}, out);
}

extern const sel_op sel__op_layer_norm, sel__op_rms_norm, sel__op_group_norm, sel__op_batch_norm;

sel_status sel_layer_norm(sel_tensor *x, int ndims, sel_tensor *weight, sel_tensor *bias,
                          double eps, sel_tensor **out) {
  return over_last_dims(&sel__op_layer_norm, SEL_NORM_LAYER, x, ndims, weight, bias, eps, out);
}

sel_status sel_rms_norm(sel_tensor *x, int ndims, sel_tensor *weight, double eps,
                        sel_tensor **out) {
  return over_last_dims(&sel__op_rms_norm, SEL_NORM_RMS, x, ndims, weight, NULL, eps, out);
}

/* ---- by channel ---- */

static sel_status by_channel(const char *what, sel_norm_kind kind, sel_tensor *x,
                             sel_tensor *weight, sel_tensor *bias, double eps,
                             sel_norm_attrs *attrs) {
  char text[SEL_TEXT];
  SEL_TRY(check_input(what, x, eps));
  SEL_CHECK(x->ndim >= 2, SEL_E_SHAPE, "%s: expected [n, channels, ...], got %s", what,
            sel_describe(x, text, sizeof text));
  SEL_TRY(check_affine(what, "weight", weight, x, 1, &x->shape[1]));
  SEL_TRY(check_affine(what, "bias", bias, x, 1, &x->shape[1]));
  *attrs = (sel_norm_attrs){
      .kind = kind, .n = x->shape[0], .channels = x->shape[1], .inner = 1, .groups = 1, .eps = eps};
  for (int d = 2; d < x->ndim; d++) attrs->inner *= x->shape[d];
  return SEL_OK;
}

sel_status sel_group_norm(sel_tensor *x, int64_t groups, sel_tensor *weight, sel_tensor *bias,
                          double eps, sel_tensor **out) {
  char text[SEL_TEXT];
  sel_norm_attrs attrs;
  SEL_TRY(by_channel("group_norm", SEL_NORM_GROUP, x, weight, bias, eps, &attrs));
  SEL_CHECK(groups >= 1 && attrs.channels % groups == 0, SEL_E_SHAPE,
            "group_norm: %lld groups don't divide the channels of %s", (long long)groups,
            sel_describe(x, text, sizeof text));
  attrs.groups = groups;
  return run_or_compose(&sel__op_group_norm, &attrs, (sel_tensor *[]){x, weight, bias, NULL, NULL},
                        out);
}

/* ---- batch norm ---- */

/* For backends without the kernel: mean and variance of each channel. */
static sel_status channel_statistics(sel_tensor *x, sel_tensor **mean, sel_tensor **var) {
  int dims[SEL_MAX_DIMS], n = 0;
  for (int d = 0; d < x->ndim; d++)
    if (d != 1) dims[n++] = d;
  SEL_TRY(sel_mean(x, n, dims, false, mean));
  return sel_var(x, n, dims, 0, false, var);
}

/* running += momentum (batch - running), in running's dtype. */
static sel_status move_towards(sel_tensor *running, sel_tensor *batch, double momentum,
                               double scale) {
  if (!running) return SEL_OK;
  SEL_SCOPE(s);
  sel_tensor *share = x_to(&s, x_mul_scalar(&s, batch, momentum * scale), running->dtype);
  if (s.status == SEL_OK) s.status = sel_mul_scalar_(running, 1 - momentum);
  if (s.status == SEL_OK) s.status = sel_add_(running, share);
  sel__scope_drop(&s);
  return s.status;
}

static sel_status update_running(sel_tensor *x, sel_tensor *running_mean, sel_tensor *running_var,
                                 sel_tensor *mean, sel_tensor *var, double momentum) {
  double count = (double)(x->numel / x->shape[1]);
  bool previous = sel_set_grad_enabled(false);
  sel_status status = SEL_OK;
  sel_tensor *own_mean = NULL, *own_var = NULL;
  if (!mean) status = channel_statistics(x, &own_mean, &own_var);
  if (status == SEL_OK) status = move_towards(running_mean, mean ? mean : own_mean, momentum, 1);
  if (status == SEL_OK)
    status = move_towards(running_var, var ? var : own_var, momentum, count / (count - 1));
  sel_release(own_mean);
  sel_release(own_var);
  sel_set_grad_enabled(previous);
  return status;
}

static sel_status with_batch_statistics(const sel_norm_attrs *attrs, sel_tensor *const in[5],
                                        sel_tensor *running_mean, sel_tensor *running_var,
                                        double momentum, sel_tensor **out) {
  sel_tensor *x = in[0], *y = NULL, *mean = NULL, *var = NULL;
  char text[SEL_TEXT];
  SEL_CHECK(x->numel == 0 || attrs->n * attrs->inner > 1, SEL_E_SHAPE,
            "batch_norm: statistics need more than one value a channel in training, got %s",
            sel_describe(x, text, sizeof text));
  if (sel__device(x)->k.norm)
    SEL_TRY(run(&sel__op_batch_norm, attrs, in, &y, &mean, &var));
  else
    SEL_TRY(run_or_compose(&sel__op_batch_norm, attrs, in, &y));
  sel_status status = SEL_OK;
  if ((running_mean || running_var) && x->numel > 0)
    status = update_running(x, running_mean, running_var, mean, var, momentum);
  sel_release(mean);
  sel_release(var);
  if (status != SEL_OK) {
    sel_release(y);
    return status;
  }
  *out = y;
  return SEL_OK;
}

static sel_status with_running_statistics(sel_norm_attrs *attrs, sel_tensor *const in[5],
                                          sel_tensor *mean, sel_tensor *var, sel_tensor **out) {
  SEL_CHECK(mean && var, SEL_E_ARGUMENT,
            "batch_norm: without training, running_mean and running_var are needed");
  attrs->fixed = true;
  attrs->wants_var = false;
  bool previous = sel_set_grad_enabled(false);
  SEL_SCOPE(s);
  sel_dtype wide = sel__compute_dtype((sel_dtype)var->dtype);
  sel_tensor *rstd = x_rsqrt(&s, x_add_scalar(&s, x_to(&s, var, wide), attrs->eps));
  rstd = x_to(&s, rstd, (sel_dtype)in[0]->dtype);
  sel_set_grad_enabled(previous);
  sel_tensor *y = NULL;
  if (s.status == SEL_OK)
    y = sel__hold(&s,
                  run_or_compose(&sel__op_batch_norm, attrs,
                                 (sel_tensor *[]){in[0], in[1], in[2], mean, rstd}, &y),
                  &y);
  return sel__scope_end(&s, y, out);
}

sel_status sel_batch_norm(sel_tensor *x, sel_tensor *running_mean, sel_tensor *running_var,
                          sel_tensor *weight, sel_tensor *bias, bool training, double momentum,
                          double eps, sel_tensor **out) {
  sel_norm_attrs attrs;
  SEL_TRY(by_channel("batch_norm", SEL_NORM_BATCH, x, weight, bias, eps, &attrs));
  SEL_TRY(check_affine("batch_norm", "running_mean", running_mean, x, 1, &x->shape[1]));
  SEL_TRY(check_affine("batch_norm", "running_var", running_var, x, 1, &x->shape[1]));
  attrs.wants_var = running_mean || running_var;
  sel_tensor *in[5] = {x, weight, bias, NULL, NULL};
  if (!training) return with_running_statistics(&attrs, in, running_mean, running_var, out);
  return with_batch_statistics(&attrs, in, running_mean, running_var, momentum, out);
}
