/* The tape: leaves, hooks, versions, releases, in-place changes, gradients asked for by name. */
#include "tensors.h"

static void backward(sel_tensor *root) { ASSERT_OK(sel_backward(1, &root, NULL, false, false)); }
static sel_tensor *total(sel_tensor *x) { return NEW(sum, x, 0, NULL, false); }
static sel_tensor *leaf_of(double first, int n) {
  return leaf(sequence(SEL_F32, first, 1, SHAPE(n)));
}

/* ---- leaves ---- */

START_TEST(leaves) {
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(2), 3, 4);
  ck_assert(sel_is_leaf(x));
  ck_assert(!sel_requires_grad(x));
  ck_assert_ptr_null(sel_grad_fn(x));
  ck_assert_ptr_null(sel_grad_of(x));
  leaf(x);
  ck_assert(sel_requires_grad(x));
  sel_tensor *y = NEW(mul, x, x);
  ck_assert(!sel_is_leaf(y));
  ck_assert(sel_requires_grad(y));
  ck_assert_str_eq(sel_grad_fn(y), "mul");
  backward(total(y));
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 6, 8);
  ck_assert_ptr_null(sel_grad_of(y));
  ASSERT_OK(sel_set_requires_grad(x, false));
  ck_assert(!sel_requires_grad(NEW(mul, x, x)));

  ASSERT_FAILS(SEL_E_DTYPE, sel_set_requires_grad(TENSOR(SEL_I64, SHAPE(1), 1), true), "float",
               "i64");
  ASSERT_OK(sel_set_requires_grad(TENSOR(SEL_I64, SHAPE(1), 1), false));
  ASSERT_OK(sel_set_requires_grad(y, true));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_set_requires_grad(y, false), "'mul'", "detach");
}
END_TEST

START_TEST(accumulation) {
  sel_tensor *x = leaf_of(1, 2);
  backward(total(NEW(mul_scalar, x, 2)));
  backward(total(NEW(mul_scalar, x, 3)));
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 5, 5);
  sel_tensor *seen = sel_grad_of(x);
  backward(total(x));
  ck_assert_ptr_eq(sel_grad_of(x), seen); /* added in place: a host may hold it */
  ASSERT_TENSOR(seen, "f32[2]", 6, 6);
  ck_assert(sel_is_contiguous(seen)); /* although the gradient of sum is expanded */
  ck_assert(!sel_requires_grad(seen));
  ASSERT_OK(sel_set_grad(x, NULL));
  ck_assert_ptr_null(sel_grad_of(x));
  sel_tensor *given = TENSOR(SEL_F32, SHAPE(2), 10, 20);
  ASSERT_OK(sel_set_grad(x, given));
  ck_assert_ptr_eq(sel_grad_of(x), given);
  backward(total(x));
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 11, 21);

  sel_tensor *wrong = TENSOR(SEL_F32, SHAPE(3), 1, 2, 3);
  ASSERT_FAILS(SEL_E_SHAPE, sel_set_grad(x, wrong), "f32[2]", "f32[3]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_set_grad(x, TENSOR(SEL_F64, SHAPE(2), 1, 2)), "f32[2]", "f64[2]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_set_grad(x, NEW(scalar, 1)), "number");
}
END_TEST

/* The gradient that a leaf keeps is its own memory, whatever backward handed out. */
START_TEST(gradients_share_nothing) {
  sel_tensor *x = leaf_of(0, 2), *y = leaf_of(0, 2), *seed = TENSOR(SEL_F32, SHAPE(2), 1, 2);
  sel_tensor *sum = NEW(add, x, y);
  ASSERT_OK(sel_backward(1, &sum, &seed, false, false));
  ck_assert(!sel_shares_storage(sel_grad_of(x), sel_grad_of(y)));
  ck_assert(!sel_shares_storage(sel_grad_of(x), seed));
  ASSERT_OK(sel_mul_scalar_(sel_grad_of(x), 0));
  ASSERT_TENSOR(sel_grad_of(y), "f32[2]", 1, 2);
  ASSERT_TENSOR(seed, "f32[2]", 1, 2);
}
END_TEST

START_TEST(all_float_dtypes) {
  static const sel_dtype dtypes[] = {SEL_F32, SEL_F64, SEL_F16, SEL_BF16};
  for (int i = 0; i < 4; i++) {
    sel_tensor *x = leaf(TENSOR(dtypes[i], SHAPE(2), 3, -4));
    backward(total(NEW(relu, NEW(mul, x, x))));
    char text[16];
    snprintf(text, sizeof text, "%s[2]", sel_dtype_name(dtypes[i]));
    ASSERT_TENSOR(sel_grad_of(x), text, 6, -8);
  }
  /* through casts, back in each tensor's own dtype */
  sel_tensor *x = leaf(TENSOR(SEL_BF16, SHAPE(2), 3, -4));
  sel_tensor *wide = NEW(to, x, SEL_F32, NULL);
  ASSERT_OK(sel_retain_grad(wide));
  backward(total(NEW(mul, wide, wide)));
  ASSERT_TENSOR(sel_grad_of(wide), "f32[2]", 6, -8);
  ASSERT_TENSOR(sel_grad_of(x), "bf16[2]", 6, -8);
  ck_assert(!sel_requires_grad(NEW(to, x, SEL_I64, NULL)));
}
END_TEST

