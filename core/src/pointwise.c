/* Pointwise operations: the C functions and the backward rule of each row of SEL_POINTWISE.
 *
 * A row's expression is in selenite/pointwise.h; here stands, by name, its derivative: GRAD_<row>
 * names the rule and what it saves, or nothing where no gradient exists. A row without GRAD_ does
 * not compile.
 */
#include <math.h>
#include <string.h>

#include "op.h"
#include "walk.h"

typedef struct pw_row {
  int id;
  char types; /* the row's types letter */
} pw_row;

typedef struct pw_attrs {
  double s[2];
} pw_attrs;

/* ---- shape rule ---- */

static const sel_tensor *typed_input(const sel_call *call) {
  const sel_tensor *found = NULL;
  for (int i = 0; i < call->n_in; i++) {
    const sel_tensor *t = call->in[i];
    if (!t || sel__is_scalar(t)) continue;
    if (!found || ((const pw_row *)call->op->row)->types == 'W') found = t;
  }
  return found;
}

static sel_status check_types(const sel_call *call, const sel_tensor *typed) {
  const char *name = call->op->name;
  char types = ((const pw_row *)call->op->row)->types;
  int first = 0;
  if (types == 'W') {
    SEL_CHECK(call->in[0]->storage && call->in[0]->dtype == SEL_BOOL, SEL_E_DTYPE,
              "%s: expected a bool condition, got %s", name,
              call->in[0]->storage ? sel_dtype_name((sel_dtype)call->in[0]->dtype) : "a number");
    SEL_CHECK(typed != call->in[0], SEL_E_DTYPE, "%s: expected a tensor on one side", name);
    first = 1;
  }
  if (types == 'F' || types == 'P') SEL_TRY(sel__float_dtype(name, typed));
  if (types == 'N')
    SEL_CHECK(typed->dtype != SEL_BOOL, SEL_E_DTYPE,
              "%s: expected numbers, got bool; convert, as with to(\"f32\")", name);
  for (int i = first; i < call->n_in; i++) {
    SEL_TRY(sel__same_dtype(name, typed, call->in[i]));
    if (sel__is_scalar(call->in[i]) && !sel_dtype_is_float((sel_dtype)typed->dtype) && types != 'C')
      SEL_CHECK(call->in[i]->value == trunc(call->in[i]->value), SEL_E_DTYPE,
                "%s: the fraction %g does not fit %s; convert the tensor, as with to(\"f32\")",
                name, call->in[i]->value, sel_dtype_name((sel_dtype)typed->dtype));
  }
  return SEL_OK;
}

static sel_status pw_infer(const sel_call *call, sel_spec *out) {
  for (int i = 0; i < call->n_in; i++)
    SEL_CHECK(call->in[i], SEL_E_ARGUMENT, "%s: expected %d tensors, input %d is missing",
              call->op->name, call->n_in, i);
  const sel_tensor *typed = typed_input(call);
  SEL_TRY(check_types(call, typed));
  char types = ((const pw_row *)call->op->row)->types;
  out->dtype = types == 'C' || types == 'P' ? SEL_BOOL : (sel_dtype)typed->dtype;
  out->ndim = call->in[0]->ndim;
  memcpy(out->shape, call->in[0]->shape, (size_t)out->ndim * sizeof *out->shape);
  for (int i = 1; i < call->n_in; i++)
    if (!sel__same_shape(call->in[0], call->in[i]) || i > 1)
      SEL_TRY(sel__broadcast(call->op->name, out->ndim, out->shape, call->in[i]->ndim,
                             call->in[i]->shape, &out->ndim, out->shape));
  return SEL_OK;
}

/* ---- launch ---- */

static sel_dtype arithmetic_dtype(sel_dtype d) {
  return d == SEL_BOOL ? SEL_U8 : sel__compute_dtype(d);
}

/* A bound such as infinity, brought into the range of an integer type. */
static double in_range(double x, sel_dtype d) {
  double low = d == SEL_I64 ? -0x1p63 : d == SEL_I32 ? -0x1p31 : 0;
  double high = d == SEL_I64 ? 0x1.fffffffffffffp62 : d == SEL_I32 ? 0x1p31 - 1 : 255;
  return x < low ? low : x > high ? high : x;
}

static sel_status pw_launch(sel_call *call) {
  sel_tensor *out = call->out[0];
  if (out->numel == 0) return SEL_OK;
  sel_device *device = sel__device(out);
  SEL_KERNEL(device, pointwise, call->op->name);
  sel_pointwise_args args;
  args.op = ((const pw_row *)call->op->row)->id;
  args.compute = arithmetic_dtype((sel_dtype)typed_input(call)->dtype);
  args.inputs = call->n_in;
  args.outputs = 1;
  sel_tensor *operands[SEL_MAX_OPERANDS];
  for (int i = 0; i < call->n_in; i++) operands[i] = call->in[i];
  operands[call->n_in] = out;
  for (int i = 0; i <= call->n_in; i++) args.operand[i] = sel__operand(operands[i]);
  args.numel = out->numel;
  args.ndim = sel__walk(out, call->n_in + 1, operands, args.shape, args.stride);
  const pw_attrs *attrs = call->attrs;
  for (int i = 0; i < 2; i++) {
    args.scalar[i] = attrs ? attrs->s[i] : 0;
    if (!sel_dtype_is_float(args.compute)) args.scalar[i] = in_range(args.scalar[i], args.compute);
  }
  return device->k.pointwise(device->handle, &args);
}

