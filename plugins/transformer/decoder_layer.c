/* transformer_decoder_layer: self-attention, attention to an encoder's result, and a feed-forward
 * network, with torch.nn.TransformerDecoderLayer's parameters. Keys and values of `memory` are made
 * anew at each call; `past` holds those of self-attention. */
#include "block.h"

enum { SELF_ATTENTION, CROSS_ATTENTION, LINEAR1, LINEAR2, NORM1, NORM2, NORM3 }; /* children */
enum { TGT, MEMORY, TGT_MASK, MEMORY_MASK, TGT_PADDING, MEMORY_PADDING, PAST };  /* inputs */

static sel_status init(sel_layer *self, const sel_options *options) {
  TF_TRY(tf_read_block(options, sel_layer_state(self)));
  TF_TRY(tf_add_attention(self, "self_attn", options, true));
  TF_TRY(tf_add_attention(self, "multihead_attn", options, false));
  TF_TRY(tf_add_feed_forward(self, options));
  TF_TRY(tf_add_norm(self, "norm1", options));
  TF_TRY(tf_add_norm(self, "norm2", options));
  return tf_add_norm(self, "norm3", options);
}

static sel_status check(const tf_block *block, sel_tensor *const *inputs) {
  TF_TRY(tf_check_sequence("tgt", inputs[TGT], block->batch_first, -1, -1, block->d_model));
  const int64_t n = sel_size(inputs[TGT], block->batch_first ? 0 : 1);
  return tf_check_sequence("memory", inputs[MEMORY], block->batch_first, -1, n, block->d_model);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const tf_block *block = sel_layer_state(self);
  const bool training = sel_layer_training(self);
  sel_layer *norm1 = sel_layer_child(self, NORM1), *norm2 = sel_layer_child(self, NORM2),
            *norm3 = sel_layer_child(self, NORM3);
  sel_tensor *x = inputs[TGT], *memory = inputs[MEMORY], *present = NULL;
  TF_TRY(check(block, inputs));
  tf_composition c = {.status = SEL_OK};

  sel_tensor *h = tf_branch(&c, block, norm1, x);
  sel_tensor *within[] = {h, NULL, NULL, inputs[TGT_PADDING], inputs[TGT_MASK], inputs[PAST]};
  h = tf_run(&c, sel_layer_child(self, SELF_ATTENTION), TF_COUNT(within), within, &present);
  x = tf_merge(&c, block, norm1, training, x, h);

  h = tf_branch(&c, block, norm2, x);
  sel_tensor *across[] = {h, memory, memory, inputs[MEMORY_PADDING], inputs[MEMORY_MASK], NULL};
  h = tf_run(&c, sel_layer_child(self, CROSS_ATTENTION), TF_COUNT(across), across, NULL);
  x = tf_merge(&c, block, norm2, training, x, h);

  h = tf_branch(&c, block, norm3, x);
  h = tf_run_feed_forward(&c, block, sel_layer_child(self, LINEAR1), sel_layer_child(self, LINEAR2),
                          training, h);
  x = tf_merge(&c, block, norm3, training, x, h);
  if (c.status == SEL_OK) outputs[1] = sel_retain(present);
  return tf_end(&c, x, outputs);
}

static const sel_option options[] = {TF_REQUIRED("d_model", "features of a position"),
                                     TF_REQUIRED("nhead", "heads, a divisor of d_model"),
                                     TF_BLOCK_OPTIONS};
static const sel_port inputs[] = {TF_DECODER_INPUTS, {"past", TF_PAST, true}};
static const sel_port results[] = {{"output", "[L, N, d_model]", false},
                                   {"present", TF_PRESENT, true}};

const sel_layer_type transformer_decoder_layer = {
    .size = sizeof(sel_layer_type),
    .name = "transformer_decoder_layer",
    .summary = "self-attention, attention to a memory and a feed-forward network",
    .example =
        "local tgt, memory = sel.randn(3, 2, 16), sel.randn(5, 2, 16)\n"
        "nn.transformer_decoder_layer(16, 4):forward(tgt, memory)",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = TF_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = TF_COUNT(results),
    .outputs = results,
    .state_size = sizeof(tf_block),
    .init = init,
    .forward = forward};
