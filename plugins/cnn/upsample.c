/* upsample: images of another size, nearest or linear. */
#include <string.h>

#include "cnn.h"
#include "selenite/nn.h"

typedef struct upsample {
  int n_size; /* numbers of `size`; 0: scale_factor instead */
  int64_t size[CNN_DIMS];
  double scale;
  int dims; /* that the mode asks for; 0: any */
  bool align_corners;
} upsample;

static sel_status init(sel_layer *self, const sel_options *options) {
  upsample *state = sel_layer_state(self);
  const char *mode = sel_options_string(options, "mode");
  state->n_size = sel_options_count(options, "size");
  state->scale = sel_options_number(options, "scale_factor");
  state->align_corners = sel_options_bool(options, "align_corners");
  state->dims = strcmp(mode, "nearest") == 0    ? 0
                : strcmp(mode, "linear") == 0   ? 1
                : strcmp(mode, "bilinear") == 0 ? 2
                                                : 3;
  const bool scaled = sel_options_is_set(options, "scale_factor");
  if (scaled == (state->n_size > 0))
    return sel_fail(SEL_E_ARGUMENT, "one of size and scale_factor is expected, got %s",
                    scaled ? "both" : "neither");
  if (scaled && !(state->scale > 0))
    return sel_fail(SEL_E_ARGUMENT, "option scale_factor is above 0, got %g", state->scale);
  if (state->align_corners && state->dims == 0)
    return sel_fail(SEL_E_ARGUMENT, "align_corners goes with the linear modes, not with nearest");
  return state->n_size ? sel_options_ints(options, "size", state->n_size, state->size) : SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const upsample *state = sel_layer_state(self);
  sel_tensor *x = inputs[0];
  const int dims = sel_ndim(x) - 2;
  char text[CNN_TEXT];
  if (dims < 1 || dims > CNN_DIMS || (state->dims && dims != state->dims))
    return sel_fail(SEL_E_SHAPE, "an input [N, C, ...] with %s extents is expected, got %s",
                    state->dims == 1   ? "1"
                    : state->dims == 2 ? "2"
                    : state->dims == 3 ? "3"
                                       : "1 to 3",
                    sel_describe(x, text, sizeof text));
  if (state->n_size > 1 && state->n_size != dims)
    return sel_fail(SEL_E_SHAPE, "option size has %d numbers, the input %s %d extent%s",
                    state->n_size, sel_describe(x, text, sizeof text), dims, dims == 1 ? "" : "s");
  int64_t size[CNN_DIMS];
  double scale[CNN_DIMS];
  for (int d = 0; d < dims; d++) {
    scale[d] = state->scale;
    size[d] = state->n_size ? state->size[state->n_size == 1 ? 0 : d]
                            : (int64_t)floor((double)sel_size(x, 2 + d) * state->scale);
  }
  return sel_upsample(dims, x, size, state->n_size ? NULL : scale,
                      state->dims ? SEL_UPSAMPLE_LINEAR : SEL_UPSAMPLE_NEAREST,
                      state->align_corners, outputs);
}

static const sel_option options[] = {
    {.name = "size",
     .kind = SEL_OPTION_INTS,
     .default_text = "scaled",
     .low = 1,
     .high = INFINITY,
     .max_count = CNN_DIMS,
     .choices = "scaled",
     .doc = "extents of the output; scaled: the input's times scale_factor"},
    {.name = "scale_factor",
     .kind = SEL_OPTION_NUMBER,
     .default_text = "1",
     .low = 0,
     .high = INFINITY,
     .doc = "output extents per input extent"},
    {.name = "mode",
     .kind = SEL_OPTION_STRING,
     .default_text = "nearest",
     .choices = "nearest|linear|bilinear|trilinear",
     .doc = "nearest for any image; the others for 1, 2, 3 extents"},
    CNN_BOOL("align_corners", "false", "whether corner elements stay in the corners (linear)")};
static const sel_port input = {"input", "[N, C, *]", false};
static const sel_port output = {"output", "[N, C, size...]", false};

static const sel_layer_type type = {
    .size = sizeof(sel_layer_type),
    .name = "upsample",
    .summary = "images of another size, by the nearest element or between neighbours",
    .example = "nn.upsample{scale_factor = 2, mode = \"bilinear\"}:forward(sel.randn(1, 3, 4, 4))",
    .n_options = CNN_COUNT(options),
    .options = options,
    CNN_PORTS(input, output),
    .state_size = sizeof(upsample),
    .init = init,
    .forward = forward};

const sel_layer_type *const cnn_upsample_types[] = {&type, NULL};
