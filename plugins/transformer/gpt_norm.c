/* The normalisation of a gpt's features: layer_norm or rms_norm. */
#include "gpt.h"

sel_status gpt_add_norm(sel_layer *self, const char *name, const gpt_config *config) {
  const char *dtype = sel_dtype_name(config->dtype);
  if (config->rms)
    return tf_add_made(self, name, "rms_norm", "normalized_shape=%lld, eps=%.17g, dtype=%s",
                       (long long)config->features, config->eps, dtype);
  return tf_add_made(
      self, name, "layer_norm", "normalized_shape=%lld, eps=%.17g, bias=%s, dtype=%s",
      (long long)config->features, config->eps, config->bias ? "true" : "false", dtype);
}
