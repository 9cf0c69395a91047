/* Pooling over the last dims. Each operation's gradient is an operation, linear in what it gets;
 * indices of maxima count positions in their plane. */
#include "precision.h"
#include "window.h"

typedef struct pool_attrs {
  int dims;
  int64_t kernel[SEL_WINDOW_DIMS], stride[SEL_WINDOW_DIMS], padding[SEL_WINDOW_DIMS];
  int64_t dilation[SEL_WINDOW_DIMS];
  int64_t size[SEL_WINDOW_DIMS]; /* the result's last extents */
  bool adaptive, count_padding;
  int64_t divisor;
} pool_attrs;

extern const sel_op sel__op_max_pool, sel__op_avg_pool;
extern const sel_op sel__op_max_pool_grad, sel__op_avg_pool_grad;

static pool_attrs attrs_for(const pool_attrs *a, const sel_spec *spec) {
  pool_attrs other = *a;
  for (int d = 0; d < a->dims; d++) other.size[d] = spec->shape[spec->ndim - a->dims + d];
  return other;
}

static void set_spec(sel_spec *out, const pool_attrs *a, const sel_tensor *like) {
  *out = sel__spec_of(like);
  for (int d = 0; d < a->dims; d++) out->shape[out->ndim - a->dims + d] = a->size[d];
}

/* One kernel call: x the wide side, y the narrow one. */
static sel_status run_kernel(const sel_call *call, sel_pool_op op, sel_dtype dtype, sel_tensor *x,
                             sel_tensor *y, sel_tensor *index) {
  const pool_attrs *a = call->attrs;
  sel_device *device = sel__device(x);
  SEL_KERNEL(device, pool, call->op->name);
  sel_pool_args args = {.op = op,
                        .dtype = dtype,
                        .dims = a->dims,
                        .adaptive = a->adaptive,
                        .count_padding = a->count_padding,
                        .divisor = a->divisor};
  args.x = sel__operand(x);
  args.y = sel__operand(y);
  if (index) args.index = sel__operand(index);
  const int64_t *in = x->shape + x->ndim - a->dims, *out = y->shape + y->ndim - a->dims;
  args.planes = x->numel / sel__plane_size(a->dims, in);
  for (int d = 0; d < a->dims; d++) {
    args.in[d] = in[d];
    args.out[d] = out[d];
    args.kernel[d] = a->kernel[d];
    args.stride[d] = a->stride[d];
    args.padding[d] = a->padding[d];
    args.dilation[d] = a->dilation[d];
  }
  return device->k.pool(device->handle, &args);
}

/* ---- max_pool: x to values and indices ---- */

static sel_status max_pool_infer(const sel_call *call, sel_spec *out) {
  set_spec(&out[0], call->attrs, call->in[0]);
  out[1] = out[0];
  out[1].dtype = SEL_I64;
  return sel__check_shape("max_pool", out->ndim, out->shape);
}

static sel_status max_pool_launch(sel_call *call) {
  sel_tensor *out = call->out[0];
  if (out->numel == 0) return SEL_OK;
  sel_dtype dtype = sel__compute_dtype((sel_dtype)out->dtype);
  SEL_SCOPE(s);
  sel_tensor *x = sel__operand_as(&s, call->in[0], dtype);
  sel_tensor *y = sel__result_as(&s, out, dtype);
  if (s.status == SEL_OK) s.status = run_kernel(call, SEL_POOL_MAX, dtype, x, y, call->out[1]);
  return sel__launch_end(&s, y, out);
}

static sel_status max_pool_backward(sel_vjp *v) {
  if (!v->needs[0] || !v->g[0]) return SEL_OK;
  pool_attrs a = attrs_for(v->attrs, &v->in_spec[0]);
  return sel__run1(&sel__op_max_pool_grad, 2, (sel_tensor *[]){v->g[0], v->out[1]}, &a,
                   &v->grad[0]);
}

const sel_op sel__op_max_pool = {.name = "max_pool",
                                 .n_out = 2,
                                 .attrs_size = sizeof(pool_attrs),
                                 .infer = max_pool_infer,
                                 .launch = max_pool_launch,
                                 .backward = max_pool_backward,
                                 .save_for = {SEL_OUT(1)}};

/* ---- max_pool_grad: (g, indices) to the gradient of x ---- */

static sel_status max_pool_grad_infer(const sel_call *call, sel_spec *out) {
  set_spec(out, call->attrs, call->in[0]);
  return sel__check_shape("max_pool_grad", out->ndim, out->shape);
}

