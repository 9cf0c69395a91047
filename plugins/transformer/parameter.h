/* Making parameters and parts of the layers that builders are composed of. */
#ifndef TRANSFORMER_PARAMETER_H
#define TRANSFORMER_PARAMETER_H

#include "transformer.h"

/* Reads the option `dtype`, which must be a float dtype. */
sel_status tf_float_dtype(const sel_options *options, sel_dtype *out);
/* Adds a parameter of normal values around 0, or of zeros. */
sel_status tf_add_normal(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                         sel_dtype dtype, double std);
sel_status tf_add_zeros(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                        sel_dtype dtype);
/* Adds a child of a registered type; `format` makes the text of its options. */
sel_status tf_add_made(sel_layer *self, const char *name, const char *type, const char *format, ...)
    SEL_PRINTF(4, 5);

#endif
