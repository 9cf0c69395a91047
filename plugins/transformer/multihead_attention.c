/* multihead_attention (Vaswani et al. 2017), with PyTorch's parameters, masks and initial values,
 * grouped queries (Ainslie et al. 2023): num_kv_heads key and value heads, each shared by as many
 * query heads, and rotary position embedding (Su et al. 2021), positions counted from the first key
 * of `past`, if given, for queries and new keys alike.
 *
 * Masks mean what they do in torch.nn.MultiheadAttention: a bool mask is true where a key may NOT
 * be seen, a float one is added to the scores. A query that may see nothing gives out_proj's bias.
 */
#include "selenite/autograd.h"
#include "transformer.h"

typedef struct attention_state {
  tf_heads heads;
  int64_t embed, kv_embed; /* features of all heads, of all kv heads together */
  bool packed;
  double dropout;
} attention_state;

/* Slots in the order in which init adds them. */
enum { PACKED_WEIGHT, Q_WEIGHT, K_WEIGHT, V_WEIGHT, IN_BIAS };

/* ---- making ---- */

/* Xavier's uniform values, rows by columns. */
static sel_status add_weight(sel_layer *self, const char *name, bool wanted, int64_t rows,
                             int64_t columns, sel_dtype dtype) {
  sel_tensor *t = NULL;
  if (!wanted) return sel_layer_add_parameter(self, name, NULL);
  double bound = sqrt(6.0 / (double)(rows + columns));
  TF_TRY(sel_empty(2, (int64_t[]){rows, columns}, dtype, NULL, &t));
  sel_status status = sel_uniform_(t, -bound, bound);
  if (status == SEL_OK) return sel_layer_add_parameter(self, name, t);
  sel_release(t);
  return status;
}

static sel_status add_bias(sel_layer *self, bool wanted, int64_t n, sel_dtype dtype) {
  sel_tensor *t = NULL;
  if (wanted) TF_TRY(sel_zeros(1, &n, dtype, NULL, &t));
  return sel_layer_add_parameter(self, "in_proj_bias", t);
}

static sel_status add_out_proj(sel_layer *self, int64_t embed, bool bias, const char *dtype) {
  char text[128];
  sel_layer *child = NULL;
  snprintf(text, sizeof text, "in_features=%lld, out_features=%lld, bias=%s, dtype=%s",
           (long long)embed, (long long)embed, bias ? "true" : "false", dtype);
  TF_TRY(sel_layer_make("linear", text, &child));
  if (bias) {
    const bool before = sel_set_grad_enabled(false);
    sel_status status = sel_fill_(sel_layer_tensor(child, "bias"), 0);
    sel_set_grad_enabled(before);
    if (status != SEL_OK) {
      sel_layer_release(child);
      return status;
    }
  }
  return sel_layer_add_child(self, "out_proj", child);
}

