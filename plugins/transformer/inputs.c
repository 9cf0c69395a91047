/* What comes into attention layers: sequences checked, masks checked and made one. Masks are
 * PyTorch's modules': bool is true where a key may NOT be seen, float is added to the scores. */
#include "transformer.h"

sel_status tf_check_sequence(const char *name, const sel_tensor *x, bool batch_first,
                             int64_t length, int64_t n, int64_t features) {
  const int batch_dim = batch_first ? 0 : 1;
  if (sel_ndim(x) == 3 && (length < 0 || sel_size(x, 1 - batch_dim) == length) &&
      (n < 0 || sel_size(x, batch_dim) == n) && sel_size(x, 2) == features)
    return SEL_OK;
  char text[160], extents[2][24] = {"N", "L"};
  if (n >= 0) snprintf(extents[0], sizeof extents[0], "%lld", (long long)n);
  if (length >= 0) snprintf(extents[1], sizeof extents[1], "%lld", (long long)length);
  return sel_fail(SEL_E_SHAPE, "%s: expected [%s, %s, %lld], got %s", name, extents[batch_dim],
                  extents[1 - batch_dim], (long long)features, sel_describe(x, text, sizeof text));
}

sel_tensor *tf_additive(tf_composition *c, sel_tensor *mask, sel_dtype dtype) {
  if (c->status != SEL_OK || !mask || sel_tensor_dtype(mask) != SEL_BOOL) return mask;
  sel_tensor *zero = TF(c, zeros, sel_ndim(mask), sel_shape(mask), dtype, sel_tensor_device(mask));
  return TF(c, masked_fill, zero, mask, -INFINITY);
}

static sel_status check_padding(const sel_tensor *mask, int64_t n, int64_t keys) {
  char text[160];
  if (sel_ndim(mask) == 2 && sel_size(mask, 0) == n && sel_size(mask, 1) == keys) return SEL_OK;
  return sel_fail(SEL_E_SHAPE, "key_padding_mask: expected [%lld, %lld], got %s", (long long)n,
                  (long long)keys, sel_describe(mask, text, sizeof text));
}

static sel_status check_mask(const sel_tensor *mask, int64_t all_heads, int64_t length,
                             int64_t keys) {
  char text[160];
  const int ndim = sel_ndim(mask);
  if ((ndim == 2 || (ndim == 3 && sel_size(mask, 0) == all_heads)) &&
      sel_size(mask, -2) == length && sel_size(mask, -1) == keys)
    return SEL_OK;
  return sel_fail(SEL_E_SHAPE, "attn_mask: expected [%lld, %lld] or [%lld, %lld, %lld], got %s",
                  (long long)length, (long long)keys, (long long)all_heads, (long long)length,
                  (long long)keys, sel_describe(mask, text, sizeof text));
}

sel_tensor *tf_mask(tf_composition *c, sel_tensor *key_padding_mask, sel_tensor *attn_mask,
                    sel_dtype dtype, const int64_t *scores) {
  const int64_t n = scores[0], heads = scores[1], length = scores[2], keys = scores[3];
  sel_tensor *padding = key_padding_mask, *mask = attn_mask;
  if (padding && c->status == SEL_OK) c->status = check_padding(padding, n, keys);
  if (mask && c->status == SEL_OK) c->status = check_mask(mask, n * heads, length, keys);
  if (c->status != SEL_OK) return NULL;
  if (padding) padding = TF(c, reshape, padding, 4, ((const int64_t[]){n, 1, 1, keys}));
  if (mask && sel_ndim(mask) == 3) mask = TF(c, reshape, mask, 4, scores);
  padding = tf_additive(c, padding, dtype);
  mask = tf_additive(c, mask, dtype);
  return mask && padding ? TF(c, add, mask, padding) : mask ? mask : padding;
}
