/* PNG images as u8 tensors, through libpng. Samples are the file's numbers: palettes, 1, 2, 4 and
 * 16 bits become 8, colour profiles and gamma are left alone.
 *
 * libpng reports errors by a jump. It lands in the function that set it, which keeps everything it
 * must free in a struct of its caller: no state lives in a local variable across the jump.
 */
#include <inttypes.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "atomic_file.h"
#include "file_error.h"
#include "host_bytes.h"
#include "input_file.h"
#include "selenite/file.h"

static void keep_message(png_structp png, png_const_charp message) {
  char *text = png_get_error_ptr(png);
  snprintf(text, 200, "%s", message);
  png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp message) { (void)png, (void)message; }

/* ---- reading ---- */

typedef struct reader {
  char message[200];
  FILE *file;
  uint64_t file_size;
  png_structp png;
  png_infop info;
  sel_tensor *tensor;
} reader;

static void read_bytes(png_structp png, png_bytep data, size_t size) {
  if (fread(data, 1, size, png_get_io_ptr(png)) != size)
    png_error(png, "truncated: the file ends inside a chunk");
}

/* Asks libpng for 8 bits a sample and 1 to 4 samples a pixel. */
static void set_conversions(reader *r) {
  png_set_expand(r->png);   /* palettes, 1, 2 and 4 bits; transparency becomes alpha */
  png_set_scale_16(r->png); /* rounds, as v / 257 */
  png_read_update_info(r->png, r->info);
}

static sel_status read_image(reader *r) {
  if (setjmp(png_jmpbuf(r->png))) return sel_fail(SEL_E_FILE, "%s", r->message);
  png_set_read_fn(r->png, r->file, read_bytes);
  png_read_info(r->png, r->info);
  int64_t height = png_get_image_height(r->png, r->info);
  int64_t width = png_get_image_width(r->png, r->info);
  uint64_t packed = (uint64_t)height * png_get_rowbytes(r->png, r->info);
  SEL_CHECK(sel__can_inflate(r->file_size, packed), SEL_E_FILE,
            "truncated: %" PRId64 " x %" PRId64 " pixels cannot be held by a file of %" PRIu64
            " bytes",
            width, height, r->file_size);
  int passes = png_set_interlace_handling(r->png);
  set_conversions(r);
  int64_t channels = png_get_channels(r->png, r->info);
  size_t row_bytes = png_get_rowbytes(r->png, r->info);
  SEL_CHECK(row_bytes == (size_t)(width * channels), SEL_E_INTERNAL,
            "expected rows of %" PRId64 " bytes, libpng has %zu", width * channels, row_bytes);
  void *data;
  SEL_TRY(sel__host_tensor(3, (int64_t[]){height, width, channels}, SEL_U8, &r->tensor, &data));
  for (int pass = 0; pass < passes; pass++)
    for (int64_t y = 0; y < height; y++)
      png_read_row(r->png, (png_bytep)data + (size_t)y * row_bytes, NULL);
  png_read_end(r->png, NULL);
  return SEL_OK;
}

static sel_status check_signature(FILE *file) {
  uint8_t signature[8];
  size_t got = fread(signature, 1, sizeof signature, file);
  SEL_CHECK(got == sizeof signature && png_sig_cmp(signature, 0, sizeof signature) == 0, SEL_E_FILE,
            "expected PNG's signature in the first 8 bytes; is this PNG?");
  rewind(file);
  return SEL_OK;
}

static sel_status read_file(const char *path, sel_tensor **out) {
  sel__input in;
  SEL_TRY(sel__input_open(path, &in));
  reader r = {.file = fdopen(in.fd, "rb"), .file_size = in.size};
  if (!r.file) {
    sel__input_close(&in);
    return sel_fail(SEL_E_MEMORY, "out of host memory for a stream");
  }
  sel_status status = check_signature(r.file);
  if (status == SEL_OK) {
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r.message, keep_message, ignore_warning);
    if (r.png) r.info = png_create_info_struct(r.png);
    status = r.info ? read_image(&r) : sel_fail(SEL_E_MEMORY, "out of host memory for libpng");
    png_destroy_read_struct(&r.png, &r.info, NULL);
  }
  fclose(r.file);
  if (status == SEL_OK)
    *out = r.tensor;
  else
    sel_release(r.tensor);
  return status;
}

sel_status sel_png_read(const char *path, sel_tensor **out) {
  SEL_CHECK_PATH("png_read", path);
  return sel__name_file(read_file(path, out), "png_read", path);
}

/* ---- writing ---- */

typedef struct writer {
  char message[200];
  sel_status (*put)(void *sink, const void *data, size_t size);
  void *sink;
  sel_status status; /* of the last put; not OK: the error text is set already */
  png_structp png;
  png_infop info;
  int64_t height, width, channels;
  const uint8_t *data;
} writer;

static void write_bytes(png_structp png, png_bytep data, size_t size) {
  writer *w = png_get_io_ptr(png);
  w->status = w->put(w->sink, data, size);
  if (w->status != SEL_OK) png_error(png, "cannot write");
}

