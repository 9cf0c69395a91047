/* .npy: round trips, NumPy's own files byte for byte, and each way in which a file can be wrong. */
#include <errno.h>

#include "file_fixture.h"

static void round_trip_one(sel_tensor *t) {
  sel_tensor *back;
  ASSERT_OK(sel_npy_write("round.npy", t));
  ASSERT_OK(sel_npy_read("round.npy", &back));
  assert_same_tensor(t, back);
  sel_release(back);
  sel_release(t);
}

START_TEST(round_trip) {
  for (int d = 0; d < SEL_DTYPE_COUNT; d++) {
    if (d == SEL_BF16) continue;
    sel_dtype dtype = (sel_dtype)d;
    round_trip_one(make_tensor(dtype, 0, NULL));
    round_trip_one(make_tensor(dtype, 1, (int64_t[]){7}));
    round_trip_one(make_tensor(dtype, 3, (int64_t[]){2, 0, 3}));
    round_trip_one(make_tensor(dtype, 8, (int64_t[]){1, 2, 1, 2, 1, 3, 1, 1}));
    sel_tensor *t = make_tensor(dtype, 2, (int64_t[]){3, 4}), *view;
    ASSERT_OK(sel_transpose(t, 0, 1, &view));
    sel_release(t);
    round_trip_one(view);
  }
}
END_TEST

static const struct {
  const char *path, *description;
  double first, step;
} numpy_files[] = {
    {GOLDEN("f32.npy"), "f32[2, 3]", -2, 1},
    {GOLDEN("f64.npy"), "f64[2, 3]", -2, 1},
    {GOLDEN("f16.npy"), "f16[2, 3]", -2, 1},
    {GOLDEN("i64.npy"), "i64[2, 3]", -2, 1},
    {GOLDEN("i32.npy"), "i32[2, 3]", -2, 1},
    {GOLDEN("u8.npy"), "u8[2, 3]", 0, 1},
    {GOLDEN("scalar.npy"), "f32[]", 7.5, 0},
    {GOLDEN("vector.npy"), "f32[5]", -2, 1},
    {GOLDEN("empty.npy"), "f32[0, 4]", 0, 0},
    {GOLDEN("dims8.npy"), "i32[1, 2, 1, 3, 1, 1, 2, 1]", -2, 1},
    {GOLDEN("fortran.npy"), "f32[2, 3, 4]", -2, 1},
    {GOLDEN("version2.npy"), "i64[2, 3]", -2, 1},
    {GOLDEN("version3.npy"), "i64[2, 3]", -2, 1},
};

START_TEST(reads_numpy) {
  for (size_t i = 0; i < sizeof numpy_files / sizeof *numpy_files; i++) {
    sel_tensor *t;
    ASSERT_OK(sel_npy_read(numpy_files[i].path, &t));
    assert_sequence(t, numpy_files[i].description, numpy_files[i].first, numpy_files[i].step);
    ck_assert(sel_is_contiguous(t));
    sel_release(t);
  }
  sel_tensor *t;
  uint8_t bools[6];
  ASSERT_OK(sel_npy_read(GOLDEN("bool.npy"), &t));
  ASSERT_OK(sel_read(t, bools, 6));
  ck_assert_int_eq(sel_tensor_dtype(t), SEL_BOOL);
  ck_assert_int_eq(memcmp(bools, "\0\1\0\1\0\1", 6), 0);
  sel_release(t);
}
END_TEST

START_TEST(writes_as_numpy) {
  for (size_t i = 0; i < sizeof numpy_files / sizeof *numpy_files; i++) {
    if (strstr(numpy_files[i].path, "fortran") || strstr(numpy_files[i].path, "version")) continue;
    sel_tensor *t;
    ASSERT_OK(sel_npy_read(numpy_files[i].path, &t));
    ASSERT_OK(sel_npy_write("same.npy", t));
    assert_same_file(numpy_files[i].path, "same.npy");
    sel_release(t);
  }
}
END_TEST

