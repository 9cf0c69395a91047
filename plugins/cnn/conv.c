/* conv1d, conv2d, conv3d: cross-correlation with weight [out_channels, in_channels / groups,
 * kernel_size...]. */
#include <string.h>

#include "cnn.h"
#include "selenite/nn.h"
#include "selenite/ops.h"

typedef struct conv {
  int dims;
  int64_t stride[CNN_DIMS], dilation[CNN_DIMS], groups;
  int64_t before[CNN_DIMS], after[CNN_DIMS]; /* padding */
  bool bordered;                             /* padded by `border`, not by zeros */
  sel_border border;
} conv;

/* "same": the output has the input's extents; an odd row more is behind, as in PyTorch. */
static sel_status read_padding(conv *state, const sel_options *options, const int64_t *kernel) {
  const char *word = sel_options_string(options, "padding");
  if (strcmp(word, "valid") == 0) return SEL_OK;
  if (!*word) {
    CNN_TRY(sel_options_ints(options, "padding", state->dims, state->before));
    memcpy(state->after, state->before, sizeof state->after);
    return SEL_OK;
  }
  for (int d = 0; d < state->dims; d++) {
    if (state->stride[d] != 1)
      return sel_fail(SEL_E_ARGUMENT, "padding 'same' goes with stride 1, got stride %lld",
                      (long long)state->stride[d]);
    const int64_t total = state->dilation[d] * (kernel[d] - 1);
    state->before[d] = total / 2;
    state->after[d] = total - total / 2;
  }
  return SEL_OK;
}

static void read_border(conv *state, const sel_options *options) {
  const char *mode = sel_options_string(options, "padding_mode");
  state->bordered = strcmp(mode, "zeros") != 0;
  state->border = strcmp(mode, "reflect") == 0     ? SEL_BORDER_REFLECT
                  : strcmp(mode, "replicate") == 0 ? SEL_BORDER_REPLICATE
                                                   : SEL_BORDER_CIRCULAR;
}

static sel_status init(sel_layer *self, const sel_options *options, int dims) {
  conv *state = sel_layer_state(self);
  int64_t in = 0, out = 0, groups = 1;
  CNN_TRY(cnn_read_channels(options, &in, &out, &groups));
  int64_t shape[2 + CNN_DIMS] = {out, in / groups}, *kernel = shape + 2;
  sel_dtype dtype = SEL_F32;
  state->dims = dims;
  state->groups = groups;
  CNN_TRY(sel_options_ints(options, "kernel_size", dims, kernel));
  CNN_TRY(sel_options_ints(options, "stride", dims, state->stride));
  CNN_TRY(sel_options_ints(options, "dilation", dims, state->dilation));
  CNN_TRY(read_padding(state, options, kernel));
  read_border(state, options);
  CNN_TRY(cnn_parameter_dtype(options, &dtype));
  double fan_in = (double)shape[1];
  for (int d = 0; d < dims; d++) fan_in *= (double)kernel[d];
  CNN_TRY(cnn_add_uniform(self, "weight", 2 + dims, shape, dtype, 1 / sqrt(fan_in)));
  if (!sel_options_bool(options, "bias")) return sel_layer_add_parameter(self, "bias", NULL);
  return cnn_add_uniform(self, "bias", 1, &out, dtype, 1 / sqrt(fan_in));
}

static sel_status init1(sel_layer *self, const sel_options *options) {
  return init(self, options, 1);
}
static sel_status init2(sel_layer *self, const sel_options *options) {
  return init(self, options, 2);
}
static sel_status init3(sel_layer *self, const sel_options *options) {
  return init(self, options, 3);
}

/* x with its border, new. */
static sel_status pad(const conv *state, sel_tensor *x, sel_tensor **out) {
  int64_t pads[2 * CNN_DIMS];
  for (int d = 0; d < state->dims; d++) {
    pads[2 * (state->dims - 1 - d)] = state->before[d];
    pads[2 * (state->dims - 1 - d) + 1] = state->after[d];
  }
  return sel_pad_border(x, 2 * state->dims, pads, state->border, out);
}

