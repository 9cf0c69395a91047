/* Softmax and the losses: against PyTorch's values (golden_losses.h), against differences, with and
 * without the backend's kernels. */
#include "differences.h"
#include "golden_losses.h"

/* ---- a backend without the kernels ---- */

/* The cpu's memory and kernels, but for softmax and cross-entropy, which core then composes. */
static sel_device *plain_device(void) {
  static sel_backend plain;
  sel_device *device;
  if (!plain.size) {
    plain = *sel_backend_at(0);
    plain.name = "plain";
    plain.softmax = NULL;
    plain.cross_entropy = NULL;
    ASSERT_OK(sel_register_backend(&plain));
  }
  ASSERT_OK(sel_device_find("plain", &device));
  return device;
}

/* ---- softmax ---- */

static void check_softmax(sel_tensor *x, int dim, double tolerance) {
  sel_tensor *y = NEW(softmax, x, dim), *logs = NEW(log_softmax, x, dim);
  sel_tensor *wide = NEW(to, NEW(contiguous, x), SEL_F64, NULL);
  sel_tensor *powers = NEW(exp, wide);
  sel_tensor *expected = NEW(div, powers, NEW(sum, powers, 1, &dim, true));
  char a[64], b[64];
  ck_assert_str_eq(sel_describe(x, a, sizeof a), sel_describe(y, b, sizeof b));
  ck_assert_str_eq(sel_describe(x, a, sizeof a), sel_describe(logs, b, sizeof b));
  for (int64_t i = 0; i < sel_numel(x); i++) {
    double want = element_of(expected, i);
    ck_assert_msg(near(element_of(y, i), want, tolerance),
                  "dim %d, element %d: expected %g, got %g", dim, (int)i, want, element_of(y, i));
    ck_assert_msg(near(element_of(logs, i), log(want), tolerance), "log, dim %d, element %d", dim,
                  (int)i);
  }
}

START_TEST(softmax) {
  static const double tolerance[] = {
      [SEL_F32] = 1e-6, [SEL_F64] = 1e-14, [SEL_F16] = 2e-3, [SEL_BF16] = 1e-2};
  for (sel_dtype d = SEL_F32; d <= SEL_BF16; d++) {
    sel_tensor *x = some_tensor(d, -3, 3, 1, SHAPE(3, 4, 5));
    for (int dim = -3; dim < 3; dim++) {
      check_softmax(x, dim, tolerance[d]);
      check_softmax(NEW(transpose, x, 0, 2), dim, tolerance[d]);
      check_softmax(NEW(slice, x, 2, 0, 5, 2), dim, tolerance[d]);
      check_softmax(NEW(expand, NEW(narrow, x, 0, 0, 1), SHAPE(2, 4, 5)), dim, tolerance[d]);
    }
  }
  sel_device *plain = plain_device();
  sel_tensor *x = some_tensor(SEL_F32, -3, 3, 1, SHAPE(3, 4));
  sel_tensor *elsewhere = NEW(to, x, SEL_F32, plain);
  for (int i = 0; i < 12; i++) {
    ck_assert(
        near(element_of(NEW(softmax, elsewhere, 1), i), element_of(NEW(softmax, x, 1), i), 1e-6));
    ck_assert(near(element_of(NEW(log_softmax, elsewhere, 0), i),
                   element_of(NEW(log_softmax, x, 0), i), 1e-6));
  }
}
END_TEST

