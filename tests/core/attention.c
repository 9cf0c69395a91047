/* sel_attention and sel_rotary: PyTorch's numbers, dropout, masks, dtypes, memory, errors.
 * Gradients against differences are in gradients/attention.c, the kernel's cases in
 * tests/backends/attention.c. */
#include "tensors.h"

static sel_tensor *attend(sel_tensor *q, sel_tensor *k, sel_tensor *v, sel_tensor *mask,
                          bool causal) {
  return NEW(attention, q, k, v, mask, causal, 0, 0);
}

static sel_tensor *some(sel_dtype dtype, uint64_t seed, int ndim, const int64_t *shape) {
  return some_tensor(dtype, -2, 2, seed, ndim, shape);
}

/* ---- PyTorch's numbers: golden/attention.safetensors, by make_attention.py ---- */

static sel_tensor *golden(const sel_archive *archive, const char *name, const char *part) {
  char key[64];
  snprintf(key, sizeof key, "%s.%s", name, part);
  return sel_archive_find(archive, key);
}

static void compare(const char *name, const char *part, const sel_tensor *got,
                    const sel_tensor *wanted, double tolerance) {
  ck_assert_msg(wanted != NULL, "golden case %s has no %s", name, part);
  ck_assert_int_eq(sel_numel(got), sel_numel(wanted));
  for (int64_t i = 0; i < sel_numel(got); i++) {
    double a = element_of(got, i), b = element_of(wanted, i);
    ck_assert_msg(near(a, b, tolerance), "case %s, %s, element %d: expected %.17g, got %.17g", name,
                  part, (int)i, b, a);
  }
}

static void run_golden(const sel_archive *archive, const char *name, bool causal, sel_dtype dtype) {
  double tolerance = dtype == SEL_F32 ? 1e-5 : 1e-12;
  sel_tensor *in[3], *grads[3];
  static const char *const parts[] = {"q", "k", "v"}, *const wanted[] = {"grad_q", "grad_k",
                                                                         "grad_v"};
  for (int i = 0; i < 3; i++)
    in[i] = leaf(NEW(clone, NEW(to, golden(archive, name, parts[i]), dtype, NULL)));
  sel_tensor *g = NEW(to, golden(archive, name, "g"), dtype, NULL);
  sel_tensor *mask = golden(archive, name, "mask");
  if (mask && sel_tensor_dtype(mask) != SEL_BOOL) mask = NEW(to, mask, dtype, NULL);
  sel_tensor *out = attend(in[0], in[1], in[2], mask, causal);
  compare(name, "out", out, golden(archive, name, "out"), tolerance);
  ASSERT_OK(sel_grad(1, &out, &g, 3, in, false, false, false, grads));
  for (int i = 0; i < 3; i++)
    compare(name, wanted[i], keep(grads[i]), golden(archive, name, wanted[i]), tolerance);
}

START_TEST(equals_pytorch) {
  sel_archive *archive;
  ASSERT_OK(sel_safetensors_read(SEL_TEST_DIR "/golden/attention.safetensors", &archive));
  int n = sel_archive_metadata_count(archive);
  ck_assert_int_eq(n, 5);
  for (int i = 0; i < n; i++) {
    const char *name = sel_archive_metadata_key(archive, i);
    bool causal = strcmp(sel_archive_metadata_value(archive, i), "causal") == 0;
    run_golden(archive, name, causal, SEL_F64);
    run_golden(archive, name, causal, SEL_F32);
  }
  release_kept(0);
  sel_archive_release(archive);
}
END_TEST

/* ---- options ---- */

/* The value behind the largest score, and the mean where all are equal. */
START_TEST(by_hand) {
  sel_tensor *q = TENSOR(SEL_F32, SHAPE(1, 1, 2, 1), 0, 1000);
  sel_tensor *k = TENSOR(SEL_F32, SHAPE(1, 1, 3, 1), 1, 3, 2);
  sel_tensor *v = TENSOR(SEL_F32, SHAPE(1, 1, 3, 1), 5, 7, 9);
  ASSERT_NEAR(attend(q, k, v, NULL, false), 1e-6, "f32[1, 1, 2, 1]", 7, 7);
  sel_tensor *mask = TENSOR(SEL_BOOL, SHAPE(2, 3), 0, 0, 0, 1, 0, 1);
  ASSERT_NEAR(attend(q, k, v, mask, false), 1e-6, "f32[1, 1, 2, 1]", 0, 9);
  ASSERT_NEAR(attend(q, k, v, NULL, true), 1e-6, "f32[1, 1, 2, 1]", 6, 7);
}
END_TEST

