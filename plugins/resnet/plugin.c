/* The resnet plugin: residual blocks and networks, composed of the layers of the plugins cnn and
 * fc, which must be there when such a layer is made. */
#include "selenite/plugin.h"

#include "resnet.h"

static sel_status init(void) {
  for (int i = 0; resnet_block_types[i]; i++)
    RN_TRY(sel_register_layer_type(resnet_block_types[i]));
  const sel_layer_type *model;
  for (int i = 0; (model = resnet_model_at(i)); i++) RN_TRY(sel_register_layer_type(model));
  return SEL_OK;
}

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = "resnet",
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_LAYERS,
                                                     .init = init};
