/* Residual blocks: y = shortcut(x) + branch(x).
 *
 * basic_block, bottleneck (He et al. 2016, "Deep residual learning"; the stride is the 3x3
 * convolution's, as in torchvision): the branch is conv, bn, relu, ..., conv, bn, and a relu
 * follows the sum. preact_block, preact_bottleneck (He et al. 2016, "Identity mappings"): the
 * branch is bn, relu, conv, bn, relu, conv, ..., nothing follows the sum, and a projection takes
 * relu(bn1(x)).
 *
 * The shortcut is x itself where its shape is the branch's, else a 1x1 convolution, `downsample`
 * (with its norm, unless pre-activated). Children lie in the order in which they run: bn i and conv
 * i of the branch at 2 i and 2 i + 1 or the other way round, then downsample. */
#include <stdio.h>

#include "resnet.h"
#include "selenite/ops.h"

enum { MOST_CONVS = 3, EXPANSION = 4 }; /* of a bottleneck: channels of its output by `planes` */

typedef struct kind {
  sel_layer_type type;
  bool bottleneck, preact;
} kind;

typedef struct block {
  int convs;
  bool projects;
} block;

static const kind *kind_of(const sel_layer *self) {
  return (const kind *)sel_layer_get_type(self); /* its first member */
}

/* ---- making ---- */

static void plan_basic(const sel_options *options, resnet_conv *plan) {
  const int64_t planes = sel_options_int(options, "planes");
  plan[0] = (resnet_conv){.in = sel_options_int(options, "inplanes"),
                          .out = planes,
                          .kernel = 3,
                          .stride = sel_options_int(options, "stride"),
                          .dilation = 1,
                          .groups = 1};
  plan[1] = (resnet_conv){planes, planes, 3, 1, 1, 1};
}

static sel_status plan_bottleneck(const sel_options *options, resnet_conv *plan) {
  const int64_t planes = sel_options_int(options, "planes");
  const int64_t groups = sel_options_int(options, "groups");
  const int64_t base = sel_options_int(options, "base_width");
  const int64_t width = planes * base / 64 * groups;
  if (width < 1)
    return sel_fail(SEL_E_ARGUMENT, "planes * base_width is at least 64, got %lld * %lld",
                    (long long)planes, (long long)base);
  plan[0] = (resnet_conv){sel_options_int(options, "inplanes"), width, 1, 1, 1, 1};
  plan[1] = (resnet_conv){.in = width,
                          .out = width,
                          .kernel = 3,
                          .stride = sel_options_int(options, "stride"),
                          .dilation = sel_options_int(options, "dilation"),
                          .groups = groups};
  plan[2] = (resnet_conv){width, planes * EXPANSION, 1, 1, 1, 1};
  return SEL_OK;
}

static sel_status add_branch(sel_layer *self, int convs, const resnet_conv *plan) {
  const bool preact = kind_of(self)->preact;
  for (int i = 0; i < convs; i++) {
    char conv[16], norm[16];
    snprintf(conv, sizeof conv, "conv%d", i + 1);
    snprintf(norm, sizeof norm, "bn%d", i + 1);
    if (preact) RN_TRY(resnet_add_norm(self, norm, plan[i].in));
    RN_TRY(resnet_add_conv(self, conv, &plan[i]));
    if (!preact) RN_TRY(resnet_add_norm(self, norm, plan[i].out));
  }
  return SEL_OK;
}

static sel_status add_projection(sel_layer *self, int64_t in, int64_t out, int64_t stride) {
  const resnet_conv conv = {in, out, 1, stride, 1, 1};
  sel_layer *downsample = NULL;
  RN_TRY(resnet_add_sequential(self, "downsample", &downsample));
  RN_TRY(resnet_add_conv(downsample, "0", &conv));
  return kind_of(self)->preact ? SEL_OK : resnet_add_norm(downsample, "1", out);
}

static sel_status init(sel_layer *self, const sel_options *options) {
  block *state = sel_layer_state(self);
  const bool bottleneck = kind_of(self)->bottleneck;
  resnet_conv plan[MOST_CONVS];
  state->convs = bottleneck ? 3 : 2;
  if (bottleneck)
    RN_TRY(plan_bottleneck(options, plan));
  else
    plan_basic(options, plan);
  RN_TRY(add_branch(self, state->convs, plan));
  const int last = sel_layer_child_count(self) - 1;
  if (sel_options_bool(options, "zero_init_residual"))
    RN_TRY(resnet_zero_weight(sel_layer_child(self, last)));
  const int64_t in = plan[0].in, out = plan[state->convs - 1].out;
  const int64_t stride = sel_options_int(options, "stride");
  state->projects = in != out || stride != 1;
  if (state->projects) RN_TRY(add_projection(self, in, out, stride));
  return sel_layer_to(self, sel_options_dtype(options, "dtype"), NULL);
}

