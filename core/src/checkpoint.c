/* Gradient checkpointing: forward without tape, forward again inside backward.
 * Chen et al., "Training deep nets with sublinear memory cost", 2016. */
#include <string.h>

#include "core.h"
#include "selenite/autograd.h"

typedef struct segment {
  sel_segment fn;
  void *context;
  void (*release)(void *context);
  sel_generator generator; /* as it was before forward */
  int n_in, n_out;
} segment;

static void segment_release(void *p) {
  segment *s = p;
  if (s->release) s->release(s->context);
  sel__free(s);
}

static sel_status run_again(segment *s, sel_tensor **inputs, sel_tensor **outputs) {
  sel_generator now;
  sel_generator_get(&now);
  sel_generator_set(&s->generator);
  bool previous = sel_set_grad_enabled(true);
  sel_status status = s->fn(s->context, inputs, outputs);
  sel_set_grad_enabled(previous);
  sel_generator_set(&now);
  return status;
}

/* Backward from those outputs that have a tape and a gradient. */
static sel_status walk(segment *s, sel_tensor **outputs, sel_tensor *const *grads) {
  sel_tensor **pairs = sel__alloc(2 * (size_t)s->n_out * sizeof *pairs);
  if (!pairs) return SEL_E_MEMORY;
  int n = 0;
  for (int k = 0; k < s->n_out; k++)
    if (grads[k] && sel_requires_grad(outputs[k])) {
      pairs[n] = outputs[k];
      pairs[s->n_out + n++] = grads[k];
    }
  sel_status status = n ? sel_backward(n, pairs, pairs + s->n_out, false, false) : SEL_OK;
  sel__free(pairs);
  return status;
}

static sel_status segment_backward(void *context, sel_tensor *const *saved,
                                   sel_tensor *const *grad_outputs, sel_tensor **grad_inputs) {
  segment *s = context;
  SEL_CHECK(!sel_grad_enabled(), SEL_E_UNSUPPORTED,
            "checkpoint: gradients of gradients are not available through a checkpoint");
  sel_tensor **tensors = sel__zalloc((size_t)(s->n_in + s->n_out) * sizeof *tensors);
  if (!tensors) return SEL_E_MEMORY;
  sel_tensor **inputs = tensors, **outputs = tensors + s->n_in;
  sel_status status = SEL_OK;
  for (int i = 0; i < s->n_in && status == SEL_OK; i++) {
    status = sel_detach(saved[i], &inputs[i]);
    if (status == SEL_OK && sel_dtype_is_float(sel_tensor_dtype(inputs[i])))
      status = sel_set_requires_grad(inputs[i], true);
  }
  if (status == SEL_OK) status = run_again(s, inputs, outputs);
  if (status == SEL_OK) status = walk(s, outputs, grad_outputs);
  for (int i = 0; i < s->n_in && status == SEL_OK; i++)
    grad_inputs[i] = sel_retain(sel_grad_of(inputs[i]));
  for (int i = 0; i < s->n_in + s->n_out; i++) sel_release(tensors[i]);
  sel__free(tensors);
  return status;
}

static const sel_function segment_function = {.size = sizeof(sel_function),
                                              .name = "checkpoint",
                                              .backward = segment_backward,
                                              .release = segment_release};

sel_status sel_checkpoint(sel_segment fn, void *context, void (*release)(void *context),
                          int n_inputs, sel_tensor *const *inputs, int n_outputs,
                          sel_tensor **outputs) {
  bool wanted = false;
  for (int i = 0; i < n_inputs; i++) wanted |= inputs[i] && sel_requires_grad(inputs[i]);
  if (!wanted) { /* nothing to hang the segment on: parameters inside still get their gradients */
    sel_status plain = fn(context, inputs, outputs);
    if (release) release(context);
    return plain;
  }
  segment *s = sel__zalloc(sizeof *s);
  if (!s) {
    if (release) release(context);
    return SEL_E_MEMORY;
  }
  *s = (segment){
      .fn = fn, .context = context, .release = release, .n_in = n_inputs, .n_out = n_outputs};
  sel_generator_get(&s->generator);
  bool previous = sel_set_grad_enabled(false);
  sel_status status = fn(context, inputs, outputs);
  sel_set_grad_enabled(previous);
  if (status != SEL_OK) {
    segment_release(s);
    return status;
  }
  status = sel_record(&segment_function, s, n_inputs, inputs, n_inputs, inputs, n_outputs, outputs);
  for (int k = 0; k < n_outputs && status != SEL_OK; k++) {
    sel_release(outputs[k]);
    outputs[k] = NULL;
  }
  return status;
}
