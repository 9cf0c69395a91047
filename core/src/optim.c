/* Optimizers: groups of parameters, their settings and their states. The formulas are in
 * optim_rules.c, the step in optim_update.c. */
#include "optim.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "selenite/autograd.h"
#include "selenite/ops.h"
#include "suggest.h"
#include "tensor_impl.h"

/* ---- making ---- */

static sel_status find_kind(const char *name, const sel__optim_kind **out) {
  SEL_CHECK(name, SEL_E_ARGUMENT, "optimizer: the name of a kind is expected, got NULL");
  sel__suggestion suggestion = {.wanted = name};
  const sel__optim_kind *kind;
  for (int i = 0; (kind = sel__optim_kind_at(i)); i++) {
    sel__suggest(&suggestion, kind->name);
    if (strcmp(kind->name, name) != 0) continue;
    *out = kind;
    return SEL_OK;
  }
  return sel_fail(SEL_E_ARGUMENT, "optimizer: there is no kind '%.100s'%s", name,
                  sel__suggestion_hint(&suggestion));
}

sel_status sel_optimizer_new(const char *name, sel_optimizer **out) {
  const sel__optim_kind *kind = NULL;
  SEL_TRY(find_kind(name, &kind));
  sel_optimizer *optimizer = sel__zalloc(sizeof *optimizer);
  if (!optimizer) return SEL_E_MEMORY;
  optimizer->kind = kind;
  *out = optimizer;
  return SEL_OK;
}

void sel_optimizer_release(sel_optimizer *optimizer) {
  if (!optimizer) return;
  for (int i = 0; i < optimizer->n_parameters; i++) {
    sel_release(optimizer->parameters[i].tensor);
    for (int k = 0; k < SEL__MAX_STATES; k++) sel_release(optimizer->parameters[i].state[k]);
  }
  sel__free(optimizer->groups);
  sel__free(optimizer->parameters);
  sel__free(optimizer->items);
  sel__free(optimizer->owners);
  sel__free(optimizer->work);
  sel__free(optimizer);
}

/* ---- groups ---- */

static sel_status check_parameter(const sel_optimizer *optimizer, int i, int n,
                                  sel_tensor *const *parameters) {
  const sel_tensor *t = parameters[i];
  const char *kind = optimizer->kind->name;
  char text[SEL_TEXT];
  SEL_CHECK(t, SEL_E_ARGUMENT, "%s: parameter %d is NULL", kind, i + 1);
  SEL_CHECK(!sel__is_scalar(t) && sel_dtype_is_float(sel_tensor_dtype(t)), SEL_E_DTYPE,
            "%s: parameter %d is %s, expected a float tensor", kind, i + 1,
            sel_describe(t, text, sizeof text));
  SEL_CHECK(sel_is_leaf(t), SEL_E_AUTOGRAD,
            "%s: parameter %d is the result of %s; only leaves can be optimised", kind, i + 1,
            sel_grad_fn(t));
  SEL_CHECK(!sel__self_overlaps(t), SEL_E_ARGUMENT,
            "%s: parameter %d is %s with elements that share memory", kind, i + 1,
            sel_describe(t, text, sizeof text));
  for (int k = i + 1; k < n; k++)
    SEL_CHECK(parameters[k] != t, SEL_E_ARGUMENT, "%s: parameters %d and %d are the same tensor",
              kind, i + 1, k + 1);
  for (int k = 0; k < optimizer->n_parameters; k++)
    SEL_CHECK(optimizer->parameters[k].tensor != t, SEL_E_ARGUMENT,
              "%s: parameter %d is in an earlier group already", kind, i + 1);
  return SEL_OK;
}

/* Room for n parameters in one update. */
static sel_status reserve_room(sel_optimizer *o, int n) {
  if (n <= o->room) return SEL_OK;
  sel_update_item *items = sel__resize(o->items, (size_t)n * sizeof *items);
  if (!items) return SEL_E_MEMORY;
  o->items = items;
  sel__parameter **owners = sel__resize(o->owners, (size_t)n * sizeof *owners);
  if (!owners) return SEL_E_MEMORY;
  o->owners = owners;
  sel_tensor **work = sel__resize(o->work, 2 * (size_t)n * sizeof *work);
  if (!work) return SEL_E_MEMORY;
  o->work = work;
  o->room = n;
  return SEL_OK;
}