/* ---- running ---- *y and *shortcut are x at first; both stay the caller's to release. In place is
 * what no backward rule needs any more. */

static sel_status run_plain(sel_layer *self, sel_tensor **y, sel_tensor **shortcut) {
  const block *state = sel_layer_state(self);
  for (int i = 0; i < state->convs; i++) {
    if (i > 0) RN_TRY(sel_relu_(*y));
    RN_TRY(resnet_apply(self, 2 * i, y));
    RN_TRY(resnet_apply(self, 2 * i + 1, y));
  }
  if (state->projects) RN_TRY(resnet_apply(self, 2 * state->convs, shortcut));
  RN_TRY(sel_add_(*y, *shortcut));
  return sel_relu_(*y);
}

static sel_status run_preact(sel_layer *self, sel_tensor **y, sel_tensor **shortcut) {
  const block *state = sel_layer_state(self);
  for (int i = 0; i < state->convs; i++) {
    RN_TRY(resnet_apply(self, 2 * i, y));
    RN_TRY(sel_relu_(*y));
    if (i == 0 && state->projects) {
      sel_release(*shortcut);
      *shortcut = sel_retain(*y);
    }
    RN_TRY(resnet_apply(self, 2 * i + 1, y));
  }
  if (state->projects) RN_TRY(resnet_apply(self, 2 * state->convs, shortcut));
  return sel_add_(*y, *shortcut);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  RN_TRY(resnet_check_images(inputs[0]));
  sel_tensor *y = sel_retain(inputs[0]), *shortcut = sel_retain(inputs[0]);
  sel_status status =
      kind_of(self)->preact ? run_preact(self, &y, &shortcut) : run_plain(self, &y, &shortcut);
  sel_release(shortcut);
  if (status == SEL_OK)
    *outputs = y;
  else
    sel_release(y);
  return status;
}

/* ---- description ---- */

/* clang-format off */
#define SHARED_OPTIONS                                              \
  RN_REQUIRED("inplanes", 1, "channels of the input"),              \
  RN_REQUIRED("planes", 1, "channels of the 3x3 convolutions"),     \
  RN_INT("stride", "1", 1, "by which height and width shrink")
static const sel_option basic_options[] = {
  SHARED_OPTIONS,
  RN_ZERO_INIT_OPTION, RN_DTYPE_OPTION};
static const sel_option bottleneck_options[] = {
  SHARED_OPTIONS,
  RN_INT("groups", "1", 1, "of the 3x3 convolution"),
  RN_INT("base_width", "64", 1, "a group of the 3x3 convolution has planes * base_width / 64 channels"),
  RN_INT("dilation", "1", 1, "of the 3x3 convolution"),
  RN_ZERO_INIT_OPTION, RN_DTYPE_OPTION};
/* clang-format on */
static const sel_port input = {"input", "[N, inplanes, height, width]", false};
static const sel_port basic_output = {"output", "[N, planes, *, *]", false};
static const sel_port bottleneck_output = {"output", "[N, 4 * planes, *, *]", false};

#define TYPE(type_name, line, shape)                                                         \
  .type = {.size = sizeof(sel_layer_type),                                                   \
           .name = type_name,                                                                \
           .summary = line,                                                                  \
           .example = "nn." type_name "(8, 4, {stride = 2}):forward(sel.randn(2, 8, 9, 9))", \
           .n_options = RN_COUNT(shape##_options),                                           \
           .options = shape##_options,                                                       \
           .n_inputs = 1,                                                                    \
           .inputs = &input,                                                                 \
           .n_outputs = 1,                                                                   \
           .outputs = &shape##_output,                                                       \
           .state_size = sizeof(block),                                                      \
           .init = init,                                                                     \
           .forward = forward}

static const kind kinds[] = {
    {TYPE("basic_block", "two 3x3 convolutions beside a shortcut", basic)},
    {TYPE("bottleneck", "1x1, 3x3 and 1x1 convolutions beside a shortcut", bottleneck),
     .bottleneck = true},
    {TYPE("preact_block", "basic_block with norm and relu before each convolution", basic),
     .preact = true},
    {TYPE("preact_bottleneck", "bottleneck with norm and relu before each convolution", bottleneck),
     .bottleneck = true, .preact = true}};

const sel_layer_type *const resnet_block_types[] = {&kinds[0].type, &kinds[1].type, &kinds[2].type,
                                                    &kinds[3].type, NULL};
