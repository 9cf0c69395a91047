/* Recording: nodes, what they save, and the tensors' side of the tape. Walking is backward.c. */
#include "tape.h"

#include <limits.h>
#include <string.h>

#include "profile.h"

_Thread_local bool sel__grad_mode_off;
static atomic_ullong next_sequence = 1;

bool sel_grad_enabled(void) { return !sel__grad_mode_off; }
bool sel_set_grad_enabled(bool on) {
  bool previous = !sel__grad_mode_off;
  sel__grad_mode_off = !on;
  return previous;
}

/* ---- nodes ---- */

static size_t padded(size_t size) { return (size + 15) & ~(size_t)15; }

/* One block holds the node and its arrays. */
static sel_node *node_new(int n_in, int n_out, int n_saved, size_t attrs_size) {
  size_t edges = padded(sizeof(sel_node));
  size_t in_spec = edges + padded((size_t)n_in * sizeof(sel_edge));
  size_t out_spec = in_spec + padded((size_t)n_in * sizeof(sel_spec));
  size_t saved = out_spec + padded((size_t)n_out * sizeof(sel_spec));
  size_t attrs = saved + padded((size_t)n_saved * sizeof(sel_saved));
  char *block = sel__alloc(attrs + attrs_size);
  if (!block) return NULL;
  sel_node *node = (sel_node *)block;
  memset(node, 0, sizeof *node);
  atomic_init(&node->refs, 1);
  node->sequence = atomic_fetch_add_explicit(&next_sequence, 1, memory_order_relaxed);
  node->n_in = n_in;
  node->n_out = n_out;
  node->n_saved = n_saved;
  node->edges = (sel_edge *)(block + edges);
  node->in_spec = (sel_spec *)(block + in_spec);
  node->out_spec = (sel_spec *)(block + out_spec);
  node->saved = (sel_saved *)(block + saved);
  node->attrs = block + attrs;
  if (sel__recording()) node->layer = sel__span_layer();
  memset(node->edges, 0, (size_t)n_in * sizeof(sel_edge));
  memset(node->saved, 0, (size_t)n_saved * sizeof(sel_saved));
  return node;
}

static void drop_saved(sel_node *node) {
  for (int i = 0; i < node->n_saved; i++) {
    sel_release(node->saved[i].tensor);
    node->saved[i].tensor = NULL;
  }
}

void sel__node_let_go(sel_node *node) {
  drop_saved(node);
  for (int i = 0; i < node->n_in; i++) {
    sel_release(node->edges[i].leaf);
    sel__node_release(node->edges[i].node);
    node->edges[i] = (sel_edge){0};
  }
  node->released = true;
}

enum { HOST_IDS = 64 };
static _Thread_local struct {
  int64_t *ids;
  int n, capacity;
} released_ids;

static void host_id_released(int64_t id) {
  if (released_ids.n == released_ids.capacity) {
    int capacity = released_ids.capacity ? 2 * released_ids.capacity : HOST_IDS;
    int64_t *ids = sel__resize(released_ids.ids, (size_t)capacity * sizeof *ids);
    if (!ids) return; /* the host then keeps what it has for this id: a leak, not an error */
    released_ids.ids = ids;
    released_ids.capacity = capacity;
  }
  released_ids.ids[released_ids.n++] = id;
}

int sel_released_host_ids(int max, int64_t *ids) {
  int n = released_ids.n < max ? released_ids.n : max;
  for (int i = 0; i < n; i++) ids[i] = released_ids.ids[--released_ids.n];
  if (released_ids.n == 0 && released_ids.ids) {
    sel__free(released_ids.ids);
    released_ids.ids = NULL;
    released_ids.capacity = 0;
  }
  return n;
}

static void hooks_free(sel_hook_entry *hook) {
  while (hook) {
    sel_hook_entry *next = hook->next;
    if (!hook->call)
      host_id_released(hook->id);
    else if (hook->release)
      hook->release(hook->context);
    sel__free(hook);
    hook = next;
  }
}