/* ---- what is recorded ---- */

START_TEST(no_grad) {
  sel_tensor *x = leaf_of(1, 2);
  ck_assert(sel_grad_enabled());
  ck_assert(sel_set_grad_enabled(false));
  ck_assert(!sel_grad_enabled());
  sel_tensor *y = NEW(mul, x, x);
  ck_assert(!sel_requires_grad(y));
  ck_assert_ptr_null(sel_grad_fn(y));
  ASSERT_OK(sel_mul_scalar_(x, 2)); /* what an optimizer does */
  ck_assert(!sel_set_grad_enabled(true));
  ASSERT_TENSOR(x, "f32[2]", 2, 4);
  ck_assert(sel_is_leaf(x));
  backward(total(NEW(mul, x, y))); /* y is a constant: 1, 4 */
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 1, 4);
}
END_TEST

START_TEST(detach) {
  sel_tensor *x = leaf_of(1, 3), *y = NEW(exp, x), *d = NEW(detach, y);
  ck_assert(!sel_requires_grad(d));
  ck_assert(sel_is_leaf(d));
  ck_assert(sel_shares_storage(d, y));
  backward(total(NEW(mul, x, d)));
  ASSERT_SAME(sel_grad_of(x), d);
  ck_assert(sel_requires_grad(leaf(d)));
  ck_assert_str_eq(sel_grad_fn(y), "exp"); /* y has not changed */
}
END_TEST

START_TEST(integers_are_not_recorded) {
  sel_tensor *x = leaf_of(1, 3);
  ck_assert(!sel_requires_grad(NEW(argmax, x, 0, false)));
  ck_assert(!sel_requires_grad(NEW(gt_scalar, x, 2)));
  ck_assert(!sel_requires_grad(NEW(isnan, x)));
  sel_tensor *root = NEW(gt_scalar, x, 2);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &root, NULL, false, false),
               "does not require a gradient");
}
END_TEST

/* ---- graphs ---- */

START_TEST(diamonds) {
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(), 3));
  sel_tensor *square = NEW(mul, x, x);                  /* one input twice */
  sel_tensor *cube = NEW(mul, square, x);               /* two paths of different length */
  sel_tensor *sum = NEW(add, cube, square);             /* both used again */
  sel_tensor *y = NEW(mul, sum, NEW(add, sum, square)); /* (x^3 + x^2) (x^3 + 2 x^2) */
  backward(y);
  /* x^6 + 3 x^5 + 2 x^4: 6 x^5 + 15 x^4 + 8 x^3 */
  ASSERT_TENSOR(sel_grad_of(x), "f64[]", 6 * 243 + 15 * 81 + 8 * 27);
}
END_TEST

START_TEST(doubling_diamonds) { /* 2^64 paths: the walk is by nodes, not by paths */
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(), 1)), *y = x;
  for (int i = 0; i < 64; i++) y = NEW(add, y, y);
  backward(y);
  ASSERT_TENSOR(sel_grad_of(x), "f64[]", 0x1p64);
}
END_TEST

/* Slices of one tensor add their gradients where they belong; with create_graph each makes one of
 * the whole shape, and these are added. */
START_TEST(slices_of_one_tensor) {
  sel_tensor *x = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(3, 8))), *grads[2];
  sel_tensor *y = NEW(tanh, x);
  sel_tensor *parts[] = {NEW(narrow, y, 1, 0, 5), NEW(narrow, y, 1, 3, 5),
                         NEW(slice, y, 1, 0, 8, 2), NEW(narrow, y, 0, 1, 1)};
  sel_tensor *loss = total(NEW(exp, y));
  for (int i = 0; i < 4; i++) loss = NEW(add, loss, total(NEW(mul, parts[i], parts[i])));
  for (int graph = 0; graph < 2; graph++)
    ASSERT_OK(sel_grad(1, &loss, NULL, 1, &x, true, graph, false, &grads[graph]));
  ASSERT_SAME(keep(grads[0]), keep(grads[1]));
  ASSERT_OK(sel_retain_grad(y));
  backward(loss);
  ASSERT_SAME(sel_grad_of(x), grads[1]);
}
END_TEST

START_TEST(several_roots) {
  sel_tensor *x = leaf_of(1, 2), *unused = leaf_of(1, 2);
  sel_tensor *roots[] = {NEW(mul_scalar, x, 2), total(x), NEW(mul, x, x)};
  sel_tensor *grads[] = {TENSOR(SEL_F32, SHAPE(2), 1, 10), NULL, TENSOR(SEL_F32, SHAPE(2), 1, 1)};
  ASSERT_OK(sel_backward(3, roots, grads, false, false));
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 2 + 1 + 2, 20 + 1 + 4);
  ck_assert_ptr_null(sel_grad_of(unused));
  /* the same root twice, and a root that the other one is made of */
  sel_tensor *y = NEW(mul_scalar, x, 3), *z = total(y);
  sel_tensor *again[] = {z, z, NEW(select, y, 0, 0)};
  ASSERT_OK(sel_set_grad(x, NULL));
  ASSERT_OK(sel_backward(3, again, NULL, false, false));
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 9, 6);
}
END_TEST

