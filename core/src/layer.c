/* Layers: making, releasing, and what they hold by name. Running them: layer_forward.c; moving them
 * to another device or dtype: layer_move.c. */
#include "layer.h"

#include <stdio.h>
#include <string.h>

#include "core.h"
#include "options.h"
#include "selenite/autograd.h"
#include "suggest.h"

/* ---- making and releasing ---- */

/* Completes an error of init with the type's name, unless it is there already. */
static sel_status name_failure(sel_status status, const sel_layer_type *type) {
  size_t length = strlen(type->name);
  const char *text = sel_error();
  if (strncmp(text, type->name, length) != 0 || text[length] != ':') sel_error_prefix(type->name);
  return status;
}

static sel_status keep_option_text(sel_layer *layer, const sel_options *options) {
  char text[512];
  if (layer->type->describe) return SEL_OK;
  sel__options_print(options, text, sizeof text);
  if (*text && !(layer->options = sel__strdup(text))) return SEL_E_MEMORY;
  return SEL_OK;
}

static sel_status build(sel_layer *layer, const sel_options *options) {
  const sel_layer_type *type = layer->type;
  if (type->state_size && !(layer->state = sel__zalloc(type->state_size))) return SEL_E_MEMORY;
  SEL_TRY(keep_option_text(layer, options));
  layer->begun = true;
  sel_status status = type->init(layer, options);
  return status == SEL_OK ? SEL_OK : name_failure(status, type);
}

static sel_status make(const sel_layer_type *type, const sel_options *options, sel_layer **out) {
  SEL_TRY(sel__options_check_required(options));
  sel_layer *layer = sel__zalloc(sizeof *layer);
  if (!layer) return SEL_E_MEMORY;
  atomic_init(&layer->refs, 1);
  layer->type = type;
  layer->training = true;
  sel_status status = build(layer, options);
  if (status == SEL_OK)
    *out = layer;
  else
    sel_layer_release(layer);
  return status;
}

sel_status sel_layer_new(const sel_layer_type *type, const sel_options *options, sel_layer **out) {
  SEL_CHECK(type, SEL_E_ARGUMENT, "layer_new: a layer type is expected, got NULL");
  if (options) {
    SEL_CHECK(options->type == type, SEL_E_ARGUMENT, "%s: the options given are those of %s",
              type->name, options->type->name);
    return make(type, options, out);
  }
  sel_options *defaults = NULL;
  SEL_TRY(sel_options_new(type, &defaults));
  sel_status status = make(type, defaults, out);
  sel_options_release(defaults);
  return status;
}

static sel_status unknown_type(const char *name) {
  sel__suggestion suggestion = {.wanted = name};
  const sel_layer_type *type;
  for (int i = 0; (type = sel_layer_type_at(i)); i++) sel__suggest(&suggestion, type->name);
  return sel_fail(SEL_E_ARGUMENT, "there is no layer type '%.100s'%s", name,
                  sel__suggestion_hint(&suggestion));
}

sel_status sel_layer_make(const char *name, const char *text, sel_layer **out) {
  SEL_CHECK(name, SEL_E_ARGUMENT, "layer_make: the name of a layer type is expected, got NULL");
  const sel_layer_type *type = sel_layer_type_find(name);
  if (!type) return unknown_type(name);
  sel_options *options = NULL;
  SEL_TRY(sel_options_new(type, &options));
  sel_status status = sel__options_set_all(options, text);
  if (status == SEL_OK) status = make(type, options, out);
  sel_options_release(options);
  return status;
}

sel_layer *sel_layer_retain(sel_layer *layer) {
  if (layer) atomic_fetch_add_explicit(&layer->refs, 1, memory_order_relaxed);
  return layer;
}

void sel_layer_release(sel_layer *layer) {
  if (!layer || atomic_fetch_sub_explicit(&layer->refs, 1, memory_order_acq_rel) != 1) return;
  if (layer->begun && layer->type->finish) layer->type->finish(layer);
  for (int i = 0; i < layer->n_slots; i++) {
    sel__free(layer->slots[i].name);
    sel_release(layer->slots[i].tensor);
  }
  for (int i = 0; i < layer->n_children; i++) {
    sel__free(layer->children[i].name);
    sel_layer_release(layer->children[i].layer);
  }
  sel__free(layer->slots);
  sel__free(layer->children);
  sel__free(layer->options);
  sel__free(layer->state);
  sel__free(layer);
}

/* ---- asking ---- */

const sel_layer_type *sel_layer_get_type(const sel_layer *layer) { return layer->type; }
void *sel_layer_state(sel_layer *layer) { return layer->state; }
bool sel_layer_training(const sel_layer *layer) { return layer->training; }

void sel_layer_set_training(sel_layer *layer, bool on) {
  layer->training = on;
  for (int i = 0; i < layer->n_children; i++) sel_layer_set_training(layer->children[i].layer, on);
}

const char *sel_layer_describe(const sel_layer *layer, char *text, size_t size) {
  if (!size) return text;
  text[0] = '\0';
  if (layer->type->describe)
    layer->type->describe(layer, text, size);
  else if (layer->options)
    snprintf(text, size, "%s", layer->options);
  text[size - 1] = '\0';
  return text;
}

/* ---- parts by name ---- */

static int find_slot(const sel_layer *layer, const char *name) {
  for (int i = 0; i < layer->n_slots; i++)
    if (strcmp(layer->slots[i].name, name) == 0) return i;
  return -1;
}

