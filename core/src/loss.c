/* Losses between tensors of one shape: a pointwise row, then a reduction. Losses on class ids are
 * in cross_entropy.c. */
#include "loss.h"

#include "op.h"

sel_tensor *sel__reduce_losses(sel_scope *s, sel_tensor *losses, sel_reduction reduction) {
  switch (reduction) {
    case SEL_REDUCE_MEAN:
      return x_mean(s, losses, 0, NULL, false);
    case SEL_REDUCE_SUM:
      return x_sum(s, losses, 0, NULL, false);
    default:
      return losses;
  }
}

/* Broadcasting a target is nearly always a mistake ([n, 1] against [n] gives n^2 differences). */
static sel_status check_pair(const char *what, const sel_tensor *x, const sel_tensor *target) {
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_TRY(sel__expect_tensor(what, "input", x));
  SEL_TRY(sel__expect_tensor(what, "target", target));
  SEL_TRY(sel__float_dtype(what, x));
  SEL_TRY(sel__same_dtype(what, x, target));
  SEL_CHECK(sel__same_shape(x, target), SEL_E_SHAPE,
            "%s: expected a target of the input's shape, %s, got %s", what,
            sel_describe(x, a, sizeof a), sel_describe(target, b, sizeof b));
  return SEL_OK;
}

sel_status sel_mse_loss(sel_tensor *x, sel_tensor *target, sel_reduction reduction,
                        sel_tensor **out) {
  SEL_TRY(check_pair("mse_loss", x, target));
  SEL_SCOPE(s);
  sel_tensor *losses = x_square(&s, x_sub(&s, x, target));
  return sel__scope_end(&s, sel__reduce_losses(&s, losses, reduction), out);
}

sel_status sel_l1_loss(sel_tensor *x, sel_tensor *target, sel_reduction reduction,
                       sel_tensor **out) {
  SEL_TRY(check_pair("l1_loss", x, target));
  SEL_SCOPE(s);
  sel_tensor *losses = x_abs(&s, x_sub(&s, x, target));
  return sel__scope_end(&s, sel__reduce_losses(&s, losses, reduction), out);
}

sel_status sel_smooth_l1_loss(sel_tensor *x, sel_tensor *target, double beta,
                              sel_reduction reduction, sel_tensor **out) {
  SEL_TRY(check_pair("smooth_l1_loss", x, target));
  SEL_CHECK(beta >= 0, SEL_E_ARGUMENT, "smooth_l1_loss: expected beta of at least 0, got %g", beta);
  if (beta == 0) return sel_l1_loss(x, target, reduction, out);
  SEL_SCOPE(s);
  sel_tensor *losses = x_smooth_l1_each(&s, x, target, beta);
  return sel__scope_end(&s, sel__reduce_losses(&s, losses, reduction), out);
}

sel_status sel_huber_loss(sel_tensor *x, sel_tensor *target, double delta, sel_reduction reduction,
                          sel_tensor **out) {
  SEL_TRY(check_pair("huber_loss", x, target));
  SEL_CHECK(delta > 0, SEL_E_ARGUMENT, "huber_loss: expected delta above 0, got %g", delta);
  SEL_SCOPE(s);
  sel_tensor *losses = x_huber_each(&s, x, target, delta);
  return sel__scope_end(&s, sel__reduce_losses(&s, losses, reduction), out);
}

sel_status sel_bce_loss(sel_tensor *x, sel_tensor *target, sel_reduction reduction,
                        sel_tensor **out) {
  SEL_TRY(check_pair("bce_loss", x, target));
  SEL_SCOPE(s);
  sel_tensor *losses = x_bce_each(&s, x, target);
  return sel__scope_end(&s, sel__reduce_losses(&s, losses, reduction), out);
}

static sel_status check_pos_weight(const sel_tensor *x, const sel_tensor *pos_weight) {
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_TRY(sel__expect_tensor("bce_with_logits_loss", "pos_weight", pos_weight));
  SEL_TRY(sel__same_dtype("bce_with_logits_loss", x, pos_weight));
  int lead = x->ndim - pos_weight->ndim;
  bool fits = lead >= 0;
  for (int d = 0; fits && d < pos_weight->ndim; d++)
    fits = pos_weight->shape[d] == 1 || pos_weight->shape[d] == x->shape[lead + d];
  SEL_CHECK(fits, SEL_E_SHAPE, "bce_with_logits_loss: pos_weight %s does not broadcast to %s",
            sel_describe(pos_weight, a, sizeof a), sel_describe(x, b, sizeof b));
  return SEL_OK;
}

/* With weight w: (1 - t) x - (1 + (w - 1) t) log sigmoid(x). */
static sel_tensor *weighted_bce(sel_scope *s, sel_tensor *x, sel_tensor *target,
                                sel_tensor *pos_weight) {
  sel_tensor *scale = x_add_scalar(s, x_mul(s, x_sub_scalar(s, pos_weight, 1), target), 1);
  sel_tensor *negative = x_mul(s, x_scalar_sub(s, 1, target), x);
  return x_sub(s, negative, x_mul(s, scale, x_log_sigmoid(s, x)));
}

sel_status sel_bce_with_logits_loss(sel_tensor *x, sel_tensor *target, sel_tensor *pos_weight,
                                    sel_reduction reduction, sel_tensor **out) {
  SEL_TRY(check_pair("bce_with_logits_loss", x, target));
  if (pos_weight) SEL_TRY(check_pos_weight(x, pos_weight));
  SEL_SCOPE(s);
  sel_tensor *losses =
      pos_weight ? weighted_bce(&s, x, target, pos_weight) : x_bce_with_logits_each(&s, x, target);
  return sel__scope_end(&s, sel__reduce_losses(&s, losses, reduction), out);
}

sel_status sel_kl_div_loss(sel_tensor *x, sel_tensor *target, bool batch_mean,
                           sel_reduction reduction, sel_tensor **out) {
  SEL_TRY(check_pair("kl_div_loss", x, target));
  SEL_SCOPE(s);
  sel_tensor *losses = x_kl_div_each(&s, x, target);
  if (!batch_mean) return sel__scope_end(&s, sel__reduce_losses(&s, losses, reduction), out);
  double batch = x->ndim ? (double)x->shape[0] : 1;
  sel_tensor *sum = x_sum(&s, losses, 0, NULL, false);
  return sel__scope_end(&s, x_div_scalar(&s, sum, batch), out);
}
