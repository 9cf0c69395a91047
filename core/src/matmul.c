/* Matrix products. The operation takes matrices, batched or not; sel_matmul brings vectors to that
 * shape. How operands reach the kernel is gemm.c's. */
#include "gemm.h"

/* ---- shape rule ---- */

static sel_status check_operands(const sel_tensor *a, const sel_tensor *b) {
  char x[SEL_TEXT], y[SEL_TEXT];
  SEL_TRY(sel__expect_tensor("matmul", "first input", a));
  SEL_TRY(sel__expect_tensor("matmul", "second input", b));
  SEL_TRY(sel__float_dtype("matmul", a));
  SEL_TRY(sel__same_dtype("matmul", a, b));
  SEL_CHECK(a->ndim > 0 && b->ndim > 0, SEL_E_SHAPE,
            "matmul: expected at least 1 dimension each, got %s and %s",
            sel_describe(a, x, sizeof x), sel_describe(b, y, sizeof y));
  int64_t columns = a->shape[a->ndim - 1], rows = b->shape[b->ndim > 1 ? b->ndim - 2 : 0];
  SEL_CHECK(columns == rows, SEL_E_SHAPE,
            "matmul: %s and %s do not fit: %lld columns meet %lld rows",
            sel_describe(a, x, sizeof x), sel_describe(b, y, sizeof y), (long long)columns,
            (long long)rows);
  return SEL_OK;
}

static sel_status matmul_infer(const sel_call *call, sel_spec *out) {
  const sel_tensor *a = call->in[0], *b = call->in[1];
  SEL_TRY(check_operands(a, b));
  out->dtype = (sel_dtype)a->dtype;
  out->ndim = 0;
  if (a->ndim > 2 || b->ndim > 2)
    SEL_TRY(sel__broadcast("matmul", a->ndim - 2, a->shape, b->ndim - 2, b->shape, &out->ndim,
                           out->shape));
  out->shape[out->ndim++] = a->shape[a->ndim - 2];
  out->shape[out->ndim++] = b->shape[b->ndim - 1];
  return sel__check_shape("matmul", out->ndim, out->shape);
}

static sel_status matmul_launch(sel_call *call) {
  return sel__gemm(call, call->in[0], call->in[1], false, NULL);
}

/* ---- backward: da = g b^T, db = a^T g ---- */

static int64_t batch_count(const sel_spec *t) {
  int64_t n = 1;
  for (int d = 0; d < t->ndim - 2; d++) n *= t->shape[d];
  return n;
}

static sel_tensor *as_rows(sel_scope *s, sel_tensor *t, const sel_spec *spec) {
  int64_t columns = spec->shape[spec->ndim - 1];
  int64_t shape[2] = {batch_count(spec) * spec->shape[spec->ndim - 2], columns};
  return spec->ndim == 2 ? t : x_reshape(s, t, 2, shape);
}

/* The gradient of b. One product over all rows, where all batches share b. */
static sel_tensor *right_gradient(sel_vjp *v) {
  const sel_spec *a = &v->in_spec[0], *b = &v->in_spec[1];
  sel_scope *s = v->scope;
  if (batch_count(b) != 1) return x_matmul(s, x_transpose(s, v->in[0], -2, -1), v->g[0]);
  sel_tensor *rows = as_rows(s, v->in[0], a), *g = as_rows(s, v->g[0], v->out_spec);
  sel_tensor *grad = x_matmul(s, x_transpose(s, rows, 0, 1), g);
  return b->ndim == 2 ? grad : x_reshape(s, grad, b->ndim, b->shape);
}

static sel_status matmul_backward(sel_vjp *v) {
  sel_scope *s = v->scope;
  if (v->needs[0]) v->grad[0] = sel_retain(x_matmul(s, v->g[0], x_transpose(s, v->in[1], -2, -1)));
  if (v->needs[1]) v->grad[1] = sel_retain(right_gradient(v));
  return s->status;
}

const sel_op sel__op_matmul = {.name = "matmul",
                               .n_out = 1,
                               .infer = matmul_infer,
                               .launch = matmul_launch,
                               .backward = matmul_backward,
                               .save_for = {SEL_IN(1), SEL_IN(0)},
                               .cost = sel__gemm_cost};

/* ---- the C function ---- */

sel_status sel_matmul(sel_tensor *a, sel_tensor *b, sel_tensor **out) {
  if (a && b && a->ndim >= 2 && b->ndim >= 2)
    return sel__run1(&sel__op_matmul, 2, (sel_tensor *[]){a, b}, NULL, out);
  SEL_TRY(check_operands(a, b));
  SEL_SCOPE(s);
  sel_tensor *left = a->ndim == 1 ? x_unsqueeze(&s, a, 0) : a;
  sel_tensor *right = b->ndim == 1 ? x_unsqueeze(&s, b, 1) : b;
  sel_tensor *product = x_matmul(&s, left, right);
  if (b->ndim == 1) product = x_squeeze(&s, product, -1);
  if (a->ndim == 1) product = x_squeeze(&s, product, b->ndim == 1 ? -1 : -2);
  return sel__scope_end(&s, product, out);
}
