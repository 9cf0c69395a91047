/* The layer types of this plugin, how they compose operations, and what several of them share. */
#ifndef TRANSFORMER_H
#define TRANSFORMER_H

#include <math.h>
#include <stdio.h>

#include "selenite/layer.h"
#include "selenite/nn.h"
#include "selenite/ops.h"

extern const sel_layer_type transformer_scaled_dot_product_attention,
    transformer_multihead_attention, transformer_encoder_layer, transformer_decoder_layer,
    transformer_encoder, transformer_decoder, transformer_transformer;

#define TF_TRY(expr)                       \
  do {                                     \
    sel_status tf_try_ = (expr);           \
    if (tf_try_ != SEL_OK) return tf_try_; \
  } while (0)

#define TF_COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* A composition keeps its first failure and every tensor made in it. TF(c, add, a, b) is sel_add(a,
 * b, &t): t, held by c, or NULL after a failure, from which on nothing is done. Calls don't nest.
 */
enum { TF_HELD = 48 };
typedef struct tf_composition {
  sel_status status;
  int n;
  sel_tensor *held[TF_HELD];
} tf_composition;

static inline sel_tensor *tf_hold(tf_composition *c, sel_status status) {
  c->status = status;
  return status == SEL_OK ? c->held[c->n++] : NULL;
}
#define TF(c, name, ...) \
  ((c)->status != SEL_OK ? NULL : tf_hold((c), sel_##name(__VA_ARGS__, &(c)->held[(c)->n])))

/* What a layer of one output makes of x. */
static inline sel_tensor *tf_apply(tf_composition *c, sel_layer *layer, sel_tensor *x) {
  if (c->status != SEL_OK) return NULL;
  return tf_hold(c, sel_layer_apply(layer, x, &c->held[c->n]));
}

/* Drops what was made; `result`, held or not, goes to *out as a new reference. */
static inline sel_status tf_end(tf_composition *c, sel_tensor *result, sel_tensor **out) {
  if (c->status == SEL_OK) *out = sel_retain(result);
  while (c->n > 0) sel_release(c->held[--c->n]);
  return c->status;
}

/* ---- what comes in (inputs.c) ---- */

/* Fails unless x is [length, n, features] (batch_first: [n, length, features]); -1 fits any. */
sel_status tf_check_sequence(const char *name, const sel_tensor *x, bool batch_first,
                             int64_t length, int64_t n, int64_t features);
/* A bool mask, true where it may NOT be seen, becomes one to be added; others (and NULL) are. */
sel_tensor *tf_additive(tf_composition *c, sel_tensor *mask, sel_dtype dtype);
/* key_padding_mask [n, keys] and attn_mask [length, keys] or [n * heads, length, keys], checked, as
 * one to be added; NULL where both are. scores: {n, heads, length, keys}. */
sel_tensor *tf_mask(tf_composition *c, sel_tensor *key_padding_mask, sel_tensor *attn_mask,
                    sel_dtype dtype, const int64_t *scores);

/* ---- attention between projections (heads.c) ---- */

typedef struct tf_heads {
  int64_t heads, kv_heads, size; /* of queries; of keys and values; features of each */
  bool batch_first, causal;
  double rotary_base; /* 0: keys and queries are not turned */
} tf_heads;

/* [N, L, heads * size] or [L, N, heads * size], as batch_first says, to [N, heads, L, size]; and
 * back, with h->heads of them. */
sel_tensor *tf_apart(tf_composition *c, const tf_heads *h, sel_tensor *x, int64_t heads);
sel_tensor *tf_joined(tf_composition *c, const tf_heads *h, sel_tensor *x);
/* Fails unless past is NULL or [2, n, kv_heads, P, size]. */
sel_status tf_check_past(const tf_heads *h, const sel_tensor *past, int64_t n);
/* Attention of q [L, N, heads * size] to k, v [S, N, kv_heads * size], batch_first: [N, L or S, *];
 * the result is shaped as q. past (checked, or NULL): keys and values of P earlier positions, seen
 * in front of k, v; *present, NULL without past, is [2, N, kv_heads, P + S, size], held by c. mask:
 * as in sel_attention, over P + S keys. */
sel_tensor *tf_attend(tf_composition *c, const tf_heads *h, sel_tensor *q, sel_tensor *k,
                      sel_tensor *v, sel_tensor *mask, double dropout, sel_tensor *past,
                      sel_tensor **present);

/* ---- layers made of layers ---- */

/* New options of `type`: those of `given`, self's, that have the same name there and are set or
 * required. */
sel_status tf_options_alike(const sel_layer *self, const sel_options *given,
                            const sel_layer_type *type, sel_options **out);
/* An error that names both options unless the one is a multiple of the other, which is above 0. */
sel_status tf_check_multiple(const char *name, int64_t value, const char *divisor_name,
                             int64_t divisor);
/* Adds a child of n layers of a type (stack.c says which ports it must have). */
sel_status tf_add_stack(sel_layer *self, const char *name, int64_t n,
                        const sel_layer_type *layer_type, const sel_options *options);

/* ---- options ---- */

#define TF_BOOL(option_name, text, words) \
  { .name = option_name, .kind = SEL_OPTION_BOOL, .default_text = text, .doc = words }
#define TF_DROPOUT(text, words)                                                              \
  {                                                                                          \
    .name = "dropout", .kind = SEL_OPTION_NUMBER, .default_text = text, .low = 0, .high = 1, \
    .doc = words                                                                             \
  }
#define TF_DTYPE \
  { .name = "dtype", .kind = SEL_OPTION_DTYPE, .default_text = "f32", .doc = "of the parameters" }

#endif
