/* Moving a layer and its children to another device or dtype.
 *
 * A tensor that several slots share (tied weights) is converted once and stays shared. Everything
 * is converted before anything is replaced, so a failure leaves the layer as it was. */
#include "core.h"
#include "layer.h"
#include "selenite/autograd.h"
#include "selenite/ops.h"

typedef struct move {
  sel_tensor *from; /* borrowed from a slot */
  sel_tensor *to;   /* new */
} move;

typedef struct move_list {
  sel_dtype dtype;
  sel_device *device;
  int count, capacity;
  move *moves;
} move_list;

static sel_tensor *moved(const move_list *list, const sel_tensor *from) {
  for (int i = 0; i < list->count; i++)
    if (list->moves[i].from == from) return list->moves[i].to;
  return NULL;
}

static sel_status reserve(move_list *list) {
  if (list->count < list->capacity) return SEL_OK;
  int grown = list->capacity ? 2 * list->capacity : 32;
  move *moves = sel__resize(list->moves, (size_t)grown * sizeof *moves);
  if (!moves) return SEL_E_MEMORY;
  list->moves = moves;
  list->capacity = grown;
  return SEL_OK;
}

/* A leaf takes its gradient along. */
static sel_status convert_grad(sel_tensor *from, sel_tensor *to, sel_dtype dtype,
                               sel_device *device) {
  sel_tensor *grad = sel_grad_of(from), *converted = NULL;
  if (!grad || from == to) return SEL_OK;
  SEL_TRY(sel_to(grad, dtype, device, &converted));
  sel_status status = sel_set_grad(to, converted);
  sel_release(converted);
  return status;
}

static sel_status convert(sel_tensor *from, const move_list *list, sel_tensor **out) {
  sel_dtype dtype = sel_tensor_dtype(from);
  if (list->dtype != SEL_DTYPE_COUNT && sel_dtype_is_float(dtype)) dtype = list->dtype;
  sel_tensor *to = NULL;
  SEL_TRY(sel_to(from, dtype, list->device, &to));
  sel_status status = to == from ? SEL_OK : sel_set_requires_grad(to, sel_requires_grad(from));
  if (status == SEL_OK) status = convert_grad(from, to, dtype, list->device);
  if (status == SEL_OK)
    *out = to;
  else
    sel_release(to);
  return status;
}

static sel_status convert_all(const sel_layer *layer, move_list *list) {
  for (int i = 0; i < layer->n_slots; i++) {
    sel_tensor *from = layer->slots[i].tensor;
    if (!from || moved(list, from)) continue;
    SEL_TRY(reserve(list));
    SEL_TRY(convert(from, list, &list->moves[list->count].to));
    list->moves[list->count++].from = from;
  }
  for (int i = 0; i < layer->n_children; i++) SEL_TRY(convert_all(layer->children[i].layer, list));
  return SEL_OK;
}

/* A layer reached twice has its new tensors already, which are in no `from`. */
static void replace_all(sel_layer *layer, const move_list *list) {
  for (int i = 0; i < layer->n_slots; i++) {
    sel_tensor *to = moved(list, layer->slots[i].tensor);
    if (!to || to == layer->slots[i].tensor) continue;
    sel_release(layer->slots[i].tensor);
    layer->slots[i].tensor = sel_retain(to);
  }
  for (int i = 0; i < layer->n_children; i++) replace_all(layer->children[i].layer, list);
}

sel_status sel_layer_to(sel_layer *layer, sel_dtype dtype, sel_device *device) {
  SEL_CHECK(dtype == SEL_DTYPE_COUNT || sel_dtype_is_float(dtype), SEL_E_DTYPE,
            "%s: a layer converts to a float dtype, got %s", layer->type->name,
            sel_dtype_name(dtype));
  move_list list = {.dtype = dtype, .device = device};
  bool grad_was_on = sel_set_grad_enabled(false);
  sel_status status = convert_all(layer, &list);
  sel_set_grad_enabled(grad_was_on);
  if (status == SEL_OK) replace_all(layer, &list);
  for (int i = 0; i < list.count; i++) sel_release(list.moves[i].to);
  sel__free(list.moves);
  return status;
}
