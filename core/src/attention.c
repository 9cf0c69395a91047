/* Scaled dot-product attention: one kernel going forward, one for the three gradients, neither of
 * which keeps the probabilities.
 *
 * The gradient is an operation itself, without a gradient of its own: second derivatives through
 * attention are refused by its name. The mask takes no gradient.
 */
#include <math.h>

#include "op.h"
#include "precision.h"
#include "random.h"
#include "selenite/nn.h"

typedef struct attention_attrs {
  bool causal;
  double scale, dropout;
  sel_generator at;
} attention_attrs;

/* ---- the operation: (q, k, v, mask or NULL), of one dtype, f32 or f64, checked before, to the
 * result and the log sums [batch, heads, q_length] ---- */

/* The mask's strides by batch, head, query and key; dims it lacks or has once broadcast. */
static void place_mask(const sel_tensor *mask, sel_attention_args *args) {
  args->mask = sel__operand(mask);
  for (int d = 0; d < mask->ndim; d++)
    args->mask_stride[4 - mask->ndim + d] = mask->shape[d] == 1 ? 0 : mask->stride[d];
}

static sel_attention_args kernel_args(sel_scope *s, const sel_call *call, bool backward,
                                      sel_tensor *const *in) {
  const attention_attrs *attrs = call->attrs;
  const int64_t *q = in[0]->shape, *k = in[1]->shape;
  sel_dtype dtype = (sel_dtype)in[0]->dtype;
  sel_attention_args args = {.backward = backward,
                             .causal = attrs->causal,
                             .dtype = dtype,
                             .batch = q[0],
                             .heads = q[1],
                             .kv_heads = k[1],
                             .q_length = q[2],
                             .k_length = k[2],
                             .head_size = q[3],
                             .value_size = in[2]->shape[3],
                             .scale = attrs->scale,
                             .dropout = attrs->dropout,
                             .seed = attrs->at.seed,
                             .offset = attrs->at.offset};
  sel_tensor *packed[3];
  for (int i = 0; i < 3; i++) packed[i] = sel__operand_as(s, in[i], dtype);
  if (s->status != SEL_OK) return args;
  args.q = sel__operand(packed[0]);
  args.k = sel__operand(packed[1]);
  args.v = sel__operand(packed[2]);
  if (in[3]) place_mask(in[3], &args);
  return args;
}

static sel_status attention_infer(const sel_call *call, sel_spec *out) {
  out[0] = out[1] = sel__spec_of(call->in[0]);
  out[0].shape[3] = call->in[2]->shape[3];
  out[1].ndim = 3;
  return sel__check_shape("attention", out[0].ndim, out[0].shape);
}

static sel_status attention_launch(sel_call *call) {
  sel_device *device = sel__device(call->in[0]);
  SEL_KERNEL(device, attention, "attention");
  if (call->out[0]->numel == 0) return SEL_OK;
  SEL_SCOPE(s);
  sel_attention_args args = kernel_args(&s, call, false, call->in);
  args.out = sel__operand(call->out[0]);
  args.log_sums = sel__operand(call->out[1]);
  if (s.status == SEL_OK) s.status = device->k.attention(device->handle, &args);
  sel__scope_drop(&s);
  return s.status;
}

/* Pairs of a query and a key that it sees; the mask hides some for nothing. */
static double pairs(const sel_call *call) {
  const attention_attrs *attrs = call->attrs;
  const int64_t *q = call->in[0]->shape, *k = call->in[1]->shape;
  double queries = (double)q[2], keys = (double)k[2], seen = queries * keys;
  if (attrs->causal) { /* the first query sees keys - queries + 1, the last all */
    double first = fmax(keys - queries, 0), seeing = fmin(queries, keys);
    seen = seeing * first + seeing * (seeing + 1) / 2;
  }
  return (double)(q[0] * q[1]) * seen;
}

/* q k^T, and probabilities times v. */
static void attention_cost(const sel_call *call, sel_cost *cost) {
  double head = (double)call->in[0]->shape[3], value = (double)call->in[2]->shape[3];
  cost->flops = 2 * pairs(call) * (head + value);
}

/* ---- its gradients: (q, k, v, mask, g, result, log sums) to those of q, k, v ---- */

static sel_status gradient_infer(const sel_call *call, sel_spec *out) {
  for (int i = 0; i < 3; i++) out[i] = sel__spec_of(call->in[i]);
  return SEL_OK;
}

