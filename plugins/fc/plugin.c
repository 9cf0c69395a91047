/* The fc plugin: fully connected layers, activations, and what goes between them. */
#include "selenite/plugin.h"

#include "fc.h"

static sel_status init(void) {
  static const sel_layer_type *const types[] = {
      &fc_linear, &fc_bilinear, &fc_identity, &fc_flatten,     &fc_dropout, &fc_hardtanh,
      &fc_relu6,  &fc_prelu,    &fc_softmax,  &fc_log_softmax, &fc_glu};
  for (int i = 0; i < FC_COUNT(types); i++) FC_TRY(sel_register_layer_type(types[i]));
  const sel_layer_type *activation;
  for (int i = 0; (activation = fc_activation_at(i)); i++)
    FC_TRY(sel_register_layer_type(activation));
  return SEL_OK;
}

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = "fc",
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_LAYERS,
                                                     .init = init};
