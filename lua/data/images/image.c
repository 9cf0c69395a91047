/* See image.h: making a picture, its channels, its size, and the name of its file in an error. */
#include "image.h"

#include <errno.h>
#include <selenite/file.h>
#include <stdio.h>
#include <string.h>

sel_status image_new(int64_t height, int64_t width, int64_t channels, sel_tensor **out) {
  sel_device *cpu;
  SEL_TRY(sel_device_find("cpu", &cpu));
  return sel_empty(3, (int64_t[]){height, width, channels}, SEL_U8, cpu, out);
}

void image_fit(const sel_image_settings *wanted, int64_t height, int64_t width, int64_t size[2]) {
  size[0] = wanted->height;
  size[1] = wanted->width;
  if (wanted->fit == SEL_IMAGE_EXACT) size[0] = height, size[1] = width;
  if (wanted->fit != SEL_IMAGE_CROP) return;
  /* Rounded down, as torchvision's Resize does; never below what is cut out. */
  if (height * wanted->width <= width * wanted->height)
    size[1] = wanted->height * width / height;
  else
    size[0] = wanted->width * height / width;
}

/* ---- reading ---- */

static sel_status read_signature(const char *path, unsigned char start[4]) {
  FILE *file = fopen(path, "rb");
  SEL_CHECK(file, SEL_E_FILE, "%s", strerror(errno));
  memset(start, 0, 4);
  size_t got = fread(start, 1, 4, file);
  int failed = ferror(file) ? errno : 0;
  fclose(file);
  SEL_CHECK(!failed, SEL_E_FILE, "%s", strerror(failed));
  SEL_CHECK(got > 0, SEL_E_FILE, "the file is empty");
  return SEL_OK;
}

/* What sel_png_read reports names itself and the file, which is done here. */
static sel_status decode_png(const char *path, sel_tensor **out) {
  char text[1024];
  sel_status status = sel_png_read(path, out);
  if (status == SEL_OK) return SEL_OK;
  snprintf(text, sizeof text, "%s", sel_error());
  const char *reason = strstr(text, path);
  reason = reason ? reason + strlen(path) : text;
  return sel_fail(status, "%s", reason + strspn(reason, ": '"));
}

sel_status image_decode(const char *path, const sel_image_settings *wanted, sel_tensor **out) {
  unsigned char start[4];
  SEL_TRY(read_signature(path, start));
  if (memcmp(start, "\x89PNG", 4) == 0) return decode_png(path, out);
  if (memcmp(start, "\xff\xd8\xff", 3) == 0) return image_decode_jpeg(path, wanted, out);
  return sel_fail(SEL_E_FILE, "expected a PNG or JPEG image, got neither by its first bytes");
}

sel_status image_name_file(sel_status status, const char *operation, const char *path) {
  char text[1024];
  if (status == SEL_OK) return SEL_OK;
  snprintf(text, sizeof text, "%s", sel_error());
  return sel_fail(status, "%s: %s: %s", operation, path, text);
}

sel_status sel_image_read(const char *path, sel_tensor **out) {
  return image_name_file(image_decode(path, NULL, out), "load_image", path);
}

/* ---- channels ---- */

/* ITU-R 601, in the integers that Pillow uses. */
static uint8_t luma(const uint8_t *p) {
  return (uint8_t)((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000u) >> 16);
}

sel_status image_to_channels(sel_tensor *image, int channels, sel_tensor **out) {
  int64_t from = sel_size(image, 2), pixels = sel_size(image, 0) * sel_size(image, 1);
  if (from == channels) {
    *out = sel_retain(image);
    return SEL_OK;
  }
  SEL_TRY(image_new(sel_size(image, 0), sel_size(image, 1), channels, out));
  const uint8_t *x = sel_data(image);
  uint8_t *y = sel_data(*out);
  for (int64_t i = 0; i < pixels; i++, x += from, y += channels) {
    if (channels == 1)
      y[0] = from >= 3 ? luma(x) : x[0];
    else
      for (int c = 0; c < 3; c++) y[c] = from >= 3 ? x[c] : x[0];
  }
  return SEL_OK;
}
