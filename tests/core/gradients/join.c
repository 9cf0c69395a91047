/* Samples of joining, padding and rearranging. */
#include "sample.h"

SAMPLE_RUN(run_cat, sel_cat(3, in, (int)s->number[0], out))
SAMPLE_RUN(run_cat_twice, sel_cat(2, (sel_tensor *[]){in[0], in[0]}, 0, out))
SAMPLE_RUN(run_stack, sel_stack(2, in, (int)s->number[0], out))
SAMPLE_RUN(run_pad, sel_pad(in[0], 4, (int64_t[]){1, 2, 0, 1}, 7, out))
SAMPLE_RUN(run_crop, sel_pad(in[0], 4, (int64_t[]){-1, 2, 1, -1}, 7, out))
SAMPLE_RUN(run_pad_nothing, sel_pad(in[0], 0, NULL, 7, out))
SAMPLE_RUN(run_flip, sel_flip(in[0], 2, (int[]){0, -1}, out))
SAMPLE_RUN(run_flip_number, sel_flip(in[0], 0, NULL, out))
SAMPLE_RUN(run_roll, sel_roll(in[0], (int64_t)s->number[0], (int)s->number[1], out))
SAMPLE_RUN(run_repeat, sel_repeat(in[0], 3, (int64_t[]){2, 1, 3}, out))
SAMPLE_RUN(run_tril, sel_tril(in[0], (int64_t)s->number[0], out))
SAMPLE_RUN(run_triu, sel_triu(in[0], (int64_t)s->number[0], out))

static const sample samples[] = {
    SAMPLE("cat", "rows", run_cat, {X(-2, 2, 2, 2), XT(-2, 2, 1, 2), XS(-2, 2, 3, 2)}, {0}),
    SAMPLE("cat", "columns", run_cat, {XE(-2, 2, 2, 2), X(-2, 2, 2, 0), X(-2, 2, 2, 3)}, {-1}),
    SAMPLE("cat", "one tensor twice", run_cat_twice, {X(-2, 2, 2, 2)}),
    SAMPLE("stack", "first", run_stack, {X(-2, 2, 2, 3), XT(-2, 2, 2, 3)}, {0}),
    SAMPLE("stack", "middle", run_stack, {XS(-2, 2, 2, 3), XE(-2, 2, 2, 3)}, {1}),
    SAMPLE("stack", "last", run_stack, {X(-2, 2, 2, 3), X(-2, 2, 2, 3)}, {-1}),
    SAMPLE("stack", "numbers", run_stack, {X(-2, 2), XS(-2, 2)}, {0}),
    SAMPLE("pad", "all sides", run_pad, {X(-2, 2, 2, 3)}),
    SAMPLE("pad", "of a transposed", run_pad, {XT(-2, 2, 2, 2, 3)}),
    SAMPLE("pad", "cropping", run_crop, {XS(-2, 2, 3, 3)}),
    SAMPLE("pad", "by nothing", run_pad_nothing, {X(-2, 2, 2, 3)}),
    SAMPLE("flip", "two dims", run_flip, {X(-2, 2, 2, 2, 3)}),
    SAMPLE("flip", "of a transposed", run_flip, {XT(-2, 2, 2, 3)}),
    SAMPLE("flip", "of a sliced", run_flip, {XS(-2, 2, 3, 2)}),
    SAMPLE("flip", "a number", run_flip_number, {X(-2, 2)}),
    SAMPLE("cat", "roll", run_roll, {X(-2, 2, 2, 5)}, {2, 1}),
    SAMPLE("cat", "roll back", run_roll, {XT(-2, 2, 4, 2)}, {-7, 0}),
    SAMPLE("to", "roll by nothing", run_roll, {X(-2, 2, 4, 2)}, {4, 0}),
    SAMPLE("view", "repeat", run_repeat, {X(-2, 2, 2, 2)}),
    SAMPLE("view", "repeat of a transposed", run_repeat, {XT(-2, 2, 2, 3)}),
    SAMPLE("where", "tril", run_tril, {X(-2, 2, 3, 4)}, {0}),
    SAMPLE("where", "tril of a batch", run_tril, {XT(-2, 2, 2, 2, 3)}, {1}),
    SAMPLE("where", "triu", run_triu, {XS(-2, 2, 3, 3)}, {-1}),
};

void visit_join_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