void sel__grad_box_release(sel_grad_box *box) {
  if (!box || atomic_fetch_sub(&box->refs, 1) != 1) return;
  sel_release(box->grad);
  sel__free(box);
}

/* Frees one node whose last reference is gone. Nodes it was the last to hold go onto `list`, linked
 * through `run`, which they no longer need, so that a chain of a million nodes is freed without
 * recursion. */
static void node_free(sel_node *node, sel_node **list) {
  drop_saved(node);
  for (int i = 0; i < node->n_in; i++) {
    sel_release(node->edges[i].leaf);
    sel_node *up = node->edges[i].node;
    if (up && atomic_fetch_sub_explicit(&up->refs, 1, memory_order_acq_rel) == 1) {
      up->run = (uint64_t)(uintptr_t)*list;
      *list = up;
    }
  }
  hooks_free(node->hooks);
  if (node->boxes) {
    for (int k = 0; k < node->n_out; k++) sel__grad_box_release(node->boxes[k]);
    sel__free(node->boxes);
  }
  if (node->function && node->function->release) node->function->release(node->context);
  if (!node->op && !node->function) host_id_released(node->host_id);
  sel__free(node);
}

void sel__node_release(sel_node *node) {
  if (!node || atomic_fetch_sub_explicit(&node->refs, 1, memory_order_acq_rel) != 1) return;
  sel_node *list = NULL;
  node_free(node, &list);
  while (list) {
    sel_node *next = list;
    list = (sel_node *)(uintptr_t)next->run;
    node_free(next, &list);
  }
}

/* ---- recording ---- */

sel_status sel__check_fresh(const char *user, const sel_tensor *t) {
  if (!t->node || t->node_version == sel_tensor_version(t)) return SEL_OK;
  return sel_fail(SEL_E_AUTOGRAD,
                  "%s: its input was computed by '%s', but that memory has since been changed in "
                  "place by '%s_' through another view; clone before changing it",
                  user, t->node->name, t->storage->writer ? t->storage->writer : "a write");
}

static sel_status take_edge(sel_node *node, int i, sel_tensor *t) {
  node->in_spec[i] = t ? sel__spec_of(t) : (sel_spec){.dtype = SEL_F32};
  if (!sel__wants_grad(t)) return SEL_OK;
  SEL_TRY(sel__check_fresh(node->name, t));
  if (t->node) {
    node->edges[i].node = sel__node_retain(t->node);
    node->edges[i].output = t->node_output;
  } else {
    node->edges[i].leaf = sel_retain(t);
  }
  return SEL_OK;
}

static sel_status save(sel_saved *slot, sel_tensor *t, int place) {
  if (!t) return SEL_OK;
  SEL_TRY(sel__tensor_alias(t, &slot->tensor));
  slot->version = sel_tensor_version(t);
  slot->place = place;
  return SEL_OK;
}

/* What is about to be overwritten is saved as a copy. */
static sel_status save_input(sel_saved *slot, sel_tensor *t, int i, const sel_tensor *written) {
  if (!t || !written || !sel__may_overlap(t, written)) return save(slot, t, i);
  bool previous = sel_set_grad_enabled(false);
  sel_status status = sel_clone(t, &slot->tensor);
  sel_set_grad_enabled(previous);
  if (status != SEL_OK) return status;
  slot->place = i;
  return SEL_OK;
}

static unsigned needed_tensors(const sel_call *call) {
  unsigned mask = 0;
  for (int i = 0; i < call->n_in; i++)
    if (sel__wants_grad(call->in[i]))
      mask |= call->op->save_for[i < SEL_MAX_SAVE_RULES ? i : SEL_MAX_SAVE_RULES - 1];
  return mask;
}

static sel_status check_write(const char *name, const sel_tensor *t) {
  SEL_CHECK(!t->requires_grad, SEL_E_AUTOGRAD,
            "%s_: a leaf that requires a gradient can't be changed in place while gradients are "
            "recorded; do it under no_grad",
            name);
  SEL_CHECK(!t->is_view || t->node, SEL_E_AUTOGRAD,
            "%s_: gradients can't be recorded through a view of a tensor that is not on the tape; "
            "build the result with cat, stack or scatter, or write under no_grad",
            name);
  return SEL_OK;
}