START_TEST(leaf_roots) {
  sel_tensor *x = leaf(TENSOR(SEL_F32, SHAPE(), 5)), *g = NULL;
  backward(x);
  ASSERT_TENSOR(sel_grad_of(x), "f32[]", 1);
  ASSERT_OK(sel_grad(1, &x, NULL, 1, &x, false, false, false, &g));
  ASSERT_TENSOR(keep(g), "f32[]", 1);
  sel_tensor *other = leaf_of(1, 1); /* a root that is a leaf and not asked for */
  ASSERT_OK(sel_grad(1, &x, NULL, 1, &other, false, false, true, &g));
  ck_assert_ptr_null(g);
  sel_tensor *roots[] = {x, NEW(mul, x, x)};
  ASSERT_OK(sel_backward(2, roots, NULL, false, false));
  ASSERT_TENSOR(sel_grad_of(x), "f32[]", 1 + 1 + 10);
}
END_TEST

START_TEST(wrong_roots) {
  sel_tensor *x = leaf_of(1, 2), *plain = TENSOR(SEL_F32, SHAPE(), 1), *null = NULL;
  sel_tensor *y = NEW(mul_scalar, x, 2), *number = NEW(scalar, 1);
  ASSERT_FAILS(SEL_E_SHAPE, sel_backward(1, &y, NULL, false, false), "f32[2]",
               "more than one element");
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &plain, NULL, false, false), "does not require");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_backward(1, &null, NULL, false, false), "NULL");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_backward(1, &number, NULL, false, false), "number");
  sel_tensor *short_grad = TENSOR(SEL_F32, SHAPE(1), 1), *f64 = TENSOR(SEL_F64, SHAPE(2), 1, 1);
  ASSERT_FAILS(SEL_E_SHAPE, sel_backward(1, &y, &short_grad, false, false), "f32[2]", "f32[1]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_backward(1, &y, &f64, false, false), "f32[2]", "f64[2]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_backward(1, &y, &number, false, false), "f32[2]", "number");
  ck_assert_ptr_null(sel_grad_of(x));
  ASSERT_OK(sel_backward(1, &y, &x, false, false));
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 2, 4);
}
END_TEST

/* ---- keeping and releasing ---- */

START_TEST(twice) {
  sel_tensor *x = leaf_of(1, 2), *y = NEW(mul, x, x), *loss = total(y);
  ASSERT_OK(sel_backward(1, &loss, NULL, true, false));
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 4, 8);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &loss, NULL, false, false), "retain_graph");
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 4, 8);
  /* a new graph on top of a released one */
  sel_tensor *more = total(NEW(mul, y, y));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &more, NULL, false, false), "'mul'", "released");
}
END_TEST

/* Backward gives back what it has passed while it goes on. */
static double live_in_hook;
static sel_status note_live(void *context, sel_tensor *grad, sel_tensor **out) {
  (void)context, (void)grad, (void)out;
  live_in_hook = live_bytes();
  return SEL_OK;
}

START_TEST(early_release) {
  enum { N = 1 << 16, CHAIN = 20 };
  const double bytes = N * sizeof(float);
  sel_tensor *x = leaf(NEW(zeros, SHAPE(N), SEL_F32, NULL)), *y = sel_retain(x), *loss;
  ASSERT_OK(sel_register_hook(x, note_live, NULL, NULL));
  for (int i = 0; i < CHAIN; i++) { /* cos saves its input, so each link's input stays */
    sel_tensor *next;
    ASSERT_OK(sel_cos(y, &next));
    sel_release(y);
    y = next;
  }
  ASSERT_OK(sel_sum(y, 0, NULL, false, &loss));
  sel_release(y);
  double recorded = live_bytes();
  ck_assert_double_ge(recorded, CHAIN * bytes);
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
  /* at the leaf only x, its gradient and the last rule's results are left */
  ck_assert_double_le(live_in_hook, 6 * bytes);
  ck_assert_double_le(live_bytes(), 2 * bytes + 4096);
  sel_release(loss);
}
END_TEST

START_TEST(dropped_graphs_release) {
  double before = live_bytes();
  sel_tensor *x, *y, *z;
  ASSERT_OK(sel_ones(SHAPE(1000), SEL_F32, NULL, &x));
  leaf(x);
  ASSERT_OK(sel_exp(x, &y));
  ASSERT_OK(sel_mul(y, y, &z));
  sel_release(x);
  sel_release(y);
  ck_assert_double_ge(live_bytes(), before + 8000); /* z's graph needs x as a leaf, y saved */
  sel_release(z);
  ck_assert_double_eq(live_bytes(), before);
}
END_TEST

