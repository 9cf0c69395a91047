/* The projection of GPT-2's files, called Conv1D there: weight [in, out]. */
#include "gpt.h"

enum { WEIGHT, BIAS };

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  sel_tensor *x = inputs[0], *weight = sel_layer_slot(self, WEIGHT), *transposed = NULL;
  char text[160];
  if (sel_ndim(x) < 1 || sel_size(x, -1) != sel_size(weight, 0))
    return sel_fail(SEL_E_SHAPE, "an input of %lld features in its last dim is expected, got %s",
                    (long long)sel_size(weight, 0), sel_describe(x, text, sizeof text));
  TF_TRY(sel_transpose(weight, 0, 1, &transposed));
  sel_status status = sel_linear(x, transposed, sel_layer_slot(self, BIAS), outputs);
  sel_release(transposed);
  return status;
}

static void describe(const sel_layer *self, char *text, size_t size) {
  const sel_tensor *weight = sel_layer_slot(self, WEIGHT);
  snprintf(text, size, "%lld, %lld", (long long)sel_size(weight, 0),
           (long long)sel_size(weight, 1));
}

static const sel_port input = {"input", "[*, in]", false};
static const sel_port output = {"output", "[*, out]", false};
static const sel_layer_type type = {.size = sizeof(sel_layer_type),
                                    .name = "gpt_projection",
                                    .summary = "y = x weight + bias, with weight [in, out]",
                                    .n_inputs = 1,
                                    .inputs = &input,
                                    .n_outputs = 1,
                                    .outputs = &output,
                                    .init = tf_filled_later,
                                    .forward = forward,
                                    .describe = describe};

/* Radford et al. 2019, section 2.3: 2 residual projections a layer, whose sum is to stay as large
 * as one. */
static double initial_std(const gpt_config *config, bool residual) {
  return config->initializer_range / (residual ? sqrt(2.0 * (double)config->layers) : 1);
}

sel_status gpt_add_projection(sel_layer *self, const char *name, const gpt_config *config,
                              int64_t in, int64_t out, bool residual) {
  sel_layer *part = NULL;
  TF_TRY(tf_add_part(self, name, &type, NULL, &part));
  TF_TRY(tf_add_normal(part, "weight", 2, (const int64_t[]){in, out}, config->dtype,
                       initial_std(config, residual)));
  if (!config->bias) return sel_layer_add_parameter(part, "bias", NULL);
  return tf_add_zeros(part, "bias", 1, &out, config->dtype);
}
