/* scaled_dot_product_attention: sel_attention as a layer, for models with projections of their own.
 * Here, as in the PyTorch function of this name, a bool mask is true where a key MAY be seen. */
#include "transformer.h"

typedef struct attention_options {
  double dropout, scale;
  bool causal;
} attention_options;

static sel_status init(sel_layer *self, const sel_options *options) {
  *(attention_options *)sel_layer_state(self) =
      (attention_options){.dropout = sel_options_number(options, "dropout"),
                          .scale = sel_options_number(options, "scale"),
                          .causal = sel_options_bool(options, "causal")};
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const attention_options *o = sel_layer_state(self);
  const double dropout = sel_layer_training(self) ? o->dropout : 0;
  return sel_attention(inputs[0], inputs[1], inputs[2], inputs[3], o->causal, dropout, o->scale,
                       outputs);
}

static const sel_option options[] = {
    TF_DROPOUT("0", "probability of a weight to be zeroed while training"),
    TF_BOOL("causal", "false", "whether query i sees only keys up to i + S - L"),
    {.name = "scale",
     .kind = SEL_OPTION_NUMBER,
     .default_text = "0",
     .low = 0,
     .high = INFINITY,
     .doc = "factor of the products, 0: 1 / sqrt(size)"}};
static const sel_port inputs[] = {
    {"query", "[N, heads, L, size]", false},
    {"key", "[N, kv_heads, S, size], kv_heads a divisor of heads", false},
    {"value", "[N, kv_heads, S, value_size]", false},
    {"attn_mask", "broadcasts to [N, heads, L, S]; bool (true: may be seen) or float (added)",
     true}};
static const sel_port output = {"output", "[N, heads, L, value_size]", false};

const sel_layer_type transformer_scaled_dot_product_attention = {
    .size = sizeof(sel_layer_type),
    .name = "scaled_dot_product_attention",
    .summary = "softmax of the queries' products with the keys, times the values",
    .example =
        "local x = sel.randn(2, 4, 5, 8)\n"
        "nn.scaled_dot_product_attention{causal = true}:forward(x, x, x)",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = TF_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = 1,
    .outputs = &output,
    .state_size = sizeof(attention_options),
    .init = init,
    .forward = forward};
