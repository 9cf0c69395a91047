/* Tensors: making, references, asking. What is done with them is in the operations' files. */
#include <stdio.h>
#include <string.h>

#include "tape.h"
#include "tensor_impl.h"

/* ---- text ---- */

const char *sel__shape_text(int ndim, const int64_t *shape, char *buffer, size_t size) {
  size_t used = (size_t)snprintf(buffer, size, "[");
  for (int d = 0; d < ndim && used < size; d++)
    used +=
        (size_t)snprintf(buffer + used, size - used, d ? ", %lld" : "%lld", (long long)shape[d]);
  if (used < size) snprintf(buffer + used, size - used, "]");
  return buffer;
}

const char *sel_describe(const sel_tensor *t, char *buffer, size_t size) {
  if (!t) {
    snprintf(buffer, size, "NULL");
  } else if (t->freed) {
    snprintf(buffer, size, "a freed tensor");
  } else if (sel__is_scalar(t)) {
    snprintf(buffer, size, "the number %g", t->value);
  } else {
    char shape[SEL_TEXT];
    snprintf(buffer, size, "%s%s", sel_dtype_name((sel_dtype)t->dtype),
             sel__shape_text(t->ndim, t->shape, shape, sizeof shape));
  }
  return buffer;
}

/* ---- shapes ---- */

sel_status sel__check_shape(const char *what, int ndim, const int64_t *shape) {
  SEL_CHECK(ndim >= 0 && ndim <= SEL_MAX_DIMS, SEL_E_SHAPE,
            "%s: expected 0 to %d dimensions, got %d", what, SEL_MAX_DIMS, ndim);
  int64_t product = 1;
  char text[SEL_TEXT];
  for (int d = 0; d < ndim; d++) {
    SEL_CHECK(shape[d] >= 0, SEL_E_SHAPE, "%s: shape %s has a negative extent", what,
              sel__shape_text(ndim, shape, text, sizeof text));
    /* extents of 0 don't excuse a product of the others that can't be addressed */
    SEL_CHECK(!__builtin_mul_overflow(product, shape[d] ? shape[d] : 1, &product) &&
                  product <= INT64_MAX / 16,
              SEL_E_SHAPE, "%s: shape %s has more elements than can be addressed", what,
              sel__shape_text(ndim, shape, text, sizeof text));
  }
  return SEL_OK;
}

sel_status sel__dim(const char *what, const sel_tensor *t, int dim, int *out) {
  int n = t->ndim ? t->ndim : 1; /* a 0-dim tensor accepts dim 0 and -1, as in PyTorch */
  char text[SEL_TEXT];
  SEL_CHECK(dim >= -n && dim < n, SEL_E_ARGUMENT,
            "%s: dim %d is out of range for %s (counted from 0; -1 is the last)", what, dim,
            sel_describe(t, text, sizeof text));
  *out = dim < 0 ? dim + n : dim;
  return SEL_OK;
}

void sel__tensor_settle(sel_tensor *t) {
  int64_t numel = 1;
  bool contiguous = true;
  for (int d = t->ndim - 1; d >= 0; d--) {
    if (t->shape[d] != 1 && t->stride[d] != numel) contiguous = false;
    numel *= t->shape[d];
  }
  t->numel = numel;
  t->contiguous = contiguous || numel == 0;
}

bool sel__same_shape(const sel_tensor *a, const sel_tensor *b) {
  if (a->ndim != b->ndim) return false;
  for (int d = 0; d < a->ndim; d++)
    if (a->shape[d] != b->shape[d]) return false;
  return true;
}

/* ---- overlap ---- */

