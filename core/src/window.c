/* Checks of windows and the formula of how many fit. */
#include "window.h"

enum { EXTENT_LIMIT = 1 << 30 }; /* keeps the sums of extents below far from overflow */

static sel_status check_range(const char *what, const char *name, int64_t value, int64_t low) {
  SEL_CHECK(value >= low && value <= EXTENT_LIMIT, SEL_E_ARGUMENT,
            "%s: expected %s of at least %lld, got %lld", what, name, (long long)low,
            (long long)value);
  return SEL_OK;
}

sel_status sel__window(const char *what, int dims, const int64_t *kernel, const int64_t *stride,
                       const int64_t *before, const int64_t *after, const int64_t *dilation,
                       sel_window *out) {
  SEL_CHECK(dims >= 1 && dims <= SEL_WINDOW_DIMS, SEL_E_ARGUMENT,
            "%s: expected 1 to %d dims, got %d", what, SEL_WINDOW_DIMS, dims);
  sel_window w = {.dims = dims};
  for (int d = 0; d < dims; d++) {
    w.kernel[d] = kernel[d];
    w.stride[d] = stride[d];
    w.before[d] = before[d];
    w.after[d] = after[d];
    w.dilation[d] = dilation ? dilation[d] : 1;
    SEL_TRY(check_range(what, "a kernel", w.kernel[d], 1));
    SEL_TRY(check_range(what, "a stride", w.stride[d], 1));
    SEL_TRY(check_range(what, "a dilation", w.dilation[d], 1));
    SEL_TRY(check_range(what, "padding", w.before[d], 0));
    SEL_TRY(check_range(what, "padding", w.after[d], 0));
  }
  *out = w;
  return SEL_OK;
}

static sel_status does_not_fit(const char *what, const sel_window *w, const sel_tensor *x) {
  char text[SEL_TEXT], kernel[SEL_TEXT], padded[SEL_TEXT];
  int64_t reach[SEL_WINDOW_DIMS], extent[SEL_WINDOW_DIMS];
  for (int d = 0; d < w->dims; d++) {
    reach[d] = w->dilation[d] * (w->kernel[d] - 1) + 1;
    extent[d] = x->shape[x->ndim - w->dims + d] + w->before[d] + w->after[d];
  }
  return sel_fail(SEL_E_SHAPE,
                  "%s: the kernel, which reaches over %s, is larger than the padded "
                  "input, %s of %s",
                  what, sel__shape_text(w->dims, reach, kernel, sizeof kernel),
                  sel__shape_text(w->dims, extent, padded, sizeof padded),
                  sel_describe(x, text, sizeof text));
}

sel_status sel__window_count(const char *what, const sel_window *w, const sel_tensor *x,
                             bool ceil_mode, int64_t *out) {
  for (int d = 0; d < w->dims; d++) {
    const int64_t in = x->shape[x->ndim - w->dims + d], stride = w->stride[d];
    const int64_t room = in + w->before[d] + w->after[d] - w->dilation[d] * (w->kernel[d] - 1) - 1;
    if (room < 0) return does_not_fit(what, w, x);
    out[d] = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    if (ceil_mode && (out[d] - 1) * stride >= in + w->before[d]) out[d]--;
  }
  return SEL_OK;
}
