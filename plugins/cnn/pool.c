/* max_pool1d, 2d, 3d and avg_pool1d, 2d, 3d: the largest or the mean element of each window. */
#include <string.h>

#include "cnn.h"
#include "selenite/nn.h"

typedef struct pool {
  int dims;
  int64_t kernel[CNN_DIMS], stride[CNN_DIMS], padding[CNN_DIMS], dilation[CNN_DIMS];
  bool ceil_mode, indices, count_padding;
  int64_t divisor;
} pool;

static sel_status init(sel_layer *self, const sel_options *options, int dims) {
  pool *state = sel_layer_state(self);
  state->dims = dims;
  state->ceil_mode = sel_options_bool(options, "ceil_mode");
  CNN_TRY(sel_options_ints(options, "kernel_size", dims, state->kernel));
  CNN_TRY(sel_options_ints(options, "padding", dims, state->padding));
  if (!*sel_options_string(options, "stride"))
    return sel_options_ints(options, "stride", dims, state->stride);
  memcpy(state->stride, state->kernel, sizeof state->stride);
  return SEL_OK;
}

/* ---- max ---- */

static sel_status init_max(sel_layer *self, const sel_options *options, int dims) {
  pool *state = sel_layer_state(self);
  CNN_TRY(init(self, options, dims));
  state->indices = sel_options_bool(options, "return_indices");
  return sel_options_ints(options, "dilation", dims, state->dilation);
}
static sel_status init_max1(sel_layer *self, const sel_options *options) {
  return init_max(self, options, 1);
}
static sel_status init_max2(sel_layer *self, const sel_options *options) {
  return init_max(self, options, 2);
}
static sel_status init_max3(sel_layer *self, const sel_options *options) {
  return init_max(self, options, 3);
}

static sel_status forward_max(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const pool *s = sel_layer_state(self);
  return sel_max_pool(s->dims, inputs[0], s->kernel, s->stride, s->padding, s->dilation,
                      s->ceil_mode, &outputs[0], s->indices ? &outputs[1] : NULL);
}

/* ---- average ---- */

static sel_status init_avg(sel_layer *self, const sel_options *options, int dims) {
  pool *state = sel_layer_state(self);
  state->count_padding = sel_options_bool(options, "count_include_pad");
  state->divisor = sel_options_int(options, "divisor_override");
  return init(self, options, dims);
}
static sel_status init_avg1(sel_layer *self, const sel_options *options) {
  return init_avg(self, options, 1);
}
static sel_status init_avg2(sel_layer *self, const sel_options *options) {
  return init_avg(self, options, 2);
}
static sel_status init_avg3(sel_layer *self, const sel_options *options) {
  return init_avg(self, options, 3);
}

static sel_status forward_avg(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const pool *s = sel_layer_state(self);
  return sel_avg_pool(s->dims, inputs[0], s->kernel, s->stride, s->padding, s->ceil_mode,
                      s->count_padding, s->divisor, outputs);
}

/* ---- descriptions ---- */

/* clang-format off */
#define WINDOW(dims)                                                                             \
  CNN_KERNEL(dims),                                                                              \
  {.name = "stride", .kind = SEL_OPTION_INTS, .default_text = "kernel_size", .low = 1,           \
   .high = INFINITY, .max_count = dims, .choices = "kernel_size",                                \
   .doc = "step from window to window"}
#define MAX_OPTIONS(dims)                                                                        \
  WINDOW(dims),                                                                                  \
  CNN_INTS("padding", "0", 0, dims, "on both sides, at most half the window; never the largest"),\
  CNN_INTS("dilation", "1", 1, dims, "step from element to element of a window"),                \
  CNN_BOOL("return_indices", "false", "whether places of the maxima are a second output"),       \
  CNN_BOOL("ceil_mode", "false", "whether a last window may reach over the end")
#define AVG_OPTIONS(dims)                                                                        \
  WINDOW(dims),                                                                                  \
  CNN_INTS("padding", "0", 0, dims, "zeros on both sides, at most half the window"),             \
  CNN_BOOL("ceil_mode", "false", "whether a last window may reach over the end"),                \
  CNN_BOOL("count_include_pad", "true", "whether padding counts in the mean"),                   \
  {.name = "divisor_override", .kind = SEL_OPTION_INT, .default_text = "0", .low = 0,            \
   .high = INFINITY, .doc = "divides the sum of a window; 0 is the window's size"}
/* clang-format on */

static const sel_option max1[] = {MAX_OPTIONS(1)}, max2[] = {MAX_OPTIONS(2)};
static const sel_option max3[] = {MAX_OPTIONS(3)};
static const sel_option avg1[] = {AVG_OPTIONS(1)}, avg2[] = {AVG_OPTIONS(2)};
static const sel_option avg3[] = {AVG_OPTIONS(3)};
static const sel_port inputs[] = {{"input", "[*, length]", false},
                                  {"input", "[*, height, width]", false},
                                  {"input", "[*, depth, height, width]", false}};
static const sel_port outputs[] = {
    {"output", "[*, fewer]", false},
    {"indices", "[*, fewer], i64: places in the plane, from 0, where return_indices", true}};

#define TYPE(kind, words, dims, extents, n)                                                      \
  {                                                                                              \
    .size = sizeof(sel_layer_type), .name = #kind "_pool" #dims "d", .summary = words,           \
    .example = "nn." #kind "_pool" #dims "d(2):forward(sel.randn(2, 3, " extents "))",           \
    .n_options = CNN_COUNT(kind##dims), .options = kind##dims, .n_inputs = 1,                    \
    .inputs = &inputs[dims - 1], .n_outputs = n, .outputs = outputs, .state_size = sizeof(pool), \
    .init = init_##kind##dims, .forward = forward_##kind                                         \
  }
#define MAX(dims, extents) TYPE(max, "the largest element of each window", dims, extents, 2)
#define AVG(dims, extents) TYPE(avg, "the mean element of each window", dims, extents, 1)
static const sel_layer_type types[] = {MAX(1, "8"), MAX(2, "8, 8"), MAX(3, "4, 4, 4"),
                                       AVG(1, "8"), AVG(2, "8, 8"), AVG(3, "4, 4, 4")};

const sel_layer_type *const cnn_pool_types[] = {&types[0], &types[1], &types[2], &types[3],
                                                &types[4], &types[5], NULL};
