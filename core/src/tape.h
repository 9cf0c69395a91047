/* The tape's records, shared by tape.c (recording) and backward.c (walking).
 *
 * A node owns its edges (a reference to the input's node, or to the leaf itself) and its saved
 * tensors. Saved tensors are aliases without tape, so that a node never owns a tensor that owns the
 * node; backward gives them their place on the tape again where create_graph needs it.
 */
#ifndef SEL_TAPE_H
#define SEL_TAPE_H

#include "op.h"
#include "selenite/autograd.h"
#include "tensor_impl.h"

typedef struct sel_edge {
  sel_node *node;   /* with `output`; or */
  sel_tensor *leaf; /* a leaf that requires a gradient; both NULL: no gradient is wanted */
  int output;
} sel_edge;

typedef struct sel_saved {
  sel_tensor *tensor; /* NULL: not saved */
  int64_t version;
  int place; /* input i: i; output k: -1 - k; neither (sel_record): INT_MIN */
} sel_saved;

/* A hook on one output of a node, or on a leaf. */
typedef struct sel_hook_entry {
  struct sel_hook_entry *next;
  int output;
  sel_hook call; /* NULL: a host's hook `id` */
  void *context;
  void (*release)(void *context);
  int64_t id;
} sel_hook_entry;

/* Where the gradient of a tensor that is no leaf is kept (sel_retain_grad): shared by the tensor
 * and the node, so that neither owns the other. */
typedef struct sel_grad_box {
  atomic_int refs;
  sel_tensor *grad;
} sel_grad_box;

struct sel_grad_extra {
  sel_hook_entry *hooks; /* of a leaf */
  sel_grad_box *box;     /* of a tensor that is no leaf */
};

struct sel_node {
  atomic_int refs;
  const sel_op *op;             /* NULL: a function or a host's node */
  const sel_function *function; /* with `context` */
  void *context;
  const char *name;
  int64_t host_id; /* of a host's node, when op and function are NULL */
  uint64_t sequence;
  int n_in, n_out, n_saved;
  sel_edge *edges;    /* n_in */
  sel_spec *in_spec;  /* n_in */
  sel_spec *out_spec; /* n_out */
  sel_saved *saved;   /* n_saved */
  void *attrs;
  sel_hook_entry *hooks;
  sel_grad_box **boxes; /* n_out entries, or NULL */
  sel_device *device;   /* of the first output */
  int64_t layer;        /* whose forward recorded it, while a profile is taken (profile.h) */
  bool released;        /* backward has dropped what was saved, and the edges */
  uint64_t run;         /* the walk that numbered it last, and its number there */
  int run_index;
};

extern _Thread_local bool sel__grad_mode_off; /* zero-initialised: on */

/* Whether a tensor takes part in gradients. */
static inline bool sel__wants_grad(const sel_tensor *t) {
  return t && (t->requires_grad || t->node);
}

/* Recording a call: wanted, when grad mode is on and an input wants a gradient; prepare, which
 * takes the inputs' place on the tape and saves what the backward rule needs of them; finish, once
 * the outputs are computed, which saves outputs and puts them on the tape (node is taken).
 * `written` is the tensor that an in-place call is about to overwrite, else NULL. */
static inline bool sel__tape_wanted(const sel_call *call) {
  if (sel__grad_mode_off) return false;
  for (int i = 0; i < call->n_in; i++)
    if (sel__wants_grad(call->in[i])) return true;
  return false;
}
/* Fails unless t's values are still those its node computed; `user` names what reads it. */
sel_status sel__check_fresh(const char *user, const sel_tensor *t);
sel_status sel__tape_prepare(const sel_call *call, const sel_tensor *written, sel_node **out);
sel_status sel__tape_finish(sel_call *call, sel_node *node);
/* Drops node, gradient and extra of a tensor that goes. */
void sel__tape_forget(sel_tensor *t);
/* Puts t on the tape as output `output` of `node` (a reference is taken by t). */
void sel__tape_attach(sel_tensor *t, sel_node *node, int output);

void sel__node_release(sel_node *node);
static inline sel_node *sel__node_retain(sel_node *node) {
  atomic_fetch_add_explicit(&node->refs, 1, memory_order_relaxed);
  return node;
}
/* What backward does with a node it is done with: drops saved tensors and edges, so that the graph
 * behind a result the user still holds takes no memory. */
void sel__node_let_go(sel_node *node);
/* The gradient box of t's place on its node, made on first use. */
sel_status sel__grad_box(sel_tensor *t, sel_grad_box **out);
void sel__grad_box_release(sel_grad_box *box);

#endif
