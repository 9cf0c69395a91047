/* Padding by what the tensor itself holds: each padded dim is an index_select, whose gradient adds
 * up what was taken several times. Constant padding is pad.c's. */
#include "op.h"

/* Which element of a dim of `extent` stands at position i; i may be before 0 or past the end. */
static int64_t element_at(sel_border border, int64_t i, int64_t extent) {
  switch (border) {
    case SEL_BORDER_REFLECT: /* without repeating the edge; |i| is below 2 extent - 1 */
      i = i < 0 ? -i : i;
      return i < extent ? i : 2 * (extent - 1) - i;
    case SEL_BORDER_REPLICATE:
      return i < 0 ? 0 : i < extent ? i : extent - 1;
    default: /* circular */
      return i < 0 ? i + extent : i < extent ? i : i - extent;
  }
}

static sel_tensor *pad_dim(sel_scope *s, sel_tensor *x, int dim, int64_t before, int64_t after,
                           sel_border border) {
  if (s->status != SEL_OK || (before == 0 && after == 0)) return x;
  int64_t extent = x->shape[dim], n = extent + before + after;
  int64_t *places = sel__alloc((size_t)n * sizeof *places);
  sel_tensor *index = NULL;
  if (!places) {
    s->status = SEL_E_MEMORY;
    return NULL;
  }
  for (int64_t i = 0; i < n; i++) places[i] = element_at(border, i - before, extent);
  index = sel__hold(
      s, sel_from_data(1, &n, SEL_I64, sel__device(x), places, (size_t)n * sizeof *places, &index),
      &index);
  sel__free(places);
  return x_index_select(s, x, dim, index);
}

static sel_status check_amount(const sel_tensor *x, int dim, int64_t amount, sel_border border) {
  char text[SEL_TEXT];
  int64_t extent = x->shape[dim];
  int64_t most = border == SEL_BORDER_REFLECT    ? extent - 1
                 : border == SEL_BORDER_CIRCULAR ? extent
                 : extent > 0                    ? INT32_MAX
                                                 : 0;
  static const char *const names[] = {"reflection", "replication", "circular"};
  SEL_CHECK(amount == 0 || (amount >= 0 && amount <= most), SEL_E_SHAPE,
            "pad_border: expected %s padding from 0 to %lld in dim %d of %s, got %lld",
            names[border], (long long)(most < 0 ? 0 : most), dim,
            sel_describe(x, text, sizeof text), (long long)amount);
  return SEL_OK;
}

sel_status sel_pad_border(sel_tensor *x, int npads, const int64_t *pads, sel_border border,
                          sel_tensor **out) {
  char text[SEL_TEXT];
  SEL_TRY(sel__expect_tensor("pad_border", "input", x));
  SEL_CHECK(border >= SEL_BORDER_REFLECT && border <= SEL_BORDER_CIRCULAR, SEL_E_ARGUMENT,
            "pad_border: expected reflect, replicate or circular, got %d", (int)border);
  SEL_CHECK(npads >= 0 && npads % 2 == 0 && npads <= 2 * x->ndim, SEL_E_ARGUMENT,
            "pad_border: expected a pair of amounts a dim, so 0 to %d in pairs for %s, got %d",
            2 * x->ndim, sel_describe(x, text, sizeof text), npads);
  for (int i = 0; i < npads; i++) SEL_TRY(check_amount(x, x->ndim - 1 - i / 2, pads[i], border));
  SEL_SCOPE(s);
  sel_tensor *y = x;
  for (int i = 0; i < npads; i += 2)
    y = pad_dim(&s, y, x->ndim - 1 - i / 2, pads[i], pads[i + 1], border);
  return sel__scope_end(&s, y, out);
}
