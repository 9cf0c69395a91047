/* Constant padding. Negative amounts crop, so that the gradient of padding is padding by the
 * opposite amounts: x[i] and out[i + before] are one element. */
#include <math.h>

#include "op.h"

typedef struct pad_attrs {
  int64_t before[SEL_MAX_DIMS], after[SEL_MAX_DIMS];
  double value;
} pad_attrs;

static sel_status pad_infer(const sel_call *call, sel_spec *out) {
  const pad_attrs *a = call->attrs;
  const sel_tensor *x = call->in[0];
  char text[SEL_TEXT];
  SEL_CHECK(sel_dtype_is_float((sel_dtype)x->dtype) || a->value == trunc(a->value), SEL_E_DTYPE,
            "pad: the fraction %g does not fit %s; convert the tensor, as with to(\"f32\")",
            a->value, sel_dtype_name((sel_dtype)x->dtype));
  *out = sel__spec_of(x);
  for (int d = 0; d < x->ndim; d++) {
    int64_t *extent = &out->shape[d];
    SEL_CHECK(!__builtin_add_overflow(*extent, a->before[d], extent) &&
                  !__builtin_add_overflow(*extent, a->after[d], extent) && *extent >= 0,
              SEL_E_SHAPE, "pad: amounts %lld and %lld leave no extent in dim %d of %s",
              (long long)a->before[d], (long long)a->after[d], d,
              sel_describe(x, text, sizeof text));
  }
  return sel__check_shape("pad", out->ndim, out->shape);
}

/* The elements that x and out share, as an alias of t, which is one of both. */
static sel_tensor *shared_window(sel_scope *s, const sel_call *call, sel_tensor *t) {
  const pad_attrs *a = call->attrs;
  const sel_tensor *x = call->in[0];
  sel_tensor *window = NULL;
  if (s->status != SEL_OK || !sel__hold(s, sel__tensor_alias(t, &window), &window)) return NULL;
  for (int d = 0; d < t->ndim; d++) {
    int64_t first = a->before[d] < 0 ? -a->before[d] : 0; /* in x */
    int64_t last = x->shape[d] + (a->after[d] < 0 ? a->after[d] : 0);
    window->shape[d] = last > first ? last - first : 0;
    window->offset += (t == x ? first : first + a->before[d]) * t->stride[d];
  }
  sel__tensor_settle(window);
  return window;
}

static sel_status pad_launch(sel_call *call) {
  const pad_attrs *a = call->attrs;
  sel_tensor *out = call->out[0];
  SEL_SCOPE(s);
  sel_tensor *from = shared_window(&s, call, call->in[0]), *to = shared_window(&s, call, out);
  if (s.status == SEL_OK && to->numel < out->numel) s.status = sel_fill_(out, a->value);
  if (s.status == SEL_OK) s.status = sel__copy(to, from);
  sel__scope_drop(&s);
  return s.status;
}

static sel_status pad_backward(sel_vjp *v) {
  if (!v->needs[0]) return SEL_OK;
  const pad_attrs *a = v->attrs;
  pad_attrs opposite = {.value = 0};
  for (int d = 0; d < v->in_spec[0].ndim; d++) {
    opposite.before[d] = -a->before[d];
    opposite.after[d] = -a->after[d];
  }
  sel_tensor *g = v->g[0];
  return sel__run1(v->op, 1, &g, &opposite, &v->grad[0]);
}

const sel_op sel__op_pad = {.name = "pad",
                            .n_out = 1,
                            .attrs_size = sizeof(pad_attrs),
                            .infer = pad_infer,
                            .launch = pad_launch,
                            .backward = pad_backward};

sel_status sel_pad(sel_tensor *x, int npads, const int64_t *pads, double value, sel_tensor **out) {
  char text[SEL_TEXT];
  SEL_TRY(sel__expect_tensor("pad", "input", x));
  SEL_CHECK(npads >= 0 && npads % 2 == 0 && npads <= 2 * x->ndim, SEL_E_ARGUMENT,
            "pad: expected a pair of amounts a dim, so 0 to %d in pairs for %s, got %d",
            2 * x->ndim, sel_describe(x, text, sizeof text), npads);
  pad_attrs a = {.value = value};
  for (int i = 0; i < npads; i++) {
    int d = x->ndim - 1 - i / 2;
    SEL_CHECK(pads[i] > -INT64_MAX / 4 && pads[i] < INT64_MAX / 4, SEL_E_ARGUMENT,
              "pad: the amount %lld is out of range", (long long)pads[i]);
    if (i % 2)
      a.after[d] = pads[i];
    else
      a.before[d] = pads[i];
  }
  return sel__run1(&sel__op_pad, 1, &x, &a, out);
}
