/* Resampling of images: upsample and its gradient, which are each other's; and pixel shuffle, which
 * is an order of dims. */
#include <math.h>

#include "precision.h"
#include "window.h"

/* ---- upsample ---- */

typedef struct upsample_attrs {
  int dims;
  sel_upsample_mode mode;
  bool align_corners;
  int64_t size[SEL_WINDOW_DIMS]; /* the result's last extents */
  double scale[SEL_WINDOW_DIMS]; /* input positions an output position, either way */
} upsample_attrs;

extern const sel_op sel__op_upsample, sel__op_upsample_grad;

static sel_status upsample_infer(const sel_call *call, sel_spec *out) {
  const upsample_attrs *a = call->attrs;
  *out = sel__spec_of(call->in[0]);
  for (int d = 0; d < a->dims; d++) out->shape[out->ndim - a->dims + d] = a->size[d];
  return sel__check_shape("upsample", out->ndim, out->shape);
}

static sel_status launch(sel_call *call, bool backward) {
  const upsample_attrs *a = call->attrs;
  sel_tensor *result = call->out[0];
  if (result->numel == 0) return SEL_OK;
  sel_device *device = sel__device(result);
  SEL_KERNEL(device, upsample, call->op->name);
  sel_dtype dtype = sel__compute_dtype((sel_dtype)result->dtype);
  SEL_SCOPE(s);
  sel_tensor *from = sel__operand_as(&s, call->in[0], dtype);
  sel_tensor *to = sel__result_as(&s, result, dtype);
  if (s.status == SEL_OK) {
    sel_tensor *x = backward ? to : from, *y = backward ? from : to;
    sel_upsample_args args = {.mode = a->mode,
                              .backward = backward,
                              .align_corners = a->align_corners,
                              .dtype = dtype,
                              .dims = a->dims};
    args.x = sel__operand(x);
    args.y = sel__operand(y);
    for (int d = 0; d < a->dims; d++) {
      args.in[d] = x->shape[x->ndim - a->dims + d];
      args.out[d] = y->shape[y->ndim - a->dims + d];
      args.scale[d] = a->scale[d];
    }
    args.planes = x->numel / sel__plane_size(a->dims, args.in);
    s.status = device->k.upsample(device->handle, &args);
  }
  return sel__launch_end(&s, to, result);
}

static sel_status run_other(sel_vjp *v, const sel_op *other) {
  if (!v->needs[0]) return SEL_OK;
  upsample_attrs a = *(const upsample_attrs *)v->attrs;
  const sel_spec *spec = &v->in_spec[0];
  for (int d = 0; d < a.dims; d++) a.size[d] = spec->shape[spec->ndim - a.dims + d];
  return sel__run1(other, 1, v->g, &a, &v->grad[0]);
}

static sel_status upsample_launch(sel_call *call) { return launch(call, false); }
static sel_status upsample_backward(sel_vjp *v) { return run_other(v, &sel__op_upsample_grad); }
const sel_op sel__op_upsample = {.name = "upsample",
                                 .n_out = 1,
                                 .attrs_size = sizeof(upsample_attrs),
                                 .infer = upsample_infer,
                                 .launch = upsample_launch,
                                 .backward = upsample_backward};

static sel_status upsample_grad_launch(sel_call *call) { return launch(call, true); }
static sel_status upsample_grad_backward(sel_vjp *v) { return run_other(v, &sel__op_upsample); }
const sel_op sel__op_upsample_grad = {.name = "upsample_grad",
                                      .n_out = 1,
                                      .attrs_size = sizeof(upsample_attrs),
                                      .infer = upsample_infer,
                                      .launch = upsample_grad_launch,
                                      .backward = upsample_grad_backward};

