/* Samples of normalisation. */
#include "sample.h"

/* number[0]: dims of layer and rms norm, groups of group norm */
SAMPLE_RUN(run_layer, sel_layer_norm(in[0], (int)s->number[0], in[1], in[2], 1e-3, out))
SAMPLE_RUN(run_rms, sel_rms_norm(in[0], (int)s->number[0], in[1], 1e-3, out))
SAMPLE_RUN(run_group, sel_group_norm(in[0], (int64_t)s->number[0], in[1], in[2], 1e-3, out))
SAMPLE_RUN(run_batch, sel_batch_norm(in[0], NULL, NULL, in[1], in[2], true, 0.1, 1e-3, out))

/* in[3]: the running mean; the running variance is its square. */
static sel_status run_batch_fixed(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *var = NULL;
  (void)s;
  sel_status status = sel_square(in[3], &var);
  if (status == SEL_OK)
    status = sel_batch_norm(in[0], in[3], var, in[1], in[2], false, 0.1, 1e-3, out);
  sel_release(var);
  return status;
}

#define W(...) X(0.5, 2, __VA_ARGS__)
#define B(...) XS(-1, 1, __VA_ARGS__)
#define RUNNING(n) INPUT(PLAIN, CONSTANT, 0.5, 1.5, n)

static const sample samples[] = {
    SAMPLE("layer_norm", "last dim", run_layer, {X(-2, 2, 3, 4), W(4), B(4)}, {1}),
    SAMPLE("layer_norm", "two dims, transposed", run_layer, {XT(-2, 2, 2, 3, 2), W(3, 2), B(3, 2)},
           {2}),
    SAMPLE("layer_norm", "weight alone, sliced", run_layer, {XS(-2, 2, 3, 4), W(4), NO_INPUT}, {1}),
    SAMPLE("layer_norm", "bias alone", run_layer, {X(-2, 2, 3, 4), NO_INPUT, B(4)}, {1}),
    SAMPLE("layer_norm", "plain", run_layer, {X(-2, 2, 2, 5), NO_INPUT, NO_INPUT}, {1}),
    SAMPLE("rms_norm", "weight", run_rms, {XT(-2, 2, 3, 4), W(4)}, {1}),
    SAMPLE("rms_norm", "two dims", run_rms, {X(-2, 2, 2, 3, 2), W(3, 2)}, {2}),
    SAMPLE("rms_norm", "plain", run_rms, {X(-2, 2, 3, 3), NO_INPUT}, {1}),
    SAMPLE("group_norm", "two groups", run_group, {X(-2, 2, 2, 4, 3), W(4), B(4)}, {2}),
    SAMPLE("group_norm", "instance, transposed", run_group, {XT(-2, 2, 2, 2, 2, 3), W(2), B(2)},
           {2}),
    SAMPLE("group_norm", "no extents, plain", run_group, {X(-2, 2, 3, 4), NO_INPUT, NO_INPUT}, {1}),
    SAMPLE("batch_norm", "features", run_batch, {X(-2, 2, 5, 3), W(3), B(3)}),
    SAMPLE("batch_norm", "images, sliced", run_batch, {XS(-2, 2, 3, 2, 2, 2), W(2), B(2)}),
    SAMPLE("batch_norm", "long segments", run_batch, {X(-2, 2, 2, 1, 40), W(1), B(1)}),
    SAMPLE("batch_norm", "plain, transposed", run_batch, {XT(-2, 2, 4, 2, 3), NO_INPUT, NO_INPUT}),
    SAMPLE("batch_norm", "running statistics", run_batch_fixed,
           {X(-2, 2, 4, 3), W(3), B(3), RUNNING(3)}),
    SAMPLE("batch_norm", "running statistics, plain", run_batch_fixed,
           {X(-2, 2, 2, 3, 2), NO_INPUT, NO_INPUT, RUNNING(3)}),
};

void visit_norm_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
