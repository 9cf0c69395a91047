/* Merging dims: see walk.h. */
#include "walk.h"

static bool all_alike(const sel_tensor *over, int n, sel_tensor *const *operands) {
  for (int k = 0; k < n; k++) {
    const sel_tensor *t = operands[k];
    if (sel__is_scalar(t)) continue;
    if (!t->contiguous || (t != over && !sel__same_shape(t, over))) return false;
  }
  return true;
}

static int64_t stride_in(const sel_tensor *t, int ndim, int d) {
  int own = d - (ndim - t->ndim);
  return own < 0 || t->shape[own] == 1 ? 0 : t->stride[own];
}

int sel__walk(const sel_tensor *over, int n, sel_tensor *const *operands,
              int64_t shape[SEL_MAX_DIMS], int64_t stride[][SEL_MAX_DIMS]) {
  if (over->numel == 1) return 0;
  if (all_alike(over, n, operands)) {
    shape[0] = over->numel;
    for (int k = 0; k < n; k++) stride[k][0] = sel__is_scalar(operands[k]) ? 0 : 1;
    return 1;
  }
  int dims = 0;
  for (int d = 0; d < over->ndim; d++) {
    if (over->shape[d] == 1) continue;
    shape[dims] = over->shape[d];
    for (int k = 0; k < n; k++) stride[k][dims] = stride_in(operands[k], over->ndim, d);
    bool merge = dims > 0;
    for (int k = 0; k < n && merge; k++)
      merge = stride[k][dims - 1] == stride[k][dims] * shape[dims];
    if (merge) {
      shape[dims - 1] *= shape[dims];
      for (int k = 0; k < n; k++) stride[k][dims - 1] = stride[k][dims];
    } else {
      dims++;
    }
  }
  return dims;
}
