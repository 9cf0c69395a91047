/* A layer composed of other layers: squeeze_excite (Hu, Shen, Albanie, Sun, Wu, "Squeeze-and-
 * Excitation Networks", CVPR 2018, arXiv:1709.01507), y = x * s with one factor s between 0 and 1
 * for each channel: sigmoid(expand(relu(reduce(mean of x over its places)))).
 *
 * The children come from the plugin fc by name; gradients, saving, moving and help come free.
 */
#include <math.h>

#include "selenite/ops.h"
#include "selenite/plugin.h"

typedef struct squeeze_excite {
  int64_t channels;
} squeeze_excite;

/* Makes a linear layer and adds it as the child `name`. */
static sel_status add_linear(sel_layer *self, const char *name, int64_t in, int64_t out) {
  sel_options *options = NULL;
  sel_layer *child = NULL;
  const sel_layer_type *linear = sel_layer_type_find("linear");
  if (!linear) return sel_fail(SEL_E_PLUGIN, "this needs the layer type linear, of the plugin fc");
  sel_status status = sel_options_new(linear, &options);
  if (status == SEL_OK) status = sel_options_set_number(options, "in_features", (double)in);
  if (status == SEL_OK) status = sel_options_set_number(options, "out_features", (double)out);
  if (status == SEL_OK) status = sel_layer_new(linear, options, &child);
  sel_options_release(options);
  return status == SEL_OK ? sel_layer_add_child(self, name, child) : status; /* takes child */
}

static sel_status init(sel_layer *self, const sel_options *options) {
  squeeze_excite *state = sel_layer_state(self);
  const int64_t reduction = sel_options_int(options, "reduction");
  state->channels = sel_options_int(options, "channels");
  const int64_t squeezed = state->channels / reduction;
  if (squeezed < 1)
    return sel_fail(SEL_E_ARGUMENT, "%lld channels can't be reduced %lld times",
                    (long long)state->channels, (long long)reduction);
  sel_status status = add_linear(self, "reduce", state->channels, squeezed);
  if (status == SEL_OK) status = add_linear(self, "expand", squeezed, state->channels);
  return status;
}

/* The factors [N, C] of images [N, C, ...]; new. */
static sel_status factors_of(sel_layer *self, sel_tensor *x, sel_tensor **out) {
  int places[SEL_MAX_DIMS], n = 0;
  for (int d = 2; d < sel_ndim(x); d++) places[n++] = d;
  sel_tensor *mean = NULL, *squeezed = NULL, *active = NULL, *expanded = NULL;
  sel_status status = sel_mean(x, n, places, false, &mean);
  if (status == SEL_OK) status = sel_layer_apply(sel_layer_child(self, 0), mean, &squeezed);
  if (status == SEL_OK) status = sel_relu(squeezed, &active);
  if (status == SEL_OK) status = sel_layer_apply(sel_layer_child(self, 1), active, &expanded);
  if (status == SEL_OK) status = sel_sigmoid(expanded, out);
  sel_release(expanded);
  sel_release(active);
  sel_release(squeezed);
  sel_release(mean);
  return status;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const squeeze_excite *state = sel_layer_state(self);
  sel_tensor *x = inputs[0], *factors = NULL, *shaped = NULL;
  char text[160];
  if (sel_ndim(x) < 3 || sel_size(x, 1) != state->channels)
    return sel_fail(SEL_E_SHAPE, "an input [N, %lld, ...] is expected, got %s",
                    (long long)state->channels, sel_describe(x, text, sizeof text));
  int64_t shape[SEL_MAX_DIMS] = {sel_size(x, 0), state->channels};
  for (int d = 2; d < sel_ndim(x); d++) shape[d] = 1;
  sel_status status = factors_of(self, x, &factors);
  if (status == SEL_OK) status = sel_reshape(factors, sel_ndim(x), shape, &shaped);
  if (status == SEL_OK) status = sel_mul(x, shaped, &outputs[0]);
  sel_release(shaped);
  sel_release(factors);
  return status;
}

static const sel_option options[] = {
    {.name = "channels",
     .kind = SEL_OPTION_INT,
     .required = true,
     .low = 1,
     .high = INFINITY,
     .doc = "channels of the input"},
    {.name = "reduction",
     .kind = SEL_OPTION_INT,
     .default_text = "16",
     .low = 1,
     .high = INFINITY,
     .doc = "by which the channels between the two maps are fewer"}};
static const sel_port input = {.name = "input", .shape = "[N, channels, *]"};
static const sel_port output = {.name = "output", .shape = "[N, channels, *]"};

static const sel_layer_type type = {
    .size = sizeof(sel_layer_type),
    .name = "squeeze_excite",
    .summary = "each channel times a factor that depends on the means of all channels",
    .example = "nn.squeeze_excite(8, {reduction = 2}):forward(sel.randn(3, 8, 5, 4))",
    .n_options = sizeof options / sizeof *options,
    .options = options,
    .n_inputs = 1,
    .inputs = &input,
    .n_outputs = 1,
    .outputs = &output,
    .state_size = sizeof(squeeze_excite),
    .init = init,
    .forward = forward};

static sel_status register_types(void) { return sel_register_layer_type(&type); }

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = "squeeze_excite",
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_LAYERS,
                                                     .init = register_types};
