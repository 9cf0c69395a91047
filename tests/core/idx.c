/* IDX: every element type, gzip, damaged files. */
#include <errno.h>

#include "file_fixture.h"

START_TEST(reads_every_type) {
  static const struct {
    const char *path, *description;
    double first;
  } files[] = {
      {GOLDEN("u8.idx"), "u8[2, 3]", 0},    {GOLDEN("i8.idx"), "i32[2, 3]", -2},
      {GOLDEN("i16.idx"), "i32[2, 3]", -2}, {GOLDEN("i32.idx"), "i32[2, 3]", -2},
      {GOLDEN("f32.idx"), "f32[2, 3]", -2}, {GOLDEN("f64.idx"), "f64[2, 3]", -2},
      {GOLDEN("u8.idx.gz"), "u8[2, 3]", 0}, {GOLDEN("f32.idx.gz"), "f32[2, 3]", -2},
  };
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    sel_tensor *t;
    ASSERT_OK(sel_idx_read(files[i].path, &t));
    assert_sequence(t, files[i].description, files[i].first, 1);
    sel_release(t);
  }
}
END_TEST

/* More than one piece of the reader's buffer, with a remainder. */
START_TEST(reads_large_files) {
  enum { ROWS = 333, COLUMNS = 301, N = ROWS * COLUMNS };
  uint8_t *bytes = malloc(12 + 2 * N);
  memcpy(bytes, "\0\0\x0b\2\0\0\1\x4d\0\0\1\x2d", 12);
  for (int i = 0; i < N; i++) {
    bytes[12 + 2 * i] = (uint8_t)((i % 30000) >> 8);
    bytes[13 + 2 * i] = (uint8_t)(i % 30000);
  }
  put_file("large.idx", bytes, 12 + 2 * N);
  free(bytes);
  sel_tensor *t;
  ASSERT_OK(sel_idx_read("large.idx", &t));
  int32_t *values = malloc(N * sizeof *values);
  ASSERT_OK(sel_read(t, values, N * sizeof *values));
  for (int i = 0; i < N; i++) ck_assert_int_eq(values[i], i % 30000);
  free(values);
  sel_release(t);
}
END_TEST

START_TEST(refuses_files) {
  sel_tensor *t = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_idx_read(NULL, &t), "path");
  ASSERT_FAILS(SEL_E_FILE, sel_idx_read("no.idx", &t), "idx_read: no.idx: ", strerror(ENOENT));
  ASSERT_FAILS(SEL_E_FILE, sel_idx_read(".", &t), "directory");
  put_file("empty.idx", "", 0);
  ASSERT_FAILS(SEL_E_FILE, sel_idx_read("empty.idx", &t), "4 bytes", "0");
  put_file("magic.idx", "\1\0\10\0x", 5);
  ASSERT_FAILS(SEL_E_FILE, sel_idx_read("magic.idx", &t), "zero bytes", "0x01 0x00");
  put_file("type.idx", "\0\0\12\0x", 5);
  ASSERT_FAILS(SEL_E_FILE, sel_idx_read("type.idx", &t), "element type", "0x0a");
  put_file("dims.idx", "\0\0\10\11x", 5);
  ASSERT_FAILS(SEL_E_FILE, sel_idx_read("dims.idx", &t), "8 dims", "9");
  put_file("extents.idx", "\0\0\10\2\0\0", 6);
  ASSERT_FAILS(SEL_E_FILE, sel_idx_read("extents.idx", &t), "truncated", "8 bytes", "found 2");
  put_file("short.idx", "\0\0\10\1\0\0\0\5abcd", 12);
  ASSERT_FAILS(SEL_E_FILE, sel_idx_read("short.idx", &t), "truncated", "5 bytes", "found 4");
  put_file("long.idx", "\0\0\10\1\0\0\0\3abcd", 12);
  ASSERT_FAILS(SEL_E_FILE, sel_idx_read("long.idx", &t), "end after 3 bytes", "more");
  put_file("huge.idx", "\0\0\10\2\177\377\377\377\177\377\377\377abcd", 16);
  ASSERT_FAILS(SEL_E_FILE, sel_idx_read("huge.idx", &t), "truncated", "[2147483647, 2147483647]",
               "16 bytes");
  put_file("overflow.idx",
           "\0\0\16\4\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377\377abcd", 24);
  ASSERT_FAILS(SEL_E_FILE, sel_idx_read("overflow.idx", &t), "counted");
  ck_assert_ptr_null(t);
}
END_TEST

START_TEST(refuses_damaged_gzip) {
  size_t size;
  char *data = get_file(GOLDEN("u8.idx.gz"), &size);
  ck_assert_uint_gt(size, 8);
  char *checksum = data + (size - 8);
  for (size_t n = 1; n < size; n++) {
    sel_tensor *t = NULL;
    put_file("prefix.gz", data, n);
    ASSERT_FAILS(SEL_E_FILE, sel_idx_read("prefix.gz", &t), "idx_read: prefix.gz: ");
    ck_assert_ptr_null(t);
  }
  *checksum ^= 1;
  put_file("checksum.gz", data, size);
  sel_tensor *t = NULL;
  ASSERT_FAILS(SEL_E_FILE, sel_idx_read("checksum.gz", &t), "data check");
  free(data);
}
END_TEST

static sel_status read_file(void *path) {
  sel_tensor *t = NULL;
  sel_status status = sel_idx_read(path, &t);
  ck_assert((status == SEL_OK) == (t != NULL));
  sel_release(t);
  return status;
}

START_TEST(survives_failing_allocations) {
  expect_memory_errors(read_file, (void *)(uintptr_t)GOLDEN("f32.idx.gz"));
}
END_TEST

RUN_SUITE("idx", reads_every_type, reads_large_files, refuses_files, refuses_damaged_gzip,
          survives_failing_allocations)
