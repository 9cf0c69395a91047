/* Convolution: three operations, each the gradient of the others, and the checks in front of them.
 *
 * y[o] = sum x[o * stride - padding + k * dilation] w[k] is linear in x and in w. conv computes y,
 * conv_transpose x from y and w (the gradient of x), conv_weight w from x and y (that of w, and of
 * the bias). So each backward rule is made of the other two.
 */
#include "precision.h"
#include "window.h"

typedef struct conv_attrs {
  int dims;
  int64_t stride[SEL_WINDOW_DIMS], padding[SEL_WINDOW_DIMS], dilation[SEL_WINDOW_DIMS], groups;
  int64_t size[SEL_WINDOW_DIMS]; /* the result's last extents */
  bool bias;                     /* conv_weight: its gradient is wanted too */
} conv_attrs;

extern const sel_op sel__op_conv, sel__op_conv_transpose, sel__op_conv_weight;

/* The same windows for another operation, whose result has the last extents of `spec`. */
static conv_attrs attrs_for(const conv_attrs *a, const sel_spec *spec) {
  conv_attrs other = *a;
  for (int d = 0; d < a->dims; d++) other.size[d] = spec->shape[2 + d];
  other.bias = false;
  return other;
}

static void set_spec(sel_spec *out, const conv_attrs *a, const sel_tensor *like, int64_t first,
                     int64_t second) {
  *out = (sel_spec){.dtype = (sel_dtype)like->dtype, .ndim = 2 + a->dims};
  out->shape[0] = first;
  out->shape[1] = second;
  for (int d = 0; d < a->dims; d++) out->shape[2 + d] = a->size[d];
}

/* One kernel call; all tensors of `dtype` and contiguous. */
static sel_status run_kernel(const sel_call *call, sel_conv_op op, sel_dtype dtype, sel_tensor *x,
                             sel_tensor *weight, sel_tensor *bias, sel_tensor *y) {
  const conv_attrs *a = call->attrs;
  sel_device *device = sel__device(x);
  SEL_KERNEL(device, conv, call->op->name);
  sel_conv_args args = {.op = op, .dtype = dtype, .dims = a->dims, .groups = a->groups};
  args.x = sel__operand(x);
  args.weight = sel__operand(weight);
  args.y = sel__operand(y);
  if (bias) args.bias = sel__operand(bias);
  args.n = x->shape[0];
  args.channels = x->shape[1];
  args.out_channels = y->shape[1];
  for (int d = 0; d < a->dims; d++) {
    args.in[d] = x->shape[2 + d];
    args.out[d] = y->shape[2 + d];
    args.kernel[d] = weight->shape[2 + d];
    args.stride[d] = a->stride[d];
    args.padding[d] = a->padding[d];
    args.dilation[d] = a->dilation[d];
  }
  return device->k.conv(device->handle, &args);
}

/* Every element of y meets the weight of its channel, positions outside x counted. */
static double flops_of(const sel_tensor *weight, const sel_tensor *y) {
  return 2 * (double)y->numel * (double)weight->numel / (double)weight->shape[0];
}

/* ---- conv: (x, weight, bias) to y ---- */

static sel_status conv_infer(const sel_call *call, sel_spec *out) {
  set_spec(out, call->attrs, call->in[0], call->in[0]->shape[0], call->in[1]->shape[0]);
  return sel__check_shape("conv", out->ndim, out->shape);
}

static sel_status conv_launch(sel_call *call) {
  sel_tensor *out = call->out[0];
  if (out->numel == 0) return SEL_OK;
  sel_dtype dtype = sel__compute_dtype((sel_dtype)out->dtype);
  SEL_SCOPE(s);
  sel_tensor *x = sel__operand_as(&s, call->in[0], dtype);
  sel_tensor *w = sel__operand_as(&s, call->in[1], dtype);
  sel_tensor *bias = call->in[2] ? sel__operand_as(&s, call->in[2], dtype) : NULL;
  sel_tensor *y = sel__result_as(&s, out, dtype);
  if (s.status == SEL_OK) s.status = run_kernel(call, SEL_CONV_FORWARD, dtype, x, w, bias, y);
  return sel__launch_end(&s, y, out);
}

static void conv_cost(const sel_call *call, sel_cost *cost) {
  cost->flops = flops_of(call->in[1], call->out[0]);
}

static sel_status transpose(const conv_attrs *like, sel_tensor *y, sel_tensor *w,
                            const sel_spec *x_spec, sel_tensor **out) {
  conv_attrs a = attrs_for(like, x_spec);
  return sel__run1(&sel__op_conv_transpose, 2, (sel_tensor *[]){y, w}, &a, out);
}