START_TEST(softmax_extremes) {
  sel_tensor *far = TENSOR(SEL_F32, SHAPE(3), 1000, 0, -1000);
  ASSERT_TENSOR(NEW(softmax, far, 0), "f32[3]", 1, 0, 0);
  ASSERT_TENSOR(NEW(log_softmax, far, 0), "f32[3]", 0, -1000, -2000);
  sel_tensor *masked = TENSOR(SEL_F32, SHAPE(3), 0, -INFINITY, 0);
  ASSERT_TENSOR(NEW(softmax, masked, 0), "f32[3]", 0.5, 0, 0.5);
  sel_tensor *broken = TENSOR(SEL_F32, SHAPE(2), NAN, 0);
  ASSERT_TENSOR(NEW(softmax, broken, 0), "f32[2]", NAN, NAN);
  ASSERT_TENSOR(NEW(softmax, TENSOR(SEL_F32, SHAPE(), 7), 0), "f32[]", 1);
  ASSERT_TENSOR(NEW(log_softmax, TENSOR(SEL_F32, SHAPE(), 7), -1), "f32[]", 0);
  ck_assert_int_eq(sel_numel(NEW(softmax, NEW(ones, SHAPE(2, 0), SEL_F32, NULL), 1)), 0);
  sel_tensor *out = NULL, *x = NEW(ones, SHAPE(2, 3), SEL_F32, NULL);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_softmax(x, 2, &out), "softmax", "dim 2", "f32[2, 3]");
  ASSERT_FAILS(SEL_E_DTYPE, sel_softmax(NEW(ones, SHAPE(2), SEL_I64, NULL), 0, &out), "softmax",
               "float", "i64");
  ASSERT_FAILS(SEL_E_DTYPE, sel_log_softmax(NEW(ones, SHAPE(2), SEL_BOOL, NULL), 0, &out),
               "log_softmax", "bool");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_log_softmax(NULL, 0, &out), "log_softmax", "NULL");
  ck_assert_ptr_null(out);
}
END_TEST

/* ---- against PyTorch ---- */

static sel_tensor *golden(sel_dtype dtype, sel_device *device, const double *values, int ndim,
                          const int64_t *shape) {
  int n = 1;
  for (int d = 0; d < ndim; d++) n *= (int)shape[d];
  return NEW(to, tensor_of(SEL_F64, ndim, shape, n, values), dtype, device);
}

/* Values of t, and the gradient in x of sum_i (i + 1) / 2 t_i. */
static void compare_golden(const char *what, sel_tensor *t, const double *value, sel_tensor *x,
                           const double *gradient, double tolerance) {
  int64_t n = sel_numel(t);
  for (int64_t i = 0; i < n; i++)
    ck_assert_msg(near(element_of(t, i), value[i], tolerance),
                  "%s, loss %d: expected %.9g, got %.9g", what, (int)i, value[i], element_of(t, i));
  sel_tensor *w = NEW(to, sequence(SEL_F64, 0.5, 0.5, sel_ndim(t), sel_shape(t)),
                      sel_tensor_dtype(t), sel_tensor_device(t));
  ASSERT_OK(sel_backward(1, &t, &w, false, false));
  for (int64_t i = 0; i < sel_numel(x); i++) {
    double got = element_of(sel_grad_of(x), i);
    ck_assert_msg(near(got, gradient[i], tolerance), "%s, gradient %d: expected %.9g, got %.9g",
                  what, (int)i, gradient[i], got);
  }
}

static void check_ids(const golden_ids *g, sel_dtype dtype, sel_dtype index, sel_device *device,
                      double tolerance) {
  int mark = n_kept, class_dim = g->ndim > 1, n = 0;
  int64_t target_shape[4];
  for (int d = 0; d < g->ndim; d++)
    if (d != class_dim) target_shape[n++] = g->shape[d];
  sel_tensor *x = leaf(golden(dtype, device, golden_logits, g->ndim, g->shape));
  sel_tensor *target = g->probabilities
                           ? golden(dtype, device, golden_probabilities, g->ndim, g->shape)
                           : golden(index, device, golden_ids_of, n, target_shape);
  sel_tensor *weight = g->weighted ? golden(dtype, device, golden_class_weight, SHAPE(4)) : NULL;
  sel_reduction reduction = (sel_reduction)g->reduction;
  sel_tensor *loss = g->nll ? NEW(nll_loss, x, target, weight, g->ignore_index, reduction)
                            : NEW(cross_entropy, x, target, weight, g->ignore_index,
                                  g->label_smoothing, reduction);
  char what[160];
  snprintf(what, sizeof what, "case %d: %s%s%s, ignore %d, smoothing %g, reduction %d, %d dims",
           (int)(g - golden_id_losses), g->nll ? "nll" : "cross_entropy",
           g->weighted ? ", weighted" : "", g->probabilities ? ", probabilities" : "",
           (int)g->ignore_index, g->label_smoothing, g->reduction, g->ndim);
  ck_assert_int_eq(sel_tensor_dtype(loss), dtype);
  ck_assert_int_eq(sel_ndim(loss), reduction == SEL_REDUCE_NONE ? n : 0);
  compare_golden(what, loss, g->loss, x, g->gradient, tolerance);
  release_kept(mark);
}

