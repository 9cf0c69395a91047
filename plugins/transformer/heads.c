/* Attention between its projections: features split into heads and joined again, keys turned by
 * their position, and the cache of keys and values that stepwise generation carries along.
 *
 * The cache is a value, not a state: `past` comes in, `present`, which is past with the new keys
 * and values behind it, goes out. Keys are turned before they are kept. */
#include "transformer.h"

sel_tensor *tf_apart(tf_composition *c, const tf_heads *h, sel_tensor *x, int64_t heads) {
  if (c->status != SEL_OK) return NULL;
  const int64_t shape[] = {sel_size(x, 0), sel_size(x, 1), heads, h->size};
  sel_tensor *split = TF(c, reshape, x, 4, shape);
  return TF(c, permute, split, 4,
            h->batch_first ? (const int[]){0, 2, 1, 3} : (const int[]){1, 2, 0, 3});
}

sel_tensor *tf_joined(tf_composition *c, const tf_heads *h, sel_tensor *x) {
  sel_tensor *order =
      TF(c, permute, x, 4, h->batch_first ? (const int[]){0, 2, 1, 3} : (const int[]){2, 0, 1, 3});
  if (c->status != SEL_OK) return NULL;
  const int64_t shape[] = {sel_size(order, 0), sel_size(order, 1), h->heads * h->size};
  return TF(c, reshape, order, 3, shape);
}

/* *k and *v become those of past with the given ones behind them. */
static sel_tensor *append(tf_composition *c, sel_tensor *past, sel_tensor **k, sel_tensor **v) {
  sel_tensor *new_ones = TF(c, stack, 2, ((sel_tensor *const[]){*k, *v}), 0);
  sel_tensor *present = TF(c, cat, 2, ((sel_tensor *const[]){past, new_ones}), -2);
  *k = TF(c, select, present, 0, 0);
  *v = TF(c, select, present, 0, 1);
  return present;
}

sel_status tf_check_past(const tf_heads *h, const sel_tensor *past, int64_t n) {
  char text[160];
  if (!past || (sel_ndim(past) == 5 && sel_size(past, 0) == 2 && sel_size(past, 1) == n &&
                sel_size(past, 2) == h->kv_heads && sel_size(past, 4) == h->size))
    return SEL_OK;
  return sel_fail(SEL_E_SHAPE, "past: expected [2, %lld, %lld, P, %lld], got %s", (long long)n,
                  (long long)h->kv_heads, (long long)h->size,
                  sel_describe(past, text, sizeof text));
}

sel_tensor *tf_attend(tf_composition *c, const tf_heads *h, sel_tensor *q, sel_tensor *k,
                      sel_tensor *v, sel_tensor *mask, double dropout, sel_tensor *past,
                      sel_tensor **present) {
  q = tf_apart(c, h, q, h->heads);
  k = tf_apart(c, h, k, h->kv_heads);
  v = tf_apart(c, h, v, h->kv_heads);
  if (h->rotary_base > 0) {
    const int64_t offset = past ? sel_size(past, -2) : 0;
    q = TF(c, rotary, q, offset, h->rotary_base, false);
    k = TF(c, rotary, k, offset, h->rotary_base, false);
  }
  *present = past ? append(c, past, &k, &v) : NULL;
  return tf_joined(c, h, TF(c, attention, q, k, v, mask, h->causal, dropout, 0));
}
