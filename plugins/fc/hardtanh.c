/* hardtanh and relu6: the input cut to an interval.
 *
 * The gradient is 0 on the bounds too, as PyTorch's (that of the operation clamp is 1 there), so it
 * is recorded as a function of its own. */
#include <stdlib.h>

#include "fc.h"
#include "selenite/autograd.h"
#include "selenite/ops.h"

typedef struct interval {
  double low, high;
} interval;

/* g where low < x < high, else 0. */
static sel_status backward(void *context, sel_tensor *const *saved, sel_tensor *const *grad_outputs,
                           sel_tensor **grad_inputs) {
  const interval *bounds = context;
  sel_tensor *x = saved[0], *below = NULL, *above = NULL, *outside = NULL;
  sel_status status = sel_le_scalar(x, bounds->low, &below);
  if (status == SEL_OK) status = sel_ge_scalar(x, bounds->high, &above);
  if (status == SEL_OK) status = sel_logical_or(below, above, &outside);
  if (status == SEL_OK) status = sel_scalar_where(outside, 0, grad_outputs[0], &grad_inputs[0]);
  sel_release(below);
  sel_release(above);
  sel_release(outside);
  return status;
}

static const sel_function cut_function = {
    .size = sizeof(sel_function), .name = "hardtanh", .backward = backward, .release = free};

static sel_status record(sel_tensor *x, const interval *bounds, sel_tensor *y) {
  interval *context = malloc(sizeof *context);
  if (!context) return sel_fail(SEL_E_MEMORY, "out of host memory");
  *context = *bounds;
  return sel_record(&cut_function, context, 1, &x, 1, &x, 1, &y);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const interval *bounds = sel_layer_state(self);
  sel_tensor *y = NULL;
  bool grad_was_on = sel_set_grad_enabled(false);
  sel_status status = sel_clamp(inputs[0], bounds->low, bounds->high, &y);
  sel_set_grad_enabled(grad_was_on);
  if (status == SEL_OK) status = record(inputs[0], bounds, y);
  if (status == SEL_OK)
    outputs[0] = y;
  else
    sel_release(y);
  return status;
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
