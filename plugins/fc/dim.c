/* Dims that users name in options, and the ports of layers that keep their input's shape. */
#include "fc.h"

const sel_port fc_any_port = {"input", "[*]", false};
const sel_port fc_same_port = {"output", "[*], the input's shape", false};

sel_status fc_find_dim(const sel_tensor *x, const char *option, int dim, int *out) {
  int n = sel_ndim(x), found = dim < 0 ? n + dim : dim;
  char text[160];
  if (found < 0 || found >= n)
    return sel_fail(SEL_E_SHAPE, "option %s is %d, but the input %s has %d dimension%s", option,
                    dim < 0 ? dim : dim + 1, sel_describe(x, text, sizeof text), n,
                    n == 1 ? "" : "s");
  *out = found;
  return SEL_OK;
}
