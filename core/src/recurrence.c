/* Recurrence over a whole sequence: the operation, forward. Backward is recurrence_grad.c, the
 * public function recurrence_function.c.
 *
 * A step is one product, h W_hh^T + b_hh, and one cell. Nothing is allocated a step: the gates'
 * state part is reused, activations go into one block.
 */
#include "recurrence.h"

#include "selenite/nn.h"

int sel_cell_gates(sel_cell cell) {
  return cell == SEL_CELL_LSTM ? 4 : cell == SEL_CELL_GRU ? 3 : 1;
}

sel_tensor *sel__first_state(sel_scope *s, sel_tensor *t, const sel_recurrence_attrs *a,
                             sel_dtype dtype, sel_device *device) {
  if (s->status != SEL_OK) return NULL;
  if (t) return sel__operand_as(s, t, dtype);
  const int64_t shape[] = {a->n, a->size};
  return sel__hold(s, sel_zeros(2, shape, dtype, device, &t), &t);
}

static sel_status recurrence_infer(const sel_call *call, sel_spec *out) {
  const sel_recurrence_attrs *a = call->attrs;
  sel_dtype dtype = (sel_dtype)call->in[0]->dtype;
  out[0] = (sel_spec){.dtype = dtype, .ndim = 3, .shape = {a->steps, a->n, a->size}};
  out[1] = (sel_spec){.dtype = dtype, .ndim = 2, .shape = {a->n, a->size}};
  out[2] = out[1];
  if (a->cell != SEL_CELL_LSTM) out[2].shape[0] = 0;
  out[3] =
      (sel_spec){.dtype = dtype, .ndim = 1, .shape = {a->keep ? a->steps * sel__saved_size(a) : 0}};
  return SEL_OK;
}

/* The run of one sequence: operands at their first element. */
typedef struct run {
  const sel_recurrence_attrs *a;
  sel_device *device;
  sel_tensor *inputs, *weight, *bias, *h0, *c0, *mask, *gates; /* packed; bias, mask: or NULL */
  sel_tensor *states, *c, *saved;
} run;

static sel_gemm_args product_of(const run *r, sel_operand h_prev) {
  const int64_t size = r->a->size, gates = size * sel_cell_gates(r->a->cell);
  sel_gemm_args args = {.dtype = (sel_dtype)r->states->dtype,
                        .transpose_b = true,
                        .m = r->a->n,
                        .n = gates,
                        .k = size,
                        .alpha = 1,
                        .a = h_prev,
                        .b = sel__operand(r->weight),
                        .c = sel__operand(r->gates),
                        .lda = size,
                        .ldb = size,
                        .ldc = gates,
                        .batch = 1};
  if (r->bias) args.bias = sel__operand(r->bias);
  return args;
}

static sel_cell_args cell_of(const run *r, int64_t i) {
  const sel_recurrence_attrs *a = r->a;
  const int64_t state = sel__state_size(a), saved = sel__saved_size(a);
  const int64_t t = sel__step_at(a, i), before = i > 0 ? sel__step_at(a, i - 1) : 0;
  sel_cell_args args = {.kind = a->cell,
                        .dtype = (sel_dtype)r->states->dtype,
                        .n = a->n,
                        .size = a->size,
                        .gates_x = sel__operand_at(r->inputs, t * sel__gates_size(a)),
                        .gates_h = sel__operand(r->gates),
                        .h = sel__operand_at(r->states, t * state)};
  args.h_prev = i > 0 ? sel__operand_at(r->states, before * state) : sel__operand(r->h0);
  if (r->mask) args.mask = sel__operand_at(r->mask, t * a->n);
  if (a->keep && saved > 0) args.saved = sel__operand_at(r->saved, t * saved);
  if (a->cell == SEL_CELL_LSTM && a->keep) {
    args.c = sel__operand_at(r->saved, t * saved + 4 * state);
    args.c_prev =
        i > 0 ? sel__operand_at(r->saved, before * saved + 4 * state) : sel__operand(r->c0);
  } else if (a->cell == SEL_CELL_LSTM) {
    args.c = sel__operand(r->c);
    args.c_prev = i > 0 ? args.c : sel__operand(r->c0);
  }
  return args;
}

