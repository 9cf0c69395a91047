/* PNG: round trips, every kind of file, damaged files. */
#include <errno.h>
#include <unistd.h>

#include "file_fixture.h"

/* Sample (y, x, c) of the golden images is 40 y + 10 x + c. */
static void assert_image(sel_tensor *t, const char *description) {
  char text[256];
  ck_assert_str_eq(sel_describe(t, text, sizeof text), description);
  uint8_t *pixels = malloc(tensor_bytes(t));
  ASSERT_OK(sel_read(t, pixels, tensor_bytes(t)));
  const int64_t *shape = sel_shape(t);
  for (int64_t y = 0, i = 0; y < shape[0]; y++)
    for (int64_t x = 0; x < shape[1]; x++)
      for (int64_t c = 0; c < shape[2]; c++, i++)
        ck_assert_msg(pixels[i] == (uint8_t)(40 * y + 10 * x + c), "%s: y %d x %d c %d: got %d",
                      description, (int)y, (int)x, (int)c, pixels[i]);
  free(pixels);
  sel_release(t);
}

static sel_tensor *read_png(const char *path) {
  sel_tensor *t;
  ASSERT_OK(sel_png_read(path, &t));
  return t;
}

START_TEST(reads_every_kind) {
  assert_image(read_png(GOLDEN("grey.png")), "u8[3, 5, 1]");
  assert_image(read_png(GOLDEN("grey_alpha.png")), "u8[3, 5, 2]");
  assert_image(read_png(GOLDEN("rgb.png")), "u8[3, 5, 3]");
  assert_image(read_png(GOLDEN("rgba.png")), "u8[3, 5, 4]");
  assert_image(read_png(GOLDEN("interlaced.png")), "u8[9, 11, 3]");
  assert_image(read_png(GOLDEN("gamma.png")), "u8[3, 5, 1]");
  assert_image(read_png(GOLDEN("rgb16.png")), "u8[3, 5, 3]");
}
END_TEST

START_TEST(expands_few_bits) {
  uint8_t p[60];
  sel_tensor *t = read_png(GOLDEN("grey1.png"));
  ASSERT_OK(sel_read(t, p, 15));
  for (int i = 0; i < 15; i++) ck_assert_int_eq(p[i], i % 2 ? 255 : 0);
  sel_release(t);
  t = read_png(GOLDEN("grey4.png"));
  ASSERT_OK(sel_read(t, p, 15));
  for (int i = 0; i < 15; i++) ck_assert_int_eq(p[i], 17 * (i / 5 + i % 5));
  sel_release(t);
  t = read_png(GOLDEN("palette.png"));
  ASSERT_OK(sel_read(t, p, 45));
  for (int i = 0; i < 45; i++) ck_assert_int_eq(p[i], 10 * ((i / 15 + i / 3 % 5) % 4) + i % 3);
  sel_release(t);
  t = read_png(GOLDEN("palette_alpha.png"));
  ASSERT_OK(sel_read(t, p, 60));
  for (int i = 3; i < 60; i += 4) {
    int index = (i / 20 + i / 4 % 5) % 4;
    ck_assert_int_eq(p[i], index == 0 ? 0 : index == 1 ? 100 : 255);
  }
  sel_release(t);
}
END_TEST

START_TEST(round_trip) {
  for (int channels = 1; channels <= 4; channels++) {
    sel_tensor *t = make_tensor(SEL_U8, 3, (int64_t[]){33, 50, channels});
    ASSERT_OK(sel_png_write("round.png", t));
    sel_tensor *back = read_png("round.png");
    assert_same_tensor(t, back);
    sel_release(back);
    sel_release(t);
  }
  sel_tensor *t = make_tensor(SEL_U8, 2, (int64_t[]){7, 9}), *view, *back, *flat;
  ASSERT_OK(sel_transpose(t, 0, 1, &view));
  ASSERT_OK(sel_png_write("round.png", view));
  back = read_png("round.png");
  ASSERT_OK(sel_squeeze(back, 2, &flat));
  assert_same_tensor(view, flat);
  sel_release(flat);
  sel_release(back);
  sel_release(view);
  sel_release(t);
}
END_TEST

