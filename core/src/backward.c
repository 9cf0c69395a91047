/* Walking the tape backwards.
 *
 * A run collects all nodes reachable from the roots and visits them by descending sequence number;
 * a node's consumers were recorded after it, so by the time it is visited its outputs' gradients
 * are complete. The run stops where a host (Lua) has to compute: see sel_backward_next.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile.h"
#include "tape.h"

typedef struct entry {
  sel_node *node;
  int first;         /* index of its first output's gradient in run->grads */
  bool wanted;       /* leads to something whose gradient is asked for */
  bool was_released; /* by an earlier backward */
} entry;

struct sel_backward_run {
  uint64_t id;
  bool keep, create_graph;
  int n_entries, capacity;
  entry *entries;
  int n_grads;
  sel_tensor **grads; /* by entry and output */
  int n_inputs;       /* 0: accumulate into leaves */
  sel_tensor **inputs, **results;
  /* the walk */
  int position;
  sel_hook_entry *hook;   /* next hook of the present node or leaf; walk is inside hooks if set */
  sel_tensor **hook_slot; /* whose gradient it sees */
  bool in_hooks;
  sel_tensor **grad_in; /* of the present node, while its edges are served */
  int n_grad_in, edge;  /* edge: the next to serve */
  bool waiting;         /* for a reply */
  sel_span span;        /* of the present node */
  sel_backward_event event;
};

static atomic_ullong next_run = 1;

/* ---- collecting ---- */

static sel_status add_node(sel_backward_run *run, sel_node *node) {
  if (node->run == run->id) return SEL_OK;
  if (run->n_entries == run->capacity) {
    int capacity = run->capacity ? 2 * run->capacity : 64;
    entry *entries = sel__resize(run->entries, (size_t)capacity * sizeof *entries);
    if (!entries) return SEL_E_MEMORY;
    run->entries = entries;
    run->capacity = capacity;
  }
  node->run = run->id;
  run->entries[run->n_entries++] =
      (entry){.node = sel__node_retain(node), .was_released = node->released};
  return SEL_OK;
}

static int by_descending_sequence(const void *a, const void *b) {
  uint64_t x = ((const entry *)a)->node->sequence, y = ((const entry *)b)->node->sequence;
  return x < y ? 1 : x > y ? -1 : 0;
}

static sel_status collect(sel_backward_run *run, int n, sel_tensor *const *roots) {
  for (int i = 0; i < n; i++)
    if (roots[i]->node) SEL_TRY(add_node(run, roots[i]->node));
  for (int i = 0; i < run->n_entries; i++) { /* the list grows while it is read */
    sel_node *node = run->entries[i].node;
    for (int e = 0; e < node->n_in; e++)
      if (node->edges[e].node) SEL_TRY(add_node(run, node->edges[e].node));
  }
  if (run->n_entries > 0)
    qsort(run->entries, (size_t)run->n_entries, sizeof *run->entries, by_descending_sequence);
  for (int i = 0; i < run->n_entries; i++) {
    run->entries[i].first = run->n_grads;
    run->entries[i].node->run_index = i;
    run->n_grads += run->entries[i].node->n_out;
  }
  run->grads = sel__zalloc((size_t)run->n_grads * sizeof *run->grads);
  return run->grads ? SEL_OK : SEL_E_MEMORY;
}

/* Index of the asked-for input that is this leaf, or this output of this node; -1. */
static int asked_input(const sel_backward_run *run, const sel_tensor *leaf, const sel_node *node,
                       int output) {
  for (int i = 0; i < run->n_inputs; i++) {
    const sel_tensor *t = run->inputs[i];
    if (leaf ? t == leaf : t->node == node && t->node_output == output && node) return i;
  }
  return -1;
}

static bool edge_wanted(const sel_backward_run *run, const sel_edge *edge) {
  if (!edge->node && !edge->leaf) return false;
  if (run->n_inputs == 0) return true;
  if (asked_input(run, edge->leaf, edge->node, edge->output) >= 0) return true;
  return edge->node && run->entries[edge->node->run_index].wanted;
}

