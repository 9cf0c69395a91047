/* Samples of products: matrices, batches, vectors; every transpose. */
#include "sample.h"

SAMPLE_RUN(run_matmul, sel_matmul(in[0], in[1], out))
SAMPLE_RUN(run_square, sel_matmul(in[0], in[0], out))
SAMPLE_RUN(run_linear, sel_linear(in[0], in[1], in[2], out))
SAMPLE_RUN(run_bilinear, sel_bilinear(in[0], in[1], in[2], in[3], out))

static const sample samples[] = {
    SAMPLE("matmul", "matrices", run_matmul, {X(-2, 2, 2, 3), X(-2, 2, 3, 4)}),
    SAMPLE("matmul", "left transposed", run_matmul, {XT(-2, 2, 2, 3), X(-2, 2, 3, 2)}),
    SAMPLE("matmul", "right transposed", run_matmul, {X(-2, 2, 2, 3), XT(-2, 2, 3, 2)}),
    SAMPLE("matmul", "both transposed", run_matmul, {XT(-2, 2, 2, 3), XT(-2, 2, 3, 2)}),
    SAMPLE("matmul", "sliced, expanded", run_matmul, {XS(-2, 2, 2, 3), XE(-2, 2, 3, 2)}),
    SAMPLE("matmul", "extents of 1", run_matmul, {X(-2, 2, 1, 3), XT(-2, 2, 3, 1)}),
    SAMPLE("matmul", "outer", run_matmul, {X(-2, 2, 3, 1), X(-2, 2, 1, 2)}),
    SAMPLE("matmul", "nothing inside", run_matmul, {X(-2, 2, 2, 0), X(-2, 2, 0, 2)}),
    SAMPLE("matmul", "batches", run_matmul, {X(-2, 2, 2, 2, 2), X(-2, 2, 2, 2, 3)}),
    SAMPLE("matmul", "a batch by one", run_matmul, {X(-2, 2, 2, 2, 3), X(-2, 2, 3, 2)}),
    SAMPLE("matmul", "one by a batch", run_matmul, {X(-2, 2, 2, 3), XT(-2, 2, 2, 3, 2)}),
    SAMPLE("matmul", "broadcast batches", run_matmul, {XT(-2, 2, 2, 1, 2, 2), X(-2, 2, 3, 2, 1)}),
    SAMPLE("matmul", "an expanded batch", run_matmul, {XE(-2, 2, 2, 2, 2), XS(-2, 2, 2, 2, 2)}),
    SAMPLE("matmul", "a batch of 1", run_matmul, {X(-2, 2, 2, 2, 2), X(-2, 2, 1, 2, 2)}),
    SAMPLE("matmul", "one tensor twice", run_square, {X(-2, 2, 3, 3)}),
    SAMPLE("matmul", "vectors", run_matmul, {X(-2, 2, 3), XS(-2, 2, 3)}, .inner = true),
    SAMPLE("matmul", "vector by matrix", run_matmul, {X(-2, 2, 3), XT(-2, 2, 3, 2)}, .inner = true),
    SAMPLE("matmul", "matrix by vector", run_matmul, {XT(-2, 2, 2, 3), X(-2, 2, 3)}, .inner = true),
    SAMPLE("matmul", "batch by vector", run_matmul, {X(-2, 2, 2, 2, 3), X(-2, 2, 3)},
           .inner = true),
    SAMPLE("matmul", "vector by batch", run_matmul, {X(-2, 2, 2), X(-2, 2, 2, 2, 2)},
           .inner = true),
    SAMPLE("linear", "matrix", run_linear, {X(-2, 2, 2, 3), X(-2, 2, 4, 3), X(-2, 2, 4)}),
    SAMPLE("linear", "no bias", run_linear, {X(-2, 2, 2, 3), X(-2, 2, 2, 3), NO_INPUT}),
    SAMPLE("linear", "layouts", run_linear, {XT(-2, 2, 2, 3), XT(-2, 2, 2, 3), XS(-2, 2, 2)}),
    SAMPLE("linear", "more layouts", run_linear, {XS(-2, 2, 2, 3), XE(-2, 2, 2, 3), XE(-2, 2, 2)}),
    SAMPLE("linear", "batch", run_linear, {XT(-2, 2, 2, 2, 3), XS(-2, 2, 2, 3), X(-2, 2, 2)}),
    SAMPLE("linear", "vector", run_linear, {XS(-2, 2, 3), X(-2, 2, 2, 3), X(-2, 2, 2)}),
    SAMPLE("linear", "no rows", run_linear, {X(-2, 2, 0, 3), X(-2, 2, 2, 3), X(-2, 2, 2)}),
    SAMPLE("linear", "nothing inside", run_linear, {X(-2, 2, 2, 0), X(-2, 2, 2, 0), X(-2, 2, 2)}),
    SAMPLE("add", "bilinear", run_bilinear,
           {X(-2, 2, 2, 2), X(-2, 2, 2, 3), X(-2, 2, 2, 2, 3), X(-2, 2, 2)}),
    SAMPLE("view", "bilinear of batches, no bias", run_bilinear,
           {XT(-2, 2, 2, 1, 2), XS(-2, 2, 2, 1, 2), XT(-2, 2, 2, 2, 2), NO_INPUT}),
};

void visit_product_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
