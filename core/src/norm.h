/* What the files of normalisation share: one call in the kernel's terms, and the composition of
 * other operations that gives the same, for backends without the kernel and for gradients of
 * gradients. */
#ifndef SEL_NORM_H
#define SEL_NORM_H

#include "op.h"

typedef struct sel_norm_attrs {
  sel_norm_kind kind;
  bool fixed;                         /* mean and rstd are given */
  bool wants_var;                     /* batch norm's variance is wanted, for the running one */
  int64_t n, channels, inner, groups; /* as in sel_norm_args */
  double eps;
} sel_norm_attrs;

/* y from x, weight and bias (NULL: none); mean, rstd for fixed statistics. Recorded. */
sel_tensor *sel__norm_composed(sel_scope *s, const sel_norm_attrs *attrs, sel_tensor *x,
                               sel_tensor *weight, sel_tensor *bias, sel_tensor *mean,
                               sel_tensor *rstd);
/* Gradients of x, weight, bias where v->needs them, from an operation with the inputs (x, weight,
 * bias, mean, rstd). Recorded. */
sel_status sel__norm_composed_gradient(sel_vjp *v);

#endif
