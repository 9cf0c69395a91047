/* Samples of attention (first derivatives only) and of rotary embedding, which is composed. */
#include "sample.h"
#include "selenite/nn.h"

#define CAUSAL (s->number[0] != 0)
SAMPLE_RUN(run_plain, sel_attention(in[0], in[1], in[2], NULL, CAUSAL, 0, 0, out))
SAMPLE_RUN(run_scaled, sel_attention(in[0], in[1], in[2], NULL, false, 0, 0.3, out))
SAMPLE_RUN(run_masked, sel_attention(in[0], in[1], in[2], in[3], CAUSAL, 0, 0, out))
SAMPLE_RUN(run_self, sel_attention(in[0], in[0], in[0], NULL, true, 0, 0, out))
SAMPLE_RUN(run_halves, sel_rotary(in[0], 3, 10000, false, out))
SAMPLE_RUN(run_neighbours, sel_rotary(in[0], 0, 100, true, out))

static sel_status run_dropped(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_manual_seed(3);
  return sel_attention(in[0], in[1], in[2], NULL, CAUSAL, 0.3, 0, out);
}

#define ATTENTION(what, run, ...) SAMPLE("attention", what, run, __VA_ARGS__, .first_order = true)

static const sample samples[] = {
    ATTENTION("plain", run_plain,
              {X(-2, 2, 2, 1, 3, 2), X(-2, 2, 2, 1, 4, 2), X(-2, 2, 2, 1, 4, 3)}),
    ATTENTION("one of each", run_plain,
              {X(-2, 2, 1, 1, 1, 1), X(-2, 2, 1, 1, 1, 1), X(-2, 2, 1, 1, 1, 1)}),
    ATTENTION("scaled", run_scaled,
              {X(-2, 2, 1, 2, 2, 3), X(-2, 2, 1, 2, 3, 3), X(-2, 2, 1, 2, 3, 2)}),
    ATTENTION("grouped, causal", run_plain,
              {X(-2, 2, 1, 4, 3, 2), X(-2, 2, 1, 2, 3, 2), X(-2, 2, 1, 2, 3, 2)}, {1}),
    ATTENTION("causal, seeing nothing at first", run_plain,
              {X(-2, 2, 1, 1, 4, 2), X(-2, 2, 1, 1, 2, 2), X(-2, 2, 1, 1, 2, 2)}, {1}),
    ATTENTION("transposed, sliced, expanded", run_plain,
              {XT(-2, 2, 2, 2, 2, 2), XS(-2, 2, 2, 2, 3, 2), XE(-2, 2, 2, 2, 3, 2)}),
    ATTENTION(
        "masked", run_masked,
        {X(-2, 2, 2, 2, 3, 2), X(-2, 2, 2, 2, 3, 2), X(-2, 2, 2, 2, 3, 2), MASK_OF(2, 1, 3, 3)}),
    ATTENTION("masked by a matrix, causal", run_masked,
              {X(-2, 2, 1, 2, 3, 2), X(-2, 2, 1, 2, 3, 2), X(-2, 2, 1, 2, 3, 2), MASK_OF(3, 3)},
              {1}),
    ATTENTION("one tensor thrice", run_self, {X(-2, 2, 2, 2, 3, 2)}),
    ATTENTION("dropout", run_dropped,
              {X(-2, 2, 1, 2, 3, 2), X(-2, 2, 1, 2, 5, 2), X(-2, 2, 1, 2, 5, 2)}),
    ATTENTION("no keys", run_plain,
              {X(-2, 2, 1, 1, 2, 2), X(-2, 2, 1, 1, 0, 2), X(-2, 2, 1, 1, 0, 2)}),
    SAMPLE("cat", "rotary by halves", run_halves, {X(-2, 2, 2, 3, 4)}),
    SAMPLE("view", "rotary by neighbours", run_neighbours, {XT(-2, 2, 3, 2, 4)}),
};

void visit_attention_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
