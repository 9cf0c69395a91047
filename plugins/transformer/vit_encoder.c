/* The encoder of a vit: positions, blocks (pre-norm: x + self_attention(ln_1(x)), then
 * x + mlp(ln_2(x))), a last norm. */
#include "selenite/optim.h"
#include "vit.h"

/* ---- a chain ---- */

static sel_status forward_chain(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  sel_tensor *x = sel_retain(inputs[0]);
  sel_status status = SEL_OK;
  for (int i = 0; i < sel_layer_child_count(self) && status == SEL_OK; i++) {
    sel_tensor *y = NULL;
    status = sel_layer_apply(sel_layer_child(self, i), x, &y);
    if (status != SEL_OK) break;
    sel_release(x);
    x = y;
  }
  if (status == SEL_OK)
    *outputs = x;
  else
    sel_release(x);
  return status;
}

static const sel_port any = {"input", "that of the first layer", false};
static const sel_port result = {"output", "that of the last layer", false};
static const sel_layer_type chain_type = {.size = sizeof(sel_layer_type),
                                          .name = "vit_chain",
                                          .summary = "layers, one behind the other",
                                          .n_inputs = 1,
                                          .inputs = &any,
                                          .n_outputs = 1,
                                          .outputs = &result,
                                          .init = tf_filled_later,
                                          .forward = forward_chain};

sel_status vit_add_chain(sel_layer *self, const char *name, sel_layer **part) {
  return tf_add_part(self, name, &chain_type, NULL, part);
}

/* ---- a block ---- */

enum { LN_1, SELF_ATTENTION, LN_2, MLP };

static sel_status forward_block(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const vit_config *config = sel_layer_state(self);
  tf_composition c = {.status = SEL_OK};
  sel_tensor *x = inputs[0], *y = tf_apply(&c, sel_layer_child(self, LN_1), x);
  y = tf_apply(&c, sel_layer_child(self, SELF_ATTENTION), y);
  y = tf_drop(&c, self, config->dropout, y);
  x = TF(&c, add, x, y);
  y = tf_apply(&c, sel_layer_child(self, LN_2), x);
  y = tf_apply(&c, sel_layer_child(self, MLP), y);
  return tf_end(&c, TF(&c, add, x, y), outputs);
}

static const sel_port sequence = {"input", "[N, L, hidden_dim]", false};
static const sel_port same = {"output", "[N, L, hidden_dim]", false};
static const sel_layer_type block_type = {.size = sizeof(sel_layer_type),
                                          .name = "vit_block",
                                          .summary = "self-attention and mlp",
                                          .n_inputs = 1,
                                          .inputs = &sequence,
                                          .n_outputs = 1,
                                          .outputs = &same,
                                          .state_size = sizeof(vit_config),
                                          .init = tf_filled_later,
                                          .forward = forward_block};

static sel_status add_norm(sel_layer *self, const char *name, const vit_config *config) {
  return tf_add_made(self, name, "layer_norm", "normalized_shape=%lld, eps=1e-6, dtype=%s",
                     (long long)config->features, sel_dtype_name(config->dtype));
}

static sel_status add_linear(sel_layer *self, const char *name, int64_t in, int64_t out,
                             sel_dtype dtype) {
  TF_TRY(tf_add_made(self, name, "linear", "in_features=%lld, out_features=%lld, dtype=%s",
                     (long long)in, (long long)out, sel_dtype_name(dtype)));
  sel_layer *linear = sel_layer_child(self, sel_layer_child_count(self) - 1);
  TF_TRY(sel_init_xavier_uniform_(sel_layer_tensor(linear, "weight"), 1));
  return tf_redraw(linear, "bias", 1e-6);
}

static sel_status add_mlp(sel_layer *self, const char *name, const vit_config *config) {
  sel_layer *part = NULL;
  TF_TRY(vit_add_chain(self, name, &part));
  TF_TRY(add_linear(part, "0", config->features, config->inner, config->dtype));
  TF_TRY(tf_add_made(part, "1", "gelu", "approximate=none"));
  TF_TRY(tf_add_made(part, "2", "dropout", "p=%.17g", config->dropout));
  TF_TRY(add_linear(part, "3", config->inner, config->features, config->dtype));
  return tf_add_made(part, "4", "dropout", "p=%.17g", config->dropout);
}

static sel_status add_block(sel_layer *self, const char *name, const vit_config *config) {
  sel_layer *part = NULL;
  TF_TRY(tf_add_part(self, name, &block_type, config, &part));
  TF_TRY(add_norm(part, "ln_1", config));
  TF_TRY(tf_add_made(part, "self_attention", "multihead_attention",
                     "embed_dim=%lld, num_heads=%lld, dropout=%.17g, batch_first=true, dtype=%s",
                     (long long)config->features, (long long)config->heads,
                     config->attention_dropout, sel_dtype_name(config->dtype)));
  TF_TRY(add_norm(part, "ln_2", config));
  return add_mlp(part, "mlp", config);
}

/* ---- the whole ---- */

enum { LAYERS, LN };

static sel_status forward_encoder(sel_layer *self, sel_tensor *const *inputs,
                                  sel_tensor **outputs) {
  const vit_config *config = sel_layer_state(self);
  sel_tensor *positions = sel_layer_tensor(self, "pos_embedding");
  TF_TRY(tf_check_sequence("input", inputs[0], true, sel_size(positions, 1), -1, config->features));
  tf_composition c = {.status = SEL_OK};
  sel_tensor *x = TF(&c, add, inputs[0], positions);
  x = tf_drop(&c, self, config->dropout, x);
  x = tf_apply(&c, sel_layer_child(self, LAYERS), x);
  return tf_end(&c, tf_apply(&c, sel_layer_child(self, LN), x), outputs);
}

static const sel_layer_type encoder_type = {.size = sizeof(sel_layer_type),
                                            .name = "vit_encoder",
                                            .summary = "positions, blocks, norm",
                                            .n_inputs = 1,
                                            .inputs = &sequence,
                                            .n_outputs = 1,
                                            .outputs = &same,
                                            .state_size = sizeof(vit_config),
                                            .init = tf_filled_later,
                                            .forward = forward_encoder};

sel_status vit_add_encoder(sel_layer *self, const char *name, const vit_config *config) {
  const int64_t side = config->image / config->patch;
  const int64_t shape[] = {1, 1 + side * side, config->features};
  sel_layer *part = NULL, *layers = NULL;
  TF_TRY(tf_add_part(self, name, &encoder_type, config, &part));
  TF_TRY(tf_add_normal(part, "pos_embedding", 3, shape, config->dtype, 0.02));
  TF_TRY(vit_add_chain(part, "layers", &layers));
  for (int64_t i = 0; i < config->layers; i++) {
    char text[40];
    snprintf(text, sizeof text, "encoder_layer_%lld", (long long)i);
    TF_TRY(add_block(layers, text, config));
  }
  return add_norm(part, "ln", config);
}