sel_status sel__tape_prepare(const sel_call *call, const sel_tensor *written, sel_node **out) {
  const sel_op *op = call->op;
  if (written) SEL_TRY(check_write(op->name, written));
  unsigned mask = needed_tensors(call);
  sel_node *node = node_new(call->n_in, op->n_out, __builtin_popcount(mask), op->attrs_size);
  if (!node) return SEL_E_MEMORY;
  node->op = op;
  node->name = op->name;
  if (op->attrs_size) memcpy(node->attrs, call->attrs, op->attrs_size);
  sel_status status = SEL_OK;
  for (int i = 0; i < call->n_in && status == SEL_OK; i++) status = take_edge(node, i, call->in[i]);
  int slot = 0;
  for (int i = 0; i < call->n_in && i < 16 && status == SEL_OK; i++)
    if (mask & SEL_IN(i)) status = save_input(&node->saved[slot++], call->in[i], i, written);
  /* After the write nothing may fail, or a repeated call would write twice. */
  if (status == SEL_OK && written && (mask & SEL_OUT(0)))
    status = save(&node->saved[slot], call->in[0], -1);
  if (status != SEL_OK) {
    sel__node_release(node);
    return status;
  }
  *out = node;
  return SEL_OK;
}

void sel__tape_attach(sel_tensor *t, sel_node *node, int output) {
  sel__node_retain(node);
  sel__node_release(t->node);
  t->node = node;
  t->node_output = output;
  t->node_version = sel_tensor_version(t);
}

sel_status sel__tape_finish(sel_call *call, sel_node *node) {
  unsigned mask = needed_tensors(call);
  int slot = __builtin_popcount(mask & 0xffff);
  node->device = sel__device(call->out[0]);
  sel_status status = SEL_OK;
  for (int k = 0; k < node->n_out; k++) {
    sel_tensor *t = call->out[k];
    node->out_spec[k] = sel__spec_of(t);
    if (!(mask & SEL_OUT(k)) || status != SEL_OK) continue;
    sel_saved *saved = &node->saved[slot++];
    if (saved->tensor) /* in place: saved before the write */
      saved->version = sel_tensor_version(t);
    else
      status = save(saved, t, -1 - k);
  }
  for (int k = 0; k < node->n_out && status == SEL_OK; k++)
    if (sel_dtype_is_float((sel_dtype)call->out[k]->dtype)) sel__tape_attach(call->out[k], node, k);
  sel__node_release(node);
  return status;
}

sel_status sel_record(const sel_function *function, void *context, int n_inputs,
                      sel_tensor *const *inputs, int n_saved, sel_tensor *const *saved,
                      int n_outputs, sel_tensor *const *outputs) {
  bool wanted = false;
  for (int i = 0; i < n_inputs; i++) wanted |= sel__wants_grad(inputs[i]);
  sel_status status = SEL_OK;
  sel_node *node = NULL;
  if (!wanted || sel__grad_mode_off || n_outputs < 1) goto unused;
  for (int k = 0; k < n_outputs; k++)
    if (!outputs[k] || !outputs[k]->storage || outputs[k]->node || outputs[k]->requires_grad) {
      status = sel_fail(SEL_E_AUTOGRAD, "%s: output %d must be a fresh tensor without tape",
                        function->name, k);
      goto unused;
    }
  node = node_new(n_inputs, n_outputs, n_saved, 0);
  if (!node) {
    status = SEL_E_MEMORY;
    goto unused;
  }
  node->name = function->name;
  node->device = sel__device(outputs[0]);
  for (int i = 0; i < n_inputs && status == SEL_OK; i++) status = take_edge(node, i, inputs[i]);
  for (int i = 0; i < n_saved && status == SEL_OK; i++) {
    int place = INT_MIN;
    for (int j = 0; j < n_inputs; j++)
      if (saved[i] == inputs[j]) place = j;
    for (int k = 0; k < n_outputs; k++)
      if (saved[i] == outputs[k]) place = -1 - k;
    status = save(&node->saved[i], saved[i], place);
  }
  node->function = function;
  node->context = context; /* from here on the node releases it */
  for (int k = 0; k < n_outputs && status == SEL_OK; k++) {
    node->out_spec[k] = sel__spec_of(outputs[k]);
    if (sel_dtype_is_float((sel_dtype)outputs[k]->dtype)) sel__tape_attach(outputs[k], node, k);
  }
  sel__node_release(node);
  return status;
unused:
  if (function->release) function->release(context);
  return status;
}

