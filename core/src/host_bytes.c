/* See host_bytes.h. */
#include "host_bytes.h"

#include "tensor_impl.h"

sel_status sel__host_bytes_get(const sel_tensor *t, sel__host_bytes *out) {
  char text[SEL_TEXT];
  SEL_CHECK(sel_tensor_device(t), SEL_E_ARGUMENT, "expected a tensor with elements, got %s",
            sel_describe(t, text, sizeof text));
  size_t size = (size_t)sel_numel(t) * sel_dtype_size(sel_tensor_dtype(t));
  const void *data = sel_is_contiguous(t) ? sel_data(t) : NULL;
  if (data || size == 0) {
    *out = (sel__host_bytes){.data = data, .size = size};
    return SEL_OK;
  }
  void *copy = sel__alloc(size);
  if (!copy) return SEL_E_MEMORY;
  sel_status status = sel_read(t, copy, size);
  if (status != SEL_OK) {
    sel__free(copy);
    return status;
  }
  *out = (sel__host_bytes){.data = copy, .size = size, .copy = copy};
  return SEL_OK;
}

void sel__host_bytes_release(sel__host_bytes *bytes) {
  sel__free(bytes->copy);
  *bytes = (sel__host_bytes){0};
}

bool sel__shape_bytes(int ndim, const int64_t *shape, sel_dtype dtype, uint64_t *bytes) {
  int64_t product = (int64_t)sel_dtype_size(dtype);
  bool empty = false;
  for (int d = 0; d < ndim; d++) {
    if (shape[d] < 0) return false;
    empty |= shape[d] == 0;
    if (__builtin_mul_overflow(product, shape[d] ? shape[d] : 1, &product)) return false;
  }
  *bytes = empty ? 0 : (uint64_t)product;
  return true;
}

sel_status sel__host_tensor(int ndim, const int64_t *shape, sel_dtype dtype, sel_tensor **out,
                            void **data) {
  sel_device *cpu;
  sel_tensor *t;
  SEL_TRY(sel_device_find("cpu", &cpu));
  SEL_TRY(sel_empty(ndim, shape, dtype, cpu, &t));
  void *memory = sel_data(t);
  if (!memory && sel_numel(t) > 0) {
    sel_release(t);
    return sel_fail(SEL_E_DEVICE, "the cpu backend's memory is not the host's");
  }
  *out = t;
  *data = memory;
  return SEL_OK;
}

void sel__clean_bools(uint8_t *data, size_t size) {
  for (size_t i = 0; i < size; i++) data[i] = data[i] != 0;
}
