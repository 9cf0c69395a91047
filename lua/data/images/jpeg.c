/* JPEG through libjpeg. It reports errors by a jump, which lands in the function that set it; what
 * must be freed is in a struct of that function's caller.
 *
 * Damage that libjpeg only warns of is an error where pixels are missing, since it makes them up;
 * stray bytes between parts of the file, which cameras write, are passed over.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* clang-format off */
#include <jpeglib.h> /* needs stdio.h */
#include <jerror.h>  /* needs jpeglib.h */
/* clang-format on */

#include <selenite/file.h>

#include "image.h"

typedef struct failure {
  struct jpeg_error_mgr manager; /* first: libjpeg points to it */
  jmp_buf jump;
  char text[JMSG_LENGTH_MAX];
} failure;

static void give_up(j_common_ptr jpeg) {
  failure *f = (failure *)(void *)jpeg->err;
  jpeg->err->format_message(jpeg, f->text);
  longjmp(f->jump, 1);
}

static void judge_message(j_common_ptr jpeg, int level) {
  int code = jpeg->err->msg_code;
  if (level >= 0 || (code != JWRN_JPEG_EOF && code != JWRN_HIT_MARKER)) return;
  failure *f = (failure *)(void *)jpeg->err;
  snprintf(f->text, sizeof f->text, "truncated: the file ends inside the image");
  longjmp(f->jump, 1);
}

static void ignore_message(j_common_ptr jpeg) { (void)jpeg; }

static struct jpeg_error_mgr *manage(failure *f) {
  jpeg_std_error(&f->manager);
  f->manager.error_exit = give_up;
  f->manager.emit_message = judge_message;
  f->manager.output_message = ignore_message;
  return &f->manager;
}

/* ---- reading ---- */

/* More pixels than any camera's: the header of a damaged file may say anything. */
enum { MOST_PIXELS = 1 << 28 };

typedef struct reader {
  struct jpeg_decompress_struct jpeg;
  failure failure;
  FILE *file;
  const sel_image_settings *wanted;
  sel_tensor *image;
} reader;

/* Halves the size as long as it stays at least twice what is wanted, so that the resampling that
 * follows still averages over several pixels. */
static void choose_scale(reader *r) {
  int64_t size[2], height = r->jpeg.image_height, width = r->jpeg.image_width;
  r->jpeg.scale_num = r->jpeg.scale_denom = 8;
  if (!r->wanted || r->wanted->fit == SEL_IMAGE_EXACT) return;
  image_fit(r->wanted, height, width, size);
  unsigned scale = 8;
  while (scale > 1 && height * (scale / 2) >= 2 * 8 * size[0] &&
         width * (scale / 2) >= 2 * 8 * size[1])
    scale /= 2;
  r->jpeg.scale_num = scale;
}

static sel_status read_image(reader *r) {
  struct jpeg_decompress_struct *jpeg = &r->jpeg;
  if (setjmp(r->failure.jump)) return sel_fail(SEL_E_FILE, "%s", r->failure.text);
  jpeg_create_decompress(jpeg);
  jpeg_stdio_src(jpeg, r->file);
  jpeg_read_header(jpeg, TRUE);
  SEL_CHECK(jpeg->num_components == 1 || jpeg->num_components == 3, SEL_E_FILE,
            "expected a JPEG of 1 (grey) or 3 (colour) components, got %d, as for printing",
            jpeg->num_components);
  SEL_CHECK((int64_t)jpeg->image_height * jpeg->image_width <= MOST_PIXELS, SEL_E_FILE,
            "%u x %u pixels are more than this reads, %d", jpeg->image_width, jpeg->image_height,
            MOST_PIXELS);
  jpeg->out_color_space = jpeg->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  choose_scale(r);
  jpeg_start_decompress(jpeg);
  SEL_TRY(image_new(jpeg->output_height, jpeg->output_width, jpeg->output_components, &r->image));
  size_t stride = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
  while (jpeg->output_scanline < jpeg->output_height) {
    JSAMPROW row = (JSAMPROW)sel_data(r->image) + jpeg->output_scanline * stride;
    jpeg_read_scanlines(jpeg, &row, 1);
  }
  jpeg_finish_decompress(jpeg);
  return SEL_OK;
}