static sel_status grad_launch(sel_call *call, sel_pool_op op) {
  sel_tensor *out = call->out[0];
  if (out->numel == 0) return SEL_OK;
  sel_dtype dtype = sel__compute_dtype((sel_dtype)out->dtype);
  SEL_SCOPE(s);
  sel_tensor *y = sel__operand_as(&s, call->in[0], dtype);
  sel_tensor *index = op == SEL_POOL_MAX_GRAD ? sel__operand_as(&s, call->in[1], SEL_I64) : NULL;
  sel_tensor *x = sel__result_as(&s, out, dtype);
  if (s.status == SEL_OK) s.status = run_kernel(call, op, dtype, x, y, index);
  return sel__launch_end(&s, x, out);
}

static sel_status max_pool_grad_launch(sel_call *call) {
  return grad_launch(call, SEL_POOL_MAX_GRAD);
}

/* Each g went to one place of its plane: its gradient is what lies there. */
static sel_status max_pool_grad_backward(sel_vjp *v) {
  const pool_attrs *a = v->attrs;
  if (!v->needs[0]) return SEL_OK;
  sel_scope *s = v->scope;
  const sel_spec *narrow = &v->in_spec[0], *wide = &v->out_spec[0];
  int64_t shape[2] = {1, sel__plane_size(a->dims, wide->shape + wide->ndim - a->dims)};
  for (int d = 0; d < wide->ndim - a->dims; d++) shape[0] *= wide->shape[d];
  sel_tensor *G = x_reshape(s, v->g[0], 2, shape);
  shape[1] = sel__plane_size(a->dims, narrow->shape + narrow->ndim - a->dims);
  sel_tensor *there = x_gather(s, G, 1, x_reshape(s, v->in[1], 2, shape));
  v->grad[0] = sel_retain(x_reshape(s, there, narrow->ndim, narrow->shape));
  return s->status;
}

const sel_op sel__op_max_pool_grad = {.name = "max_pool_grad",
                                      .n_out = 1,
                                      .attrs_size = sizeof(pool_attrs),
                                      .infer = max_pool_grad_infer,
                                      .launch = max_pool_grad_launch,
                                      .backward = max_pool_grad_backward,
                                      .save_for = {SEL_IN(1)}};

/* ---- avg_pool and its gradient ---- */

static sel_status avg_pool_infer(const sel_call *call, sel_spec *out) {
  set_spec(out, call->attrs, call->in[0]);
  return sel__check_shape("avg_pool", out->ndim, out->shape);
}

static sel_status avg_pool_launch(sel_call *call) {
  sel_tensor *out = call->out[0];
  if (out->numel == 0) return SEL_OK;
  sel_dtype dtype = sel__compute_dtype((sel_dtype)out->dtype);
  SEL_SCOPE(s);
  sel_tensor *x = sel__operand_as(&s, call->in[0], dtype);
  sel_tensor *y = sel__result_as(&s, out, dtype);
  if (s.status == SEL_OK) s.status = run_kernel(call, SEL_POOL_AVG, dtype, x, y, NULL);
  return sel__launch_end(&s, y, out);
}

/* The gradient of each is the other, on the input's extents. */
static sel_status average_backward(sel_vjp *v, const sel_op *other) {
  if (!v->needs[0]) return SEL_OK;
  pool_attrs a = attrs_for(v->attrs, &v->in_spec[0]);
  return sel__run1(other, 1, v->g, &a, &v->grad[0]);
}

static sel_status avg_pool_backward(sel_vjp *v) {
  return average_backward(v, &sel__op_avg_pool_grad);
}

const sel_op sel__op_avg_pool = {.name = "avg_pool",
                                 .n_out = 1,
                                 .attrs_size = sizeof(pool_attrs),
                                 .infer = avg_pool_infer,
                                 .launch = avg_pool_launch,
                                 .backward = avg_pool_backward};

static sel_status avg_pool_grad_launch(sel_call *call) {
  return grad_launch(call, SEL_POOL_AVG_GRAD);
}
static sel_status avg_pool_grad_backward(sel_vjp *v) {
  return average_backward(v, &sel__op_avg_pool);
}

const sel_op sel__op_avg_pool_grad = {.name = "avg_pool_grad",
                                      .n_out = 1,
                                      .attrs_size = sizeof(pool_attrs),
                                      .infer = avg_pool_infer,
                                      .launch = avg_pool_grad_launch,
                                      .backward = avg_pool_grad_backward};

/* ---- the C functions ---- */

static sel_status check(const char *what, int dims, const sel_tensor *x) {
  char text[SEL_TEXT];
  SEL_CHECK(dims >= 1 && dims <= SEL_WINDOW_DIMS, SEL_E_ARGUMENT,
            "%s: expected 1 to %d dims, got %d", what, SEL_WINDOW_DIMS, dims);
  SEL_TRY(sel__expect_tensor(what, "input", x));
  SEL_TRY(sel__float_dtype(what, x));
  bool fits = x->ndim >= dims;
  for (int d = 0; fits && d < dims; d++) fits = x->shape[x->ndim - 1 - d] > 0;
  SEL_CHECK(fits, SEL_E_SHAPE, "%s: expected an input whose last %d dims have extents, got %s",
            what, dims, sel_describe(x, text, sizeof text));
  return SEL_OK;
}

