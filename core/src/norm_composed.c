/* Normalisation composed of other operations.
 *
 * x is seen in a shape in which the statistics cover whole dims, and weight and bias broadcast:
 *   layer, rms   [n, inner]                                 over inner
 *   group        [n, groups, channels / groups, inner]      over the last two
 *   batch        [n, channels, inner]                       over n and inner
 */
#include "norm.h"

typedef struct view {
  int ndim;
  int64_t shape[4], affine[4], statistic[4]; /* of x, of weight and bias, of fixed mean and rstd */
  int covered, cover[2];                     /* dims of a statistic */
  int summed, sum[2];                        /* dims that weight and bias do not have */
} view;

static view view_for(const sel_norm_attrs *a) {
  int64_t width = a->groups ? a->channels / a->groups : 1;
  switch (a->kind) {
    case SEL_NORM_GROUP:
      return (view){.ndim = 4,
                    .shape = {a->n, a->groups, width, a->inner},
                    .affine = {1, a->groups, width, 1},
                    .covered = 2,
                    .cover = {2, 3},
                    .summed = 2,
                    .sum = {0, 3}};
    case SEL_NORM_BATCH:
      return (view){.ndim = 3,
                    .shape = {a->n, a->channels, a->inner},
                    .affine = {1, a->channels, 1},
                    .statistic = {1, a->channels, 1},
                    .covered = 2,
                    .cover = {0, 2},
                    .summed = 2,
                    .sum = {0, 2}};
    default:
      return (view){.ndim = 2,
                    .shape = {a->n, a->inner},
                    .affine = {1, a->inner},
                    .covered = 1,
                    .cover = {1},
                    .summed = 1,
                    .sum = {0}};
  }
}

/* (x - mean) rstd in the view's shape; *rstd in one that broadcasts to it. */
static sel_tensor *standardise(sel_scope *s, const sel_norm_attrs *a, const view *v, sel_tensor *x,
                               sel_tensor *mean, sel_tensor **rstd) {
  if (a->fixed) {
    *rstd = x_reshape(s, *rstd, v->ndim, v->statistic);
    return x_mul(s, x_sub(s, x, x_reshape(s, mean, v->ndim, v->statistic)), *rstd);
  }
  if (a->kind != SEL_NORM_RMS) x = x_sub(s, x, x_mean(s, x, v->covered, v->cover, true));
  sel_tensor *var = x_mean(s, x_square(s, x), v->covered, v->cover, true);
  *rstd = x_rsqrt(s, x_add_scalar(s, var, a->eps));
  return x_mul(s, x, *rstd);
}

sel_tensor *sel__norm_composed(sel_scope *s, const sel_norm_attrs *attrs, sel_tensor *x,
                               sel_tensor *weight, sel_tensor *bias, sel_tensor *mean,
                               sel_tensor *rstd) {
  const view v = view_for(attrs);
  sel_tensor *y = standardise(s, attrs, &v, x_reshape(s, x, v.ndim, v.shape), mean, &rstd);
  if (weight) y = x_mul(s, y, x_reshape(s, weight, v.ndim, v.affine));
  if (bias) y = x_add(s, y, x_reshape(s, bias, v.ndim, v.affine));
  return x_reshape(s, y, x->ndim, x->shape);
}

/* With g the gradient of y and wg = weight g, means over a statistic's elements:
 * dx = rstd (wg - mean(wg) - xhat mean(wg xhat)), without mean(wg) for rms, rstd wg where the
 * statistics are fixed; dweight sums g xhat, dbias sums g. */
sel_status sel__norm_composed_gradient(sel_vjp *v) {
  const sel_norm_attrs *attrs = v->attrs;
  const view at = view_for(attrs);
  sel_scope *s = v->scope;
  const sel_spec *x = &v->in_spec[0], *weight = &v->in_spec[1], *bias = &v->in_spec[2];
  sel_tensor *g = x_reshape(s, v->g[0], at.ndim, at.shape);
  if (v->needs[0] || v->needs[1]) {
    sel_tensor *rstd = v->in[4];
    sel_tensor *hat =
        standardise(s, attrs, &at, x_reshape(s, v->in[0], at.ndim, at.shape), v->in[3], &rstd);
    if (v->needs[0]) {
      sel_tensor *wg = v->in[1] ? x_mul(s, g, x_reshape(s, v->in[1], at.ndim, at.affine)) : g;
      sel_tensor *inner = wg;
      if (!attrs->fixed) {
        sel_tensor *along = x_mean(s, x_mul(s, wg, hat), at.covered, at.cover, true);
        if (attrs->kind != SEL_NORM_RMS)
          inner = x_sub(s, inner, x_mean(s, wg, at.covered, at.cover, true));
        inner = x_sub(s, inner, x_mul(s, hat, along));
      }
      v->grad[0] = sel_retain(x_reshape(s, x_mul(s, rstd, inner), x->ndim, x->shape));
    }
    if (v->needs[1]) {
      sel_tensor *sums = x_sum(s, x_mul(s, g, hat), at.summed, at.sum, false);
      v->grad[1] = sel_retain(x_reshape(s, sums, weight->ndim, weight->shape));
    }
  }
  if (v->needs[2]) {
    sel_tensor *sums = x_sum(s, g, at.summed, at.sum, false);
    v->grad[2] = sel_retain(x_reshape(s, sums, bias->ndim, bias->shape));
  }
  return s->status;
}
