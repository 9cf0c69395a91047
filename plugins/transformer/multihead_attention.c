/* multihead_attention (Vaswani et al. 2017), with PyTorch's parameters, masks and initial values,
 * and grouped queries (Ainslie et al. 2023): num_kv_heads key and value heads, each shared by as
 * many query heads.
 *
 * Masks mean what they do in torch.nn.MultiheadAttention: a bool mask is true where a key may NOT
 * be seen, a float one is added to the scores. A query that may see nothing gives out_proj's bias.
 */
#include "transformer.h"

typedef struct attention_state {
  int64_t heads, kv_heads, embed, kv_embed; /* kv_embed: of all kv heads together */
  bool batch_first, causal, packed;
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
    sel_tensor *zero = NULL;
    sel_status status =
        sel_zeros(1, &embed, sel_tensor_dtype(sel_layer_tensor(child, "bias")), NULL, &zero);
    if (status == SEL_OK) status = sel_layer_set_slot(child, 1, zero);
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
  if (embed % heads != 0)
    return sel_fail(SEL_E_ARGUMENT, "embed_dim, %lld, is no multiple of num_heads, %lld",
                    (long long)embed, (long long)heads);
  if (heads % kv_heads != 0)
    return sel_fail(SEL_E_ARGUMENT, "num_heads, %lld, is no multiple of num_kv_heads, %lld",
                    (long long)heads, (long long)kv_heads);
  if (kdim == 0) kdim = embed;
  if (vdim == 0) vdim = embed;
  *state = (attention_state){.heads = heads,
                             .kv_heads = kv_heads,
                             .embed = embed,
                             .kv_embed = embed / heads * kv_heads,
                             .batch_first = sel_options_bool(options, "batch_first"),
                             .causal = sel_options_bool(options, "causal"),
                             .packed = kdim == embed && vdim == embed,
                             .dropout = sel_options_number(options, "dropout")};
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

/* [length, batch, heads * size] or [batch, length, ...] to [batch, heads, length, size]. */
static sel_tensor *as_heads(tf_composition *c, const attention_state *state, sel_tensor *x,
                            int64_t heads) {
  if (c->status != SEL_OK) return NULL;
  const int64_t shape[] = {sel_size(x, 0), sel_size(x, 1), heads, state->embed / state->heads};
  sel_tensor *split = TF(c, reshape, x, 4, shape);
  return TF(c, permute, split, 4,
            state->batch_first ? (const int[]){0, 2, 1, 3} : (const int[]){1, 2, 0, 3});
}

static sel_tensor *joined(tf_composition *c, const attention_state *state, sel_tensor *x) {
  sel_tensor *order = TF(
      c, permute, x, 4, state->batch_first ? (const int[]){0, 2, 1, 3} : (const int[]){2, 0, 1, 3});
  if (c->status != SEL_OK) return NULL;
  return TF(c, reshape, order, 3,
            ((const int64_t[]){sel_size(order, 0), sel_size(order, 1), state->embed}));
}

static sel_status check_input(const attention_state *state, const char *name, const sel_tensor *x,
                              int64_t features) {
  char text[160];
  if (sel_ndim(x) == 3 && sel_size(x, 2) == features) return SEL_OK;
  return sel_fail(SEL_E_SHAPE, "%s: expected [%s, %lld], got %s", name,
                  state->batch_first ? "N, L" : "L, N", (long long)features,
                  sel_describe(x, text, sizeof text));
}

/* A bool mask of what may not be seen becomes one to be added; a float one is so already. */
static sel_tensor *additive(tf_composition *c, sel_tensor *mask, sel_dtype dtype) {
  if (c->status != SEL_OK || sel_tensor_dtype(mask) != SEL_BOOL) return mask;
  sel_tensor *zero = TF(c, zeros, sel_ndim(mask), sel_shape(mask), dtype, sel_tensor_device(mask));
  return TF(c, masked_fill, zero, mask, -INFINITY);
}

/* The masks as one, [N or 1, heads or 1, L or 1, S], NULL where none is given. */
static sel_tensor *whole_mask(tf_composition *c, const attention_state *state, sel_tensor *padding,
                              sel_tensor *mask, int64_t n, int64_t length, int64_t keys,
                              sel_dtype dtype) {
  char text[160];
  if (padding) {
    if (sel_ndim(padding) != 2 || sel_size(padding, 0) != n || sel_size(padding, 1) != keys) {
      c->status = sel_fail(SEL_E_SHAPE, "key_padding_mask: expected [%lld, %lld], got %s",
                           (long long)n, (long long)keys, sel_describe(padding, text, sizeof text));
      return NULL;
    }
    padding = TF(c, reshape, padding, 4, ((const int64_t[]){n, 1, 1, keys}));
    padding = additive(c, padding, dtype);
  }
  if (mask) {
    bool whole = sel_ndim(mask) == 3 && sel_size(mask, 0) == n * state->heads;
    if (!(whole || sel_ndim(mask) == 2) || sel_size(mask, -2) != length ||
        sel_size(mask, -1) != keys) {
      c->status =
          sel_fail(SEL_E_SHAPE, "attn_mask: expected [%lld, %lld] or [%lld, %lld, %lld], got %s",
                   (long long)length, (long long)keys, (long long)(n * state->heads),
                   (long long)length, (long long)keys, sel_describe(mask, text, sizeof text));
      return NULL;
    }
    if (whole) mask = TF(c, reshape, mask, 4, ((const int64_t[]){n, state->heads, length, keys}));
    mask = additive(c, mask, dtype);
  }
  if (!mask || !padding) return mask ? mask : padding;
  return TF(c, add, mask, padding);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const attention_state *state = sel_layer_state(self);
  sel_tensor *query = inputs[0], *key = inputs[1] ? inputs[1] : query;
  sel_tensor *value = inputs[2] ? inputs[2] : key;
  const bool packed = state->packed;
  const int64_t embed = state->embed, kv = state->kv_embed;
  TF_TRY(check_input(state, "query", query, embed));
  TF_TRY(
      check_input(state, "key", key, packed ? embed : sel_size(sel_layer_slot(self, K_WEIGHT), 1)));
  TF_TRY(check_input(state, "value", value,
                     packed ? embed : sel_size(sel_layer_slot(self, V_WEIGHT), 1)));
  const int batch_dim = state->batch_first ? 0 : 1;
  tf_composition c = {.status = SEL_OK};
  sel_tensor *q, *k, *v;
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
  sel_tensor *mask = inputs[3] || inputs[4]
                         ? whole_mask(&c, state, inputs[3], inputs[4], sel_size(query, batch_dim),
                                      sel_size(query, 1 - batch_dim), sel_size(key, 1 - batch_dim),
                                      sel_tensor_dtype(query))
                         : NULL;
  q = as_heads(&c, state, q, state->heads);
  k = as_heads(&c, state, k, state->kv_heads);
  v = as_heads(&c, state, v, state->kv_heads);
  const double dropout = sel_layer_training(self) ? state->dropout : 0;
  sel_tensor *seen = TF(&c, attention, q, k, v, mask, state->causal, dropout, 0);
  sel_tensor *flat = joined(&c, state, seen);
  sel_tensor *out = c.status == SEL_OK
                        ? tf_hold(&c, sel_layer_apply(sel_layer_child(self, 0), flat, &c.held[c.n]))
                        : NULL;
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
    {.name = "dtype", .kind = SEL_OPTION_DTYPE, .default_text = "f32", .doc = "of the parameters"}};
static const sel_port inputs[] = {
    {"query", "[L, N, embed_dim]", false},
    {"key", "[S, N, kdim], query where left out", true},
    {"value", "[S, N, vdim], key where left out", true},
    {"key_padding_mask", "[N, S], bool (true: not seen) or float (added)", true},
    {"attn_mask", "[L, S] or [N * num_heads, L, S], the same", true}};
static const sel_port output = {"output", "[L, N, embed_dim]", false};

const sel_layer_type transformer_multihead_attention = {
    .size = sizeof(sel_layer_type),
    .name = "multihead_attention",
    .summary = "attention of several heads between linear projections",
    .example = "nn.multihead_attention(16, 4):forward(sel.randn(5, 2, 16))",
    .n_options = TF_COUNT(options),
    .options = options,
    .n_inputs = TF_COUNT(inputs),
    .inputs = inputs,
    .n_outputs = 1,
    .outputs = &output,
    .state_size = sizeof(attention_state),
    .init = init,
    .forward = forward};
