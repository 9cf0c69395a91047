/* linear: y = x weight^T + bias, weight [out, in]. */
#include <math.h>

#include "fc.h"
#include "selenite/ops.h"

/* PyTorch draws the weight by kaiming_uniform with a = sqrt(5), whose bound is 1 / sqrt(in), the
 * bias's own. */
static sel_status init(sel_layer *self, const sel_options *options) {
  int64_t in = sel_options_int(options, "in_features");
  int64_t out = sel_options_int(options, "out_features");
  double bound = 1 / sqrt((double)in);
  sel_dtype dtype = SEL_F32;
  FC_TRY(fc_parameter_dtype(options, &dtype));
  FC_TRY(fc_add_uniform(self, "weight", 2, (int64_t[]){out, in}, dtype, bound));
  if (!sel_options_bool(options, "bias")) return sel_layer_add_parameter(self, "bias", NULL);
  return fc_add_uniform(self, "bias", 1, &out, dtype, bound);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  sel_tensor *weight = sel_layer_slot(self, 0), *x = inputs[0];
  int64_t expected = sel_size(weight, 1), got = sel_size(x, -1);
  char text[160];
  if (sel_ndim(x) < 1 || got != expected)
    return sel_fail(SEL_E_SHAPE, "an input of %lld features in its last dim is expected, got %s",
                    (long long)expected, sel_describe(x, text, sizeof text));
  return sel_linear(x, weight, sel_layer_slot(self, 1), outputs);
}

static const sel_option options[] = {{.name = "in_features",
                                      .kind = SEL_OPTION_INT,
                                      .required = true,
                                      .low = 1,
                                      .high = INFINITY,
                                      .doc = "extent of the input's last dim"},
                                     {.name = "out_features",
                                      .kind = SEL_OPTION_INT,
                                      .required = true,
                                      .low = 1,
                                      .high = INFINITY,
                                      .doc = "extent of the output's last dim"},
                                     {.name = "bias",
                                      .kind = SEL_OPTION_BOOL,
                                      .default_text = "true",
                                      .doc = "whether a bias is added"},
                                     FC_DTYPE_OPTION};
static const sel_port input = {"input", "[*, in_features]", false};
static const sel_port output = {"output", "[*, out_features]", false};

const sel_layer_type fc_linear = {
    .size = sizeof(sel_layer_type),
    .name = "linear",
    .summary = "y = x * weight^T + bias, with weight [out_features, in_features]",
    .example = "nn.linear(784, 10):forward(sel.randn(32, 784))",
    .n_options = FC_COUNT(options),
    .options = options,
    .n_inputs = 1,
    .inputs = &input,
    .n_outputs = 1,
    .outputs = &output,
    .init = init,
    .forward = forward};