START_TEST(ids_as_pytorch) {
  sel_device *cpu = sel_default_device(), *plain = plain_device();
  for (size_t i = 0; i < sizeof golden_id_losses / sizeof *golden_id_losses; i++) {
    const golden_ids *g = &golden_id_losses[i];
    check_ids(g, SEL_F64, SEL_I64, cpu, 1e-13);
    check_ids(g, SEL_F64, SEL_I32, plain, 1e-13);
    check_ids(g, SEL_F32, SEL_I32, cpu, 2e-6);
    check_ids(g, SEL_F16, SEL_I64, cpu, 1e-2);
    check_ids(g, SEL_BF16, SEL_I64, cpu, 8e-2);
  }
}
END_TEST

static sel_tensor *pair_loss(const golden_pair *g, sel_tensor *x, sel_tensor *target) {
  bool batch_mean = g->reduction == 3;
  sel_reduction reduction = batch_mean ? SEL_REDUCE_MEAN : (sel_reduction)g->reduction;
  if (!strcmp(g->loss, "mse")) return NEW(mse_loss, x, target, reduction);
  if (!strcmp(g->loss, "l1")) return NEW(l1_loss, x, target, reduction);
  if (!strcmp(g->loss, "smooth_l1")) return NEW(smooth_l1_loss, x, target, g->parameter, reduction);
  if (!strcmp(g->loss, "huber")) return NEW(huber_loss, x, target, g->parameter, reduction);
  if (!strcmp(g->loss, "bce")) return NEW(bce_loss, x, target, reduction);
  if (!strcmp(g->loss, "kl_div")) return NEW(kl_div_loss, x, target, batch_mean, reduction);
  sel_tensor *weight = NULL;
  if (!strcmp(g->loss, "bce_pos_weight"))
    weight = golden(sel_tensor_dtype(x), NULL, golden_class_weight, SHAPE(3));
  return NEW(bce_with_logits_loss, x, target, weight, reduction);
}

START_TEST(pairs_as_pytorch) {
  static const sel_dtype dtypes[] = {SEL_F64, SEL_F32};
  static const double tolerance[] = {1e-13, 2e-6};
  for (size_t i = 0; i < sizeof golden_pairs / sizeof *golden_pairs; i++)
    for (int d = 0; d < 2; d++) {
      const golden_pair *g = &golden_pairs[i];
      bool bce = !strcmp(g->loss, "bce");
      sel_tensor *x =
          leaf(golden(dtypes[d], NULL, bce ? golden_probabilities : golden_logits, SHAPE(2, 3)));
      sel_tensor *target = golden(dtypes[d], NULL, golden_probabilities + 18, SHAPE(2, 3));
      char what[64];
      snprintf(what, sizeof what, "%s, reduction %d", g->loss, g->reduction);
      compare_golden(what, pair_loss(g, x, target), g->value, x, g->gradient, tolerance[d]);
      release_kept(0);
    }
}
END_TEST

/* ---- what PyTorch's values don't show ---- */

