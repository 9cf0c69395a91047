/* transformer_encoder and transformer_decoder: stacks of the layers of these names, all made with
 * the same options, and a norm behind on demand. Parameters are named as those of
 * torch.nn.TransformerEncoder and TransformerDecoder. Bool masks are converted here, once for all
 * layers. */
#include "block.h"

enum { LAYERS, NORM }; /* children */

/* ---- making ---- */

static sel_status add_layers(sel_layer *self, const sel_options *given,
                             const sel_layer_type *layer_type) {
  sel_options *options = NULL;
  TF_TRY(tf_options_alike(self, given, layer_type, &options));
  sel_status status =
      tf_add_stack(self, "layers", sel_options_int(given, "num_layers"), layer_type, options);
  sel_options_release(options);
  return status;
}

static sel_status init_with(sel_layer *self, const sel_options *options,
                            const sel_layer_type *layer_type) {
  tf_block block;
  TF_TRY(tf_read_block(options, &block));
  TF_TRY(add_layers(self, options, layer_type));
  return sel_options_bool(options, "final_norm") ? tf_add_norm(self, "norm", options) : SEL_OK;
}

static sel_status init_encoder(sel_layer *self, const sel_options *options) {
  return init_with(self, options, &transformer_encoder_layer);
}
static sel_status init_decoder(sel_layer *self, const sel_options *options) {
  return init_with(self, options, &transformer_decoder_layer);
}

/* ---- forward ---- */

/* in: n inputs, of which those from first_mask on, but for the last one, `past`, are masks. */
static sel_status run(sel_layer *self, int n, int first_mask, sel_tensor **in,
                      sel_tensor **outputs) {
  tf_composition c = {.status = SEL_OK};
  sel_layer *norm = sel_layer_child(self, NORM);
  sel_tensor *present = NULL;
  for (int i = first_mask; i < n - 1; i++) in[i] = tf_additive(&c, in[i], sel_tensor_dtype(in[0]));
  sel_tensor *x = tf_run(&c, sel_layer_child(self, LAYERS), n, in, &present);
  if (norm) x = tf_apply(&c, norm, x);
  if (c.status == SEL_OK) outputs[1] = sel_retain(present);
  return tf_end(&c, x, outputs);
}

static sel_status forward_encoder(sel_layer *self, sel_tensor *const *inputs,
                                  sel_tensor **outputs) {
  sel_tensor *in[] = {inputs[0], inputs[1], inputs[2], inputs[3]};
  return run(self, TF_COUNT(in), 1, in, outputs);
}
static sel_status forward_decoder(sel_layer *self, sel_tensor *const *inputs,
                                  sel_tensor **outputs) {
  sel_tensor *in[] = {inputs[0], inputs[1], inputs[2], inputs[3], inputs[4], inputs[5], inputs[6]};
  return run(self, TF_COUNT(in), 2, in, outputs);
}

/* ---- descriptions ---- */

static const sel_option options[] = {
    TF_REQUIRED("d_model", "features of a position"),
    TF_REQUIRED("nhead", "heads, a divisor of d_model"), TF_REQUIRED("num_layers", "layers"),
    TF_BLOCK_OPTIONS, TF_BOOL("final_norm", "false", "whether there is a norm behind the layers")};
static const sel_port encoder_inputs[] = {TF_ENCODER_INPUTS,
                                          {"past", "[num_layers, past of a layer]", true}};
static const sel_port decoder_inputs[] = {TF_DECODER_INPUTS,
                                          {"past", "[num_layers, past of a layer]", true}};
static const sel_port results[] = {{"output", "[L, N, d_model]", false},
                                   {"present", "[num_layers, present of a layer]", true}};

const sel_layer_type transformer_encoder = {
    .size = sizeof(sel_layer_type),
    .name = "transformer_encoder",
    .summary = "transformer_encoder_layers one behind the other",
    .example = "nn.transformer_encoder(16, 4, 2):forward(sel.randn(5, 2, 16))",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = TF_COUNT(encoder_inputs),
    .inputs = encoder_inputs,
    .n_outputs = TF_COUNT(results),
    .outputs = results,
    .init = init_encoder,
    .forward = forward_encoder};

const sel_layer_type transformer_decoder = {
    .size = sizeof(sel_layer_type),
    .name = "transformer_decoder",
    .summary = "transformer_decoder_layers one behind the other",
    .example =
        "local tgt, memory = sel.randn(3, 2, 16), sel.randn(5, 2, 16)\n"
        "nn.transformer_decoder(16, 4, 2):forward(tgt, memory)",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = TF_COUNT(decoder_inputs),
    .inputs = decoder_inputs,
    .n_outputs = TF_COUNT(results),
    .outputs = results,
    .init = init_decoder,
    .forward = forward_decoder};