/* dw and, where `dbias` is not NULL, the bias's. */
static sel_status weight_gradient(const conv_attrs *like, sel_tensor *x, sel_tensor *y,
                                  const sel_spec *w_spec, sel_tensor **dw, sel_tensor **dbias) {
  conv_attrs a = attrs_for(like, w_spec);
  a.bias = dbias != NULL;
  sel_call call = {
      .op = &sel__op_conv_weight, .n_in = 2, .in = (sel_tensor *[]){x, y}, .attrs = &a};
  SEL_TRY(sel__run(&call));
  *dw = call.out[0];
  if (dbias)
    *dbias = call.out[1];
  else
    sel_release(call.out[1]);
  return SEL_OK;
}

static sel_tensor *sum_channels(sel_vjp *v, sel_tensor *g) {
  const conv_attrs *a = v->attrs;
  return x_sum(v->scope, g, 1 + a->dims, (const int[]){0, 2, 3, 4}, false);
}

static sel_status conv_backward(sel_vjp *v) {
  const conv_attrs *a = v->attrs;
  sel_tensor *g = v->g[0];
  if (v->needs[0]) SEL_TRY(transpose(a, g, v->in[1], &v->in_spec[0], &v->grad[0]));
  if (v->needs[1])
    return weight_gradient(a, v->in[0], g, &v->in_spec[1], &v->grad[1],
                           v->needs[2] ? &v->grad[2] : NULL);
  if (v->needs[2]) v->grad[2] = sel_retain(sum_channels(v, g));
  return v->scope->status;
}

const sel_op sel__op_conv = {.name = "conv",
                             .n_out = 1,
                             .attrs_size = sizeof(conv_attrs),
                             .infer = conv_infer,
                             .launch = conv_launch,
                             .backward = conv_backward,
                             .save_for = {SEL_IN(1), SEL_IN(0), 0},
                             .cost = conv_cost};

/* ---- conv_transpose: (y, weight) to x ---- */

static sel_status conv_transpose_infer(const sel_call *call, sel_spec *out) {
  const conv_attrs *a = call->attrs;
  set_spec(out, a, call->in[0], call->in[0]->shape[0], call->in[1]->shape[1] * a->groups);
  return sel__check_shape("conv_transpose", out->ndim, out->shape);
}

static sel_status conv_transpose_launch(sel_call *call) {
  sel_tensor *out = call->out[0];
  if (out->numel == 0) return SEL_OK;
  sel_dtype dtype = sel__compute_dtype((sel_dtype)out->dtype);
  SEL_SCOPE(s);
  sel_tensor *y = sel__operand_as(&s, call->in[0], dtype);
  sel_tensor *w = sel__operand_as(&s, call->in[1], dtype);
  sel_tensor *x = sel__result_as(&s, out, dtype);
  if (s.status == SEL_OK) s.status = run_kernel(call, SEL_CONV_GRAD_INPUT, dtype, x, w, NULL, y);
  return sel__launch_end(&s, x, out);
}

static void conv_transpose_cost(const sel_call *call, sel_cost *cost) {
  cost->flops = flops_of(call->in[1], call->in[0]);
}

static sel_status conv_transpose_backward(sel_vjp *v) {
  const conv_attrs *a = v->attrs;
  sel_tensor *g = v->g[0];
  if (v->needs[0]) {
    conv_attrs forward = attrs_for(a, &v->in_spec[0]);
    SEL_TRY(
        sel__run1(&sel__op_conv, 3, (sel_tensor *[]){g, v->in[1], NULL}, &forward, &v->grad[0]));
  }
  if (!v->needs[1]) return SEL_OK;
  return weight_gradient(a, g, v->in[0], &v->in_spec[1], &v->grad[1], NULL);
}

const sel_op sel__op_conv_transpose = {.name = "conv_transpose",
                                       .n_out = 1,
                                       .attrs_size = sizeof(conv_attrs),
                                       .infer = conv_transpose_infer,
                                       .launch = conv_transpose_launch,
                                       .backward = conv_transpose_backward,
                                       .save_for = {SEL_IN(1), SEL_IN(0)},
                                       .cost = conv_transpose_cost};

/* ---- conv_weight: (x, y) to weight and sums of y by channel (empty unless wanted) ---- */