static sel_status gradient_launch(sel_call *call) {
  sel_device *device = sel__device(call->in[0]);
  SEL_KERNEL(device, attention, "attention_grad");
  SEL_SCOPE(s);
  sel_attention_args args = kernel_args(&s, call, true, call->in);
  sel_tensor *read[3];
  for (int i = 0; i < 3; i++) read[i] = sel__operand_as(&s, call->in[4 + i], args.dtype);
  if (s.status == SEL_OK) {
    args.grad = sel__operand(read[0]);
    args.out = sel__operand(read[1]);
    args.log_sums = sel__operand(read[2]);
    args.grad_q = sel__operand(call->out[0]);
    args.grad_k = sel__operand(call->out[1]);
    args.grad_v = sel__operand(call->out[2]);
    s.status = device->k.attention(device->handle, &args);
  }
  sel__scope_drop(&s);
  return s.status;
}

/* q k^T once more, and the gradients of probabilities, q, k and v. */
static void gradient_cost(const sel_call *call, sel_cost *cost) {
  double head = (double)call->in[0]->shape[3], value = (double)call->in[2]->shape[3];
  cost->flops = 2 * pairs(call) * (3 * head + 2 * value);
}

const sel_op sel__op_attention_grad = {.name = "attention_grad",
                                       .n_out = 3,
                                       .attrs_size = sizeof(attention_attrs),
                                       .infer = gradient_infer,
                                       .launch = gradient_launch,
                                       .cost = gradient_cost};

static sel_status attention_backward(sel_vjp *v) {
  if (!v->g[0]) return SEL_OK;
  if (v->needs[3])
    return sel_fail(SEL_E_AUTOGRAD, "attention: the mask takes no gradient; detach it");
  sel_tensor *in[] = {v->in[0], v->in[1], v->in[2], v->in[3], v->g[0], v->out[0], v->out[1]};
  sel_call call = {.op = &sel__op_attention_grad, .n_in = 7, .in = in, .attrs = v->attrs};
  SEL_TRY(sel__run(&call));
  for (int i = 0; i < 3; i++) {
    if (v->needs[i])
      v->grad[i] = call.out[i];
    else
      sel_release(call.out[i]);
  }
  return SEL_OK;
}

#define EVERYTHING (SEL_IN(0) | SEL_IN(1) | SEL_IN(2) | SEL_IN(3) | SEL_OUT(0) | SEL_OUT(1))
const sel_op sel__op_attention = {.name = "attention",
                                  .n_out = 2,
                                  .attrs_size = sizeof(attention_attrs),
                                  .infer = attention_infer,
                                  .launch = attention_launch,
                                  .backward = attention_backward,
                                  .save_for = {EVERYTHING, EVERYTHING, EVERYTHING, 0},
                                  .cost = attention_cost};

/* ---- the C function ---- */

static sel_status check_input(const char *role, const char *layout, const sel_tensor *t,
                              const sel_tensor *q) {
  char text[SEL_TEXT];
  SEL_TRY(sel__expect_tensor("attention", role, t));
  SEL_TRY(sel__float_dtype("attention", t));
  SEL_TRY(sel__same_dtype("attention", q, t));
  SEL_CHECK(t->ndim == 4 && t->shape[1] > 0 && t->shape[3] > 0, SEL_E_SHAPE,
            "attention: expected %s as %s, heads and size at least 1, got %s", layout, role,
            sel_describe(t, text, sizeof text));
  return SEL_OK;
}

static sel_status check_shapes(const sel_tensor *q, const sel_tensor *k, const sel_tensor *v) {
  char a[SEL_TEXT], b[SEL_TEXT];
  const int64_t *qs = q->shape, *ks = k->shape, *vs = v->shape;
  SEL_TRY(check_input("queries", "[batch, heads, length, size]", q, q));
  SEL_TRY(check_input("keys", "[batch, kv_heads, length, size]", k, q));
  SEL_TRY(check_input("values", "[batch, kv_heads, length, value_size]", v, q));
  SEL_CHECK(qs[0] == ks[0] && qs[3] == ks[3], SEL_E_SHAPE,
            "attention: expected keys [%lld, kv_heads, length, %lld] for queries %s, got %s",
            (long long)qs[0], (long long)qs[3], sel_describe(q, a, sizeof a),
            sel_describe(k, b, sizeof b));
  SEL_CHECK(qs[1] % ks[1] == 0, SEL_E_SHAPE,
            "attention: expected a number of kv heads that divides the %lld heads of queries %s, "
            "got keys %s",
            (long long)qs[1], sel_describe(q, a, sizeof a), sel_describe(k, b, sizeof b));
  SEL_CHECK(vs[0] == ks[0] && vs[1] == ks[1] && vs[2] == ks[2], SEL_E_SHAPE,
            "attention: expected values [%lld, %lld, %lld, value_size] for keys %s, got %s",
            (long long)ks[0], (long long)ks[1], (long long)ks[2], sel_describe(k, a, sizeof a),
            sel_describe(v, b, sizeof b));
  return SEL_OK;
}

