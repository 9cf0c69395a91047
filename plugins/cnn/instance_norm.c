/* instance_norm1d, 2d, 3d (Ulyanov et al. 2016): each channel of each sample with its own mean and
 * variance; with track_running_stats, in evaluation with the means of these over all batches.
 *
 * Instance norm of [n, channels, ...] is batch norm of [1, n * channels, ...]: so the running
 * statistics are updated for each sample, and the samples' mean taken, as PyTorch does, which does
 * not count the batches. */
#include "norm.h"

static sel_status init1(sel_layer *self, const sel_options *options) {
  return cnn_init_channel_norm(self, options, 2, 3);
}
static sel_status init2(sel_layer *self, const sel_options *options) {
  return cnn_init_channel_norm(self, options, 3, 4);
}
static sel_status init3(sel_layer *self, const sel_options *options) {
  return cnn_init_channel_norm(self, options, 4, 5);
}

/* `running` [channels] repeated for each sample, [n * channels]. */
static sel_status repeat(sel_tensor *running, int64_t n, int64_t channels, sel_tensor **out) {
  sel_tensor *rows = NULL, *copy = NULL;
  sel_status status = sel_expand(running, 2, (const int64_t[]){n, channels}, &rows);
  if (status == SEL_OK) status = sel_clone(rows, &copy);
  if (status == SEL_OK) status = sel_view(copy, 1, (const int64_t[]){n * channels}, out);
  sel_release(rows);
  sel_release(copy);
  return status;
}

/* running = the samples' mean of `repeated`. */
static sel_status gather(sel_tensor *running, sel_tensor *repeated, int64_t n, int64_t channels) {
  sel_tensor *rows = NULL, *mean = NULL;
  const int dim = 0;
  sel_status status = sel_view(repeated, 2, (const int64_t[]){n, channels}, &rows);
  if (status == SEL_OK) status = sel_mean(rows, 1, &dim, false, &mean);
  if (status == SEL_OK) status = sel_copy_(running, mean);
  sel_release(rows);
  sel_release(mean);
  return status;
}

/* Updates the running statistics from x [n, channels, ...], n > 0. */
static sel_status track(sel_layer *self, sel_tensor *x, int64_t n) {
  const channel_norm *norm = sel_layer_state(self);
  sel_tensor *mean = sel_layer_slot(self, NORM_MEAN), *var = sel_layer_slot(self, NORM_VAR);
  sel_tensor *means = NULL, *vars = NULL, *constant = NULL, *flat = NULL, *y = NULL;
  const int64_t channels = norm->channels;
  sel_status status = repeat(mean, n, channels, &means);
  if (status == SEL_OK) status = repeat(var, n, channels, &vars);
  if (status == SEL_OK) status = sel_detach(x, &constant);
  if (status == SEL_OK)
    status = sel_reshape(constant, 3,
                         (const int64_t[]){1, n * channels, sel_numel(x) / n / channels}, &flat);
  if (status == SEL_OK)
    status = sel_batch_norm(flat, means, vars, NULL, NULL, true, norm->momentum, norm->eps, &y);
  if (status == SEL_OK) status = gather(mean, means, n, channels);
  if (status == SEL_OK) status = gather(var, vars, n, channels);
  sel_tensor *made[] = {means, vars, constant, flat, y};
  for (int i = 0; i < CNN_COUNT(made); i++) sel_release(made[i]);
  return status;
}

/* x [n, channels, ...] */
static sel_status normalise(sel_layer *self, sel_tensor *x, sel_tensor **out) {
  const channel_norm *n = sel_layer_state(self);
  const bool training = sel_layer_training(self);
  sel_tensor *weight = sel_layer_slot(self, NORM_WEIGHT), *bias = sel_layer_slot(self, NORM_BIAS);
  char text[CNN_TEXT];
  if (n->tracks && !training)
    return sel_batch_norm(x, sel_layer_slot(self, NORM_MEAN), sel_layer_slot(self, NORM_VAR),
                          weight, bias, false, 0, n->eps, out);
  if (sel_numel(x) > 0 && sel_numel(x) == sel_size(x, 0) * n->channels && training)
    return sel_fail(SEL_E_SHAPE, "more than one value a channel is needed in training, got %s",
                    sel_describe(x, text, sizeof text));
  if (n->tracks && sel_numel(x) > 0) CNN_TRY(track(self, x, sel_size(x, 0)));
  return sel_group_norm(x, n->channels, weight, bias, n->eps, out);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const channel_norm *n = sel_layer_state(self);
  bool single = sel_ndim(inputs[0]) == n->low;
  sel_tensor *x = NULL, *y = NULL;
  CNN_TRY(cnn_check_channels(n, inputs[0], single ? 0 : 1));
  CNN_TRY(cnn_as_batch(inputs[0], n->low - 1, &single, &x));
  sel_status status = normalise(self, x, &y);
  sel_release(x);
  return status == SEL_OK ? cnn_as_given(y, single, outputs) : status;
}

static const sel_option options[] = {CNN_NORM_OPTIONS("false", "false"), CNN_DTYPE_OPTION};
static const sel_port inputs[] = {
    {"input", "[N, C, length] or [C, length]", false},
    {"input", "[N, C, height, width] or [C, height, width]", false},
    {"input", "[N, C, depth, height, width] or [C, depth, height, width]", false}};
static const sel_port output = {"output", "the input's shape", false};

#define TYPE(dims, extents)                                                                    \
  {                                                                                            \
    .size = sizeof(sel_layer_type), .name = "instance_norm" #dims "d",                         \
    .summary = "each channel of each sample less its mean, divided by its standard deviation", \
    .example = "nn.instance_norm" #dims "d(3):forward(sel.randn(2, 3, " extents "))",          \
    .n_options = CNN_COUNT(options), .options = options, CNN_PORTS(inputs[dims - 1], output),  \
    .state_size = sizeof(channel_norm), .init = init##dims, .forward = forward                 \
  }
static const sel_layer_type types[] = {TYPE(1, "4"), TYPE(2, "4, 5"), TYPE(3, "2, 3, 4")};

const sel_layer_type *const cnn_instance_norm_types[] = {&types[0], &types[1], &types[2], NULL};