START_TEST(retain_grad) {
  sel_tensor *x = leaf_of(1, 2), *y = NEW(mul, x, x), *plain = TENSOR(SEL_F32, SHAPE(1), 1);
  ASSERT_OK(sel_retain_grad(y));
  ASSERT_OK(sel_retain_grad(y));
  ASSERT_OK(sel_retain_grad(x)); /* a leaf keeps its own anyway */
  sel_tensor *loss = total(NEW(mul_scalar, y, 3));
  ASSERT_OK(sel_backward(1, &loss, NULL, true, false));
  ASSERT_TENSOR(sel_grad_of(y), "f32[2]", 3, 3);
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 6, 12);
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
  ASSERT_TENSOR(sel_grad_of(y), "f32[2]", 6, 6);
  ASSERT_OK(sel_set_grad(y, NULL));
  ck_assert_ptr_null(sel_grad_of(y));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_retain_grad(plain), "does not require a gradient");
  /* kept also when the tensor itself is dropped before backward */
  sel_tensor *z;
  ASSERT_OK(sel_exp(x, &z));
  ASSERT_OK(sel_retain_grad(z));
  sel_tensor *end = total(z);
  sel_release(z);
  backward(end);
}
END_TEST

/* Sanitizers make each link some twenty times slower, and its stack frames larger. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { LONG = 200000 };
#else
enum { LONG = 1000000 };
#endif

START_TEST(long_chains) {
  for (int walked = 0; walked < 2; walked++) {
    sel_tensor *x, *y;
    ASSERT_OK(sel_ones(0, NULL, SEL_F32, NULL, &x));
    leaf(x);
    y = sel_retain(x);
    for (int i = 0; i < LONG; i++) {
      sel_tensor *next;
      ASSERT_OK(sel_neg(y, &next));
      sel_release(y);
      y = next;
    }
    if (walked) {
      backward(y);
      ASSERT_TENSOR(sel_grad_of(x), "f32[]", 1);
    }
    sel_release(y);
    sel_release(x);
    ck_assert_double_eq(live_bytes(), 0);
  }
}
END_TEST

/* A chain whose links are held by saved tensors too (mul saves both sides). */
START_TEST(long_chains_of_saved) {
  sel_tensor *x, *y;
  ASSERT_OK(sel_ones(0, NULL, SEL_F32, NULL, &x));
  leaf(x);
  y = sel_retain(x);
  for (int i = 0; i < LONG / 5; i++) {
    sel_tensor *next;
    ASSERT_OK(sel_mul(y, x, &next));
    sel_release(y);
    y = next;
  }
  sel_release(x);
  sel_release(y);
}
END_TEST

/* ---- versions ---- */

START_TEST(versions) {
  sel_tensor *x = leaf_of(1, 2), *y = NEW(mul_scalar, x, 2), *loss = total(NEW(mul, y, y));
  ASSERT_OK(sel_add_scalar_(y, 1)); /* mul saved y */
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &loss, NULL, false, false), "'mul'", "'add_'",
               "version 1, saved at 0", "clone");

  sel_tensor *e = NEW(exp, x); /* saves its result */
  loss = total(e);
  sel_set_grad_enabled(false);
  ASSERT_OK(sel_fill_(NEW(narrow, e, 0, 0, 1), 0)); /* through a view */
  sel_set_grad_enabled(true);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &loss, NULL, false, false), "'exp'", "'copy_'");

  sel_tensor *w = TENSOR(SEL_F32, SHAPE(2), 1, 1); /* a constant that is saved */
  loss = total(NEW(mul, x, w));
  ASSERT_OK(sel_write(w, (float[]){2, 2}, 8));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &loss, NULL, false, false), "'mul'", "'write_'");

  sel_tensor *s = NEW(add_scalar, x, 2); /* add saves nothing */
  loss = total(s);
  ASSERT_OK(sel_mul_scalar_(s, 2));
  backward(loss);
}
END_TEST

START_TEST(saved_values_are_checked_in_double_backward) {
  sel_tensor *x = leaf_of(1, 2), *y = total(NEW(exp, x)), *g = NULL;
  ASSERT_OK(sel_grad(1, &y, NULL, 1, &x, false, true, false, &g));
  sel_tensor *gg = total(NEW(mul, keep(g), g));
  sel_set_grad_enabled(false);
  ASSERT_OK(sel_add_scalar_(g, 1));
  sel_set_grad_enabled(true);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &gg, NULL, false, false), "'mul'", "'add_'");
}
END_TEST

/* ---- in place ---- */

START_TEST(in_place_on_leaves) {
  sel_tensor *x = leaf_of(1, 2);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_mul_scalar_(x, 2), "mul_", "leaf", "no_grad");
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_fill_(x, 2), "copy_", "leaf");
  ASSERT_TENSOR(x, "f32[2]", 1, 2);
  ck_assert_int_eq(sel_tensor_version(x), 0);
  sel_tensor *plain = TENSOR(SEL_F32, SHAPE(2), 10, 20);
  ASSERT_OK(sel_mul_(plain, x)); /* a plain tensor comes onto the tape */
  ck_assert_str_eq(sel_grad_fn(plain), "mul");
  backward(total(plain));
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 10, 20);
}
END_TEST

START_TEST(in_place_on_views_without_tape) {
  sel_tensor *x = leaf_of(1, 2), *base = NEW(zeros, SHAPE(4), SEL_F32, NULL);
  sel_tensor *part = NEW(narrow, base, 0, 1, 2);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_add_(part, x), "add_", "view", "cat");
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_copy_(part, x), "copy_", "view");
  ASSERT_TENSOR(base, "f32[4]", 0, 0, 0, 0);
  ASSERT_OK(sel_add_(part, TENSOR(SEL_F32, SHAPE(2), 5, 6))); /* nothing to record */
  ASSERT_TENSOR(base, "f32[4]", 0, 5, 6, 0);
  sel_set_grad_enabled(false);
  ASSERT_OK(sel_add_(part, x));
  sel_set_grad_enabled(true);
  ASSERT_TENSOR(base, "f32[4]", 0, 6, 8, 0);
}
END_TEST

