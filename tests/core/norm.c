/* Normalisation: the composition against the kernel, running statistics, refusals, failing memory.
 * Numbers against PyTorch are in tests/plugins, gradients in gradients.c. */
#include "tensors.h"

static sel_device *cpu(void) { return sel_default_device(); }

/* cpu's twin without the kernel. */
static sel_device *composing(void) {
  static sel_backend table;
  sel_device *device;
  if (!table.name) {
    table = *sel_backend_at(0);
    table.name = "composing";
    table.norm = NULL;
    ASSERT_OK(sel_register_backend(&table));
  }
  ASSERT_OK(sel_device_find("composing", &device));
  return device;
}

typedef enum kind { LAYER, RMS, GROUP, BATCH, BATCH_FIXED, KINDS } kind;

/* in: x [3, 4, 2], weight, bias, running mean and variance [4] (layer, rms: weight, bias [2]). */
static sel_status run(kind k, sel_tensor *const *in, sel_tensor **out) {
  switch (k) {
    case LAYER:
      return sel_layer_norm(in[0], 1, in[1], in[2], 1e-3, out);
    case RMS:
      return sel_rms_norm(in[0], 1, in[1], 1e-3, out);
    case GROUP:
      return sel_group_norm(in[0], 2, in[1], in[2], 1e-3, out);
    default:
      return sel_batch_norm(in[0], in[3], in[4], in[1], in[2], k == BATCH, 0.25, 1e-3, out);
  }
}

typedef struct outcome {
  sel_tensor *y, *grad[3], *mean, *var;
} outcome;

static outcome everything(kind k, sel_dtype dtype, sel_device *device) {
  const int64_t affine = k == LAYER || k == RMS ? 2 : 4;
  sel_tensor *in[] = {
      some_tensor(dtype, -2, 2, 1, SHAPE(3, 4, 2)), some_tensor(dtype, 0.5, 2, 2, SHAPE(affine)),
      some_tensor(dtype, -1, 1, 3, SHAPE(affine)), some_tensor(dtype, -1, 1, 4, SHAPE(4)),
      some_tensor(dtype, 1, 2, 5, SHAPE(4))};
  for (int i = 0; i < 5; i++) in[i] = NEW(to, in[i], dtype, device);
  const int n = k == RMS ? 2 : 3;
  for (int i = 0; i < n; i++) leaf(in[i]);
  outcome o = {.mean = in[3], .var = in[4]};
  ASSERT_OK(run(k, in, &o.y));
  keep(o.y);
  sel_tensor *w = NEW(to, some_tensor(dtype, -1, 1, 6, SHAPE(3, 4, 2)), dtype, device);
  ASSERT_OK(sel_grad(1, &o.y, &w, n, in, false, false, false, o.grad));
  for (int i = 0; i < n; i++) keep(o.grad[i]);
  return o;
}

static void assert_close(sel_tensor *got, sel_tensor *wanted, double tolerance) {
  if (!wanted) return;
  sel_tensor *here = NEW(to, got, SEL_F64, cpu()), *there = NEW(to, wanted, SEL_F64, cpu());
  double largest;
  ASSERT_OK(sel_item(NEW(amax, NEW(abs, NEW(sub, here, there)), 0, NULL, false), &largest));
  ck_assert_double_le(largest, tolerance);
}

START_TEST(composition) {
  for (int k = 0; k < KINDS; k++)
    for (int low = 0; low < 2; low++) {
      const sel_dtype dtype = low ? SEL_F16 : SEL_F64;
      const double tolerance = low ? 2e-2 : 1e-13;
      outcome fused = everything((kind)k, dtype, cpu());
      outcome composed = everything((kind)k, dtype, composing());
      assert_close(composed.y, fused.y, tolerance);
      for (int i = 0; i < 3; i++) assert_close(composed.grad[i], fused.grad[i], tolerance);
      assert_close(composed.mean, fused.mean, tolerance);
      assert_close(composed.var, fused.var, tolerance);
    }
}
END_TEST

START_TEST(one_running_statistic) {
  sel_tensor *x = TENSOR(SEL_F64, SHAPE(2, 1), 1, 5), *mean = TENSOR(SEL_F64, SHAPE(1), 0), *y;
  ASSERT_OK(sel_batch_norm(x, mean, NULL, NULL, NULL, true, 0.5, 0, &y));
  ASSERT_TENSOR(keep(y), "f64[2, 1]", -1, 1);
  ASSERT_TENSOR(mean, "f64[1]", 1.5);
}
END_TEST