/* ---- backward rules ---- */

#define S v->scope
#define G v->g[0]
#define A v->in[0]
#define B v->in[1]
#define C v->in[2]
#define Y v->out[0]
#define P0 (((const pw_attrs *)v->attrs)->s[0])
#define P1 (((const pw_attrs *)v->attrs)->s[1])
#define RULE(name) static sel_status name##_rule(sel_vjp *v)
#define GRAD(i, expression) \
  if (v->needs[i]) v->grad[i] = sel_retain(expression)
#define END return v->scope->status

static sel_tensor *keep_where(sel_scope *s, sel_tensor *condition, sel_tensor *x) {
  sel_tensor *t = NULL;
  if (s->status != SEL_OK) return NULL;
  return sel__hold(s, sel_where_scalar(condition, x, 0, &t), &t);
}
static sel_tensor *drop_where(sel_scope *s, sel_tensor *condition, sel_tensor *x) {
  sel_tensor *t = NULL;
  if (s->status != SEL_OK) return NULL;
  return sel__hold(s, sel_scalar_where(condition, 0, x, &t), &t);
}
static sel_tensor *one_minus(sel_scope *s, sel_tensor *x) { return x_scalar_sub(s, 1, x); }

/* A number as a tensor without dims, for rules that compute with it alone. */
static sel_tensor *whole(sel_vjp *v, sel_tensor *x) {
  sel_tensor *t = NULL;
  if (S->status != SEL_OK || !x || !sel__is_scalar(x)) return x;
  sel_status status = sel_full(0, NULL, x->value, (sel_dtype)G->dtype, sel__device(G), &t);
  return sel__hold(S, status, &t);
}

