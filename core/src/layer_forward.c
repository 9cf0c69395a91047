/* Running a layer: ports are checked before, results after, and an error names the way to the layer
 * that failed.
 *
 * A path such as encoder.3.linear grows from its end: the layer that fails puts its type in front
 * of the message, each layer around it the name of its child, the outermost its own type. For that,
 * calls in progress form a list on the stack, one for each thread. */
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "layer.h"
#include "profile.h"
#include "registry.h"

typedef struct call {
  const sel_layer *layer;
  const struct call *caller;
} call;

static _Thread_local const call *innermost;

/* What the last failed call put in front of its message, so that its caller continues a path. */
static _Thread_local char last_label[128];

/* ---- errors ---- */

static const char *child_name(const call *parent, const sel_layer *layer) {
  if (!parent) return NULL;
  for (int i = 0; i < parent->layer->n_children; i++)
    if (parent->layer->children[i].layer == layer) return parent->layer->children[i].name;
  return NULL;
}

static bool begins_with(const char *text, const char *label, char then) {
  size_t length = strlen(label);
  return strncmp(text, label, length) == 0 && text[length] == then;
}

/* The message is a path already when a call inside this one wrote it. */
static bool is_path(const char *text) {
  return *last_label && (begins_with(text, last_label, '.') || begins_with(text, last_label, ':'));
}

static void prepend(const char *label, char separator, sel_status status) {
  sel_fail(status, separator == '.' ? "%s.%s" : "%s: %s", label, sel_error());
}

static sel_status name_failure(sel_status status, const call *self) {
  const char *type = self->layer->type->name;
  const char *child = child_name(self->caller, self->layer);
  if (is_path(sel_error()))
    prepend(child ? child : type, '.', status);
  else {
    if (!begins_with(sel_error(), type, ':')) prepend(type, ':', status);
    if (child && strcmp(child, type) != 0) prepend(child, '.', status);
  }
  snprintf(last_label, sizeof last_label, "%s", child ? child : type);
  return status;
}

/* ---- ports ---- */

static sel_status check_inputs(const sel_layer_type *type, int n, sel_tensor *const *inputs) {
  SEL_CHECK(n >= 0 && n <= type->n_inputs, SEL_E_ARGUMENT, "%s takes up to %d input%s, got %d",
            type->name, type->n_inputs, type->n_inputs == 1 ? "" : "s", n);
  for (int i = 0; i < type->n_inputs; i++) {
    const sel_port *port = &type->inputs[i];
    SEL_CHECK(port->optional || (i < n && inputs[i]), SEL_E_ARGUMENT,
              "input %d (%s, %s) is missing", i + 1, port->name, port->shape);
  }
  return SEL_OK;
}

static sel_status check_outputs(const sel_layer_type *type, sel_tensor *const *outputs) {
  for (int i = 0; i < type->n_outputs; i++)
    SEL_CHECK(outputs[i] || type->outputs[i].optional, SEL_E_INTERNAL,
              "the layer type forgot to write its output '%s'", type->outputs[i].name);
  return SEL_OK;
}

/* ---- running ---- */

static sel_status run(sel_layer *layer, int n, sel_tensor *const *inputs, sel_tensor **results) {
  sel_tensor *given[SEL__MAX_PORTS] = {0};
  SEL_TRY(check_inputs(layer->type, n, inputs));
  for (int i = 0; i < n; i++) given[i] = inputs[i];
  SEL_TRY(layer->type->forward(layer, given, results));
  return check_outputs(layer->type, results);
}

sel_status sel_layer_forward(sel_layer *layer, int n, sel_tensor *const *inputs,
                             sel_tensor **outputs) {
  sel_tensor *results[SEL__MAX_PORTS] = {0};
  const call self = {layer, innermost};
  const sel_span span =
      sel__recording() ? sel__span_begin_layer(layer, child_name(innermost, layer)) : 0;
  innermost = &self;
  last_label[0] = '\0';
  sel_status status = run(layer, n, inputs, results);
  innermost = self.caller;
  if (sel__recording() && status == SEL_OK && layer->type->n_outputs > 0)
    sel_profile_gave(results[0]);
  sel__span_close(span);
  for (int i = 0; i < layer->type->n_outputs; i++) {
    if (status == SEL_OK)
      outputs[i] = results[i];
    else
      sel_release(results[i]);
  }
  return status == SEL_OK ? SEL_OK : name_failure(status, &self);
}

sel_status sel_layer_apply(sel_layer *layer, sel_tensor *input, sel_tensor **out) {
  const sel_layer_type *type = layer->type;
  sel_tensor *results[SEL__MAX_PORTS] = {0};
  for (int i = 1; i < type->n_outputs; i++)
    SEL_CHECK(type->outputs[i].optional, SEL_E_ARGUMENT,
              "%s has %d outputs: sel_layer_apply serves layers of one", type->name,
              type->n_outputs);
  SEL_TRY(sel_layer_forward(layer, 1, &input, results));
  for (int i = 1; i < type->n_outputs; i++) sel_release(results[i]);
  *out = results[0];
  return SEL_OK;
}
