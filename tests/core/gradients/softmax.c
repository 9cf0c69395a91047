/* Samples of softmax and its logarithm, and of their gradients. */
#include "sample.h"

SAMPLE_RUN(run_softmax, sel_softmax(in[0], (int)s->number[0], out))
SAMPLE_RUN(run_log_softmax, sel_log_softmax(in[0], (int)s->number[0], out))

/* in[0] is x, in[1] the gradient of the softmax. */
static sel_status run_softmax_grad(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *y = NULL;
  sel_status status = SEL_OK;
  if (!sel_requires_grad(in[0])) status = sel_set_requires_grad(in[0], true);
  if (status == SEL_OK) status = sel_softmax(in[0], (int)s->number[0], &y);
  return gradient_of(status, y, in[0], in[1], out);
}
static sel_status run_log_softmax_grad(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *y = NULL;
  sel_status status = SEL_OK;
  if (!sel_requires_grad(in[0])) status = sel_set_requires_grad(in[0], true);
  if (status == SEL_OK) status = sel_log_softmax(in[0], (int)s->number[0], &y);
  return gradient_of(status, y, in[0], in[1], out);
}

static const sample samples[] = {
    SAMPLE("softmax", "last", run_softmax, {X(-2, 2, 2, 5)}, {-1}),
    SAMPLE("softmax", "first, transposed", run_softmax, {XT(-2, 2, 3, 2)}, {0}),
    SAMPLE("softmax", "middle, sliced", run_softmax, {XS(-2, 2, 2, 3, 2)}, {1}),
    SAMPLE("softmax", "expanded", run_softmax, {XE(-2, 2, 3, 2)}, {0}),
    SAMPLE("softmax", "a number", run_softmax, {X(-2, 2)}, {0}),
    SAMPLE("log_softmax", "last", run_log_softmax, {X(-2, 2, 2, 5)}, {-1}),
    SAMPLE("log_softmax", "first, transposed", run_log_softmax, {XT(-2, 2, 3, 2)}, {0}),
    SAMPLE("log_softmax", "middle, sliced", run_log_softmax, {XS(-2, 2, 2, 3, 2)}, {1}),
    SAMPLE("log_softmax", "expanded", run_log_softmax, {XE(-2, 2, 3, 2)}, {0}),
    SAMPLE("log_softmax", "a number", run_log_softmax, {X(-2, 2)}, {0}),
    SAMPLE("softmax_grad", "last", run_softmax_grad, {X(-2, 2, 2, 4), XT(-2, 2, 2, 4)}, {-1}),
    SAMPLE("softmax_grad", "middle", run_softmax_grad, {XT(-2, 2, 2, 3, 1), XS(-2, 2, 2, 3, 1)},
           {1}),
    SAMPLE("log_softmax_grad", "last", run_log_softmax_grad, {X(-2, 2, 2, 4), XT(-2, 2, 2, 4)},
           {-1}),
    SAMPLE("log_softmax_grad", "middle", run_log_softmax_grad,
           {XT(-2, 2, 2, 3, 1), XS(-2, 2, 2, 3, 1)}, {1}),
};

void visit_softmax_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
