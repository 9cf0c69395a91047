/* What encoder and decoder layers are made of: residual branches of attention and of a feed-forward
 * network, each with a norm in front of it or behind the sum. */
#ifndef BLOCK_H
#define BLOCK_H

#include "transformer.h"

typedef enum tf_activation { TF_RELU, TF_GELU, TF_SWIGLU } tf_activation;

typedef struct tf_block {
  int64_t d_model;
  bool batch_first, norm_first;
  tf_activation activation;
  double dropout;
} tf_block;

/* ---- making ---- options as TF_BLOCK_OPTIONS lists them */

sel_status tf_read_block(const sel_options *options, tf_block *out);
/* A multihead_attention child. within: of a sequence to itself, to which the options `causal` and
 * `rotary_base` are for. */
sel_status tf_add_attention(sel_layer *self, const char *name, const sel_options *options,
                            bool within);
/* Children linear1, linear2. */
sel_status tf_add_feed_forward(sel_layer *self, const sel_options *options);
sel_status tf_add_norm(sel_layer *self, const char *name, const sel_options *options);

/* ---- running ---- layers are children of self */

/* What a branch from x starts with. */
sel_tensor *tf_branch(tf_composition *c, const tf_block *block, sel_layer *norm, sel_tensor *x);
/* x with the branch's result joined to it. */
sel_tensor *tf_merge(tf_composition *c, const tf_block *block, sel_layer *norm, bool training,
                     sel_tensor *x, sel_tensor *result);
/* Any layer with `n` inputs. present: its second output, held by c; NULL where it is not wanted. */
sel_tensor *tf_run(tf_composition *c, sel_layer *layer, int n, sel_tensor *const *inputs,
                   sel_tensor **present);
sel_tensor *tf_run_feed_forward(tf_composition *c, const tf_block *block, sel_layer *linear1,
                                sel_layer *linear2, bool training, sel_tensor *x);

/* ---- inputs and options ---- */

#define TF_ENCODER_INPUTS                                                                         \
  {"src", "[L, N, d_model]", false},                                                              \
      {"src_mask", "[L, P + L] or [N * nhead, L, P + L], bool (true: not seen) or float (added)", \
       true},                                                                                     \
  {                                                                                               \
    "src_key_padding_mask", "[N, P + L], the same", true                                          \
  }
#define TF_DECODER_INPUTS                                                                         \
  {"tgt", "[L, N, d_model]", false}, {"memory", "[S, N, d_model]", false},                        \
      {"tgt_mask", "[L, P + L] or [N * nhead, L, P + L], bool (true: not seen) or float (added)", \
       true},                                                                                     \
      {"memory_mask", "[L, S] or [N * nhead, L, S], the same", true},                             \
      {"tgt_key_padding_mask", "[N, P + L], the same", true}, {                                   \
    "memory_key_padding_mask", "[N, S], the same", true                                           \
  }
#define TF_PAST "[2, N, num_kv_heads, P, d_model / nhead], keys and values seen before"
#define TF_PRESENT "[2, N, num_kv_heads, P + L, d_model / nhead], where past was given"

#define TF_SIZE(option_name, default, words)                                        \
  {                                                                                 \
    .name = option_name, .kind = SEL_OPTION_INT, .default_text = default, .low = 1, \
    .high = INFINITY, .doc = words                                                  \
  }
#define TF_REQUIRED(option_name, words)                                                        \
  {                                                                                            \
    .name = option_name, .kind = SEL_OPTION_INT, .required = true, .low = 1, .high = INFINITY, \
    .doc = words                                                                               \
  }
/* From dim_feedforward on, in PyTorch's order, then what PyTorch has not. */
#define TF_BLOCK_OPTIONS                                                                           \
  TF_SIZE("dim_feedforward", "2048", "features between linear1 and linear2"),                      \
      TF_DROPOUT("0.1",                                                                            \
                 "probability of zeroing while training: attention weights, features "             \
                 "between the linear layers, and each branch's result"),                           \
      {.name = "activation",                                                                       \
       .kind = SEL_OPTION_STRING,                                                                  \
       .default_text = "relu",                                                                     \
       .choices = "relu|gelu|swiglu",                                                              \
       .doc =                                                                                      \
           "swiglu: linear1 has 2 dim_feedforward rows, values, then gates; value * silu(gate)"},  \
      {.name = "layer_norm_eps",                                                                   \
       .kind = SEL_OPTION_NUMBER,                                                                  \
       .default_text = "1e-5",                                                                     \
       .low = 0,                                                                                   \
       .high = INFINITY,                                                                           \
       .doc = "eps of the norms"},                                                                 \
      TF_BOOL("batch_first", "false",                                                              \
              "whether sequences are [N, L, d_model], not [L, N, d_model]"),                       \
      TF_BOOL("norm_first", "false", "whether norms are in front of branches, not behind sums"),   \
      TF_BOOL("bias", "true", "whether linear layers and layer norms add a bias"),                 \
      {.name = "num_kv_heads",                                                                     \
       .kind = SEL_OPTION_INT,                                                                     \
       .default_text = "0",                                                                        \
       .low = 0,                                                                                   \
       .high = INFINITY,                                                                           \
       .doc = "key and value heads, a divisor of nhead, 0: nhead"},                                \
      {.name = "norm",                                                                             \
       .kind = SEL_OPTION_STRING,                                                                  \
       .default_text = "layer",                                                                    \
       .choices = "layer|rms",                                                                     \
       .doc = "layer_norm or rms_norm"},                                                           \
      TF_BOOL("causal", "false", "whether self-attention sees only positions up to its own"),      \
      {.name = "rotary_base",                                                                      \
       .kind = SEL_OPTION_NUMBER,                                                                  \
       .default_text = "0",                                                                        \
       .low = 0,                                                                                   \
       .high = INFINITY,                                                                           \
       .doc = "base of the angles by which self-attention turns queries and keys, 0: not turned"}, \
      TF_DTYPE

#endif
