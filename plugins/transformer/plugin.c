/* The transformer plugin: attention layers, composed of what the library offers. */
#include "selenite/plugin.h"

#include "transformer.h"

static sel_status init(void) { return sel_register_layer_type(&transformer_multihead_attention); }

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = "transformer",
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_LAYERS,
                                                     .init = init};
