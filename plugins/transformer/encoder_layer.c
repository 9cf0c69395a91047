/* transformer_encoder_layer: self-attention and a feed-forward network (Vaswani et al. 2017), with
 * torch.nn.TransformerEncoderLayer's parameters; norms in front (Xiong et al. 2020) on demand. */
#include "block.h"

enum { SELF_ATTENTION, LINEAR1, LINEAR2, NORM1, NORM2 }; /* children */
enum { SRC, MASK, PADDING, PAST };                       /* inputs */

static sel_status init(sel_layer *self, const sel_options *options) {
  TF_TRY(tf_read_block(options, sel_layer_state(self)));
  TF_TRY(tf_add_attention(self, "self_attn", options, true));
  TF_TRY(tf_add_feed_forward(self, options));
  TF_TRY(tf_add_norm(self, "norm1", options));
  return tf_add_norm(self, "norm2", options);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const tf_block *block = sel_layer_state(self);
  const bool training = sel_layer_training(self);
  sel_layer *norm1 = sel_layer_child(self, NORM1), *norm2 = sel_layer_child(self, NORM2);
  sel_tensor *x = inputs[SRC], *present = NULL;
  TF_TRY(tf_check_sequence("src", x, block->batch_first, -1, -1, block->d_model));
  tf_composition c = {.status = SEL_OK};

  sel_tensor *h = tf_branch(&c, block, norm1, x);
  sel_tensor *in[] = {h, NULL, NULL, inputs[PADDING], inputs[MASK], inputs[PAST]};
  h = tf_run(&c, sel_layer_child(self, SELF_ATTENTION), TF_COUNT(in), in, &present);
  x = tf_merge(&c, block, norm1, training, x, h);

  h = tf_branch(&c, block, norm2, x);
  h = tf_run_feed_forward(&c, block, sel_layer_child(self, LINEAR1), sel_layer_child(self, LINEAR2),
                          training, h);
  x = tf_merge(&c, block, norm2, training, x, h);
  if (c.status == SEL_OK) outputs[1] = sel_retain(present);
  return tf_end(&c, x, outputs);
}

static const sel_option options[] = {TF_REQUIRED("d_model", "features of a position"),
                                     TF_REQUIRED("nhead", "heads, a divisor of d_model"),
                                     TF_BLOCK_OPTIONS};
static const sel_port inputs[] = {TF_ENCODER_INPUTS, {"past", TF_PAST, true}};
static const sel_port results[] = {{"output", "[L, N, d_model]", false},
                                   {"present", TF_PRESENT, true}};

const sel_layer_type transformer_encoder_layer = {
    .size = sizeof(sel_layer_type),
    .name = "transformer_encoder_layer",
    .summary = "self-attention and a feed-forward network, each with a residual and a norm",
    .example = "nn.transformer_encoder_layer(16, 4):forward(sel.randn(5, 2, 16))",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = TF_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = TF_COUNT(results),
    .outputs = results,
    .state_size = sizeof(tf_block),
    .init = init,
    .forward = forward};