/* Room for one more group, and for n more parameters. */
static sel_status reserve_group(sel_optimizer *o, int n) {
  sel__group *groups = sel__resize(o->groups, (size_t)(o->n_groups + 1) * sizeof *groups);
  if (!groups) return SEL_E_MEMORY;
  o->groups = groups;
  sel__parameter *parameters =
      sel__resize(o->parameters, (size_t)(o->n_parameters + n) * sizeof *parameters);
  if (!parameters) return SEL_E_MEMORY;
  o->parameters = parameters;
  return reserve_room(o, n);
}

sel_status sel_optimizer_add_group(sel_optimizer *o, int n, sel_tensor *const *parameters,
                                   int *group) {
  SEL_CHECK(n >= 1 && parameters, SEL_E_ARGUMENT,
            "%s: a group of at least one parameter is expected, got %d", o->kind->name, n);
  for (int i = 0; i < n; i++) SEL_TRY(check_parameter(o, i, n, parameters));
  SEL_TRY(reserve_group(o, n));
  sel__group *added = &o->groups[o->n_groups];
  *added = (sel__group){.first = o->n_parameters, .count = n};
  for (int k = 0; o->kind->settings[k].name; k++) added->setting[k] = o->kind->settings[k].initial;
  for (int i = 0; i < n; i++)
    o->parameters[o->n_parameters + i] = (sel__parameter){.tensor = sel_retain(parameters[i])};
  o->n_parameters += n;
  if (group) *group = o->n_groups;
  o->n_groups++;
  return SEL_OK;
}

int sel_optimizer_group_count(const sel_optimizer *optimizer) { return optimizer->n_groups; }

/* ---- settings ---- */

const char *sel_optimizer_setting_at(const sel_optimizer *optimizer, int i) {
  return i >= 0 && i < SEL__MAX_SETTINGS ? optimizer->kind->settings[i].name : NULL;
}

static sel_status find_setting(const sel_optimizer *optimizer, int group, const char *name,
                               int *out) {
  const sel__optim_kind *kind = optimizer->kind;
  SEL_CHECK(group >= 0 && group < optimizer->n_groups, SEL_E_ARGUMENT,
            "%s: group %d is out of range, there are %d", kind->name, group, optimizer->n_groups);
  SEL_CHECK(name, SEL_E_ARGUMENT, "%s: the name of a setting is expected, got NULL", kind->name);
  sel__suggestion suggestion = {.wanted = name};
  for (int k = 0; kind->settings[k].name; k++) {
    sel__suggest(&suggestion, kind->settings[k].name);
    if (strcmp(kind->settings[k].name, name) != 0) continue;
    *out = k;
    return SEL_OK;
  }
  return sel_fail(SEL_E_ARGUMENT, "%s has no setting '%.100s'%s", kind->name, name,
                  sel__suggestion_hint(&suggestion));
}

static sel_status check_setting(const sel__optim_kind *kind, const sel__setting *setting,
                                double value) {
  static const char *const words[] = {"a number", "a number of at least 0",
                                      "at least 0 and below 1", "0 or 1"};
  bool good = isfinite(value);
  if (setting->range == SEL__NOT_NEGATIVE) good = good && value >= 0;
  if (setting->range == SEL__BELOW_ONE) good = good && value >= 0 && value < 1;
  if (setting->range == SEL__FLAG) good = value == 0 || value == 1;
  SEL_CHECK(good, SEL_E_ARGUMENT, "%s: %s is %s, got %g", kind->name, setting->name,
            words[setting->range], value);
  return SEL_OK;
}

sel_status sel_optimizer_set(sel_optimizer *optimizer, int group, const char *setting,
                             double value) {
  int k = 0;
  SEL_TRY(find_setting(optimizer, group, setting, &k));
  SEL_TRY(check_setting(optimizer->kind, &optimizer->kind->settings[k], value));
  optimizer->groups[group].setting[k] = value;
  return SEL_OK;
}

