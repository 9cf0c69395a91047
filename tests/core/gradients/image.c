/* Samples of convolution, pooling, resampling and borders, and of their gradients. */
#include "sample.h"

/* number: stride, padding, dilation, groups; the same along all dims. */
static sel_status conv(const sample *s, sel_tensor *x, sel_tensor *w, sel_tensor *bias,
                       sel_tensor **out) {
  int64_t stride[3], before[3], after[3], dilation[3];
  for (int d = 0; d < 3; d++) {
    stride[d] = (int64_t)s->number[0];
    before[d] = after[d] = (int64_t)s->number[1];
    dilation[d] = (int64_t)s->number[2];
  }
  after[0]++; /* more behind than in front */
  return sel_conv(sel_ndim(x) - 2, x, w, bias, stride, before, after, dilation,
                  (int64_t)s->number[3], out);
}

static sel_status conv_transpose(const sample *s, sel_tensor *x, sel_tensor *w, sel_tensor *bias,
                                 sel_tensor **out) {
  int64_t stride[3], padding[3], more[3] = {0}, dilation[3];
  for (int d = 0; d < 3; d++) {
    stride[d] = (int64_t)s->number[0];
    padding[d] = (int64_t)s->number[1];
    dilation[d] = (int64_t)s->number[2];
  }
  more[0] = stride[0] > 1;
  return sel_conv_transpose(sel_ndim(x) - 2, x, w, bias, stride, padding, more, dilation,
                            (int64_t)s->number[3], out);
}

SAMPLE_RUN(run_conv, conv(s, in[0], in[1], in[2], out))
SAMPLE_RUN(run_conv_transpose, conv_transpose(s, in[0], in[1], in[2], out))

static sel_status wants_gradient(sel_tensor *t) {
  return sel_requires_grad(t) ? SEL_OK : sel_set_requires_grad(t, true);
}

/* The gradient of the weight in[2] as a function of x, in[0], and of the gradient of y, in[1]. */
static sel_status run_conv_weight(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *y = NULL;
  sel_status status = wants_gradient(in[2]);
  if (status == SEL_OK) status = conv(s, in[0], in[2], NULL, &y);
  return gradient_of(status, y, in[2], in[1], out);
}

/* That of the weight in[2] plus, for each row, that of the bias in[3]. */
static sel_status run_conv_weight_and_bias(const sample *s, sel_tensor *const *in,
                                           sel_tensor **out) {
  sel_tensor *y = NULL, *asked[2] = {in[2], in[3]}, *found[2] = {NULL}, *rows = NULL;
  sel_status status = wants_gradient(in[2]);
  if (status == SEL_OK) status = wants_gradient(in[3]);
  if (status == SEL_OK) status = conv(s, in[0], in[2], in[3], &y);
  if (status == SEL_OK) status = sel_grad(1, &y, &in[1], 2, asked, true, true, false, found);
  if (status == SEL_OK) {
    int64_t shape[5] = {sel_size(in[3], 0), 1, 1, 1, 1};
    status = sel_reshape(found[1], sel_ndim(in[2]), shape, &rows);
  }
  if (status == SEL_OK) status = sel_add(found[0], rows, out);
  sel_release(rows);
  sel_release(found[0]);
  sel_release(found[1]);
  sel_release(y);
  return status;
}

/* number: kernel, stride, padding, and ceil_mode for the largest; for the mean, whether padding
 * counts. */
static sel_status max_pool(const sample *s, sel_tensor *x, int64_t dilation, sel_tensor **out) {
  int64_t kernel[2], stride[2], padding[2], apart[2] = {dilation, dilation};
  for (int d = 0; d < 2; d++) {
    kernel[d] = (int64_t)s->number[0];
    stride[d] = (int64_t)s->number[1];
    padding[d] = (int64_t)s->number[2];
  }
  return sel_max_pool(sel_ndim(x) - 2, x, kernel, stride, padding, apart, s->number[3] != 0, out,
                      NULL);
}

static sel_status avg_pool(const sample *s, sel_tensor *x, int64_t divisor, sel_tensor **out) {
  int64_t kernel[2], stride[2], padding[2];
  for (int d = 0; d < 2; d++) {
    kernel[d] = (int64_t)s->number[0];
    stride[d] = (int64_t)s->number[1];
    padding[d] = (int64_t)s->number[2];
  }
  return sel_avg_pool(sel_ndim(x) - 2, x, kernel, stride, padding, true, s->number[3] != 0, divisor,
                      out);
}

SAMPLE_RUN(run_max_pool, max_pool(s, in[0], 1, out))
SAMPLE_RUN(run_max_pool_apart, max_pool(s, in[0], 2, out))
SAMPLE_RUN(run_avg_pool, avg_pool(s, in[0], 0, out))
SAMPLE_RUN(run_avg_pool_by_5, avg_pool(s, in[0], 5, out))