/* Marks nodes on the way to something asked for; earlier nodes come last in the list. */
static void mark_wanted(sel_backward_run *run) {
  for (int i = run->n_entries - 1; i >= 0; i--) {
    entry *e = &run->entries[i];
    for (int k = 0; k < e->node->n_in && !e->wanted; k++)
      e->wanted = edge_wanted(run, &e->node->edges[k]);
  }
}

/* ---- adding gradients ---- */

static bool sole_owner(const sel_tensor *t) {
  return atomic_load(&t->refs) == 1 && atomic_load(&t->storage->refs) == 1;
}

/* *slot += grad (taken). In place where nobody else can see the old value. */
static sel_status add_into(sel_tensor **slot, sel_tensor *grad, bool create_graph) {
  if (!*slot) {
    *slot = grad;
    return SEL_OK;
  }
  sel_status status;
  if (!create_graph && sole_owner(*slot) && (*slot)->contiguous) {
    status = sel_add_(*slot, grad);
  } else {
    sel_tensor *sum;
    status = sel_add(*slot, grad, &sum);
    if (status == SEL_OK) {
      sel_release(*slot);
      *slot = sum;
    }
  }
  sel_release(grad);
  return status;
}

/* A leaf's gradient starts as memory of its own, in C order, so that a step may change it. */
static sel_status accumulate_leaf(sel_tensor *leaf, sel_tensor *grad, bool create_graph) {
  if (leaf->grad) {
    /* In place also when the user holds the gradient: that is what accumulating means. */
    sel_status status;
    if (create_graph || !leaf->grad->contiguous) return add_into(&leaf->grad, grad, true);
    status = sel_add_(leaf->grad, grad);
    sel_release(grad);
    return status;
  }
  if (create_graph || (grad->contiguous && sole_owner(grad))) {
    leaf->grad = grad;
    return SEL_OK;
  }
  sel_status status = sel_clone(grad, &leaf->grad);
  sel_release(grad);
  return status;
}

/* Brings a gradient (taken) to the input's spec: sums broadcast dims, checks the rest. */
static sel_status fit(const sel_node *node, int i, sel_tensor *grad, sel_tensor **out) {
  const sel_spec *spec = &node->in_spec[i];
  char want[SEL_TEXT], got[SEL_TEXT];
  sel_status status = SEL_OK;
  if (!grad->storage || (sel_dtype)grad->dtype != spec->dtype) {
    status =
        sel_fail(SEL_E_AUTOGRAD, "backward of '%s': gradient %d is %s, expected %s%s", node->name,
                 i, sel_describe(grad, got, sizeof got), sel_dtype_name(spec->dtype),
                 sel__shape_text(spec->ndim, spec->shape, want, sizeof want));
    sel_release(grad);
    return status;
  }
  bool same = grad->ndim == spec->ndim;
  for (int d = 0; same && d < spec->ndim; d++) same = grad->shape[d] == spec->shape[d];
  if (same) {
    *out = grad;
    return SEL_OK;
  }
  status = sel_sum_to(grad, spec->ndim, spec->shape, out);
  sel_release(grad);
  if (status != SEL_OK) {
    char prefix[96];
    snprintf(prefix, sizeof prefix, "backward of '%s', gradient %d", node->name, i);
    sel_error_prefix(prefix);
  }
  return status;
}

/* ---- one node ---- */

static sel_status released_error(const sel_node *node) {
  return sel_fail(SEL_E_AUTOGRAD,
                  "backward of '%s': what it saved was released by an earlier backward; pass "
                  "retain_graph to walk the same graph twice",
                  node->name);
}

static sel_status version_error(const sel_node *node, const sel_saved *saved) {
  const char *writer = saved->tensor->storage->writer;
  return sel_fail(SEL_E_AUTOGRAD,
                  "backward of '%s': a tensor it needs was changed in place by '%s_' after the "
                  "forward pass (version %lld, saved at %lld); clone it before changing it",
                  node->name, writer ? writer : "a write",
                  (long long)sel_tensor_version(saved->tensor), (long long)saved->version);
}

