/* The residual branches of encoder and decoder layers: see block.h. */
#include "block.h"

#include <string.h>

/* ---- making ---- */

static sel_status check_heads(int64_t d_model, int64_t nhead, int64_t kv_heads,
                              double rotary_base) {
  TF_TRY(tf_check_multiple("d_model", d_model, "nhead", nhead));
  if (kv_heads > 0) TF_TRY(tf_check_multiple("nhead", nhead, "num_kv_heads", kv_heads));
  if (rotary_base > 0 && d_model / nhead % 2 != 0)
    return sel_fail(SEL_E_ARGUMENT,
                    "rotary_base: expected an even number of features a head, got %lld / %lld",
                    (long long)d_model, (long long)nhead);
  return SEL_OK;
}

sel_status tf_read_block(const sel_options *options, tf_block *out) {
  const char activation = sel_options_string(options, "activation")[0];
  *out = (tf_block){.d_model = sel_options_int(options, "d_model"),
                    .batch_first = sel_options_bool(options, "batch_first"),
                    .norm_first = sel_options_bool(options, "norm_first"),
                    .activation = activation == 'r'   ? TF_RELU
                                  : activation == 'g' ? TF_GELU
                                                      : TF_SWIGLU,
                    .dropout = sel_options_number(options, "dropout")};
  return check_heads(out->d_model, sel_options_int(options, "nhead"),
                     sel_options_int(options, "num_kv_heads"),
                     sel_options_number(options, "rotary_base"));
}

static const char *word(bool value) { return value ? "true" : "false"; }

static const char *dtype_of(const sel_options *options) {
  return sel_dtype_name(sel_options_dtype(options, "dtype"));
}

static sel_status add(sel_layer *self, const char *name, const char *type, const char *text) {
  sel_layer *child = NULL;
  TF_TRY(sel_layer_make(type, text, &child));
  return sel_layer_add_child(self, name, child);
}

sel_status tf_add_attention(sel_layer *self, const char *name, const sel_options *options,
                            bool within) {
  char text[320];
  snprintf(text, sizeof text,
           "embed_dim=%lld, num_heads=%lld, dropout=%.17g, bias=%s, batch_first=%s, "
           "num_kv_heads=%lld, causal=%s, rotary_base=%.17g, dtype=%s",
           (long long)sel_options_int(options, "d_model"),
           (long long)sel_options_int(options, "nhead"), sel_options_number(options, "dropout"),
           word(sel_options_bool(options, "bias")), word(sel_options_bool(options, "batch_first")),
           (long long)sel_options_int(options, "num_kv_heads"),
           word(within && sel_options_bool(options, "causal")),
           within ? sel_options_number(options, "rotary_base") : 0, dtype_of(options));
  return add(self, name, "multihead_attention", text);
}

static sel_status add_linear(sel_layer *self, const char *name, int64_t in, int64_t out,
                             const sel_options *options) {
  char text[160];
  snprintf(text, sizeof text, "in_features=%lld, out_features=%lld, bias=%s, dtype=%s",
           (long long)in, (long long)out, word(sel_options_bool(options, "bias")),
           dtype_of(options));
  return add(self, name, "linear", text);
}

sel_status tf_add_feed_forward(sel_layer *self, const sel_options *options) {
  const int64_t d_model = sel_options_int(options, "d_model"),
                inner = sel_options_int(options, "dim_feedforward");
  const bool gated = strcmp(sel_options_string(options, "activation"), "swiglu") == 0;
  TF_TRY(add_linear(self, "linear1", d_model, gated ? 2 * inner : inner, options));
  return add_linear(self, "linear2", inner, d_model, options);
}

sel_status tf_add_norm(sel_layer *self, const char *name, const sel_options *options) {
  char text[160];
  const bool rms = sel_options_string(options, "norm")[0] == 'r';
  snprintf(text, sizeof text, "normalized_shape=%lld, eps=%.17g, dtype=%s%s%s",
           (long long)sel_options_int(options, "d_model"),
           sel_options_number(options, "layer_norm_eps"), dtype_of(options),
           rms ? "" : ", bias=", rms ? "" : word(sel_options_bool(options, "bias")));
  return add(self, name, rms ? "rms_norm" : "layer_norm", text);
}

/* ---- running ---- */

static sel_tensor *dropped(tf_composition *c, const tf_block *block, bool training, sel_tensor *x) {
  return training && block->dropout > 0 ? TF(c, dropout, x, block->dropout) : x;
}

sel_tensor *tf_branch(tf_composition *c, const tf_block *block, sel_layer *norm, sel_tensor *x) {
  return block->norm_first ? tf_apply(c, norm, x) : x;
}

sel_tensor *tf_merge(tf_composition *c, const tf_block *block, sel_layer *norm, bool training,
                     sel_tensor *x, sel_tensor *result) {
  result = dropped(c, block, training, result);
  sel_tensor *sum = TF(c, add, x, result);
  return block->norm_first ? sum : tf_apply(c, norm, sum);
}

sel_tensor *tf_run(tf_composition *c, sel_layer *layer, int n, sel_tensor *const *inputs,
                   sel_tensor **present) {
  sel_tensor *out[2] = {NULL};
  if (c->status != SEL_OK) return NULL;
  c->status = sel_layer_forward(layer, n, inputs, out);
  if (c->status != SEL_OK) return NULL;
  c->held[c->n++] = out[0];
  if (out[1]) c->held[c->n++] = out[1];
  if (present) *present = out[1];
  return out[0];
}

/* value * silu(gate): the GLU of Dauphin et al. 2017 as Shazeer 2020 varies it. */
static sel_tensor *swiglu(tf_composition *c, sel_tensor *x) {
  if (c->status != SEL_OK) return NULL;
  const int64_t half = sel_size(x, -1) / 2;
  sel_tensor *value = TF(c, narrow, x, -1, 0, half);
  sel_tensor *gate = TF(c, narrow, x, -1, half, half);
  gate = TF(c, silu, gate);
  return TF(c, mul, value, gate);
}

static sel_tensor *activated(tf_composition *c, tf_activation activation, sel_tensor *x) {
  switch (activation) {
    case TF_RELU:
      return TF(c, relu, x);
    case TF_GELU:
      return TF(c, gelu, x);
    default:
      return swiglu(c, x);
  }
}

sel_tensor *tf_run_feed_forward(tf_composition *c, const tf_block *block, sel_layer *linear1,
                                sel_layer *linear2, bool training, sel_tensor *x) {
  x = activated(c, block->activation, tf_apply(c, linear1, x));
  return tf_apply(c, linear2, dropped(c, block, training, x));
}