sel_status image_decode_jpeg(const char *path, const sel_image_settings *wanted, sel_tensor **out) {
  reader r = {.wanted = wanted, .file = fopen(path, "rb")};
  SEL_CHECK(r.file, SEL_E_FILE, "%s", strerror(errno));
  r.jpeg.err = manage(&r.failure);
  sel_status status = read_image(&r);
  jpeg_destroy_decompress(&r.jpeg);
  fclose(r.file);
  if (status == SEL_OK)
    *out = r.image;
  else
    sel_release(r.image);
  return status;
}

/* ---- writing: to memory, then as a file of core's atomic kind ---- */

typedef struct writer {
  struct jpeg_compress_struct jpeg;
  failure failure;
  const uint8_t *data;
  int64_t height, width, channels;
  int quality;
  unsigned char *bytes;
  unsigned long size;
} writer;

static sel_status write_image(writer *w) {
  struct jpeg_compress_struct *jpeg = &w->jpeg;
  if (setjmp(w->failure.jump)) return sel_fail(SEL_E_FILE, "%s", w->failure.text);
  jpeg_create_compress(jpeg);
  jpeg_mem_dest(jpeg, &w->bytes, &w->size);
  jpeg->image_height = (JDIMENSION)w->height;
  jpeg->image_width = (JDIMENSION)w->width;
  jpeg->input_components = (int)w->channels;
  jpeg->in_color_space = w->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(jpeg);
  jpeg_set_quality(jpeg, w->quality, TRUE);
  jpeg_start_compress(jpeg, TRUE);
  while (jpeg->next_scanline < jpeg->image_height) {
    JSAMPROW row = (JSAMPROW)(intptr_t)(w->data + jpeg->next_scanline * w->width * w->channels);
    jpeg_write_scanlines(jpeg, &row, 1);
  }
  jpeg_finish_compress(jpeg);
  return SEL_OK;
}

static sel_status check_image(const sel_tensor *image, int quality, writer *w) {
  char text[256];
  sel_describe(image, text, sizeof text);
  int ndim = sel_ndim(image);
  w->channels = ndim == 3 ? sel_size(image, 2) : 1;
  SEL_CHECK(sel_tensor_dtype(image) == SEL_U8 && sel_is_contiguous(image) && sel_data(image),
            SEL_E_DTYPE, "expected a contiguous u8 image on the cpu, got %s", text);
  SEL_CHECK((ndim == 2 || ndim == 3) && (w->channels == 1 || w->channels == 3), SEL_E_SHAPE,
            "expected [height, width] or [height, width, 1 or 3 channels], got %s", text);
  w->height = sel_size(image, 0), w->width = sel_size(image, 1);
  SEL_CHECK(w->height >= 1 && w->width >= 1 && w->height <= JPEG_MAX_DIMENSION &&
                w->width <= JPEG_MAX_DIMENSION,
            SEL_E_SHAPE, "expected 1 to %ld pixels a side, got %s", (long)JPEG_MAX_DIMENSION, text);
  SEL_CHECK(quality >= 1 && quality <= 100, SEL_E_ARGUMENT,
            "expected a quality from 1 to 100, got %d", quality);
  w->data = sel_data(image);
  w->quality = quality;
  return SEL_OK;
}

sel_status sel_jpeg_write(const char *path, sel_tensor *image, int quality) {
  writer w = {.size = 0};
  sel_status status = check_image(image, quality, &w);
  if (status != SEL_OK) return image_name_file(status, "save_jpeg", path);
  w.jpeg.err = manage(&w.failure);
  status = write_image(&w);
  jpeg_destroy_compress(&w.jpeg);
  if (status == SEL_OK) status = sel_file_write(path, w.bytes, w.size);
  free(w.bytes);
  return image_name_file(status, "save_jpeg", path);
}
