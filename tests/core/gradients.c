/* Gradients of every differentiable operation against central differences in f64.
 *
 * The operations are enumerated from the library's list, so that one without a sample fails here by
 * name. For a sample out = op(x) with fixed weights w and u:
 *   first order   d(w . out)/dx from the tape against differences of w . out;
 *   second order  d(u . g)/d(x, w), g = d(w . out)/dx recorded, against differences of u . g, or
 *                 the error of an operation that has none.
 * The samples are in gradients/, a file a family.
 */
#include "gradients/problem.h"

static const double step = 1e-5, tolerance = 2e-6;

static sel_tensor *run(const problem *p, sel_tensor *const *in) {
  sel_tensor *out = NULL;
  sel_status status = p->s->run(p->s, in, &out);
  ck_assert_msg(status == SEL_OK, "%s, %s: %s", p->s->op, p->s->what, sel_error());
  return keep(out);
}

/* The shape of the output decides that of w. */
static void prepare_weights(problem *p) {
  int mark = n_kept;
  sel_tensor *leaves[SAMPLE_INPUTS], *in[SAMPLE_INPUTS];
  make_inputs(p, false, leaves, in);
  sel_tensor *out = run(p, in);
  ck_assert_msg(sel_tensor_dtype(out) == SEL_F64, "%s, %s: the result is no f64", p->s->op,
                p->s->what);
  variable *w = &p->v[p->w];
  w->ndim = sel_ndim(out);
  w->n = sel_numel(out);
  ck_assert_int_le(w->n, ELEMENTS);
  for (int d = 0; d < w->ndim; d++) w->shape[d] = sel_size(out, d);
  for (int64_t k = 0; k < w->n; k++) w->value[k] = some_number(5000 + (uint64_t)k, 0.5, 1.5);
  release_kept(mark);
}

/* ---- does the sample run the operation ---- */

/* An inner operation shows itself by refusing to go on after what it saved has changed. */
static void check_inner(const problem *p) {
  sel_tensor *leaves[SAMPLE_INPUTS], *views[SAMPLE_INPUTS], *in[SAMPLE_INPUTS] = {NULL};
  make_inputs(p, true, leaves, views);
  for (int i = 0; i < p->w; i++)
    in[i] = p->s->in[i].kind == VARYING ? NEW(mul_scalar, views[i], 1) : views[i];
  sel_tensor *out = run(p, in), *w = tensor_from(&p->v[p->w], SEL_F64);
  sel_set_grad_enabled(false);
  for (int i = 0; i < p->w; i++)
    if (p->s->in[i].kind == VARYING) ASSERT_OK(sel_mul_scalar_(in[i], 1));
  sel_set_grad_enabled(true);
  char name[64];
  snprintf(name, sizeof name, "backward of '%s'", p->s->op);
  sel_status status = sel_backward(1, &out, &w, false, false);
  ck_assert_msg(status == SEL_E_AUTOGRAD && strstr(sel_error(), name),
                "%s, %s: the sample does not run the operation: %s", p->s->op, p->s->what,
                status == SEL_OK ? "backward missed no saved tensor" : sel_error());
}

static void check_op(const problem *p, const sel_tensor *out) {
  const char *fn = sel_grad_fn(out);
  ck_assert_msg(fn != NULL, "%s, %s: the result is not on the tape", p->s->op, p->s->what);
  if (!p->s->inner)
    ck_assert_msg(strcmp(fn, p->s->op) == 0, "%s, %s: the sample runs '%s' instead", p->s->op,
                  p->s->what, fn);
}

/* ---- the tape's side ---- */

static double dot(const sel_tensor *t, const double *weights) {
  double values[ELEMENTS], sum = 0;
  sel_tensor *f64 = NEW(contiguous, (sel_tensor *)(uintptr_t)t);
  ASSERT_OK(sel_read(f64, values, (size_t)sel_numel(t) * sizeof *values));
  for (int64_t k = 0; k < sel_numel(t); k++) sum += values[k] * weights[k];
  return sum;
}

/* grads[i] of the inputs that vary, NULL for zero; of w too where `grad_of_w`. */
typedef struct gradients {
  sel_tensor *leaf[SAMPLE_INPUTS + 1], *grad[SAMPLE_INPUTS + 1];
} gradients;

