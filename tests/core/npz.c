/* .npz: round trips, NumPy's stored and deflated files, damaged zips. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_fixture.h"

static void add_new(sel_archive *archive, const char *name, sel_tensor *t) {
  ASSERT_OK(sel_archive_add(archive, name, t));
  sel_release(t);
}

static sel_archive *make_archive(void) {
  sel_archive *archive;
  ASSERT_OK(sel_archive_new(&archive));
  add_new(archive, "w", make_tensor(SEL_F32, 2, (int64_t[]){100, 300}));
  add_new(archive, "layer.0/b", make_tensor(SEL_I64, 0, NULL));
  add_new(archive, "\xe5\x90\x8d", make_tensor(SEL_BOOL, 1, (int64_t[]){9}));
  add_new(archive, "empty", make_tensor(SEL_F16, 2, (int64_t[]){0, 3}));
  sel_tensor *t = make_tensor(SEL_U8, 2, (int64_t[]){3, 4}), *view;
  ASSERT_OK(sel_transpose(t, 0, 1, &view));
  sel_release(t);
  add_new(archive, "view", view);
  return archive;
}

START_TEST(round_trip) {
  sel_archive *archive = make_archive(), *back;
  ASSERT_OK(sel_npz_write("round.npz", archive));
  ASSERT_OK(sel_npz_read("round.npz", &back));
  ck_assert_int_eq(sel_archive_count(back), sel_archive_count(archive));
  for (int i = 0; i < sel_archive_count(archive); i++) {
    ck_assert_str_eq(sel_archive_name(back, i), sel_archive_name(archive, i));
    assert_same_tensor(sel_archive_tensor(archive, i), sel_archive_tensor(back, i));
  }
  ASSERT_OK(sel_npz_write("again.npz", back));
  assert_same_file("round.npz", "again.npz"); /* no times, no order of its own */
  sel_archive_release(back);
  sel_archive_release(archive);
}
END_TEST

START_TEST(keeps_permissions) {
  sel_archive *archive = make_archive();
  struct stat status;
  unlink("mode.npz");
  mode_t before = umask(022);
  ASSERT_OK(sel_npz_write("mode.npz", archive));
  ck_assert_int_eq(stat("mode.npz", &status), 0);
  ck_assert_uint_eq(status.st_mode & 07777, 0644);
  ck_assert_int_eq(chmod("mode.npz", 0666), 0);
  ASSERT_OK(sel_npz_write("mode.npz", archive));
  ck_assert_int_eq(stat("mode.npz", &status), 0);
  ck_assert_uint_eq(status.st_mode & 07777, 0666);
  umask(before);
  assert_no_temporary();
  sel_archive_release(archive);
}
END_TEST

START_TEST(empty_archive) {
  sel_archive *archive, *back;
  ASSERT_OK(sel_archive_new(&archive));
  ASSERT_OK(sel_npz_write("none.npz", archive));
  assert_same_file(GOLDEN("none.npz"), "none.npz");
  ASSERT_OK(sel_npz_read("none.npz", &back));
  ck_assert_int_eq(sel_archive_count(back), 0);
  sel_archive_release(back);
  sel_archive_release(archive);
}
END_TEST

START_TEST(reads_numpy) {
  static const char *const paths[] = {GOLDEN("stored.npz"), GOLDEN("deflated.npz")};
  for (int i = 0; i < 2; i++) {
    sel_archive *a;
    ASSERT_OK(sel_npz_read(paths[i], &a));
    ck_assert_int_eq(sel_archive_count(a), 5);
    ck_assert_str_eq(sel_archive_name(a, 0), "w");
    assert_sequence(sel_archive_find(a, "w"), "f32[2, 3]", -2, 1);
    assert_sequence(sel_archive_find(a, "layer.0/b"), "i64[4]", -2, 1);
    assert_sequence(sel_archive_find(a, "flag"), "bool[]", 1, 0);
    assert_sequence(sel_archive_find(a, "none"), "f64[0, 2]", 0, 0);
    assert_sequence(sel_archive_find(a, "\xe5\x90\x8d"), "u8[2, 2]", 0, 1);
    sel_archive_release(a);
  }
}
END_TEST

