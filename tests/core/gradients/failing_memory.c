/* Each host allocation failed in turn, and each of the device, while an operation runs and its
 * gradients of first and second order are computed: every failure is reported as one of memory and
 * leaves nothing behind, and the next try works. The first samples of each operation do. */
#include "failing_memory.h"

#include "problem.h"

enum { SAMPLES_AN_OP = 2 };

typedef struct attempt {
  const problem *p;
  sel_tensor *leaf[SAMPLE_INPUTS], *w, *u[SAMPLE_INPUTS]; /* w NULL: not known yet */
} attempt;

static sel_status second_order(const attempt *a, int n, sel_tensor *const *asked,
                               sel_tensor *const *first) {
  sel_tensor *roots[SAMPLE_INPUTS], *u[SAMPLE_INPUTS], *second[SAMPLE_INPUTS] = {NULL};
  int k = 0;
  for (int i = 0; i < n; i++)
    if (first[i] && sel_requires_grad(first[i])) {
      roots[k] = first[i];
      u[k++] = a->u[i];
    }
  if (k == 0 || a->p->s->first_order) return SEL_OK;
  sel_status status = sel_grad(k, roots, u, n, asked, false, false, true, second);
  for (int i = 0; i < n; i++) sel_release(second[i]);
  return status;
}

static sel_status run_once(void *context) {
  const attempt *a = context;
  const sample *s = a->p->s;
  sel_tensor *in[SAMPLE_INPUTS] = {NULL}, *out = NULL, *asked[SAMPLE_INPUTS];
  sel_tensor *first[SAMPLE_INPUTS] = {NULL};
  sel_status status = SEL_OK;
  int n = 0;
  for (int i = 0; i < a->p->w && status == SEL_OK; i++) {
    if (varies(a->p, i)) asked[n++] = a->leaf[i];
    if (s->in[i].kind == NUMBER)
      in[i] = sel_retain(a->leaf[i]);
    else if (a->leaf[i])
      status = make_view(a->leaf[i], &s->in[i], &in[i]);
  }
  if (status == SEL_OK) status = s->run(s, in, &out);
  if (status == SEL_OK) status = sel_grad(1, &out, &a->w, n, asked, false, true, true, first);
  if (status == SEL_OK) status = second_order(a, n, asked, first);
  for (int i = 0; i < SAMPLE_INPUTS; i++) {
    sel_release(first[i]);
    sel_release(in[i]);
  }
  sel_release(out);
  return status;
}

static void check_sample(const sample *s) {
  problem p = {0};
  prepare(&p, s);
  attempt a = {.p = &p};
  sel_tensor *in[SAMPLE_INPUTS], *out = NULL;
  make_inputs(&p, true, a.leaf, in);
  ASSERT_OK(s->run(s, in, &out));
  keep(out);
  a.w = some_tensor(SEL_F64, 0.5, 1.5, 50, sel_ndim(out), sel_shape(out));
  for (int i = 0, n = 0; i < p.w; i++)
    if (varies(&p, i)) a.u[n++] = some_tensor(SEL_F64, 0.5, 1.5, 90, p.v[i].ndim, p.v[i].shape);
  drop(out);
  expect_each_failure(s->op, run_once, &a);
  release_kept(0);
}

typedef struct search {
  const char *op;
  int found;
} search;

static void visit(void *context, const sample *s) {
  search *wanted = context;
  if (strcmp(s->op, wanted->op) == 0 && wanted->found++ < SAMPLES_AN_OP) check_sample(s);
}

START_TEST(memory_errors_of) {
  search wanted = {.op = sel_op_name(_i)};
  visit_samples(visit, &wanted);
}
END_TEST

void add_failing_memory_tests(TCase *tcase) {
  tcase_add_loop_test(tcase, memory_errors_of, 0, sel_op_count());
}