static void flush_nothing(png_structp png) { (void)png; }

static sel_status write_image(writer *w) {
  static const int colors[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                               PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  if (setjmp(png_jmpbuf(w->png)))
    return w->status != SEL_OK ? w->status : sel_fail(SEL_E_FILE, "%s", w->message);
  png_set_write_fn(w->png, w, write_bytes, flush_nothing);
  png_set_IHDR(w->png, w->info, (png_uint_32)w->width, (png_uint_32)w->height, 8,
               colors[w->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(w->png, w->info);
  for (int64_t y = 0; y < w->height; y++)
    png_write_row(w->png, w->data + y * w->width * w->channels);
  png_write_end(w->png, NULL);
  return SEL_OK;
}

static sel_status check_image(const sel_tensor *image, writer *w) {
  char text[256];
  sel_describe(image, text, sizeof text);
  int ndim = sel_ndim(image);
  int64_t channels = ndim == 3 ? sel_size(image, 2) : 1;
  SEL_CHECK(sel_tensor_dtype(image) == SEL_U8, SEL_E_DTYPE, "expected a u8 image, got %s", text);
  SEL_CHECK((ndim == 2 || ndim == 3) && channels >= 1 && channels <= 4, SEL_E_SHAPE,
            "expected [height, width] or [height, width, 1 to 4 channels], got %s", text);
  w->height = sel_size(image, 0), w->width = sel_size(image, 1), w->channels = channels;
  SEL_CHECK(w->height >= 1 && w->width >= 1 && w->height <= PNG_USER_HEIGHT_MAX &&
                w->width <= PNG_USER_WIDTH_MAX,
            SEL_E_SHAPE, "expected 1 to %d pixels a side, got %s", PNG_USER_WIDTH_MAX, text);
  return SEL_OK;
}

static sel_status encode_bytes(writer *w) {
  w->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, w->message, keep_message, ignore_warning);
  if (w->png) w->info = png_create_info_struct(w->png);
  sel_status status =
      w->info ? write_image(w) : sel_fail(SEL_E_MEMORY, "out of host memory for libpng");
  png_destroy_write_struct(&w->png, &w->info);
  return status;
}

/* Hands the file's bytes to put, one piece after the other. */
static sel_status encode(const sel_tensor *image,
                         sel_status (*put)(void *sink, const void *data, size_t size), void *sink) {
  writer w = {.put = put, .sink = sink};
  sel__host_bytes bytes;
  SEL_TRY(check_image(image, &w));
  SEL_TRY(sel__host_bytes_get(image, &bytes));
  w.data = bytes.data;
  sel_status status = encode_bytes(&w);
  sel__host_bytes_release(&bytes);
  return status;
}

static sel_status put_in_file(void *file, const void *data, size_t size) {
  return sel__atomic_write(file, data, size);
}

static sel_status write_file(const char *path, const sel_tensor *image) {
  writer checked;
  SEL_TRY(check_image(image, &checked));
  sel__atomic_file file = {.fd = -1};
  sel_status status = sel__atomic_begin(path, &file);
  if (status == SEL_OK) status = encode(image, put_in_file, &file);
  if (status == SEL_OK) status = sel__atomic_commit(&file);
  sel__atomic_abort(&file);
  return status;
}

sel_status sel_png_write(const char *path, sel_tensor *image) {
  SEL_CHECK_PATH("png_write", path);
  SEL_CHECK(image, SEL_E_ARGUMENT, "png_write: expected an image, got NULL");
  return sel__name_file(write_file(path, image), "png_write", path);
}

typedef struct buffer {
  uint8_t *data;
  size_t size, capacity;
} buffer;

static sel_status put_in_buffer(void *sink, const void *data, size_t size) {
  buffer *b = sink;
  if (size > b->capacity - b->size) {
    size_t capacity = 2 * b->capacity + size;
    uint8_t *grown = sel__resize(b->data, capacity);
    if (!grown) return SEL_E_MEMORY;
    b->data = grown;
    b->capacity = capacity;
  }
  memcpy(b->data + b->size, data, size);
  b->size += size;
  return SEL_OK;
}

static sel_status encode_to_tensor(const sel_tensor *image, buffer *b, sel_tensor **out) {
  void *data;
  SEL_TRY(encode(image, put_in_buffer, b));
  SEL_TRY(sel__host_tensor(1, (int64_t[]){(int64_t)b->size}, SEL_U8, out, &data));
  memcpy(data, b->data, b->size);
  return SEL_OK;
}

sel_status sel_png_encode(sel_tensor *image, sel_tensor **out) {
  SEL_CHECK(image, SEL_E_ARGUMENT, "png_encode: expected an image, got NULL");
  buffer b = {0};
  sel_status status = encode_to_tensor(image, &b, out);
  sel__free(b.data);
  if (status != SEL_OK) sel_error_prefix("png_encode");
  return status;
}
