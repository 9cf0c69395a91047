/* Values between tensors and host memory. */
#include <math.h>
#include <string.h>

#include "op.h"
#include "profile.h"
#include "selenite/autograd.h"

void *sel_data(const sel_tensor *t) {
  if (!t || !t->storage || !sel__device(t)->k.host_memory) return NULL;
  return (char *)t->storage->buffer + (size_t)t->offset * sel_dtype_size((sel_dtype)t->dtype);
}

static sel_status check_bytes(const char *what, const sel_tensor *t, size_t bytes, size_t *out) {
  char text[SEL_TEXT];
  SEL_CHECK(t && t->storage, SEL_E_ARGUMENT, "%s: expected a tensor, got %s", what,
            sel_describe(t, text, sizeof text));
  size_t size = (size_t)t->numel * sel_dtype_size((sel_dtype)t->dtype);
  SEL_CHECK(bytes == size, SEL_E_ARGUMENT, "%s: %s has %zu bytes, %zu were given", what,
            sel_describe(t, text, sizeof text), size, bytes);
  *out = size;
  return SEL_OK;
}

static size_t first_byte(const sel_tensor *t) {
  return (size_t)t->offset * sel_dtype_size((sel_dtype)t->dtype);
}

/* The wait for what the device has yet to compute is a part of it. */
static sel_status read_bytes(const sel_tensor *t, size_t first, void *destination, size_t size) {
  sel_device *device = sel__device(t);
  const sel_span span = sel__span_open(SEL_PROFILE_OPERATION, "read");
  sel_status status = device->k.read(device->handle, destination, t->storage->buffer, first, size);
  if (span) sel__span_worked(device, (double)size);
  sel__span_close(span);
  return status;
}

sel_status sel_read(const sel_tensor *t, void *destination, size_t bytes) {
  size_t size = 0;
  SEL_TRY(check_bytes("read", t, bytes, &size));
  if (size == 0) return SEL_OK;
  sel_tensor *packed;
  SEL_TRY(sel__packed((sel_tensor *)(uintptr_t)t, &packed)); /* only its reference count changes */
  sel_status status = read_bytes(packed, first_byte(packed), destination, size);
  sel_release(packed);
  return status;
}

static sel_status check_host_write(const char *what, const sel_tensor *t) {
  SEL_CHECK(!(t->requires_grad || t->node) || !sel_grad_enabled(), SEL_E_AUTOGRAD,
            "%s: a tensor that requires a gradient can't be changed while gradients are recorded; "
            "do it under no_grad",
            what);
  char text[SEL_TEXT];
  SEL_CHECK(!sel__self_overlaps(t), SEL_E_ARGUMENT,
            "%s: elements of %s share memory (an expanded view); write to a clone", what,
            sel_describe(t, text, sizeof text));
  return SEL_OK;
}

static sel_status write_packed(sel_tensor *t, const void *source, size_t size) {
  sel_device *device = sel__device(t);
  const sel_span span = sel__span_open(SEL_PROFILE_OPERATION, "write");
  sel_status status =
      device->k.write(device->handle, t->storage->buffer, first_byte(t), source, size);
  if (span) sel__span_worked(device, (double)size);
  sel__span_close(span);
  return status;
}

sel_status sel_write(sel_tensor *t, const void *source, size_t bytes) {
  size_t size = 0;
  SEL_TRY(check_bytes("write", t, bytes, &size));
  SEL_TRY(check_host_write("write", t));
  if (size == 0) return SEL_OK;
  sel_status status;
  if (t->contiguous) {
    status = write_packed(t, source, size);
  } else {
    sel_tensor *packed;
    SEL_TRY(sel_empty_like(t, &packed));
    status = write_packed(packed, source, size);
    if (status == SEL_OK) status = sel__copy(t, packed);
    sel_release(packed);
  }
  if (status == SEL_OK) sel__written(t, "write");
  return status;
}

