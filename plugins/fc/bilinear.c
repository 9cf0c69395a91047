/* bilinear: y[o] = x1^T weight[o] x2 + bias[o], weight [out, in1, in2]. */
#include <math.h>

#include "fc.h"
#include "selenite/ops.h"

static sel_status init(sel_layer *self, const sel_options *options) {
  int64_t in1 = sel_options_int(options, "in1_features");
  int64_t in2 = sel_options_int(options, "in2_features");
  int64_t out = sel_options_int(options, "out_features");
  double bound = 1 / sqrt((double)in1);
  sel_dtype dtype = SEL_F32;
  FC_TRY(fc_parameter_dtype(options, &dtype));
  FC_TRY(fc_add_uniform(self, "weight", 3, (int64_t[]){out, in1, in2}, dtype, bound));
  if (!sel_options_bool(options, "bias")) return sel_layer_add_parameter(self, "bias", NULL);
  return fc_add_uniform(self, "bias", 1, &out, dtype, bound);
}

static sel_status check_features(const char *name, const sel_tensor *x, int64_t expected) {
  char text[160];
  if (sel_ndim(x) < 1 || sel_size(x, -1) != expected)
    return sel_fail(SEL_E_SHAPE, "an %s of %lld features in its last dim is expected, got %s", name,
                    (long long)expected, sel_describe(x, text, sizeof text));
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  sel_tensor *weight = sel_layer_slot(self, 0);
  FC_TRY(check_features("input1", inputs[0], sel_size(weight, 1)));
  FC_TRY(check_features("input2", inputs[1], sel_size(weight, 2)));
  return sel_bilinear(inputs[0], inputs[1], weight, sel_layer_slot(self, 1), outputs);
}

static const sel_option options[] = {{.name = "in1_features",
                                      .kind = SEL_OPTION_INT,
                                      .required = true,
                                      .low = 1,
                                      .high = INFINITY,
                                      .doc = "extent of input1's last dim"},
                                     {.name = "in2_features",
                                      .kind = SEL_OPTION_INT,
                                      .required = true,
                                      .low = 1,
                                      .high = INFINITY,
                                      .doc = "extent of input2's last dim"},
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
static const sel_port inputs[] = {{"input1", "[*, in1_features]", false},
                                  {"input2", "[*, in2_features]", false}};
static const sel_port output = {"output", "[*, out_features]", false};

const sel_layer_type fc_bilinear = {
    .size = sizeof(sel_layer_type),
    .name = "bilinear",
    .summary = "y[o] = x1^T * weight[o] * x2 + bias[o], a product of two inputs",
    .example = "nn.bilinear(20, 30, 40):forward(sel.randn(8, 20), sel.randn(8, 30))",
    .n_options = FC_COUNT(options),
    .options = options,
    .n_inputs = FC_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = 1,
    .outputs = &output,
    .init = init,
    .forward = forward};