sel_status sel_record_host(const char *name, int64_t id, int n_inputs, sel_tensor *const *inputs,
                           int n_outputs, sel_tensor *const *outputs, bool *recorded) {
  bool wanted = false;
  for (int i = 0; i < n_inputs; i++) wanted |= sel__wants_grad(inputs[i]);
  if (!wanted || sel__grad_mode_off || n_outputs < 1) {
    *recorded = false;
    return SEL_OK;
  }
  for (int k = 0; k < n_outputs; k++)
    SEL_CHECK(outputs[k] && outputs[k]->storage && !outputs[k]->node && !outputs[k]->requires_grad,
              SEL_E_AUTOGRAD, "%s: output %d must be a fresh tensor without tape", name, k);
  size_t name_size = strlen(name) + 1;
  sel_node *node = node_new(n_inputs, n_outputs, 0, name_size);
  if (!node) return SEL_E_MEMORY;
  node->name = memcpy(node->attrs, name, name_size);
  node->host_id = id;
  node->device = sel__device(outputs[0]);
  sel_status status = SEL_OK;
  for (int i = 0; i < n_inputs && status == SEL_OK; i++) status = take_edge(node, i, inputs[i]);
  for (int k = 0; k < n_outputs && status == SEL_OK; k++) {
    node->out_spec[k] = sel__spec_of(outputs[k]);
    if (sel_dtype_is_float((sel_dtype)outputs[k]->dtype)) sel__tape_attach(outputs[k], node, k);
  }
  sel__node_release(node);
  if (status == SEL_OK) *recorded = true;
  return status;
}

/* ---- the tensors' side ---- */

void sel__tape_forget(sel_tensor *t) {
  sel__node_release(t->node);
  t->node = NULL;
  sel_release(t->grad);
  t->grad = NULL;
  if (t->extra) {
    hooks_free(t->extra->hooks);
    sel__grad_box_release(t->extra->box);
    sel__free(t->extra);
    t->extra = NULL;
  }
}

bool sel_requires_grad(const sel_tensor *t) { return sel__wants_grad(t); }
bool sel_is_leaf(const sel_tensor *t) { return t->node == NULL; }
const char *sel_grad_fn(const sel_tensor *t) { return t->node ? t->node->name : NULL; }

sel_status sel_set_requires_grad(sel_tensor *t, bool on) {
  SEL_CHECK(t && t->storage, SEL_E_ARGUMENT, "requires_grad: expected a tensor, got a number");
  if (on) SEL_TRY(sel__float_dtype("requires_grad", t));
  if (t->node) {
    SEL_CHECK(on, SEL_E_AUTOGRAD,
              "requires_grad: a result of '%s' always requires a gradient; detach it instead",
              t->node->name);
    return SEL_OK;
  }
  t->requires_grad = on;
  return SEL_OK;
}

sel_tensor *sel_grad_of(const sel_tensor *t) {
  if (t->extra && t->extra->box) return t->extra->box->grad;
  return t->grad;
}