/* Every window holds at least one element of x: what is computed from nothing has no value. */
static sel_status check_windows(const char *what, const sel_window *w, const sel_tensor *x,
                                const int64_t *count) {
  char text[SEL_TEXT];
  for (int d = 0; d < w->dims; d++) {
    int64_t in = x->shape[x->ndim - w->dims + d];
    SEL_CHECK(2 * w->before[d] <= w->kernel[d], SEL_E_ARGUMENT,
              "%s: expected padding of at most half the kernel %lld, got %lld", what,
              (long long)w->kernel[d], (long long)w->before[d]);
    for (int64_t o = 0; o < count[d]; o++) {
      int64_t first = o * w->stride[d] - w->before[d];
      if (first < 0) first += (-first + w->dilation[d] - 1) / w->dilation[d] * w->dilation[d];
      SEL_CHECK(first < in, SEL_E_SHAPE,
                "%s: window %lld along dim %d has no element of the input %s", what, (long long)o,
                x->ndim - w->dims + d, sel_describe(x, text, sizeof text));
      if (first >= w->before[d] + w->dilation[d]) break;
    }
  }
  return SEL_OK;
}

static sel_status attrs_of(const char *what, int dims, const sel_tensor *x, const int64_t *kernel,
                           const int64_t *stride, const int64_t *padding, const int64_t *dilation,
                           bool ceil_mode, pool_attrs *out) {
  sel_window w;
  SEL_TRY(check(what, dims, x));
  SEL_TRY(sel__window(what, dims, kernel, stride, padding, padding, dilation, &w));
  SEL_TRY(sel__window_count(what, &w, x, ceil_mode, out->size));
  SEL_TRY(check_windows(what, &w, x, out->size));
  out->dims = dims;
  for (int d = 0; d < dims; d++) {
    out->kernel[d] = w.kernel[d];
    out->stride[d] = w.stride[d];
    out->padding[d] = w.before[d];
    out->dilation[d] = w.dilation[d];
  }
  return SEL_OK;
}

static sel_status run_max(sel_tensor *x, const pool_attrs *a, sel_tensor **values,
                          sel_tensor **indices) {
  sel_call call = {.op = &sel__op_max_pool, .n_in = 1, .in = &x, .attrs = a};
  SEL_TRY(sel__run(&call));
  *values = call.out[0];
  if (indices)
    *indices = call.out[1];
  else
    sel_release(call.out[1]);
  return SEL_OK;
}

sel_status sel_max_pool(int dims, sel_tensor *x, const int64_t *kernel, const int64_t *stride,
                        const int64_t *padding, const int64_t *dilation, bool ceil_mode,
                        sel_tensor **values, sel_tensor **indices) {
  pool_attrs a = {0};
  SEL_TRY(attrs_of("max_pool", dims, x, kernel, stride, padding, dilation, ceil_mode, &a));
  return run_max(x, &a, values, indices);
}

sel_status sel_avg_pool(int dims, sel_tensor *x, const int64_t *kernel, const int64_t *stride,
                        const int64_t *padding, bool ceil_mode, bool count_include_pad,
                        int64_t divisor, sel_tensor **out) {
  pool_attrs a = {.count_padding = count_include_pad, .divisor = divisor};
  SEL_CHECK(divisor >= 0, SEL_E_ARGUMENT, "avg_pool: expected a divisor of at least 0, got %lld",
            (long long)divisor);
  SEL_TRY(attrs_of("avg_pool", dims, x, kernel, stride, padding, NULL, ceil_mode, &a));
  return sel__run1(&sel__op_avg_pool, 1, &x, &a, out);
}

static sel_status adaptive_attrs(const char *what, int dims, const sel_tensor *x,
                                 const int64_t *size, pool_attrs *out) {
  SEL_TRY(check(what, dims, x));
  out->dims = dims;
  out->adaptive = true;
  for (int d = 0; d < dims; d++) {
    SEL_CHECK(size[d] >= 1, SEL_E_ARGUMENT, "%s: expected sizes of at least 1, got %lld", what,
              (long long)size[d]);
    out->size[d] = size[d];
  }
  return SEL_OK;
}

sel_status sel_adaptive_max_pool(int dims, sel_tensor *x, const int64_t *size, sel_tensor **values,
                                 sel_tensor **indices) {
  pool_attrs a = {0};
  SEL_TRY(adaptive_attrs("adaptive_max_pool", dims, x, size, &a));
  return run_max(x, &a, values, indices);
}

sel_status sel_adaptive_avg_pool(int dims, sel_tensor *x, const int64_t *size, sel_tensor **out) {
  pool_attrs a = {0};
  SEL_TRY(adaptive_attrs("adaptive_avg_pool", dims, x, size, &a));
  return sel__run1(&sel__op_avg_pool, 1, &x, &a, out);
}
