/* The feed-forward half of a gpt's block. swiglu (Shazeer 2020): silu of the first half of c_fc's
 * features, times the second half. */
#include "gpt.h"

enum { C_FC, C_PROJ };

static sel_tensor *activate(tf_composition *c, const gpt_config *config, sel_tensor *x) {
  sel_tensor *gate;
  switch (config->activation) {
    case GPT_GELU:
      return TF(c, gelu, x);
    case GPT_RELU:
      return TF(c, relu, x);
    case GPT_SWIGLU:
      gate = TF(c, narrow, x, -1, 0, config->inner);
      gate = TF(c, silu, gate);
      x = TF(c, narrow, x, -1, config->inner, config->inner);
      return TF(c, mul, gate, x);
    default:
      return TF(c, gelu_tanh, x);
  }
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const gpt_config *config = sel_layer_state(self);
  tf_composition c = {.status = SEL_OK};
  sel_tensor *x = tf_apply(&c, sel_layer_child(self, C_FC), inputs[0]);
  x = tf_apply(&c, sel_layer_child(self, C_PROJ), activate(&c, config, x));
  return tf_end(&c, tf_drop(&c, self, config->dropout, x), outputs);
}

static const sel_port input = {"input", "[*, n_embd]", false};
static const sel_port output = {"output", "[*, n_embd]", false};
static const sel_layer_type type = {.size = sizeof(sel_layer_type),
                                    .name = "gpt_mlp",
                                    .summary = "two projections with an activation between",
                                    .n_inputs = 1,
                                    .inputs = &input,
                                    .n_outputs = 1,
                                    .outputs = &output,
                                    .state_size = sizeof(gpt_config),
                                    .init = tf_filled_later,
                                    .forward = forward};

sel_status gpt_add_mlp(sel_layer *self, const char *name, const gpt_config *config) {
  const int64_t halves = config->activation == GPT_SWIGLU ? 2 : 1;
  sel_layer *part = NULL;
  TF_TRY(tf_add_part(self, name, &type, config, &part));
  TF_TRY(gpt_add_projection(part, "c_fc", config, config->features, halves * config->inner, false));
  return gpt_add_projection(part, "c_proj", config, config->inner, config->features, true);
}