RULE(zero) { /* piecewise constant */
  (void)v;
  return SEL_OK;
}
RULE(add) {
  GRAD(0, G);
  GRAD(1, G);
  END;
}
RULE(sub) {
  GRAD(0, G);
  GRAD(1, x_neg(S, G));
  END;
}
RULE(mul) {
  GRAD(0, x_mul(S, G, B));
  GRAD(1, x_mul(S, G, A));
  END;
}
RULE(div) {
  GRAD(0, x_div(S, G, B));
  GRAD(1, x_neg(S, x_mul(S, G, x_div(S, Y, B))));
  END;
}
RULE(remainder) {
  GRAD(0, G);
  GRAD(1, x_neg(S, x_mul(S, G, x_floor_divide(S, A, B))));
  END;
}
/* b - 1 and ln a for tensors and numbers alike. */
static sel_tensor *minus_one(sel_scope *s, sel_tensor *b) {
  sel_tensor *t = NULL;
  if (s->status != SEL_OK) return NULL;
  if (!sel__is_scalar(b)) return x_sub_scalar(s, b, 1);
  return sel__hold(s, sel_scalar(b->value - 1, &t), &t);
}
static sel_tensor *log_or_zero(sel_scope *s, sel_tensor *a) { /* ln a, 0 for a = 0 */
  sel_tensor *t = NULL;
  if (s->status != SEL_OK) return NULL;
  if (sel__is_scalar(a)) return sel__hold(s, sel_scalar(a->value == 0 ? 0 : log(a->value), &t), &t);
  sel_tensor *zero = x_eq_scalar(s, a, 0);
  if (s->status != SEL_OK) return NULL;
  return x_log(s, sel__hold(s, sel_scalar_where(zero, 1, a, &t), &t));
}
RULE(pow) { /* b a^(b-1), 0 for b = 0; y ln a, 0 where a = 0 */
  if (v->needs[0] && !(sel__is_scalar(B) && B->value == 0)) {
    sel_tensor *grad = x_mul(S, G, x_mul(S, x_pow(S, A, minus_one(S, B)), B));
    if (!sel__is_scalar(B)) grad = drop_where(S, x_eq_scalar(S, B, 0), grad);
    v->grad[0] = sel_retain(grad);
  }
  GRAD(1, x_mul(S, G, x_mul(S, Y, log_or_zero(S, A))));
  END;
}
RULE(atan2) { /* a is y, b is x */
  sel_tensor *y = whole(v, A), *x = whole(v, B);
  sel_tensor *q = x_div(S, G, x_add(S, x_mul(S, y, y), x_mul(S, x, x)));
  GRAD(0, x_mul(S, q, x));
  GRAD(1, x_neg(S, x_mul(S, q, y)));
  END;
}
/* The larger gets the gradient; equal ones half each. */
static sel_tensor *share(sel_vjp *v, sel_tensor *wins, sel_tensor *tie) {
  return x_add(S, keep_where(S, wins, G), x_mul_scalar(S, keep_where(S, tie, G), 0.5));
}
RULE(maximum) {
  GRAD(0, share(v, x_gt(S, A, B), x_eq(S, A, B)));
  GRAD(1, share(v, x_lt(S, A, B), x_eq(S, A, B)));
  END;
}
RULE(minimum) {
  GRAD(0, share(v, x_lt(S, A, B), x_eq(S, A, B)));
  GRAD(1, share(v, x_gt(S, A, B), x_eq(S, A, B)));
  END;
}
RULE(neg) {
  GRAD(0, x_neg(S, G));
  END;
}
RULE(abs) {
  GRAD(0, x_mul(S, G, x_sign(S, A)));
  END;
}
RULE(square) {
  GRAD(0, x_mul_scalar(S, x_mul(S, G, A), 2));
  END;
}
RULE(reciprocal) {
  GRAD(0, x_neg(S, x_mul(S, G, x_square(S, Y))));
  END;
}
RULE(sqrt) {
  GRAD(0, x_div(S, x_mul_scalar(S, G, 0.5), Y));
  END;
}
RULE(rsqrt) {
  GRAD(0, x_mul_scalar(S, x_mul(S, G, x_mul(S, Y, x_square(S, Y))), -0.5));
  END;
}
RULE(exp) {
  GRAD(0, x_mul(S, G, Y));
  END;
}
RULE(expm1) {
  GRAD(0, x_mul(S, G, x_add_scalar(S, Y, 1)));
  END;
}
RULE(log) {
  GRAD(0, x_div(S, G, A));
  END;
}
RULE(log2) {
  GRAD(0, x_div(S, G, x_mul_scalar(S, A, M_LN2)));
  END;
}
RULE(log10) {
  GRAD(0, x_div(S, G, x_mul_scalar(S, A, M_LN10)));
  END;
}
RULE(log1p) {
  GRAD(0, x_div(S, G, x_add_scalar(S, A, 1)));
  END;
}
RULE(sin) {
  GRAD(0, x_mul(S, G, x_cos(S, A)));
  END;
}
RULE(cos) {
  GRAD(0, x_neg(S, x_mul(S, G, x_sin(S, A))));
  END;
}
RULE(tan) {
  GRAD(0, x_mul(S, G, x_add_scalar(S, x_square(S, Y), 1)));
  END;
}
RULE(asin) {
  GRAD(0, x_mul(S, G, x_rsqrt(S, one_minus(S, x_square(S, A)))));
  END;
}
RULE(acos) {
  GRAD(0, x_neg(S, x_mul(S, G, x_rsqrt(S, one_minus(S, x_square(S, A))))));
  END;
}
RULE(atan) {
  GRAD(0, x_div(S, G, x_add_scalar(S, x_square(S, A), 1)));
  END;
}
RULE(sinh) {
  GRAD(0, x_mul(S, G, x_cosh(S, A)));
  END;
}
RULE(cosh) {
  GRAD(0, x_mul(S, G, x_sinh(S, A)));
  END;
}
RULE(tanh) {
  GRAD(0, x_tanh_grad(S, G, Y));
  END;
}
RULE(erf) { /* 2/sqrt(pi) exp(-a^2) */
  GRAD(0, x_mul(S, G, x_mul_scalar(S, x_exp(S, x_neg(S, x_square(S, A))), M_2_SQRTPI)));
  END;
}
RULE(clamp) {
  GRAD(0, x_clamp_grad(S, G, A, P0, P1));
  END;
}
RULE(lerp) {
  GRAD(0, x_mul(S, G, one_minus(S, whole(v, C))));
  GRAD(1, x_mul(S, G, C));
  GRAD(2, x_mul(S, G, x_sub(S, whole(v, B), A)));
  END;
}
RULE(addcmul) {
  GRAD(0, G);
  GRAD(1, x_mul(S, x_mul_scalar(S, G, P0), C));
  GRAD(2, x_mul(S, x_mul_scalar(S, G, P0), B));
  END;
}
RULE(addcdiv) {
  GRAD(0, G);
  GRAD(1, x_div(S, x_mul_scalar(S, G, P0), C));
  GRAD(2, x_mul(S, x_mul_scalar(S, G, -P0), x_div(S, B, x_mul(S, C, C))));
  END;
}
RULE(where) {
  GRAD(1, keep_where(S, A, G));
  GRAD(2, drop_where(S, A, G));
  END;
}