static sel_status conv_weight_infer(const sel_call *call, sel_spec *out) {
  const conv_attrs *a = call->attrs;
  const sel_tensor *x = call->in[0], *y = call->in[1];
  set_spec(&out[0], a, x, y->shape[1], x->shape[1] / a->groups);
  out[1] = (sel_spec){.dtype = (sel_dtype)x->dtype, .ndim = 1};
  out[1].shape[0] = a->bias ? y->shape[1] : 0;
  return sel__check_shape("conv_weight", out->ndim, out->shape);
}

static sel_status conv_weight_launch(sel_call *call) {
  const conv_attrs *a = call->attrs;
  sel_dtype dtype = sel__compute_dtype((sel_dtype)call->out[0]->dtype);
  SEL_SCOPE(s);
  sel_tensor *x = sel__operand_as(&s, call->in[0], dtype);
  sel_tensor *y = sel__operand_as(&s, call->in[1], dtype);
  sel_tensor *w = sel__result_as(&s, call->out[0], dtype);
  sel_tensor *bias = a->bias ? sel__result_as(&s, call->out[1], dtype) : NULL;
  if (s.status == SEL_OK) s.status = run_kernel(call, SEL_CONV_GRAD_WEIGHT, dtype, x, w, bias, y);
  if (s.status == SEL_OK && bias && bias != call->out[1]) s.status = sel__copy(call->out[1], bias);
  return sel__launch_end(&s, w, call->out[0]);
}

static void conv_weight_cost(const sel_call *call, sel_cost *cost) {
  cost->flops = flops_of(call->out[0], call->in[1]);
}

/* G [out channels] as a bias of zeros' convolution: expanded to y's shape. */
static sel_tensor *expand_channels(sel_vjp *v, sel_tensor *G) {
  int64_t shape[SEL_MAX_DIMS] = {1, G->shape[0], 1, 1, 1};
  const sel_spec *y = &v->in_spec[1];
  return x_expand(v->scope, x_reshape(v->scope, G, y->ndim, shape), y->ndim, y->shape);
}

static sel_status conv_weight_backward(sel_vjp *v) {
  const conv_attrs *a = v->attrs;
  sel_tensor *dw = v->g[0], *dbias = a->bias ? v->g[1] : NULL;
  if (v->needs[0] && dw) SEL_TRY(transpose(a, v->in[1], dw, &v->in_spec[0], &v->grad[0]));
  if (!v->needs[1]) return SEL_OK;
  if (!dw) {
    if (dbias) v->grad[1] = sel_retain(expand_channels(v, dbias));
    return v->scope->status;
  }
  conv_attrs forward = attrs_for(a, &v->in_spec[1]);
  return sel__run1(&sel__op_conv, 3, (sel_tensor *[]){v->in[0], dw, dbias}, &forward, &v->grad[1]);
}

const sel_op sel__op_conv_weight = {.name = "conv_weight",
                                    .n_out = 2,
                                    .attrs_size = sizeof(conv_attrs),
                                    .infer = conv_weight_infer,
                                    .launch = conv_weight_launch,
                                    .backward = conv_weight_backward,
                                    .save_for = {SEL_IN(1), SEL_IN(0)},
                                    .cost = conv_weight_cost};

/* ---- the C functions ---- */

/* channels_dim: which of the weight's dims goes with the input's channels. */
static sel_status check(const char *what, int dims, const sel_tensor *x, const sel_tensor *w,
                        const sel_tensor *bias, int64_t groups, bool transposed) {
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_CHECK(dims >= 1 && dims <= SEL_WINDOW_DIMS, SEL_E_ARGUMENT,
            "%s: expected 1 to %d dims, got %d", what, SEL_WINDOW_DIMS, dims);
  SEL_TRY(sel__expect_tensor(what, "input", x));
  SEL_TRY(sel__expect_tensor(what, "weight", w));
  SEL_TRY(sel__float_dtype(what, x));
  SEL_TRY(sel__same_dtype(what, x, w));
  SEL_CHECK(x->ndim == dims + 2, SEL_E_SHAPE,
            "%s: expected an input [n, channels, %d extents], got %s", what, dims,
            sel_describe(x, a, sizeof a));
  SEL_CHECK(w->ndim == dims + 2 && w->numel > 0, SEL_E_SHAPE,
            "%s: expected a weight of %d dims with elements, got %s", what, dims + 2,
            sel_describe(w, b, sizeof b));
  SEL_CHECK(groups >= 1 && w->shape[0] % groups == 0, SEL_E_ARGUMENT,
            "%s: expected groups that divide the first extent of the weight %s, got %lld", what,
            sel_describe(w, b, sizeof b), (long long)groups);
  int64_t channels = transposed ? w->shape[0] : w->shape[1] * groups;
  SEL_CHECK(x->shape[1] == channels, SEL_E_SHAPE,
            "%s: expected an input of %lld channels for weight %s and %lld group%s, got %s", what,
            (long long)channels, sel_describe(w, b, sizeof b), (long long)groups,
            groups == 1 ? "" : "s", sel_describe(x, a, sizeof a));
  if (!bias) return SEL_OK;
  int64_t outputs = transposed ? w->shape[1] * groups : w->shape[0];
  SEL_TRY(sel__expect_tensor(what, "bias", bias));
  SEL_TRY(sel__same_dtype(what, x, bias));
  SEL_CHECK(bias->ndim == 1 && bias->shape[0] == outputs, SEL_E_SHAPE,
            "%s: expected bias [%lld] for weight %s, got %s", what, (long long)outputs,
            sel_describe(w, b, sizeof b), sel_describe(bias, a, sizeof a));
  return SEL_OK;
}

