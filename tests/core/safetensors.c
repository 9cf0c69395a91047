/* safetensors: round trips, files of the reference implementation byte for byte, and each way in
 * which a file can be wrong. */
#include <errno.h>
#include <unistd.h>

#include "file_fixture.h"

static sel_tensor *transposed(sel_dtype dtype) {
  sel_tensor *t = make_tensor(dtype, 2, (int64_t[]){3, 4}), *view;
  ASSERT_OK(sel_transpose(t, 0, 1, &view));
  ck_assert(!sel_is_contiguous(view));
  sel_release(t);
  return view;
}

static void add_new(sel_archive *archive, const char *name, sel_tensor *t) {
  ASSERT_OK(sel_archive_add(archive, name, t));
  sel_release(t);
}

/* Every dtype as a matrix, a scalar, an empty tensor and a view with gaps. */
static sel_archive *make_archive(void) {
  sel_archive *archive;
  char name[64];
  ASSERT_OK(sel_archive_new(&archive));
  ASSERT_OK(sel_archive_set_metadata(archive, "format", "pt"));
  ASSERT_OK(sel_archive_set_metadata(archive, "quote \" and \xc3\xa9", "line\nend\\"));
  for (int d = 0; d < SEL_DTYPE_COUNT; d++) {
    const char *dtype = sel_dtype_name((sel_dtype)d);
    snprintf(name, sizeof name, "%s.matrix", dtype);
    add_new(archive, name, make_tensor((sel_dtype)d, 2, (int64_t[]){5, 3}));
    snprintf(name, sizeof name, "%s.scalar", dtype);
    add_new(archive, name, make_tensor((sel_dtype)d, 0, NULL));
    snprintf(name, sizeof name, "%s.empty", dtype);
    add_new(archive, name, make_tensor((sel_dtype)d, 3, (int64_t[]){2, 0, 3}));
    snprintf(name, sizeof name, "%s.view", dtype);
    add_new(archive, name, transposed((sel_dtype)d));
  }
  add_new(archive, "dims8", make_tensor(SEL_I32, 8, (int64_t[]){1, 2, 1, 2, 1, 3, 1, 1}));
  add_new(archive, "\xe5\x90\x8d\"\\\n", make_tensor(SEL_U8, 1, (int64_t[]){1}));
  return archive;
}

START_TEST(round_trip) {
  sel_archive *archive = make_archive(), *back;
  ASSERT_OK(sel_safetensors_write("round.safetensors", archive));
  ASSERT_OK(sel_safetensors_read("round.safetensors", &back));
  ck_assert_int_eq(sel_archive_count(back), sel_archive_count(archive));
  for (int i = 0; i < sel_archive_count(archive); i++) {
    sel_tensor *got = sel_archive_find(back, sel_archive_name(archive, i));
    ck_assert_msg(got != NULL, "%s is missing", sel_archive_name(archive, i));
    assert_same_tensor(sel_archive_tensor(archive, i), got);
    ck_assert(sel_is_contiguous(got));
  }
  ck_assert_int_eq(sel_archive_metadata_count(back), 2);
  for (int i = 0; i < 2; i++) {
    ck_assert_str_eq(sel_archive_metadata_key(back, i), sel_archive_metadata_key(archive, i));
    ck_assert_str_eq(sel_archive_metadata_value(back, i), sel_archive_metadata_value(archive, i));
  }
  sel_archive_release(back);
  sel_archive_release(archive);
}
END_TEST

START_TEST(data_is_aligned) {
  sel_archive *archive;
  size_t size;
  for (int extra = 0; extra < 9; extra++) { /* names of growing length shift the data */
    char name[16] = "aaaaaaaaa";
    name[extra] = '\0';
    ASSERT_OK(sel_archive_new(&archive));
    add_new(archive, name, make_tensor(SEL_F64, 1, (int64_t[]){2}));
    ASSERT_OK(sel_safetensors_write("aligned.safetensors", archive));
    char *file = get_file("aligned.safetensors", &size);
    uint64_t length;
    memcpy(&length, file, 8);
    ck_assert_uint_eq(length % 8, 0);
    ck_assert_uint_eq(size, 8 + length + 16);
    free(file);
    sel_archive_release(archive);
  }
}
END_TEST

