/* conv_transpose1d, 2d, 3d: the gradient of a convolution by its input, as a layer; weight
 * [in_channels, out_channels / groups, kernel_size...]. */
#include "cnn.h"
#include "selenite/nn.h"
#include "selenite/ops.h"

typedef struct conv_transpose {
  int dims;
  int64_t stride[CNN_DIMS], padding[CNN_DIMS], output_padding[CNN_DIMS], dilation[CNN_DIMS];
  int64_t groups;
} conv_transpose;

static sel_status init(sel_layer *self, const sel_options *options, int dims) {
  conv_transpose *state = sel_layer_state(self);
  int64_t in = 0, out = 0, groups = 1;
  CNN_TRY(cnn_read_channels(options, &in, &out, &groups));
  int64_t shape[2 + CNN_DIMS] = {in, out / groups}, *kernel = shape + 2;
  sel_dtype dtype = SEL_F32;
  state->dims = dims;
  state->groups = groups;
  CNN_TRY(sel_options_ints(options, "kernel_size", dims, kernel));
  CNN_TRY(sel_options_ints(options, "stride", dims, state->stride));
  CNN_TRY(sel_options_ints(options, "padding", dims, state->padding));
  CNN_TRY(sel_options_ints(options, "output_padding", dims, state->output_padding));
  CNN_TRY(sel_options_ints(options, "dilation", dims, state->dilation));
  CNN_TRY(cnn_parameter_dtype(options, &dtype));
  /* PyTorch takes the weight's second extent for its fan in, here too. */
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

static sel_status run(const conv_transpose *state, sel_tensor *x, sel_tensor *weight,
                      sel_tensor *bias, sel_tensor **out) {
  return sel_conv_transpose(state->dims, x, weight, bias, state->stride, state->padding,
                            state->output_padding, state->dilation, state->groups, out);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const conv_transpose *state = sel_layer_state(self);
  sel_tensor *weight = sel_layer_slot(self, 0), *x = NULL, *y = NULL;
  bool single;
  CNN_TRY(cnn_as_batch(inputs[0], state->dims, &single, &x));
  sel_status status = cnn_expect_channels(inputs[0], single, sel_size(weight, 0));
  if (status == SEL_OK) status = run(state, x, weight, sel_layer_slot(self, 1), &y);
  sel_release(x);
  return status == SEL_OK ? cnn_as_given(y, single, outputs) : status;
}

/* clang-format off */
#define OPTIONS(dims)                                                                            \
  CNN_INT("in_channels", "channels of the input"),                                               \
  CNN_INT("out_channels", "channels of the output"),                                             \
  CNN_KERNEL(dims),                                                                              \
  CNN_INTS("stride", "1", 1, dims, "step from window to window, in the output"),                 \
  CNN_INTS("padding", "0", 0, dims, "cut from both sides of the output"),                        \
  CNN_INTS("output_padding", "0", 0, dims, "added to the output's far side"),                    \
  {.name = "groups", .kind = SEL_OPTION_INT, .default_text = "1", .low = 1, .high = INFINITY,    \
   .doc = "parts of the channels that don't see each other"},                                    \
  CNN_BOOL("bias", "true", "whether a bias is added"),                                           \
  CNN_INTS("dilation", "1", 1, dims, "step from element to element of a window"),                \
  CNN_DTYPE_OPTION
/* clang-format on */

static const sel_option options1[] = {OPTIONS(1)}, options2[] = {OPTIONS(2)};
static const sel_option options3[] = {OPTIONS(3)};
static const sel_port inputs[] = {{"input", "[N, in_channels, length]", false},
                                  {"input", "[N, in_channels, height, width]", false},
                                  {"input", "[N, in_channels, depth, height, width]", false}};
static const sel_port output = {"output", "[N, out_channels, *]", false};

#define TYPE(dims, extents)                                                                        \
  {                                                                                                \
    .size = sizeof(sel_layer_type), .name = "conv_transpose" #dims "d",                            \
    .summary = "transposed convolution of images with " #dims " extent(s), plus bias",             \
    .example = "nn.conv_transpose" #dims                                                           \
               "d(3, 8, 4, {stride = 2, padding = 1})"                                             \
               ":forward(sel.randn(2, 3, " extents "))",                                           \
    .n_options = CNN_COUNT(options##dims), .options = options##dims,                               \
    CNN_PORTS(inputs[dims - 1], output), .state_size = sizeof(conv_transpose), .init = init##dims, \
    .forward = forward                                                                             \
  }
static const sel_layer_type types[] = {TYPE(1, "9"), TYPE(2, "9, 8"), TYPE(3, "3, 4, 5")};

const sel_layer_type *const cnn_conv_transpose_types[] = {&types[0], &types[1], &types[2], NULL};
