/* dropout (Srivastava et al. 2014): zeroes elements at random while training, scales the rest so
 * that the expectation stays; does nothing in evaluation. */
#include "fc.h"
#include "selenite/ops.h"

static sel_status init(sel_layer *self, const sel_options *options) {
  *(double *)sel_layer_state(self) = sel_options_number(options, "p");
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  double p = *(double *)sel_layer_state(self);
  return sel_dropout(inputs[0], sel_layer_training(self) ? p : 0, outputs);
}

static const sel_option options[] = {{.name = "p",
                                      .kind = SEL_OPTION_NUMBER,
                                      .default_text = "0.5",
                                      .low = 0,
                                      .high = 1,
                                      .doc = "probability of an element to be zeroed"}};

const sel_layer_type fc_dropout = {
    .size = sizeof(sel_layer_type),
    .name = "dropout",
    .summary = "zeroes elements at random while training, and scales the rest by 1 / (1 - p)",
    .example = "nn.dropout(0.2):forward(sel.ones(2, 8))",
    .n_options = FC_COUNT(options),
    .options = options,
    FC_SAME_SHAPE_PORTS,
    .state_size = sizeof(double),
    .init = init,
    .forward = forward};