START_TEST(reads_the_reference) {
  sel_archive *a;
  ASSERT_OK(sel_safetensors_read(GOLDEN("model.safetensors"), &a));
  ck_assert_int_eq(sel_archive_count(a), 11);
  assert_sequence(sel_archive_find(a, "f32"), "f32[2, 3]", -2, 1);
  assert_sequence(sel_archive_find(a, "f64"), "f64[2, 3]", -2, 1);
  assert_sequence(sel_archive_find(a, "f16"), "f16[2, 3]", -2, 1);
  assert_sequence(sel_archive_find(a, "bf16"), "bf16[2, 3]", -2, 1);
  assert_sequence(sel_archive_find(a, "i64"), "i64[2, 3]", -2, 1);
  assert_sequence(sel_archive_find(a, "i32"), "i32[2, 3]", -2, 1);
  assert_sequence(sel_archive_find(a, "u8"), "u8[2, 3]", 0, 1);
  assert_sequence(sel_archive_find(a, "scalar"), "f32[]", 7.5, 0);
  assert_sequence(sel_archive_find(a, "empty"), "f32[0, 4]", 0, 0);
  assert_sequence(sel_archive_find(a, "na\xc3\xafve \"\xe5\x90\x8d\xe5\x89\x8d\"\n\\"), "f32[2]", 1,
                  1);
  uint8_t bools[6];
  ASSERT_OK(sel_read(sel_archive_find(a, "bool"), bools, 6));
  ck_assert_int_eq(memcmp(bools, "\0\1\0\1\0\1", 6), 0);
  ck_assert_str_eq(sel_archive_name(a, 0), "i64"); /* the header's order */
  ck_assert_int_eq(sel_archive_metadata_count(a), 1);
  ck_assert_str_eq(sel_archive_metadata_key(a, 0), "format");
  ck_assert_str_eq(sel_archive_metadata_value(a, 0), "pt");
  sel_archive_release(a);
}
END_TEST

START_TEST(writes_as_the_reference) {
  static const char *const names[] = {GOLDEN("model.safetensors"), GOLDEN("plain.safetensors"),
                                      GOLDEN("none.safetensors")};
  for (int i = 0; i < 3; i++) {
    sel_archive *a, *reversed;
    ASSERT_OK(sel_safetensors_read(names[i], &a));
    ASSERT_OK(sel_archive_new(&reversed));
    for (int k = sel_archive_count(a) - 1; k >= 0; k--)
      ASSERT_OK(sel_archive_add(reversed, sel_archive_name(a, k), sel_archive_tensor(a, k)));
    for (int k = 0; k < sel_archive_metadata_count(a); k++)
      ASSERT_OK(sel_archive_set_metadata(reversed, sel_archive_metadata_key(a, k),
                                         sel_archive_metadata_value(a, k)));
    ASSERT_OK(sel_safetensors_write("same.safetensors", reversed));
    assert_same_file(names[i], "same.safetensors");
    sel_archive_release(reversed);
    sel_archive_release(a);
  }
}
END_TEST

/* Writes a file of this header, and `data_size` bytes of data. */
static const char *craft(const char *header, size_t data_size) {
  uint64_t length = strlen(header);
  char *bytes = calloc(1, 8 + length + data_size);
  memcpy(bytes, &length, 8);
  memcpy(bytes + 8, header, length);
  put_file("crafted.safetensors", bytes, 8 + length + data_size);
  free(bytes);
  return "crafted.safetensors";
}

#define ASSERT_REFUSED(header, data_size, ...)                                          \
  do {                                                                                  \
    sel_archive *refused_ = NULL;                                                       \
    ASSERT_FAILS(SEL_E_FILE, sel_safetensors_read(craft(header, data_size), &refused_), \
                 "safetensors_read: crafted.safetensors: ", __VA_ARGS__);               \
    ck_assert_ptr_null(refused_);                                                       \
  } while (0)

#define W(dtype, shape, offsets) \
  "{\"w\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

START_TEST(accepts_what_the_format_allows) {
  sel_archive *a;
  /* spaces, unknown keys, order of data other than the header's, empty tensors between */
  ASSERT_OK(sel_safetensors_read(
      craft("{ \"b\": {\"shape\":[2], \"dtype\":\"U8\",\"data_offsets\":[4,6], \"more\":null},"
            "\"e\":{\"dtype\":\"F64\",\"shape\":[0],\"data_offsets\":[4,4]},"
            "\"a\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[0,4]}}   ",
            6),
      &a));
  ck_assert_int_eq(sel_archive_count(a), 3);
  ck_assert_str_eq(sel_archive_name(a, 0), "b");
  sel_archive_release(a);
}
END_TEST