/* The saved tensor with its place on the tape, for rules that are recorded themselves. */
static sel_status unpack(sel_backward_run *run, sel_node *node, sel_saved *saved,
                         sel_tensor **out) {
  if (saved->tensor->storage && sel_tensor_version(saved->tensor) != saved->version)
    return version_error(node, saved);
  if (!run->create_graph || saved->place == INT_MIN) {
    *out = sel_retain(saved->tensor);
    return SEL_OK;
  }
  sel_node *source = node;
  int output = -1 - saved->place;
  if (saved->place >= 0) {
    const sel_edge *edge = &node->edges[saved->place];
    if (!edge->node) {
      *out = sel_retain(edge->leaf ? edge->leaf : saved->tensor);
      return SEL_OK;
    }
    source = edge->node;
    output = edge->output;
  }
  SEL_TRY(sel__tensor_alias(saved->tensor, out));
  sel__tape_attach(*out, source, output);
  return SEL_OK;
}

enum { LOCAL = 8 };

static sel_status run_rule(sel_backward_run *run, sel_node *node, sel_tensor *const *g,
                           sel_tensor **unpacked) {
  if (node->function) return node->function->backward(node->context, unpacked, g, run->grad_in);
  SEL_CHECK(node->op->backward, SEL_E_UNSUPPORTED, "'%s' has no gradient", node->name);
  sel_tensor *in[16] = {NULL}, *out[SEL_MAX_OUT] = {NULL};
  for (int i = 0; i < node->n_saved; i++) {
    int place = node->saved[i].place;
    if (!unpacked[i]) continue;
    if (place >= 0)
      in[place] = unpacked[i];
    else
      out[-1 - place] = unpacked[i];
  }
  bool local_needs[LOCAL];
  bool *needs = node->n_in <= LOCAL ? local_needs : sel__alloc((size_t)node->n_in);
  if (!needs) return SEL_E_MEMORY;
  for (int i = 0; i < node->n_in; i++) needs[i] = edge_wanted(run, &node->edges[i]);
  SEL_SCOPE(scope);
  sel_vjp v = {.op = node->op,
               .attrs = node->attrs,
               .n_in = node->n_in,
               .n_out = node->n_out,
               .needs = needs,
               .in = in,
               .out = out,
               .g = g,
               .in_spec = node->in_spec,
               .out_spec = node->out_spec,
               .scope = &scope,
               .grad = run->grad_in};
  sel_status status = node->op->backward(&v);
  if (status == SEL_OK) status = scope.status;
  sel__scope_drop(&scope);
  if (needs != local_needs) sel__free(needs);
  return status;
}

static sel_status compute_node(sel_backward_run *run, entry *e) {
  sel_node *node = e->node;
  sel_tensor *local[LOCAL] = {NULL};
  sel_tensor **unpacked = local;
  if (node->n_saved > LOCAL) {
    unpacked = sel__zalloc((size_t)node->n_saved * sizeof *unpacked);
    if (!unpacked) return SEL_E_MEMORY;
  }
  sel_status status = SEL_OK;
  for (int i = 0; i < node->n_saved && status == SEL_OK; i++)
    if (node->saved[i].tensor) status = unpack(run, node, &node->saved[i], &unpacked[i]);
  if (status == SEL_OK) status = run_rule(run, node, run->grads + e->first, unpacked);
  for (int i = 0; i < node->n_saved; i++) sel_release(unpacked[i]);
  if (unpacked != local) sel__free(unpacked);
  return status;
}

/* ---- hooks ---- */

/* Replaces *slot by `grad` (borrowed). */
static sel_status replace(sel_tensor **slot, sel_tensor *grad) {
  char want[SEL_TEXT], got[SEL_TEXT];
  SEL_CHECK(grad && grad->storage && grad->dtype == (*slot)->dtype && sel__same_shape(grad, *slot),
            SEL_E_AUTOGRAD, "hook: expected a gradient like %s, got %s",
            sel_describe(*slot, want, sizeof want), sel_describe(grad, got, sizeof got));
  if (grad == *slot) return SEL_OK;
  sel_retain(grad);
  sel_release(*slot);
  *slot = grad;
  return SEL_OK;
}

