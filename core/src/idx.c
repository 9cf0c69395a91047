/* IDX files of MNIST and its kin: http://yann.lecun.com/exdb/mnist (bottom of the page).
 *
 *   0, 0, element type, number of dims; extents (u32); elements; all big endian
 *
 * zlib reads plain and gzipped files alike.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "file_error.h"
#include "host_bytes.h"
#include "input_file.h"
#include "selenite/file.h"
#include "tensor_impl.h"

static uint16_t load16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static uint32_t load32(const uint8_t *p) { return (uint32_t)load16(p) << 16 | load16(p + 2); }
static uint64_t load64(const uint8_t *p) { return (uint64_t)load32(p) << 32 | load32(p + 4); }

/* n elements from the file's bytes to the tensor's. */
static void from_u8(const uint8_t *from, void *to, size_t n) { memcpy(to, from, n); }
static void from_i8(const uint8_t *from, void *to, size_t n) {
  for (size_t i = 0; i < n; i++) ((int32_t *)to)[i] = (int8_t)from[i];
}
static void from_i16(const uint8_t *from, void *to, size_t n) {
  for (size_t i = 0; i < n; i++) ((int32_t *)to)[i] = (int16_t)load16(from + 2 * i);
}
static void from_32(const uint8_t *from, void *to, size_t n) {
  for (size_t i = 0; i < n; i++) ((uint32_t *)to)[i] = load32(from + 4 * i);
}
static void from_64(const uint8_t *from, void *to, size_t n) {
  for (size_t i = 0; i < n; i++) ((uint64_t *)to)[i] = load64(from + 8 * i);
}

typedef struct element_type {
  uint8_t code;
  uint8_t size; /* in the file */
  sel_dtype dtype;
  void (*convert)(const uint8_t *from, void *to, size_t n);
} element_type;

static const element_type types[] = {
    {0x08, 1, SEL_U8, from_u8},  {0x09, 1, SEL_I32, from_i8}, {0x0b, 2, SEL_I32, from_i16},
    {0x0c, 4, SEL_I32, from_32}, {0x0d, 4, SEL_F32, from_32}, {0x0e, 8, SEL_F64, from_64},
};

static const element_type *find_type(uint8_t code) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i].code == code) return &types[i];
  return NULL;
}

/* Up to `size` bytes; fewer only at the end. */
static sel_status read_some(gzFile file, void *destination, size_t size, size_t *got) {
  size_t done = 0;
  while (done < size) {
    unsigned piece = size - done < 1 << 30 ? (unsigned)(size - done) : 1u << 30;
    int n = gzread(file, (char *)destination + done, piece);
    if (n == 0) break;
    if (n < 0) {
      int code;
      const char *text = gzerror(file, &code);
      return sel_fail(SEL_E_FILE, "cannot read: %s", code == Z_ERRNO ? strerror(errno) : text);
    }
    done += (size_t)n;
  }
  int code;
  const char *text = gzerror(file, &code);
  SEL_CHECK(done == size || code == Z_OK || code == Z_STREAM_END, SEL_E_FILE,
            "truncated: %s after %" PRId64 " uncompressed bytes", text, (int64_t)gztell(file));
  *got = done;
  return SEL_OK;
}

typedef struct header {
  const element_type *type;
  int ndim;
  int64_t shape[SEL_MAX_DIMS];
} header;

