/* Samples of sorting: values carry the gradient. */
#include "sample.h"

static sel_status run_sort(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *values, *at;
  sel_status status = sel_sort(in[0], (int)s->number[0], s->number[1] != 0, &values, &at);
  if (status != SEL_OK) return status;
  sel_release(at);
  *out = values;
  return SEL_OK;
}
static sel_status run_topk(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *values, *at;
  sel_status status = sel_topk(in[0], 2, (int)s->number[0], s->number[1] != 0, &values, &at);
  if (status != SEL_OK) return status;
  sel_release(at);
  *out = values;
  return SEL_OK;
}

static const sample samples[] = {
    SAMPLE("sort", "last", run_sort, {X(-2, 2, 2, 5)}, {-1, 0}),
    SAMPLE("sort", "first, descending", run_sort, {XT(-2, 2, 4, 2)}, {0, 1}),
    SAMPLE("sort", "middle, sliced", run_sort, {XS(-2, 2, 2, 3, 2)}, {1, 0}),
    SAMPLE("sort", "a number", run_sort, {X(-2, 2)}, {0, 0}),
    SAMPLE("topk", "largest", run_topk, {X(-2, 2, 2, 5)}, {-1, 1}),
    SAMPLE("topk", "smallest, first", run_topk, {XT(-2, 2, 4, 2)}, {0, 0}),
    SAMPLE("topk", "middle, sliced", run_topk, {XS(-2, 2, 2, 3, 2)}, {1, 1}),
};

void visit_order_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