/* activations */
RULE(relu) {
  GRAD(0, x_relu_grad(S, G, Y));
  END;
}
RULE(leaky_relu) {
  GRAD(0, x_leaky_relu_grad(S, G, A, P0));
  END;
}
RULE(elu) {
  GRAD(0, x_elu_grad(S, G, A, P0));
  END;
}
RULE(celu) {
  GRAD(0, x_celu_grad(S, G, A, P0));
  END;
}
RULE(selu) {
  GRAD(0, x_selu_grad(S, G, A));
  END;
}
RULE(sigmoid) {
  GRAD(0, x_sigmoid_grad(S, G, Y));
  END;
}
RULE(log_sigmoid) {
  GRAD(0, x_log_sigmoid_grad(S, G, A));
  END;
}
RULE(softplus) {
  GRAD(0, x_softplus_grad(S, G, A, P0, P1));
  END;
}
RULE(softsign) { /* 1 / (1 + |a|)^2 */
  GRAD(0, x_div(S, G, x_square(S, x_add_scalar(S, x_abs(S, A), 1))));
  END;
}
RULE(gelu) {
  GRAD(0, x_gelu_grad(S, G, A));
  END;
}
RULE(gelu_tanh) {
  GRAD(0, x_gelu_tanh_grad(S, G, A));
  END;
}
RULE(silu) {
  GRAD(0, x_silu_grad(S, G, A));
  END;
}
RULE(mish) { /* t + a (1 - t^2) sigmoid(a), t = tanh(softplus(a)) */
  sel_tensor *t = x_tanh(S, x_softplus(S, A, 1, 20));
  sel_tensor *d = x_mul(S, A, x_mul(S, one_minus(S, x_square(S, t)), x_sigmoid(S, A)));
  GRAD(0, x_mul(S, G, x_add(S, t, d)));
  END;
}
RULE(hardsigmoid) {
  GRAD(0, x_hardsigmoid_grad(S, G, A));
  END;
}
RULE(hardswish) {
  GRAD(0, x_hardswish_grad(S, G, A));
  END;
}
RULE(shrink) {
  GRAD(0, x_shrink_grad(S, G, A, P0));
  END;
}

/* losses */
RULE(smooth_l1_each) {
  sel_tensor *d = x_smooth_l1_grad(S, G, A, B, P0);
  GRAD(0, d);
  GRAD(1, x_neg(S, d));
  END;
}
RULE(huber_each) {
  sel_tensor *d = x_huber_grad(S, G, A, B, P0);
  GRAD(0, d);
  GRAD(1, x_neg(S, d));
  END;
}
RULE(bce_each) { /* (a - b) / (a (1 - a)), the divisor at least 1e-12 as in PyTorch */
  sel_tensor *x = whole(v, A), *rest = one_minus(S, x);
  GRAD(0, x_div(S, x_mul(S, G, x_sub(S, x, B)), x_clamp(S, x_mul(S, x, rest), 1e-12, INFINITY)));
  GRAD(1, x_mul(S, G,
                x_sub(S, x_clamp(S, x_log(S, rest), -100, INFINITY),
                      x_clamp(S, x_log(S, x), -100, INFINITY))));
  END;
}
RULE(bce_with_logits_each) {
  GRAD(0, x_bce_with_logits_grad(S, G, A, B));
  GRAD(1, x_neg(S, x_mul(S, G, A)));
  END;
}
RULE(kl_div_each) {
  sel_tensor *positive = x_gt_scalar(S, whole(v, B), 0);
  GRAD(0, x_neg(S, keep_where(S, positive, x_mul(S, G, B))));
  GRAD(1, keep_where(S, positive, x_mul(S, G, x_sub(S, x_add_scalar(S, x_log(S, B), 1), A))));
  END;
}

/* gradients of gradients: a is a gradient, b (and c) what the first rule was given */
static sel_tensor *gg(sel_vjp *v) { return x_mul(S, G, A); }

