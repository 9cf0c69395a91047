/* Making parameters and parts of the layers that builders are composed of. */
#include "parameter.h"

#include <stdarg.h>

sel_status tf_float_dtype(const sel_options *options, sel_dtype *out) {
  sel_dtype dtype = sel_options_dtype(options, "dtype");
  if (!sel_dtype_is_float(dtype))
    return sel_fail(SEL_E_DTYPE, "option dtype is a float dtype, got %s", sel_dtype_name(dtype));
  *out = dtype;
  return SEL_OK;
}

sel_status tf_add_normal(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                         sel_dtype dtype, double std) {
  sel_tensor *t = NULL;
  TF_TRY(sel_empty(ndim, shape, dtype, NULL, &t));
  sel_status status = sel_normal_(t, 0, std);
  if (status == SEL_OK) return sel_layer_add_parameter(self, name, t);
  sel_release(t);
  return status;
}

sel_status tf_add_zeros(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                        sel_dtype dtype) {
  sel_tensor *t = NULL;
  TF_TRY(sel_zeros(ndim, shape, dtype, NULL, &t));
  return sel_layer_add_parameter(self, name, t);
}

sel_status tf_add_made(sel_layer *self, const char *name, const char *type, const char *format,
                       ...) {
  char text[256];
  sel_layer *child = NULL;
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  TF_TRY(sel_layer_make(type, text, &child));
  return sel_layer_add_child(self, name, child);
}
