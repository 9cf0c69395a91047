/* dropout1d, 2d, 3d (Tompson et al. 2015): zeroes whole channels at random while training, scales
 * the rest so that the expectation stays. */
#include "cnn.h"
#include "selenite/ops.h"

typedef struct channel_dropout {
  int dims;
  double p;
} channel_dropout;

static sel_status init(sel_layer *self, const sel_options *options, int dims) {
  channel_dropout *state = sel_layer_state(self);
  state->dims = dims;
  state->p = sel_options_number(options, "p");
  return SEL_OK;
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

/* A factor for each channel: 0 or 1 / (1 - p). */
static sel_status draw(const sel_tensor *x, int dims, double p, sel_tensor **out) {
  int64_t shape[SEL_MAX_DIMS];
  sel_tensor *ones = NULL;
  for (int d = 0; d < sel_ndim(x); d++) shape[d] = d < sel_ndim(x) - dims ? sel_size(x, d) : 1;
  CNN_TRY(sel_ones(sel_ndim(x), shape, sel_tensor_dtype(x), sel_tensor_device(x), &ones));
  sel_status status = sel_dropout(ones, p, out);
  sel_release(ones);
  return status;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const channel_dropout *state = sel_layer_state(self);
  sel_tensor *x = inputs[0], *factors = NULL;
  char text[CNN_TEXT];
  if (sel_ndim(x) != state->dims + 1 && sel_ndim(x) != state->dims + 2)
    return sel_fail(SEL_E_SHAPE,
                    "an input [N, C, ...] or [C, ...] with %d extent%s is expected, "
                    "got %s",
                    state->dims, state->dims == 1 ? "" : "s", sel_describe(x, text, sizeof text));
  if (!sel_layer_training(self) || state->p == 0) {
    outputs[0] = sel_retain(x);
    return SEL_OK;
  }
  CNN_TRY(draw(x, state->dims, state->p, &factors));
  sel_status status = sel_mul(x, factors, outputs);
  sel_release(factors);
  return status;
}

static const sel_option options[] = {{.name = "p",
                                      .kind = SEL_OPTION_NUMBER,
                                      .default_text = "0.5",
                                      .low = 0,
                                      .high = 1,
                                      .doc = "probability of a channel to be zeroed"}};
static const sel_port inputs[] = {{"input", "[N, C, length]", false},
                                  {"input", "[N, C, height, width]", false},
                                  {"input", "[N, C, depth, height, width]", false}};
static const sel_port output = {"output", "the input's shape", false};

#define TYPE(dims, extents)                                                                      \
  {                                                                                              \
    .size = sizeof(sel_layer_type), .name = "dropout" #dims "d",                                 \
    .summary = "zeroes whole channels at random while training, scales the rest by 1 / (1 - p)", \
    .example = "nn.dropout" #dims "d(0.2):forward(sel.ones(2, 3, " extents "))", .n_options = 1, \
    .options = options, CNN_PORTS(inputs[dims - 1], output),                                     \
    .state_size = sizeof(channel_dropout), .init = init##dims, .forward = forward                \
  }
static const sel_layer_type types[] = {TYPE(1, "4"), TYPE(2, "4, 5"), TYPE(3, "2, 3, 4")};

const sel_layer_type *const cnn_dropout_types[] = {&types[0], &types[1], &types[2], NULL};
