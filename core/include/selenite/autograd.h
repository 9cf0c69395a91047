/* The tape: which operations made a tensor, and gradients by walking it backwards.
 *
 * An operation is recorded when grad mode is on and one of its float inputs requires a gradient.
 * The record (a node) holds the inputs' nodes and the tensors its backward rule needs, each with
 * the version it had; a tensor changed in place since is refused by an error that names both
 * operations. Backward visits nodes by descending sequence number: consumers always have higher
 * numbers.
 */
#ifndef SELENITE_AUTOGRAD_H
#define SELENITE_AUTOGRAD_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what is recorded ---- */

SEL_API bool sel_grad_enabled(void);
SEL_API bool sel_set_grad_enabled(bool on); /* this thread; returns the previous state */

SEL_API bool sel_requires_grad(const sel_tensor *t);
/* Makes a leaf ask for its gradient, or stop asking. Float tensors only. */
SEL_API sel_status sel_set_requires_grad(sel_tensor *t, bool on);
SEL_API bool sel_is_leaf(const sel_tensor *t);
/* Name of the operation that made t, NULL for a leaf. Borrowed. */
SEL_API const char *sel_grad_fn(const sel_tensor *t);
/* Gradient accumulated by backward, NULL when there is none. Borrowed. */
SEL_API sel_tensor *sel_grad_of(const sel_tensor *t);
/* Replaces the gradient; NULL clears it. `grad` is borrowed, its shape, dtype and device t's. */
SEL_API sel_status sel_set_grad(sel_tensor *t, sel_tensor *grad);
/* Keeps the gradient of a tensor that is no leaf. */
SEL_API sel_status sel_retain_grad(sel_tensor *t);
/* The same memory without tape. */
SEL_API sel_status sel_detach(sel_tensor *t, sel_tensor **out);

/* ---- backward ---- */

/* Adds d(sum roots[i] * grads[i]) to the gradients of all leaves. grads NULL, or an entry NULL: 1,
 * for a root of one element. keep: the tape can be walked again; create_graph: gradients are
 * recorded themselves (implies keep). */
SEL_API sel_status sel_backward(int n, sel_tensor *const *roots, sel_tensor *const *grads,
                                bool keep, bool create_graph);
/* The gradients of n_inputs tensors, leaves or not, into out (each new, or NULL where the roots
 * don't depend on the input and allow_unused is set); touches no other gradient. */
SEL_API sel_status sel_grad(int n, sel_tensor *const *roots, sel_tensor *const *grads, int n_inputs,
                            sel_tensor *const *inputs, bool keep, bool create_graph,
                            bool allow_unused, sel_tensor **out);

/* ---- functions with their own backward ---- */

/* A differentiable function computed outside the operation list. backward receives one gradient for
 * each output (borrowed, NULL for zero) and writes one for each input (new, or NULL for zero). */
typedef struct sel_function {
  size_t size;
  const char *name; /* shown in errors and sel_grad_fn; lives as long as the function is used */
  sel_status (*backward)(void *context, sel_tensor *const *saved, sel_tensor *const *grad_outputs,
                         sel_tensor **grad_inputs);
  void (*release)(void *context); /* when the node is dropped; may be NULL */
} sel_function;
/* Records that outputs were made from inputs (and NULLs, which take no gradient) by `function`.
 * context is taken; saved tensors are kept (borrowed by the call) and may be inputs or outputs.
 * Outputs must be fresh tensors without tape. Does nothing but release context where no input
 * requires a gradient or grad mode is off. */
SEL_API sel_status sel_record(const sel_function *function, void *context, int n_inputs,
                              sel_tensor *const *inputs, int n_saved, sel_tensor *const *saved,
                              int n_outputs, sel_tensor *const *outputs);

/* Gradient checkpointing: out = fn(context, inputs), without keeping what fn makes; backward runs
 * fn again, from the same generator state. fn writes n_outputs new tensors; context is taken. */
typedef sel_status (*sel_segment)(void *context, sel_tensor *const *inputs, sel_tensor **outputs);
SEL_API sel_status sel_checkpoint(sel_segment fn, void *context, void (*release)(void *context),
                                  int n_inputs, sel_tensor *const *inputs, int n_outputs,
                                  sel_tensor **outputs);