static sel_status init(sel_layer *self, const sel_options *options) {
  attention_state *state = sel_layer_state(self);
  int64_t embed = sel_options_int(options, "embed_dim"),
          heads = sel_options_int(options, "num_heads");
  int64_t kv_heads = sel_options_int(options, "num_kv_heads");
  int64_t kdim = sel_options_int(options, "kdim"), vdim = sel_options_int(options, "vdim");
  bool bias = sel_options_bool(options, "bias");
  sel_dtype dtype = sel_options_dtype(options, "dtype");
  if (!sel_dtype_is_float(dtype))
    return sel_fail(SEL_E_ARGUMENT, "dtype: a float dtype is expected, got %s",
                    sel_dtype_name(dtype));
  if (kv_heads == 0) kv_heads = heads;
  TF_TRY(tf_check_multiple("embed_dim", embed, "num_heads", heads));
  TF_TRY(tf_check_multiple("num_heads", heads, "num_kv_heads", kv_heads));
  if (kdim == 0) kdim = embed;
  if (vdim == 0) vdim = embed;
  *state = (attention_state){.heads = {.heads = heads,
                                       .kv_heads = kv_heads,
                                       .size = embed / heads,
                                       .batch_first = sel_options_bool(options, "batch_first"),
                                       .causal = sel_options_bool(options, "causal"),
                                       .rotary_base = sel_options_number(options, "rotary_base")},
                             .embed = embed,
                             .kv_embed = embed / heads * kv_heads,
                             .packed = kdim == embed && vdim == embed,
                             .dropout = sel_options_number(options, "dropout")};
  if (state->heads.rotary_base > 0 && state->heads.size % 2 != 0)
    return sel_fail(SEL_E_ARGUMENT,
                    "rotary_base: expected heads of an even number of features, got %lld each",
                    (long long)state->heads.size);
  int64_t kv = state->kv_embed;
  bool packed = state->packed;
  TF_TRY(add_weight(self, "in_proj_weight", packed, embed + 2 * kv, embed, dtype));
  TF_TRY(add_weight(self, "q_proj_weight", !packed, embed, embed, dtype));
  TF_TRY(add_weight(self, "k_proj_weight", !packed, kv, kdim, dtype));
  TF_TRY(add_weight(self, "v_proj_weight", !packed, kv, vdim, dtype));
  TF_TRY(add_bias(self, bias, embed + 2 * kv, dtype));
  return add_out_proj(self, embed, bias, sel_dtype_name(dtype));
}

/* ---- forward ---- */

/* Rows [first, first + n) of the input projections applied to x; slot: the weight where not packed.
 */
static sel_tensor *project(tf_composition *c, sel_layer *self, sel_tensor *x, int slot,
                           int64_t first, int64_t n) {
  const attention_state *state = sel_layer_state(self);
  sel_tensor *weight = sel_layer_slot(self, state->packed ? PACKED_WEIGHT : slot);
  sel_tensor *bias = sel_layer_slot(self, IN_BIAS);
  if (state->packed) weight = TF(c, narrow, weight, 0, first, n);
  if (bias) bias = TF(c, narrow, bias, 0, first, n);
  return TF(c, linear, x, weight, bias);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const attention_state *state = sel_layer_state(self);
  const tf_heads *heads = &state->heads;
  sel_tensor *query = inputs[0], *key = inputs[1] ? inputs[1] : query;
  sel_tensor *value = inputs[2] ? inputs[2] : key, *past = inputs[5];
  const bool packed = state->packed;
  const int64_t embed = state->embed, kv = state->kv_embed;
  const int64_t kdim = packed ? embed : sel_size(sel_layer_slot(self, K_WEIGHT), 1);
  const int64_t vdim = packed ? embed : sel_size(sel_layer_slot(self, V_WEIGHT), 1);
  TF_TRY(tf_check_sequence("query", query, heads->batch_first, -1, -1, embed));
  const int batch_dim = heads->batch_first ? 0 : 1;
  const int64_t n = sel_size(query, batch_dim), length = sel_size(query, 1 - batch_dim);
  TF_TRY(tf_check_sequence("key", key, heads->batch_first, -1, n, kdim));
  const int64_t keys = sel_size(key, 1 - batch_dim);
  TF_TRY(tf_check_sequence("value", value, heads->batch_first, keys, n, vdim));
  TF_TRY(tf_check_past(heads, past, n));
  tf_composition c = {.status = SEL_OK};
  sel_tensor *q, *k, *v, *present;
  if (packed && key == query && value == query) { /* one product for all three */
    sel_tensor *all =
        TF(&c, linear, query, sel_layer_slot(self, PACKED_WEIGHT), sel_layer_slot(self, IN_BIAS));
    q = TF(&c, narrow, all, -1, 0, embed);
    k = TF(&c, narrow, all, -1, embed, kv);
    v = TF(&c, narrow, all, -1, embed + kv, kv);
  } else {
    q = project(&c, self, query, Q_WEIGHT, 0, embed);
    k = project(&c, self, key, K_WEIGHT, embed, kv);
    v = project(&c, self, value, V_WEIGHT, embed + kv, kv);
  }
  sel_tensor *mask =
      tf_mask(&c, inputs[3], inputs[4], sel_tensor_dtype(query),
              (const int64_t[]){n, heads->heads, length, keys + (past ? sel_size(past, -2) : 0)});
  const double dropout = sel_layer_training(self) ? state->dropout : 0;
  sel_tensor *seen = tf_attend(&c, heads, q, k, v, mask, dropout, past, &present);
  sel_tensor *out = tf_apply(&c, sel_layer_child(self, 0), seen);
  if (c.status == SEL_OK) outputs[1] = sel_retain(present);
  return tf_end(&c, out, outputs);
}

