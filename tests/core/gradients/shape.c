/* Samples of views. */
#include "sample.h"

SAMPLE_RUN(run_reshape, sel_reshape(in[0], 2, (int64_t[]){3, -1}, out))
SAMPLE_RUN(run_view_number, sel_view(in[0], 0, NULL, out))
SAMPLE_RUN(run_flatten, sel_flatten(in[0], 1, -1, out))
SAMPLE_RUN(run_squeeze, sel_squeeze(in[0], 1, out))
SAMPLE_RUN(run_squeeze_all, sel_squeeze_all(in[0], out))
SAMPLE_RUN(run_unsqueeze, sel_unsqueeze(in[0], -1, out))
SAMPLE_RUN(run_permute, sel_permute(in[0], 3, (int[]){2, 0, 1}, out))
SAMPLE_RUN(run_transpose, sel_transpose(in[0], 0, -1, out))
SAMPLE_RUN(run_expand, sel_expand(in[0], 3, (int64_t[]){2, -1, 3}, out))
SAMPLE_RUN(run_expand_number, sel_expand(in[0], 2, (int64_t[]){2, 2}, out))
SAMPLE_RUN(run_narrow, sel_narrow(in[0], 1, 1, 2, out))
SAMPLE_RUN(run_nothing, sel_narrow(in[0], 0, 1, 0, out))
SAMPLE_RUN(run_slice, sel_slice(in[0], -1, 1, 100, 3, out))

/* An output of select and of split ends with a view of the slice. */
SAMPLE_RUN(run_select, sel_select(in[0], 0, -1, out))
static sel_status run_split(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  (void)s;
  sel_tensor *parts[3];
  sel_status status = sel_split(in[0], 3, (int64_t[]){1, 0, 2}, 1, parts);
  if (status != SEL_OK) return status;
  *out = parts[2];
  sel_release(parts[0]);
  sel_release(parts[1]);
  return SEL_OK;
}

/* The gradient of a slice as a function of what it is given. */
static sel_status run_slice_grad(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  (void)s;
  sel_tensor *x = NULL, *part = NULL;
  sel_status status = sel_zeros(2, (int64_t[]){4, 5}, SEL_F64, NULL, &x);
  if (status == SEL_OK) status = sel_set_requires_grad(x, true);
  if (status == SEL_OK) status = sel_slice(x, 1, 1, 5, 2, &part);
  status = gradient_of(status, part, x, in[0], out);
  sel_release(x);
  return status;
}

static const sample samples[] = {
    SAMPLE("view", "reshape", run_reshape, {X(-2, 2, 2, 6)}),
    SAMPLE("view", "reshape of a transposed", run_reshape, {XT(-2, 2, 2, 6)}),
    SAMPLE("view", "reshape of a sliced", run_reshape, {XS(-2, 2, 2, 6)}),
    SAMPLE("view", "reshape of an expanded", run_reshape, {XE(-2, 2, 2, 3)}),
    SAMPLE("view", "to a number", run_view_number, {X(-2, 2, 1, 1)}),
    SAMPLE("view", "flatten", run_flatten, {X(-2, 2, 2, 2, 3)}),
    SAMPLE("view", "flatten of a transposed", run_flatten, {XT(-2, 2, 2, 2, 3)}),
    SAMPLE("view", "squeeze", run_squeeze, {X(-2, 2, 2, 1, 3)}),
    SAMPLE("view", "squeeze of nothing", run_squeeze, {X(-2, 2, 2, 3)}),
    SAMPLE("view", "squeeze all", run_squeeze_all, {XS(-2, 2, 1, 2, 1, 3)}),
    SAMPLE("view", "unsqueeze", run_unsqueeze, {XT(-2, 2, 2, 3)}),
    SAMPLE("permute", "three dims", run_permute, {X(-2, 2, 2, 3, 2)}),
    SAMPLE("permute", "of a sliced", run_permute, {XS(-2, 2, 2, 1, 3)}),
    SAMPLE("permute", "transpose", run_transpose, {X(-2, 2, 2, 3)}),
    SAMPLE("permute", "of an expanded", run_transpose, {XE(-2, 2, 2, 3)}),
    SAMPLE("expand", "one dim, one new", run_expand, {X(-2, 2, 4, 1)}),
    SAMPLE("expand", "of a transposed", run_expand, {XT(-2, 2, 4, 1)}),
    SAMPLE("expand", "to what it is", run_expand, {X(-2, 2, 2, 2, 3)}),
    SAMPLE("expand", "a number", run_expand_number, {XS(-2, 2)}),
    SAMPLE("slice", "narrow", run_narrow, {X(-2, 2, 2, 4)}),
    SAMPLE("slice", "of a transposed", run_narrow, {XT(-2, 2, 2, 3, 2)}),
    SAMPLE("slice", "of an expanded", run_narrow, {XE(-2, 2, 3, 3)}),
    SAMPLE("slice", "to nothing", run_nothing, {X(-2, 2, 2, 3)}),
    SAMPLE("slice", "with steps", run_slice, {X(-2, 2, 2, 8)}),
    SAMPLE("slice", "with steps, of a sliced", run_slice, {XS(-2, 2, 2, 5)}),
    SAMPLE("slice", "split", run_split, {XT(-2, 2, 2, 3)}),
    SAMPLE("view", "select", run_select, {X(-2, 2, 3, 2)}),
    SAMPLE("slice_grad", "with steps", run_slice_grad, {X(-2, 2, 4, 2)}),
    SAMPLE("slice_grad", "of a transposed", run_slice_grad, {XT(-2, 2, 4, 2)}),
};

void visit_shape_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
