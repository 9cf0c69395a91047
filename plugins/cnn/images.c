/* Single images, which layers take like a batch of one. */
#include "cnn.h"
#include "selenite/ops.h"

sel_status cnn_as_batch(sel_tensor *x, int dims, bool *single, sel_tensor **out) {
  static const char *const extents[] = {"length", "height, width", "depth, height, width"};
  char text[CNN_TEXT];
  const int n = sel_ndim(x);
  if (n != dims + 1 && n != dims + 2)
    return sel_fail(SEL_E_SHAPE, "an input [N, C, %s] or [C, %s] is expected, got %s",
                    extents[dims - 1], extents[dims - 1], sel_describe(x, text, sizeof text));
  *single = n == dims + 1;
  if (*single) return sel_unsqueeze(x, 0, out);
  *out = sel_retain(x);
  return SEL_OK;
}

sel_status cnn_expect_channels(const sel_tensor *x, bool single, int64_t channels) {
  char text[CNN_TEXT];
  if (sel_size(x, single ? 0 : 1) == channels) return SEL_OK;
  return sel_fail(SEL_E_SHAPE, "an input of %lld channels is expected, got %s%s",
                  (long long)channels, sel_describe(x, text, sizeof text),
                  single ? ", which is one image [C, ...]; a batch is [N, C, ...]" : "");
}

sel_status cnn_as_given(sel_tensor *y, bool single, sel_tensor **out) {
  if (!single) {
    *out = y;
    return SEL_OK;
  }
  sel_status status = sel_squeeze(y, 0, out);
  sel_release(y);
  return status;
}