/* ---- description ---- */

static const sel_option options[] = {
    {.name = "embed_dim",
     .kind = SEL_OPTION_INT,
     .required = true,
     .low = 1,
     .high = INFINITY,
     .doc = "features of the queries and of the result"},
    {.name = "num_heads",
     .kind = SEL_OPTION_INT,
     .required = true,
     .low = 1,
     .high = INFINITY,
     .doc = "heads, a divisor of embed_dim"},
    {.name = "dropout",
     .kind = SEL_OPTION_NUMBER,
     .default_text = "0",
     .low = 0,
     .high = 1,
     .doc = "probability of a weight to be zeroed while training"},
    {.name = "bias",
     .kind = SEL_OPTION_BOOL,
     .default_text = "true",
     .doc = "whether the projections add a bias"},
    {.name = "kdim",
     .kind = SEL_OPTION_INT,
     .default_text = "0",
     .low = 0,
     .high = INFINITY,
     .doc = "features of the keys, 0: embed_dim"},
    {.name = "vdim",
     .kind = SEL_OPTION_INT,
     .default_text = "0",
     .low = 0,
     .high = INFINITY,
     .doc = "features of the values, 0: embed_dim"},
    {.name = "batch_first",
     .kind = SEL_OPTION_BOOL,
     .default_text = "false",
     .doc = "whether inputs are [N, L, *] instead of [L, N, *]"},
    {.name = "num_kv_heads",
     .kind = SEL_OPTION_INT,
     .default_text = "0",
     .low = 0,
     .high = INFINITY,
     .doc = "key and value heads, a divisor of num_heads, 0: num_heads"},
    {.name = "causal",
     .kind = SEL_OPTION_BOOL,
     .default_text = "false",
     .doc = "whether a query sees only keys up to its own place, counted from the end"},
    {.name = "rotary_base",
     .kind = SEL_OPTION_NUMBER,
     .default_text = "0",
     .low = 0,
     .high = INFINITY,
     .doc = "base of the angles by which position turns queries and keys, 10000 in the paper; "
            "0: not turned"},
    {.name = "dtype", .kind = SEL_OPTION_DTYPE, .default_text = "f32", .doc = "of the parameters"}};
static const sel_port inputs[] = {
    {"query", "[L, N, embed_dim]", false},
    {"key", "[S, N, kdim], query where left out", true},
    {"value", "[S, N, vdim], key where left out", true},
    {"key_padding_mask", "[N, P + S], bool (true: not seen) or float (added)", true},
    {"attn_mask", "[L, P + S] or [N * num_heads, L, P + S], the same", true},
    {"past", "[2, N, num_kv_heads, P, embed_dim / num_heads], keys and values seen before", true}};
static const sel_port results[] = {
    {"output", "[L, N, embed_dim]", false},
    {"present", "[2, N, num_kv_heads, P + S, embed_dim / num_heads], where past was given", true}};

const sel_layer_type transformer_multihead_attention = {
    .size = sizeof(sel_layer_type),
    .name = "multihead_attention",
    .summary = "attention of several heads between linear projections",
    .example = "nn.multihead_attention(16, 4):forward(sel.randn(5, 2, 16))",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = TF_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = TF_COUNT(results),
    .outputs = results,
    .state_size = sizeof(attention_state),
    .init = init,
    .forward = forward};