START_TEST(refuses_numpy) {
  sel_tensor *t = NULL;
  ASSERT_FAILS(SEL_E_FILE, sel_npy_read(GOLDEN("bad_big_endian.npy"), &t), "npy_read: ", "'>f4'",
               "big endian", "<f4");
  ASSERT_FAILS(SEL_E_FILE, sel_npy_read(GOLDEN("bad_complex.npy"), &t), "'<c8'", "<f4");
  ASSERT_FAILS(SEL_E_FILE, sel_npy_read(GOLDEN("bad_u16.npy"), &t), "'<u2'");
  ASSERT_FAILS(SEL_E_FILE, sel_npy_read(GOLDEN("bad_structured.npy"), &t), "descr", "structured");
  ASSERT_FAILS(SEL_E_FILE, sel_npy_read(GOLDEN("bad_dims9.npy"), &t), "8 dims");
  ASSERT_FAILS(SEL_E_FILE, sel_npy_read("no.npy", &t), "npy_read: no.npy: ", strerror(ENOENT));
  ck_assert_ptr_null(t);
}
END_TEST

/* A file of format 1.0 with this header and data_size zero bytes. */
static const char *craft(const char *header, size_t data_size) {
  size_t length = strlen(header);
  char *bytes = calloc(1, 10 + length + data_size);
  memcpy(bytes, "\x93NUMPY\1\0", 8);
  bytes[8] = (char)(length & 255);
  bytes[9] = (char)(length >> 8);
  memcpy(bytes + 10, header, length);
  put_file("crafted.npy", bytes, 10 + length + data_size);
  free(bytes);
  return "crafted.npy";
}

#define ASSERT_REFUSED(header, data_size, ...)                                  \
  do {                                                                          \
    sel_tensor *refused_ = NULL;                                                \
    ASSERT_FAILS(SEL_E_FILE, sel_npy_read(craft(header, data_size), &refused_), \
                 "npy_read: crafted.npy: ", __VA_ARGS__);                       \
    ck_assert_ptr_null(refused_);                                               \
  } while (0)

#define SHAPE(shape) "{'descr': '<f4', 'fortran_order': False, 'shape': " shape ", }\n"

START_TEST(accepts_variants) {
  static const char *const headers[] = {
      SHAPE("(2,)"),
      "{\"shape\":(2L,),\"fortran_order\":True,\"descr\":\"<f4\"}",
      "  {'descr' : '<f4' , 'fortran_order':False,'shape':( 1 , 2 )}  ",
  };
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
    sel_tensor *t;
    ASSERT_OK(sel_npy_read(craft(headers[i], 8), &t));
    ck_assert_int_eq(sel_numel(t), 2);
    sel_release(t);
  }
}
END_TEST

START_TEST(refuses_headers) {
  ASSERT_REFUSED("", 0, "'{'");
  ASSERT_REFUSED("{", 0, "key");
  ASSERT_REFUSED("{}", 0, "no descr");
  ASSERT_REFUSED("{'descr': '<f4', 'fortran_order': False}", 4, "no shape");
  ASSERT_REFUSED("{'descr': '<f4', 'descr': '<f4'}", 4, "second 'descr'");
  ASSERT_REFUSED("{'other': 1}", 4, "'other'");
  ASSERT_REFUSED("{'descr': '<f4' 'shape': ()}", 4, "','");
  ASSERT_REFUSED("{'descr': '<f4', 'fortran_order': 0, 'shape': ()}", 4, "True or False");
  ASSERT_REFUSED("{'descr': '', 'fortran_order': False, 'shape': ()}", 4, "descr ''");
  ASSERT_REFUSED("{'descr': '\\x3cf4', 'fortran_order': False, 'shape': ()}", 4, "descr");
  ASSERT_REFUSED("{'descr': 'unterminated", 4, "descr");
  ASSERT_REFUSED(SHAPE("()") "x", 4, "'}'");
  ASSERT_REFUSED(SHAPE("[1]"), 4, "tuple");
  ASSERT_REFUSED(SHAPE("(-1,)"), 4, "extent 0");
  ASSERT_REFUSED(SHAPE("(1 2)"), 4, "','");
  ASSERT_REFUSED(SHAPE("(2, __import__('os'))"), 4, "extent 1");
  ASSERT_REFUSED(SHAPE("(99999999999999999999,)"), 4, "extent 0");
  ASSERT_REFUSED(SHAPE("(4611686018427387904, 2)"), 4, "counted");
}
END_TEST