START_TEST(cleans_bools) {
  sel_archive *a;
  const char *path = craft(W("\"BOOL\"", "[3]", "[0,3]"), 3);
  size_t size;
  char *bytes = get_file(path, &size);
  memcpy(bytes + size - 3, "\x00\x01\xff", 3);
  put_file(path, bytes, size);
  free(bytes);
  ASSERT_OK(sel_safetensors_read(path, &a));
  uint8_t bools[3];
  ASSERT_OK(sel_read(sel_archive_tensor(a, 0), bools, 3));
  ck_assert_int_eq(memcmp(bools, "\0\1\1", 3), 0);
  sel_archive_release(a);
}
END_TEST

START_TEST(refuses_files) {
  sel_archive *a;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_safetensors_read("", &a), "safetensors_read", "path");
  ASSERT_FAILS(SEL_E_FILE, sel_safetensors_read("no.safetensors", &a),
               "safetensors_read: no.safetensors: ", strerror(ENOENT));
  ASSERT_FAILS(SEL_E_FILE, sel_safetensors_read(".", &a), "directory");
  put_file("short.safetensors", "\1\0\0", 3);
  ASSERT_FAILS(SEL_E_FILE, sel_safetensors_read("short.safetensors", &a), "8 bytes", "3 bytes");
  put_file("long.safetensors", "\377\377\377\377\0\0\0\0{}", 10);
  ASSERT_FAILS(SEL_E_FILE, sel_safetensors_read("long.safetensors", &a), "100000000", "4294967295");
  put_file("cut.safetensors", "\144\0\0\0\0\0\0\0{}", 10);
  ASSERT_FAILS(SEL_E_FILE, sel_safetensors_read("cut.safetensors", &a), "truncated", "100 bytes",
               "found 2");
}
END_TEST

START_TEST(refuses_headers) {
  ASSERT_REFUSED("", 0, "'{'");
  ASSERT_REFUSED("[]", 0, "'{'");
  ASSERT_REFUSED(" {}", 0, "'{'");
  ASSERT_REFUSED("{\"a\":", 0, "JSON", "byte");
  ASSERT_REFUSED("{}}", 0, "JSON");
  ASSERT_REFUSED("{\"a\\u0000b\":1}", 0, "JSON");
  ASSERT_REFUSED("{\"\xff\":1}", 0, "JSON");
  ASSERT_REFUSED("{\"__metadata__\":[]}", 0, "__metadata__", "object");
  ASSERT_REFUSED("{\"__metadata__\":{\"k\":1}}", 0, "string", "'k'");
  ASSERT_REFUSED(
      "{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
      "\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
      1, "duplicate", "w");
}
END_TEST