sel_status sel_set_grad(sel_tensor *t, sel_tensor *grad) {
  if (grad) {
    char a[SEL_TEXT], b[SEL_TEXT];
    SEL_CHECK(grad != t, SEL_E_ARGUMENT, "grad: a tensor can't be its own gradient");
    SEL_CHECK(grad->storage && t->storage && grad->dtype == t->dtype && sel__same_shape(grad, t) &&
                  sel__device(grad) == sel__device(t),
              SEL_E_SHAPE, "grad: expected %s on %s, got %s", sel_describe(t, a, sizeof a),
              sel_device_name(sel_tensor_device(t)), sel_describe(grad, b, sizeof b));
  }
  sel_tensor **slot = t->extra && t->extra->box ? &t->extra->box->grad : &t->grad;
  sel_tensor *old = *slot;
  *slot = sel_retain(grad);
  sel_release(old);
  return SEL_OK;
}

sel_status sel_detach(sel_tensor *t, sel_tensor **out) {
  SEL_CHECK(t && t->storage, SEL_E_ARGUMENT, "detach: expected a tensor, got a number");
  SEL_TRY(sel__tensor_alias(t, out));
  (*out)->is_view = true;
  (*out)->constant = true;
  return SEL_OK;
}

static sel_status extra_of(sel_tensor *t, sel_grad_extra **out) {
  if (!t->extra) {
    t->extra = sel__zalloc(sizeof *t->extra);
    if (!t->extra) return SEL_E_MEMORY;
  }
  *out = t->extra;
  return SEL_OK;
}

sel_status sel__grad_box(sel_tensor *t, sel_grad_box **out) {
  sel_grad_extra *extra;
  SEL_TRY(extra_of(t, &extra));
  sel_node *node = t->node;
  if (!node->boxes) {
    node->boxes = sel__zalloc((size_t)node->n_out * sizeof *node->boxes);
    if (!node->boxes) return SEL_E_MEMORY;
  }
  sel_grad_box *box = node->boxes[t->node_output];
  if (!box) {
    box = sel__zalloc(sizeof *box);
    if (!box) return SEL_E_MEMORY;
    atomic_init(&box->refs, 1);
    node->boxes[t->node_output] = box;
  }
  if (extra->box != box) {
    sel__grad_box_release(extra->box);
    atomic_fetch_add(&box->refs, 1);
    extra->box = box;
  }
  *out = box;
  return SEL_OK;
}

sel_status sel_retain_grad(sel_tensor *t) {
  SEL_CHECK(sel__wants_grad(t), SEL_E_AUTOGRAD,
            "retain_grad: the tensor does not require a gradient");
  if (!t->node) return SEL_OK; /* a leaf keeps its gradient anyway */
  sel_grad_box *box;
  return sel__grad_box(t, &box);
}

static sel_status add_hook(sel_tensor *t, sel_hook call, void *context, void (*release)(void *),
                           int64_t id) {
  SEL_CHECK(sel__wants_grad(t), SEL_E_AUTOGRAD,
            "register_hook: the tensor does not require a gradient");
  sel_hook_entry *hook = sel__zalloc(sizeof *hook);
  if (!hook) return SEL_E_MEMORY;
  sel_hook_entry **list;
  if (t->node) {
    list = &t->node->hooks;
    hook->output = t->node_output;
  } else {
    sel_grad_extra *extra;
    sel_status status = extra_of(t, &extra);
    if (status != SEL_OK) {
      sel__free(hook);
      return status;
    }
    list = &extra->hooks;
  }
  hook->call = call;
  hook->context = context;
  hook->release = release;
  hook->id = id;
  while (*list) list = &(*list)->next; /* hooks run in the order they came */
  *list = hook;
  return SEL_OK;
}

sel_status sel_register_hook(sel_tensor *t, sel_hook hook, void *context,
                             void (*release)(void *context)) {
  sel_status status = hook ? add_hook(t, hook, context, release, 0)
                           : sel_fail(SEL_E_ARGUMENT, "register_hook: the hook is NULL");
  if (status != SEL_OK && release) release(context);
  return status;
}

sel_status sel_register_host_hook(sel_tensor *t, int64_t id) {
  return add_hook(t, NULL, NULL, NULL, id);
}
