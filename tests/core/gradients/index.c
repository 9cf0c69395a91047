/* Samples of indexing: with repeated indices, in every place of the tensor. */
#include "sample.h"

SAMPLE_RUN(run_index_select, sel_index_select(in[0], (int)s->number[0], in[1], out))
SAMPLE_RUN(run_index_add, sel_index_add(in[0], (int)s->number[0], in[1], in[2], out))
SAMPLE_RUN(run_gather, sel_gather(in[0], (int)s->number[0], in[1], out))
SAMPLE_RUN(run_scatter, sel_scatter(in[0], (int)s->number[0], in[1], in[2], out))
SAMPLE_RUN(run_scatter_add, sel_scatter_add(in[0], (int)s->number[0], in[1], in[2], out))
SAMPLE_RUN(run_embedding, sel_embedding(in[0], in[1], out))
SAMPLE_RUN(run_masked_fill, sel_masked_fill(in[0], in[1], -3, out))
SAMPLE_RUN(run_masked_select, sel_masked_select(in[0], in[1], out))

static const sample samples[] = {
    SAMPLE("index_select", "rows", run_index_select, {X(-2, 2, 3, 2), IDS_OF(3, 5)}, {0}),
    SAMPLE("index_select", "middle", run_index_select, {XT(-2, 2, 2, 3, 2), IDS_OF(3, 4)}, {1}),
    SAMPLE("index_select", "last", run_index_select, {XS(-2, 2, 2, 3), IDS_OF(3, 2)}, {-1}),
    SAMPLE("index_select", "expanded", run_index_select, {XE(-2, 2, 3, 2), IDS_OF(3, 4)}, {0}),
    SAMPLE("index_select", "none", run_index_select, {X(-2, 2, 3, 2), IDS_OF(3, 0)}, {0}),
    SAMPLE("index_add", "rows", run_index_add, {X(-2, 2, 3, 2), IDS_OF(3, 5), XT(-2, 2, 5, 2)},
           {0}),
    SAMPLE("index_add", "last", run_index_add, {XT(-2, 2, 2, 3), IDS_OF(3, 4), XS(-2, 2, 2, 4)},
           {-1}),
    SAMPLE("index_add", "middle", run_index_add,
           {XE(-2, 2, 2, 3, 2), IDS_OF(3, 2), X(-2, 2, 2, 2, 2)}, {1}),
    SAMPLE("gather", "rows", run_gather, {X(-2, 2, 3, 2), IDS_OF(3, 4, 2)}, {0}),
    SAMPLE("gather", "last", run_gather, {XT(-2, 2, 2, 3), IDS_OF(3, 2, 5)}, {1}),
    SAMPLE("gather", "of a part", run_gather, {XS(-2, 2, 3, 3), IDS_OF(3, 2, 2)}, {1}),
    SAMPLE("gather", "middle", run_gather, {X(-2, 2, 2, 3, 2), IDS_OF(3, 1, 4, 2)}, {-2}),
    SAMPLE("scatter", "rows", run_scatter, {X(-2, 2, 4, 2), IDS_OF(4, 3, 2), XT(-2, 2, 3, 2)}, {0}),
    SAMPLE("scatter", "last", run_scatter, {XT(-2, 2, 2, 4), IDS_OF(4, 2, 3), XS(-2, 2, 2, 3)},
           {1}),
    SAMPLE("scatter", "a longer source", run_scatter,
           {XS(-2, 2, 3, 3), IDS_OF(3, 2, 2), X(-2, 2, 3, 3)}, {0}),
    SAMPLE("scatter_add", "rows", run_scatter_add,
           {X(-2, 2, 4, 2), IDS_OF(4, 5, 2), XT(-2, 2, 5, 2)}, {0}),
    SAMPLE("scatter_add", "last", run_scatter_add,
           {XT(-2, 2, 2, 4), IDS_OF(4, 2, 3), XS(-2, 2, 2, 3)}, {1}),
    SAMPLE("scatter_add", "a longer source", run_scatter_add,
           {XE(-2, 2, 3, 3), IDS_OF(3, 2, 2), X(-2, 2, 3, 3)}, {0}),
    SAMPLE("embedding", "a matrix of ids", run_embedding, {X(-2, 2, 4, 3), IDS_OF(4, 2, 3)}),
    SAMPLE("embedding", "one id", run_embedding, {XT(-2, 2, 4, 2), IDS_OF(4)}),
    SAMPLE("embedding", "of a sliced", run_embedding, {XS(-2, 2, 3, 2), IDS_OF(3, 5)}),
    SAMPLE("where", "masked_fill", run_masked_fill, {X(-2, 2, 2, 3), MASK_OF(3)}),
    SAMPLE("where", "masked_fill of a broadcast", run_masked_fill, {XT(-2, 2, 3), MASK_OF(2, 3)}),
    SAMPLE("index_select", "masked_select", run_masked_select, {XT(-2, 2, 2, 3), MASK_OF(2, 3)}),
    SAMPLE("index_select", "masked_select of a broadcast", run_masked_select,
           {X(-2, 2, 2, 1), MASK_OF(3)}),
};

void visit_index_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
