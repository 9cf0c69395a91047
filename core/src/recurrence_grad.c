/* The gradient of recurrence, from the last step to the first: an operation without a gradient of
 * its own.
 *
 * A step is one cell, which gives the gates' gradients, and one product, which carries them to the
 * previous state. The weight's gradient is one product over all steps afterwards, the bias's one
 * sum.
 */
#include "recurrence.h"

/* Inputs (gradients of states, h, c: NULL is zero; then weight, h0, c0, mask, states, saved);
 * outputs: gradients of inputs, weight, bias, h0, c0. */
enum { G_OUT, G_H, G_C, WEIGHT, H0, C0, MASK, STATES, SAVED, INPUTS };
enum { D_INPUTS, D_WEIGHT, D_BIAS, D_H0, D_C0, RESULTS };

typedef struct gradient_attrs {
  sel_recurrence_attrs run;
  bool wanted[RESULTS];
} gradient_attrs;

static sel_status gradient_infer(const sel_call *call, sel_spec *out) {
  const gradient_attrs *attrs = call->attrs;
  const sel_recurrence_attrs *a = &attrs->run;
  const int64_t gates = a->size * sel_cell_gates(a->cell);
  sel_dtype dtype = (sel_dtype)call->in[WEIGHT]->dtype;
  out[D_INPUTS] = (sel_spec){.dtype = dtype, .ndim = 3, .shape = {a->steps, a->n, gates}};
  out[D_WEIGHT] = (sel_spec){.dtype = dtype, .ndim = 2, .shape = {gates, a->size}};
  out[D_BIAS] = (sel_spec){.dtype = dtype, .ndim = 1, .shape = {gates}};
  out[D_H0] = (sel_spec){.dtype = dtype, .ndim = 2, .shape = {a->n, a->size}};
  out[D_C0] = out[D_H0];
  for (int k = D_WEIGHT; k < RESULTS; k++)
    if (!attrs->wanted[k]) out[k].shape[0] = 0;
  return SEL_OK;
}

typedef struct run {
  const sel_recurrence_attrs *a;
  sel_device *device;
  sel_dtype dtype;
  bool direct;                   /* something reaches the previous state beside the gates */
  sel_tensor *in[INPUTS];        /* packed, h0 and c0 made */
  sel_tensor *gates_x, *gates_h; /* gradients [steps, n, gates * size]; one tensor but for GRU */
  sel_tensor *h, *c;             /* gradients carried from step to step, [n, size] */
} run;

static sel_operand given(const sel_tensor *t, int64_t at) {
  return t ? sel__operand_at(t, at) : (sel_operand){0};
}

static sel_cell_args cell_of(const run *r, int64_t i) {
  const sel_recurrence_attrs *a = r->a;
  const int64_t state = sel__state_size(a), gates = sel__gates_size(a), saved = sel__saved_size(a);
  const int64_t t = sel__step_at(a, i), before = i > 0 ? sel__step_at(a, i - 1) : 0;
  const bool last = i == a->steps - 1;
  sel_cell_args args = {.kind = a->cell,
                        .backward = true,
                        .dtype = r->dtype,
                        .n = a->n,
                        .size = a->size,
                        .h = sel__operand_at(r->in[STATES], t * state),
                        .mask = given(r->in[MASK], t * a->n),
                        .grad_h = last ? given(r->in[G_H], 0) : sel__operand(r->h),
                        .grad_out = given(r->in[G_OUT], t * state),
                        .grad_gates_x = sel__operand_at(r->gates_x, t * gates)};
  args.h_prev = i > 0 ? sel__operand_at(r->in[STATES], before * state) : sel__operand(r->in[H0]);
  if (saved > 0) args.saved = sel__operand_at(r->in[SAVED], t * saved);
  if (a->cell == SEL_CELL_GRU) args.grad_gates_h = sel__operand_at(r->gates_h, t * gates);
  if (r->direct) args.grad_h_prev = sel__operand(r->h);
  if (a->cell == SEL_CELL_LSTM) {
    args.c = sel__operand_at(r->in[SAVED], t * saved + 4 * state);
    args.c_prev =
        i > 0 ? sel__operand_at(r->in[SAVED], before * saved + 4 * state) : sel__operand(r->in[C0]);
    args.grad_c = last ? given(r->in[G_C], 0) : sel__operand(r->c);
    args.grad_c_prev = sel__operand(r->c);
  }
  return args;
}