static conv_attrs attrs_of(const sel_window *w, int64_t groups) {
  conv_attrs a = {.dims = w->dims, .groups = groups};
  for (int d = 0; d < w->dims; d++) {
    a.stride[d] = w->stride[d];
    a.padding[d] = w->before[d];
    a.dilation[d] = w->dilation[d];
  }
  return a;
}

sel_status sel_conv(int dims, sel_tensor *x, sel_tensor *weight, sel_tensor *bias,
                    const int64_t *stride, const int64_t *padding_before,
                    const int64_t *padding_after, const int64_t *dilation, int64_t groups,
                    sel_tensor **out) {
  sel_window w;
  SEL_TRY(check("conv", dims, x, weight, bias, groups, false));
  SEL_TRY(sel__window("conv", dims, weight->shape + 2, stride, padding_before, padding_after,
                      dilation, &w));
  conv_attrs a = attrs_of(&w, groups);
  SEL_TRY(sel__window_count("conv", &w, x, false, a.size));
  return sel__run1(&sel__op_conv, 3, (sel_tensor *[]){x, weight, bias}, &a, out);
}

/* Extents of what the windows of x reach over, without padding. */
static sel_status transposed_size(const sel_window *w, const sel_tensor *x,
                                  const int64_t *output_padding, int64_t *out) {
  char text[SEL_TEXT];
  for (int d = 0; d < w->dims; d++) {
    int64_t in = x->shape[2 + d], more = output_padding[d];
    SEL_CHECK(more >= 0 && (more < w->stride[d] || more < w->dilation[d]), SEL_E_ARGUMENT,
              "conv_transpose: expected output_padding below stride %lld or dilation %lld, got "
              "%lld",
              (long long)w->stride[d], (long long)w->dilation[d], (long long)more);
    SEL_CHECK(in >= 1, SEL_E_SHAPE, "conv_transpose: expected an input with extents, got %s",
              sel_describe(x, text, sizeof text));
    bool fits =
        !__builtin_mul_overflow(in - 1, w->stride[d], &out[d]) &&
        !__builtin_add_overflow(
            out[d], w->dilation[d] * (w->kernel[d] - 1) + more + 1 - 2 * w->before[d], &out[d]);
    SEL_CHECK(fits && out[d] >= 1, SEL_E_SHAPE,
              "conv_transpose: padding %lld leaves no output in dim %d of input %s",
              (long long)w->before[d], d, sel_describe(x, text, sizeof text));
  }
  return SEL_OK;
}

sel_status sel_conv_transpose(int dims, sel_tensor *x, sel_tensor *weight, sel_tensor *bias,
                              const int64_t *stride, const int64_t *padding,
                              const int64_t *output_padding, const int64_t *dilation,
                              int64_t groups, sel_tensor **out) {
  sel_window w;
  SEL_TRY(check("conv_transpose", dims, x, weight, bias, groups, true));
  SEL_TRY(sel__window("conv_transpose", dims, weight->shape + 2, stride, padding, padding, dilation,
                      &w));
  conv_attrs a = attrs_of(&w, groups);
  SEL_TRY(transposed_size(&w, x, output_padding, a.size));
  SEL_SCOPE(s);
  sel_tensor *y = NULL;
  y = sel__hold(&s, sel__run1(&sel__op_conv_transpose, 2, (sel_tensor *[]){x, weight}, &a, &y), &y);
  if (bias) {
    int64_t shape[SEL_MAX_DIMS] = {bias->shape[0], 1, 1, 1};
    y = x_add(&s, y, x_reshape(&s, bias, 1 + dims, shape));
  }
  return sel__scope_end(&s, y, out);
}