/* What was saved for backward is noticed when it changes. */
START_TEST(changed_input) {
  sel_tensor *x = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(3, 4))), *y, *grad;
  sel_tensor *in = NEW(mul_scalar, x, 2), *w = NEW(ones, SHAPE(3, 4), SEL_F32, NULL);
  ASSERT_OK(sel_layer_norm(in, 1, NULL, NULL, 1e-5, &y));
  keep(y);
  sel_set_grad_enabled(false);
  ASSERT_OK(sel_fill_(in, 0));
  sel_set_grad_enabled(true);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_grad(1, &y, &w, 1, &x, false, false, false, &grad), "layer_norm",
               "changed in place");
}
END_TEST

START_TEST(refused) {
  sel_tensor *x = NEW(ones, SHAPE(2, 4, 3), SEL_F32, NULL), *y = NULL;
  sel_tensor *four = NEW(ones, SHAPE(4), SEL_F32, NULL), *ids = TENSOR(SEL_I64, SHAPE(1, 2), 1, 2);
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_norm(x, 4, NULL, NULL, 0, &y), "layer_norm", "f32[2, 4, 3]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_norm(x, 0, NULL, NULL, 0, &y), "layer_norm");
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_norm(x, 1, four, NULL, 0, &y), "weight [3]", "f32[4]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_rms_norm(x, 2, four, 0, &y), "rms_norm", "weight [4, 3]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_rms_norm(x, 1, NULL, -1, &y), "eps", "-1");
  ASSERT_FAILS(SEL_E_SHAPE, sel_group_norm(x, 3, NULL, NULL, 0, &y), "3 groups", "f32[2, 4, 3]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_group_norm(four, 1, NULL, NULL, 0, &y), "[n, channels, ...]");
  ASSERT_FAILS(SEL_E_DTYPE, sel_layer_norm(ids, 1, NULL, NULL, 0, &y), "float dtype", "i64");
  ASSERT_FAILS(SEL_E_DTYPE, sel_layer_norm(x, 1, NEW(ones, SHAPE(3), SEL_F64, NULL), NULL, 0, &y),
               "dtypes");
  ASSERT_FAILS(
      SEL_E_SHAPE,
      sel_batch_norm(x, NEW(ones, SHAPE(3), SEL_F32, NULL), four, NULL, NULL, true, 0.1, 0, &y),
      "running_mean [4]", "f32[3]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_batch_norm(x, four, NULL, NULL, NULL, false, 0.1, 0, &y),
               "running_var");
  ASSERT_FAILS(SEL_E_SHAPE,
               sel_batch_norm(NEW(ones, SHAPE(1, 4), SEL_F32, NULL), NULL, NULL, NULL, NULL, true,
                              0.1, 0, &y),
               "more than one value a channel", "f32[1, 4]");
  ASSERT_TENSOR(four, "f32[4]", 1, 1, 1, 1);
  ck_assert_ptr_null(y);
}
END_TEST

typedef struct attempt {
  kind k;
  sel_tensor *in[5], *w;
} attempt;

static sel_status forth_and_back(void *context) {
  attempt *a = context;
  sel_tensor *y = NULL, *grads[3] = {NULL};
  sel_status status = run(a->k, a->in, &y);
  if (status == SEL_OK)
    status = sel_grad(1, &y, &a->w, a->k == RMS ? 2 : 3, a->in, false, a->k == GROUP, false, grads);
  for (int i = 0; i < 3; i++) sel_release(grads[i]);
  sel_release(y);
  return status;
}

START_TEST(without_memory) {
  for (int k = 0; k < KINDS; k++)
    for (int composed = 0; composed < 2; composed++) {
      sel_device *device = composed ? composing() : cpu();
      const int64_t affine = k == LAYER || k == RMS ? 2 : 4;
      attempt a = {.k = (kind)k};
      for (int i = 0; i < 5; i++)
        a.in[i] = i == 0 ? some_tensor(SEL_F16, -1, 1, 1, SHAPE(3, 4, 2))
                         : some_tensor(SEL_F16, 1, 2, 2, SHAPE(i < 3 ? affine : 4));
      for (int i = 0; i < 5; i++) a.in[i] = NEW(to, a.in[i], SEL_F16, device);
      for (int i = 0; i < 3; i++) leaf(a.in[i]);
      a.w = NEW(to, NEW(ones, SHAPE(3, 4, 2), SEL_F16, NULL), SEL_F16, device);
      expect_memory_errors(forth_and_back, &a);
    }
}
END_TEST

TENSOR_SUITE("norm", composition, one_running_statistic, changed_input, refused, without_memory)
