/* prelu (He et al. 2015): leaky_relu whose slope is learned, one for all channels or one for each.
 */
#include <math.h>

#include "fc.h"
#include "selenite/ops.h"

static sel_status init(sel_layer *self, const sel_options *options) {
  int64_t n = sel_options_int(options, "num_parameters");
  sel_dtype dtype = SEL_F32;
  sel_tensor *weight = NULL;
  FC_TRY(fc_parameter_dtype(options, &dtype));
  FC_TRY(sel_full(1, &n, sel_options_number(options, "init"), dtype, NULL, &weight));
  return sel_layer_add_parameter(self, "weight", weight);
}

/* The weight in a shape that broadcasts along dim 2 of the input, the channels. */
static sel_status align(sel_tensor *weight, const sel_tensor *x, sel_tensor **out) {
  int64_t n = sel_numel(weight), shape[SEL_MAX_DIMS];
  char text[160];
  int ndim = sel_ndim(x);
  if (n == 1) {
    *out = sel_retain(weight);
    return SEL_OK;
  }
  if (ndim < 2 || sel_size(x, 1) != n)
    return sel_fail(SEL_E_SHAPE, "an input [N, %lld, *] is expected, got %s", (long long)n,
                    sel_describe(x, text, sizeof text));
  for (int d = 0; d < ndim; d++) shape[d] = d == 1 ? n : 1;
  return sel_reshape(weight, ndim, shape, out);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  sel_tensor *x = inputs[0], *slope = NULL, *below = NULL, *positive = NULL;
  FC_TRY(align(sel_layer_slot(self, 0), x, &slope));
  sel_status status = sel_mul(x, slope, &below);
  if (status == SEL_OK) status = sel_gt_scalar(x, 0, &positive);
  if (status == SEL_OK) status = sel_where(positive, x, below, outputs);
  sel_release(slope);
  sel_release(below);
  sel_release(positive);
  return status;
}

static const sel_option options[] = {{.name = "num_parameters",
                                      .kind = SEL_OPTION_INT,
                                      .default_text = "1",
                                      .low = 1,
                                      .high = INFINITY,
                                      .doc = "1, or the number of channels"},
                                     {.name = "init",
                                      .kind = SEL_OPTION_NUMBER,
                                      .default_text = "0.25",
                                      .doc = "slope at the start"},
                                     FC_DTYPE_OPTION};
static const sel_port input = {"input", "[N, num_parameters, *], or any shape for 1", false};

const sel_layer_type fc_prelu = {.size = sizeof(sel_layer_type),
                                 .name = "prelu",
                                 .summary = "x above 0, weight * x below, with a learned weight",
                                 .example = "nn.prelu(8):forward(sel.randn(2, 8, 5))",
                                 .n_options = FC_COUNT(options),
                                 .options = options,
                                 .n_inputs = 1,
                                 .inputs = &input,
                                 .n_outputs = 1,
                                 .outputs = &fc_same_port,
                                 .init = init,
                                 .forward = forward};
