/* Making a layer's parameters. */
#include "cnn.h"
#include "selenite/ops.h"

sel_status cnn_add_uniform(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                           sel_dtype dtype, double bound) {
  sel_tensor *t = NULL;
  CNN_TRY(sel_empty(ndim, shape, dtype, NULL, &t));
  sel_status status = sel_uniform_(t, -bound, bound);
  if (status != SEL_OK) {
    sel_release(t);
    return status;
  }
  return sel_layer_add_parameter(self, name, t);
}

sel_status cnn_parameter_dtype(const sel_options *options, sel_dtype *out) {
  sel_dtype dtype = sel_options_dtype(options, "dtype");
  if (!sel_dtype_is_float(dtype))
    return sel_fail(SEL_E_DTYPE, "option dtype is a float dtype, got %s", sel_dtype_name(dtype));
  *out = dtype;
  return SEL_OK;
}
