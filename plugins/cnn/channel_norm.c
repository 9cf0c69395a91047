/* Parameters, running statistics and checks of batch_norm and instance_norm. */
#include <stdio.h>

#include "norm.h"

static sel_status full(int ndim, const int64_t *shape, sel_dtype dtype, double value,
                       sel_tensor **out) {
  return sel_full(ndim, shape, value, dtype, NULL, out);
}

sel_status cnn_add_constant(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                            sel_dtype dtype, double value, bool add) {
  sel_tensor *t = NULL;
  if (add) CNN_TRY(full(ndim, shape, dtype, value, &t));
  return sel_layer_add_parameter(self, name, t);
}

sel_status cnn_add_buffer(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                          sel_dtype dtype, double value) {
  sel_tensor *t = NULL;
  CNN_TRY(full(ndim, shape, dtype, value, &t));
  return sel_layer_add_buffer(self, name, t, true);
}

sel_status cnn_init_channel_norm(sel_layer *self, const sel_options *options, int low, int high) {
  channel_norm *n = sel_layer_state(self);
  sel_dtype dtype = SEL_F32;
  *n = (channel_norm){.low = low,
                      .high = high,
                      .channels = sel_options_int(options, "num_features"),
                      .momentum = sel_options_number(options, "momentum"),
                      .eps = sel_options_number(options, "eps"),
                      .tracks = sel_options_bool(options, "track_running_stats")};
  const bool affine = sel_options_bool(options, "affine");
  CNN_TRY(cnn_parameter_dtype(options, &dtype));
  CNN_TRY(cnn_add_constant(self, "weight", 1, &n->channels, dtype, 1, affine));
  CNN_TRY(cnn_add_constant(self, "bias", 1, &n->channels, dtype, 0, affine));
  if (!n->tracks) return SEL_OK;
  CNN_TRY(cnn_add_buffer(self, "running_mean", 1, &n->channels, dtype, 0));
  CNN_TRY(cnn_add_buffer(self, "running_var", 1, &n->channels, dtype, 1));
  return cnn_add_buffer(self, "num_batches_tracked", 0, NULL, SEL_I64, 0);
}

sel_status cnn_check_channels(const channel_norm *n, const sel_tensor *x, int channel_dim) {
  char text[CNN_TEXT];
  const int ndim = sel_ndim(x);
  if (ndim >= n->low && ndim <= n->high && sel_size(x, channel_dim) == n->channels) return SEL_OK;
  char dims[32];
  snprintf(dims, sizeof dims, n->low == n->high ? "%d" : "%d or %d", n->low, n->high);
  return sel_fail(SEL_E_SHAPE,
                  "an input of %s dims with %lld channels in dim %d is expected, got %s", dims,
                  (long long)n->channels, channel_dim + 1, sel_describe(x, text, sizeof text));
}
