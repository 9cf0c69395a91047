/* The rnn plugin: recurrent layers, their cells for stepwise use, embedding. */
#include "selenite/plugin.h"

#include "rnn.h"

static sel_status init(void) {
  static const sel_layer_type *const types[] = {
      &rnn_rnn, &rnn_lstm, &rnn_gru, &rnn_rnn_cell, &rnn_lstm_cell, &rnn_gru_cell, &rnn_embedding};
  for (int i = 0; i < RNN_COUNT(types); i++) RNN_TRY(sel_register_layer_type(types[i]));
  return SEL_OK;
}

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = "rnn",
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_LAYERS,
                                                     .init = init};