static sel_status read_header(gzFile file, header *out) {
  header h = {.type = NULL};
  uint8_t magic[4], extents[4 * SEL_MAX_DIMS];
  size_t got;
  SEL_TRY(read_some(file, magic, sizeof magic, &got));
  SEL_CHECK(got == sizeof magic, SEL_E_FILE, "expected 4 bytes of magic, found a file of %zu", got);
  SEL_CHECK(magic[0] == 0 && magic[1] == 0, SEL_E_FILE,
            "expected a file that begins with two zero bytes, found 0x%02x 0x%02x; is this IDX?",
            magic[0], magic[1]);
  h.type = find_type(magic[2]);
  SEL_CHECK(h.type, SEL_E_FILE,
            "expected element type 0x08, 0x09, 0x0b, 0x0c, 0x0d or 0x0e, found 0x%02x", magic[2]);
  h.ndim = magic[3];
  SEL_CHECK(h.ndim <= SEL_MAX_DIMS, SEL_E_FILE, "expected at most %d dims, found %d", SEL_MAX_DIMS,
            h.ndim);
  size_t size = 4 * (size_t)h.ndim;
  SEL_TRY(read_some(file, extents, size, &got));
  SEL_CHECK(got == size, SEL_E_FILE, "truncated: expected %zu bytes of extents, found %zu", size,
            got);
  for (int d = 0; d < h.ndim; d++) h.shape[d] = load32(extents + 4 * d);
  *out = h;
  return SEL_OK;
}

/* All n elements, a piece at a time, and then the end of the file. */
static sel_status read_elements(gzFile file, const header *h, uint64_t n, void *data) {
  enum { PIECE = 1 << 15 };
  uint8_t piece[PIECE];
  size_t out_size = sel_dtype_size(h->type->dtype), got;
  for (uint64_t done = 0; done < n;) {
    uint64_t left = n - done, most = PIECE / h->type->size;
    size_t count = (size_t)(left < most ? left : most), size = count * h->type->size;
    SEL_TRY(read_some(file, piece, size, &got));
    SEL_CHECK(got == size, SEL_E_FILE,
              "truncated: expected %" PRIu64 " bytes of elements, found %" PRIu64,
              n * h->type->size, done * h->type->size + got);
    h->type->convert(piece, (char *)data + done * out_size, count);
    done += count;
  }
  SEL_TRY(read_some(file, piece, 1, &got));
  SEL_CHECK(got == 0, SEL_E_FILE,
            "expected the end after %" PRIu64 " bytes of elements, found more", n * h->type->size);
  return SEL_OK;
}

static sel_status read_tensor(gzFile file, uint64_t file_size, sel_tensor **out) {
  header h;
  uint64_t bytes;
  char shape[SEL_TEXT];
  SEL_TRY(read_header(file, &h));
  sel__shape_text(h.ndim, h.shape, shape, sizeof shape);
  SEL_CHECK(sel__shape_bytes(h.ndim, h.shape, h.type->dtype, &bytes), SEL_E_FILE,
            "shape %s has more elements than can be counted", shape);
  uint64_t n = bytes / sel_dtype_size(h.type->dtype), needed = n * h.type->size;
  bool gzipped = !gzdirect(file);
  SEL_CHECK(gzipped ? sel__can_inflate(file_size, needed) : needed <= file_size, SEL_E_FILE,
            "truncated: expected %" PRIu64
            " bytes of elements for shape %s, found a %sfile of %" PRIu64 " bytes",
            needed, shape, gzipped ? "gzipped " : "", file_size);
  sel_tensor *t;
  void *data;
  SEL_TRY(sel__host_tensor(h.ndim, h.shape, h.type->dtype, &t, &data));
  sel_status status = read_elements(file, &h, n, data);
  if (status == SEL_OK)
    *out = t;
  else
    sel_release(t);
  return status;
}

static sel_status read_file(const char *path, sel_tensor **out) {
  sel__input in;
  SEL_TRY(sel__input_open(path, &in));
  gzFile file = gzdopen(in.fd, "rb");
  if (!file) {
    sel__input_close(&in);
    return sel_fail(SEL_E_MEMORY, "out of host memory for zlib");
  }
  gzbuffer(file, 1 << 16);
  sel_status status = read_tensor(file, in.size, out);
  gzclose(file);
  return status;
}

sel_status sel_idx_read(const char *path, sel_tensor **out) {
  SEL_CHECK_PATH("idx_read", path);
  return sel__name_file(read_file(path, out), "idx_read", path);
}
