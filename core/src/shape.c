/* Views: the same memory under another shape. None of them copies, except reshape where no view
 * exists. Backward rules are views again. */
#include <string.h>

#include "op.h"

/* ---- reshape ---- */

typedef struct shape_attrs {
  int ndim;
  int64_t shape[SEL_MAX_DIMS];
} shape_attrs;

/* Fills in -1 and checks the number of elements. */
static sel_status resolve_shape(const char *what, const sel_tensor *x, int ndim,
                                const int64_t *shape, shape_attrs *out) {
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_TRY(sel__expect_tensor(what, "input", x));
  SEL_CHECK(ndim >= 0 && ndim <= SEL_MAX_DIMS, SEL_E_SHAPE,
            "%s: expected 0 to %d dimensions, got %d", what, SEL_MAX_DIMS, ndim);
  int open = -1;
  int64_t known = 1;
  for (int d = 0; d < ndim; d++) {
    out->shape[d] = shape[d];
    if (shape[d] == -1) {
      SEL_CHECK(open < 0, SEL_E_SHAPE, "%s: only one extent can be -1, got %s", what,
                sel__shape_text(ndim, shape, b, sizeof b));
      open = d;
      continue;
    }
    SEL_CHECK(shape[d] >= 0 && !__builtin_mul_overflow(known, shape[d], &known), SEL_E_SHAPE,
              "%s: %s is no shape", what, sel__shape_text(ndim, shape, b, sizeof b));
  }
  if (open >= 0) {
    SEL_CHECK(known > 0 && x->numel % known == 0, SEL_E_SHAPE, "%s: %s does not fit %s", what,
              sel_describe(x, a, sizeof a), sel__shape_text(ndim, shape, b, sizeof b));
    out->shape[open] = x->numel / known;
    known = x->numel;
  }
  SEL_CHECK(known == x->numel, SEL_E_SHAPE, "%s: %s has %lld elements, %s has %lld", what,
            sel_describe(x, a, sizeof a), (long long)x->numel,
            sel__shape_text(ndim, shape, b, sizeof b), (long long)known);
  out->ndim = ndim;
  return SEL_OK;
}

/* Strides that show x under `shape` without a copy; false where there are none. Runs of dims that
 * lie without gaps in x are matched with runs of the new shape. */
static bool view_strides(const sel_tensor *x, int ndim, const int64_t *shape, int64_t *stride) {
  if (x->numel == 0 || x->contiguous) {
    int64_t step = 1;
    for (int d = ndim - 1; d >= 0; d--) {
      stride[d] = step;
      step *= shape[d] ? shape[d] : 1;
    }
    return true;
  }
  int d = ndim - 1;
  for (int i = x->ndim - 1; i >= 0;) {
    int64_t step = x->stride[i], run = x->shape[i];
    while (i > 0 && (run == 1 || x->shape[i - 1] == 1 || x->stride[i - 1] == step * run)) {
      i--;
      if (run == 1) step = x->stride[i];
      run *= x->shape[i];
    }
    i--;
    int64_t filled = 1;
    while (d >= 0 && (filled < run || shape[d] == 1)) {
      stride[d] = step * filled;
      filled *= shape[d--];
    }
    if (filled != run) return false;
  }
  for (; d >= 0; d--) stride[d] = 1; /* extents of 1 are left */
  return true;
}

static sel_status reshape_view(const sel_call *call, sel_tensor *out) {
  const shape_attrs *a = call->attrs;
  int64_t stride[SEL_MAX_DIMS];
  char text[SEL_TEXT], want[SEL_TEXT];
  SEL_CHECK(view_strides(call->in[0], a->ndim, a->shape, stride), SEL_E_SHAPE,
            "view: the memory of %s can't be seen as %s without a copy; use reshape",
            sel_describe(call->in[0], text, sizeof text),
            sel__shape_text(a->ndim, a->shape, want, sizeof want));
  out->ndim = (uint8_t)a->ndim;
  memcpy(out->shape, a->shape, (size_t)a->ndim * sizeof *a->shape);
  memcpy(out->stride, stride, (size_t)a->ndim * sizeof *stride);
  return SEL_OK;
}
static sel_status reshape_backward(sel_vjp *v) {
  if (!v->needs[0]) return SEL_OK;
  return sel_reshape(v->g[0], v->in_spec[0].ndim, v->in_spec[0].shape, &v->grad[0]);
}
const sel_op sel__op_view = {.name = "view",
                             .n_out = 1,
                             .attrs_size = sizeof(shape_attrs),
                             .view = reshape_view,
                             .backward = reshape_backward};