/* Heads 2h and 2h + 1 use kv head h: as if each were repeated. */
START_TEST(groups_of_queries) {
  sel_tensor *q = some(SEL_F64, 1, SHAPE(2, 4, 3, 2)), *k = some(SEL_F64, 2, SHAPE(2, 2, 5, 2));
  sel_tensor *twice =
      NEW(reshape, NEW(expand, NEW(unsqueeze, k, 2), SHAPE(2, 2, 2, 5, 2)), SHAPE(2, 4, 5, 2));
  ASSERT_SAME(attend(q, k, k, NULL, true), attend(q, twice, twice, NULL, true));
}
END_TEST

/* f16 and bf16 are computed in f32, and so are their gradients. */
START_TEST(low_precision) {
  sel_dtype low[] = {SEL_F16, SEL_BF16};
  for (int i = 0; i < 2; i++) {
    sel_tensor *x = leaf(some(low[i], 1, SHAPE(1, 2, 4, 2))), *grad;
    sel_tensor *wide = leaf(NEW(clone, NEW(to, NEW(detach, x), SEL_F32, NULL)));
    sel_tensor *a = attend(x, x, x, NULL, true), *b = attend(wide, wide, wide, NULL, true);
    ASSERT_SAME(a, NEW(to, b, low[i], NULL));
    ASSERT_OK(sel_grad(1, &a, &a, 1, &x, false, false, false, &grad));
    ck_assert_int_eq(sel_tensor_dtype(keep(grad)), low[i]);
  }
}
END_TEST

/* The same dropout as dropping the probabilities with sel_dropout, and a kept share near 1 - p. */
START_TEST(dropout_of_probabilities) {
  sel_tensor *q = some(SEL_F64, 1, SHAPE(2, 2, 9, 4)), *k = some(SEL_F64, 2, SHAPE(2, 2, 150, 4));
  sel_manual_seed(9);
  sel_tensor *a = NEW(attention, q, k, k, NULL, false, 0.25, 0.5);
  sel_tensor *after = NEW(dropout, k, 0.5);
  sel_manual_seed(9);
  sel_tensor *scores = NEW(mul_scalar, NEW(matmul, q, NEW(transpose, k, -1, -2)), 0.5);
  sel_tensor *p = NEW(dropout, NEW(softmax, scores, -1), 0.25), *b = NEW(matmul, p, k);
  for (int64_t i = 0; i < sel_numel(a); i++)
    ck_assert(near(element_of(a, i), element_of(b, i), 1e-12));
  ASSERT_SAME(after, NEW(dropout, k, 0.5)); /* as many counters were taken */
}
END_TEST

START_TEST(same_for_any_number_of_threads) {
  sel_tensor *x = some(SEL_F32, 3, SHAPE(2, 3, 200, 16)), *grads[2], *out[2];
  for (int i = 0; i < 2; i++) {
    ASSERT_OK(sel_set_num_threads(i ? 0 : 1));
    sel_tensor *y = leaf(NEW(clone, x));
    out[i] = attend(y, y, y, NULL, true);
    ASSERT_OK(sel_grad(1, &out[i], &x, 1, &y, false, false, false, &grads[i]));
    keep(grads[i]);
  }
  ASSERT_SAME(out[0], out[1]);
  ASSERT_SAME(grads[0], grads[1]);
}
END_TEST

/* ---- memory ---- */

/* 4096 x 4096 scores would be 64 MB. */
START_TEST(memory_does_not_grow_with_length_squared) {
  enum { LENGTH = 4096, SIZE = 16 };
  const double one = (double)LENGTH * SIZE * 4;
  sel_tensor *x = leaf(some(SEL_F32, 1, SHAPE(1, 1, LENGTH, SIZE))), *grad;
  sel_memory_info memory;
  sel_memory_reset_peak(sel_default_device());
  double before = live_bytes();
  sel_tensor *out = attend(x, x, x, NULL, true);
  ASSERT_OK(sel_grad(1, &out, &x, 1, &x, false, false, false, &grad));
  keep(grad);
  sel_memory(sel_default_device(), &memory);
  ck_assert_msg(memory.peak - before < 8 * one, "%g bytes over the input's %g",
                memory.peak - before, one);
}
END_TEST

static sel_status there_and_back(void *context) {
  sel_tensor *const *in = context, *x = in[0], *y = NULL, *z = NULL, *grad = NULL;
  sel_status status = sel_rotary(x, 1, 100, true, &y);
  if (status == SEL_OK) status = sel_attention(y, x, x, in[1], true, 0, 0, &z);
  if (status == SEL_OK) status = sel_grad(1, &z, &z, 1, &x, false, false, false, &grad);
  sel_release(grad);
  sel_release(z);
  sel_release(y);
  return status;
}

START_TEST(without_memory) {
  sel_tensor *x = leaf(NEW(transpose, some(SEL_F16, 1, SHAPE(2, 3, 1, 4)), 1, 2));
  sel_tensor *in[] = {x, TENSOR(SEL_BOOL, SHAPE(3, 3), 1, 0, 0, 1, 1, 0, 0, 1, 1)};
  expect_memory_errors(there_and_back, in);
}
END_TEST