bool sel__self_overlaps(const sel_tensor *t) {
  if (t->contiguous) return false;
  int order[SEL_MAX_DIMS], n = 0;
  for (int d = 0; d < t->ndim; d++) {
    if (t->shape[d] == 1) continue;
    int i = n++;
    for (; i > 0 && t->stride[order[i - 1]] > t->stride[d]; i--) order[i] = order[i - 1];
    order[i] = d;
  }
  int64_t reach = 0; /* largest position of the dims so far */
  for (int i = 0; i < n; i++) {
    if (t->stride[order[i]] <= reach) return true;
    reach += (t->shape[order[i]] - 1) * t->stride[order[i]];
  }
  return false;
}

static void extent_bytes(const sel_tensor *t, int64_t *first, int64_t *last) {
  int64_t size = (int64_t)sel_dtype_size((sel_dtype)t->dtype), reach = 0;
  for (int d = 0; d < t->ndim; d++) reach += (t->shape[d] - 1) * t->stride[d];
  *first = t->offset * size;
  *last = (t->offset + reach + 1) * size;
}

bool sel__may_overlap(const sel_tensor *a, const sel_tensor *b) {
  if (!a->storage || a->storage != b->storage || !a->numel || !b->numel) return false;
  int64_t a0, a1, b0, b1;
  extent_bytes(a, &a0, &a1);
  extent_bytes(b, &b0, &b1);
  return a0 < b1 && b0 < a1;
}

bool sel__same_layout(const sel_tensor *a, const sel_tensor *b) {
  if (a->storage != b->storage || a->offset != b->offset || a->dtype != b->dtype ||
      !sel__same_shape(a, b))
    return false;
  for (int d = 0; d < a->ndim; d++)
    if (a->shape[d] != 1 && a->stride[d] != b->stride[d]) return false;
  return true;
}

/* ---- making ---- */

sel_status sel__tensor_new(const sel_spec *spec, sel_device *device, sel_tensor **out) {
  if (!device) device = sel_default_device();
  SEL_CHECK(device, SEL_E_DEVICE, "no backend is loaded, so there is no memory for a tensor");
  int64_t numel = 1;
  for (int d = 0; d < spec->ndim; d++) numel *= spec->shape[d];
  sel_tensor *t = sel__alloc(sizeof *t);
  if (!t) return SEL_E_MEMORY;
  memset(t, 0, offsetof(sel_tensor, shape));
  sel_status status =
      sel__storage_new(device, (size_t)numel * sel_dtype_size(spec->dtype), &t->storage);
  if (status != SEL_OK) {
    char text[SEL_TEXT];
    if (status == SEL_E_MEMORY)
      sel_fail(status, "%s; %s%s was asked for", sel_error(), sel_dtype_name(spec->dtype),
               sel__shape_text(spec->ndim, spec->shape, text, sizeof text));
    sel__free(t);
    return status;
  }
  atomic_init(&t->refs, 1);
  t->dtype = (uint8_t)spec->dtype;
  t->ndim = (uint8_t)spec->ndim;
  t->contiguous = true;
  t->numel = numel;
  int64_t stride = 1;
  for (int d = spec->ndim - 1; d >= 0; d--) {
    t->shape[d] = spec->shape[d];
    t->stride[d] = stride;
    stride *= spec->shape[d] ? spec->shape[d] : 1;
  }
  *out = t;
  return SEL_OK;
}

sel_status sel__tensor_alias(const sel_tensor *t, sel_tensor **out) {
  sel_tensor *alias = sel__alloc(sizeof *alias);
  if (!alias) return SEL_E_MEMORY;
  memcpy(alias, t, offsetof(sel_tensor, node));
  memset((char *)alias + offsetof(sel_tensor, node), 0,
         offsetof(sel_tensor, shape) - offsetof(sel_tensor, node));
  memcpy(alias->shape, t->shape, (size_t)t->ndim * sizeof *t->shape);
  memcpy(alias->stride, t->stride, (size_t)t->ndim * sizeof *t->stride);
  atomic_init(&alias->refs, 1);
  alias->requires_grad = false;
  if (alias->storage) sel__storage_retain(alias->storage);
  *out = alias;
  return SEL_OK;
}

