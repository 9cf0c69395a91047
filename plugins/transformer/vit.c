/* vit (Dosovitskiy et al. 2021): an image cut into patches, each a position of an encoder; what it
 * gives for a learned position in front is classified. Names of parameters and initial values are
 * those of torchvision's VisionTransformer; the defaults are its vit_b_16. */
#include "vit.h"

#include "selenite/optim.h"

enum { CONV_PROJ, ENCODER, HEADS };

/* ---- making ---- */

static sel_status read(const sel_options *options, vit_config *out) {
  vit_config config = {.image = sel_options_int(options, "image_size"),
                       .patch = sel_options_int(options, "patch_size"),
                       .channels = sel_options_int(options, "in_channels"),
                       .layers = sel_options_int(options, "num_layers"),
                       .heads = sel_options_int(options, "num_heads"),
                       .features = sel_options_int(options, "hidden_dim"),
                       .inner = sel_options_int(options, "mlp_dim"),
                       .classes = sel_options_int(options, "num_classes"),
                       .dropout = sel_options_number(options, "dropout"),
                       .attention_dropout = sel_options_number(options, "attention_dropout")};
  TF_TRY(tf_float_dtype(options, &config.dtype));
  TF_TRY(tf_check_multiple("image_size", config.image, "patch_size", config.patch));
  TF_TRY(tf_check_multiple("hidden_dim", config.features, "num_heads", config.heads));
  *out = config;
  return SEL_OK;
}

static sel_status add_patches(sel_layer *self, const vit_config *config) {
  TF_TRY(tf_add_made(self, "conv_proj", "conv2d",
                     "in_channels=%lld, out_channels=%lld, kernel_size=%lld, stride=%lld, dtype=%s",
                     (long long)config->channels, (long long)config->features,
                     (long long)config->patch, (long long)config->patch,
                     sel_dtype_name(config->dtype)));
  sel_layer *conv = sel_layer_child(self, CONV_PROJ);
  const double inputs = (double)(config->channels * config->patch * config->patch);
  TF_TRY(sel_init_trunc_normal_(sel_layer_tensor(conv, "weight"), 0, sqrt(1 / inputs), -2, 2));
  return tf_redraw(conv, "bias", 0);
}

/* The classifier starts at 0. */
static sel_status add_heads(sel_layer *self, const vit_config *config) {
  sel_layer *part = NULL;
  TF_TRY(vit_add_chain(self, "heads", &part));
  TF_TRY(tf_add_made(part, "head", "linear", "in_features=%lld, out_features=%lld, dtype=%s",
                     (long long)config->features, (long long)config->classes,
                     sel_dtype_name(config->dtype)));
  TF_TRY(tf_redraw(sel_layer_child(part, 0), "weight", 0));
  return tf_redraw(sel_layer_child(part, 0), "bias", 0);
}

static sel_status init(sel_layer *self, const sel_options *options) {
  vit_config *config = sel_layer_state(self);
  TF_TRY(read(options, config));
  TF_TRY(tf_add_zeros(self, "class_token", 3, (const int64_t[]){1, 1, config->features},
                      config->dtype));
  TF_TRY(add_patches(self, config));
  TF_TRY(vit_add_encoder(self, "encoder", config));
  return add_heads(self, config);
}

/* ---- forward ---- */

static sel_status check_images(const vit_config *config, const sel_tensor *x) {
  char text[160];
  if (sel_ndim(x) == 4 && sel_size(x, 1) == config->channels && sel_size(x, 2) == config->image &&
      sel_size(x, 3) == config->image)
    return SEL_OK;
  return sel_fail(SEL_E_SHAPE, "input: expected [N, %lld, %lld, %lld], got %s",
                  (long long)config->channels, (long long)config->image, (long long)config->image,
                  sel_describe(x, text, sizeof text));
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const vit_config *config = sel_layer_state(self);
  sel_tensor *x = inputs[0];
  TF_TRY(check_images(config, x));
  const int64_t n = sel_size(x, 0), side = config->image / config->patch;
  tf_composition c = {.status = SEL_OK};
  x = tf_apply(&c, sel_layer_child(self, CONV_PROJ), x);
  x = TF(&c, reshape, x, 3, ((const int64_t[]){n, config->features, side * side}));
  x = TF(&c, transpose, x, 1, 2);
  sel_tensor *token = TF(&c, expand, sel_layer_tensor(self, "class_token"), 3,
                         ((const int64_t[]){n, 1, config->features}));
  sel_tensor *const both[] = {token, x};
  x = TF(&c, cat, 2, both, 1);
  x = tf_apply(&c, sel_layer_child(self, ENCODER), x);
  x = TF(&c, select, x, 1, 0);
  return tf_end(&c, tf_apply(&c, sel_layer_child(self, HEADS), x), outputs);
}

/* ---- description ---- */

static const sel_option options[] = {
    TF_SIZE("image_size", "224", "height and width of the images"),
    TF_SIZE("patch_size", "16", "height and width of a patch, a divisor of image_size"),
    TF_SIZE("num_layers", "12", "blocks of the encoder"),
    TF_SIZE("num_heads", "12", "heads, a divisor of hidden_dim"),
    TF_SIZE("hidden_dim", "768", "features of a patch"),
    TF_SIZE("mlp_dim", "3072", "features inside a block's mlp"),
    TF_DROPOUT("0", "while training, of embeddings and what is added to the residual"),
    {.name = "attention_dropout",
     .kind = SEL_OPTION_NUMBER,
     .default_text = "0",
     .low = 0,
     .high = 1,
     .doc = "while training, of attention weights"},
    TF_SIZE("num_classes", "1000", "logits"),
    TF_SIZE("in_channels", "3", "channels of the images"),
    TF_DTYPE};
static const sel_port input = {"input", "[N, in_channels, image_size, image_size]", false};
static const sel_port output = {"logits", "[N, num_classes]", false};

const sel_layer_type transformer_vit = {
    .size = sizeof(sel_layer_type),
    .name = "vit",
    .summary = "vision transformer: images to logits of their classes",
    .example =
        "nn.vit{image_size = 28, patch_size = 7, in_channels = 1, num_layers = 2,\n"
        "       num_heads = 4, hidden_dim = 32, mlp_dim = 64, num_classes = 10}\n"
        "  :forward(sel.randn(2, 1, 28, 28))",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = 1,
    .inputs = &input,
    .n_outputs = 1,
    .outputs = &output,
    .state_size = sizeof(vit_config),
    .init = init,
    .forward = forward};
