/* Conversions that a loader's workers make as they copy rows. */
#ifndef SEL_ROW_CONVERT_H
#define SEL_ROW_CONVERT_H

#include "selenite/tensor.h"

/* y = (x * scale - mean) / std for float y, y = x otherwise. */
typedef void (*sel__convert_fn)(const void *x, void *y, int64_t n, double scale, double mean,
                                double std);

/* NULL where there is none: then the backend's copy kernel has to. */
sel__convert_fn sel__row_converter(sel_dtype from, sel_dtype to);

#endif