START_TEST(edges_of_cross_entropy) {
  sel_tensor *x = some_tensor(SEL_F32, -1, 1, 1, SHAPE(2, 3));
  sel_tensor *none = TENSOR(SEL_I64, SHAPE(2), -100, -100);
  /* nothing counts: 0 losses, and a mean of nothing */
  ASSERT_TENSOR(NEW(cross_entropy, x, none, NULL, -100, 0, SEL_REDUCE_NONE), "f32[2]", 0, 0);
  ASSERT_TENSOR(NEW(cross_entropy, x, none, NULL, -100, 0.1, SEL_REDUCE_SUM), "f32[]", 0);
  ASSERT_TENSOR(NEW(cross_entropy, x, none, NULL, -100, 0, SEL_REDUCE_MEAN), "f32[]", NAN);
  ASSERT_TENSOR(NEW(nll_loss, x, none, NULL, -100, SEL_REDUCE_MEAN), "f32[]", NAN);
  sel_tensor *empty = NEW(ones, SHAPE(0, 3), SEL_F32, NULL),
             *no_ids = NEW(ones, SHAPE(0), SEL_I64, NULL);
  ASSERT_TENSOR(NEW(cross_entropy, empty, no_ids, NULL, -100, 0, SEL_REDUCE_SUM), "f32[]", 0);
  ASSERT_TENSOR(NEW(cross_entropy, empty, no_ids, NULL, -100, 0, SEL_REDUCE_MEAN), "f32[]", NAN);
  ck_assert_int_eq(sel_numel(NEW(nll_loss, empty, no_ids, NULL, -100, SEL_REDUCE_NONE)), 0);
  /* logits far apart */
  sel_tensor *far = TENSOR(SEL_F32, SHAPE(1, 2), 1000, -1000), *id = TENSOR(SEL_I64, SHAPE(1), 1);
  ASSERT_TENSOR(NEW(cross_entropy, far, id, NULL, -100, 0, SEL_REDUCE_MEAN), "f32[]", 2000);
  /* an ignored position may hold anything */
  sel_tensor *holes = TENSOR(SEL_F32, SHAPE(2, 2), NAN, NAN, 0, 0);
  sel_tensor *first_ignored = TENSOR(SEL_I64, SHAPE(2), -1, 0);
  ASSERT_NEAR(NEW(cross_entropy, holes, first_ignored, NULL, -1, 0, SEL_REDUCE_MEAN), 1e-6, "f32[]",
              log(2));
  leaf(holes);
  sel_tensor *loss = NEW(nll_loss, holes, first_ignored, NULL, -1, SEL_REDUCE_MEAN);
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
  ASSERT_TENSOR(sel_grad_of(holes), "f32[2, 2]", 0, 0, -1, 0);
  /* strided logits and ids */
  sel_tensor *wide = some_tensor(SEL_F64, -1, 1, 2, SHAPE(3, 4, 2));
  sel_tensor *view = NEW(transpose, NEW(select, wide, 2, 1), 0, 1);
  sel_tensor *ids = NEW(slice, TENSOR(SEL_I64, SHAPE(8), 2, 9, 0, 9, 1, 9, 2, 9), 0, 0, 8, 2);
  ASSERT_SAME(
      NEW(cross_entropy, view, ids, NULL, -100, 0.1, SEL_REDUCE_NONE),
      NEW(cross_entropy, NEW(clone, view), NEW(clone, ids), NULL, -100, 0.1, SEL_REDUCE_NONE));
}
END_TEST