/* Runs the hooks from run->hook on that look at `output` (of a leaf: all); true when a host's hook
 * makes the walk wait. */
static sel_status run_hooks(sel_backward_run *run, int output, bool leaf, bool *wait) {
  *wait = false;
  for (; run->hook; run->hook = run->hook->next) {
    if (!leaf && run->hook->output != output) continue;
    if (run->hook->call) {
      sel_tensor *out = *run->hook_slot;
      SEL_TRY(run->hook->call(run->hook->context, *run->hook_slot, &out));
      bool fresh = out != *run->hook_slot;
      sel_status status = replace(run->hook_slot, out);
      if (fresh) sel_release(out);
      SEL_TRY(status);
      continue;
    }
    run->event = (sel_backward_event){.kind = SEL_BACKWARD_HOOK,
                                      .id = run->hook->id,
                                      .n_grads = 1,
                                      .grads = run->hook_slot,
                                      .n_inputs = 1};
    run->waiting = *wait = true;
    run->hook = run->hook->next;
    return SEL_OK;
  }
  return SEL_OK;
}

/* ---- the walk ---- */

static bool has_gradient(const sel_backward_run *run, const entry *e) {
  for (int k = 0; k < e->node->n_out; k++)
    if (run->grads[e->first + k]) return true;
  return false;
}

static void forget_grads(sel_backward_run *run, const entry *e) {
  for (int k = 0; k < e->node->n_out; k++) {
    sel_release(run->grads[e->first + k]);
    run->grads[e->first + k] = NULL;
  }
}

/* Keeps the complete gradients of a node's outputs where they are asked for. */
static sel_status capture(sel_backward_run *run, const entry *e) {
  for (int k = 0; k < e->node->n_out; k++) {
    sel_tensor *grad = run->grads[e->first + k];
    if (!grad) continue;
    int asked = run->n_inputs ? asked_input(run, NULL, e->node, k) : -1;
    if (asked >= 0) run->results[asked] = sel_retain(grad);
    if (run->n_inputs == 0 && e->node->boxes && e->node->boxes[k])
      SEL_TRY(add_into(&e->node->boxes[k]->grad, sel_retain(grad), true));
  }
  return SEL_OK;
}

/* Gives gradient `edge` of the present node to where it belongs. Waits for a host's hook if it
 * must. */
static sel_status serve_edge(sel_backward_run *run, sel_node *node, bool *wait) {
  *wait = false;
  int i = run->edge;
  const sel_edge *edge = &node->edges[i];
  if (!run->grad_in[i]) return SEL_OK;
  if (!edge_wanted(run, edge)) {
    sel_release(run->grad_in[i]);
    run->grad_in[i] = NULL;
    return SEL_OK;
  }
  if (!run->in_hooks) {
    sel_tensor *grad = run->grad_in[i];
    run->grad_in[i] = NULL;
    SEL_TRY(fit(node, i, grad, &run->grad_in[i]));
  }
  if (edge->node) {
    sel_tensor *grad = run->grad_in[i];
    run->grad_in[i] = NULL;
    entry *target = &run->entries[edge->node->run_index];
    return add_into(&run->grads[target->first + edge->output], grad, run->create_graph);
  }
  if (edge->leaf->extra && edge->leaf->extra->hooks) {
    if (!run->in_hooks) {
      run->in_hooks = true;
      run->hook = edge->leaf->extra->hooks;
      run->hook_slot = &run->grad_in[i];
    }
    SEL_TRY(run_hooks(run, 0, true, wait));
    if (*wait) return SEL_OK;
    run->in_hooks = false;
  }
  sel_tensor *grad = run->grad_in[i];
  run->grad_in[i] = NULL;
  if (run->n_inputs == 0) return accumulate_leaf(edge->leaf, grad, run->create_graph);
  return add_into(&run->results[asked_input(run, edge->leaf, NULL, 0)], grad, run->create_graph);
}