static void check_gradient(const problem *p, int i, const sel_tensor *x, const sel_tensor *grad) {
  char want[128], got[128];
  sel_describe(x, want, sizeof want);
  sel_describe(grad, got, sizeof got);
  ck_assert_msg(strcmp(want, got) == 0, "%s, %s: the gradient of input %d is %s, expected %s",
                p->s->op, p->s->what, i, got, want);
}

/* g = d(w . out)/dx, recorded when asked to. */
static void first_order(const problem *p, bool record, gradients *g) {
  sel_tensor *in[SAMPLE_INPUTS], *asked[SAMPLE_INPUTS], *found[SAMPLE_INPUTS] = {NULL};
  memset(g, 0, sizeof *g);
  make_inputs(p, true, g->leaf, in);
  sel_tensor *out = run(p, in);
  check_op(p, out);
  sel_tensor *w = g->leaf[p->w] = tensor_from(&p->v[p->w], SEL_F64);
  if (record) leaf(w);
  int n = 0;
  for (int i = 0; i < p->w; i++)
    if (varies(p, i)) asked[n++] = g->leaf[i];
  sel_status status = sel_grad(1, &out, &w, n, asked, false, record, true, found);
  ck_assert_msg(status == SEL_OK, "%s, %s: backward: %s", p->s->op, p->s->what, sel_error());
  n = 0;
  for (int i = 0; i < p->w; i++) {
    if (!varies(p, i) || !found[n++]) continue;
    g->grad[i] = keep(found[n - 1]);
    check_gradient(p, i, g->leaf[i], g->grad[i]);
  }
}

/* u . g */
static double weighted_gradients(const problem *p) {
  int mark = n_kept;
  gradients g;
  double sum = 0, u[ELEMENTS];
  first_order(p, false, &g);
  for (int i = 0; i < p->w; i++) {
    if (!g.grad[i]) continue;
    for (int64_t k = 0; k < p->v[i].n; k++) u[k] = u_weight(i, k);
    sum += dot(g.grad[i], u);
  }
  release_kept(mark);
  return sum;
}

/* w . out */
static double weighted_result(const problem *p) {
  int mark = n_kept;
  sel_tensor *leaves[SAMPLE_INPUTS], *in[SAMPLE_INPUTS];
  make_inputs(p, false, leaves, in);
  double sum = dot(run(p, in), p->v[p->w].value);
  release_kept(mark);
  return sum;
}

/* ---- comparing with differences ---- */

static void compare(problem *p, const char *order, int i, const sel_tensor *grad,
                    double (*f)(const problem *)) {
  for (int64_t k = 0; k < p->v[i].n; k++) {
    double *x = &p->v[i].value[k], at = *x;
    *x = at + step;
    double above = f(p);
    *x = at - step;
    double below = f(p);
    *x = at;
    double expected = (above - below) / (2 * step), got = grad ? element_of(grad, k) : 0;
    ck_assert_msg(near(got, expected, tolerance),
                  "%s, %s: %s gradient of %s %d, element %d (x = %g): differences give %.10g, "
                  "backward %.10g",
                  p->s->op, p->s->what, order, i == p->w ? "weight" : "input", i, (int)k, at,
                  expected, got);
  }
}

static void check_first(problem *p) {
  int mark = n_kept;
  gradients g;
  first_order(p, false, &g);
  for (int i = 0; i < p->w; i++)
    if (varies(p, i)) compare(p, "first", i, g.grad[i], weighted_result);
  release_kept(mark);
}

