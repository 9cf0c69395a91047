/* batch_norm1d, 2d, 3d (Ioffe and Szegedy 2015): each channel with its mean and variance in the
 * batch while training, with the running ones in evaluation. */
#include "norm.h"

static sel_status init_with(sel_layer *self, const sel_options *options, int low, int high) {
  CNN_TRY(cnn_init_channel_norm(self, options, low, high));
  ((channel_norm *)sel_layer_state(self))->cumulative = sel_options_bool(options, "cumulative");
  return SEL_OK;
}
static sel_status init1(sel_layer *self, const sel_options *options) {
  return init_with(self, options, 2, 3);
}
static sel_status init2(sel_layer *self, const sel_options *options) {
  return init_with(self, options, 4, 4);
}
static sel_status init3(sel_layer *self, const sel_options *options) {
  return init_with(self, options, 5, 5);
}

/* Counts a batch; *momentum: how far the running statistics move for it. */
static sel_status count_batch(sel_layer *self, double *momentum) {
  const channel_norm *n = sel_layer_state(self);
  sel_tensor *count = sel_layer_slot(self, NORM_BATCHES);
  double batches = 0;
  CNN_TRY(sel_add_scalar_(count, 1));
  *momentum = n->momentum;
  if (!n->cumulative) return SEL_OK;
  CNN_TRY(sel_item(count, &batches));
  *momentum = 1 / batches;
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const channel_norm *n = sel_layer_state(self);
  sel_tensor *x = inputs[0];
  CNN_TRY(cnn_check_channels(n, x, 1));
  const bool training = sel_layer_training(self);
  double momentum = 0;
  sel_tensor *mean = n->tracks ? sel_layer_slot(self, NORM_MEAN) : NULL;
  sel_tensor *var = n->tracks ? sel_layer_slot(self, NORM_VAR) : NULL;
  if (n->tracks && training) CNN_TRY(count_batch(self, &momentum));
  return sel_batch_norm(x, mean, var, sel_layer_slot(self, NORM_WEIGHT),
                        sel_layer_slot(self, NORM_BIAS), training || !n->tracks, momentum, n->eps,
                        outputs);
}

static const sel_option options[] = {
    CNN_NORM_OPTIONS("true", "true"),
    CNN_BOOL("cumulative", "false",
             "running statistics are the mean of all batches (PyTorch's momentum = None)"),
    CNN_DTYPE_OPTION};
static const sel_port inputs[] = {{"input", "[N, C] or [N, C, length]", false},
                                  {"input", "[N, C, height, width]", false},
                                  {"input", "[N, C, depth, height, width]", false}};
static const sel_port output = {"output", "the input's shape", false};

#define TYPE(dims, extents)                                                                   \
  {                                                                                           \
    .size = sizeof(sel_layer_type), .name = "batch_norm" #dims "d",                           \
    .summary = "each channel less its mean, divided by its standard deviation, over a batch", \
    .example = "nn.batch_norm" #dims "d(3):forward(sel.randn(2, 3, " extents "))",            \
    .n_options = CNN_COUNT(options), .options = options, CNN_PORTS(inputs[dims - 1], output), \
    .state_size = sizeof(channel_norm), .init = init##dims, .forward = forward                \
  }
static const sel_layer_type types[] = {TYPE(1, "4"), TYPE(2, "4, 5"), TYPE(3, "2, 3, 4")};

const sel_layer_type *const cnn_batch_norm_types[] = {&types[0], &types[1], &types[2], NULL};
