/* resnet18, resnet34, resnet50 (He et al. 2016, "Deep residual learning"), with torchvision's names
 * of parameters, and the networks of 6 n + 2 layers that the paper has for images such as CIFAR's.
 *
 * Children are in the order in which they run: conv1, bn1, relu, maxpool, layer1, layer2, ...,
 * avgpool, flatten, fc. With pre-activation, bn and relu stand behind the last stage instead. */
#include <stdio.h>
#include <string.h>

#include "resnet.h"

enum { MOST_STAGES = 4, CIFAR_STAGES = 3 };

/* What a type fixes: the blocks of each stage, or, of the networks for small images, the depth; 0
 * is the option's business. */
typedef struct kind {
  sel_layer_type type;
  bool bottleneck, cifar;
  int64_t blocks[MOST_STAGES], depth;
} kind;

/* One network. */
typedef struct plan {
  const char *block; /* the blocks' layer type */
  int expansion;     /* output channels of a block by its planes */
  bool preact, small_stem, zero_init;
  int stages;
  int64_t blocks[MOST_STAGES], in, width, groups, base_width, classes;
} plan;

/* ---- planning ---- */

static sel_status read_depth(const kind *k, const sel_options *options, plan *p) {
  const int64_t depth = k->depth ? k->depth : sel_options_int(options, "depth");
  if (depth % 6 != 2)
    return sel_fail(SEL_E_ARGUMENT, "depth is 6 n + 2, such as 20, 32, 44, 56 or 110, got %lld",
                    (long long)depth);
  for (int i = 0; i < p->stages; i++) p->blocks[i] = (depth - 2) / 6;
  return SEL_OK;
}

static sel_status read_plan(const kind *k, const sel_options *options, plan *out) {
  plan p = {.expansion = k->bottleneck ? 4 : 1,
            .preact = sel_options_bool(options, "preact"),
            .zero_init = sel_options_bool(options, "zero_init_residual"),
            .stages = k->cifar ? CIFAR_STAGES : MOST_STAGES,
            .in = sel_options_int(options, "in_channels"),
            .width = sel_options_int(options, "width"),
            .groups = k->bottleneck ? sel_options_int(options, "groups") : 1,
            .base_width = k->bottleneck ? sel_options_int(options, "width_per_group") : 64,
            .classes = sel_options_int(options, "num_classes")};
  p.small_stem = k->cifar || strcmp(sel_options_string(options, "stem"), "small") == 0;
  p.block = k->bottleneck ? (p.preact ? "preact_bottleneck" : "bottleneck")
                          : (p.preact ? "preact_block" : "basic_block");
  memcpy(p.blocks, k->blocks, sizeof p.blocks);
  if (k->cifar) RN_TRY(read_depth(k, options, &p));
  *out = p;
  return SEL_OK;
}

/* ---- making ---- */

static sel_status add_norm_relu(sel_layer *self, const char *name, int64_t channels) {
  RN_TRY(resnet_add_norm(self, name, channels));
  return resnet_add(self, "relu", "relu", "");
}

static sel_status add_stem(sel_layer *self, const plan *p) {
  const resnet_conv conv = {.in = p->in,
                            .out = p->width,
                            .kernel = p->small_stem ? 3 : 7,
                            .stride = p->small_stem ? 1 : 2,
                            .dilation = 1,
                            .groups = 1};
  RN_TRY(resnet_add_conv(self, "conv1", &conv));
  if (!p->preact) RN_TRY(add_norm_relu(self, "bn1", p->width));
  if (p->small_stem) return SEL_OK;
  return resnet_add(self, "maxpool", "max_pool2d", "kernel_size=3, stride=2, padding=1");
}

static sel_status add_block(sel_layer *stage, int i, const plan *p, int64_t inplanes,
                            int64_t planes, int64_t stride) {
  char name[16], text[256];
  snprintf(name, sizeof name, "%d", i);
  int n = snprintf(text, sizeof text, "inplanes=%lld, planes=%lld, stride=%lld%s",
                   (long long)inplanes, (long long)planes, (long long)stride,
                   p->zero_init ? ", zero_init_residual=true" : "");
  if (p->groups != 1 || p->base_width != 64)
    snprintf(text + n, sizeof text - (size_t)n, ", groups=%lld, base_width=%lld",
             (long long)p->groups, (long long)p->base_width);
  return resnet_add(stage, name, p->block, text);
}

static sel_status add_classifier(sel_layer *self, int64_t features, int64_t classes) {
  char text[80];
  snprintf(text, sizeof text, "in_features=%lld, out_features=%lld", (long long)features,
           (long long)classes);
  RN_TRY(resnet_add(self, "avgpool", "adaptive_avg_pool2d", "output_size=1"));
  RN_TRY(resnet_add(self, "flatten", "flatten", ""));
  return resnet_add(self, "fc", "linear", text);
}