static sel_status run_adaptive_max(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  int64_t size[2] = {(int64_t)s->number[0], (int64_t)s->number[1]};
  return sel_adaptive_max_pool(2, in[0], size, out, NULL);
}
static sel_status run_adaptive_avg(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  int64_t size[2] = {(int64_t)s->number[0], (int64_t)s->number[1]};
  return sel_adaptive_avg_pool(2, in[0], size, out);
}

/* in[0] is x, in[1] the gradient of the pooled x. */
static sel_status run_max_pool_grad(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *y = NULL;
  sel_status status = wants_gradient(in[0]);
  if (status == SEL_OK) status = max_pool(s, in[0], 1, &y);
  return gradient_of(status, y, in[0], in[1], out);
}
static sel_status run_avg_pool_grad(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *y = NULL;
  sel_status status = wants_gradient(in[0]);
  if (status == SEL_OK) status = avg_pool(s, in[0], 0, &y);
  return gradient_of(status, y, in[0], in[1], out);
}

/* number: mode, align_corners, output extent (the same along all dims). */
static sel_status upsample(const sample *s, sel_tensor *x, sel_tensor **out) {
  int64_t extent = (int64_t)s->number[2], size[3] = {extent, extent, extent};
  return sel_upsample(sel_ndim(x) - 2, x, size, NULL, (sel_upsample_mode)s->number[0],
                      s->number[1] != 0, out);
}
SAMPLE_RUN(run_upsample, upsample(s, in[0], out))

static sel_status run_upsample_grad(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *y = NULL;
  sel_status status = wants_gradient(in[0]);
  if (status == SEL_OK) status = upsample(s, in[0], &y);
  return gradient_of(status, y, in[0], in[1], out);
}

SAMPLE_RUN(run_shuffle, sel_pixel_shuffle(in[0], 2, out))
SAMPLE_RUN(run_unshuffle, sel_pixel_unshuffle(in[0], 2, out))

/* number: border, then before and after along the last dim, before along the one in front. */
static sel_status run_border(const sample *s, sel_tensor *const *in, sel_tensor **out) {
  int64_t pads[4] = {(int64_t)s->number[1], (int64_t)s->number[2], (int64_t)s->number[3], 0};
  return sel_pad_border(in[0], 4, pads, (sel_border)s->number[0], out);
}

