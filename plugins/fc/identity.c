/* identity: the input itself, for places where a layer is expected. */
#include "fc.h"

static sel_status init(sel_layer *self, const sel_options *options) {
  (void)self, (void)options;
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  (void)self;
  outputs[0] = sel_retain(inputs[0]);
  return SEL_OK;
}

const sel_layer_type fc_identity = {.size = sizeof(sel_layer_type),
                                    .name = "identity",
                                    .summary = "the input, unchanged",
                                    .example = "nn.identity():forward(sel.randn(2, 3))",
                                    FC_SAME_SHAPE_PORTS,
                                    .init = init,
                                    .forward = forward};