START_TEST(in_place_on_intermediates) {
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(2), 2, 3)), *w = leaf(TENSOR(SEL_F64, SHAPE(2), 5, 7));
  sel_tensor *y = NEW(mul_scalar, x, 3);
  ASSERT_OK(sel_add_(y, w));        /* 3x + w */
  ASSERT_OK(sel_mul_scalar_(y, 2)); /* 6x + 2w */
  ASSERT_OK(sel_exp_(y));           /* saves its result */
  ASSERT_OK(sel_sub_(y, w));        /* exp(6x + 2w) - w; exp's result is overwritten */
  ck_assert_str_eq(sel_grad_fn(y), "sub");
  sel_tensor *loss = total(y);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &loss, NULL, false, false), "'exp'", "'sub_'");

  sel_tensor *v = NEW(mul, x, w);
  ASSERT_OK(sel_add_(v, x));
  ASSERT_OK(sel_relu_(v));
  ASSERT_OK(sel_mul_scalar_(v, 1)); /* relu saved its result */
  loss = total(v);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &loss, NULL, false, false), "'relu'", "'mul_'");

  ASSERT_OK(sel_set_grad(x, NULL)); /* what the failed walks had found so far */
  ASSERT_OK(sel_set_grad(w, NULL));
  v = NEW(mul, x, w);
  ASSERT_OK(sel_add_(v, x));
  ASSERT_OK(sel_mul_scalar_(v, 2));
  ASSERT_OK(sel_relu_(v)); /* relu(2 (x w + x)) */
  backward(total(v));
  ASSERT_TENSOR(sel_grad_of(x), "f64[2]", 2 * 6, 2 * 8);
  ASSERT_TENSOR(sel_grad_of(w), "f64[2]", 4, 6);

  /* what is overwritten has no influence any more */
  ASSERT_OK(sel_set_grad(x, NULL));
  v = NEW(mul_scalar, x, 3);
  ASSERT_OK(sel_copy_(v, w));
  loss = total(v);
  ASSERT_OK(sel_set_grad(w, NULL));
  backward(loss);
  ck_assert_ptr_null(sel_grad_of(x));
  ASSERT_TENSOR(sel_grad_of(w), "f64[2]", 1, 1);
  v = NEW(mul_scalar, x, 3);
  ASSERT_OK(sel_fill_(v, 4));
  ASSERT_OK(sel_mul_(v, w));
  ASSERT_OK(sel_set_grad(w, NULL));
  backward(total(v));
  ck_assert_ptr_null(sel_grad_of(x));
  ASSERT_TENSOR(sel_grad_of(w), "f64[2]", 4, 4);
}
END_TEST

/* What a rule needs of the memory it writes to is saved before. */
START_TEST(in_place_on_what_is_saved) {
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(2), 2, 3)), *w = leaf(TENSOR(SEL_F64, SHAPE(2), 5, 7));
  sel_tensor *y = NEW(mul_scalar, x, 2);
  ASSERT_OK(sel_mul_(y, w));
  ASSERT_OK(sel_square_(y)); /* 4 x^2 w^2 */
  backward(total(y));
  ASSERT_TENSOR(sel_grad_of(x), "f64[2]", 8 * 2 * 25, 8 * 3 * 49);
  ASSERT_TENSOR(sel_grad_of(w), "f64[2]", 8 * 4 * 5, 8 * 9 * 7);
  ASSERT_OK(sel_set_grad(x, NULL));
  y = NEW(mul_scalar, x, 3);
  ASSERT_OK(sel_mul_(y, y)); /* 9 x^2 */
  backward(total(y));
  ASSERT_TENSOR(sel_grad_of(x), "f64[2]", 36, 54);
  /* and once more through the recorded gradient: d(8 x w^2)/dx */
  sel_tensor *g = NULL, *gg = NULL;
  y = NEW(mul_scalar, x, 2);
  ASSERT_OK(sel_mul_(y, w));
  ASSERT_OK(sel_square_(y));
  y = total(y);
  ASSERT_OK(sel_grad(1, &y, NULL, 1, &x, false, true, false, &g));
  keep(g);
  sel_tensor *ones = TENSOR(SEL_F64, SHAPE(2), 1, 1);
  ASSERT_OK(sel_grad(1, &g, &ones, 1, &x, false, false, false, &gg));
  ASSERT_TENSOR(keep(gg), "f64[2]", 8 * 25, 8 * 49);
}
END_TEST

