/* A fused function by separate operations: what a backend without kernels for it gets. */
#include <string.h>

#include "core.h"
#include "fuse.h"
#include "op.h"
#include "selenite/autograd.h"

#define EXTERN(kind, name, types, ...) extern const sel_op sel__op_##name;
SEL_POINTWISE(EXTERN)
#define ROW(kind, name, types, ...) &sel__op_##name,
static const sel_op *const rows[] = {SEL_POINTWISE(ROW)};

typedef struct composition {
  const sel_fuse_program *p;
  sel_dtype compute;
  sel_device *device;
  sel_tensor **value; /* by value number; NULL before it is made and after its last use */
  int *last;          /* by value number: the step that reads it last; p->steps for outputs */
} composition;

static void find_last_uses(composition *c) {
  const sel_fuse_program *p = c->p;
  const int first = p->inputs + p->constants;
  for (int v = 0; v < first + p->steps; v++) c->last[v] = v - first;
  for (int s = 0; s < p->steps; s++)
    for (int k = 0; k < sel__fuse_arity(p->step[s].op); k++) c->last[p->step[s].operand[k]] = s;
  for (int k = 0; k < p->outputs; k++) c->last[p->output[k]] = p->steps;
}

/* A number, as a tensor that operations take anywhere. */
static sel_status number(const composition *c, double value, sel_tensor **out) {
  return sel_full(0, NULL, value, c->compute, c->device, out);
}

static sel_status convert(const composition *c, sel_tensor *x, sel_tensor **out) {
  return sel_to(x, c->compute, NULL, out);
}

static sel_status run_step(composition *c, int s) {
  const sel_fuse_step *step = &c->p->step[s];
  const int arity = sel__fuse_arity(step->op);
  sel_tensor *in[3] = {NULL}, *condition = NULL, *made = NULL;
  for (int k = 0; k < arity; k++) in[k] = c->value[step->operand[k]];
  sel_status status = SEL_OK;
  if (step->op == SEL_PW_where) {
    status = sel_ne_scalar(in[0], 0, &condition);
    in[0] = condition;
  }
  if (status == SEL_OK) status = sel__run1(rows[step->op], arity, in, NULL, &made);
  sel_release(condition);
  if (status != SEL_OK) return status;
  status = convert(c, made, &c->value[c->p->inputs + c->p->constants + s]); /* comparisons */
  sel_release(made);
  for (int k = 0; k < arity && status == SEL_OK; k++)
    if (c->last[step->operand[k]] == s) {
      sel_release(c->value[step->operand[k]]);
      c->value[step->operand[k]] = NULL;
    }
  return status;
}

static sel_status run_steps(composition *c, const sel__fuse_program *program,
                            sel_tensor *const *in) {
  const sel_fuse_program *p = c->p;
  for (int i = 0; i < p->inputs; i++) {
    sel_tensor *x = in[program->place[i]];
    SEL_TRY(sel__is_scalar(x) ? number(c, x->value, &c->value[i]) : convert(c, x, &c->value[i]));
  }
  for (int i = 0; i < p->constants; i++)
    SEL_TRY(number(c, p->constant[i], &c->value[p->inputs + i]));
  for (int s = 0; s < p->steps; s++) SEL_TRY(run_step(c, s));
  return SEL_OK;
}

sel_status sel__fuse_compose(const sel__fuse_program *program, sel_dtype compute,
                             sel_device *device, sel_tensor *const *in, sel_tensor **results) {
  const sel_fuse_program *p = &program->program;
  const int values = p->inputs + p->constants + p->steps;
  composition c = {.p = p, .compute = compute, .device = device};
  c.value = sel__zalloc((size_t)values * (sizeof *c.value + sizeof *c.last));
  if (!c.value) return SEL_E_MEMORY;
  c.last = (int *)(c.value + values);
  find_last_uses(&c);
  const bool previous = sel_set_grad_enabled(false);
  const sel_status status = run_steps(&c, program, in);
  sel_set_grad_enabled(previous);
  for (int k = 0; k < p->outputs && status == SEL_OK; k++)
    results[k] = sel_retain(c.value[p->output[k]]);
  for (int v = 0; v < values; v++) sel_release(c.value[v]);
  sel__free(c.value);
  return status;
}
