/* Making a layer's parameters, and reading what their shapes come from. */
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

sel_status cnn_read_channels(const sel_options *options, int64_t *in, int64_t *out,
                             int64_t *groups) {
  *in = sel_options_int(options, "in_channels");
  *out = sel_options_int(options, "out_channels");
  *groups = sel_options_int(options, "groups");
  if (*in % *groups != 0 || *out % *groups != 0)
    return sel_fail(SEL_E_ARGUMENT,
                    "groups divides in_channels and out_channels, got %lld for %lld and %lld",
                    (long long)*groups, (long long)*in, (long long)*out);
  return SEL_OK;
}
