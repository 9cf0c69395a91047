/* The layer types of this plugin, and what several of them share. */
#ifndef FC_H
#define FC_H

#include "selenite/layer.h"

extern const sel_layer_type fc_linear, fc_bilinear, fc_identity, fc_flatten, fc_dropout;
extern const sel_layer_type fc_hardtanh, fc_relu6, fc_prelu, fc_softmax, fc_log_softmax, fc_glu;
const sel_layer_type *fc_activation_at(int i); /* NULL past the last */

#define FC_TRY(expr)                       \
  do {                                     \
    sel_status fc_try_ = (expr);           \
    if (fc_try_ != SEL_OK) return fc_try_; \
  } while (0)

#define FC_COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* The ports of a layer that keeps its input's shape. */
#define FC_SAME_SHAPE_PORTS \
  .n_inputs = 1, .inputs = &fc_any_port, .n_outputs = 1, .outputs = &fc_same_port
extern const sel_port fc_any_port, fc_same_port;

/* Adds a parameter of values drawn uniformly from [-bound, bound). */
sel_status fc_add_uniform(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                          sel_dtype dtype, double bound);
/* Reads the option `dtype`, which must be a float dtype. */
sel_status fc_parameter_dtype(const sel_options *options, sel_dtype *out);
#define FC_DTYPE_OPTION \
  { .name = "dtype", .kind = SEL_OPTION_DTYPE, .default_text = "f32", .doc = "of the parameters" }

/* Checks a dim read by sel_options_dim against x, makes it non-negative. The error counts dims as
 * the user did. */
sel_status fc_find_dim(const sel_tensor *x, const char *option, int dim, int *out);

#endif