/* *channels: of what comes in, then of what goes out. */
static sel_status add_stage(sel_layer *self, int stage, const plan *p, int64_t *channels) {
  const int64_t planes = p->width << stage;
  char name[16];
  sel_layer *blocks = NULL;
  snprintf(name, sizeof name, "layer%d", stage + 1);
  RN_TRY(resnet_add_sequential(self, name, &blocks));
  for (int i = 0; i < (int)p->blocks[stage]; i++) {
    RN_TRY(add_block(blocks, i, p, *channels, planes, stage > 0 && i == 0 ? 2 : 1));
    *channels = planes * p->expansion;
  }
  return SEL_OK;
}

static sel_status init(sel_layer *self, const sel_options *options) {
  plan p = {0};
  RN_TRY(read_plan((const kind *)sel_layer_get_type(self), options, &p));
  int64_t channels = p.width;
  RN_TRY(add_stem(self, &p));
  for (int i = 0; i < p.stages; i++) RN_TRY(add_stage(self, i, &p, &channels));
  if (p.preact) RN_TRY(add_norm_relu(self, "bn", channels));
  RN_TRY(add_classifier(self, channels, p.classes));
  return sel_layer_to(self, sel_options_dtype(options, "dtype"), NULL);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  RN_TRY(resnet_check_images(inputs[0]));
  return resnet_run(self, inputs[0], outputs);
}

/* ---- description ---- */

/* clang-format off */
#define SIZES(classes, channels)                                                                 \
  RN_INT("num_classes", classes, 1, "features of the output"),                                   \
  RN_INT("in_channels", "3", 1, "channels of the input"),                                        \
  RN_INT("width", channels, 1, "channels of the first stage, doubled from stage to stage")
#define STEM                                                                                     \
  {.name = "stem", .kind = SEL_OPTION_STRING, .default_text = "large", .choices = "large|small", \
   .doc = "large: 7x7 of stride 2, then a max pool; small: 3x3, for images such as CIFAR's"}
#define VARIANTS                                                                                 \
  RN_BOOL("preact", "whether norm and relu stand before each convolution"), RN_ZERO_INIT_OPTION
static const sel_option basic_options[] = {SIZES("1000", "64"), STEM, VARIANTS, RN_DTYPE_OPTION};
static const sel_option bottleneck_options[] = {
  SIZES("1000", "64"), STEM, VARIANTS,
  RN_INT("groups", "1", 1, "of the 3x3 convolutions (ResNeXt: 32, and width_per_group 4)"),
  RN_INT("width_per_group", "64", 1, "base_width of the blocks (wide ResNet: 128)"),
  RN_DTYPE_OPTION};
static const sel_option cifar_options[] = {SIZES("10", "16"), VARIANTS, RN_DTYPE_OPTION};
static const sel_option depth_options[] = {
  {.name = "depth", .kind = SEL_OPTION_INT, .required = true, .low = 8, .high = 10000,
   .doc = "6 n + 2, for n blocks a stage: 20, 32, 44, 56, 110, ..."},
  SIZES("10", "16"), VARIANTS, RN_DTYPE_OPTION};
/* clang-format on */
static const sel_port input = {"input", "[N, in_channels, height, width]", false};
static const sel_port output = {"output", "[N, num_classes]", false};

#define TYPE(type_name, line, option_list, call) \
  .type = {.size = sizeof(sel_layer_type),       \
           .name = type_name,                    \
           .summary = line,                      \
           .example = "nn." type_name call,      \
           .n_options = RN_COUNT(option_list),   \
           .options = option_list,               \
           .n_inputs = 1,                        \
           .inputs = &input,                     \
           .n_outputs = 1,                       \
           .outputs = &output,                   \
           .init = init,                         \
           .forward = forward}
#define LARGE(depth, option_list)                                                               \
  TYPE("resnet" #depth, "residual network of " #depth " layers for larger images", option_list, \
       "{num_classes = 10, width = 8}:forward(sel.randn(2, 3, 64, 64))")
#define SMALL(layers)                                                                              \
  TYPE("resnet" #layers, "residual network of " #layers " layers for small images", cifar_options, \
       "(10):forward(sel.randn(2, 3, 32, 32))"),                                                   \
      .cifar = true, .depth = layers

static const kind kinds[] = {
    {LARGE(18, basic_options), .blocks = {2, 2, 2, 2}},
    {LARGE(34, basic_options), .blocks = {3, 4, 6, 3}},
    {LARGE(50, bottleneck_options), .bottleneck = true, .blocks = {3, 4, 6, 3}},
    {TYPE("resnet_cifar", "residual network of 6 n + 2 layers for small images", depth_options,
          "(20):forward(sel.randn(2, 3, 32, 32))"),
     .cifar = true},
    {SMALL(20)},
    {SMALL(32)},
    {SMALL(44)},
    {SMALL(56)},
    {SMALL(110)}};

const sel_layer_type *resnet_model_at(int i) { return i < RN_COUNT(kinds) ? &kinds[i].type : NULL; }