START_TEST(refused_ids) {
  sel_tensor *out = NULL, *x = some_tensor(SEL_F32, -1, 1, 1, SHAPE(2, 3));
  sel_tensor *ids = TENSOR(SEL_I64, SHAPE(2), 0, 3), *fine = TENSOR(SEL_I64, SHAPE(2), 0, 2);
  sel_tensor *elsewhere = NEW(to, x, SEL_F32, plain_device());
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_cross_entropy(x, ids, NULL, -100, 0, SEL_REDUCE_MEAN, &out),
               "cross_entropy", "3");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_nll_loss(x, ids, NULL, -100, SEL_REDUCE_MEAN, &out), "nll_loss",
               "3");
  ASSERT_FAILS(
      SEL_E_ARGUMENT,
      sel_cross_entropy(x, TENSOR(SEL_I32, SHAPE(2), -7, 1), NULL, -100, 0, SEL_REDUCE_MEAN, &out),
      "cross_entropy", "-7");
  ASSERT_FAILS(SEL_E_DEVICE,
               sel_cross_entropy(elsewhere, fine, NULL, -100, 0, SEL_REDUCE_MEAN, &out), "plain",
               "cpu");
  ASSERT_FAILS(
      SEL_E_DTYPE,
      sel_cross_entropy(x, TENSOR(SEL_U8, SHAPE(2), 0, 1), NULL, -100, 0, SEL_REDUCE_MEAN, &out),
      "cross_entropy", "class ids", "u8");
  ASSERT_FAILS(SEL_E_DTYPE, sel_nll_loss(x, x, NULL, -100, SEL_REDUCE_MEAN, &out), "nll_loss",
               "f32");
  ASSERT_FAILS(SEL_E_DTYPE, sel_cross_entropy(fine, fine, NULL, -100, 0, SEL_REDUCE_MEAN, &out),
               "cross_entropy", "float", "i64");
  ASSERT_FAILS(SEL_E_SHAPE,
               sel_cross_entropy(x, TENSOR(SEL_I64, SHAPE(3), 0, 1, 2), NULL, -100, 0,
                                 SEL_REDUCE_MEAN, &out),
               "cross_entropy", "f32[2, 3]", "i64[3]", "dim 1");
  ASSERT_FAILS(
      SEL_E_SHAPE,
      sel_nll_loss(x, TENSOR(SEL_I64, SHAPE(2, 1), 0, 1), NULL, -100, SEL_REDUCE_MEAN, &out),
      "nll_loss", "i64[2, 1]");
  ASSERT_FAILS(SEL_E_SHAPE,
               sel_cross_entropy(x, NEW(ones, SHAPE(2), SEL_F32, NULL), NULL, -100, 0,
                                 SEL_REDUCE_MEAN, &out),
               "cross_entropy", "f32[2, 3]", "f32[2]");
  ASSERT_FAILS(SEL_E_SHAPE,
               sel_cross_entropy(NEW(ones, SHAPE(), SEL_F32, NULL), fine, NULL, -100, 0,
                                 SEL_REDUCE_MEAN, &out),
               "cross_entropy", "[n, classes, ...]", "f32[]");
  sel_tensor *two = NEW(ones, SHAPE(2), SEL_F32, NULL), *three = NEW(ones, SHAPE(3), SEL_F32, NULL);
  ASSERT_FAILS(SEL_E_SHAPE, sel_cross_entropy(x, fine, two, -100, 0, SEL_REDUCE_MEAN, &out),
               "cross_entropy", "weight [3]", "f32[2]");
  ASSERT_FAILS(
      SEL_E_DTYPE,
      sel_nll_loss(x, fine, NEW(ones, SHAPE(3), SEL_F64, NULL), -100, SEL_REDUCE_MEAN, &out),
      "nll_loss", "f32", "f64");
  ASSERT_FAILS(SEL_E_AUTOGRAD,
               sel_cross_entropy(x, fine, leaf(three), -100, 0, SEL_REDUCE_MEAN, &out),
               "cross_entropy", "weight", "detach");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_cross_entropy(x, fine, NULL, -100, 1.5, SEL_REDUCE_MEAN, &out),
               "cross_entropy", "label_smoothing", "1.5");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_cross_entropy(x, x, NULL, 0, 0, SEL_REDUCE_MEAN, &out),
               "cross_entropy", "ignore_index");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_cross_entropy(x, NULL, NULL, -100, 0, SEL_REDUCE_MEAN, &out),
               "cross_entropy", "NULL");
  ck_assert_ptr_null(out);
}
END_TEST

START_TEST(refused_pairs) {
  sel_tensor *out = NULL, *x = NEW(ones, SHAPE(4, 1), SEL_F32, NULL),
             *t = NEW(ones, SHAPE(4), SEL_F32, NULL);
  static sel_status (*const plain_losses[])(sel_tensor *, sel_tensor *, sel_reduction,
                                            sel_tensor **) = {sel_mse_loss, sel_l1_loss,
                                                              sel_bce_loss};
  static const char *const names[] = {"mse_loss", "l1_loss", "bce_loss"};
  for (int i = 0; i < 3; i++)
    ASSERT_FAILS(SEL_E_SHAPE, plain_losses[i](x, t, SEL_REDUCE_MEAN, &out), names[i], "f32[4, 1]",
                 "f32[4]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_smooth_l1_loss(x, t, 1, SEL_REDUCE_MEAN, &out), "smooth_l1_loss",
               "f32[4]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_huber_loss(x, t, 1, SEL_REDUCE_MEAN, &out), "huber_loss", "f32[4]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_bce_with_logits_loss(x, t, NULL, SEL_REDUCE_MEAN, &out),
               "bce_with_logits_loss", "f32[4]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_kl_div_loss(x, t, true, SEL_REDUCE_MEAN, &out), "kl_div_loss",
               "f32[4]");
  sel_tensor *ids = NEW(ones, SHAPE(4, 1), SEL_I64, NULL);
  ASSERT_FAILS(SEL_E_DTYPE, sel_mse_loss(ids, ids, SEL_REDUCE_MEAN, &out), "mse_loss", "float",
               "i64");
  ASSERT_FAILS(SEL_E_DTYPE, sel_mse_loss(x, ids, SEL_REDUCE_MEAN, &out), "mse_loss", "f32", "i64");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_l1_loss(x, NEW(scalar, 1), SEL_REDUCE_MEAN, &out), "l1_loss",
               "the number 1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_smooth_l1_loss(t, t, -1, SEL_REDUCE_MEAN, &out), "beta", "-1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_huber_loss(t, t, 0, SEL_REDUCE_MEAN, &out), "delta", "0");
  ASSERT_FAILS(
      SEL_E_SHAPE,
      sel_bce_with_logits_loss(t, t, NEW(ones, SHAPE(3), SEL_F32, NULL), SEL_REDUCE_MEAN, &out),
      "pos_weight", "f32[3]", "f32[4]");
  ASSERT_FAILS(
      SEL_E_SHAPE,
      sel_bce_with_logits_loss(t, t, NEW(ones, SHAPE(2, 4), SEL_F32, NULL), SEL_REDUCE_MEAN, &out),
      "pos_weight", "f32[2, 4]");
  ck_assert_ptr_null(out);
}
END_TEST

