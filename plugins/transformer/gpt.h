/* The parts of a gpt, from the inside out: projection, attention and mlp, block, blocks,
 * body, gpt.
 *
 * Only gpt is a registered type. A part is made as a child of its parent, which has a name for it,
 * and filled there. Names are those of Hugging Face's GPT2LMHeadModel. */
#ifndef TRANSFORMER_GPT_H
#define TRANSFORMER_GPT_H

#include "parameter.h"

extern const sel_layer_type transformer_gpt;

typedef enum gpt_activation { GPT_GELU_TANH = 0, GPT_GELU, GPT_RELU, GPT_SWIGLU } gpt_activation;
typedef enum gpt_position {
  GPT_LEARNED = 0,
  GPT_ROTARY,
  GPT_SINUSOIDAL,
  GPT_NO_POSITION
} gpt_position;

typedef struct gpt_config {
  int64_t vocabulary, positions, features, layers, heads, kv_heads, inner;
  double dropout, eps, initializer_range;
  gpt_activation activation;
  gpt_position position;
  bool bias, rms;
  sel_dtype dtype;
} gpt_config;

/* y = x weight + bias, with weight [in, out]: the transpose of a linear layer's. Residual: what it
 * gives is added to the stream that runs through all layers. */
sel_status gpt_add_projection(sel_layer *self, const char *name, const gpt_config *config,
                              int64_t in, int64_t out, bool residual);
sel_status gpt_add_attention(sel_layer *self, const char *name, const gpt_config *config);
sel_status gpt_add_mlp(sel_layer *self, const char *name, const gpt_config *config);
sel_status gpt_add_blocks(sel_layer *self, const char *name, const gpt_config *config);
sel_status gpt_add_body(sel_layer *self, const char *name, const gpt_config *config);
sel_status gpt_add_norm(sel_layer *self, const char *name, const gpt_config *config);

#define GPT_PAST_PORT \
  { "past", "[n_layer, 2, N, kv_heads, P, head_size], or an empty vector to begin with", true }
#define GPT_PRESENT_PORT \
  { "present", "[n_layer, 2, N, kv_heads, P + T, head_size], where past is given", true }

/* The ports of attention, block and blocks. cache: keys and values, [2, N, kv_heads, P + T,
 * head_size], of all layers in front for blocks. Those of P earlier positions are there, those of
 * the input's T are written behind them. */
#define GPT_PORTS                                                                     \
  .n_inputs = 2, .n_outputs = 1,                                                      \
  .inputs = (const sel_port[]){{"input", "[N, T, n_embd]", false},                    \
                               {"cache", "[.., 2, N, kv_heads, P + T, size]", true}}, \
  .outputs = (const sel_port[]) {                                                     \
    { "output", "[N, T, n_embd]", false }                                             \
  }

#endif