/* ---- rotary ---- */

START_TEST(rotary_by_hand) {
  double c = cos(2.0), s = sin(2.0), c1 = cos(2 / 10.0), s1 = sin(2 / 10.0);
  sel_tensor *x = TENSOR(SEL_F64, SHAPE(1, 4), 1, 2, 3, 4);
  ASSERT_NEAR(NEW(rotary, x, 2, 100, false), 1e-14, "f64[1, 4]", c - 3 * s, 2 * c1 - 4 * s1,
              3 * c + s, 4 * c1 + 2 * s1);
  ASSERT_NEAR(NEW(rotary, x, 2, 100, true), 1e-14, "f64[1, 4]", c - 2 * s, 2 * c + s,
              3 * c1 - 4 * s1, 4 * c1 + 3 * s1);
  sel_tensor *y = some(SEL_F64, 2, SHAPE(2, 3, 4));
  sel_tensor *tail = NEW(narrow, y, 1, 2, 1), *whole = NEW(rotary, y, 5, 10000, false);
  ASSERT_SAME(NEW(rotary, tail, 7, 10000, false), NEW(clone, NEW(narrow, whole, 1, 2, 1)));
  ck_assert_int_eq(sel_numel(NEW(rotary, NEW(zeros, SHAPE(0, 4), SEL_F32, NULL), 0, 10, true)), 0);
}
END_TEST

/* ---- errors ---- */

START_TEST(refusals) {
  sel_tensor *q = some(SEL_F32, 1, SHAPE(2, 4, 3, 8)), *k = some(SEL_F32, 2, SHAPE(2, 4, 5, 8)),
             *out;
#define REFUSED(status, q, k, v, mask, ...) \
  ASSERT_FAILS(status, sel_attention(q, k, v, mask, false, 0, 0, &out), "attention", __VA_ARGS__)
  REFUSED(SEL_E_ARGUMENT, NULL, k, k, NULL, "queries");
  REFUSED(SEL_E_ARGUMENT, q, k, NULL, NULL, "values");
  REFUSED(SEL_E_SHAPE, some(SEL_F32, 1, SHAPE(4, 3, 8)), k, k, NULL, "[4, 3, 8]");
  REFUSED(SEL_E_SHAPE, q, some(SEL_F32, 1, SHAPE(2, 4, 5, 7)), k, NULL, "[2, 4, 5, 7]", "8");
  REFUSED(SEL_E_SHAPE, q, some(SEL_F32, 1, SHAPE(2, 3, 5, 8)), k, NULL, "divides the 4 heads");
  REFUSED(SEL_E_SHAPE, q, k, some(SEL_F32, 1, SHAPE(2, 4, 6, 8)), NULL, "[2, 4, 6, 8]");
  REFUSED(SEL_E_SHAPE, q, k, k, NEW(zeros, SHAPE(3, 4), SEL_F32, NULL), "[3, 4]", "[2, 4, 3, 5]");
  REFUSED(SEL_E_DTYPE, q, k, k, NEW(zeros, SHAPE(3, 5), SEL_I64, NULL), "bool");
  REFUSED(SEL_E_DTYPE, q, k, k, NEW(zeros, SHAPE(3, 5), SEL_F64, NULL), "f64");
  REFUSED(SEL_E_DTYPE, q, NEW(to, k, SEL_F64, NULL), k, NULL, "f64");
  REFUSED(SEL_E_DTYPE, NEW(to, q, SEL_I64, NULL), k, k, NULL, "i64");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_attention(q, k, k, NULL, false, 1.5, 0, &out), "1.5");
  ASSERT_FAILS(SEL_E_SHAPE, sel_rotary(some(SEL_F32, 1, SHAPE(3, 5)), 0, 10, false, &out),
               "[3, 5]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_rotary(q, 0, -1, false, &out), "base");
  ASSERT_FAILS(SEL_E_DTYPE, sel_rotary(NEW(to, q, SEL_I32, NULL), 0, 10, false, &out), "i32");
}
END_TEST

START_TEST(the_mask_takes_no_gradient) {
  sel_tensor *q = leaf(some(SEL_F32, 1, SHAPE(1, 1, 2, 2)));
  sel_tensor *mask = leaf(some(SEL_F32, 2, SHAPE(2, 2))), *grads[2];
  sel_tensor *out = attend(q, q, q, mask, false), *in[] = {q, mask};
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_grad(1, &out, &out, 2, in, false, false, false, grads), "mask");
}
END_TEST

TENSOR_SUITE("attention", equals_pytorch, by_hand, groups_of_queries, low_precision,
             dropout_of_probabilities, same_for_any_number_of_threads,
             memory_does_not_grow_with_length_squared, without_memory, rotary_by_hand, refusals,
             the_mask_takes_no_gradient)