/* ---- gradients ---- */

static sel_tensor *vary(uint64_t seed, int ndim, const int64_t *shape) {
  return some_tensor(SEL_F64, -1, 1, seed, ndim, shape);
}
static sel_tensor *ids_of(int ndim, const int64_t *shape) {
  sel_tensor *t = some_tensor(SEL_F64, 0, 3, 3, ndim, shape);
  return NEW(to, t, SEL_I64, NULL);
}
static sel_tensor *weights(void) { return TENSOR(SEL_F64, SHAPE(3), 0.5, 2, 1.25); }

static sel_tensor *softmax_middle(sel_tensor *const *in) { return NEW(softmax, in[0], 1); }
static sel_tensor *log_softmax_middle(sel_tensor *const *in) { return NEW(log_softmax, in[0], 1); }
static sel_tensor *softmax_twice(sel_tensor *const *in) {
  return NEW(softmax, NEW(square, NEW(log_softmax, in[0], -1)), 0);
}
static sel_tensor *ce_mean(sel_tensor *const *in) {
  return NEW(cross_entropy, in[0], ids_of(SHAPE(4)), NULL, 1, 0, SEL_REDUCE_MEAN);
}
static sel_tensor *ce_each(sel_tensor *const *in) {
  return NEW(cross_entropy, in[0], ids_of(SHAPE(4)), weights(), 1, 0.2, SEL_REDUCE_NONE);
}
static sel_tensor *ce_images(sel_tensor *const *in) {
  return NEW(cross_entropy, in[0], ids_of(SHAPE(2, 2)), weights(), -100, 0.1, SEL_REDUCE_MEAN);
}
/* The gradient's gradient's gradient: x reaches the loss through a first-order gradient. */
static sel_tensor *ce_gradient(sel_tensor *const *in) {
  sel_tensor *inner = NEW(mul_scalar, in[0], 1), *grad = NULL;
  sel_tensor *loss =
      NEW(cross_entropy, inner, ids_of(SHAPE(2)), weights(), -100, 0.1, SEL_REDUCE_SUM);
  ASSERT_OK(sel_grad(1, &loss, NULL, 1, &inner, true, true, false, &grad));
  return keep(grad);
}
static sel_tensor *softmax_gradient(sel_tensor *const *in) {
  sel_tensor *inner = NEW(mul_scalar, in[0], 1), *grad = NULL;
  sel_tensor *y = NEW(sum, NEW(square, NEW(softmax, inner, 1)), 0, NULL, false);
  ASSERT_OK(sel_grad(1, &y, NULL, 1, &inner, true, true, false, &grad));
  return keep(grad);
}
static sel_tensor *ce_probabilities(sel_tensor *const *in) {
  return NEW(cross_entropy, in[0], in[1], weights(), -100, 0.2, SEL_REDUCE_MEAN);
}
static sel_tensor *nll(sel_tensor *const *in) {
  return NEW(nll_loss, in[0], ids_of(SHAPE(4)), weights(), 1, SEL_REDUCE_MEAN);
}
static sel_tensor *mse(sel_tensor *const *in) {
  return NEW(mse_loss, in[0], in[1], SEL_REDUCE_MEAN);
}
static sel_tensor *smooth_l1(sel_tensor *const *in) {
  return NEW(smooth_l1_loss, in[0], in[1], 0.5, SEL_REDUCE_SUM);
}
static sel_tensor *huber(sel_tensor *const *in) {
  return NEW(huber_loss, in[0], in[1], 0.5, SEL_REDUCE_NONE);
}
static sel_tensor *bce_weighted(sel_tensor *const *in) {
  return NEW(bce_with_logits_loss, in[0], in[1], weights(), SEL_REDUCE_MEAN);
}
static sel_tensor *kl_div(sel_tensor *const *in) {
  return NEW(kl_div_loss, NEW(log_softmax, in[0], 1), NEW(softmax, in[1], 1), true,
             SEL_REDUCE_MEAN);
}

