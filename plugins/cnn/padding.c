/* The padding layers: zero_pad, constant_pad, reflection_pad, replication_pad, circular_pad, each
 * for 1, 2 and 3 extents. */
#include "cnn.h"
#include "selenite/nn.h"
#include "selenite/ops.h"

typedef struct padding {
  int n;
  int64_t pads[2 * CNN_DIMS]; /* (before, after) pairs, last dim first */
  double value;
  bool constant;
  sel_border border;
} padding;

static sel_status init(sel_layer *self, const sel_options *options, int dims) {
  padding *state = sel_layer_state(self);
  state->n = 2 * dims;
  return sel_options_ints(options, "padding", 2 * dims, state->pads);
}

static sel_status init_zero(sel_layer *self, const sel_options *options, int dims) {
  padding *state = sel_layer_state(self);
  state->constant = true;
  return init(self, options, dims);
}
static sel_status init_constant(sel_layer *self, const sel_options *options, int dims) {
  padding *state = sel_layer_state(self);
  state->value = sel_options_number(options, "value");
  return init_zero(self, options, dims);
}
static sel_status init_border(sel_layer *self, const sel_options *options, int dims,
                              sel_border border) {
  padding *state = sel_layer_state(self);
  state->border = border;
  return init(self, options, dims);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const padding *state = sel_layer_state(self);
  char text[CNN_TEXT];
  if (2 * sel_ndim(inputs[0]) < state->n)
    return sel_fail(SEL_E_SHAPE, "an input of at least %d dims is expected, got %s", state->n / 2,
                    sel_describe(inputs[0], text, sizeof text));
  if (state->constant) return sel_pad(inputs[0], state->n, state->pads, state->value, outputs);
  return sel_pad_border(inputs[0], state->n, state->pads, state->border, outputs);
}

/* ---- descriptions ---- */

static const sel_port input = {"input", "[*]", false};
static const sel_port output = {"output", "[*], the last extents larger", false};

/* clang-format off */
#define PADS(count, least)                                                                  \
  {.name = "padding", .kind = SEL_OPTION_INTS, .required = true, .low = least,              \
   .high = INFINITY, .max_count = count,                                                    \
   .doc = "one number for all sides, or (before, after) of each dim, the last dim first"}
/* Negative amounts of constants crop. */
#define CONSTANT_OPTIONS(count)                                                             \
  {PADS(count, -INFINITY), {.name = "value", .kind = SEL_OPTION_NUMBER, .required = true,   \
                            .doc = "what the padding holds"}}
/* clang-format on */
static const sel_option crop1[] = {PADS(2, -INFINITY)}, crop2[] = {PADS(4, -INFINITY)};
static const sel_option crop3[] = {PADS(6, -INFINITY)};
static const sel_option pads1[] = {PADS(2, 0)}, pads2[] = {PADS(4, 0)}, pads3[] = {PADS(6, 0)};
static const sel_option constant1[] = CONSTANT_OPTIONS(2), constant2[] = CONSTANT_OPTIONS(4);
static const sel_option constant3[] = CONSTANT_OPTIONS(6);

/* One type: the function that reads its options, and its description. */
#define TYPE(kind, dims, list, arguments, extents, words, ...)                               \
  static sel_status init_##kind##dims(sel_layer *self, const sel_options *options) {         \
    return __VA_ARGS__;                                                                      \
  }                                                                                          \
  static const sel_layer_type kind##_pad##dims##d = {                                        \
      .size = sizeof(sel_layer_type),                                                        \
      .name = #kind "_pad" #dims "d",                                                        \
      .summary = words,                                                                      \
      .example =                                                                             \
          "nn." #kind "_pad" #dims "d(" arguments "):forward(sel.randn(2, 3, " extents "))", \
      .n_options = CNN_COUNT(list),                                                          \
      .options = list,                                                                       \
      CNN_PORTS(input, output),                                                              \
      .state_size = sizeof(padding),                                                         \
      .init = init_##kind##dims,                                                             \
      .forward = forward};
#define KIND(dims, extents)                                                                      \
  TYPE(zero, dims, crop##dims, "1", extents, "zeros around the last extents",                    \
       init_zero(self, options, dims))                                                           \
  TYPE(constant, dims, constant##dims, "1, 0.5", extents, "a number around the last extents",    \
       init_constant(self, options, dims))                                                       \
  TYPE(reflection, dims, pads##dims, "1", extents, "the image mirrored at its edges, around it", \
       init_border(self, options, dims, SEL_BORDER_REFLECT))                                     \
  TYPE(replication, dims, pads##dims, "1", extents, "the edges repeated around the image",       \
       init_border(self, options, dims, SEL_BORDER_REPLICATE))                                   \
  TYPE(circular, dims, pads##dims, "1", extents, "the opposite edges around the image",          \
       init_border(self, options, dims, SEL_BORDER_CIRCULAR))
KIND(1, "4")
KIND(2, "4, 5")
KIND(3, "4, 5, 6")

#define ALL(dims)                                                                                  \
  &zero_pad##dims##d, &constant_pad##dims##d, &reflection_pad##dims##d, &replication_pad##dims##d, \
      &circular_pad##dims##d
const sel_layer_type *const cnn_padding_types[] = {ALL(1), ALL(2), ALL(3), NULL};