/* Where the node's gradient can be added to what waits at its input; NULL: nowhere. */
static sel_tensor *waiting_total(const sel_backward_run *run, const entry *e) {
  const sel_node *node = e->node;
  if (!node->op || !node->op->add_gradient || run->create_graph) return NULL;
  const sel_edge *edge = &node->edges[0];
  if (!edge->node || !edge_wanted(run, edge)) return NULL;
  sel_tensor *total = run->grads[run->entries[edge->node->run_index].first + edge->output];
  return total && sole_owner(total) && total->contiguous ? total : NULL;
}

static sel_status add_to_total(sel_backward_run *run, const entry *e, sel_tensor *total) {
  sel_node *node = e->node;
  if (sel__recording()) run->span = sel__span_begin_gradient(node->name, node->layer);
  SEL_TRY(node->op->add_gradient(node->attrs, total, run->grads[e->first]));
  forget_grads(run, e);
  if (!run->keep) sel__node_let_go(node);
  return SEL_OK;
}

/* Visits the node at run->position, from the point where an earlier visit stopped to wait. */
static sel_status visit(sel_backward_run *run, bool *wait) {
  entry *e = &run->entries[run->position];
  sel_node *node = e->node;
  *wait = false;
  for (int i = 0; i < node->n_in; i++)
    SEL_CHECK(!node->edges[i].node || node->edges[i].node->run == run->id, SEL_E_AUTOGRAD,
              "backward of '%s': another backward walked the same graph meanwhile", node->name);
  if (!run->grad_in) {
    if (!has_gradient(run, e)) return SEL_OK;
    for (int k = 0; k < node->n_out && node->hooks; k++) {
      if (!run->grads[e->first + k]) continue;
      if (!run->in_hooks) {
        run->in_hooks = true;
        run->hook = node->hooks;
        run->hook_slot = &run->grads[e->first + k];
      } else if (run->hook_slot != &run->grads[e->first + k]) {
        continue; /* served before the wait */
      }
      SEL_TRY(run_hooks(run, k, false, wait));
      if (*wait) return SEL_OK;
      run->in_hooks = false;
    }
    SEL_TRY(capture(run, e));
    if (run->n_inputs && !e->wanted) {
      forget_grads(run, e);
      return SEL_OK;
    }
    if (node->released) return released_error(node);
    sel_tensor *total = waiting_total(run, e);
    if (total) return add_to_total(run, e, total);
    run->n_grad_in = node->n_in;
    run->grad_in = sel__zalloc((size_t)(node->n_in + 1) * sizeof *run->grad_in);
    if (!run->grad_in) return SEL_E_MEMORY;
    run->edge = 0;
    if (sel__recording()) run->span = sel__span_begin_gradient(node->name, node->layer);
    if (!node->op && !node->function) {
      run->event = (sel_backward_event){.kind = SEL_BACKWARD_FUNCTION,
                                        .id = node->host_id,
                                        .n_grads = node->n_out,
                                        .grads = run->grads + e->first,
                                        .n_inputs = node->n_in};
      run->waiting = *wait = true;
      return SEL_OK;
    }
    SEL_TRY(compute_node(run, e));
  }
  for (; run->edge < node->n_in; run->edge++) {
    SEL_TRY(serve_edge(run, node, wait));
    if (*wait) return SEL_OK;
  }
  sel__free(run->grad_in);
  run->grad_in = NULL;
  forget_grads(run, e);
  if (!run->keep && !node->released) sel__node_let_go(node);
  return SEL_OK;
}

/* An input that is asked for twice has its gradient at the first place. */
static sel_tensor *result_of(const sel_backward_run *run, int i) {
  const sel_tensor *t = run->inputs[i];
  int first = asked_input(run, t->node ? NULL : t, t->node, t->node_output);
  return run->results[first >= 0 ? first : i];
}

/* A released node has no edges: an input without a gradient may lie behind it. */
static sel_status check_complete(const sel_backward_run *run) {
  bool missing = false;
  for (int i = 0; i < run->n_inputs; i++) missing |= !result_of(run, i);
  for (int i = 0; i < run->n_entries && missing; i++)
    if (run->entries[i].was_released) return released_error(run->entries[i].node);
  return SEL_OK;
}