/* A tensor whose memory changed through another view does not stand for its node's result. */
START_TEST(stale_views) {
  sel_tensor *x = leaf_of(1, 4), *y = NEW(mul_scalar, x, 2), *part = NEW(narrow, y, 0, 0, 2), *t;
  ASSERT_OK(sel_mul_scalar_(part, 10)); /* y's first half changed under it */
  ck_assert_str_eq(sel_grad_fn(part), "mul");
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_sum(y, 0, NULL, false, &t), "sum", "'mul'", "'mul_'",
               "another view");
  backward(total(part)); /* the view that was written through is right */
  ASSERT_TENSOR(sel_grad_of(x), "f32[4]", 20, 20, 0, 0);
}
END_TEST

/* A view taken while its base had no tape would miss the gradient of what is written there later.
 */
START_TEST(views_older_than_the_tape) {
  sel_tensor *x = leaf_of(1, 2), *base = TENSOR(SEL_F32, SHAPE(2), 0, 0), *t;
  sel_tensor *early = NEW(narrow, base, 0, 0, 1), *apart = NEW(detach, base);
  sel_tensor *part_apart = NEW(narrow, apart, 0, 0, 1);
  ASSERT_OK(sel_copy_(base, x));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_mul_scalar(early, 2, &t), "mul", "'copy_'", "view again");
  ASSERT_OK(sel_mul_scalar(part_apart, 2, &t)); /* detached on purpose: a constant */
  ck_assert(!sel_requires_grad(keep(t)));
  sel_set_grad_enabled(false);
  ASSERT_OK(sel_mul_scalar(early, 2, &t));
  sel_set_grad_enabled(true);
  ASSERT_TENSOR(keep(t), "f32[1]", 2);
  sel_tensor *late = NEW(narrow, base, 0, 0, 1); /* taken again, it has its place */
  backward(total(late));
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 1, 0);
}
END_TEST

/* The mistake is found also where the stale tensor is a root itself. */
START_TEST(stale_roots) {
  sel_tensor *x = leaf_of(3, 1), *y = NEW(mul_scalar, x, 2), *part = NEW(narrow, y, 0, 0, 1);
  ASSERT_OK(sel_mul_scalar_(part, 10));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &y, NULL, false, false), "'mul'", "another view");
}
END_TEST

START_TEST(host_writes) {
  sel_tensor *x = leaf_of(1, 2), *y = NEW(mul_scalar, x, 2);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_write(y, (float[]){0, 0}, 8), "write", "no_grad");
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_set(y, 1, (int64_t[]){0}, 5), "set", "no_grad");
  ASSERT_TENSOR(y, "f32[2]", 2, 4);
  sel_set_grad_enabled(false);
  ASSERT_OK(sel_set(y, 1, (int64_t[]){0}, 5));
  sel_set_grad_enabled(true);
  ASSERT_OK(sel_add_scalar_(y, 0)); /* recorded, on top of what was written */
  sel_set_grad_enabled(false);
  ASSERT_OK(sel_add_scalar_(y, 1)); /* not recorded: y keeps its place on the tape */
  sel_set_grad_enabled(true);
  ASSERT_TENSOR(y, "f32[2]", 6, 5);
  backward(total(NEW(mul, y, y)));
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", 2 * 6 * 2, 2 * 5 * 2);
}
END_TEST

/* ---- hooks ---- */

typedef struct hook_log {
  int calls, released;
  double seen;
  double factor; /* 0: leave the gradient as it is */
} hook_log;

static sel_status log_hook(void *context, sel_tensor *grad, sel_tensor **out) {
  hook_log *log = context;
  log->calls++;
  ASSERT_OK(sel_get(grad, 1, (int64_t[]){0}, &log->seen));
  return log->factor != 0 ? sel_mul_scalar(grad, log->factor, out) : SEL_OK;
}
static void release_log(void *context) { ((hook_log *)context)->released++; }

START_TEST(hooks) {
  hook_log on_leaf = {.factor = 10}, second = {0}, on_inner = {.factor = -1}, on_other = {0};
  sel_tensor *x, *y, *other, *loss;
  ASSERT_OK(sel_ones(SHAPE(2), SEL_F32, NULL, &x));
  leaf(x);
  ASSERT_OK(sel_mul_scalar(x, 3, &y));
  ASSERT_OK(sel_exp(x, &other)); /* not on the way */
  ASSERT_OK(sel_register_hook(x, log_hook, &on_leaf, release_log));
  ASSERT_OK(sel_register_hook(x, log_hook, &second, release_log)); /* sees the first one's result */
  ASSERT_OK(sel_register_hook(y, log_hook, &on_inner, release_log));
  ASSERT_OK(sel_register_hook(other, log_hook, &on_other, release_log));
  ASSERT_OK(sel_retain_grad(y));
  ASSERT_OK(sel_sum(y, 0, NULL, false, &loss));
  backward(loss);
  ck_assert_int_eq(on_inner.calls, 1);
  ck_assert_double_eq(on_inner.seen, 1);
  ASSERT_TENSOR(sel_grad_of(y), "f32[2]", -1, -1);
  ck_assert_int_eq(on_leaf.calls, 1);
  ck_assert_double_eq(on_leaf.seen, -3);
  ck_assert_double_eq(second.seen, -30);
  ASSERT_TENSOR(sel_grad_of(x), "f32[2]", -30, -30);
  ck_assert_int_eq(on_other.calls, 0);
  sel_release(loss);
  sel_release(other);
  ck_assert_int_eq(on_other.released, 1);
  sel_release(y);
  ck_assert_int_eq(on_inner.released, 1);
  sel_release(x);
  ck_assert_int_eq(on_leaf.released, 1);
  ck_assert_int_eq(second.released, 1);
}
END_TEST

