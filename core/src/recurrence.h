/* What the two halves of recurrence share: its layout of steps and of what is saved.
 *
 * Inputs of the operation: (inputs [steps, n, gates * size], weight, bias, h0, c0, mask [steps,
 * n]). Outputs: states [steps, n, size], h, c, saved. saved is one block; a step's part holds what
 * the cell kernel saves, [n, 4 * size] for LSTM and GRU, then LSTM's c [n, size].
 */
#ifndef SEL_RECURRENCE_H
#define SEL_RECURRENCE_H

#include "op.h"
#include "precision.h"

typedef struct sel_recurrence_attrs {
  sel_cell cell;
  bool reverse;
  bool keep; /* saved is wanted: gradients are recorded */
  int64_t steps, n, size;
} sel_recurrence_attrs;

/* Elements of n states. */
static inline int64_t sel__state_size(const sel_recurrence_attrs *a) { return a->n * a->size; }
/* Elements of a step's gates. */
static inline int64_t sel__gates_size(const sel_recurrence_attrs *a) {
  return sel__state_size(a) * sel_cell_gates(a->cell);
}
/* Elements a step saves. */
static inline int64_t sel__saved_size(const sel_recurrence_attrs *a) {
  return sel__state_size(a) * (a->cell == SEL_CELL_LSTM ? 5 : a->cell == SEL_CELL_GRU ? 4 : 0);
}
/* Where in the sequence the i-th step in order of computation is. */
static inline int64_t sel__step_at(const sel_recurrence_attrs *a, int64_t i) {
  return a->reverse ? a->steps - 1 - i : i;
}
/* t's element `at` onwards. */
static inline sel_operand sel__operand_at(const sel_tensor *t, int64_t at) {
  sel_operand operand = sel__operand(t);
  operand.offset += at;
  return operand;
}
/* The initial state `t`, or zeros [n, size] where it is NULL. */
sel_tensor *sel__first_state(sel_scope *s, sel_tensor *t, const sel_recurrence_attrs *a,
                             sel_dtype dtype, sel_device *device);

/* Multiplications and additions of one product of a step: states by weight. */
static inline double sel__step_flops(const sel_recurrence_attrs *a) {
  return 2 * (double)sel__gates_size(a) * (double)a->size;
}

/* Steps, in order of computation, as sel_recurrence_args has them: handed to the backend when some
 * have come together, the rest at the end. `status` is that of adding; the first failure comes
 * back. */
typedef struct sel__steps sel__steps;
sel_status sel__steps_new(sel_device *device, sel__steps **out);
sel_status sel__steps_add(sel__steps *steps, const sel_gemm_args *product,
                          const sel_cell_args *cell);
sel_status sel__steps_end(sel__steps *steps, sel_status status);

/* The gradient operation: see recurrence_grad.c. */
sel_status sel__recurrence_backward(sel_vjp *v);

#endif
