/* Samples of dropout, which draws the same mask for the same state of the generator. */
#include "sample.h"

static sel_status run_dropout(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_manual_seed(5);
  return sel_dropout(in[0], s->number[0], out);
}

static const sample samples[] = {
    SAMPLE("dropout", "plain", run_dropout, {X(-2, 2, 4, 5)}, {0.4}),
    SAMPLE("dropout", "of a transposed", run_dropout, {XT(-2, 2, 3, 2)}, {0.5}),
    SAMPLE("dropout", "of a sliced", run_dropout, {XS(-2, 2, 2, 5)}, {0.25}),
    SAMPLE("dropout", "of all", run_dropout, {X(-2, 2, 2, 2)}, {1}),
};

void visit_dropout_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