static sel_status check_mask(const sel_tensor *mask, const sel_tensor *q, const sel_tensor *k) {
  char a[SEL_TEXT], b[SEL_TEXT];
  int64_t whole[4] = {q->shape[0], q->shape[1], q->shape[2], k->shape[2]};
  SEL_TRY(sel__expect_tensor("attention", "mask", mask));
  if (mask->dtype != SEL_BOOL) {
    SEL_CHECK(sel_dtype_is_float((sel_dtype)mask->dtype), SEL_E_DTYPE,
              "attention: expected a mask of bool (true: may be seen) or of a float dtype (added "
              "to the scores), got %s",
              sel_describe(mask, a, sizeof a));
    SEL_TRY(sel__same_dtype("attention", q, mask));
  }
  bool fits = mask->ndim <= 4;
  for (int d = 0; fits && d < mask->ndim; d++) {
    int64_t extent = mask->shape[d];
    fits = extent == 1 || extent == whole[4 - mask->ndim + d];
  }
  SEL_CHECK(fits, SEL_E_SHAPE, "attention: expected a mask that broadcasts to %s, got %s",
            sel__shape_text(4, whole, b, sizeof b), sel_describe(mask, a, sizeof a));
  return SEL_OK;
}

/* 0 where a bool mask lets see, -inf elsewhere. */
static sel_tensor *additive(sel_scope *s, sel_tensor *mask, sel_dtype dtype) {
  sel_tensor *zero = NULL, *out = NULL;
  zero = sel__hold(s, sel_zeros(mask->ndim, mask->shape, dtype, sel__device(mask), &zero), &zero);
  if (s->status != SEL_OK) return NULL;
  return sel__hold(s, sel_where_scalar(mask, zero, -INFINITY, &out), &out);
}

sel_status sel_attention(sel_tensor *q, sel_tensor *k, sel_tensor *v, sel_tensor *mask, bool causal,
                         double dropout, double scale, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("attention", "queries", q));
  SEL_TRY(sel__expect_tensor("attention", "keys", k));
  SEL_TRY(sel__expect_tensor("attention", "values", v));
  SEL_TRY(check_shapes(q, k, v));
  if (mask) SEL_TRY(check_mask(mask, q, k));
  SEL_CHECK(dropout >= 0 && dropout <= 1, SEL_E_ARGUMENT,
            "attention: expected a dropout probability from 0 to 1, got %g", dropout);
  sel_dtype dtype = (sel_dtype)q->dtype, wide = sel__compute_dtype(dtype);
  attention_attrs attrs = {.causal = causal,
                           .scale = scale != 0 ? scale : 1 / sqrt((double)q->shape[3]),
                           .dropout = dropout};
  if (dropout > 0)
    sel__take_counters(SEL_RANDOM_DROPOUT, wide,
                       q->shape[0] * q->shape[1] * q->shape[2] * k->shape[2], &attrs.at);
  SEL_SCOPE(s);
  sel_tensor *in[] = {q, k, v, mask};
  if (mask && mask->dtype == SEL_BOOL) in[3] = additive(&s, mask, wide);
  for (int i = 0; i < 4; i++)
    if (in[i] && (sel_dtype)in[i]->dtype != wide) in[i] = x_to(&s, in[i], wide);
  sel_call call = {.op = &sel__op_attention, .n_in = 4, .in = in, .attrs = &attrs};
  if (s.status == SEL_OK) s.status = sel__run(&call);
  sel_tensor *result = NULL;
  if (s.status == SEL_OK) {
    sel_release(call.out[1]);
    result = sel__hold(&s, SEL_OK, &call.out[0]);
    if (dtype != wide) result = x_to(&s, result, dtype);
  }
  return sel__scope_end(&s, result, out);
}