sel_status sel_upsample(int dims, sel_tensor *x, const int64_t *size, const double *scale,
                        sel_upsample_mode mode, bool align_corners, sel_tensor **out) {
  char text[SEL_TEXT];
  SEL_CHECK(dims >= 1 && dims <= SEL_WINDOW_DIMS, SEL_E_ARGUMENT,
            "upsample: expected 1 to %d dims, got %d", SEL_WINDOW_DIMS, dims);
  SEL_TRY(sel__expect_tensor("upsample", "input", x));
  SEL_TRY(sel__float_dtype("upsample", x));
  SEL_CHECK(mode == SEL_UPSAMPLE_NEAREST || mode == SEL_UPSAMPLE_LINEAR, SEL_E_ARGUMENT,
            "upsample: expected mode nearest or linear, got %d", (int)mode);
  SEL_CHECK(!align_corners || mode == SEL_UPSAMPLE_LINEAR, SEL_E_ARGUMENT,
            "upsample: align_corners goes with mode linear");
  SEL_CHECK(x->ndim >= dims, SEL_E_SHAPE, "upsample: expected an input of at least %d dims, got %s",
            dims, sel_describe(x, text, sizeof text));
  upsample_attrs a = {.dims = dims, .mode = mode, .align_corners = align_corners};
  for (int d = 0; d < dims; d++) {
    int64_t in = x->shape[x->ndim - dims + d];
    SEL_CHECK(in >= 1 && size[d] >= 1, SEL_E_SHAPE,
              "upsample: expected extents of at least 1, got %s to size %lld",
              sel_describe(x, text, sizeof text), (long long)size[d]);
    SEL_CHECK(!scale || (scale[d] > 0 && scale[d] < INFINITY), SEL_E_ARGUMENT,
              "upsample: expected a scale above 0, got %g", scale ? scale[d] : 0);
    a.size[d] = size[d];
    a.scale[d] = scale ? 1 / scale[d] : (double)in / (double)size[d];
  }
  return sel__run1(&sel__op_upsample, 1, &x, &a, out);
}

/* ---- pixel shuffle ---- */

static sel_status check_pixels(const char *what, const sel_tensor *x, int64_t r) {
  char text[SEL_TEXT];
  SEL_TRY(sel__expect_tensor(what, "input", x));
  SEL_CHECK(x->ndim == 4, SEL_E_SHAPE, "%s: expected an input [n, channels, height, width], got %s",
            what, sel_describe(x, text, sizeof text));
  SEL_CHECK(r >= 1 && r <= 1 << 15, SEL_E_ARGUMENT, "%s: expected a factor of at least 1, got %lld",
            what, (long long)r);
  return SEL_OK;
}

sel_status sel_pixel_shuffle(sel_tensor *x, int64_t r, sel_tensor **out) {
  char text[SEL_TEXT];
  SEL_TRY(check_pixels("pixel_shuffle", x, r));
  int64_t n = x->shape[0], c = x->shape[1] / (r * r), h = x->shape[2], w = x->shape[3];
  SEL_CHECK(x->shape[1] % (r * r) == 0, SEL_E_SHAPE,
            "pixel_shuffle: expected channels that %lld divides, got %s", (long long)(r * r),
            sel_describe(x, text, sizeof text));
  SEL_SCOPE(s);
  sel_tensor *y = x_reshape(&s, x, 6, (const int64_t[]){n, c, r, r, h, w});
  y = x_permute(&s, y, 6, (const int[]){0, 1, 4, 2, 5, 3});
  y = x_reshape(&s, y, 4, (const int64_t[]){n, c, h * r, w * r});
  return sel__scope_end(&s, y, out);
}

sel_status sel_pixel_unshuffle(sel_tensor *x, int64_t r, sel_tensor **out) {
  char text[SEL_TEXT];
  SEL_TRY(check_pixels("pixel_unshuffle", x, r));
  SEL_CHECK(x->shape[2] % r == 0 && x->shape[3] % r == 0, SEL_E_SHAPE,
            "pixel_unshuffle: expected a height and width that %lld divides, got %s", (long long)r,
            sel_describe(x, text, sizeof text));
  int64_t n = x->shape[0], c = x->shape[1], h = x->shape[2] / r, w = x->shape[3] / r;
  SEL_SCOPE(s);
  sel_tensor *y = x_reshape(&s, x, 6, (const int64_t[]){n, c, h, r, w, r});
  y = x_permute(&s, y, 6, (const int[]){0, 1, 3, 5, 2, 4});
  y = x_reshape(&s, y, 4, (const int64_t[]){n, c * r * r, h, w});
  return sel__scope_end(&s, y, out);
}
