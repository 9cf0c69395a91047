/* The cnn plugin: convolution, pooling, resampling, borders, normalisation, and what goes between
 * them. */
#include "selenite/plugin.h"

#include "cnn.h"

static const sel_layer_type *const *const lists[] = {
    cnn_conv_types,       cnn_conv_transpose_types, cnn_pool_types,       cnn_adaptive_pool_types,
    cnn_upsample_types,   cnn_pixel_shuffle_types,  cnn_padding_types,    cnn_dropout_types,
    cnn_batch_norm_types, cnn_instance_norm_types,  cnn_group_norm_types, cnn_layer_norm_types,
};

static sel_status init(void) {
  for (int i = 0; i < CNN_COUNT(lists); i++)
    for (const sel_layer_type *const *type = lists[i]; *type; type++)
      CNN_TRY(sel_register_layer_type(*type));
  return SEL_OK;
}

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = "cnn",
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_LAYERS,
                                                     .init = init};
