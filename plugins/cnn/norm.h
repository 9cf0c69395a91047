/* What the normalisation layers of this plugin share. */
#ifndef CNN_NORM_H
#define CNN_NORM_H

#include "cnn.h"
#include "selenite/autograd.h"
#include "selenite/nn.h"
#include "selenite/ops.h"

/* Adds a parameter, or a buffer, of this shape that holds `value` everywhere. `add` false: a
 * parameter's name without tensor. */
sel_status cnn_add_constant(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                            sel_dtype dtype, double value, bool add);
sel_status cnn_add_buffer(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                          sel_dtype dtype, double value);

/* ---- batch_norm, instance_norm: slots in this order, the last three with track_running_stats ----
 */

enum { NORM_WEIGHT, NORM_BIAS, NORM_MEAN, NORM_VAR, NORM_BATCHES };

typedef struct channel_norm {
  int low, high; /* dims an input may have */
  int64_t channels;
  double momentum, eps;
  bool tracks;
  bool cumulative; /* batch norm's option, not read from instance norm's */
} channel_norm;

sel_status cnn_init_channel_norm(sel_layer *self, const sel_options *options, int low, int high);
/* Fails unless x has the dims and, at `channel_dim`, the channels. */
sel_status cnn_check_channels(const channel_norm *n, const sel_tensor *x, int channel_dim);

#define CNN_NORM_OPTIONS(affine_default, tracks_default)                                      \
  CNN_INT("num_features", "channels of the input"),                                           \
      {.name = "eps",                                                                         \
       .kind = SEL_OPTION_NUMBER,                                                             \
       .default_text = "1e-5",                                                                \
       .low = 0,                                                                              \
       .high = INFINITY,                                                                      \
       .doc = "added to the variance"},                                                       \
      {.name = "momentum",                                                                    \
       .kind = SEL_OPTION_NUMBER,                                                             \
       .default_text = "0.1",                                                                 \
       .low = 0,                                                                              \
       .high = 1,                                                                             \
       .doc = "how far a batch moves the running statistics"},                                \
      CNN_BOOL("affine", affine_default, "whether there are a weight and a bias by channel"), \
      CNN_BOOL("track_running_stats", tracks_default,                                         \
               "whether running statistics are kept, and used in evaluation")

#endif