static sel_status reshaped(sel_tensor *x, const shape_attrs *a, sel_tensor **out) {
  int64_t stride[SEL_MAX_DIMS];
  if (view_strides(x, a->ndim, a->shape, stride)) return sel__run1(&sel__op_view, 1, &x, a, out);
  sel_tensor *copy;
  SEL_TRY(sel_clone(x, &copy));
  sel_status status = sel__run1(&sel__op_view, 1, &copy, a, out);
  sel_release(copy);
  return status;
}

sel_status sel_view(sel_tensor *x, int ndim, const int64_t *shape, sel_tensor **out) {
  shape_attrs a;
  SEL_TRY(resolve_shape("view", x, ndim, shape, &a));
  return sel__run1(&sel__op_view, 1, &x, &a, out);
}

sel_status sel_reshape(sel_tensor *x, int ndim, const int64_t *shape, sel_tensor **out) {
  shape_attrs a;
  SEL_TRY(resolve_shape("reshape", x, ndim, shape, &a));
  return reshaped(x, &a, out);
}

sel_status sel_flatten(sel_tensor *x, int first, int last, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("flatten", "input", x));
  SEL_TRY(sel__dim("flatten", x, first, &first));
  SEL_TRY(sel__dim("flatten", x, last, &last));
  SEL_CHECK(first <= last, SEL_E_ARGUMENT, "flatten: the first dim comes after the last");
  shape_attrs a = {.ndim = 0};
  for (int d = 0; d < first; d++) a.shape[a.ndim++] = x->shape[d];
  a.shape[a.ndim++] = 1;
  for (int d = first; d <= last && d < x->ndim; d++) a.shape[a.ndim - 1] *= x->shape[d];
  for (int d = last + 1; d < x->ndim; d++) a.shape[a.ndim++] = x->shape[d];
  return reshaped(x, &a, out);
}

/* Squeeze and unsqueeze are reshapes that always have a view. */
static sel_status drop_dims(sel_tensor *x, unsigned mask, sel_tensor **out) {
  shape_attrs a = {.ndim = 0};
  for (int d = 0; d < x->ndim; d++)
    if (!(mask >> d & 1)) a.shape[a.ndim++] = x->shape[d];
  return sel__run1(&sel__op_view, 1, &x, &a, out);
}

sel_status sel_squeeze(sel_tensor *x, int dim, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("squeeze", "input", x));
  SEL_TRY(sel__dim("squeeze", x, dim, &dim));
  return drop_dims(x, dim < x->ndim && x->shape[dim] == 1 ? 1u << dim : 0, out);
}

sel_status sel_squeeze_all(sel_tensor *x, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("squeeze", "input", x));
  unsigned mask = 0;
  for (int d = 0; d < x->ndim; d++) mask |= (unsigned)(x->shape[d] == 1) << d;
  return drop_dims(x, mask, out);
}

sel_status sel_unsqueeze(sel_tensor *x, int dim, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("unsqueeze", "input", x));
  char text[SEL_TEXT];
  SEL_CHECK(x->ndim < SEL_MAX_DIMS, SEL_E_SHAPE, "unsqueeze: %s has the most dims there can be",
            sel_describe(x, text, sizeof text));
  SEL_CHECK(dim >= -x->ndim - 1 && dim <= x->ndim, SEL_E_ARGUMENT,
            "unsqueeze: dim %d is out of range for %s", dim, sel_describe(x, text, sizeof text));
  if (dim < 0) dim += x->ndim + 1;
  shape_attrs a = {.ndim = x->ndim + 1};
  for (int d = 0; d < a.ndim; d++)
    a.shape[d] = d < dim ? x->shape[d] : d == dim ? 1 : x->shape[d - 1];
  return sel__run1(&sel__op_view, 1, &x, &a, out);
}