sel_status sel_mark_written(sel_tensor *t) {
  SEL_CHECK(t && t->storage, SEL_E_ARGUMENT, "mark_written: expected a tensor");
  sel__written(t, "write");
  return SEL_OK;
}

/* ---- single elements ---- */

static float float_of_half(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = (h >> 10) & 31, fraction = h & 1023;
  if (exponent == 0) { /* zero and subnormals: fraction * 2^-24 */
    float value = ldexpf((float)fraction, -24);
    return sign ? -value : value;
  }
  uint32_t bits = sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | fraction << 13;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static double to_double(sel_dtype dtype, const void *element) {
  switch (dtype) {
    case SEL_F32:
      return *(const float *)element;
    case SEL_F64:
      return *(const double *)element;
    case SEL_F16:
      return float_of_half(*(const uint16_t *)element);
    case SEL_BF16: {
      uint32_t bits = (uint32_t) * (const uint16_t *)element << 16;
      float value;
      memcpy(&value, &bits, sizeof value);
      return value;
    }
    case SEL_I64:
      return (double)*(const int64_t *)element;
    case SEL_I32:
      return *(const int32_t *)element;
    case SEL_U8:
    case SEL_BOOL:
      return *(const uint8_t *)element;
    default:
      return NAN;
  }
}

static sel_status element(const sel_tensor *t, int64_t offset, double *out) {
  size_t size = sel_dtype_size((sel_dtype)t->dtype);
  _Alignas(8) char bytes[8];
  SEL_TRY(read_bytes(t, (size_t)offset * size, bytes, size));
  *out = to_double((sel_dtype)t->dtype, bytes);
  return SEL_OK;
}

sel_status sel_item(const sel_tensor *t, double *out) {
  char text[SEL_TEXT];
  SEL_CHECK(t && t->numel == 1, SEL_E_SHAPE, "item: expected a tensor of one element, got %s",
            sel_describe(t, text, sizeof text));
  if (sel__is_scalar(t)) {
    *out = t->value;
    return SEL_OK;
  }
  return element(t, t->offset, out);
}

static sel_status locate(const char *what, const sel_tensor *t, int ndim, const int64_t *position,
                         int64_t *out) {
  char text[SEL_TEXT];
  SEL_CHECK(t && t->storage && ndim == t->ndim, SEL_E_ARGUMENT,
            "%s: expected %d positions for %s, got %d", what, t ? t->ndim : 0,
            sel_describe(t, text, sizeof text), ndim);
  int64_t offset = t->offset;
  for (int d = 0; d < ndim; d++) {
    int64_t at = position[d] < 0 ? position[d] + t->shape[d] : position[d];
    SEL_CHECK(at >= 0 && at < t->shape[d], SEL_E_ARGUMENT,
              "%s: position %lld is out of range for %s", what, (long long)position[d],
              sel_describe(t, text, sizeof text));
    offset += at * t->stride[d];
  }
  *out = offset;
  return SEL_OK;
}

sel_status sel_get(const sel_tensor *t, int ndim, const int64_t *position, double *out) {
  int64_t offset;
  SEL_TRY(locate("get", t, ndim, position, &offset));
  return element(t, offset, out);
}

sel_status sel_set(sel_tensor *t, int ndim, const int64_t *position, double value) {
  int64_t offset;
  SEL_TRY(locate("set", t, ndim, position, &offset));
  SEL_TRY(check_host_write("set", t));
  sel_tensor *number, *one;
  SEL_TRY(sel_scalar(value, &number));
  sel_status status = sel__tensor_alias(t, &one);
  if (status == SEL_OK) {
    one->ndim = 0;
    one->offset = offset;
    sel__tensor_settle(one);
    status = sel__copy(one, number);
    sel_release(one);
  }
  sel_release(number);
  if (status == SEL_OK) sel__written(t, "set");
  return status;
}
