/* Samples of copies: clone is a cast to the same dtype, copy_ writes a broadcast source. */
#include "sample.h"

SAMPLE_RUN(run_clone, sel_clone(in[0], out))
SAMPLE_RUN(run_contiguous, sel_contiguous(in[0], out))
static sel_status run_copy(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  (void)s;
  sel_tensor *t;
  sel_status status = sel_clone(in[0], &t);
  if (status != SEL_OK) return status;
  status = sel_copy_(t, in[1]);
  if (status != SEL_OK) {
    sel_release(t);
    return status;
  }
  *out = t;
  return SEL_OK;
}

static const sample samples[] = {
    SAMPLE("to", "clone", run_clone, {X(-2, 2, 2, 3)}),
    SAMPLE("to", "clone of a transposed", run_clone, {XT(-2, 2, 2, 3)}),
    SAMPLE("to", "clone of a number", run_clone, {XS(-2, 2)}),
    SAMPLE("to", "contiguous", run_contiguous, {XS(-2, 2, 2, 3)}),
    SAMPLE("copy", "one shape", run_copy, {X(-2, 2, 2, 3), X(-2, 2, 2, 3)}),
    SAMPLE("copy", "broadcast", run_copy, {XT(-2, 2, 2, 3), X(-2, 2, 3)}),
    SAMPLE("copy", "a number", run_copy, {X(-2, 2, 3), XS(-2, 2)}),
    SAMPLE("copy", "a transposed", run_copy, {X(-2, 2, 2, 3), XT(-2, 2, 2, 3)}),
};

void visit_copy_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