/* A hook sees each gradient of t that backward computes and may replace it: return the gradient
 * itself or a new tensor through `out` (set to `grad` beforehand, borrowed). */
typedef sel_status (*sel_hook)(void *context, sel_tensor *grad, sel_tensor **out);
SEL_API sel_status sel_register_hook(sel_tensor *t, sel_hook hook, void *context,
                                     void (*release)(void *context));

/* ---- backward in steps, for a host whose language C must not call into ----
 * sel_record_host and sel_register_host_hook record an id instead of a function pointer. Backward
 * then runs as start, next ... next, finish; next stops where the host has work to do. */

typedef enum sel_backward_event_kind {
  SEL_BACKWARD_DONE = 0,
  SEL_BACKWARD_FUNCTION, /* compute the inputs' gradients of host function `id`, then reply */
  SEL_BACKWARD_HOOK /* look at the gradient of hook `id`, then reply with 1 (or 0: unchanged) */
} sel_backward_event_kind;
typedef struct sel_backward_event {
  sel_backward_event_kind kind;
  int64_t id;
  int n_grads;              /* FUNCTION: outputs; HOOK: 1 */
  sel_tensor *const *grads; /* borrowed until reply; NULL entries are zero */
  int n_inputs;             /* FUNCTION: how many gradients to reply with */
} sel_backward_event;
typedef struct sel_backward_run sel_backward_run;

SEL_API sel_status sel_record_host(const char *name, int64_t id, int n_inputs,
                                   sel_tensor *const *inputs, int n_outputs,
                                   sel_tensor *const *outputs, bool *recorded);
SEL_API sel_status sel_register_host_hook(sel_tensor *t, int64_t id);
/* Ids whose nodes were dropped by this thread since the last call: up to max of them into ids;
 * returns how many. The host forgets what it kept for them. */
SEL_API int sel_released_host_ids(int max, int64_t *ids);

/* n_inputs 0: accumulate into leaves; else collect like sel_grad. */
SEL_API sel_status sel_backward_start(int n, sel_tensor *const *roots, sel_tensor *const *grads,
                                      int n_inputs, sel_tensor *const *inputs, bool keep,
                                      bool create_graph, sel_backward_run **out);
SEL_API sel_status sel_backward_next(sel_backward_run *run, sel_backward_event *event);
/* grads: borrowed; n must be what the event asked for. */
SEL_API sel_status sel_backward_reply(sel_backward_run *run, int n, sel_tensor *const *grads);
/* Collected gradient of input i after DONE: new reference or NULL. */
SEL_API sel_tensor *sel_backward_result(sel_backward_run *run, int i);
/* Also to give up half-way; NULL allowed. */
SEL_API void sel_backward_finish(sel_backward_run *run);

/* ---- looking at the tape ----
 * All pointers are borrowed: a node lives as long as a tensor that was computed through it, and
 * nothing runs backward. No reference may be kept to what is looked at. */

/* The record of an operation. */
typedef struct sel_node sel_node;

/* What made t; NULL for a leaf. */
SEL_API sel_node *sel_node_of(const sel_tensor *t);
SEL_API const char *sel_node_name(const sel_node *node);
/* Higher for what was recorded later, in this process. */
SEL_API int64_t sel_node_sequence(const sel_node *node);
/* Whether backward has passed it and dropped its inputs. */
SEL_API bool sel_node_released(const sel_node *node);
SEL_API int sel_node_inputs(const sel_node *node);
SEL_API int sel_node_results(const sel_node *node);
/* What made input i, and which of its results (from 0) that is; NULL where a leaf or nothing is. */
SEL_API sel_node *sel_node_input(const sel_node *node, int i, int *result);
/* Input i where it is a leaf that asks for its gradient, else NULL. */
SEL_API sel_tensor *sel_node_leaf(const sel_node *node, int i);
/* Result k as "f32[2, 3]" into `buffer`, cut to `size`; returns buffer. */
SEL_API const char *sel_node_describe(const sel_node *node, int k, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif
#endif
