/* A complete layer plugin in one file, to copy: the layer type `scale`, y = x * weight, with one
 * learned factor for each feature. It needs nothing but Selenite's public headers. */
#include <math.h>

#include "selenite/ops.h"
#include "selenite/plugin.h"

/* What one layer remembers besides its parameters, if anything. Zeroed before init. */
typedef struct scale {
  int64_t features;
} scale;

/* Called once for each new layer. The options have been checked against the descriptions below.
 * What it adds by name is saved, moved and trained with the layer; an error takes everything back.
 */
static sel_status init(sel_layer *self, const sel_options *options) {
  scale *state = sel_layer_state(self);
  sel_tensor *weight = NULL;
  state->features = sel_options_int(options, "features");
  sel_status status =
      sel_full(1, &state->features, sel_options_number(options, "init"), SEL_F32, NULL, &weight);
  if (status != SEL_OK) return status;
  return sel_layer_add_parameter(self, "weight", weight); /* takes weight */
}

/* Called for each run. Inputs are borrowed; outputs are new references. Composing operations of
 * ops.h gives the gradient for free; a fused kernel would call sel_record (autograd.h). An error
 * message needs no layer name: the caller puts the way to this layer in front. */
static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const scale *state = sel_layer_state(self);
  sel_tensor *x = inputs[0];
  char text[160];
  if (sel_size(x, -1) != state->features)
    return sel_fail(SEL_E_SHAPE, "an input of %lld features in its last dim is expected, got %s",
                    (long long)state->features, sel_describe(x, text, sizeof text));
  return sel_mul(x, sel_layer_tensor(self, "weight"), &outputs[0]);
}

/* The options in the order in which Lua takes them: nn.scale(64), nn.scale(64, 0.1),
 * nn.scale{features = 64, init = 0.1}. sel.help(nn.scale) prints these lines. */
static const sel_option options[] = {{.name = "features",
                                      .kind = SEL_OPTION_INT,
                                      .required = true,
                                      .low = 1,
                                      .high = INFINITY,
                                      .doc = "extent of the input's last dim"},
                                     {.name = "init",
                                      .kind = SEL_OPTION_NUMBER,
                                      .default_text = "1",
                                      .doc = "factor to start with"}};

static const sel_port input = {.name = "input", .shape = "[*, features]"};
static const sel_port output = {.name = "output", .shape = "[*, features]"};

static const sel_layer_type type = {.size = sizeof(sel_layer_type),
                                    .name = "scale",
                                    .summary = "the input times one learned factor a feature",
                                    .example = "nn.scale(8):forward(sel.randn(2, 8))",
                                    .n_options = sizeof options / sizeof *options,
                                    .options = options,
                                    .n_inputs = 1,
                                    .inputs = &input,
                                    .n_outputs = 1,
                                    .outputs = &output,
                                    .state_size = sizeof(scale),
                                    .init = init,
                                    .forward = forward};

/* Called when the plugin is loaded; registers all that it brings. */
static sel_status register_types(void) { return sel_register_layer_type(&type); }

/* The one symbol that a plugin exports. */
SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = "scale",
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_LAYERS,
                                                     .init = register_types};