START_TEST(refuses_tensors) {
  ASSERT_REFUSED("{\"w\":1}", 0, "tensor 'w'", "object");
  ASSERT_REFUSED(W("\"F8_E4M3\"", "[1]", "[0,1]"), 1, "tensor 'w'", "F8_E4M3", "F32");
  ASSERT_REFUSED(W("\"U16\"", "[1]", "[0,2]"), 2, "tensor 'w'", "U16");
  ASSERT_REFUSED(W("3", "[1]", "[0,1]"), 1, "tensor 'w'", "dtype");
  ASSERT_REFUSED(W("\"U8\"", "3", "[0,1]"), 1, "tensor 'w'", "shape");
  ASSERT_REFUSED(W("\"U8\"", "[-1]", "[0,1]"), 1, "tensor 'w'", "extent 0");
  ASSERT_REFUSED(W("\"U8\"", "[1.0]", "[0,1]"), 1, "tensor 'w'", "extent 0");
  ASSERT_REFUSED(W("\"U8\"", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 1, "tensor 'w'", "8 dims", "9");
  ASSERT_REFUSED(W("\"F32\"", "[4611686018427387904,2]", "[0,0]"), 0, "tensor 'w'", "counted",
                 "[4611686018427387904, 2]");
  ASSERT_REFUSED(W("\"U8\"", "[0,4611686018427387904,4611686018427387904]", "[0,0]"), 0, "counted");
  ASSERT_REFUSED(W("\"U8\"", "[99999999999999999999]", "[0,0]"), 0, "JSON");
  ASSERT_REFUSED(W("\"F32\"", "[2,3]", "[0,20]"), 20, "tensor 'w'", "24 bytes", "F32[2, 3]",
                 "[0, 20]");
}
END_TEST

START_TEST(refuses_offsets) {
  ASSERT_REFUSED(W("\"U8\"", "[1]", "[0]"), 1, "tensor 'w'", "data_offsets");
  ASSERT_REFUSED(W("\"U8\"", "[1]", "[0,1,2]"), 1, "tensor 'w'", "data_offsets");
  ASSERT_REFUSED(W("\"U8\"", "[1]", "[1,0]"), 1, "tensor 'w'", "data_offsets");
  ASSERT_REFUSED(W("\"U8\"", "[1]", "[-1,0]"), 1, "tensor 'w'", "data_offsets");
  ASSERT_REFUSED(W("\"U8\"", "[1]", "\"x\""), 1, "tensor 'w'", "data_offsets");
  ASSERT_REFUSED(W("\"U8\"", "[4]", "[0,4]"), 3, "tensor 'w'", "truncated", "byte 4", "3 bytes");
  ASSERT_REFUSED(W("\"U8\"", "[4]", "[0,4]"), 6, "4 bytes", "found 6");
  ASSERT_REFUSED(W("\"U8\"", "[3]", "[1,4]"), 4, "tensor 'w'", "byte 0", "found 1");
  ASSERT_REFUSED(
      "{\"v\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
      "\"w\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
      6, "tensor 'w'", "byte 4", "found 2");
  ASSERT_REFUSED("{}", 5, "0 bytes", "found 5");
}
END_TEST

START_TEST(refuses_to_write) {
  sel_archive *a;
  put_file("kept.safetensors", "old", 3);
  ASSERT_OK(sel_archive_new(&a));
  add_new(a, "__metadata__", make_tensor(SEL_U8, 0, NULL));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_safetensors_write("kept.safetensors", a),
               "safetensors_write: kept.safetensors", "__metadata__");
  sel_archive_release(a);
  ASSERT_OK(sel_archive_new(&a));
  add_new(a, "\xff", make_tensor(SEL_U8, 0, NULL));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_safetensors_write("kept.safetensors", a), "UTF-8");
  sel_archive_release(a);
  ASSERT_OK(sel_archive_new(&a));
  ASSERT_OK(sel_archive_set_metadata(a, "k", "\xff"));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_safetensors_write("kept.safetensors", a), "metadata", "UTF-8");
  sel_archive_release(a);
  ASSERT_OK(sel_archive_new(&a));
  ASSERT_FAILS(SEL_E_FILE, sel_safetensors_write("missing/x.safetensors", a), strerror(ENOENT));
  sel_archive_release(a);
  assert_file_holds("kept.safetensors", "old", 3);
  assert_no_temporary();
}
END_TEST

START_TEST(keeps_the_old_file_when_the_disk_is_full) {
  sel_archive *x = make_archive();
  put_file("full.safetensors", "old", 3);
  limit_file_size(1000);
  sel_status status = sel_safetensors_write("full.safetensors", x);
  limit_file_size(-1);
  ASSERT_FAILS(SEL_E_FILE, status, "safetensors_write: full.safetensors: ", strerror(EFBIG));
  assert_file_holds("full.safetensors", "old", 3);
  assert_no_temporary();
  sel_archive_release(x);
}
END_TEST

static sel_status write_archive(void *archive) {
  put_file("memory.safetensors", "old", 3);
  sel_status status = sel_safetensors_write("memory.safetensors", archive);
  if (status != SEL_OK) assert_file_holds("memory.safetensors", "old", 3);
  assert_no_temporary();
  return status;
}

static sel_status read_archive(void *path) {
  sel_archive *archive = NULL;
  sel_status status = sel_safetensors_read(path, &archive);
  ck_assert((status == SEL_OK) == (archive != NULL));
  sel_archive_release(archive);
  return status;
}

START_TEST(survives_failing_allocations) {
  sel_archive *archive = make_archive();
  expect_memory_errors(write_archive, archive);
  expect_memory_errors(read_archive, (void *)(uintptr_t)GOLDEN("model.safetensors"));
  sel_archive_release(archive);
}
END_TEST

/* Every prefix of a good file, and the file with a byte more, is refused. */
START_TEST(refuses_every_truncation) {
  size_t size;
  char *data = get_file(GOLDEN("model.safetensors"), &size);
  data[size] = 0;
  for (size_t n = 0; n <= size + 1; n++) {
    if (n == size) continue;
    sel_archive *a = NULL;
    put_file("prefix.safetensors", data, n);
    ASSERT_FAILS(SEL_E_FILE, sel_safetensors_read("prefix.safetensors", &a), "expected", "found");
    ck_assert_ptr_null(a);
  }
  free(data);
}
END_TEST

RUN_SUITE("safetensors", round_trip, data_is_aligned, reads_the_reference, writes_as_the_reference,
          accepts_what_the_format_allows, cleans_bools, refuses_files, refuses_headers,
          refuses_tensors, refuses_offsets, refuses_to_write, survives_failing_allocations,
          keeps_the_old_file_when_the_disk_is_full, refuses_every_truncation)
