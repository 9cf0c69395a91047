/* Dropout. No mask is kept: the counters are, and the gradient passes through the same draw. */
#include "precision.h"
#include "random.h"

typedef struct dropout_attrs {
  double p;
  sel_generator at;
} dropout_attrs;

static sel_status dropout_infer(const sel_call *call, sel_spec *out) {
  *out = sel__spec_of(call->in[0]);
  return SEL_OK;
}

static sel_status dropout_launch(sel_call *call) {
  sel_tensor *out = call->out[0];
  const dropout_attrs *attrs = call->attrs;
  if (out->numel == 0) return SEL_OK;
  sel_device *device = sel__device(out);
  SEL_KERNEL(device, random, "dropout");
  sel_dtype dtype = sel__compute_dtype((sel_dtype)out->dtype);
  SEL_SCOPE(s);
  sel_tensor *x = sel__operand_as(&s, call->in[0], dtype);
  sel_tensor *result = sel__result_as(&s, out, dtype);
  if (s.status == SEL_OK) {
    sel_random_args args = {.op = SEL_RANDOM_DROPOUT,
                            .out = sel__operand(result),
                            .x = sel__operand(x),
                            .numel = out->numel,
                            .seed = attrs->at.seed,
                            .offset = attrs->at.offset,
                            .p0 = attrs->p,
                            .p1 = attrs->p < 1 ? 1 / (1 - attrs->p) : 0};
    s.status = device->k.random(device->handle, &args);
  }
  return sel__launch_end(&s, result, out);
}

static sel_status dropout_backward(sel_vjp *v) {
  if (!v->needs[0]) return SEL_OK;
  return sel__run1(v->op, 1, v->g, v->attrs, &v->grad[0]);
}

const sel_op sel__op_dropout = {.name = "dropout",
                                .n_out = 1,
                                .attrs_size = sizeof(dropout_attrs),
                                .infer = dropout_infer,
                                .launch = dropout_launch,
                                .backward = dropout_backward};

sel_status sel_dropout(sel_tensor *x, double p, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("dropout", "input", x));
  SEL_TRY(sel__float_dtype("dropout", x));
  SEL_CHECK(p >= 0 && p <= 1, SEL_E_ARGUMENT, "dropout: expected a probability from 0 to 1, got %g",
            p);
  if (p == 0) {
    *out = sel_retain(x);
    return SEL_OK;
  }
  dropout_attrs attrs = {.p = p};
  sel__take_counters(SEL_RANDOM_DROPOUT, sel__compute_dtype((sel_dtype)x->dtype), x->numel,
                     &attrs.at);
  return sel__run1(&sel__op_dropout, 1, &x, &attrs, out);
}
