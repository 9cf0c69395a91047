/* A plugin in several versions, one file each: the layer type `times`, y = FACTOR * x. */
#include <selenite/selenite.h>

#ifndef NAME
#define NAME "times"
#endif

static sel_status init(sel_layer *self, const sel_options *options) {
  (void)self, (void)options;
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  (void)self;
  return sel_mul_scalar(inputs[0], FACTOR, outputs);
}

static const sel_port port = {.name = "x", .shape = "[*]"};

#define TYPE(type_name)                                                                   \
  {                                                                                       \
    .size = sizeof(sel_layer_type), .name = type_name, .summary = "a multiple",           \
    .example = "nn." type_name "():forward(sel.ones(2))", .n_inputs = 1, .inputs = &port, \
    .n_outputs = 1, .outputs = &port, .init = init, .forward = forward                    \
  }
static const sel_layer_type times = TYPE("times");
static const sel_layer_type extra = TYPE(EXTRA);

static sel_status register_types(void) {
  sel_status status = sel_register_layer_type(&times);
  if (status == SEL_OK) status = sel_register_layer_type(&extra);
#ifdef FAILS
  if (status == SEL_OK) status = sel_fail(SEL_E_ARGUMENT, "no luck");
#endif
  return status;
}

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = NAME,
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_LAYERS,
                                                     .init = register_types};