/* A leaf's hook sees each path's gradient, an inner tensor's hook the whole. */
START_TEST(hooks_see_complete_gradients) {
  hook_log inner = {0};
  sel_tensor *x = leaf_of(1, 1), *y = NEW(mul_scalar, x, 3);
  ASSERT_OK(sel_register_hook(y, log_hook, &inner, NULL));
  backward(total(NEW(add, NEW(mul, y, y), y))); /* 2 y + 1 */
  ck_assert_int_eq(inner.calls, 1);
  ck_assert_double_eq(inner.seen, 7);
}
END_TEST

static sel_status failing_hook(void *context, sel_tensor *grad, sel_tensor **out) {
  (void)context, (void)grad, (void)out;
  return sel_fail(SEL_E_ARGUMENT, "the hook says no");
}
static sel_status reshaping_hook(void *context, sel_tensor *grad, sel_tensor **out) {
  (void)context;
  return sel_reshape(grad, SHAPE(1, 2), out);
}

START_TEST(wrong_hooks) {
  hook_log log = {0};
  sel_tensor *x = leaf_of(1, 2), *plain = TENSOR(SEL_F32, SHAPE(1), 1), *y = NEW(mul_scalar, x, 2);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_register_hook(plain, log_hook, &log, release_log),
               "does not require a gradient");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_register_hook(x, NULL, &log, release_log), "NULL");
  ck_assert_int_eq(log.released, 2); /* context is taken also on failure */
  sel_tensor *loss = total(y);
  ASSERT_OK(sel_register_hook(y, failing_hook, NULL, NULL));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_backward(1, &loss, NULL, false, false), "the hook says no");
  loss = total(x);
  ASSERT_OK(sel_register_hook(x, reshaping_hook, NULL, NULL));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &loss, NULL, false, false), "hook", "f32[2]",
               "f32[1, 2]");
  ck_assert_ptr_null(sel_grad_of(x));
}
END_TEST

/* ---- sel_grad ---- */

START_TEST(grad_of_inputs) {
  sel_tensor *x = leaf_of(1, 2), *w = leaf_of(3, 2), *unused = leaf_of(0, 2),
             *other = leaf_of(0, 2);
  sel_tensor *y = NEW(mul, x, w), *loss = total(NEW(mul, y, y));
  sel_tensor *inputs[] = {w, y, unused, x, w}, *out[5];
  ASSERT_OK(sel_grad(1, &loss, NULL, 5, inputs, true, false, true, out));
  ASSERT_TENSOR(keep(out[0]), "f32[2]", 6, 32); /* 2 x^2 w */
  ASSERT_TENSOR(keep(out[1]), "f32[2]", 6, 16); /* 2 y, of a tensor that is no leaf */
  ck_assert_ptr_null(out[2]);
  ASSERT_TENSOR(keep(out[3]), "f32[2]", 18, 64); /* 2 x w^2 */
  ASSERT_TENSOR(keep(out[4]), "f32[2]", 6, 32);  /* asked for twice */
  ck_assert_ptr_null(sel_grad_of(x));            /* no leaf's gradient is touched */
  ck_assert_ptr_null(sel_grad_of(w));
  ck_assert_ptr_null(sel_grad_of(other));

  sel_tensor *untouched = other;
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_grad(1, &loss, NULL, 1, &unused, true, false, false, &untouched),
               "input 0", "allow_unused");
  ck_assert_ptr_eq(untouched, other);
  sel_tensor *plain = TENSOR(SEL_F32, SHAPE(1), 1);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_grad(1, &loss, NULL, 1, &plain, true, false, true, &untouched),
               "input 0", "does not require");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_grad(1, &loss, NULL, 0, NULL, true, false, true, NULL),
               "at least one");
  ASSERT_OK(sel_grad(1, &loss, NULL, 1, &loss, true, false, false, out)); /* the root itself */
  ASSERT_TENSOR(keep(out[0]), "f32[]", 1);
  ASSERT_OK(sel_grad(1, &loss, NULL, 1, &x, false, false, false, out));
  keep(out[0]);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_grad(1, &loss, NULL, 1, &x, false, false, false, &untouched),
               "released");
}
END_TEST

START_TEST(grad_from_inside) { /* only what lies between y and the loss is walked */
  hook_log log = {0};
  sel_tensor *x = leaf_of(1, 2), *y = NEW(exp, x), *loss = total(NEW(mul, y, y)), *g = NULL;
  ASSERT_OK(sel_register_hook(x, log_hook, &log, NULL));
  ASSERT_OK(sel_grad(1, &loss, NULL, 1, &y, true, false, false, &g));
  ASSERT_SAME(keep(g), NEW(mul_scalar, y, 2));
  ck_assert_int_eq(log.calls, 0);
  ASSERT_OK(sel_grad(1, &loss, NULL, 1, &x, true, false, false, &g));
  keep(g);
  ck_assert_int_eq(log.calls, 1);
}
END_TEST