/* h = gates_h[step] W, plus the direct part that is there already; unless nobody wants it. */
static sel_gemm_args product_of(const run *r, int64_t i, bool wanted) {
  const int64_t size = r->a->size, gates = size * sel_cell_gates(r->a->cell);
  return (sel_gemm_args){
      .dtype = r->dtype,
      .m = wanted ? r->a->n : 0,
      .n = size,
      .k = gates,
      .alpha = 1,
      .beta = r->direct ? 1 : 0,
      .a = sel__operand_at(r->gates_h, sel__step_at(r->a, i) * sel__gates_size(r->a)),
      .b = sel__operand(r->in[WEIGHT]),
      .c = sel__operand(r->h),
      .lda = gates,
      .ldb = size,
      .ldc = size,
      .batch = 1};
}

/* out = beta out + gates_h[from ... from + steps)^T previous, `previous` the states before these.
 */
static sel_status weight_product(const run *r, int64_t from, int64_t steps, sel_operand previous,
                                 double beta, sel_tensor *out) {
  const int64_t size = r->a->size, gates = size * sel_cell_gates(r->a->cell);
  const sel_gemm_args args = {.dtype = r->dtype,
                              .transpose_a = true,
                              .m = gates,
                              .n = size,
                              .k = steps * r->a->n,
                              .alpha = 1,
                              .beta = beta,
                              .a = sel__operand_at(r->gates_h, from * sel__gates_size(r->a)),
                              .b = previous,
                              .c = sel__operand(out),
                              .lda = gates,
                              .ldb = size,
                              .ldc = size,
                              .batch = 1};
  return r->device->k.gemm(r->device->handle, &args);
}

static sel_status weight_gradient(const run *r, bool has_h0, sel_tensor *out) {
  const sel_recurrence_attrs *a = r->a;
  const int64_t later = a->reverse ? 0 : 1, earlier = a->reverse ? 1 : 0;
  const sel_operand states =
      sel__operand_at(r->in[STATES], a->steps > 1 ? earlier * sel__state_size(a) : 0);
  SEL_TRY(weight_product(r, a->steps > 1 ? later : 0, a->steps - 1, states, 0, out));
  if (!has_h0) return SEL_OK;
  return weight_product(r, sel__step_at(a, 0), 1, sel__operand(r->in[H0]), 1, out);
}

static sel_status bias_gradient(const run *r, sel_tensor *out) {
  sel_tensor *sums;
  SEL_TRY(sel_sum(r->gates_h, 2, (const int[]){0, 1}, false, &sums));
  sel_status status = sel__copy(out, sums);
  sel_release(sums);
  return status;
}

static sel_tensor *scratch(sel_scope *s, const run *r, int64_t elements) {
  sel_tensor *t = NULL;
  if (s->status != SEL_OK) return NULL;
  const sel_spec spec = {.dtype = r->dtype, .ndim = 1, .shape = {elements}};
  return sel__hold(s, sel__tensor_new(&spec, r->device, &t), &t);
}

static void prepare(sel_scope *s, run *r, const sel_call *call) {
  const gradient_attrs *attrs = call->attrs;
  const sel_recurrence_attrs *a = r->a;
  for (int i = 0; i < INPUTS; i++)
    if (call->in[i]) r->in[i] = sel__operand_as(s, call->in[i], (sel_dtype)call->in[i]->dtype);
  r->in[H0] = sel__first_state(s, call->in[H0], a, r->dtype, r->device);
  if (a->cell == SEL_CELL_LSTM)
    r->in[C0] = sel__first_state(s, call->in[C0], a, r->dtype, r->device);
  r->direct = a->cell == SEL_CELL_GRU || call->in[MASK];
  r->gates_x = r->gates_h = call->out[D_INPUTS];
  if (a->cell == SEL_CELL_GRU && s->status == SEL_OK) {
    const sel_spec spec = sel__spec_of(r->gates_x);
    r->gates_h = sel__hold(s, sel__tensor_new(&spec, r->device, &r->gates_h), &r->gates_h);
  }
  const int64_t state = sel__state_size(a);
  r->h = attrs->wanted[D_H0] ? call->out[D_H0] : scratch(s, r, state);
  if (a->cell == SEL_CELL_LSTM) r->c = attrs->wanted[D_C0] ? call->out[D_C0] : scratch(s, r, state);
}

