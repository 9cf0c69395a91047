/* softmax and log_softmax along one dim. */
#include "fc.h"
#include "selenite/ops.h"

static sel_status init(sel_layer *self, const sel_options *options) {
  return sel_options_dim(options, "dim", sel_layer_state(self));
}

static sel_status forward_softmax(sel_layer *self, sel_tensor *const *inputs,
                                  sel_tensor **outputs) {
  int dim = 0;
  FC_TRY(fc_find_dim(inputs[0], "dim", *(int *)sel_layer_state(self), &dim));
  return sel_softmax(inputs[0], dim, outputs);
}

static sel_status forward_log_softmax(sel_layer *self, sel_tensor *const *inputs,
                                      sel_tensor **outputs) {
  int dim = 0;
  FC_TRY(fc_find_dim(inputs[0], "dim", *(int *)sel_layer_state(self), &dim));
  return sel_log_softmax(inputs[0], dim, outputs);
}

static const sel_option options[] = {{.name = "dim",
                                      .kind = SEL_OPTION_INT,
                                      .default_text = "-1",
                                      .doc = "dim that sums to 1, counted from 1; -1 is the last"}};

const sel_layer_type fc_softmax = {.size = sizeof(sel_layer_type),
                                   .name = "softmax",
                                   .summary = "e^x, scaled to sum 1 along dim",
                                   .example = "nn.softmax():forward(sel.randn(2, 3))",
                                   .n_options = FC_COUNT(options),
                                   .options = options,
                                   FC_SAME_SHAPE_PORTS,
                                   .state_size = sizeof(int),
                                   .init = init,
                                   .forward = forward_softmax};

const sel_layer_type fc_log_softmax = {.size = sizeof(sel_layer_type),
                                       .name = "log_softmax",
                                       .summary = "logarithm of softmax, without losing digits",
                                       .example = "nn.log_softmax():forward(sel.randn(2, 3))",
                                       .n_options = FC_COUNT(options),
                                       .options = options,
                                       FC_SAME_SHAPE_PORTS,
                                       .state_size = sizeof(int),
                                       .init = init,
                                       .forward = forward_log_softmax};