static sel_status run(const conv *state, sel_tensor *x, sel_tensor *weight, sel_tensor *bias,
                      sel_tensor **out) {
  static const int64_t none[CNN_DIMS];
  if (!state->bordered)
    return sel_conv(state->dims, x, weight, bias, state->stride, state->before, state->after,
                    state->dilation, state->groups, out);
  sel_tensor *padded = NULL;
  CNN_TRY(pad(state, x, &padded));
  sel_status status = sel_conv(state->dims, padded, weight, bias, state->stride, none, none,
                               state->dilation, state->groups, out);
  sel_release(padded);
  return status;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const conv *state = sel_layer_state(self);
  sel_tensor *weight = sel_layer_slot(self, 0), *x = NULL, *y = NULL;
  bool single;
  CNN_TRY(cnn_as_batch(inputs[0], state->dims, &single, &x));
  sel_status status = cnn_expect_channels(inputs[0], single, sel_size(weight, 1) * state->groups);
  if (status == SEL_OK) status = run(state, x, weight, sel_layer_slot(self, 1), &y);
  sel_release(x);
  return status == SEL_OK ? cnn_as_given(y, single, outputs) : status;
}

/* clang-format off */
#define OPTIONS(dims)                                                                            \
  CNN_INT("in_channels", "channels of the input"),                                               \
  CNN_INT("out_channels", "channels of the output"),                                             \
  CNN_KERNEL(dims),                                                                              \
  CNN_INTS("stride", "1", 1, dims, "step from window to window"),                                \
  {.name = "padding", .kind = SEL_OPTION_INTS, .default_text = "0", .low = 0, .high = INFINITY,  \
   .max_count = dims, .choices = "same|valid",                                                   \
   .doc = "on both sides; same keeps the extents, valid is none"},                               \
  CNN_INTS("dilation", "1", 1, dims, "step from element to element of a window"),                \
  {.name = "groups", .kind = SEL_OPTION_INT, .default_text = "1", .low = 1, .high = INFINITY,    \
   .doc = "parts of the channels that don't see each other"},                                    \
  CNN_BOOL("bias", "true", "whether a bias is added"),                                           \
  {.name = "padding_mode", .kind = SEL_OPTION_STRING, .default_text = "zeros",                   \
   .choices = "zeros|reflect|replicate|circular", .doc = "what the padding holds"},              \
  CNN_DTYPE_OPTION
/* clang-format on */

static const sel_option options1[] = {OPTIONS(1)}, options2[] = {OPTIONS(2)};
static const sel_option options3[] = {OPTIONS(3)};
static const sel_port inputs[] = {{"input", "[N, in_channels, length]", false},
                                  {"input", "[N, in_channels, height, width]", false},
                                  {"input", "[N, in_channels, depth, height, width]", false}};
static const sel_port outputs[] = {{"output", "[N, out_channels, *]", false}};

#define TYPE(dims, extents)                                                                  \
  {                                                                                          \
    .size = sizeof(sel_layer_type), .name = "conv" #dims "d",                                \
    .summary = "cross-correlation of images with " #dims " extent(s), plus bias",            \
    .example = "nn.conv" #dims                                                               \
               "d(3, 8, 3, {padding = \"same\"})"                                            \
               ":forward(sel.randn(2, 3, " extents "))",                                     \
    .n_options = CNN_COUNT(options##dims), .options = options##dims,                         \
    CNN_PORTS(inputs[dims - 1], outputs[0]), .state_size = sizeof(conv), .init = init##dims, \
    .forward = forward                                                                       \
  }
static const sel_layer_type types[] = {TYPE(1, "9"), TYPE(2, "9, 8"), TYPE(3, "5, 6, 7")};

const sel_layer_type *const cnn_conv_types[] = {&types[0], &types[1], &types[2], NULL};
