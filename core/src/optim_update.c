/* One step: states that are missing are made first, then the parameters of a group go through the
 * backend's update kernel together.
 *
 * A kernel call serves parameters of one device, dtype and step count; usually that is the whole
 * group. f32 and f64 parameters that are contiguous are updated where they lie. Others (views, f16,
 * bf16) are updated in a packed copy, f16 and bf16 in f32, and written back; the states of f16 and
 * bf16 parameters are f32 throughout, so that small updates are rounded only in the parameter. */
#include "op.h"
#include "optim.h"
#include "profile.h"
#include "selenite/autograd.h"

static sel_dtype compute_dtype(const sel_tensor *t) {
  return sel__compute_dtype(sel_tensor_dtype(t));
}

/* ---- before: states ---- */

static sel_status make_states(sel__parameter *parameter, const sel__rule *rule) {
  const sel_tensor *t = parameter->tensor;
  for (int k = 0; k < rule->states; k++) {
    if (parameter->state[k]) continue;
    SEL_TRY(sel_full(sel_ndim(t), sel_shape(t), rule->initial, compute_dtype(t),
                     sel_tensor_device(t), &parameter->state[k]));
    if (k == 0) parameter->fresh = true;
  }
  return SEL_OK;
}

static sel_status prepare(sel_optimizer *o, const sel__group *group) {
  sel__rule rule = {0};
  SEL_TRY(o->kind->rule(group->setting, 1, false, &rule));
  for (int i = group->first; i < group->first + group->count; i++) {
    sel__parameter *parameter = &o->parameters[i];
    parameter->pending = parameter->tensor->grad != NULL;
    if (parameter->pending) SEL_TRY(make_states(parameter, &rule));
  }
  return SEL_OK;
}

/* ---- one kernel call ---- */

static bool together(const sel__parameter *a, const sel__parameter *b) {
  return a->steps == b->steps && a->fresh == b->fresh &&
         sel__device(a->tensor) == sel__device(b->tensor) &&
         compute_dtype(a->tensor) == compute_dtype(b->tensor);
}

/* Item n of the call, with packed parameter and gradient. */
static sel_status add_item(sel_optimizer *o, int n, sel__parameter *parameter, int states) {
  sel_tensor *t = parameter->tensor, **work = &o->work[2 * n];
  sel_dtype dtype = compute_dtype(t);
  SEL_TRY(sel__packed_as(t, dtype, &work[0]));
  sel_status status = sel__packed_as(t->grad, dtype, &work[1]);
  if (status != SEL_OK) {
    sel_release(work[0]);
    return status;
  }
  sel_update_item *item = &o->items[n];
  *item = (sel_update_item){
      .parameter = sel__operand(work[0]), .gradient = sel__operand(work[1]), .numel = t->numel};
  for (int k = 0; k < states; k++) item->state[k] = sel__operand(parameter->state[k]);
  o->owners[n] = parameter;
  return SEL_OK;
}

/* Parameter and states are read and written, the gradient is read. */
static double bytes_moved(const sel_update_args *args, int states) {
  double numbers = 0;
  for (int i = 0; i < args->count; i++) numbers += (double)args->items[i].numel * (3 + 2 * states);
  return numbers * (double)sel_dtype_size(args->dtype);
}

static sel_status launch(sel_optimizer *o, int n, const sel__rule *rule) {
  sel_device *device = sel__device(o->owners[0]->tensor);
  SEL_KERNEL(device, update, o->kind->name);
  sel_update_args args = {
      .op = rule->op, .dtype = compute_dtype(o->owners[0]->tensor), .count = n, .items = o->items};
  for (int k = 0; k < SEL_MAX_SCALARS; k++) args.scalar[k] = rule->scalar[k];
  SEL_TRY(device->k.update(device->handle, &args));
  if (sel__recording()) sel__span_worked(device, bytes_moved(&args, rule->states));
  return SEL_OK;
}

/* Writes item n back where its parameter was packed, and counts the step. */
static sel_status finish_item(sel_optimizer *o, int n) {
  sel__parameter *parameter = o->owners[n];
  sel_tensor *packed = o->work[2 * n];
  if (packed != parameter->tensor) SEL_TRY(sel__copy(parameter->tensor, packed));
  sel__written(parameter->tensor, o->kind->name);
  parameter->steps++;
  parameter->fresh = false;
  return SEL_OK;
}

/* Updates all pending parameters of the group that go together with `first`. */
static sel_status update_with(sel_optimizer *o, const sel__group *group, sel__parameter *first) {
  sel__rule rule = {0};
  SEL_TRY(o->kind->rule(group->setting, first->steps + 1, first->fresh, &rule));
  const sel__parameter key = *first;
  int n = 0;
  sel_status status = SEL_OK;
  sel__parameter *end = &o->parameters[group->first + group->count];
  for (sel__parameter *p = first; p < end && status == SEL_OK; p++) {
    if (!p->pending || !together(p, &key)) continue;
    p->pending = false;
    status = add_item(o, n, p, rule.states);
    if (status == SEL_OK) n++;
  }
  if (status == SEL_OK) status = launch(o, n, &rule);
  for (int i = 0; i < n && status == SEL_OK; i++) status = finish_item(o, i);
  for (int i = 0; i < 2 * n; i++) sel_release(o->work[i]);
  return status;
}

static sel_status step(sel_optimizer *o) {
  for (int g = 0; g < o->n_groups; g++) SEL_TRY(prepare(o, &o->groups[g]));
  for (int g = 0; g < o->n_groups; g++)
    for (int i = 0; i < o->groups[g].count; i++) {
      sel__parameter *parameter = &o->parameters[o->groups[g].first + i];
      if (parameter->pending) SEL_TRY(update_with(o, &o->groups[g], parameter));
    }
  return SEL_OK;
}

sel_status sel_optimizer_step(sel_optimizer *o) {
  SEL_CHECK(!sel_interrupted(), SEL_E_INTERRUPTED, "interrupted");
  const sel_span span = sel__span_open(SEL_PROFILE_UPDATE, o->kind->name);
  sel_status status = step(o);
  sel__span_close(span);
  return status;
}
