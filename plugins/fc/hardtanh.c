/* hardtanh and relu6: the input cut to an interval. */
#include "fc.h"
#include "selenite/ops.h"

typedef struct interval {
  double low, high;
} interval;

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const interval *bounds = sel_layer_state(self);
  return sel_clamp(inputs[0], bounds->low, bounds->high, &outputs[0]);
}

static sel_status init_hardtanh(sel_layer *self, const sel_options *options) {
  interval *bounds = sel_layer_state(self);
  bounds->low = sel_options_number(options, "min_val");
  bounds->high = sel_options_number(options, "max_val");
  if (bounds->low >= bounds->high)
    return sel_fail(SEL_E_ARGUMENT, "min_val is below max_val, got %g and %g", bounds->low,
                    bounds->high);
  return SEL_OK;
}

static sel_status init_relu6(sel_layer *self, const sel_options *options) {
  (void)options;
  *(interval *)sel_layer_state(self) = (interval){0, 6};
  return SEL_OK;
}

static const sel_option options[] = {{.name = "min_val",
                                      .kind = SEL_OPTION_NUMBER,
                                      .default_text = "-1",
                                      .doc = "lower bound of the output"},
                                     {.name = "max_val",
                                      .kind = SEL_OPTION_NUMBER,
                                      .default_text = "1",
                                      .doc = "upper bound of the output"}};

const sel_layer_type fc_hardtanh = {.size = sizeof(sel_layer_type),
                                    .name = "hardtanh",
                                    .summary = "the input cut to [min_val, max_val]",
                                    .example = "nn.hardtanh():forward(sel.randn(2, 3))",
                                    .n_options = FC_COUNT(options),
                                    .options = options,
                                    FC_SAME_SHAPE_PORTS,
                                    .state_size = sizeof(interval),
                                    .init = init_hardtanh,
                                    .forward = forward};

const sel_layer_type fc_relu6 = {.size = sizeof(sel_layer_type),
                                 .name = "relu6",
                                 .summary = "the input cut to [0, 6]",
                                 .example = "nn.relu6():forward(sel.randn(2, 3))",
                                 FC_SAME_SHAPE_PORTS,
                                 .state_size = sizeof(interval),
                                 .init = init_relu6,
                                 .forward = forward};