RULE(relu_grad) {
  GRAD(0, x_relu_grad(S, G, B));
  END;
}
RULE(leaky_relu_grad) {
  GRAD(0, x_leaky_relu_grad(S, G, B, P0));
  END;
}
RULE(elu_grad) {
  GRAD(0, x_elu_grad(S, G, B, P0));
  GRAD(1, keep_where(S, x_lt_scalar(S, B, 0), x_elu_grad(S, gg(v), B, P0)));
  END;
}
RULE(celu_grad) {
  GRAD(0, x_celu_grad(S, G, B, P0));
  GRAD(1,
       keep_where(S, x_lt_scalar(S, B, 0), x_mul_scalar(S, x_celu_grad(S, gg(v), B, P0), 1 / P0)));
  END;
}
RULE(selu_grad) {
  GRAD(0, x_selu_grad(S, G, B));
  GRAD(1, keep_where(S, x_lt_scalar(S, B, 0), x_selu_grad(S, gg(v), B)));
  END;
}
RULE(sigmoid_grad) { /* a y (1 - y) */
  GRAD(0, x_sigmoid_grad(S, G, B));
  GRAD(1, x_mul(S, gg(v), one_minus(S, x_mul_scalar(S, B, 2))));
  END;
}
RULE(tanh_grad) { /* a (1 - y^2) */
  GRAD(0, x_tanh_grad(S, G, B));
  GRAD(1, x_mul_scalar(S, x_mul(S, gg(v), B), -2));
  END;
}
RULE(log_sigmoid_grad) {
  GRAD(0, x_log_sigmoid_grad(S, G, B));
  GRAD(1, x_neg(S, x_sigmoid_grad(S, gg(v), x_sigmoid(S, B))));
  END;
}
RULE(softplus_grad) {
  GRAD(0, x_softplus_grad(S, G, B, P0, P1));
  if (!v->needs[1]) END;
  sel_tensor *scaled = x_mul_scalar(S, B, P0);
  GRAD(1, keep_where(S, x_le_scalar(S, scaled, P1),
                     x_mul_scalar(S, x_sigmoid_grad(S, gg(v), x_sigmoid(S, scaled)), P0)));
  END;
}
RULE(gelu_grad) { /* second derivative: phi(x) (2 - x^2), phi the normal density */
  GRAD(0, x_gelu_grad(S, G, B));
  if (!v->needs[1]) END;
  sel_tensor *x2 = x_square(S, B);
  sel_tensor *phi = x_mul_scalar(S, x_exp(S, x_mul_scalar(S, x2, -0.5)), 0.39894228040143268);
  GRAD(1, x_mul(S, gg(v), x_mul(S, phi, x_scalar_sub(S, 2, x2))));
  END;
}
RULE(gelu_tanh_grad) {
  /* With u = k (x + c x^3), t = tanh u, t' = (1 - t^2) u': the second derivative is
   * t' + x/2 ((1 - t^2) u'' - 2 t t' u'). */
  const double k = 0.79788456080286536, c = 0.044715;
  GRAD(0, x_gelu_tanh_grad(S, G, B));
  if (!v->needs[1]) END;
  sel_tensor *x2 = x_square(S, B);
  sel_tensor *t = x_tanh(S, x_mul(S, B, x_add_scalar(S, x_mul_scalar(S, x2, k * c), k)));
  sel_tensor *u1 = x_add_scalar(S, x_mul_scalar(S, x2, 3 * k * c), k);
  sel_tensor *u2 = x_mul_scalar(S, B, 6 * k * c);
  sel_tensor *rest = one_minus(S, x_square(S, t));
  sel_tensor *t1 = x_mul(S, rest, u1);
  sel_tensor *t2 = x_sub(S, x_mul(S, rest, u2), x_mul_scalar(S, x_mul(S, t, x_mul(S, t1, u1)), 2));
  GRAD(1, x_mul(S, gg(v), x_add(S, t1, x_mul_scalar(S, x_mul(S, B, t2), 0.5))));
  END;
}
RULE(silu_grad) { /* second derivative: s (1 - s) (2 + x (1 - 2 s)) */
  GRAD(0, x_silu_grad(S, G, B));
  if (!v->needs[1]) END;
  sel_tensor *s = x_sigmoid(S, B);
  sel_tensor *inner = x_add_scalar(S, x_mul(S, B, one_minus(S, x_mul_scalar(S, s, 2))), 2);
  GRAD(1, x_mul(S, x_sigmoid_grad(S, gg(v), s), inner));
  END;
}
RULE(clamp_grad) {
  GRAD(0, x_clamp_grad(S, G, B, P0, P1));
  END;
}
RULE(hardsigmoid_grad) {
  GRAD(0, x_hardsigmoid_grad(S, G, B));
  END;
}
RULE(hardswish_grad) {
  GRAD(0, x_hardswish_grad(S, G, B));
  GRAD(1, x_mul_scalar(S, x_hardsigmoid_grad(S, gg(v), B), 2));
  END;
}
RULE(shrink_grad) {
  GRAD(0, x_shrink_grad(S, G, B, P0));
  END;
}
RULE(smooth_l1_grad) {
  GRAD(0, x_smooth_l1_grad(S, G, B, C, P0));
  if (!v->needs[1] && !v->needs[2]) END;
  sel_tensor *near = x_lt_scalar(S, x_abs(S, x_sub(S, B, C)), P0);
  sel_tensor *d = keep_where(S, near, x_mul_scalar(S, gg(v), 1 / P0));
  GRAD(1, d);
  GRAD(2, x_neg(S, d));
  END;
}
RULE(huber_grad) {
  GRAD(0, x_huber_grad(S, G, B, C, P0));
  if (!v->needs[1] && !v->needs[2]) END;
  sel_tensor *d = keep_where(S, x_le_scalar(S, x_abs(S, x_sub(S, B, C)), P0), gg(v));
  GRAD(1, d);
  GRAD(2, x_neg(S, d));
  END;
}
RULE(bce_with_logits_grad) {
  GRAD(0, x_bce_with_logits_grad(S, G, B, C));
  GRAD(1, x_sigmoid_grad(S, gg(v), x_sigmoid(S, B)));
  GRAD(2, x_neg(S, gg(v)));
  END;
}

