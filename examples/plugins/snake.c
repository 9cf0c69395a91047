/* A function with a backward of its own, as one kernel for each kind of device: the layer type
 * `snake`, y = x + sin(a x)^2 / a, which suits periodic signals (Ziyin, Hartwig, Ueda 2020,
 * arXiv:2006.08195). dy/dx = 1 + sin(2 a x).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "selenite/autograd.h"
#include "selenite/ops.h"
#include "selenite/plugin.h"
#include "selenite/source.h"

/* ---- kernels: loops for the host's memory, OpenCL C for devices that compile it ---- */

#define LOOPS(T, sine)                                                                 \
  static void forward_##T(int64_t n, const T *x, T *y, T a) {                          \
    for (int64_t i = 0; i < n; i++) y[i] = x[i] + sine(a * x[i]) * sine(a * x[i]) / a; \
  }                                                                                    \
  static void backward_##T(int64_t n, const T *x, const T *grad, T *out, T a) {        \
    for (int64_t i = 0; i < n; i++) out[i] = grad[i] * (1 + sine(2 * a * x[i]));       \
  }
LOOPS(float, sinf)
LOOPS(double, sin)

static const char text[] =
    "__kernel void snake(long n, __global const T *x, long x0, __global T *y, long y0, T a) {\n"
    "  const long i = get_global_id(0);\n"
    "  if (i < n) y[y0 + i] = x[x0 + i] + sin(a * x[x0 + i]) * sin(a * x[x0 + i]) / a;\n"
    "}\n"
    "__kernel void snake_backward(long n, __global const T *x, long x0, __global const T *grad,\n"
    "                             long grad0, __global T *out, long out0, T a) {\n"
    "  const long i = get_global_id(0);\n"
    "  if (i < n) out[out0 + i] = grad[grad0 + i] * (1 + sin(2 * a * x[x0 + i]));\n"
    "}\n";

/* out = snake(x), or its gradient where `grad` is given. All are contiguous. */
static sel_status compute(sel_tensor *x, sel_tensor *grad, double a, sel_tensor *out) {
  const int64_t n = sel_numel(x);
  const char *language = sel_source_language(sel_tensor_device(x));
  if (language && strcmp(language, "OpenCL C") == 0)
    return grad
               ? sel_run_source(text, "snake_backward", n, 3, (sel_tensor *[]){x, grad, out}, 1, &a)
               : sel_run_source(text, "snake", n, 2, (sel_tensor *[]){x, out}, 1, &a);
  if (!sel_data(x)) return sel_fail(SEL_E_UNSUPPORTED, "there is no kernel for this device");
  if (sel_tensor_dtype(x) == SEL_F64) {
    if (grad)
      backward_double(n, sel_data(x), sel_data(grad), sel_data(out), a);
    else
      forward_double(n, sel_data(x), sel_data(out), a);
  } else if (grad) {
    backward_float(n, sel_data(x), sel_data(grad), sel_data(out), (float)a);
  } else {
    forward_float(n, sel_data(x), sel_data(out), (float)a);
  }
  return SEL_OK;
}

/* The same into a new tensor. */
static sel_status make(sel_tensor *x, sel_tensor *grad, double a, sel_tensor **out) {
  sel_tensor *made = NULL;
  sel_status status = sel_empty_like(x, &made);
  if (status == SEL_OK) status = compute(x, grad, a, made);
  if (status == SEL_OK)
    *out = made;
  else
    sel_release(made);
  return status;
}

/* ---- the pair that the tape knows ---- */

static sel_status backward(void *context, sel_tensor *const *saved, sel_tensor *const *grads,
                           sel_tensor **grad_inputs) {
  sel_tensor *grad = NULL; /* gradients come in any order */
  sel_status status = sel_contiguous(grads[0], &grad);
  if (status == SEL_OK) status = make(saved[0], grad, *(const double *)context, grad_inputs);
  sel_release(grad);
  return status;
}

static const sel_function function = {
    .size = sizeof(sel_function), .name = "snake", .backward = backward, .release = free};

/* ---- the layer; its state is a ---- */

static sel_status init(sel_layer *self, const sel_options *options) {
  *(double *)sel_layer_state(self) = sel_options_number(options, "a");
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const double a = *(const double *)sel_layer_state(self);
  const sel_dtype dtype = sel_tensor_dtype(inputs[0]);
  char shown[160];
  if (dtype != SEL_F32 && dtype != SEL_F64)
    return sel_fail(SEL_E_DTYPE, "an f32 or f64 input is expected, got %s",
                    sel_describe(inputs[0], shown, sizeof shown));
  sel_tensor *x = NULL, *y = NULL;
  double *context = malloc(sizeof *context);
  if (!context) return sel_fail(SEL_E_MEMORY, "out of memory");
  *context = a;
  sel_status status = sel_contiguous(inputs[0], &x);
  if (status == SEL_OK) status = make(x, NULL, a, &y);
  if (status == SEL_OK)
    status = sel_record(&function, context, 1, &x, 1, &x, 1, &y); /* takes context */
  else
    free(context);
  sel_release(x);
  if (status == SEL_OK)
    outputs[0] = y;
  else
    sel_release(y);
  return status;
}

static const sel_option options[] = {{.name = "a",
                                      .kind = SEL_OPTION_NUMBER,
                                      .default_text = "1",
                                      .low = 1e-6,
                                      .high = 1e6,
                                      .doc = "frequency"}};
static const sel_port port = {.name = "input", .shape = "[*]"};
static const sel_port result = {.name = "output", .shape = "[*]"};
static const sel_layer_type type = {.size = sizeof(sel_layer_type),
                                    .name = "snake",
                                    .summary = "x + sin(a x)^2 / a",
                                    .example = "nn.snake():forward(sel.randn(3, 4))",
                                    .n_options = 1,
                                    .options = options,
                                    .n_inputs = 1,
                                    .inputs = &port,
                                    .n_outputs = 1,
                                    .outputs = &result,
                                    .state_size = sizeof(double),
                                    .init = init,
                                    .forward = forward};

static sel_status register_types(void) { return sel_register_layer_type(&type); }

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = "snake",
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_LAYERS,
                                                     .init = register_types};