sel_status sel_backward_next(sel_backward_run *run, sel_backward_event *event) {
  SEL_CHECK(!run->waiting, SEL_E_AUTOGRAD, "backward: a reply to the last event is missing");
  bool previous = sel_set_grad_enabled(run->create_graph);
  sel_status status = SEL_OK;
  bool wait = false;
  while (status == SEL_OK && run->position < run->n_entries) {
    if (sel_interrupted()) {
      status = sel_fail(SEL_E_INTERRUPTED, "interrupted");
      break;
    }
    status = visit(run, &wait);
    if (wait) break;
    sel__span_close(run->span);
    run->span = 0;
    if (status == SEL_OK) run->position++;
  }
  sel_set_grad_enabled(previous);
  if (status == SEL_OK && !wait) status = check_complete(run);
  if (status != SEL_OK) return status;
  *event = wait ? run->event : (sel_backward_event){.kind = SEL_BACKWARD_DONE};
  return SEL_OK;
}

sel_status sel_backward_reply(sel_backward_run *run, int n, sel_tensor *const *grads) {
  SEL_CHECK(run->waiting, SEL_E_AUTOGRAD, "backward: there is no event to reply to");
  if (run->event.kind == SEL_BACKWARD_HOOK) {
    SEL_CHECK(n == 0 || n == 1, SEL_E_AUTOGRAD, "hook: expected 0 or 1 gradients, got %d", n);
    if (n == 1 && grads[0]) SEL_TRY(replace(run->hook_slot, grads[0]));
  } else {
    const char *name = run->entries[run->position].node->name;
    SEL_CHECK(n == run->n_grad_in, SEL_E_AUTOGRAD,
              "backward of '%s': expected %d gradients, one an input, got %d", name, run->n_grad_in,
              n);
    for (int i = 0; i < n; i++) run->grad_in[i] = sel_retain(grads[i]);
  }
  run->waiting = false;
  return SEL_OK;
}

/* ---- starting and ending ---- */

static sel_status seed_grad(sel_tensor *root, sel_tensor *given, sel_tensor **out) {
  char a[SEL_TEXT], b[SEL_TEXT];
  if (given) {
    SEL_CHECK(given->storage && given->dtype == root->dtype && sel__same_shape(given, root) &&
                  sel__device(given) == sel__device(root),
              SEL_E_SHAPE, "backward: expected a gradient like %s, got %s",
              sel_describe(root, a, sizeof a), sel_describe(given, b, sizeof b));
    *out = sel_retain(given);
    return SEL_OK;
  }
  SEL_CHECK(root->numel == 1, SEL_E_SHAPE,
            "backward: %s has more than one element; pass the gradient to start from",
            sel_describe(root, a, sizeof a));
  return sel_ones(root->ndim, root->shape, (sel_dtype)root->dtype, sel__device(root), out);
}

/* A root that is itself a leaf, or asked for, gets its gradient here. */
static sel_status seed_root(sel_backward_run *run, sel_tensor *root, sel_tensor *given) {
  SEL_CHECK(sel__wants_grad(root), SEL_E_AUTOGRAD,
            "backward: the tensor does not require a gradient, and nothing it was made from does");
  SEL_TRY(sel__check_fresh("backward", root));
  sel_tensor *grad;
  SEL_TRY(seed_grad(root, given, &grad));
  if (root->node) {
    entry *e = &run->entries[root->node->run_index];
    return add_into(&run->grads[e->first + root->node_output], grad, true);
  }
  if (run->n_inputs == 0) return accumulate_leaf(root, grad, run->create_graph);
  int asked = asked_input(run, root, NULL, 0);
  if (asked >= 0) return add_into(&run->results[asked], grad, true);
  sel_release(grad);
  return SEL_OK;
}