/* ---- which rule, and what the gradient of each input is computed from ---- */

#define SAVES(rule, ...) .backward = rule##_rule, .save_for = {__VA_ARGS__}
#define X_ SEL_IN(0)
#define Y_ SEL_OUT(0)
#define AB_ (SEL_IN(0) | SEL_IN(1))
#define BC_ (SEL_IN(1) | SEL_IN(2))
#define ABC_ (SEL_IN(0) | SEL_IN(1) | SEL_IN(2))

/* clang-format off */
#define GRAD_add SAVES(add, 0)
#define GRAD_sub SAVES(sub, 0)
#define GRAD_mul SAVES(mul, SEL_IN(1), SEL_IN(0))
#define GRAD_div SAVES(div, SEL_IN(1), SEL_IN(1) | Y_)
#define GRAD_floor_divide SAVES(zero, 0)
#define GRAD_remainder SAVES(remainder, 0, AB_)
#define GRAD_pow SAVES(pow, AB_, SEL_IN(0) | Y_)
#define GRAD_atan2 SAVES(atan2, AB_, AB_)
#define GRAD_maximum SAVES(maximum, AB_, AB_)
#define GRAD_minimum SAVES(minimum, AB_, AB_)
#define GRAD_neg SAVES(neg, 0)
#define GRAD_abs SAVES(abs, X_)
#define GRAD_sign SAVES(zero, 0)
#define GRAD_square SAVES(square, X_)
#define GRAD_reciprocal SAVES(reciprocal, Y_)
#define GRAD_sqrt SAVES(sqrt, Y_)
#define GRAD_rsqrt SAVES(rsqrt, Y_)
#define GRAD_exp SAVES(exp, Y_)
#define GRAD_expm1 SAVES(expm1, Y_)
#define GRAD_log SAVES(log, X_)
#define GRAD_log2 SAVES(log2, X_)
#define GRAD_log10 SAVES(log10, X_)
#define GRAD_log1p SAVES(log1p, X_)
#define GRAD_sin SAVES(sin, X_)
#define GRAD_cos SAVES(cos, X_)
#define GRAD_tan SAVES(tan, Y_)
#define GRAD_asin SAVES(asin, X_)
#define GRAD_acos SAVES(acos, X_)
#define GRAD_atan SAVES(atan, X_)
#define GRAD_sinh SAVES(sinh, X_)
#define GRAD_cosh SAVES(cosh, X_)
#define GRAD_tanh SAVES(tanh, Y_)
#define GRAD_erf SAVES(erf, X_)
#define GRAD_floor SAVES(zero, 0)
#define GRAD_ceil SAVES(zero, 0)
#define GRAD_round SAVES(zero, 0)
#define GRAD_trunc SAVES(zero, 0)
#define GRAD_clamp SAVES(clamp, X_)
#define GRAD_lerp SAVES(lerp, SEL_IN(2), SEL_IN(2), AB_)
#define GRAD_addcmul SAVES(addcmul, 0, SEL_IN(2), SEL_IN(1))
#define GRAD_addcdiv SAVES(addcdiv, 0, SEL_IN(2), BC_)
#define GRAD_eq
#define GRAD_ne
#define GRAD_lt
#define GRAD_le
#define GRAD_gt
#define GRAD_ge
#define GRAD_logical_and
#define GRAD_logical_or
#define GRAD_logical_xor
#define GRAD_logical_not
#define GRAD_isnan
#define GRAD_isinf
#define GRAD_isfinite
#define GRAD_where SAVES(where, 0, SEL_IN(0), SEL_IN(0))
#define GRAD_relu SAVES(relu, Y_)
#define GRAD_leaky_relu SAVES(leaky_relu, X_)
#define GRAD_elu SAVES(elu, X_)
#define GRAD_celu SAVES(celu, X_)
#define GRAD_selu SAVES(selu, X_)
#define GRAD_sigmoid SAVES(sigmoid, Y_)
#define GRAD_log_sigmoid SAVES(log_sigmoid, X_)
#define GRAD_softplus SAVES(softplus, X_)
#define GRAD_softsign SAVES(softsign, X_)
#define GRAD_gelu SAVES(gelu, X_)
#define GRAD_gelu_tanh SAVES(gelu_tanh, X_)
#define GRAD_silu SAVES(silu, X_)
#define GRAD_mish SAVES(mish, X_)
#define GRAD_hardsigmoid SAVES(hardsigmoid, X_)
#define GRAD_hardswish SAVES(hardswish, X_)
#define GRAD_hardshrink SAVES(shrink, X_)
#define GRAD_softshrink SAVES(shrink, X_)
#define GRAD_smooth_l1_each SAVES(smooth_l1_each, AB_, AB_)
#define GRAD_huber_each SAVES(huber_each, AB_, AB_)
#define GRAD_bce_each SAVES(bce_each, AB_, AB_)
#define GRAD_bce_with_logits_each SAVES(bce_with_logits_each, AB_, SEL_IN(0))
#define GRAD_kl_div_each SAVES(kl_div_each, AB_, AB_)
#define GRAD_relu_grad SAVES(relu_grad, SEL_IN(1), 0)
#define GRAD_leaky_relu_grad SAVES(leaky_relu_grad, SEL_IN(1), 0)
#define GRAD_elu_grad SAVES(elu_grad, SEL_IN(1), AB_)
#define GRAD_celu_grad SAVES(celu_grad, SEL_IN(1), AB_)
#define GRAD_selu_grad SAVES(selu_grad, SEL_IN(1), AB_)
#define GRAD_sigmoid_grad SAVES(sigmoid_grad, SEL_IN(1), AB_)
#define GRAD_tanh_grad SAVES(tanh_grad, SEL_IN(1), AB_)
#define GRAD_log_sigmoid_grad SAVES(log_sigmoid_grad, SEL_IN(1), AB_)
#define GRAD_softplus_grad SAVES(softplus_grad, SEL_IN(1), AB_)
#define GRAD_gelu_grad SAVES(gelu_grad, SEL_IN(1), AB_)
#define GRAD_gelu_tanh_grad SAVES(gelu_tanh_grad, SEL_IN(1), AB_)
#define GRAD_silu_grad SAVES(silu_grad, SEL_IN(1), AB_)
#define GRAD_clamp_grad SAVES(clamp_grad, SEL_IN(1), 0)
#define GRAD_hardsigmoid_grad SAVES(hardsigmoid_grad, SEL_IN(1), 0)
#define GRAD_hardswish_grad SAVES(hardswish_grad, SEL_IN(1), AB_)
#define GRAD_shrink_grad SAVES(shrink_grad, SEL_IN(1), 0)
#define GRAD_smooth_l1_grad SAVES(smooth_l1_grad, BC_, ABC_, ABC_)
#define GRAD_huber_grad SAVES(huber_grad, BC_, ABC_, ABC_)
#define GRAD_bce_with_logits_grad SAVES(bce_with_logits_grad, BC_, AB_, SEL_IN(0))
/* clang-format on */

