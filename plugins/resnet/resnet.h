/* The layer types of this plugin, and what several of them share. */
#ifndef RESNET_H
#define RESNET_H

#include <math.h>

#include "selenite/layer.h"

#define RN_TRY(expr)                       \
  do {                                     \
    sel_status rn_try_ = (expr);           \
    if (rn_try_ != SEL_OK) return rn_try_; \
  } while (0)

#define RN_COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* ---- the types ---- */

extern const sel_layer_type *const resnet_block_types[]; /* ended by NULL */
const sel_layer_type *resnet_model_at(int i);            /* NULL past the last */

/* ---- making children ---- */

/* Adds a layer made as sel_layer_make does. */
sel_status resnet_add(sel_layer *self, const char *name, const char *type, const char *options);

/* A square convolution without bias, whose padding keeps the extents at stride 1. */
typedef struct resnet_conv {
  int64_t in, out, kernel, stride, dilation, groups;
} resnet_conv;

/* Its weight is drawn as He et al. (2015) do for what a ReLU follows: from a normal distribution of
 * variance 2 / fan out. */
sel_status resnet_add_conv(sel_layer *self, const char *name, const resnet_conv *conv);
sel_status resnet_add_norm(sel_layer *self, const char *name, int64_t channels);
/* Adds a layer without children yet that runs its children in order; *out is borrowed. */
sel_status resnet_add_sequential(sel_layer *self, const char *name, sel_layer **out);
/* Sets a layer's parameter `weight` to zero. */
sel_status resnet_zero_weight(const sel_layer *layer);

/* ---- running ---- */

/* Fails unless x is [N, C, height, width]. */
sel_status resnet_check_images(const sel_tensor *x);
/* Replaces *x by what child i of self makes of it, by NULL after a failure. */
sel_status resnet_apply(sel_layer *self, int i, sel_tensor **x);
/* All children in order. */
sel_status resnet_run(sel_layer *self, sel_tensor *x, sel_tensor **out);

/* ---- descriptions ---- */

/* Channels and the like, bounded so that their products are no overflow. */
enum { RN_MOST = 1000000 };

#define RN_INT(option_name, text, least, words)                                      \
  {                                                                                  \
    .name = option_name, .kind = SEL_OPTION_INT, .default_text = text, .low = least, \
    .high = RN_MOST, .doc = words                                                    \
  }
#define RN_REQUIRED(option_name, least, words)                                                    \
  {                                                                                               \
    .name = option_name, .kind = SEL_OPTION_INT, .required = true, .low = least, .high = RN_MOST, \
    .doc = words                                                                                  \
  }
#define RN_BOOL(option_name, words) \
  { .name = option_name, .kind = SEL_OPTION_BOOL, .default_text = "false", .doc = words }
#define RN_ZERO_INIT_OPTION     \
  RN_BOOL("zero_init_residual", \
          "whether residual branches start as zero: their last layer's weight")
#define RN_DTYPE_OPTION \
  { .name = "dtype", .kind = SEL_OPTION_DTYPE, .default_text = "f32", .doc = "of the parameters" }

#endif
