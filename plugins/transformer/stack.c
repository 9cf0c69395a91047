/* A stack: layers of one type, named 0, 1, ..., each run on the result of the one before. The
 * `layers` of encoders and decoders are one.
 *
 * Its layers' first input is what goes through, their last one `past`, their second output
 * `present` (heads.c); what lies between is given to each layer as it is. The stack's own ports are
 * the same, with past and present of all layers along a dim in front. */
#include "parameter.h"

enum { MOST_LAYERS = 1000, MOST_INPUTS = 8 };

/* ---- running ---- */

static sel_status check_past(const sel_tensor *past, int layers) {
  char text[160];
  if (!past || (sel_ndim(past) == 6 && sel_size(past, 0) == layers)) return SEL_OK;
  return sel_fail(SEL_E_SHAPE, "past: expected [%d, 2, N, heads, P, size], got %s", layers,
                  sel_describe(past, text, sizeof text));
}

/* x, owned, becomes the result of layer i; *present its second output. */
static sel_status step(sel_layer *self, int i, sel_tensor **x, sel_tensor *const *inputs,
                       sel_tensor **present) {
  sel_layer *layer = sel_layer_child(self, i);
  const int past = sel_layer_get_type(layer)->n_inputs - 1;
  sel_tensor *in[MOST_INPUTS] = {*x}, *out[2] = {NULL};
  for (int k = 1; k < past; k++) in[k] = inputs[k];
  if (inputs[past]) TF_TRY(sel_select(inputs[past], 0, i, &in[past]));
  sel_status status = sel_layer_forward(layer, past + 1, in, out);
  sel_release(in[past]);
  if (status != SEL_OK) return status;
  sel_release(*x);
  *x = out[0];
  *present = out[1];
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const int n = sel_layer_child_count(self);
  const sel_tensor *past = inputs[sel_layer_get_type(sel_layer_child(self, 0))->n_inputs - 1];
  sel_tensor *x = sel_retain(inputs[0]), *present[MOST_LAYERS] = {NULL};
  sel_status status = check_past(past, n);
  for (int i = 0; i < n && status == SEL_OK; i++) status = step(self, i, &x, inputs, &present[i]);
  if (past && status == SEL_OK) status = sel_stack(n, present, 0, &outputs[1]);
  for (int i = 0; i < n; i++) sel_release(present[i]);
  if (status == SEL_OK)
    outputs[0] = x;
  else
    sel_release(x);
  return status;
}

/* ---- making ---- */

#define PASSED \
  { "passed", "to each layer", true }
static const sel_port ports[MOST_INPUTS] = {
    {"input", "that of the layers", false}, PASSED, PASSED, PASSED, PASSED, PASSED, PASSED, PASSED};
static const sel_port results[] = {{"output", "that of the layers", false},
                                   {"present", "[layers, 2, N, heads, P + L, size]", true}};

/* Not registered: stacks are made by the layers that have them. */
static const sel_layer_type type = {.size = sizeof(sel_layer_type),
                                    .name = "stack",
                                    .summary = "layers of one type, one behind the other",
                                    .n_inputs = MOST_INPUTS,
                                    .inputs = ports,
                                    .n_outputs = TF_COUNT(results),
                                    .outputs = results,
                                    .init = tf_filled_later,
                                    .forward = forward};

static sel_status fill(sel_layer *stack, int64_t n, const sel_layer_type *layer_type,
                       const sel_options *options) {
  for (int i = 0; i < n; i++) {
    sel_layer *layer = NULL;
    char name[16];
    snprintf(name, sizeof name, "%d", i);
    TF_TRY(sel_layer_new(layer_type, options, &layer));
    TF_TRY(sel_layer_add_child(stack, name, layer));
  }
  return SEL_OK;
}

sel_status tf_add_stack(sel_layer *self, const char *name, int64_t n,
                        const sel_layer_type *layer_type, const sel_options *options) {
  sel_layer *stack = NULL;
  if (n < 1 || n > MOST_LAYERS)
    return sel_fail(SEL_E_ARGUMENT, "expected 1 to %d layers, got %lld", MOST_LAYERS, (long long)n);
  TF_TRY(sel_layer_new(&type, NULL, &stack));
  sel_status status = fill(stack, n, layer_type, options);
  if (status == SEL_OK) return sel_layer_add_child(self, name, stack);
  sel_layer_release(stack);
  return status;
}