/* Names become parts of paths such as encoder.3.weight. */
static sel_status check_name(const sel_layer *layer, const char *what, const char *name) {
  const char *type = layer->type->name;
  SEL_CHECK(name && *name && !strchr(name, '.'), SEL_E_ARGUMENT,
            "%s: the name of a %s is a text without '.', got '%s'", type, what,
            name ? name : "NULL");
  bool taken = find_slot(layer, name) >= 0;
  for (int i = 0; i < layer->n_children; i++)
    taken = taken || strcmp(layer->children[i].name, name) == 0;
  SEL_CHECK(!taken, SEL_E_ARGUMENT, "%s: the name '%s' is taken twice", type, name);
  return SEL_OK;
}

static sel_status add_slot(sel_layer *layer, const char *what, const char *name, sel_tensor *tensor,
                           sel_slot_kind kind) {
  SEL_TRY(check_name(layer, what, name));
  sel__slot *slots = sel__resize(layer->slots, (size_t)(layer->n_slots + 1) * sizeof *slots);
  if (!slots) return SEL_E_MEMORY;
  layer->slots = slots;
  char *copy = sel__strdup(name);
  if (!copy) return SEL_E_MEMORY;
  slots[layer->n_slots++] = (sel__slot){copy, tensor, kind};
  return SEL_OK;
}

sel_status sel_layer_add_parameter(sel_layer *layer, const char *name, sel_tensor *tensor) {
  sel_status status = tensor ? sel_set_requires_grad(tensor, true) : SEL_OK;
  if (status == SEL_OK) status = add_slot(layer, "parameter", name, tensor, SEL_SLOT_PARAMETER);
  if (status != SEL_OK) sel_release(tensor);
  return status;
}

sel_status sel_layer_add_buffer(sel_layer *layer, const char *name, sel_tensor *tensor,
                                bool persistent) {
  sel_slot_kind kind = persistent ? SEL_SLOT_BUFFER : SEL_SLOT_SCRATCH;
  sel_status status = add_slot(layer, "buffer", name, tensor, kind);
  if (status != SEL_OK) sel_release(tensor);
  return status;
}

static bool contains(const sel_layer *layer, const sel_layer *wanted) {
  if (layer == wanted) return true;
  for (int i = 0; i < layer->n_children; i++)
    if (contains(layer->children[i].layer, wanted)) return true;
  return false;
}

static sel_status add_child(sel_layer *layer, const char *name, sel_layer *child) {
  SEL_TRY(check_name(layer, "child", name));
  SEL_CHECK(child, SEL_E_ARGUMENT, "%s: child '%s' is NULL", layer->type->name, name);
  SEL_CHECK(!contains(child, layer), SEL_E_ARGUMENT,
            "%s: child '%s' would make the layer a part of itself", layer->type->name, name);
  size_t bytes = (size_t)(layer->n_children + 1) * sizeof *layer->children;
  sel__child *children = sel__resize(layer->children, bytes);
  if (!children) return SEL_E_MEMORY;
  layer->children = children;
  char *copy = sel__strdup(name);
  if (!copy) return SEL_E_MEMORY;
  children[layer->n_children++] = (sel__child){copy, child};
  return SEL_OK;
}

sel_status sel_layer_add_child(sel_layer *layer, const char *name, sel_layer *child) {
  sel_status status = add_child(layer, name, child);
  if (status != SEL_OK) sel_layer_release(child);
  return status;
}

int sel_layer_slot_count(const sel_layer *layer) { return layer->n_slots; }
int sel_layer_child_count(const sel_layer *layer) { return layer->n_children; }

static const sel__slot *slot_at(const sel_layer *layer, int i) {
  return i >= 0 && i < layer->n_slots ? &layer->slots[i] : NULL;
}

const char *sel_layer_slot_name(const sel_layer *layer, int i) {
  const sel__slot *slot = slot_at(layer, i);
  return slot ? slot->name : NULL;
}

sel_slot_kind sel_layer_slot_kind(const sel_layer *layer, int i) {
  const sel__slot *slot = slot_at(layer, i);
  return slot ? slot->kind : SEL_SLOT_SCRATCH;
}

sel_tensor *sel_layer_slot(const sel_layer *layer, int i) {
  const sel__slot *slot = slot_at(layer, i);
  return slot ? slot->tensor : NULL;
}

sel_tensor *sel_layer_tensor(const sel_layer *layer, const char *name) {
  return sel_layer_slot(layer, find_slot(layer, name));
}

sel_status sel_layer_set_slot(sel_layer *layer, int i, sel_tensor *tensor) {
  if (i < 0 || i >= layer->n_slots) {
    sel_release(tensor);
    return sel_fail(SEL_E_ARGUMENT, "%s: slot %d is out of range, there are %d", layer->type->name,
                    i, layer->n_slots);
  }
  sel_release(layer->slots[i].tensor);
  layer->slots[i].tensor = tensor;
  return SEL_OK;
}

const char *sel_layer_child_name(const sel_layer *layer, int i) {
  return i >= 0 && i < layer->n_children ? layer->children[i].name : NULL;
}

sel_layer *sel_layer_child(const sel_layer *layer, int i) {
  return i >= 0 && i < layer->n_children ? layer->children[i].layer : NULL;
}