START_TEST(refuses_sizes) {
  sel_tensor *t = NULL;
  ASSERT_REFUSED(SHAPE("(2, 3)"), 23, "truncated", "24 bytes", "f32[2, 3]", "found 23");
  ASSERT_REFUSED(SHAPE("(2, 3)"), 25, "more than one", "24 bytes", "found 25");
  ASSERT_REFUSED(SHAPE("(1000000000000,)"), 8, "truncated", "4000000000000");
  put_file("magic.npy", "\x93NUMPX\1\0\0\0", 10);
  ASSERT_FAILS(SEL_E_FILE, sel_npy_read("magic.npy", &t), "NUMPY");
  put_file("version.npy", "\x93NUMPY\4\0\0\0", 10);
  ASSERT_FAILS(SEL_E_FILE, sel_npy_read("version.npy", &t), "3.0", "4.0");
  put_file("header.npy", "\x93NUMPY\1\0\5\0{}", 12);
  ASSERT_FAILS(SEL_E_FILE, sel_npy_read("header.npy", &t), "truncated", "5 bytes", "found 2");
  put_file("header2.npy", "\x93NUMPY\2\0\377\377\377\377", 12);
  ASSERT_FAILS(SEL_E_FILE, sel_npy_read("header2.npy", &t), "65536", "4294967295");
  put_file("tiny.npy", "\x93NUMPY", 6);
  ASSERT_FAILS(SEL_E_FILE, sel_npy_read("tiny.npy", &t), "10 bytes", "found 6");
  put_file("tiny2.npy", "\x93NUMPY\2\0\0\0", 10);
  ASSERT_FAILS(SEL_E_FILE, sel_npy_read("tiny2.npy", &t), "12 bytes", "found 10");
  ck_assert_ptr_null(t);
}
END_TEST

START_TEST(refuses_to_write) {
  sel_tensor *t = make_tensor(SEL_BF16, 1, (int64_t[]){2});
  put_file("kept.npy", "old", 3);
  ASSERT_FAILS(SEL_E_DTYPE, sel_npy_write("kept.npy", t), "npy_write: kept.npy", "bf16", "f32");
  assert_file_holds("kept.npy", "old", 3);
  sel_release(t);
  ASSERT_OK(sel_scalar(3, &t));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_npy_write("kept.npy", t), "npy_write: kept.npy", "number 3");
  sel_release(t);
  t = make_tensor(SEL_F32, 1, (int64_t[]){2});
  ck_assert(sel_tensor_free(t));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_npy_write("kept.npy", t), "freed tensor");
  assert_file_holds("kept.npy", "old", 3);
  sel_release(t);
}
END_TEST

START_TEST(keeps_the_old_file_when_the_disk_is_full) {
  sel_tensor *x = make_tensor(SEL_F32, 1, (int64_t[]){1000});
  put_file("full.npy", "old", 3);
  limit_file_size(1000);
  sel_status status = sel_npy_write("full.npy", x);
  limit_file_size(-1);
  ASSERT_FAILS(SEL_E_FILE, status, "npy_write: full.npy: ", strerror(EFBIG));
  assert_file_holds("full.npy", "old", 3);
  assert_no_temporary();
  sel_release(x);
}
END_TEST

static sel_status write_view(void *view) {
  put_file("memory.npy", "old", 3);
  sel_status status = sel_npy_write("memory.npy", view);
  if (status != SEL_OK) assert_file_holds("memory.npy", "old", 3);
  assert_no_temporary();
  return status;
}

static sel_status read_array(void *path) {
  sel_tensor *t = NULL;
  sel_status status = sel_npy_read(path, &t);
  ck_assert((status == SEL_OK) == (t != NULL));
  sel_release(t);
  return status;
}

START_TEST(survives_failing_allocations) {
  sel_tensor *t = make_tensor(SEL_F32, 2, (int64_t[]){3, 4}), *view;
  ASSERT_OK(sel_transpose(t, 0, 1, &view));
  expect_memory_errors(write_view, view);
  expect_memory_errors(read_array, (void *)(uintptr_t)GOLDEN("fortran.npy"));
  sel_release(view);
  sel_release(t);
}
END_TEST

RUN_SUITE("npy", round_trip, reads_numpy, writes_as_numpy, refuses_numpy, accepts_variants,
          refuses_headers, refuses_sizes, refuses_to_write,
          keeps_the_old_file_when_the_disk_is_full, survives_failing_allocations)