/* ---- permute ---- */

typedef struct permute_attrs {
  int dims[SEL_MAX_DIMS];
} permute_attrs;

static sel_status permute_view(const sel_call *call, sel_tensor *out) {
  const permute_attrs *a = call->attrs;
  const sel_tensor *x = call->in[0];
  for (int d = 0; d < x->ndim; d++) {
    out->shape[d] = x->shape[a->dims[d]];
    out->stride[d] = x->stride[a->dims[d]];
  }
  return SEL_OK;
}
static sel_status permute_backward(sel_vjp *v) {
  const permute_attrs *a = v->attrs;
  int inverse[SEL_MAX_DIMS];
  for (int d = 0; d < v->in_spec[0].ndim; d++) inverse[a->dims[d]] = d;
  if (!v->needs[0]) return SEL_OK;
  return sel_permute(v->g[0], v->in_spec[0].ndim, inverse, &v->grad[0]);
}
const sel_op sel__op_permute = {.name = "permute",
                                .n_out = 1,
                                .attrs_size = sizeof(permute_attrs),
                                .view = permute_view,
                                .backward = permute_backward};

sel_status sel_permute(sel_tensor *x, int ndims, const int *dims, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("permute", "input", x));
  char text[SEL_TEXT];
  SEL_CHECK(ndims == x->ndim, SEL_E_ARGUMENT, "permute: expected %d dims for %s, got %d", x->ndim,
            sel_describe(x, text, sizeof text), ndims);
  permute_attrs a;
  unsigned seen = 0;
  for (int i = 0; i < ndims; i++) {
    SEL_TRY(sel__dim("permute", x, dims[i], &a.dims[i]));
    SEL_CHECK(!(seen >> a.dims[i] & 1), SEL_E_ARGUMENT, "permute: a dim is given twice");
    seen |= 1u << a.dims[i];
  }
  return sel__run1(&sel__op_permute, 1, &x, &a, out);
}

sel_status sel_transpose(sel_tensor *x, int dim0, int dim1, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("transpose", "input", x));
  SEL_TRY(sel__dim("transpose", x, dim0, &dim0));
  SEL_TRY(sel__dim("transpose", x, dim1, &dim1));
  permute_attrs a;
  for (int d = 0; d < SEL_MAX_DIMS; d++) a.dims[d] = d == dim0 ? dim1 : d == dim1 ? dim0 : d;
  return sel__run1(&sel__op_permute, 1, &x, &a, out);
}

/* ---- expand ---- */

static sel_status expand_view(const sel_call *call, sel_tensor *out) {
  const shape_attrs *a = call->attrs;
  const sel_tensor *x = call->in[0];
  int lead = a->ndim - x->ndim;
  out->ndim = (uint8_t)a->ndim;
  for (int d = 0; d < a->ndim; d++) {
    out->shape[d] = a->shape[d];
    out->stride[d] = d < lead || x->shape[d - lead] != a->shape[d] ? 0 : x->stride[d - lead];
  }
  return SEL_OK;
}
static sel_status expand_backward(sel_vjp *v) { /* the walker sums a broadcast down */
  if (v->needs[0]) v->grad[0] = sel_retain(v->g[0]);
  return SEL_OK;
}
const sel_op sel__op_expand = {.name = "expand",
                               .n_out = 1,
                               .attrs_size = sizeof(shape_attrs),
                               .view = expand_view,
                               .backward = expand_backward};

sel_status sel_expand(sel_tensor *x, int ndim, const int64_t *shape, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("expand", "input", x));
  char text[SEL_TEXT], want[SEL_TEXT];
  int lead = ndim - x->ndim;
  SEL_CHECK(ndim <= SEL_MAX_DIMS && lead >= 0, SEL_E_SHAPE, "expand: %s does not expand to %s",
            sel_describe(x, text, sizeof text), sel__shape_text(ndim, shape, want, sizeof want));
  shape_attrs a = {.ndim = ndim};
  for (int d = 0; d < ndim; d++) {
    int64_t own = d < lead ? 1 : x->shape[d - lead];
    a.shape[d] = shape[d] == -1 && d >= lead ? own : shape[d];
    SEL_CHECK(a.shape[d] >= 0 && (own == 1 || own == a.shape[d]), SEL_E_SHAPE,
              "expand: %s does not expand to %s", sel_describe(x, text, sizeof text),
              sel__shape_text(ndim, shape, want, sizeof want));
  }
  SEL_TRY(sel__check_shape("expand", ndim, a.shape));
  return sel__run1(&sel__op_expand, 1, &x, &a, out);
}

