/* Samples of losses, in all their options. */
#include "sample.h"

/* number[0]: reduction */
#define REDUCTION ((sel_reduction)s->number[0])
SAMPLE_RUN(run_mse, sel_mse_loss(in[0], in[1], REDUCTION, out))
SAMPLE_RUN(run_l1, sel_l1_loss(in[0], in[1], REDUCTION, out))
SAMPLE_RUN(run_smooth_l1, sel_smooth_l1_loss(in[0], in[1], 0.5, REDUCTION, out))
SAMPLE_RUN(run_huber, sel_huber_loss(in[0], in[1], 1.5, REDUCTION, out))
SAMPLE_RUN(run_bce, sel_bce_loss(in[0], in[1], REDUCTION, out))
SAMPLE_RUN(run_bce_logits, sel_bce_with_logits_loss(in[0], in[1], in[2], REDUCTION, out))
SAMPLE_RUN(run_kl, sel_kl_div_loss(in[0], in[1], s->number[1] != 0, REDUCTION, out))
/* number[1]: label smoothing; the id 1 is ignored where number[2] is 1 */
SAMPLE_RUN(run_cross_entropy, sel_cross_entropy(in[0], in[1], in[2], s->number[2] != 0 ? 1 : -100,
                                                s->number[1], REDUCTION, out))
SAMPLE_RUN(run_nll, sel_nll_loss(in[0], in[1], in[2], s->number[2] != 0 ? 1 : -100, REDUCTION, out))

/* in[0]: logits, in[1]: ids, in[2]: the classes' weight, in[3]: the gradient of the losses */
static sel_status run_cross_entropy_grad(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *losses = NULL;
  sel_status status = SEL_OK;
  if (!sel_requires_grad(in[0])) status = sel_set_requires_grad(in[0], true);
  if (status == SEL_OK) status = run_cross_entropy(s, in, &losses);
  return gradient_of(status, losses, in[0], in[3], out);
}

enum { MEAN = SEL_REDUCE_MEAN, SUM = SEL_REDUCE_SUM, EACH = SEL_REDUCE_NONE };
#define TWO X(-2, 2, 2, 3), XT(-2, 2, 2, 3)
#define LOGITS X(-2, 2, 4, 3)
#define WEIGHT INPUT(PLAIN, CONSTANT, 0.5, 2, 3)
#define CHANCES(...) INPUT(PLAIN, VARYING, 0.05, 0.95, __VA_ARGS__)

static const sample samples[] = {
    SAMPLE("mean", "mse", run_mse, {TWO}, {MEAN}),
    SAMPLE("sum", "mse", run_mse, {TWO}, {SUM}),
    SAMPLE("square", "mse", run_mse, {TWO}, {EACH}),
    SAMPLE("mean", "l1", run_l1, {TWO}, {MEAN}),
    SAMPLE("abs", "l1", run_l1, {TWO}, {EACH}),
    SAMPLE("mean", "smooth l1", run_smooth_l1, {TWO}, {MEAN}),
    SAMPLE("smooth_l1_each", "smooth l1", run_smooth_l1, {TWO}, {EACH}),
    SAMPLE("sum", "huber", run_huber, {TWO}, {SUM}),
    SAMPLE("huber_each", "huber", run_huber, {TWO}, {EACH}),
    SAMPLE("mean", "bce", run_bce, {CHANCES(2, 3), CHANCES(2, 3)}, {MEAN}),
    SAMPLE("bce_each", "bce", run_bce, {CHANCES(2, 3), CHANCES(2, 3)}, {EACH}),
    SAMPLE("mean", "bce with logits", run_bce_logits, {XT(-2, 2, 2, 3), CHANCES(2, 3), NO_INPUT},
           {MEAN}),
    SAMPLE("sub", "bce with logits, pos_weight", run_bce_logits,
           {XS(-2, 2, 2, 3), CHANCES(2, 3), X(0.5, 2, 3)}, {EACH}),
    SAMPLE("sum", "kl_div", run_kl, {X(-2, 0, 2, 3), CHANCES(2, 3)}, {SUM}),
    SAMPLE("div", "kl_div, batch mean", run_kl, {X(-2, 0, 2, 3), CHANCES(2, 3)}, {MEAN, 1}),
    SAMPLE("kl_div_each", "kl_div", run_kl, {X(-2, 0, 2, 3), CHANCES(2, 3)}, {EACH}),
    SAMPLE("cross_entropy", "ids", run_cross_entropy, {LOGITS, IDS_OF(3, 4), NO_INPUT}, {EACH}),
    SAMPLE("cross_entropy", "ids, weight, transposed", run_cross_entropy,
           {XT(-2, 2, 4, 3), IDS_OF(3, 4), WEIGHT}, {EACH}),
    SAMPLE("cross_entropy", "ids, smoothing", run_cross_entropy, {LOGITS, IDS_OF(3, 4), NO_INPUT},
           {EACH, 0.2}),
    SAMPLE("cross_entropy", "ids, smoothing, weight, sliced", run_cross_entropy,
           {XS(-2, 2, 4, 3), IDS_OF(3, 4), WEIGHT}, {EACH, 0.2}),
    SAMPLE("cross_entropy", "ids, ignore_index, smoothing, weight", run_cross_entropy,
           {LOGITS, IDS_OF(3, 4), WEIGHT}, {EACH, 0.2, 1}),
    SAMPLE("cross_entropy", "ids, mean, weight", run_cross_entropy, {LOGITS, IDS_OF(3, 4), WEIGHT},
           {MEAN, 0.1, 1}, .inner = true),
    SAMPLE("sum", "cross_entropy", run_cross_entropy, {LOGITS, IDS_OF(3, 4), NO_INPUT}, {SUM}),
    SAMPLE("view", "cross_entropy of an image", run_cross_entropy,
           {X(-2, 2, 2, 3, 2), IDS_OF(3, 2, 2), WEIGHT}, {EACH, 0.1, 1}),
    SAMPLE("view", "cross_entropy of one row", run_cross_entropy,
           {X(-2, 2, 3), IDS_OF(3), NO_INPUT}, {EACH}),
    SAMPLE("neg", "cross_entropy of probabilities", run_cross_entropy,
           {XT(-2, 2, 2, 3), CHANCES(2, 3), WEIGHT}, {EACH, 0.1}),
    SAMPLE("mean", "cross_entropy of probabilities, image", run_cross_entropy,
           {X(-2, 2, 2, 3, 2), CHANCES(2, 3, 2), NO_INPUT}, {MEAN}),
    SAMPLE("cross_entropy_grad", "plain", run_cross_entropy_grad,
           {LOGITS, IDS_OF(3, 4), NO_INPUT, X(0.5, 2, 4)}, {EACH}),
    SAMPLE("cross_entropy_grad", "ignore_index, smoothing, weight", run_cross_entropy_grad,
           {XT(-2, 2, 4, 3), IDS_OF(3, 4), WEIGHT, XS(0.5, 2, 4)}, {EACH, 0.2, 1}),
    SAMPLE("div", "nll", run_nll, {LOGITS, IDS_OF(3, 4), WEIGHT}, {MEAN, 0, 1}),
    SAMPLE("where", "nll", run_nll, {XT(-2, 2, 2, 3, 2), IDS_OF(3, 2, 2), WEIGHT}, {EACH}),
};

void visit_loss_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
