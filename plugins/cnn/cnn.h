/* The layer types of this plugin, and what several of them share. */
#ifndef CNN_H
#define CNN_H

#include <math.h>

#include "selenite/layer.h"

#define CNN_TRY(expr)                        \
  do {                                       \
    sel_status cnn_try_ = (expr);            \
    if (cnn_try_ != SEL_OK) return cnn_try_; \
  } while (0)

#define CNN_COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

enum { CNN_DIMS = 3, CNN_TEXT = 160 };

/* ---- the types: a list a file, ended by NULL ---- */

extern const sel_layer_type *const cnn_conv_types[], *const cnn_conv_transpose_types[];
extern const sel_layer_type *const cnn_pool_types[], *const cnn_adaptive_pool_types[];
extern const sel_layer_type *const cnn_upsample_types[], *const cnn_pixel_shuffle_types[];
extern const sel_layer_type *const cnn_padding_types[], *const cnn_dropout_types[];
extern const sel_layer_type *const cnn_batch_norm_types[], *const cnn_instance_norm_types[];
extern const sel_layer_type *const cnn_group_norm_types[], *const cnn_layer_norm_types[];

/* ---- parameters ---- */

/* Adds a parameter of values drawn uniformly from [-bound, bound), PyTorch's way for convolutions:
 * kaiming_uniform with a = sqrt(5), whose bound is 1 / sqrt(fan in). */
sel_status cnn_add_uniform(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                           sel_dtype dtype, double bound);
/* Reads in_channels, out_channels and groups, which must divide both. */
sel_status cnn_read_channels(const sel_options *options, int64_t *in, int64_t *out,
                             int64_t *groups);
/* Reads the option `dtype`, which must be a float dtype. */
sel_status cnn_parameter_dtype(const sel_options *options, sel_dtype *out);

/* ---- images: [N, C, ...] with `dims` extents, or [C, ...] for a single one ---- */

/* x as [N, C, ...], new; *single: it came without N. */
sel_status cnn_as_batch(sel_tensor *x, int dims, bool *single, sel_tensor **out);
/* Whether x, as the user gave it and cnn_as_batch took it, has this many channels. */
sel_status cnn_expect_channels(const sel_tensor *x, bool single, int64_t channels);
/* Takes y, [N, C, ...]; *out is y, or y without its N where `single`. */
sel_status cnn_as_given(sel_tensor *y, bool single, sel_tensor **out);

/* ---- descriptions ---- */

#define CNN_INT(option_name, words)                                                            \
  {                                                                                            \
    .name = option_name, .kind = SEL_OPTION_INT, .required = true, .low = 1, .high = INFINITY, \
    .doc = words                                                                               \
  }
/* A whole number or one for each dim, at least `least`. */
#define CNN_INTS(option_name, text, least, count, words)                              \
  {                                                                                   \
    .name = option_name, .kind = SEL_OPTION_INTS, .default_text = text, .low = least, \
    .high = INFINITY, .max_count = count, .doc = words                                \
  }
#define CNN_KERNEL(dims)                                                                          \
  {                                                                                               \
    .name = "kernel_size", .kind = SEL_OPTION_INTS, .required = true, .low = 1, .high = INFINITY, \
    .max_count = dims, .doc = "extents of the window"                                             \
  }
#define CNN_BOOL(option_name, text, words) \
  { .name = option_name, .kind = SEL_OPTION_BOOL, .default_text = text, .doc = words }
#define CNN_DTYPE_OPTION \
  { .name = "dtype", .kind = SEL_OPTION_DTYPE, .default_text = "f32", .doc = "of the parameters" }

/* The ports of a layer from images to images. */
#define CNN_PORTS(from, to) .n_inputs = 1, .inputs = &from, .n_outputs = 1, .outputs = &to

#endif