/* ---- the operations and their C functions, by kind ---- */

#define DEFINE(kind, op_name, types_, ...)                            \
  extern const sel_op sel__op_##op_name;                              \
  static const pw_row row_##op_name = {SEL_PW_##op_name, #types_[0]}; \
  const sel_op sel__op_##op_name = {.name = #op_name,                 \
                                    .row = &row_##op_name,            \
                                    .n_out = 1,                       \
                                    .attrs_size = sizeof(pw_attrs),   \
                                    .infer = pw_infer,                \
                                    .launch = pw_launch,              \
                                    GRAD_##op_name};
SEL_POINTWISE(DEFINE)

static sel_status run(const sel_op *op, int n, sel_tensor *const *in, double s0, double s1,
                      sel_tensor **out) {
  pw_attrs attrs = {{s0, s1}};
  return sel__run1(op, n, in, &attrs, out);
}

static sel_status run_(const sel_op *op, int n, sel_tensor *const *in, double s0, double s1) {
  pw_attrs attrs = {{s0, s1}};
  sel_call call = {.op = op, .n_in = n, .in = in, .attrs = &attrs};
  return sel__run_in_place(&call);
}

/* Runs with input `place` a number. */
static sel_status run_number(const sel_op *op, int n, sel_tensor **in, int place, double value,
                             sel_tensor **out) {
  sel_tensor *number;
  SEL_TRY(sel_scalar(value, &number));
  in[place] = number;
  sel_status status = out ? run(op, n, in, 0, 0, out) : run_(op, n, in, 0, 0);
  sel_release(number);
  return status;
}

#define IN(...) \
  (sel_tensor *[]) { __VA_ARGS__ }
#define FN_U(name)                                         \
  sel_status sel_##name(sel_tensor *x, sel_tensor **out) { \
    return run(&sel__op_##name, 1, IN(x), 0, 0, out);      \
  }                                                        \
  sel_status sel_##name##_(sel_tensor *x) { return run_(&sel__op_##name, 1, IN(x), 0, 0); }
#define FN_U1(name)                                                   \
  sel_status sel_##name(sel_tensor *x, double s0, sel_tensor **out) { \
    return run(&sel__op_##name, 1, IN(x), s0, 0, out);                \
  }                                                                   \
  sel_status sel_##name##_(sel_tensor *x, double s0) {                \
    return run_(&sel__op_##name, 1, IN(x), s0, 0);                    \
  }
