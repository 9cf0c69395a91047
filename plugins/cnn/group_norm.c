/* group_norm (Wu and He 2018): the channels of each sample in groups, each with its own mean and
 * variance. */
#include "norm.h"

typedef struct grouping {
  int64_t groups, channels;
  double eps;
} grouping;

static sel_status init(sel_layer *self, const sel_options *options) {
  grouping *g = sel_layer_state(self);
  sel_dtype dtype = SEL_F32;
  *g = (grouping){sel_options_int(options, "num_groups"), sel_options_int(options, "num_channels"),
                  sel_options_number(options, "eps")};
  if (g->channels % g->groups != 0)
    return sel_fail(SEL_E_ARGUMENT, "num_groups %lld does not divide num_channels %lld",
                    (long long)g->groups, (long long)g->channels);
  const bool affine = sel_options_bool(options, "affine");
  CNN_TRY(cnn_parameter_dtype(options, &dtype));
  CNN_TRY(cnn_add_constant(self, "weight", 1, &g->channels, dtype, 1, affine));
  return cnn_add_constant(self, "bias", 1, &g->channels, dtype, 0, affine);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const grouping *g = sel_layer_state(self);
  sel_tensor *x = inputs[0];
  char text[CNN_TEXT];
  if (sel_ndim(x) < 2 || sel_size(x, 1) != g->channels)
    return sel_fail(SEL_E_SHAPE, "an input [N, %lld, ...] is expected, got %s",
                    (long long)g->channels, sel_describe(x, text, sizeof text));
  return sel_group_norm(x, g->groups, sel_layer_slot(self, 0), sel_layer_slot(self, 1), g->eps,
                        outputs);
}

static const sel_option options[] = {
    CNN_INT("num_groups", "groups the channels are divided into"),
    CNN_INT("num_channels", "channels of the input"),
    {.name = "eps",
     .kind = SEL_OPTION_NUMBER,
     .default_text = "1e-5",
     .low = 0,
     .high = INFINITY,
     .doc = "added to the variance"},
    CNN_BOOL("affine", "true", "whether there are a weight and a bias by channel"),
    CNN_DTYPE_OPTION};
static const sel_port input = {"input", "[N, num_channels, *]", false};
static const sel_port output = {"output", "the input's shape", false};

static const sel_layer_type type = {
    .size = sizeof(sel_layer_type),
    .name = "group_norm",
    .summary = "each group of channels of a sample less its mean, divided by its deviation",
    .example = "nn.group_norm(2, 6):forward(sel.randn(3, 6, 4, 4))",
    .n_options = CNN_COUNT(options),
    .options = options,
    CNN_PORTS(input, output),
    .state_size = sizeof(grouping),
    .init = init,
    .forward = forward};

const sel_layer_type *const cnn_group_norm_types[] = {&type, NULL};
