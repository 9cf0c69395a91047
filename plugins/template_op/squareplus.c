/* A function with a backward of its own, in one file, to copy: the layer type `squareplus`,
 * y = (x + sqrt(x^2 + b)) / 2, a smooth relu (Barron 2021, arXiv:2112.11687).
 *
 * Forward and backward are one pass over memory each. Composed of operations it would be four
 * passes forward and more backward. The loops run where the host can reach the memory; elsewhere
 * the layer composes operations of ops.h.
 */
#include <math.h>
#include <stdlib.h>

#include "selenite/autograd.h"
#include "selenite/ops.h"
#include "selenite/plugin.h"

typedef struct squareplus {
  double b;
} squareplus;

/* ---- the loops, for each dtype ---- */

#define LOOPS(T, root)                                                                         \
  static void forward_##T(int64_t n, const T *x, T b, T *y) {                                  \
    for (int64_t i = 0; i < n; i++) y[i] = (x[i] + root(x[i] * x[i] + b)) / 2;                 \
  }                                                                                            \
  /* dy/dx = (1 + x / sqrt(x^2 + b)) / 2 */                                                    \
  static void backward_##T(int64_t n, const T *x, T b, const T *grad, T *out) {                \
    for (int64_t i = 0; i < n; i++) out[i] = grad[i] * (1 + x[i] / root(x[i] * x[i] + b)) / 2; \
  }
LOOPS(float, sqrtf)
LOOPS(double, sqrt)

/* ---- the pair that the tape knows ---- */

/* Called with one gradient for each output; writes one for each input. Gradients come as they are:
 * not always in order, so they are made contiguous first. */
static sel_status backward(void *context, sel_tensor *const *saved, sel_tensor *const *grads,
                           sel_tensor **grad_inputs) {
  const double b = *(const double *)context;
  sel_tensor *x = saved[0], *grad = NULL, *out = NULL;
  sel_status status = sel_contiguous(grads[0], &grad);
  if (status == SEL_OK) status = sel_empty_like(x, &out);
  if (status == SEL_OK && sel_tensor_dtype(x) == SEL_F64)
    backward_double(sel_numel(x), sel_data(x), b, sel_data(grad), sel_data(out));
  else if (status == SEL_OK)
    backward_float(sel_numel(x), sel_data(x), (float)b, sel_data(grad), sel_data(out));
  sel_release(grad);
  if (status != SEL_OK) return status;
  grad_inputs[0] = out;
  return SEL_OK;
}

static const sel_function function = {
    .size = sizeof(sel_function), .name = "squareplus", .backward = backward, .release = free};

/* One pass on the host; x is contiguous. */
static sel_status run(const squareplus *state, sel_tensor *x, sel_tensor **out) {
  double *b = malloc(sizeof *b);
  if (!b) return sel_fail(SEL_E_MEMORY, "out of memory");
  *b = state->b;
  sel_tensor *y = NULL;
  sel_status status = sel_empty_like(x, &y);
  if (status != SEL_OK) {
    free(b);
    return status;
  }
  if (sel_tensor_dtype(x) == SEL_F64)
    forward_double(sel_numel(x), sel_data(x), *b, sel_data(y));
  else
    forward_float(sel_numel(x), sel_data(x), (float)*b, sel_data(y));
  status = sel_record(&function, b, 1, &x, 1, &x, 1, &y); /* takes b */
  if (status != SEL_OK)
    sel_release(y);
  else
    *out = y;
  return status;
}

/* The same from operations, for memory that the host can't reach. */
static sel_status compose(const squareplus *state, sel_tensor *x, sel_tensor **out) {
  sel_tensor *square = NULL, *shifted = NULL, *root = NULL, *sum = NULL;
  sel_status status = sel_square(x, &square);
  if (status == SEL_OK) status = sel_add_scalar(square, state->b, &shifted);
  if (status == SEL_OK) status = sel_sqrt(shifted, &root);
  if (status == SEL_OK) status = sel_add(x, root, &sum);
  if (status == SEL_OK) status = sel_mul_scalar(sum, 0.5, out);
  sel_release(sum);
  sel_release(root);
  sel_release(shifted);
  sel_release(square);
  return status;
}

/* ---- the layer ---- */

static sel_status init(sel_layer *self, const sel_options *options) {
  squareplus *state = sel_layer_state(self);
  state->b = sel_options_number(options, "b");
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const squareplus *state = sel_layer_state(self);
  const sel_dtype dtype = sel_tensor_dtype(inputs[0]);
  char text[160];
  if (dtype != SEL_F32 && dtype != SEL_F64)
    return sel_fail(SEL_E_DTYPE, "an f32 or f64 input is expected, got %s",
                    sel_describe(inputs[0], text, sizeof text));
  sel_tensor *x = NULL;
  sel_status status = sel_contiguous(inputs[0], &x);
  if (status != SEL_OK) return status;
  status = sel_data(x) ? run(state, x, &outputs[0]) : compose(state, x, &outputs[0]);
  sel_release(x);
  return status;
}

static const sel_option options[] = {{.name = "b",
                                      .kind = SEL_OPTION_NUMBER,
                                      .default_text = "4",
                                      .low = 1e-6,
                                      .high = INFINITY,
                                      .doc = "how round the bend at 0 is; 4: y(0) = 1"}};

static const sel_port input = {.name = "input", .shape = "[*]"};
static const sel_port output = {.name = "output", .shape = "[*]"};

static const sel_layer_type type = {.size = sizeof(sel_layer_type),
                                    .name = "squareplus",
                                    .summary = "a smooth relu, (x + sqrt(x^2 + b)) / 2",
                                    .example = "nn.squareplus():forward(sel.randn(3, 4))",
                                    .n_options = sizeof options / sizeof *options,
                                    .options = options,
                                    .n_inputs = 1,
                                    .inputs = &input,
                                    .n_outputs = 1,
                                    .outputs = &output,
                                    .state_size = sizeof(squareplus),
                                    .init = init,
                                    .forward = forward};

static sel_status register_types(void) { return sel_register_layer_type(&type); }

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = "squareplus",
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_LAYERS,
                                                     .init = register_types};