#define FN_U2(name)                                                              \
  sel_status sel_##name(sel_tensor *x, double s0, double s1, sel_tensor **out) { \
    return run(&sel__op_##name, 1, IN(x), s0, s1, out);                          \
  }                                                                              \
  sel_status sel_##name##_(sel_tensor *x, double s0, double s1) {                \
    return run_(&sel__op_##name, 1, IN(x), s0, s1);                              \
  }
#define FN_B(name)                                                            \
  sel_status sel_##name(sel_tensor *a, sel_tensor *b, sel_tensor **out) {     \
    return run(&sel__op_##name, 2, IN(a, b), 0, 0, out);                      \
  }                                                                           \
  sel_status sel_##name##_scalar(sel_tensor *a, double b, sel_tensor **out) { \
    return run_number(&sel__op_##name, 2, IN(a, NULL), 1, b, out);            \
  }                                                                           \
  sel_status sel_scalar_##name(double a, sel_tensor *b, sel_tensor **out) {   \
    return run_number(&sel__op_##name, 2, IN(NULL, b), 0, a, out);            \
  }                                                                           \
  sel_status sel_##name##_(sel_tensor *a, sel_tensor *b) {                    \
    return run_(&sel__op_##name, 2, IN(a, b), 0, 0);                          \
  }                                                                           \
  sel_status sel_##name##_scalar_(sel_tensor *a, double b) {                  \
    return run_number(&sel__op_##name, 2, IN(a, NULL), 1, b, NULL);           \
  }
#define FN_B1(name)                                                                  \
  sel_status sel_##name(sel_tensor *a, sel_tensor *b, double s0, sel_tensor **out) { \
    return run(&sel__op_##name, 2, IN(a, b), s0, 0, out);                            \
  }                                                                                  \
  sel_status sel_##name##_(sel_tensor *a, sel_tensor *b, double s0) {                \
    return run_(&sel__op_##name, 2, IN(a, b), s0, 0);                                \
  }
#define FN_T(name)                                                                       \
  sel_status sel_##name(sel_tensor *a, sel_tensor *b, sel_tensor *c, sel_tensor **out) { \
    return run(&sel__op_##name, 3, IN(a, b, c), 0, 0, out);                              \
  }                                                                                      \
  sel_status sel_##name##_(sel_tensor *a, sel_tensor *b, sel_tensor *c) {                \
    return run_(&sel__op_##name, 3, IN(a, b, c), 0, 0);                                  \
  }
#define FN_T1(name)                                                                  \
  sel_status sel_##name(sel_tensor *a, sel_tensor *b, sel_tensor *c, double s0,      \
                        sel_tensor **out) {                                          \
    return run(&sel__op_##name, 3, IN(a, b, c), s0, 0, out);                         \
  }                                                                                  \
  sel_status sel_##name##_(sel_tensor *a, sel_tensor *b, sel_tensor *c, double s0) { \
    return run_(&sel__op_##name, 3, IN(a, b, c), s0, 0);                             \
  }
#define FN_GB(name)                                                       \
  sel_status sel_##name(sel_tensor *g, sel_tensor *b, sel_tensor **out) { \
    return run(&sel__op_##name, 2, IN(g, b), 0, 0, out);                  \
  }
#define FN_GB1(name)                                                                 \
  sel_status sel_##name(sel_tensor *g, sel_tensor *b, double s0, sel_tensor **out) { \
    return run(&sel__op_##name, 2, IN(g, b), s0, 0, out);                            \
  }
#define FN_GB2(name)                                                                            \
  sel_status sel_##name(sel_tensor *g, sel_tensor *b, double s0, double s1, sel_tensor **out) { \
    return run(&sel__op_##name, 2, IN(g, b), s0, s1, out);                                      \
  }
#define FN_GT(name)                                                                      \
  sel_status sel_##name(sel_tensor *g, sel_tensor *b, sel_tensor *c, sel_tensor **out) { \
    return run(&sel__op_##name, 3, IN(g, b, c), 0, 0, out);                              \
  }
#define FN_GT1(name)                                                            \
  sel_status sel_##name(sel_tensor *g, sel_tensor *b, sel_tensor *c, double s0, \
                        sel_tensor **out) {                                     \
    return run(&sel__op_##name, 3, IN(g, b, c), s0, 0, out);                    \
  }
#define FN(kind, name, types, ...) FN_##kind(name)
SEL_POINTWISE(FN)

sel_status sel_where_scalar(sel_tensor *cond, sel_tensor *a, double b, sel_tensor **out) {
  return run_number(&sel__op_where, 3, IN(cond, a, NULL), 2, b, out);
}
sel_status sel_scalar_where(sel_tensor *cond, double a, sel_tensor *b, sel_tensor **out) {
  return run_number(&sel__op_where, 3, IN(cond, NULL, b), 1, a, out);
}
