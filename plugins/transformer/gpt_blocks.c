/* A gpt's blocks, pre-norm: x + attn(ln_1(x)), then x + mlp(ln_2(x)), and the list of them. */
#include "gpt.h"

enum { LN_1, ATTN, LN_2, MLP };

/* ---- one ---- */

static sel_status forward_block(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  tf_composition c = {.status = SEL_OK};
  sel_tensor *x = inputs[0];
  sel_tensor *in[] = {tf_apply(&c, sel_layer_child(self, LN_1), x), inputs[1]}, *seen = NULL;
  if (c.status == SEL_OK)
    seen = tf_hold(&c, sel_layer_forward(sel_layer_child(self, ATTN), 2, in, &c.held[c.n]));
  x = TF(&c, add, x, seen);
  sel_tensor *y = tf_apply(&c, sel_layer_child(self, LN_2), x);
  y = tf_apply(&c, sel_layer_child(self, MLP), y);
  return tf_end(&c, TF(&c, add, x, y), outputs);
}

static const sel_layer_type block_type = {.size = sizeof(sel_layer_type),
                                          .name = "gpt_block",
                                          .summary = "attention and mlp",
                                          GPT_PORTS,
                                          .init = tf_filled_later,
                                          .forward = forward_block};

static sel_status add_block(sel_layer *self, const char *name, const gpt_config *config) {
  sel_layer *part = NULL;
  TF_TRY(tf_add_part(self, name, &block_type, NULL, &part));
  TF_TRY(gpt_add_norm(part, "ln_1", config));
  TF_TRY(gpt_add_attention(part, "attn", config));
  TF_TRY(gpt_add_norm(part, "ln_2", config));
  return gpt_add_mlp(part, "mlp", config);
}

/* ---- all ---- */

/* *x, owned, becomes what block i makes of it. */
static sel_status step(sel_layer *self, int i, sel_tensor *cache, sel_tensor **x) {
  sel_tensor *in[] = {*x, NULL}, *out = NULL;
  if (cache) TF_TRY(sel_select(cache, 0, i, &in[1]));
  sel_status status = sel_layer_forward(sel_layer_child(self, i), 2, in, &out);
  sel_release(in[1]);
  if (status != SEL_OK) return status;
  sel_release(*x);
  *x = out;
  return SEL_OK;
}

static sel_status forward_blocks(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  sel_tensor *x = sel_retain(inputs[0]);
  sel_status status = SEL_OK;
  for (int i = 0; i < sel_layer_child_count(self) && status == SEL_OK; i++)
    status = step(self, i, inputs[1], &x);
  if (status == SEL_OK)
    *outputs = x;
  else
    sel_release(x);
  return status;
}

static const sel_layer_type blocks_type = {.size = sizeof(sel_layer_type),
                                           .name = "gpt_blocks",
                                           .summary = "blocks, one behind the other",
                                           GPT_PORTS,
                                           .init = tf_filled_later,
                                           .forward = forward_blocks};

sel_status gpt_add_blocks(sel_layer *self, const char *name, const gpt_config *config) {
  sel_layer *part = NULL;
  TF_TRY(tf_add_part(self, name, &blocks_type, NULL, &part));
  for (int64_t i = 0; i < config->layers; i++) {
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)i);
    TF_TRY(add_block(part, number, config));
  }
  return SEL_OK;
}