sel_status sel_backward_start(int n, sel_tensor *const *roots, sel_tensor *const *grads,
                              int n_inputs, sel_tensor *const *inputs, bool keep, bool create_graph,
                              sel_backward_run **out) {
  for (int i = 0; i < n; i++)
    SEL_CHECK(roots[i] && roots[i]->storage, SEL_E_ARGUMENT, "backward: expected a tensor, got %s",
              roots[i] ? "a number" : "NULL");
  for (int i = 0; i < n_inputs; i++)
    SEL_CHECK(inputs[i] && sel__wants_grad(inputs[i]), SEL_E_AUTOGRAD,
              "grad: input %d does not require a gradient", i);
  sel_backward_run *run = sel__zalloc(sizeof *run);
  if (!run) return SEL_E_MEMORY;
  run->id = atomic_fetch_add(&next_run, 1);
  run->keep = keep || create_graph;
  run->create_graph = create_graph;
  sel_status status = SEL_OK;
  if (n_inputs > 0) {
    run->inputs = sel__zalloc(2 * (size_t)n_inputs * sizeof *run->inputs);
    if (!run->inputs) {
      status = SEL_E_MEMORY;
      goto fail;
    }
    run->results = run->inputs + n_inputs;
    run->n_inputs = n_inputs;
    for (int i = 0; i < n_inputs; i++) run->inputs[i] = sel_retain(inputs[i]);
  }
  status = collect(run, n, roots);
  if (status == SEL_OK && n_inputs > 0) mark_wanted(run);
  bool previous = sel_set_grad_enabled(create_graph);
  for (int i = 0; i < n && status == SEL_OK; i++)
    status = seed_root(run, roots[i], grads ? grads[i] : NULL);
  sel_set_grad_enabled(previous);
fail:
  if (status != SEL_OK) {
    sel_backward_finish(run);
    return status;
  }
  *out = run;
  return SEL_OK;
}

sel_tensor *sel_backward_result(sel_backward_run *run, int i) {
  return i >= 0 && i < run->n_inputs ? sel_retain(result_of(run, i)) : NULL;
}

void sel_backward_finish(sel_backward_run *run) {
  if (!run) return;
  sel__span_close(run->span);
  if (run->grad_in)
    for (int i = 0; i < run->n_grad_in; i++) sel_release(run->grad_in[i]);
  sel__free(run->grad_in);
  if (run->grads)
    for (int i = 0; i < run->n_grads; i++) sel_release(run->grads[i]);
  sel__free(run->grads);
  for (int i = 0; i < run->n_entries; i++) sel__node_release(run->entries[i].node);
  sel__free(run->entries);
  for (int i = 0; i < run->n_inputs; i++) {
    sel_release(run->inputs[i]);
    sel_release(run->results[i]);
  }
  sel__free(run->inputs);
  sel__free(run);
}

static sel_status run_all(sel_backward_run *run) {
  sel_backward_event event;
  SEL_TRY(sel_backward_next(run, &event));
  SEL_CHECK(event.kind == SEL_BACKWARD_DONE, SEL_E_AUTOGRAD,
            "backward: the graph holds a function of a host language; walk it from there");
  return SEL_OK;
}

sel_status sel_backward(int n, sel_tensor *const *roots, sel_tensor *const *grads, bool keep,
                        bool create_graph) {
  sel_backward_run *run;
  SEL_TRY(sel_backward_start(n, roots, grads, 0, NULL, keep, create_graph, &run));
  sel_status status = run_all(run);
  sel_backward_finish(run);
  return status;
}

sel_status sel_grad(int n, sel_tensor *const *roots, sel_tensor *const *grads, int n_inputs,
                    sel_tensor *const *inputs, bool keep, bool create_graph, bool allow_unused,
                    sel_tensor **out) {
  SEL_CHECK(n_inputs > 0, SEL_E_ARGUMENT, "grad: expected at least one input");
  sel_backward_run *run;
  SEL_TRY(sel_backward_start(n, roots, grads, n_inputs, inputs, keep, create_graph, &run));
  sel_status status = run_all(run);
  for (int i = 0; i < n_inputs && status == SEL_OK && !allow_unused; i++)
    if (!result_of(run, i))
      status = sel_fail(SEL_E_AUTOGRAD,
                        "grad: the outputs do not depend on input %d; pass allow_unused to get "
                        "nothing for it",
                        i);
  for (int i = 0; i < n_inputs && status == SEL_OK; i++) out[i] = sel_retain(result_of(run, i));
  sel_backward_finish(run);
  return status;
}