/* ---- slice ---- narrow, select and split are slices. */

typedef struct slice_attrs {
  int dim;
  int64_t start, length, step;
} slice_attrs;

static sel_status slice_view(const sel_call *call, sel_tensor *out) {
  const slice_attrs *a = call->attrs;
  out->offset += a->start * out->stride[a->dim];
  out->shape[a->dim] = a->length;
  out->stride[a->dim] *= a->step;
  return SEL_OK;
}
/* Zeros of the input's shape with the gradient written (slice_grad) where the slice was. */
static sel_status slice_backward(sel_vjp *v);

/* The part of `whole` that a slice sees; for launches. */
static sel_status part_of(const slice_attrs *a, sel_tensor *whole, sel_tensor **out) {
  const sel_call call = {.attrs = a};
  SEL_TRY(sel__tensor_alias(whole, out));
  slice_view(&call, *out); /* never fails */
  sel__tensor_settle(*out);
  return SEL_OK;
}

static sel_status slice_add_gradient(const void *attrs, sel_tensor *total, sel_tensor *g) {
  sel_tensor *part;
  SEL_TRY(part_of(attrs, total, &part));
  sel_status status = sel_add_(part, g);
  sel_release(part);
  return status;
}

const sel_op sel__op_slice = {.name = "slice",
                              .n_out = 1,
                              .attrs_size = sizeof(slice_attrs),
                              .view = slice_view,
                              .backward = slice_backward,
                              .add_gradient = slice_add_gradient};

typedef struct slice_grad_attrs {
  slice_attrs slice;
  shape_attrs whole;
} slice_grad_attrs;

static sel_status slice_grad_infer(const sel_call *call, sel_spec *out) {
  const slice_grad_attrs *a = call->attrs;
  out->dtype = (sel_dtype)call->in[0]->dtype;
  out->ndim = a->whole.ndim;
  memcpy(out->shape, a->whole.shape, (size_t)out->ndim * sizeof *out->shape);
  return SEL_OK;
}
static sel_status slice_grad_launch(sel_call *call) {
  const slice_grad_attrs *a = call->attrs;
  sel_tensor *zero, *part;
  SEL_TRY(sel_scalar(0, &zero));
  sel_status status = sel__copy(call->out[0], zero);
  sel_release(zero);
  if (status != SEL_OK) return status;
  SEL_TRY(part_of(&a->slice, call->out[0], &part));
  status = sel__copy(part, call->in[0]);
  sel_release(part);
  return status;
}
static sel_status slice_grad_backward(sel_vjp *v) {
  const slice_grad_attrs *a = v->attrs;
  if (!v->needs[0]) return SEL_OK;
  sel_tensor *g = v->g[0];
  return sel__run1(&sel__op_slice, 1, &g, &a->slice, &v->grad[0]);
}
const sel_op sel__op_slice_grad = {.name = "slice_grad",
                                   .n_out = 1,
                                   .attrs_size = sizeof(slice_grad_attrs),
                                   .infer = slice_grad_infer,
                                   .launch = slice_grad_launch,
                                   .backward = slice_grad_backward};

static sel_status slice_backward(sel_vjp *v) {
  if (!v->needs[0]) return SEL_OK;
  slice_grad_attrs a = {.slice = *(const slice_attrs *)v->attrs};
  a.whole.ndim = v->in_spec[0].ndim;
  memcpy(a.whole.shape, v->in_spec[0].shape, sizeof a.whole.shape);
  sel_tensor *g = v->g[0];
  return sel__run1(&sel__op_slice_grad, 1, &g, &a, &v->grad[0]);
}

