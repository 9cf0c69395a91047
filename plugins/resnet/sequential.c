/* sequential: the layers of a stage or a shortcut, named "0", "1", ... by whoever adds them, one
 * behind the other. Only blocks and models make it, so it is not registered. */
#include "resnet.h"

static sel_status init(sel_layer *self, const sel_options *options) {
  (void)self;
  (void)options;
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  return resnet_run(self, inputs[0], outputs);
}

static const sel_port input = {"input", "the first layer's input", false};
static const sel_port output = {"output", "the last layer's output", false};

static const sel_layer_type type = {.size = sizeof(sel_layer_type),
                                    .name = "sequential",
                                    .summary = "layers one behind the other",
                                    .example = "nn.sequential(nn.relu()):forward(sel.randn(2))",
                                    .n_inputs = 1,
                                    .inputs = &input,
                                    .n_outputs = 1,
                                    .outputs = &output,
                                    .init = init,
                                    .forward = forward};

sel_status resnet_add_sequential(sel_layer *self, const char *name, sel_layer **out) {
  sel_layer *made = NULL;
  RN_TRY(sel_layer_new(&type, NULL, &made));
  RN_TRY(sel_layer_add_child(self, name, made));
  *out = made;
  return SEL_OK;
}
