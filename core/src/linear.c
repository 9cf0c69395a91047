/* The two layers that are products: linear, the hot operation of every network, and bilinear. */
#include "gemm.h"

/* ---- linear: y = x W^T + bias, in one kernel call ---- */

static sel_status linear_infer(const sel_call *call, sel_spec *out) {
  const sel_tensor *x = call->in[0], *w = call->in[1], *bias = call->in[2];
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_TRY(sel__expect_tensor("linear", "input", x));
  SEL_TRY(sel__expect_tensor("linear", "weight", w));
  if (bias) SEL_TRY(sel__expect_tensor("linear", "bias", bias));
  SEL_TRY(sel__float_dtype("linear", x));
  SEL_TRY(sel__same_dtype("linear", x, w));
  SEL_CHECK(w->ndim == 2, SEL_E_SHAPE, "linear: expected weight [out, in], got %s",
            sel_describe(w, b, sizeof b));
  SEL_CHECK(x->ndim > 0 && x->shape[x->ndim - 1] == w->shape[1], SEL_E_SHAPE,
            "linear: expected [..., %lld] for weight %s, got %s", (long long)w->shape[1],
            sel_describe(w, b, sizeof b), sel_describe(x, a, sizeof a));
  if (bias) {
    SEL_TRY(sel__same_dtype("linear", x, bias));
    SEL_CHECK(bias->ndim == 1 && bias->shape[0] == w->shape[0], SEL_E_SHAPE,
              "linear: expected bias [%lld] for weight %s, got %s", (long long)w->shape[0],
              sel_describe(w, b, sizeof b), sel_describe(bias, a, sizeof a));
  }
  *out = sel__spec_of(x);
  out->shape[out->ndim - 1] = w->shape[0];
  return sel__check_shape("linear", out->ndim, out->shape);
}

static sel_status linear_launch(sel_call *call) {
  return sel__gemm(call, call->in[0], call->in[1], true, call->in[2]);
}

static sel_tensor *as_rows(sel_scope *s, sel_tensor *t, const sel_spec *spec) {
  if (spec->ndim == 2) return t;
  int64_t shape[2] = {1, spec->shape[spec->ndim - 1]};
  for (int d = 0; d < spec->ndim - 1; d++) shape[0] *= spec->shape[d];
  return x_reshape(s, t, 2, shape);
}

/* dx = g W; over all rows: dW = g^T x, dbias = sum g. */
static sel_status linear_backward(sel_vjp *v) {
  sel_scope *s = v->scope;
  if (v->needs[0]) v->grad[0] = sel_retain(x_matmul(s, v->g[0], v->in[1]));
  sel_tensor *g = v->needs[1] || v->needs[2] ? as_rows(s, v->g[0], v->out_spec) : NULL;
  if (v->needs[1]) {
    sel_tensor *x = as_rows(s, v->in[0], v->in_spec);
    v->grad[1] = sel_retain(x_matmul(s, x_transpose(s, g, 0, 1), x));
  }
  if (v->needs[2]) v->grad[2] = sel_retain(x_sum(s, g, 1, (const int[]){0}, false));
  return s->status;
}

const sel_op sel__op_linear = {.name = "linear",
                               .n_out = 1,
                               .infer = linear_infer,
                               .launch = linear_launch,
                               .backward = linear_backward,
                               .save_for = {SEL_IN(1), SEL_IN(0), 0},
                               .cost = sel__gemm_cost};

sel_status sel_linear(sel_tensor *x, sel_tensor *weight, sel_tensor *bias, sel_tensor **out) {
  return sel__run1(&sel__op_linear, 3, (sel_tensor *[]){x, weight, bias}, NULL, out);
}

/* ---- bilinear ---- */

static sel_status check_bilinear(const sel_tensor *a, const sel_tensor *b, const sel_tensor *w,
                                 const sel_tensor *bias) {
  char x[SEL_TEXT], y[SEL_TEXT], z[SEL_TEXT];
  SEL_TRY(sel__expect_tensor("bilinear", "first input", a));
  SEL_TRY(sel__expect_tensor("bilinear", "second input", b));
  SEL_TRY(sel__expect_tensor("bilinear", "weight", w));
  if (bias) SEL_TRY(sel__expect_tensor("bilinear", "bias", bias));
  SEL_TRY(sel__float_dtype("bilinear", a));
  SEL_TRY(sel__same_dtype("bilinear", a, b));
  SEL_TRY(sel__same_dtype("bilinear", a, w));
  SEL_CHECK(w->ndim == 3, SEL_E_SHAPE, "bilinear: expected weight [out, in_a, in_b], got %s",
            sel_describe(w, z, sizeof z));
  bool fits = a->ndim > 0 && a->ndim == b->ndim && a->shape[a->ndim - 1] == w->shape[1] &&
              b->shape[b->ndim - 1] == w->shape[2];
  for (int d = 0; fits && d < a->ndim - 1; d++) fits = a->shape[d] == b->shape[d];
  SEL_CHECK(fits, SEL_E_SHAPE,
            "bilinear: expected [..., %lld] and [..., %lld] for weight %s, got %s and %s",
            (long long)w->shape[1], (long long)w->shape[2], sel_describe(w, z, sizeof z),
            sel_describe(a, x, sizeof x), sel_describe(b, y, sizeof y));
  if (!bias) return SEL_OK;
  SEL_TRY(sel__same_dtype("bilinear", a, bias));
  SEL_CHECK(bias->ndim == 1 && bias->shape[0] == w->shape[0], SEL_E_SHAPE,
            "bilinear: expected bias [%lld] for weight %s, got %s", (long long)w->shape[0],
            sel_describe(w, z, sizeof z), sel_describe(bias, x, sizeof x));
  return SEL_OK;
}

/* First sum_j weight[o, i, j] b[n, j], where weight is a matrix of rows (o, i); then each row's
 * [o, i] matrix times a[n]. */
sel_status sel_bilinear(sel_tensor *a, sel_tensor *b, sel_tensor *weight, sel_tensor *bias,
                        sel_tensor **out) {
  SEL_TRY(check_bilinear(a, b, weight, bias));
  int64_t outputs = weight->shape[0], in_a = weight->shape[1], in_b = weight->shape[2], rows = 1;
  int64_t result_shape[SEL_MAX_DIMS];
  for (int d = 0; d < a->ndim - 1; d++) rows *= result_shape[d] = a->shape[d];
  result_shape[a->ndim - 1] = outputs;
  SEL_SCOPE(s);
  sel_tensor *flat = x_reshape(&s, weight, 2, (const int64_t[]){outputs * in_a, in_b});
  sel_tensor *right = x_reshape(&s, b, 2, (const int64_t[]){rows, in_b});
  sel_tensor *left = x_reshape(&s, a, 3, (const int64_t[]){rows, in_a, 1});
  sel_tensor *half = NULL;
  if (s.status == SEL_OK) half = sel__hold(&s, sel_linear(right, flat, NULL, &half), &half);
  half = x_reshape(&s, half, 3, (const int64_t[]){rows, outputs, in_a});
  sel_tensor *y = x_reshape(&s, x_matmul(&s, half, left), a->ndim, result_shape);
  if (bias) y = x_add(&s, y, bias);
  return sel__scope_end(&s, y, out);
}