START_TEST(refuses_files) {
  sel_archive *a = NULL;
  size_t size;
  ASSERT_FAILS(SEL_E_FILE, sel_npz_read("no.npz", &a), "npz_read: no.npz: ", strerror(ENOENT));
  put_file("text.npz", "not a zip", 9);
  ASSERT_FAILS(SEL_E_FILE, sel_npz_read("text.npz", &a), "npz_read: text.npz: ", "zip");
  put_file("empty.npz", "", 0);
  ASSERT_FAILS(SEL_E_FILE, sel_npz_read("empty.npz", &a), "zip");

  char *data = get_file(GOLDEN("stored.npz"), &size);
  char *element = memmem(data, size, "\0\0\x80\xbf\0\0\0\0\0\0\x80\x3f", 12); /* -1, 0, 1 of w */
  ck_assert_ptr_nonnull(element);
  element[3] = 0x3f;
  put_file("flipped.npz", data, size);
  ASSERT_FAILS(SEL_E_FILE, sel_npz_read("flipped.npz", &a), "entry 'w.npy'", "CRC");
  element[3] = (char)0xbf;
  for (char *name = data; (name = memmem(name, size - (size_t)(name - data), "flag.npy", 8));
       name++)
    name[7] = 'x';
  put_file("other.npz", data, size);
  ASSERT_FAILS(SEL_E_FILE, sel_npz_read("other.npz", &a), "entry 'flag.npx'", ".npy");
  free(data);
  ck_assert_ptr_null(a);
}
END_TEST

START_TEST(refuses_every_truncation) {
  size_t size;
  char *data = get_file(GOLDEN("deflated.npz"), &size);
  for (size_t n = 0; n < size; n++) {
    sel_archive *a = NULL;
    put_file("prefix.npz", data, n);
    ASSERT_FAILS(SEL_E_FILE, sel_npz_read("prefix.npz", &a), "npz_read: prefix.npz");
    ck_assert_ptr_null(a);
  }
  free(data);
}
END_TEST

START_TEST(refuses_to_write) {
  sel_archive *a;
  put_file("kept.npz", "old", 3);
  ASSERT_OK(sel_archive_new(&a));
  add_new(a, "fine", make_tensor(SEL_F32, 0, NULL));
  add_new(a, "half", make_tensor(SEL_BF16, 0, NULL));
  ASSERT_FAILS(SEL_E_DTYPE, sel_npz_write("kept.npz", a), "npz_write: kept.npz", "half", "bf16");
  sel_archive_release(a);
  ASSERT_OK(sel_archive_new(&a));
  add_new(a, "\xff\xfe", make_tensor(SEL_F32, 0, NULL));
  ASSERT_FAILS(SEL_E_FILE, sel_npz_write("kept.npz", a), "npz_write: kept.npz", "zip");
  sel_archive_release(a);
  a = make_archive();
  ASSERT_FAILS(SEL_E_FILE, sel_npz_write("missing/x.npz", a), strerror(ENOENT));
  sel_archive_release(a);
  assert_file_holds("kept.npz", "old", 3);
  assert_no_temporary();
}
END_TEST

START_TEST(keeps_the_old_file_when_the_disk_is_full) {
  sel_archive *x = make_archive();
  put_file("full.npz", "old", 3);
  limit_file_size(1000);
  sel_status status = sel_npz_write("full.npz", x);
  limit_file_size(-1);
  ASSERT_FAILS(SEL_E_FILE, status, "npz_write: full.npz: ", strerror(EFBIG));
  assert_file_holds("full.npz", "old", 3);
  assert_no_temporary();
  sel_archive_release(x);
}
END_TEST

static sel_status write_archive(void *archive) {
  put_file("memory.npz", "old", 3);
  sel_status status = sel_npz_write("memory.npz", archive);
  if (status != SEL_OK) assert_file_holds("memory.npz", "old", 3);
  assert_no_temporary();
  return status;
}

static sel_status read_archive(void *path) {
  sel_archive *archive = NULL;
  sel_status status = sel_npz_read(path, &archive);
  ck_assert((status == SEL_OK) == (archive != NULL));
  sel_archive_release(archive);
  return status;
}

START_TEST(survives_failing_allocations) {
  sel_archive *archive = make_archive();
  expect_memory_errors(write_archive, archive);
  expect_memory_errors(read_archive, (void *)(uintptr_t)GOLDEN("deflated.npz"));
  sel_archive_release(archive);
}
END_TEST

RUN_SUITE("npz", round_trip, keeps_permissions, empty_archive, reads_numpy, refuses_files,
          refuses_every_truncation, refuses_to_write, keeps_the_old_file_when_the_disk_is_full,
          survives_failing_allocations)