static const sample samples[] = {
    SAMPLE("conv", "1d", run_conv, {X(-2, 2, 2, 2, 5), X(-2, 2, 3, 2, 3), X(-2, 2, 3)},
           {1, 1, 1, 1}),
    SAMPLE("conv", "2d, no bias", run_conv, {X(-2, 2, 1, 2, 3, 4), X(-2, 2, 2, 2, 2, 3), NO_INPUT},
           {1, 1, 1, 1}),
    SAMPLE("conv", "2d, stride 2, layouts", run_conv,
           {XT(-2, 2, 1, 2, 4, 3), XS(-2, 2, 2, 2, 2, 2), XS(-2, 2, 2)}, {2, 0, 1, 1}),
    SAMPLE("conv", "2d, dilation 2, an expanded batch", run_conv,
           {XE(-2, 2, 2, 1, 3, 4), XT(-2, 2, 2, 1, 2, 2), X(-2, 2, 2)}, {1, 1, 2, 1}),
    SAMPLE("conv", "2d, two groups", run_conv,
           {X(-2, 2, 1, 4, 2, 3), X(-2, 2, 2, 2, 2, 2), X(-2, 2, 2)}, {1, 1, 1, 2}),
    SAMPLE("conv", "2d, depthwise", run_conv,
           {X(-2, 2, 1, 2, 3, 3), X(-2, 2, 4, 1, 2, 2), X(-2, 2, 4)}, {1, 0, 1, 2}),
    SAMPLE("conv", "3d", run_conv, {X(-2, 2, 1, 2, 2, 3, 2), X(-2, 2, 2, 2, 2, 2, 2), X(-2, 2, 2)},
           {1, 0, 1, 1}),
    SAMPLE("conv", "1x1", run_conv, {X(-2, 2, 2, 3, 3), X(-2, 2, 2, 3, 1), X(-2, 2, 2)},
           {1, 0, 1, 1}),
    SAMPLE("conv", "no images", run_conv, {X(-2, 2, 0, 2, 3), X(-2, 2, 2, 2, 2), X(-2, 2, 2)},
           {1, 0, 1, 1}),
    SAMPLE("conv_transpose", "1d", run_conv_transpose,
           {X(-2, 2, 2, 2, 3), X(-2, 2, 2, 3, 3), NO_INPUT}, {1, 1, 1, 1}),
    SAMPLE("conv_transpose", "2d, stride 2, bias", run_conv_transpose,
           {XT(-2, 2, 1, 2, 2, 3), XS(-2, 2, 2, 2, 2, 2), X(-2, 2, 2)}, {2, 0, 1, 1},
           .inner = true),
    SAMPLE("conv_transpose", "2d, dilation, groups", run_conv_transpose,
           {X(-2, 2, 1, 2, 2, 2), X(-2, 2, 2, 1, 2, 2), NO_INPUT}, {1, 1, 2, 2}),
    SAMPLE("conv_weight", "2d", run_conv_weight,
           {X(-2, 2, 2, 2, 3, 3), X(-2, 2, 2, 2, 3, 2), INPUT(PLAIN, CONSTANT, -2, 2, 2, 2, 2, 2)},
           {1, 0, 1, 1}),
    SAMPLE("conv_weight", "1d, stride 2, groups", run_conv_weight,
           {XS(-2, 2, 1, 4, 4), XT(-2, 2, 1, 2, 2), INPUT(PLAIN, CONSTANT, -2, 2, 2, 2, 2)},
           {2, 0, 1, 2}),
    SAMPLE("add", "weight and bias of conv", run_conv_weight_and_bias,
           {X(-2, 2, 1, 2, 3), X(-2, 2, 1, 2, 5), INPUT(PLAIN, CONSTANT, -2, 2, 2, 2, 2),
            INPUT(PLAIN, CONSTANT, -2, 2, 2)},
           {1, 1, 1, 1}),
    SAMPLE("max_pool", "2d", run_max_pool, {X(-4, 4, 1, 2, 4, 5)}, {2, 2, 0, 0}),
    SAMPLE("max_pool", "2d, overlapping, padded", run_max_pool, {XT(-4, 4, 1, 2, 4, 3)},
           {3, 1, 1, 0}),
    SAMPLE("max_pool", "1d, ceil_mode", run_max_pool, {XS(-4, 4, 2, 2, 6)}, {3, 2, 1, 1}),
    SAMPLE("max_pool", "2d, dilation", run_max_pool_apart, {X(-4, 4, 1, 1, 5, 4)}, {2, 1, 0, 0}),
    SAMPLE("max_pool", "adaptive", run_adaptive_max, {X(-4, 4, 1, 2, 5, 4)}, {3, 2}),
    SAMPLE("max_pool_grad", "2d", run_max_pool_grad, {X(-4, 4, 1, 2, 4, 3), X(-2, 2, 1, 2, 3, 2)},
           {2, 1, 0, 0}),
    SAMPLE("avg_pool", "2d", run_avg_pool, {X(-2, 2, 1, 2, 4, 5)}, {2, 2, 0, 1}),
    SAMPLE("avg_pool", "2d, padding counts", run_avg_pool, {XT(-2, 2, 1, 1, 4, 5)}, {3, 2, 1, 1}),
    SAMPLE("avg_pool", "1d, padding does not", run_avg_pool, {XS(-2, 2, 2, 2, 6)}, {3, 2, 1, 0}),
    SAMPLE("avg_pool", "a divisor", run_avg_pool_by_5, {X(-2, 2, 1, 1, 3, 4)}, {2, 1, 0, 1}),
    SAMPLE("avg_pool", "adaptive", run_adaptive_avg, {X(-2, 2, 1, 2, 5, 4)}, {3, 2}),
    SAMPLE("avg_pool_grad", "2d", run_avg_pool_grad, {X(-2, 2, 1, 2, 4, 4), XT(-2, 2, 1, 2, 2, 2)},
           {2, 2, 0, 1}),
    SAMPLE("upsample", "nearest", run_upsample, {X(-2, 2, 1, 2, 2, 3)}, {0, 0, 4}),
    SAMPLE("upsample", "bilinear", run_upsample, {XT(-2, 2, 1, 2, 2, 3)}, {1, 0, 5}),
    SAMPLE("upsample", "bilinear, smaller", run_upsample, {X(-2, 2, 1, 1, 4, 5)}, {1, 0, 2}),
    SAMPLE("upsample", "linear, corners", run_upsample, {XS(-2, 2, 2, 2, 3)}, {1, 1, 5}),
    SAMPLE("upsample", "trilinear", run_upsample, {X(-2, 2, 1, 1, 2, 2, 2)}, {1, 0, 3}),
    SAMPLE("upsample_grad", "bilinear", run_upsample_grad,
           {X(-2, 2, 1, 1, 2, 3), X(-2, 2, 1, 1, 4, 4)}, {1, 0, 4}),
    SAMPLE("view", "pixel_shuffle", run_shuffle, {XT(-2, 2, 1, 4, 2, 3)}),
    SAMPLE("view", "pixel_unshuffle", run_unshuffle, {X(-2, 2, 1, 2, 2, 4)}),
    SAMPLE("index_select", "reflected border", run_border, {X(-2, 2, 2, 3, 4)}, {0, 3, 2, 1}),
    SAMPLE("index_select", "replicated border", run_border, {XT(-2, 2, 2, 2, 3)}, {1, 3, 0, 2}),
    SAMPLE("index_select", "circular border", run_border, {XS(-2, 2, 2, 2, 3)}, {2, 3, 1, 1}),
};

void visit_image_samples(sample_visitor visit, void *context) {
  for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) visit(context, &samples[i]);
}