static sel_status walk(const run *r) {
  sel__steps *steps;
  SEL_TRY(sel__steps_new(r->device, &steps));
  sel_status status = SEL_OK;
  for (int64_t i = 0; i < r->a->steps && status == SEL_OK; i++) {
    const sel_cell_args cell = cell_of(r, i);
    const sel_gemm_args product = product_of(r, cell.h_prev);
    status = sel__steps_add(steps, &product, &cell);
  }
  return sel__steps_end(steps, status);
}

/* Copies n states from element `at` of `from`. */
static sel_status copy_state(const sel_recurrence_attrs *a, sel_tensor *from, int64_t at,
                             sel_tensor *to) {
  sel_tensor *view;
  SEL_TRY(sel__tensor_alias(from, &view));
  view->ndim = 2;
  view->shape[0] = a->n;
  view->shape[1] = view->stride[0] = a->size;
  view->stride[1] = 1;
  view->offset += at;
  sel__tensor_settle(view);
  sel_status status = sel__copy(to, view);
  sel_release(view);
  return status;
}

static sel_status final_states(const run *r, sel_tensor *h) {
  const sel_recurrence_attrs *a = r->a;
  const int64_t last = sel__step_at(a, a->steps - 1), state = sel__state_size(a);
  SEL_TRY(copy_state(a, r->states, last * state, h));
  if (a->cell != SEL_CELL_LSTM || !a->keep) return SEL_OK;
  return copy_state(a, r->saved, last * sel__saved_size(a) + 4 * state, r->c);
}

static sel_status recurrence_launch(sel_call *call) {
  const sel_recurrence_attrs *a = call->attrs;
  if (call->out[0]->numel == 0) return SEL_OK;
  sel_device *device = sel__device(call->out[0]);
  sel_dtype dtype = (sel_dtype)call->out[0]->dtype;
  SEL_KERNEL(device, gemm, "recurrence");
  SEL_KERNEL(device, cell, "recurrence");
  SEL_SCOPE(s);
  run r = {.a = a, .device = device};
  r.states = call->out[0], r.c = call->out[2], r.saved = call->out[3];
  r.inputs = sel__operand_as(&s, call->in[0], dtype);
  r.weight = sel__operand_as(&s, call->in[1], dtype);
  if (call->in[2]) r.bias = sel__operand_as(&s, call->in[2], dtype);
  r.h0 = sel__first_state(&s, call->in[3], a, dtype, device);
  if (a->cell == SEL_CELL_LSTM) r.c0 = sel__first_state(&s, call->in[4], a, dtype, device);
  r.mask = call->in[5];
  const sel_spec gates = {.dtype = dtype, .ndim = 1, .shape = {sel__gates_size(a)}};
  if (s.status == SEL_OK)
    r.gates = sel__hold(&s, sel__tensor_new(&gates, device, &r.gates), &r.gates);
  if (s.status == SEL_OK) s.status = walk(&r);
  if (s.status == SEL_OK) s.status = final_states(&r, call->out[1]);
  sel__scope_drop(&s);
  return s.status;
}

static void recurrence_cost(const sel_call *call, sel_cost *cost) {
  const sel_recurrence_attrs *a = call->attrs;
  cost->flops = (double)a->steps * sel__step_flops(a);
}

#define SAVED (SEL_IN(1) | SEL_IN(3) | SEL_IN(4) | SEL_IN(5) | SEL_OUT(0) | SEL_OUT(3))
const sel_op sel__op_recurrence = {.name = "recurrence",
                                   .n_out = 4,
                                   .attrs_size = sizeof(sel_recurrence_attrs),
                                   .infer = recurrence_infer,
                                   .launch = recurrence_launch,
                                   .backward = sel__recurrence_backward,
                                   .save_for = {SAVED, SAVED, SAVED, SAVED},
                                   .cost = recurrence_cost};