sel_status sel_optimizer_get(const sel_optimizer *optimizer, int group, const char *setting,
                             double *out) {
  int k = 0;
  SEL_TRY(find_setting(optimizer, group, setting, &k));
  *out = optimizer->groups[group].setting[k];
  return SEL_OK;
}

/* ---- gradients ---- */

void sel_optimizer_zero_grad(sel_optimizer *optimizer) {
  for (int i = 0; i < optimizer->n_parameters; i++)
    sel_set_grad(optimizer->parameters[i].tensor, NULL);
}

/* ---- states ---- */

int sel_optimizer_parameter_count(const sel_optimizer *optimizer) {
  return optimizer->n_parameters;
}

const char *sel_optimizer_state_name(const sel_optimizer *optimizer, int k) {
  return k >= 0 && k < SEL__MAX_STATES ? optimizer->kind->states[k] : NULL;
}

static int find_state(const sel__optim_kind *kind, const char *name) {
  for (int k = 0; kind->states[k]; k++)
    if (strcmp(kind->states[k], name) == 0) return k;
  return -1;
}

static sel_status check_index(const sel_optimizer *optimizer, int i) {
  SEL_CHECK(i >= 0 && i < optimizer->n_parameters, SEL_E_ARGUMENT,
            "%s: parameter %d is out of range, there are %d", optimizer->kind->name, i,
            optimizer->n_parameters);
  return SEL_OK;
}

sel_tensor *sel_optimizer_state(const sel_optimizer *optimizer, int i, const char *name) {
  int k = find_state(optimizer->kind, name);
  if (k < 0 || i < 0 || i >= optimizer->n_parameters) return NULL;
  return optimizer->parameters[i].state[k];
}

/* A copy of `value` as a state of t: on its device, in the dtype it is computed in. */
static sel_status copy_state(const sel_tensor *t, sel_tensor *value, sel_tensor **out) {
  sel_tensor *copy = NULL;
  sel_dtype dtype = sel_tensor_dtype(t) == SEL_F64 ? SEL_F64 : SEL_F32;
  SEL_TRY(sel_empty(sel_ndim(t), sel_shape(t), dtype, sel_tensor_device(t), &copy));
  bool grad_was_on = sel_set_grad_enabled(false);
  sel_status status = sel_copy_(copy, value);
  sel_set_grad_enabled(grad_was_on);
  if (status == SEL_OK)
    *out = copy;
  else
    sel_release(copy);
  return status;
}

sel_status sel_optimizer_set_state(sel_optimizer *optimizer, int i, const char *name,
                                   sel_tensor *value) {
  const sel__optim_kind *kind = optimizer->kind;
  char expected[SEL_TEXT], got[SEL_TEXT];
  SEL_TRY(check_index(optimizer, i));
  int k = find_state(kind, name);
  SEL_CHECK(k >= 0, SEL_E_ARGUMENT, "%s has no state '%.100s'", kind->name, name);
  sel__parameter *parameter = &optimizer->parameters[i];
  SEL_CHECK(!value || sel__same_shape(value, parameter->tensor), SEL_E_SHAPE,
            "%s: state %s of parameter %d has the parameter's shape (%s), got %s", kind->name, name,
            i, sel_describe(parameter->tensor, expected, sizeof expected),
            sel_describe(value, got, sizeof got));
  sel_tensor *copy = NULL;
  if (value) SEL_TRY(copy_state(parameter->tensor, value, &copy));
  sel_release(parameter->state[k]);
  parameter->state[k] = copy;
  parameter->fresh = false;
  return SEL_OK;
}

int64_t sel_optimizer_steps(const sel_optimizer *optimizer, int i) {
  return i >= 0 && i < optimizer->n_parameters ? optimizer->parameters[i].steps : 0;
}

sel_status sel_optimizer_set_steps(sel_optimizer *optimizer, int i, int64_t steps) {
  SEL_TRY(check_index(optimizer, i));
  SEL_CHECK(steps >= 0, SEL_E_ARGUMENT, "%s: a number of steps is at least 0, got %lld",
            optimizer->kind->name, (long long)steps);
  optimizer->parameters[i].steps = steps;
  return SEL_OK;
}
