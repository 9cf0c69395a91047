/* What the positional encodings share: adding rows of a table, reading where a sequence begins. */
#include "encoding.h"

static sel_status check(const sel_tensor *x, const sel_tensor *table, int64_t offset,
                        int64_t length, bool batch_first) {
  char text[160];
  const int64_t positions = sel_size(table, 0), features = sel_size(table, -1);
  const int ndim = sel_ndim(x);
  if (ndim < 2 || (ndim > 3 && !batch_first) || sel_size(x, -1) != features)
    return sel_fail(SEL_E_SHAPE, "input: expected [%s, %lld], got %s",
                    batch_first ? "*, length" : "length, N", (long long)features,
                    sel_describe(x, text, sizeof text));
  if (length > positions - offset)
    return sel_fail(SEL_E_SHAPE,
                    "input: there are %lld positions, too few for %lld from %lld on: got %s",
                    (long long)positions, (long long)length, (long long)offset,
                    sel_describe(x, text, sizeof text));
  return SEL_OK;
}

sel_status tf_add_positions(sel_tensor *x, sel_tensor *table, int64_t offset, bool batch_first,
                            sel_tensor **out) {
  const int64_t length = sel_size(x, batch_first ? -2 : 0);
  TF_TRY(check(x, table, offset, length, batch_first));
  tf_composition c = {.status = SEL_OK};
  sel_tensor *rows =
      TF(&c, reshape, table, 2, ((const int64_t[]){sel_size(table, 0), sel_size(table, -1)}));
  rows = TF(&c, narrow, rows, 0, offset, length);
  if (!batch_first && sel_ndim(x) == 3) rows = TF(&c, unsqueeze, rows, 1);
  return tf_end(&c, TF(&c, add, x, rows), out);
}

sel_status tf_read_offset(const sel_tensor *offset, int64_t *out) {
  char text[160];
  double value = 0;
  if (offset) {
    if (sel_numel(offset) != 1 || sel_tensor_dtype(offset) != SEL_I64)
      return sel_fail(SEL_E_ARGUMENT, "offset: expected one i64, got %s",
                      sel_describe(offset, text, sizeof text));
    TF_TRY(sel_item(offset, &value));
    if (value < 0)
      return sel_fail(SEL_E_ARGUMENT, "offset: expected a position from 0 on, got %.0f", value);
  }
  *out = (int64_t)value;
  return SEL_OK;
}

sel_status tf_encoding_forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const tf_encoding *state = sel_layer_state(self);
  int64_t offset = 0;
  sel_tensor *sum = NULL;
  TF_TRY(tf_read_offset(inputs[1], &offset));
  TF_TRY(tf_add_positions(inputs[0], sel_layer_slot(self, 0), offset, state->batch_first, &sum));
  sel_status status = sel_dropout(sum, sel_layer_training(self) ? state->dropout : 0, outputs);
  sel_release(sum);
  return status;
}
