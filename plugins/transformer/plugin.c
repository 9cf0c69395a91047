/* The transformer plugin: attention, positional encodings and the models built of them, composed of
 * what the library offers. */
#include "selenite/plugin.h"

#include "encoding.h"
#include "gpt.h"
#include "transformer.h"
#include "vit.h"

static sel_status init(void) {
  static const sel_layer_type *const types[] = {
      &transformer_scaled_dot_product_attention,
      &transformer_multihead_attention,
      &transformer_encoder_layer,
      &transformer_decoder_layer,
      &transformer_encoder,
      &transformer_decoder,
      &transformer_transformer,
      &transformer_sinusoidal_encoding,
      &transformer_learned_encoding,
      &transformer_rotary_encoding,
      &transformer_gpt,
      &transformer_vit,
  };
  for (int i = 0; i < TF_COUNT(types); i++) TF_TRY(sel_register_layer_type(types[i]));
  return SEL_OK;
}

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = "transformer",
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_LAYERS,
                                                     .init = init};
