/* Causal self-attention of a gpt: one projection to queries, keys and values, heads that may share
 * keys and values (Ainslie et al. 2023), a cache of both for generation. The cache has room for
 * the new positions, so that a step copies it once; those of heads.c are copied twice (4 layers of
 * 192 features, 256 positions, one thread: 0.25 ms a token instead of 0.4). */
#include "gpt.h"
#include "selenite/autograd.h"

enum { C_ATTN, C_PROJ };

/* Features from `first` on, as heads. */
static sel_tensor *part_of(tf_composition *c, const tf_heads *h, sel_tensor *x, int64_t first,
                           int64_t heads) {
  return tf_apart(c, h, TF(c, narrow, x, -1, first, heads * h->size), heads);
}

/* Writes `fresh` [N, heads, T, size] behind the P positions of a cache's keys or values; returns
 * all P + T. Where gradients are recorded, these are a copy, as a cache's memory has no tape. */
static sel_tensor *extend(tf_composition *c, sel_tensor *cache, int side, sel_tensor *fresh) {
  sel_tensor *all = TF(c, select, cache, 0, side);
  if (c->status != SEL_OK) return NULL;
  const int64_t length = sel_size(fresh, 2), earlier = sel_size(all, 2) - length;
  const bool records = sel_set_grad_enabled(false);
  sel_tensor *place = TF(c, narrow, all, 2, earlier, length);
  if (c->status == SEL_OK) c->status = sel_copy_(place, fresh);
  sel_set_grad_enabled(records);
  if (!records || c->status != SEL_OK || !sel_requires_grad(fresh)) return all;
  sel_tensor *both[] = {TF(c, narrow, all, 2, 0, earlier), fresh};
  return TF(c, cat, 2, both, 2);
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const gpt_config *config = sel_layer_state(self);
  const tf_heads h = {.heads = config->heads,
                      .kv_heads = config->kv_heads,
                      .size = config->features / config->heads,
                      .batch_first = true};
  sel_tensor *x = inputs[0], *cache = inputs[1];
  const int64_t earlier = cache ? sel_size(cache, 3) - sel_size(x, 1) : 0;
  tf_composition c = {.status = SEL_OK};
  sel_tensor *all = tf_apply(&c, sel_layer_child(self, C_ATTN), x);
  sel_tensor *q = part_of(&c, &h, all, 0, h.heads);
  sel_tensor *k = part_of(&c, &h, all, h.heads * h.size, h.kv_heads);
  sel_tensor *v = part_of(&c, &h, all, (h.heads + h.kv_heads) * h.size, h.kv_heads);
  if (config->position == GPT_ROTARY) {
    q = TF(&c, rotary, q, earlier, 10000, false);
    k = TF(&c, rotary, k, earlier, 10000, false);
  }
  if (cache) {
    k = extend(&c, cache, 0, k);
    v = extend(&c, cache, 1, v);
  }
  const double dropout = sel_layer_training(self) ? config->dropout : 0;
  sel_tensor *seen = tf_joined(&c, &h, TF(&c, attention, q, k, v, NULL, true, dropout, 0));
  seen = tf_apply(&c, sel_layer_child(self, C_PROJ), seen);
  return tf_end(&c, tf_drop(&c, self, config->dropout, seen), outputs);
}

static const sel_layer_type type = {.size = sizeof(sel_layer_type),
                                    .name = "gpt_attention",
                                    .summary = "causal self-attention",
                                    GPT_PORTS,
                                    .state_size = sizeof(gpt_config),
                                    .init = tf_filled_later,
                                    .forward = forward};

sel_status gpt_add_attention(sel_layer *self, const char *name, const gpt_config *config) {
  const int64_t features = config->features, kv = features / config->heads * config->kv_heads;
  sel_layer *part = NULL;
  TF_TRY(tf_add_part(self, name, &type, config, &part));
  TF_TRY(gpt_add_projection(part, "c_attn", config, features, features + 2 * kv, false));
  return gpt_add_projection(part, "c_proj", config, features, features, true);
}
