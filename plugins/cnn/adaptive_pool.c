/* adaptive_avg_pool1d, 2d, 3d and adaptive_max_pool1d, 2d, 3d: windows that cover the input evenly,
 * as many as are wanted. One window is global pooling. */
#include "cnn.h"
#include "selenite/nn.h"

typedef struct adaptive {
  int dims;
  int64_t size[CNN_DIMS];
  bool indices;
} adaptive;

static sel_status init_avg(sel_layer *self, const sel_options *options, int dims) {
  adaptive *state = sel_layer_state(self);
  state->dims = dims;
  return sel_options_ints(options, "output_size", dims, state->size);
}
static sel_status init_max(sel_layer *self, const sel_options *options, int dims) {
  adaptive *state = sel_layer_state(self);
  state->indices = sel_options_bool(options, "return_indices");
  return init_avg(self, options, dims);
}

#define INIT(kind, dims)                                                             \
  static sel_status init_##kind##dims(sel_layer *self, const sel_options *options) { \
    return init_##kind(self, options, dims);                                         \
  }
INIT(avg, 1)
INIT(avg, 2)
INIT(avg, 3)
INIT(max, 1)
INIT(max, 2)
INIT(max, 3)

static sel_status forward_avg(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const adaptive *s = sel_layer_state(self);
  return sel_adaptive_avg_pool(s->dims, inputs[0], s->size, outputs);
}

static sel_status forward_max(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const adaptive *s = sel_layer_state(self);
  return sel_adaptive_max_pool(s->dims, inputs[0], s->size, &outputs[0],
                               s->indices ? &outputs[1] : NULL);
}

/* clang-format off */
#define SIZE(dims)                                                                        \
  {.name = "output_size", .kind = SEL_OPTION_INTS, .required = true, .low = 1,            \
   .high = INFINITY, .max_count = dims, .doc = "extents of the output"}
#define INDICES CNN_BOOL("return_indices", "false", "whether places of the maxima are a second output")
/* clang-format on */

static const sel_option avg1[] = {SIZE(1)}, avg2[] = {SIZE(2)}, avg3[] = {SIZE(3)};
static const sel_option max1[] = {SIZE(1), INDICES}, max2[] = {SIZE(2), INDICES};
static const sel_option max3[] = {SIZE(3), INDICES};
static const sel_port inputs[] = {{"input", "[*, length]", false},
                                  {"input", "[*, height, width]", false},
                                  {"input", "[*, depth, height, width]", false}};
static const sel_port outputs[] = {
    {"output", "[*, output_size...]", false},
    {"indices", "[*, output_size...], i64: places in the plane, from 0, where return_indices",
     true}};

#define TYPE(kind, words, dims, extents, n)                                                     \
  {                                                                                             \
    .size = sizeof(sel_layer_type), .name = "adaptive_" #kind "_pool" #dims "d",                \
    .summary = words " element of as many windows as are wanted",                               \
    .example = "nn.adaptive_" #kind "_pool" #dims "d(1):forward(sel.randn(2, 3, " extents "))", \
    .n_options = CNN_COUNT(kind##dims), .options = kind##dims, .n_inputs = 1,                   \
    .inputs = &inputs[dims - 1], .n_outputs = n, .outputs = outputs,                            \
    .state_size = sizeof(adaptive), .init = init_##kind##dims, .forward = forward_##kind        \
  }
#define AVG(dims, extents) TYPE(avg, "the mean", dims, extents, 1)
#define MAX(dims, extents) TYPE(max, "the largest", dims, extents, 2)
static const sel_layer_type types[] = {AVG(1, "7"), AVG(2, "7, 7"), AVG(3, "4, 5, 6"),
                                       MAX(1, "7"), MAX(2, "7, 7"), MAX(3, "4, 5, 6")};

const sel_layer_type *const cnn_adaptive_pool_types[] = {&types[0], &types[1], &types[2], &types[3],
                                                         &types[4], &types[5], NULL};
