/* See element.h. The conversion is the backend's, so that a fill is rounded as a tensor would be.
 */
#include "element.h"

sel_status sel__element(const char *name, const char *what, double value, sel_dtype dtype,
                        sel_device *cpu, void *to) {
  sel_tensor *t;
  double kept = value;
  SEL_TRY(sel_full(0, NULL, value, dtype, cpu, &t));
  sel_status status = sel_read(t, to, sel_dtype_size(dtype));
  if (status == SEL_OK && !sel_dtype_is_float(dtype)) status = sel_item(t, &kept);
  sel_release(t);
  if (status != SEL_OK) return status;
  SEL_CHECK(kept == value || sel_dtype_is_float(dtype), SEL_E_ARGUMENT,
            "loader: %s: expected a %s that %s can hold, got %g", name, what, sel_dtype_name(dtype),
            value);
  return SEL_OK;
}