static sel_status check_sliced(const char *what, const sel_tensor *x, int dim, int *out) {
  SEL_TRY(sel__expect_tensor(what, "input", x));
  SEL_CHECK(x->ndim > 0, SEL_E_SHAPE, "%s: a tensor without dims has no part", what);
  return sel__dim(what, x, dim, out);
}

sel_status sel_narrow(sel_tensor *x, int dim, int64_t start, int64_t length, sel_tensor **out) {
  SEL_TRY(check_sliced("narrow", x, dim, &dim));
  char text[SEL_TEXT];
  int64_t first = start < 0 ? start + x->shape[dim] : start;
  SEL_CHECK(first >= 0 && length >= 0 && first <= x->shape[dim] - length, SEL_E_ARGUMENT,
            "narrow: %lld elements from position %lld on reach outside extent %lld of %s",
            (long long)length, (long long)start, (long long)x->shape[dim],
            sel_describe(x, text, sizeof text));
  slice_attrs a = {.dim = dim, .start = first, .length = length, .step = 1};
  return sel__run1(&sel__op_slice, 1, &x, &a, out);
}

sel_status sel_slice(sel_tensor *x, int dim, int64_t start, int64_t end, int64_t step,
                     sel_tensor **out) {
  SEL_TRY(check_sliced("slice", x, dim, &dim));
  SEL_CHECK(step > 0, SEL_E_ARGUMENT, "slice: expected a step above 0, got %lld", (long long)step);
  int64_t extent = x->shape[dim];
  if (start < 0) start += extent;
  if (end < 0) end += extent;
  start = start < 0 ? 0 : start > extent ? extent : start;
  end = end < start ? start : end > extent ? extent : end;
  int64_t span = end - start;
  slice_attrs a = {
      .dim = dim, .start = start, .length = span / step + (span % step != 0), .step = step};
  return sel__run1(&sel__op_slice, 1, &x, &a, out);
}

sel_status sel_select(sel_tensor *x, int dim, int64_t index, sel_tensor **out) {
  SEL_TRY(check_sliced("select", x, dim, &dim));
  char text[SEL_TEXT];
  int64_t at = index < 0 ? index + x->shape[dim] : index;
  SEL_CHECK(at >= 0 && at < x->shape[dim], SEL_E_ARGUMENT,
            "select: position %lld is out of range for extent %lld of %s", (long long)index,
            (long long)x->shape[dim], sel_describe(x, text, sizeof text));
  slice_attrs a = {.dim = dim, .start = at, .length = 1, .step = 1};
  sel_tensor *row;
  SEL_TRY(sel__run1(&sel__op_slice, 1, &x, &a, &row));
  sel_status status = drop_dims(row, 1u << dim, out);
  sel_release(row);
  return status;
}

sel_status sel_split(sel_tensor *x, int n, const int64_t *lengths, int dim, sel_tensor **outs) {
  SEL_TRY(check_sliced("split", x, dim, &dim));
  char text[SEL_TEXT], shape[SEL_TEXT];
  int64_t total = 0;
  bool fits = true;
  for (int i = 0; i < n; i++)
    fits &= lengths[i] >= 0 && !__builtin_add_overflow(total, lengths[i], &total);
  SEL_CHECK(fits && total == x->shape[dim], SEL_E_SHAPE,
            "split: expected lengths that add up to %lld, the extent of dim %d of %s, got %s",
            (long long)x->shape[dim], dim, sel_describe(x, text, sizeof text),
            sel__shape_text(n < SEL_MAX_DIMS ? n : SEL_MAX_DIMS, lengths, shape, sizeof shape));
  sel_tensor **parts = sel__zalloc((size_t)n * sizeof *parts);
  sel_status status = parts ? SEL_OK : SEL_E_MEMORY;
  int64_t start = 0;
  for (int i = 0; i < n && status == SEL_OK; i++) {
    status = sel_narrow(x, dim, start, lengths[i], &parts[i]);
    start += lengths[i];
  }
  for (int i = 0; i < n && parts; i++) {
    if (status == SEL_OK)
      outs[i] = parts[i];
    else
      sel_release(parts[i]);
  }
  sel__free(parts);
  return status;
}
