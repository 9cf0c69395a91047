/* transformer: encoder and decoder (Vaswani et al. 2017), with torch.nn.Transformer's parameters,
 * defaults and initial values. For stepwise generation call its children: the encoder once, the
 * decoder for each step. */
#include "block.h"
#include "selenite/autograd.h"

enum { ENCODER, DECODER }; /* children */
enum { SRC, TGT, SRC_MASK, TGT_MASK, MEMORY_MASK, SRC_PADDING, TGT_PADDING, MEMORY_PADDING };

/* ---- making ---- */

/* Matrices get Xavier's uniform values (Glorot and Bengio 2010). */
static sel_status fill_matrices(sel_layer *layer) {
  for (int i = 0; i < sel_layer_slot_count(layer); i++) {
    sel_tensor *t = sel_layer_slot(layer, i);
    if (!t || sel_ndim(t) != 2) continue;
    const double bound = sqrt(6.0 / (double)(sel_size(t, 0) + sel_size(t, 1)));
    TF_TRY(sel_uniform_(t, -bound, bound));
  }
  for (int i = 0; i < sel_layer_child_count(layer); i++)
    TF_TRY(fill_matrices(sel_layer_child(layer, i)));
  return SEL_OK;
}

static sel_status add_coder(sel_layer *self, const char *name, const sel_layer_type *type,
                            const char *number, bool causal, const sel_options *given) {
  sel_options *options = NULL;
  sel_layer *coder = NULL;
  TF_TRY(tf_options_alike(self, given, type, &options));
  sel_status status =
      sel_options_set_number(options, "num_layers", (double)sel_options_int(given, number));
  if (status == SEL_OK) status = sel_options_set_bool(options, "final_norm", true);
  if (status == SEL_OK) status = sel_options_set_bool(options, "causal", causal);
  if (status == SEL_OK) status = sel_layer_new(type, options, &coder);
  sel_options_release(options);
  return status == SEL_OK ? sel_layer_add_child(self, name, coder) : status;
}

static sel_status init(sel_layer *self, const sel_options *options) {
  tf_block block;
  TF_TRY(tf_read_block(options, &block));
  TF_TRY(add_coder(self, "encoder", &transformer_encoder, "num_encoder_layers", false, options));
  TF_TRY(add_coder(self, "decoder", &transformer_decoder, "num_decoder_layers",
                   sel_options_bool(options, "causal"), options));
  const bool before = sel_set_grad_enabled(false);
  sel_status status = fill_matrices(self);
  sel_set_grad_enabled(before);
  return status;
}

/* ---- forward ---- */

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  tf_composition c = {.status = SEL_OK};
  sel_tensor *src[] = {inputs[SRC], inputs[SRC_MASK], inputs[SRC_PADDING], NULL};
  sel_tensor *memory = tf_run(&c, sel_layer_child(self, ENCODER), TF_COUNT(src), src, NULL);
  sel_tensor *tgt[] = {inputs[TGT],
                       memory,
                       inputs[TGT_MASK],
                       inputs[MEMORY_MASK],
                       inputs[TGT_PADDING],
                       inputs[MEMORY_PADDING],
                       NULL};
  sel_tensor *out = tf_run(&c, sel_layer_child(self, DECODER), TF_COUNT(tgt), tgt, NULL);
  return tf_end(&c, out, outputs);
}

/* ---- description ---- */

static const sel_option options[] = {TF_SIZE("d_model", "512", "features of a position"),
                                     TF_SIZE("nhead", "8", "heads, a divisor of d_model"),
                                     TF_SIZE("num_encoder_layers", "6", "layers of the encoder"),
                                     TF_SIZE("num_decoder_layers", "6", "layers of the decoder"),
                                     TF_BLOCK_OPTIONS};
static const sel_port inputs[] = {
    {"src", "[S, N, d_model]", false},
    {"tgt", "[L, N, d_model]", false},
    {"src_mask", "[S, S] or [N * nhead, S, S], bool (true: not seen) or float (added)", true},
    {"tgt_mask", "[L, L] or [N * nhead, L, L], the same", true},
    {"memory_mask", "[L, S] or [N * nhead, L, S], the same", true},
    {"src_key_padding_mask", "[N, S], the same", true},
    {"tgt_key_padding_mask", "[N, L], the same", true},
    {"memory_key_padding_mask", "[N, S], the same", true}};
static const sel_port output = {"output", "[L, N, d_model]", false};

const sel_layer_type transformer_transformer = {
    .size = sizeof(sel_layer_type),
    .name = "transformer",
    .summary = "encoder and decoder, from one sequence to another",
    .example =
        "local src, tgt = sel.randn(5, 2, 16), sel.randn(3, 2, 16)\n"
        "nn.transformer{d_model = 16, nhead = 4, dim_feedforward = 32}:forward(src, tgt)",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = TF_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = 1,
    .outputs = &output,
    .init = init,
    .forward = forward};
