/* gpt: a language model with GPT-2's architecture (Radford et al. 2019), parameter names and
 * initial values, and the variations that later models made: rotary positions, rms_norm, swiglu,
 * shared keys and values. Its defaults are GPT-2 small. */
#include "gpt.h"

#include <string.h>

enum { TRANSFORMER, LM_HEAD };

/* ---- lm_head: logits = x weight^T, with weight [vocab_size, n_embd] ---- */

static sel_status forward_head(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  return sel_linear(inputs[0], sel_layer_slot(self, 0), NULL, outputs);
}

static void describe_head(const sel_layer *self, char *text, size_t size) {
  const sel_tensor *weight = sel_layer_slot(self, 0);
  snprintf(text, size, "%lld, %lld", (long long)sel_size(weight, 1),
           (long long)sel_size(weight, 0));
}

static const sel_port head_input = {"input", "[*, n_embd]", false};
static const sel_port head_output = {"logits", "[*, vocab_size]", false};
static const sel_layer_type head_type = {.size = sizeof(sel_layer_type),
                                         .name = "gpt_head",
                                         .summary = "features to logits",
                                         .n_inputs = 1,
                                         .inputs = &head_input,
                                         .n_outputs = 1,
                                         .outputs = &head_output,
                                         .init = tf_filled_later,
                                         .forward = forward_head,
                                         .describe = describe_head};

/* Tied: the same tensor as the embedding's. */
static sel_status add_head(sel_layer *self, const gpt_config *config, bool tied) {
  sel_layer *part = NULL;
  TF_TRY(tf_add_part(self, "lm_head", &head_type, NULL, &part));
  if (!tied)
    return tf_add_normal(part, "weight", 2, (const int64_t[]){config->vocabulary, config->features},
                         config->dtype, config->initializer_range);
  sel_layer *wte = sel_layer_child(sel_layer_child(self, TRANSFORMER), 0);
  return sel_layer_add_parameter(part, "weight", sel_retain(sel_layer_slot(wte, 0)));
}

/* ---- making ---- */

/* Which of "a|b|c" a word is, from 0. */
static int choice(const sel_options *options, const char *name, const char *choices) {
  const char *word = sel_options_string(options, name);
  const size_t length = strlen(word);
  int i = 0;
  for (const char *at = choices;; i++) {
    const char *end = strchr(at, '|');
    if (strncmp(at, word, length) == 0 && (at[length] == '|' || !at[length])) return i;
    if (!end) return 0;
    at = end + 1;
  }
}
static const char activations[] = "gelu_tanh|gelu|relu|swiglu";
static const char positions[] = "learned|rotary|sinusoidal|none";

static sel_status read(const sel_options *options, gpt_config *out) {
  gpt_config config = {.vocabulary = sel_options_int(options, "vocab_size"),
                       .positions = sel_options_int(options, "n_positions"),
                       .features = sel_options_int(options, "n_embd"),
                       .layers = sel_options_int(options, "n_layer"),
                       .heads = sel_options_int(options, "n_head"),
                       .kv_heads = sel_options_int(options, "n_kv_heads"),
                       .inner = sel_options_int(options, "n_inner"),
                       .dropout = sel_options_number(options, "dropout"),
                       .eps = sel_options_number(options, "layer_norm_epsilon"),
                       .initializer_range = sel_options_number(options, "initializer_range"),
                       .activation = (gpt_activation)choice(options, "activation", activations),
                       .position = (gpt_position)choice(options, "position", positions),
                       .bias = sel_options_bool(options, "bias"),
                       .rms = sel_options_string(options, "norm")[0] == 'r'};
  TF_TRY(tf_float_dtype(options, &config.dtype));
  if (config.kv_heads == 0) config.kv_heads = config.heads;
  if (config.inner == 0) config.inner = 4 * config.features;
  TF_TRY(tf_check_multiple("n_embd", config.features, "n_head", config.heads));
  TF_TRY(tf_check_multiple("n_head", config.heads, "n_kv_heads", config.kv_heads));
  if (config.position == GPT_ROTARY && config.features / config.heads % 2 != 0)
    return sel_fail(SEL_E_ARGUMENT,
                    "rotary positions want heads of an even size, but n_embd / n_head is %lld",
                    (long long)(config.features / config.heads));
  *out = config;
  return SEL_OK;
}