static sel_status walk(const run *r, const bool *wanted) {
  sel__steps *steps;
  SEL_TRY(sel__steps_new(r->device, &steps));
  sel_status status = SEL_OK;
  for (int64_t i = r->a->steps - 1; i >= 0 && status == SEL_OK; i--) {
    const sel_cell_args cell = cell_of(r, i);
    const sel_gemm_args product = product_of(r, i, i > 0 || wanted[D_H0]);
    status = sel__steps_add(steps, &product, &cell);
  }
  return sel__steps_end(steps, status);
}

static sel_status zero_all(sel_call *call) {
  for (int k = 0; k < RESULTS; k++)
    if (call->out[k]->numel > 0) SEL_TRY(sel_fill_(call->out[k], 0));
  return SEL_OK;
}

static sel_status gradient_launch(sel_call *call) {
  const gradient_attrs *attrs = call->attrs;
  if (call->in[STATES]->numel == 0) return zero_all(call);
  sel_device *device = sel__device(call->in[WEIGHT]);
  SEL_KERNEL(device, gemm, "recurrence_grad");
  SEL_KERNEL(device, cell, "recurrence_grad");
  SEL_SCOPE(s);
  run r = {.a = &attrs->run, .device = device, .dtype = (sel_dtype)call->in[WEIGHT]->dtype};
  prepare(&s, &r, call);
  if (s.status == SEL_OK) s.status = walk(&r, attrs->wanted);
  if (s.status == SEL_OK && attrs->wanted[D_WEIGHT])
    s.status = weight_gradient(&r, call->in[H0] != NULL, call->out[D_WEIGHT]);
  if (s.status == SEL_OK && attrs->wanted[D_BIAS]) s.status = bias_gradient(&r, call->out[D_BIAS]);
  sel__scope_drop(&s);
  return s.status;
}

/* One product a step for the states' gradients and one for the weight's; both leave out what a
 * missing h0 would give. */
static void gradient_cost(const sel_call *call, sel_cost *cost) {
  const gradient_attrs *attrs = call->attrs;
  int64_t products = attrs->run.steps - !attrs->wanted[D_H0];
  if (attrs->wanted[D_WEIGHT]) products += attrs->run.steps - !call->in[H0];
  cost->flops = (double)products * sel__step_flops(&attrs->run);
}

const sel_op sel__op_recurrence_grad = {.name = "recurrence_grad",
                                        .n_out = RESULTS,
                                        .attrs_size = sizeof(gradient_attrs),
                                        .infer = gradient_infer,
                                        .launch = gradient_launch,
                                        .cost = gradient_cost};

sel_status sel__recurrence_backward(sel_vjp *v) {
  if (!v->g[0] && !v->g[1] && !v->g[2]) return SEL_OK;
  gradient_attrs attrs = {.run = *(const sel_recurrence_attrs *)v->attrs};
  for (int k = 0; k < RESULTS; k++) attrs.wanted[k] = v->needs[k];
  sel_tensor *in[INPUTS] = {v->g[0],  v->g[1],  v->g[2],   v->in[1], v->in[3],
                            v->in[4], v->in[5], v->out[0], v->out[3]};
  sel_call call = {.op = &sel__op_recurrence_grad, .n_in = INPUTS, .in = in, .attrs = &attrs};
  SEL_TRY(sel__run(&call));
  for (int k = 0; k < RESULTS; k++) {
    if (v->needs[k])
      v->grad[k] = call.out[k];
    else
      sel_release(call.out[k]);
  }
  return SEL_OK;
}