START_TEST(gradients) {
  CHECK_GRADIENTS(softmax_middle, vary(1, SHAPE(2, 3, 2)));
  CHECK_GRADIENTS(log_softmax_middle, vary(1, SHAPE(2, 3, 2)));
  CHECK_GRADIENTS(softmax_twice, vary(1, SHAPE(2, 3)));
  CHECK_GRADIENTS(softmax_gradient, vary(1, SHAPE(2, 3)));
  CHECK_GRADIENTS(ce_mean, vary(1, SHAPE(4, 3)));
  CHECK_GRADIENTS(ce_each, vary(1, SHAPE(4, 3)));
  CHECK_GRADIENTS(ce_images, vary(1, SHAPE(2, 3, 2)));
  CHECK_GRADIENTS(ce_gradient, vary(1, SHAPE(2, 3)));
  CHECK_GRADIENTS(ce_probabilities, vary(1, SHAPE(2, 3)), vary(2, SHAPE(2, 3)));
  CHECK_GRADIENTS(nll, vary(1, SHAPE(4, 3)));
  CHECK_GRADIENTS(mse, vary(1, SHAPE(2, 3)), vary(2, SHAPE(2, 3)));
  CHECK_GRADIENTS(smooth_l1, vary(1, SHAPE(2, 3)), vary(2, SHAPE(2, 3)));
  CHECK_GRADIENTS(huber, vary(1, SHAPE(2, 3)), vary(2, SHAPE(2, 3)));
  CHECK_GRADIENTS(bce_weighted, vary(1, SHAPE(2, 3)), vary(2, SHAPE(2, 3)));
  CHECK_GRADIENTS(kl_div, vary(1, SHAPE(2, 3)), vary(2, SHAPE(2, 3)));
}
END_TEST

/* ---- no memory ---- */

static sel_status losses_and_back(void *context) {
  sel_tensor **in = context, *loss[3] = {NULL}, *grad = NULL, *second = NULL;
  sel_status status = sel_cross_entropy(in[0], in[1], in[2], 0, 0.1, SEL_REDUCE_MEAN, &loss[0]);
  if (status == SEL_OK)
    status = sel_bce_with_logits_loss(in[0], in[3], in[2], SEL_REDUCE_MEAN, &loss[1]);
  if (status == SEL_OK) status = sel_add(loss[0], loss[1], &loss[2]);
  if (status == SEL_OK) status = sel_grad(1, &loss[2], NULL, 1, in, true, true, false, &grad);
  if (status == SEL_OK) status = sel_grad(1, &grad, &in[3], 1, in, false, false, false, &second);
  sel_release(second);
  sel_release(grad);
  for (int i = 0; i < 3; i++) sel_release(loss[i]);
  return status;
}

START_TEST(without_memory) {
  sel_tensor *in[] = {leaf(vary(1, SHAPE(4, 3))), ids_of(SHAPE(4)), weights(),
                      some_tensor(SEL_F64, 0, 1, 2, SHAPE(4, 3))};
  expect_memory_errors(losses_and_back, in);
}
END_TEST

/* On a device under test the numbers alone: what it finds wrong in ids may be reported later, and
 * it allocates memory of its own. tests/opencl has tests of both. */
int main(void) {
  enum { NUMBERS = 6 };
  const TTest *const tests[] = {softmax,          softmax_extremes,       ids_as_pytorch,
                                pairs_as_pytorch, edges_of_cross_entropy, gradients,
                                refused_ids,      refused_pairs,          without_memory};
  return tensor_suite("losses", test_device() ? NUMBERS : (int)(sizeof tests / sizeof *tests),
                      tests);
}