START_TEST(gradients_of_gradients) {
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(), 2)), *y = NEW(mul, NEW(mul, x, x), NEW(mul, x, x));
  double expected[] = {4 * 8, 12 * 4, 24 * 2, 24};
  sel_tensor *g = y;
  for (int order = 0; order < 4; order++) {
    sel_tensor *next = NULL;
    ASSERT_OK(sel_grad(1, &g, NULL, 1, &x, false, true, false, &next));
    g = keep(next);
    ASSERT_TENSOR(g, "f64[]", expected[order]);
  }
  /* through backward: the gradient of a leaf is on the tape */
  sel_tensor *z = NEW(mul, NEW(mul, x, x), x);
  ASSERT_OK(sel_backward(1, &z, NULL, false, true));
  sel_tensor *first = sel_grad_of(x);
  ASSERT_TENSOR(first, "f64[]", 12);
  ck_assert(sel_requires_grad(first));
  sel_tensor *second = NULL;
  ASSERT_OK(sel_grad(1, &first, NULL, 1, &x, false, false, false, &second));
  ASSERT_TENSOR(keep(second), "f64[]", 12);
  ASSERT_OK(sel_set_grad(x, NULL)); /* the gradient's graph holds x: a cycle until here */
}
END_TEST

START_TEST(gradient_penalty) { /* (|grad_x f|^2 - 1)^2 through f = sum(tanh(w x)) */
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(3), 0.1, -0.2, 0.3));
  sel_tensor *w = leaf(TENSOR(SEL_F64, SHAPE(3), 1.5, 0.5, -1)), *g = NULL;
  sel_tensor *f = total(NEW(tanh, NEW(mul, w, x)));
  ASSERT_OK(sel_grad(1, &f, NULL, 1, &x, false, true, false, &g));
  sel_tensor *penalty = NEW(square, NEW(sub_scalar, total(NEW(square, keep(g))), 1));
  backward(penalty);
  const double h = 1e-6;
  for (int k = 0; k < 3; k++) {
    double value[2];
    for (int side = 0; side < 2; side++) {
      double weights[] = {1.5, 0.5, -1}, points[] = {0.1, -0.2, 0.3}, square = 0;
      weights[k] += side ? h : -h;
      for (int i = 0; i < 3; i++) {
        double t = tanh(weights[i] * points[i]), d = weights[i] * (1 - t * t);
        square += d * d;
      }
      value[side] = (square - 1) * (square - 1);
    }
    double expected = (value[1] - value[0]) / (2 * h), got = element_of(sel_grad_of(w), k);
    ck_assert_msg(near(got, expected, 1e-7), "element %d: expected %g, got %g", k, expected, got);
  }
}
END_TEST

START_TEST(the_tape_seen) {
  char text[64];
  int result = -1;
  sel_tensor *x = leaf_of(1, 2), *constant = sequence(SEL_F32, 0, 1, SHAPE(2));
  ck_assert_ptr_null(sel_node_of(x));
  sel_tensor *y = NEW(mul, x, constant), *z = total(y);
  const sel_node *sum = sel_node_of(z), *mul = sel_node_of(y);
  ck_assert_str_eq(sel_node_name(sum), "sum");
  ck_assert_int_eq(sel_node_inputs(sum), 1);
  ck_assert_int_eq(sel_node_results(sum), 1);
  ck_assert_ptr_eq(sel_node_input(sum, 0, &result), mul);
  ck_assert_int_eq(result, 0);
  ck_assert_ptr_null(sel_node_leaf(sum, 0));
  ck_assert(sel_node_sequence(sum) > sel_node_sequence(mul));
  ck_assert_ptr_eq(sel_node_leaf(mul, 0), x);
  ck_assert_ptr_null(sel_node_input(mul, 0, &result));
  ck_assert_ptr_null(sel_node_leaf(mul, 1)); /* asks for no gradient */
  ck_assert_ptr_null(sel_node_leaf(mul, 2));
  ck_assert_ptr_null(sel_node_input(mul, -1, &result));
  ck_assert_str_eq(sel_node_describe(mul, 0, text, sizeof text), "f32[2]");
  ck_assert_str_eq(sel_node_describe(mul, 1, text, sizeof text), "no result 1");
  ck_assert(!sel_node_released(sum));
  backward(z);
  ck_assert(sel_node_released(sum));
  ck_assert_ptr_null(sel_node_input(sum, 0, &result));
}
END_TEST

TENSOR_SUITE("autograd", leaves, accumulation, gradients_share_nothing, all_float_dtypes, no_grad,
             detach, integers_are_not_recorded, diamonds, doubling_diamonds, slices_of_one_tensor,
             several_roots, leaf_roots, wrong_roots, twice, early_release, dropped_graphs_release,
             retain_grad, long_chains, long_chains_of_saved, versions,
             saved_values_are_checked_in_double_backward, in_place_on_leaves,
             in_place_on_views_without_tape, in_place_on_intermediates, in_place_on_what_is_saved,
             stale_views, views_older_than_the_tape, stale_roots, host_writes, hooks,
             hooks_see_complete_gradients, wrong_hooks, grad_of_inputs, grad_from_inside,
             gradients_of_gradients, gradient_penalty, the_tape_seen)
