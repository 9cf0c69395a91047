/* A layer type that does nothing, for plugins that register one. */
#ifndef STUB_TYPE_H
#define STUB_TYPE_H

#include <selenite/plugin.h>

static sel_status stub_init(sel_layer *self, const sel_options *options) {
  (void)self, (void)options;
  return SEL_OK;
}

static sel_status stub_forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  (void)self;
  outputs[0] = sel_retain(inputs[0]);
  return SEL_OK;
}

static const sel_port stub_port = {"x", "[*]", false};

#define STUB_TYPE(type_name)                                                                       \
  {                                                                                                \
    .size = sizeof(sel_layer_type), .name = type_name, .summary = "nothing", .example = "nil",     \
    .n_inputs = 1, .inputs = &stub_port, .n_outputs = 1, .outputs = &stub_port, .init = stub_init, \
    .forward = stub_forward                                                                        \
  }

#endif
