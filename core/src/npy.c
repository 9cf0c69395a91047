/* NumPy's .npy files, format 1.0 to 3.0:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 *   "\x93NUMPY", major, minor, header length (2 bytes in 1.0, else 4)
 *   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   a Python literal, ends with \n
 *   the elements
 */
#include "npy.h"

#include <inttypes.h>
#include <string.h>

#include "atomic_file.h"
#include "file_error.h"
#include "host_bytes.h"
#include "input_file.h"
#include "npy_header.h"
#include "selenite/file.h"
#include "tensor_impl.h"

/* Longer than any header of 8 dims; what is longer describes a structured dtype or is no header. */
enum { HEADER_MAX = 65536 };

/* ---- reading ---- */

static sel_status read_header(const sel__npy_source *source, sel__npy_header *out,
                              uint64_t *data_start) {
  uint8_t head[12];
  SEL_CHECK(source->size >= 10, SEL_E_FILE,
            "expected at least 10 bytes of .npy header, found %" PRIu64, source->size);
  SEL_TRY(source->read(source->context, head, 10));
  SEL_CHECK(memcmp(head, "\x93NUMPY", 6) == 0, SEL_E_FILE,
            "expected the bytes \\x93NUMPY at the start; is this .npy?");
  SEL_CHECK(head[6] >= 1 && head[6] <= 3, SEL_E_FILE,
            "expected .npy format 1.0, 2.0 or 3.0, found %d.%d", head[6], head[7]);
  uint64_t start = head[6] == 1 ? 10 : 12;
  SEL_CHECK(source->size >= start, SEL_E_FILE, "truncated: expected 12 bytes, found %" PRIu64,
            source->size);
  if (start == 12) SEL_TRY(source->read(source->context, head + 10, 2));
  uint32_t length = head[8] | (uint32_t)head[9] << 8;
  if (start == 12) length |= (uint32_t)head[10] << 16 | (uint32_t)head[11] << 24;
  SEL_CHECK(length <= HEADER_MAX, SEL_E_FILE, "expected a header of at most %d bytes, found %u",
            HEADER_MAX, length);
  SEL_CHECK(length <= source->size - start, SEL_E_FILE,
            "truncated: expected a header of %u bytes, found %" PRIu64, length,
            source->size - start);

  char *text = sel__alloc(length);
  if (!text) return SEL_E_MEMORY;
  sel_status status = source->read(source->context, text, length);
  if (status == SEL_OK) status = sel__npy_header_parse(text, length, out);
  sel__free(text);
  *data_start = start + length;
  return status;
}

/* Elements whose first dim runs fastest into C order. */
static void from_fortran_order(const sel__npy_header *h, const char *from, char *to) {
  size_t item = sel_dtype_size(h->dtype);
  int last = h->ndim - 1;
  int64_t stride[SEL_MAX_DIMS], position[SEL_MAX_DIMS] = {0}, rows = 1, offset = 0;
  for (int d = 0; d < h->ndim; d++) stride[d] = d ? stride[d - 1] * h->shape[d - 1] : 1;
  for (int d = 0; d < last; d++) rows *= h->shape[d];
  for (int64_t row = 0; row < rows; row++) {
    for (int64_t i = 0; i < h->shape[last]; i++, to += item)
      memcpy(to, from + (size_t)(offset + i * stride[last]) * item, item);
    for (int d = last - 1; d >= 0; d--) {
      offset += stride[d];
      if (++position[d] < h->shape[d]) break;
      offset -= stride[d] * h->shape[d];
      position[d] = 0;
    }
  }
}

static sel_status read_elements(const sel__npy_source *source, const sel__npy_header *h, void *data,
                                size_t size) {
  if (!h->fortran_order || h->ndim < 2) return source->read(source->context, data, size);
  char *raw = sel__alloc(size);
  if (!raw) return SEL_E_MEMORY;
  sel_status status = source->read(source->context, raw, size);
  if (status == SEL_OK && size > 0) from_fortran_order(h, raw, data);
  sel__free(raw);
  return status;
}

