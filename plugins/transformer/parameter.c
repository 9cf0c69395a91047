/* Making parameters and parts of the layers that are built of others. */
#include "parameter.h"

#include <stdarg.h>
#include <string.h>

#include "selenite/autograd.h"

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

sel_status tf_filled_later(sel_layer *self, const sel_options *options) {
  (void)self, (void)options;
  return SEL_OK;
}

sel_status tf_add_part(sel_layer *self, const char *name, const sel_layer_type *type,
                       const void *state, sel_layer **part) {
  sel_layer *made = NULL;
  TF_TRY(sel_layer_new(type, NULL, &made));
  if (state) memcpy(sel_layer_state(made), state, type->state_size);
  TF_TRY(sel_layer_add_child(self, name, made));
  *part = made;
  return SEL_OK;
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

/* ---- other initial values ---- */

sel_status tf_redraw(sel_layer *child, const char *parameter, double std) {
  sel_tensor *values = NULL;
  TF_TRY(sel_detach(sel_layer_tensor(child, parameter), &values));
  sel_status status = std > 0 ? sel_normal_(values, 0, std) : sel_fill_(values, 0);
  sel_release(values);
  return status;
}

sel_status tf_scale(sel_layer *child, const char *parameter, double factor) {
  sel_tensor *values = NULL;
  TF_TRY(sel_detach(sel_layer_tensor(child, parameter), &values));
  sel_status status = sel_mul_scalar_(values, factor);
  sel_release(values);
  return status;
}

/* ---- forward ---- */

sel_tensor *tf_drop(tf_composition *c, const sel_layer *self, double p, sel_tensor *x) {
  return sel_layer_training(self) && p > 0 ? TF(c, dropout, x, p) : x;
}
