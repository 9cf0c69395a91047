/* Gradient clipping, as torch.nn.utils.clip_grad_norm_ and clip_grad_value_.
 *
 * Norms of f16 and bf16 gradients are taken in f32. Norms of one device and dtype are joined there,
 * so that the device is waited for once and not for each gradient. */
#include <math.h>

#include "core.h"
#include "selenite/autograd.h"
#include "selenite/ops.h"
#include "selenite/optim.h"
#include "tensor_impl.h"

/* ---- the joint norm ---- */

/* (a^p + b^p)^(1/p), without overflow. */
static double join(double a, double b, double p) {
  double large = fmax(a, b), small = fmin(a, b);
  if (isnan(a) || isnan(b)) return NAN;
  if (isinf(p) || large == 0 || isinf(large)) return large;
  return large * pow(1 + pow(small / large, p), 1 / p);
}

static sel_dtype norm_dtype(const sel_tensor *grad) {
  return sel_tensor_dtype(grad) == SEL_F64 ? SEL_F64 : SEL_F32;
}

static sel_status norm_of(sel_tensor *grad, double p, sel_tensor **out) {
  sel_tensor *wide = NULL;
  SEL_TRY(sel_to(grad, norm_dtype(grad), NULL, &wide));
  sel_status status = sel_norm(wide, p, 0, NULL, false, out);
  sel_release(wide);
  return status;
}

/* The p-norm of n numbers on one device. */
static sel_status norm_of_norms(int n, sel_tensor *const *norms, double p, double *out) {
  sel_tensor *vector = NULL, *norm = NULL;
  SEL_TRY(sel_stack(n, norms, 0, &vector));
  sel_status status = sel_norm(vector, p, 0, NULL, false, &norm);
  if (status == SEL_OK) status = sel_item(norm, out);
  sel_release(vector);
  sel_release(norm);
  return status;
}

static bool together(const sel_tensor *a, const sel_tensor *b) {
  return sel_tensor_device(a) == sel_tensor_device(b) && norm_dtype(a) == norm_dtype(b);
}

/* Joins the norms of all gradients from `first` on that go together with it, and marks them done.
 */
static sel_status norm_with(int first, int n, sel_tensor **grads, double p, sel_tensor **norms,
                            double *out) {
  sel_tensor *key = grads[first];
  int count = 0;
  sel_status status = SEL_OK;
  for (int i = first; i < n && status == SEL_OK; i++) {
    if (!grads[i] || !together(grads[i], key)) continue;
    status = norm_of(grads[i], p, &norms[count]);
    if (status == SEL_OK) count++;
    grads[i] = NULL;
  }
  if (status == SEL_OK) status = norm_of_norms(count, norms, p, out);
  for (int i = 0; i < count; i++) sel_release(norms[i]);
  return status;
}

static sel_status joint_norm(int n, sel_tensor *const *parameters, double p, double *out) {
  sel_tensor **room = sel__alloc(2 * (size_t)n * sizeof *room);
  if (!room) return SEL_E_MEMORY;
  sel_tensor **grads = room, **norms = room + n;
  for (int i = 0; i < n; i++) grads[i] = sel_grad_of(parameters[i]);
  double total = 0;
  sel_status status = SEL_OK;
  for (int i = 0; i < n && status == SEL_OK; i++) {
    if (!grads[i]) continue;
    double part = 0;
    status = norm_with(i, n, grads, p, norms, &part);
    total = join(total, part, p);
  }
  sel__free(room);
  if (status == SEL_OK) *out = total;
  return status;
}

/* ---- clipping ---- */

static sel_status scale_all(int n, sel_tensor *const *parameters, double factor) {
  for (int i = 0; i < n; i++) {
    sel_tensor *grad = sel_grad_of(parameters[i]);
    if (grad) SEL_TRY(sel_mul_scalar_(grad, factor));
  }
  return SEL_OK;
}

static sel_status clip_norm(int n, sel_tensor *const *parameters, double max_norm, double p,
                            double *total_norm) {
  double total = 0;
  if (n > 0) SEL_TRY(joint_norm(n, parameters, p, &total));
  double factor = max_norm / (total + 1e-6); /* PyTorch's guard */
  if (!(factor >= 1)) SEL_TRY(scale_all(n, parameters, factor));
  if (total_norm) *total_norm = total;
  return SEL_OK;
}

sel_status sel_clip_grad_norm_(int n, sel_tensor *const *parameters, double max_norm, double p,
                               double *total_norm) {
  SEL_CHECK(n >= 0 && (n == 0 || parameters), SEL_E_ARGUMENT,
            "clip_grad_norm: a list of parameters is expected");
  SEL_CHECK(max_norm >= 0, SEL_E_ARGUMENT, "clip_grad_norm: max_norm is at least 0, got %g",
            max_norm);
  SEL_CHECK(p > 0, SEL_E_ARGUMENT, "clip_grad_norm: p is above 0 (or infinity), got %g", p);
  bool grad_was_on = sel_set_grad_enabled(false);
  sel_status status = clip_norm(n, parameters, max_norm, p, total_norm);
  sel_set_grad_enabled(grad_was_on);
  return status;
}

static sel_status clip_value(int n, sel_tensor *const *parameters, double limit) {
  for (int i = 0; i < n; i++) {
    sel_tensor *grad = sel_grad_of(parameters[i]);
    if (grad) SEL_TRY(sel_clamp_(grad, -limit, limit));
  }
  return SEL_OK;
}

sel_status sel_clip_grad_value_(int n, sel_tensor *const *parameters, double limit) {
  SEL_CHECK(n >= 0 && (n == 0 || parameters), SEL_E_ARGUMENT,
            "clip_grad_value: a list of parameters is expected");
  SEL_CHECK(limit >= 0, SEL_E_ARGUMENT, "clip_grad_value: clip_value is at least 0, got %g", limit);
  bool grad_was_on = sel_set_grad_enabled(false);
  sel_status status = clip_value(n, parameters, limit);
  sel_set_grad_enabled(grad_was_on);
  return status;
}