sel_status sel__npy_parse(const sel__npy_source *source, sel_tensor **out) {
  sel__npy_header h;
  uint64_t data_start = 0, size;
  SEL_TRY(read_header(source, &h, &data_start));
  char shape[SEL_TEXT];
  sel__shape_text(h.ndim, h.shape, shape, sizeof shape);
  SEL_CHECK(sel__shape_bytes(h.ndim, h.shape, h.dtype, &size), SEL_E_FILE,
            "shape %s has more elements than can be counted", shape);
  uint64_t found = source->size - data_start;
  SEL_CHECK(found == size, SEL_E_FILE, "%s: expected %" PRIu64 " bytes for %s%s, found %" PRIu64,
            found < size ? "truncated" : "more than one array", size, sel_dtype_name(h.dtype),
            shape, found);

  sel_tensor *t;
  void *data;
  SEL_TRY(sel__host_tensor(h.ndim, h.shape, h.dtype, &t, &data));
  sel_status status = read_elements(source, &h, data, size);
  if (status != SEL_OK) {
    sel_release(t);
    return status;
  }
  if (h.dtype == SEL_BOOL) sel__clean_bools(data, size);
  *out = t;
  return SEL_OK;
}

typedef struct file_position {
  sel__input in;
  uint64_t at;
} file_position;

static sel_status read_file(void *context, void *destination, size_t size) {
  file_position *file = context;
  SEL_TRY(sel__input_read(&file->in, file->at, destination, size));
  file->at += size;
  return SEL_OK;
}

sel_status sel_npy_read(const char *path, sel_tensor **out) {
  SEL_CHECK_PATH("npy_read", path);
  file_position file = {.at = 0};
  sel_status status = sel__input_open(path, &file.in);
  if (status == SEL_OK) {
    sel__npy_source source = {file.in.size, read_file, &file};
    status = sel__npy_parse(&source, out);
    sel__input_close(&file.in);
  }
  return sel__name_file(status, "npy_read", path);
}

/* ---- writing ---- */

sel_status sel__npy_prologue(const sel_tensor *t, char bytes[SEL__NPY_PROLOGUE_MAX], size_t *size) {
  enum { START = 10, ALIGNMENT = 64 };
  char *text = bytes + START;
  int used;
  SEL_TRY(sel__npy_header_print(t, text, SEL__NPY_PROLOGUE_MAX - START, &used));
  int total = (START + used + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  memset(text + used, ' ', (size_t)(total - START - used));
  bytes[total - 1] = '\n';
  memcpy(bytes, "\x93NUMPY\x01\x00", 8);
  bytes[8] = (char)((total - START) & 255);
  bytes[9] = (char)((total - START) >> 8);
  *size = (size_t)total;
  return SEL_OK;
}

static sel_status write_array(const char *path, const sel_tensor *tensor) {
  char prologue[SEL__NPY_PROLOGUE_MAX];
  size_t prologue_size;
  sel__host_bytes bytes;
  sel__atomic_file file = {.fd = -1};
  SEL_TRY(sel__npy_prologue(tensor, prologue, &prologue_size));
  SEL_TRY(sel__host_bytes_get(tensor, &bytes));
  sel_status status = sel__atomic_begin(path, &file);
  if (status == SEL_OK) status = sel__atomic_write(&file, prologue, prologue_size);
  if (status == SEL_OK) status = sel__atomic_write(&file, bytes.data, bytes.size);
  if (status == SEL_OK) status = sel__atomic_commit(&file);
  sel__atomic_abort(&file);
  sel__host_bytes_release(&bytes);
  return status;
}

sel_status sel_npy_write(const char *path, sel_tensor *tensor) {
  SEL_CHECK_PATH("npy_write", path);
  SEL_CHECK(tensor, SEL_E_ARGUMENT, "npy_write: expected a tensor, got NULL");
  return sel__name_file(write_array(path, tensor), "npy_write", path);
}