sel_status sel_scalar(double value, sel_tensor **out) {
  sel_tensor *t = sel__alloc(sizeof *t);
  if (!t) return SEL_E_MEMORY;
  memset(t, 0, offsetof(sel_tensor, shape));
  atomic_init(&t->refs, 1);
  t->dtype = SEL_F64;
  t->numel = 1;
  t->contiguous = true;
  t->value = value;
  *out = t;
  return SEL_OK;
}

sel_status sel_empty(int ndim, const int64_t *shape, sel_dtype dtype, sel_device *device,
                     sel_tensor **out) {
  SEL_TRY(sel__check_shape("empty", ndim, shape));
  SEL_CHECK((unsigned)dtype < SEL_DTYPE_COUNT, SEL_E_DTYPE, "empty: %d is no dtype", (int)dtype);
  sel_spec spec = {.dtype = dtype, .ndim = ndim};
  for (int d = 0; d < ndim; d++) spec.shape[d] = shape[d];
  return sel__tensor_new(&spec, device, out);
}

sel_status sel_empty_like(const sel_tensor *t, sel_tensor **out) {
  char text[SEL_TEXT];
  SEL_CHECK(t && t->storage, SEL_E_ARGUMENT, "empty_like: expected a tensor, got %s",
            sel_describe(t, text, sizeof text));
  sel_spec spec = sel__spec_of(t);
  return sel__tensor_new(&spec, sel__device(t), out);
}

/* ---- references ---- */

sel_tensor *sel_retain(sel_tensor *t) {
  if (t) atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
  return t;
}

void sel_release(sel_tensor *t) {
  if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1) return;
  if (t->node || t->grad || t->extra) sel__tape_forget(t);
  if (t->storage) sel__storage_release(t->storage);
  sel__free(t);
}

bool sel_tensor_free(sel_tensor *t) {
  if (!t || !t->storage || atomic_load_explicit(&t->refs, memory_order_acquire) != 1) return false;
  if (t->node || t->grad || t->extra) sel__tape_forget(t);
  sel__storage_release(t->storage);
  t->storage = NULL;
  t->freed = true;
  t->requires_grad = false;
  t->ndim = 0;
  t->numel = 0;
  return true;
}

/* ---- asking ---- */

int sel_ndim(const sel_tensor *t) { return t->ndim; }
int64_t sel_size(const sel_tensor *t, int dim) {
  if (dim < 0) dim += t->ndim;
  return dim >= 0 && dim < t->ndim ? t->shape[dim] : -1;
}
int64_t sel_stride(const sel_tensor *t, int dim) {
  if (dim < 0) dim += t->ndim;
  return dim >= 0 && dim < t->ndim ? t->stride[dim] : -1;
}
const int64_t *sel_shape(const sel_tensor *t) { return t->shape; }
const int64_t *sel_strides(const sel_tensor *t) { return t->stride; }
int64_t sel_offset(const sel_tensor *t) { return t->offset; }
int64_t sel_numel(const sel_tensor *t) { return t->numel; }
sel_dtype sel_tensor_dtype(const sel_tensor *t) { return (sel_dtype)t->dtype; }
sel_device *sel_tensor_device(const sel_tensor *t) { return t->storage ? sel__device(t) : NULL; }
bool sel_is_contiguous(const sel_tensor *t) { return t->contiguous; }
bool sel_shares_storage(const sel_tensor *a, const sel_tensor *b) {
  return a->storage && a->storage == b->storage;
}
int64_t sel_tensor_version(const sel_tensor *t) {
  return t->storage ? atomic_load_explicit(&t->storage->version, memory_order_relaxed) : 0;
}

void sel__written(sel_tensor *t, const char *writer) {
  t->storage->writer = writer;
  atomic_fetch_add_explicit(&t->storage->version, 1, memory_order_relaxed);
  if (t->node) t->node_version = sel_tensor_version(t);
}
