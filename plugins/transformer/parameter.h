/* Making parameters and parts of the layers that are built of others. */
#ifndef TRANSFORMER_PARAMETER_H
#define TRANSFORMER_PARAMETER_H

#include "transformer.h"

/* Reads the option `dtype`, which must be a float dtype. */
sel_status tf_float_dtype(const sel_options *options, sel_dtype *out);

#define TF_SIZE(option_name, text, words)                                                          \
  {                                                                                                \
    .name = option_name, .kind = SEL_OPTION_INT, .default_text = text, .low = 1, .high = INFINITY, \
    .doc = words                                                                                   \
  }

/* ---- parameters ---- */

/* Adds a parameter of normal values around 0, or of zeros. */
sel_status tf_add_normal(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                         sel_dtype dtype, double std);
sel_status tf_add_zeros(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                        sel_dtype dtype);
/* Other initial values for a parameter that a child was made with: normal ones (std 0: zeros), or
 * those it has times a factor. */
sel_status tf_redraw(sel_layer *child, const char *parameter, double std);
sel_status tf_scale(sel_layer *child, const char *parameter, double factor);

/* ---- parts ---- */

/* Adds a child of a type that is not registered and has tf_filled_later as init; *part, borrowed,
 * is filled by the caller. state: copied to where the type keeps its own, NULL where it has none.
 */
sel_status tf_add_part(sel_layer *self, const char *name, const sel_layer_type *type,
                       const void *state, sel_layer **part);
sel_status tf_filled_later(sel_layer *self, const sel_options *options);
/* Adds a child of a registered type; `format` makes the text of its options. */
sel_status tf_add_made(sel_layer *self, const char *name, const char *type, const char *format, ...)
    SEL_PRINTF(4, 5);

/* Dropout while self is training. */
sel_tensor *tf_drop(tf_composition *c, const sel_layer *self, double p, sel_tensor *x);

#endif
