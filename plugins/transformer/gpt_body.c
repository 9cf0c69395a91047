/* A gpt between ids and logits: embedding, positions, blocks, last norm, and the cache that blocks
 * read and write.
 *
 * The cache is one tensor [n_layer, 2, N, kv_heads, P + T, head_size]: a call copies what earlier
 * calls gave into a new one, once for all layers, and each block adds its own. */
#include "encoding.h"
#include "gpt.h"
#include "selenite/autograd.h"

/* Names of the children, whose order depends on the options. */
typedef struct parts {
  sel_layer *wte, *wpe, *h, *ln_f; /* borrowed; wpe may be NULL */
} parts;

static parts find(sel_layer *self) {
  const int n = sel_layer_child_count(self);
  return (parts){.wte = sel_layer_child(self, 0),
                 .wpe = n == 4 ? sel_layer_child(self, 1) : NULL,
                 .h = sel_layer_child(self, n - 2),
                 .ln_f = sel_layer_child(self, n - 1)};
}

/* ---- inputs ---- */

static sel_status check_ids(const sel_tensor *ids) {
  char text[160];
  const sel_dtype dtype = sel_tensor_dtype(ids);
  if (sel_ndim(ids) != 2)
    return sel_fail(SEL_E_SHAPE, "ids: expected [N, T], got %s",
                    sel_describe(ids, text, sizeof text));
  if (dtype != SEL_I64 && dtype != SEL_I32)
    return sel_fail(SEL_E_DTYPE, "ids: expected i64 or i32, got %s",
                    sel_describe(ids, text, sizeof text));
  return SEL_OK;
}

/* An empty vector stands for an empty cache of any model. */
static bool is_start(const sel_tensor *past) { return sel_ndim(past) == 1 && sel_numel(past) == 0; }

/* P, 0 without past. dtype: the parameters'. */
static sel_status check_past(const gpt_config *config, const sel_tensor *past, sel_dtype dtype,
                             const sel_tensor *ids, int64_t *earlier) {
  char text[160];
  *earlier = 0;
  if (past && !is_start(past)) {
    const int64_t expected[] = {config->layers,   2,  sel_size(ids, 0),
                                config->kv_heads, -1, config->features / config->heads};
    bool fits = sel_ndim(past) == TF_COUNT(expected) && sel_tensor_dtype(past) == dtype;
    for (int d = 0; d < TF_COUNT(expected) && fits; d++)
      fits = expected[d] < 0 || sel_size(past, d) == expected[d];
    if (!fits)
      return sel_fail(SEL_E_SHAPE, "past: expected %s[%lld, 2, %lld, %lld, P, %lld], got %s",
                      sel_dtype_name(dtype), (long long)expected[0], (long long)expected[2],
                      (long long)expected[3], (long long)expected[5],
                      sel_describe(past, text, sizeof text));
    *earlier = sel_size(past, 4);
  }
  if (sel_size(ids, 1) > config->positions - *earlier)
    return sel_fail(
        SEL_E_SHAPE, "ids: n_positions is %lld, too few for %lld earlier positions and %s",
        (long long)config->positions, (long long)*earlier, sel_describe(ids, text, sizeof text));
  return SEL_OK;
}

/* ---- forward ---- */

/* past in front, room for T positions behind. */
static sel_tensor *make_cache(tf_composition *c, const gpt_config *config, sel_tensor *past,
                              const sel_tensor *x, int64_t earlier) {
  if (!past || c->status != SEL_OK) return NULL;
  const int64_t shape[] = {config->layers,           2,
                           sel_size(x, 0),           config->kv_heads,
                           earlier + sel_size(x, 1), config->features / config->heads};
  sel_tensor *cache =
      TF(c, empty, TF_COUNT(shape), shape, sel_tensor_dtype(x), sel_tensor_device(x));
  if (earlier == 0) return cache;
  const bool records = sel_set_grad_enabled(false);
  sel_tensor *front = TF(c, narrow, cache, 4, 0, earlier);
  if (c->status == SEL_OK) c->status = sel_copy_(front, past);
  sel_set_grad_enabled(records);
  return cache;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const gpt_config *config = sel_layer_state(self);
  const parts part = find(self);
  sel_tensor *ids = inputs[0], *past = inputs[1];
  int64_t earlier = 0;
  const sel_dtype dtype = sel_tensor_dtype(sel_layer_slot(part.wte, 0));
  TF_TRY(check_ids(ids));
  TF_TRY(check_past(config, past, dtype, ids, &earlier));
  tf_composition c = {.status = SEL_OK};
  sel_tensor *x = tf_apply(&c, part.wte, ids);
  if (part.wpe && c.status == SEL_OK) {
    sel_tensor *table = sel_layer_slot(part.wpe, 0);
    x = tf_hold(&c, tf_add_positions(x, table, earlier, true, &c.held[c.n]));
  }
  x = tf_drop(&c, self, config->dropout, x);
  sel_tensor *cache = make_cache(&c, config, past, x, earlier), *in[] = {x, cache};
  if (c.status == SEL_OK) x = tf_hold(&c, sel_layer_forward(part.h, 2, in, &c.held[c.n]));
  x = tf_apply(&c, part.ln_f, x);
  if (c.status == SEL_OK) outputs[1] = sel_retain(cache);
  return tf_end(&c, x, outputs);
}

/* ---- description and making ---- */

static const sel_port inputs[] = {{"ids", "[N, T], i64 or i32", false}, GPT_PAST_PORT};
static const sel_port outputs[] = {{"output", "[N, T, n_embd]", false}, GPT_PRESENT_PORT};
static const sel_layer_type type = {.size = sizeof(sel_layer_type),
                                    .name = "gpt_body",
                                    .summary = "ids to features",
                                    .n_inputs = 2,
                                    .inputs = inputs,
                                    .n_outputs = 2,
                                    .outputs = outputs,
                                    .state_size = sizeof(gpt_config),
                                    .init = tf_filled_later,
                                    .forward = forward};

static sel_status add_positions(sel_layer *part, const gpt_config *config) {
  static const char *const types[] = {[GPT_LEARNED] = "learned_encoding",
                                      [GPT_SINUSOIDAL] = "sinusoidal_encoding",
                                      [GPT_ROTARY] = NULL,
                                      [GPT_NO_POSITION] = NULL};
  const char *name = types[config->position];
  if (!name) return SEL_OK;
  TF_TRY(tf_add_made(part, "wpe", name, "d_model=%lld, max_len=%lld, batch_first=true, dtype=%s",
                     (long long)config->features, (long long)config->positions,
                     sel_dtype_name(config->dtype)));
  if (config->position != GPT_LEARNED) return SEL_OK;
  return tf_scale(sel_layer_child(part, 1), "weight",
                  config->initializer_range / 0.02); /* drawn with deviation 0.02 */
}

sel_status gpt_add_body(sel_layer *self, const char *name, const gpt_config *config) {
  sel_layer *part = NULL;
  TF_TRY(tf_add_part(self, name, &type, config, &part));
  TF_TRY(tf_add_made(part, "wte", "embedding", "num_embeddings=%lld, embedding_dim=%lld, dtype=%s",
                     (long long)config->vocabulary, (long long)config->features,
                     sel_dtype_name(config->dtype)));
  TF_TRY(tf_scale(sel_layer_child(part, 0), "weight",
                  config->initializer_range)); /* drawn with deviation 1 */
  TF_TRY(add_positions(part, config));
  TF_TRY(gpt_add_blocks(part, "h", config));
  return gpt_add_norm(part, "ln_f", config);
}