static void check_second(problem *p) {
  int mark = n_kept, roots = 0, n = 0;
  gradients g;
  sel_tensor *root[SAMPLE_INPUTS], *u[SAMPLE_INPUTS], *asked[SAMPLE_INPUTS + 1];
  sel_tensor *found[SAMPLE_INPUTS + 1] = {NULL};
  first_order(p, true, &g);
  for (int i = 0; i <= p->w; i++) {
    if (!varies(p, i)) continue;
    asked[n++] = g.leaf[i];
    if (!g.grad[i] || !sel_requires_grad(g.grad[i])) continue;
    double weights[ELEMENTS];
    for (int64_t k = 0; k < p->v[i].n; k++) weights[k] = u_weight(i, k);
    root[roots] = g.grad[i];
    u[roots++] = tensor_of(SEL_F64, p->v[i].ndim, p->v[i].shape, (int)p->v[i].n, weights);
  }
  if (roots > 0) {
    sel_status status = sel_grad(roots, root, u, n, asked, false, false, true, found);
    if (p->s->first_order) {
      ck_assert_msg(status == SEL_E_UNSUPPORTED && strstr(sel_error(), "has no gradient"),
                    "%s, %s: second backward: %s", p->s->op, p->s->what,
                    status == SEL_OK ? "expected an error" : sel_error());
      release_kept(mark);
      return;
    }
    ck_assert_msg(status == SEL_OK, "%s, %s: second backward: %s", p->s->op, p->s->what,
                  sel_error());
  }
  n = 0;
  for (int i = 0; i <= p->w; i++) {
    if (!varies(p, i)) continue;
    sel_tensor *grad = found[n++];
    if (grad) check_gradient(p, i, g.leaf[i], keep(grad));
    compare(p, "second", i, grad, weighted_gradients);
  }
  release_kept(mark);
}

/* ---- the tests ---- */

void visit_samples(sample_visitor visit, void *context) {
  visit_pointwise_samples(visit, context);
  visit_reduce_samples(visit, context);
  visit_shape_samples(visit, context);
  visit_copy_samples(visit, context);
  visit_join_samples(visit, context);
  visit_index_samples(visit, context);
  visit_order_samples(visit, context);
  visit_product_samples(visit, context);
  visit_softmax_samples(visit, context);
  visit_loss_samples(visit, context);
  visit_dropout_samples(visit, context);
  visit_image_samples(visit, context);
  visit_norm_samples(visit, context);
  visit_recurrence_samples(visit, context);
  visit_attention_samples(visit, context);
}

typedef struct search {
  const char *op;
  int found;
} search;

static void check_sample(void *context, const sample *s) {
  search *wanted = context;
  if (strcmp(s->op, wanted->op) != 0) return;
  wanted->found++;
  problem p = {0};
  prepare(&p, s);
  prepare_weights(&p);
  check_first(&p);
  check_second(&p);
  if (s->inner) check_inner(&p);
}

START_TEST(gradients_of) {
  if (!(sel_op_flags_of(_i) & SEL_OP_DIFFERENTIABLE)) return;
  search wanted = {.op = sel_op_name(_i)};
  visit_samples(check_sample, &wanted);
  ck_assert_msg(wanted.found > 0, "%s is differentiable and has no sample in tests/core/gradients",
                wanted.op);
}
END_TEST

static void check_known(void *context, const sample *s) {
  (void)context;
  for (int i = 0; i < sel_op_count(); i++)
    if (strcmp(sel_op_name(i), s->op) == 0) {
      ck_assert_msg(sel_op_flags_of(i) & SEL_OP_DIFFERENTIABLE, "%s has a sample and no gradient",
                    s->op);
      return;
    }
  ck_abort_msg("the sample '%s' is for '%s', which is no operation", s->what, s->op);
}

START_TEST(samples_are_of_operations) { visit_samples(check_known, NULL); }
END_TEST

START_TEST(names_are_unique) {
  for (int i = 0; i < sel_op_count(); i++)
    for (int j = 0; j < i; j++) ck_assert_str_ne(sel_op_name(i), sel_op_name(j));
  ck_assert_ptr_null(sel_op_name(-1));
  ck_assert_ptr_null(sel_op_name(sel_op_count()));
  ck_assert_int_eq(sel_op_flags_of(sel_op_count()), 0);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("gradients");
  TCase *tcase = tcase_create("gradients");
  tcase_add_unchecked_fixture(tcase, expect_plugins, NULL);
  tcase_add_checked_fixture(tcase, NULL, end_of_test);
  tcase_add_test(tcase, names_are_unique);
  tcase_add_test(tcase, samples_are_of_operations);
  tcase_add_loop_test(tcase, gradients_of, 0, sel_op_count());
  if (test_device())
    printf("missing: failing memory, which core's tests without SELENITE_TEST_DEVICE look into\n");
  else
    add_failing_memory_tests(tcase);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
