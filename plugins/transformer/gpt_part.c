/* Making the parts of a gpt: what all of them need. */
#include "gpt.h"

sel_status gpt_filled_later(sel_layer *self, const sel_options *options) {
  (void)self, (void)options;
  return SEL_OK;
}

sel_status gpt_add_part(sel_layer *self, const char *name, const sel_layer_type *type,
                        const gpt_config *config, sel_layer **part) {
  sel_layer *made = NULL;
  TF_TRY(sel_layer_new(type, NULL, &made));
  if (type->state_size) *(gpt_config *)sel_layer_state(made) = *config;
  TF_TRY(sel_layer_add_child(self, name, made));
  *part = made;
  return SEL_OK;
}

sel_status gpt_add_norm(sel_layer *self, const char *name, const gpt_config *config) {
  const char *dtype = sel_dtype_name(config->dtype);
  if (config->rms)
    return tf_add_made(self, name, "rms_norm", "normalized_shape=%lld, eps=%.17g, dtype=%s",
                       (long long)config->features, config->eps, dtype);
  return tf_add_made(
      self, name, "layer_norm", "normalized_shape=%lld, eps=%.17g, bias=%s, dtype=%s",
      (long long)config->features, config->eps, config->bias ? "true" : "false", dtype);
}

sel_tensor *gpt_drop(tf_composition *c, const sel_layer *self, double p, sel_tensor *x) {
  return sel_layer_training(self) && p > 0 ? TF(c, dropout, x, p) : x;
}