static sel_status init(sel_layer *self, const sel_options *options) {
  gpt_config config;
  TF_TRY(read(options, &config));
  TF_TRY(gpt_add_body(self, "transformer", &config));
  return add_head(self, &config, sel_options_bool(options, "tie_weights"));
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  sel_tensor *body[2] = {NULL, NULL};
  TF_TRY(sel_layer_forward(sel_layer_child(self, TRANSFORMER), 2, inputs, body));
  sel_status status = sel_layer_apply(sel_layer_child(self, LM_HEAD), body[0], &outputs[0]);
  sel_release(body[0]);
  outputs[1] = body[1];
  return status;
}

/* ---- description ---- */

#define SIZE_OR_0(option_name, words)                                                             \
  {                                                                                               \
    .name = option_name, .kind = SEL_OPTION_INT, .default_text = "0", .low = 0, .high = INFINITY, \
    .doc = words                                                                                  \
  }
#define WORD(option_name, text, words_allowed, words)                     \
  {                                                                       \
    .name = option_name, .kind = SEL_OPTION_STRING, .default_text = text, \
    .choices = words_allowed, .doc = words                                \
  }
#define SWITCH(option_name, words) \
  { .name = option_name, .kind = SEL_OPTION_BOOL, .default_text = "true", .doc = words }

static const sel_option options[] = {
    TF_SIZE("vocab_size", "50257", "ids are below it"),
    TF_SIZE("n_positions", "1024", "longest sequence, past included"),
    TF_SIZE("n_embd", "768", "features of a position"),
    TF_SIZE("n_layer", "12", "blocks"),
    TF_SIZE("n_head", "12", "heads, a divisor of n_embd"),
    TF_DROPOUT("0.1", "while training, of embeddings, attention weights and what is added"),
    SIZE_OR_0("n_kv_heads", "key and value heads, a divisor of n_head; 0: n_head"),
    SIZE_OR_0("n_inner", "features inside the mlp; 0: 4 n_embd"),
    WORD("activation", "gelu_tanh", activations, "of the mlp; gelu_tanh is GPT-2's gelu_new"),
    WORD("position", "learned", positions, "how positions are told apart"),
    WORD("norm", "layer", "layer|rms", "layer_norm or rms_norm"),
    {.name = "layer_norm_epsilon",
     .kind = SEL_OPTION_NUMBER,
     .default_text = "1e-5",
     .low = 0,
     .high = INFINITY,
     .doc = "eps of the norms"},
    {.name = "initializer_range",
     .kind = SEL_OPTION_NUMBER,
     .default_text = "0.02",
     .low = 0,
     .high = INFINITY,
     .doc = "standard deviation of initial weights; narrow models learn sooner with more"},
    SWITCH("bias", "whether projections and layer_norm have biases"),
    SWITCH("tie_weights", "whether lm_head.weight is transformer.wte.weight"),
    TF_DTYPE};
static const sel_port inputs[] = {{"ids", "[N, T], i64 or i32", false}, GPT_PAST_PORT};
static const sel_port outputs[] = {{"logits", "[N, T, vocab_size]", false}, GPT_PRESENT_PORT};

const sel_layer_type transformer_gpt = {
    .size = sizeof(sel_layer_type),
    .name = "gpt",
    .summary = "GPT-2 and its kin: ids to logits of the next id",
    .example =
        "local gpt = nn.gpt{vocab_size = 65, n_positions = 32, n_embd = 16, n_layer = 2, "
        "n_head = 4}\n"
        "local logits = gpt(sel.tensor({{1, 2, 3}}, {dtype = \"i64\"}))\n"
        "print(nn.generate(gpt:eval(), sel.tensor({1, 2}, {dtype = \"i64\"}), {max_new_tokens = "
        "5}))",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = TF_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = TF_COUNT(outputs),
    .outputs = outputs,
    .init = init,
    .forward = forward};