START_TEST(refuses_images) {
  sel_tensor *f = make_tensor(SEL_F32, 2, (int64_t[]){2, 2});
  sel_tensor *five = make_tensor(SEL_U8, 3, (int64_t[]){2, 2, 5});
  sel_tensor *flat = make_tensor(SEL_U8, 1, (int64_t[]){2});
  sel_tensor *empty = make_tensor(SEL_U8, 2, (int64_t[]){2, 0});
  sel_tensor *fine = make_tensor(SEL_U8, 2, (int64_t[]){2, 2});
  put_file("kept.png", "old", 3);
  ASSERT_FAILS(SEL_E_DTYPE, sel_png_write("kept.png", f), "png_write: kept.png", "u8", "f32[2, 2]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_png_write("kept.png", five), "u8[2, 2, 5]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_png_write("kept.png", flat), "u8[2]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_png_write("kept.png", empty), "u8[2, 0]");
  ASSERT_FAILS(SEL_E_FILE, sel_png_write("missing/x.png", fine), strerror(ENOENT));
  assert_file_holds("kept.png", "old", 3);
  assert_no_temporary();
  sel_release(f);
  sel_release(five);
  sel_release(flat);
  sel_release(empty);
  sel_release(fine);
}
END_TEST

START_TEST(refuses_files) {
  sel_tensor *t = NULL;
  size_t size;
  ASSERT_FAILS(SEL_E_FILE, sel_png_read("no.png", &t), "png_read: no.png: ", strerror(ENOENT));
  put_file("text.png", "not an image", 12);
  ASSERT_FAILS(SEL_E_FILE, sel_png_read("text.png", &t), "PNG");
  char *data = get_file(GOLDEN("rgb.png"), &size);
  for (size_t n = 0; n < size - 12; n++) { /* the last 12 bytes are IEND, which libpng may forgo */
    put_file("prefix.png", data, n);
    ASSERT_FAILS(SEL_E_FILE, sel_png_read("prefix.png", &t), "png_read: prefix.png: ");
  }
  data[29] ^= 1; /* the checksum of the first chunk */
  put_file("crc.png", data, size);
  ASSERT_FAILS(SEL_E_FILE, sel_png_read("crc.png", &t), "CRC");
  free(data);
  ck_assert_ptr_null(t);
}
END_TEST

START_TEST(refuses_pixels_that_cannot_be_there) {
  size_t size;
  sel_tensor *t = NULL;
  /* 900000 x 900000 grey pixels, the header's checksum right, in a file of 83 bytes */
  static const uint8_t header[] = {0, 13, 0xbb, 0xa0, 0, 13, 0xbb, 0xa0, 8, 0, 0, 0, 0};
  char *data = get_file(GOLDEN("grey.png"), &size);
  memcpy(data + 16, header, sizeof header);
  uint32_t crc = 0xffffffff;
  for (int i = 12; i < 29; i++) {
    crc ^= (uint8_t)data[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  for (int i = 0; i < 4; i++) data[29 + i] = (char)(~crc >> (24 - 8 * i));
  put_file("huge.png", data, size);
  free(data);
  ASSERT_FAILS(SEL_E_FILE, sel_png_read("huge.png", &t), "900000 x 900000", "83 bytes");
}
END_TEST

START_TEST(keeps_the_old_file_when_the_disk_is_full) {
  sel_tensor *x = make_tensor(SEL_U8, 2, (int64_t[]){256, 256});
  put_file("full.png", "old", 3);
  limit_file_size(100);
  sel_status status = sel_png_write("full.png", x);
  limit_file_size(-1);
  ASSERT_FAILS(SEL_E_FILE, status, "png_write: full.png: ", strerror(EFBIG));
  assert_file_holds("full.png", "old", 3);
  assert_no_temporary();
  sel_release(x);
}
END_TEST

START_TEST(encodes_what_it_writes) {
  sel_tensor *t = make_tensor(SEL_U8, 3, (int64_t[]){64, 50, 3}), *bytes = NULL;
  ASSERT_OK(sel_png_write("written.png", t));
  ASSERT_OK(sel_png_encode(t, &bytes));
  ck_assert_int_eq(sel_ndim(bytes), 1);
  assert_file_holds("written.png", sel_data(bytes), tensor_bytes(bytes));
  sel_release(bytes);
  sel_release(t);
  t = make_tensor(SEL_F32, 2, (int64_t[]){3, 3});
  ASSERT_FAILS(SEL_E_DTYPE, sel_png_encode(t, &bytes), "png_encode: expected a u8 image");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_png_encode(NULL, &bytes), "png_encode: expected an image");
  sel_release(t);
}
END_TEST

static sel_status write_view(void *view) {
  put_file("memory.png", "old", 3);
  sel_status status = sel_png_write("memory.png", view);
  if (status != SEL_OK) assert_file_holds("memory.png", "old", 3);
  assert_no_temporary();
  return status;
}

static sel_status encode_view(void *view) {
  sel_tensor *bytes = NULL;
  sel_status status = sel_png_encode(view, &bytes);
  ck_assert((status == SEL_OK) == (bytes != NULL));
  sel_release(bytes);
  return status;
}

static sel_status read_image(void *path) {
  sel_tensor *t = NULL;
  sel_status status = sel_png_read(path, &t);
  ck_assert((status == SEL_OK) == (t != NULL));
  sel_release(t);
  return status;
}

START_TEST(survives_failing_allocations) {
  sel_tensor *t = make_tensor(SEL_U8, 2, (int64_t[]){3, 4}), *view;
  ASSERT_OK(sel_transpose(t, 0, 1, &view));
  expect_memory_errors(write_view, view);
  expect_memory_errors(encode_view, view);
  expect_memory_errors(read_image, (void *)(uintptr_t)GOLDEN("interlaced.png"));
  sel_release(view);
  sel_release(t);
}
END_TEST

RUN_SUITE("png", reads_every_kind, expands_few_bits, round_trip, encodes_what_it_writes,
          refuses_images, refuses_files, refuses_pixels_that_cannot_be_there,
          keeps_the_old_file_when_the_disk_is_full, survives_failing_allocations)
