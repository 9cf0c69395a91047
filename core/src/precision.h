/* Launches of kernels that know f32 and f64 only: f16 and bf16 pass through f32 temporaries, held
 * by the launch's scope. Operands come out contiguous; nothing is copied that fits already. */
#ifndef SEL_PRECISION_H
#define SEL_PRECISION_H

#include "op.h"

/* t as contiguous memory of `dtype`: t itself, or a copy. */
static inline sel_tensor *sel__operand_as(sel_scope *s, sel_tensor *t, sel_dtype dtype) {
  sel_tensor *packed = NULL;
  if (s->status != SEL_OK) return NULL;
  if (t->contiguous && (sel_dtype)t->dtype == dtype) return t;
  return sel__hold(s, sel__packed_as(t, dtype, &packed), &packed);
}

/* Where the kernel writes what belongs into `out`: out itself, or a temporary of `dtype`. */
static inline sel_tensor *sel__result_as(sel_scope *s, sel_tensor *out, sel_dtype dtype) {
  sel_tensor *result = NULL;
  if (s->status != SEL_OK) return NULL;
  if ((sel_dtype)out->dtype == dtype) return out;
  sel_spec spec = sel__spec_of(out);
  spec.dtype = dtype;
  return sel__hold(s, sel__tensor_new(&spec, sel__device(out), &result), &result);
}

/* Ends a launch: converts `result` into `out` where they differ, and drops the temporaries. */
static inline sel_status sel__launch_end(sel_scope *s, sel_tensor *result, sel_tensor *out) {
  if (s->status == SEL_OK && result != out) s->status = sel__copy(out, result);
  sel__scope_drop(s);
  return s->status;
}

#endif
