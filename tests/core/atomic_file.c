/* sel_file_write: the new file whole or the old one untouched, permissions, links, no litter. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_fixture.h"

static mode_t mode_of(const char *path) {
  struct stat status;
  ck_assert_int_eq(stat(path, &status), 0);
  return status.st_mode & 07777;
}

START_TEST(writes_and_replaces) {
  unlink("a.txt");
  ASSERT_OK(sel_file_write("a.txt", "first", 5));
  assert_file_holds("a.txt", "first", 5);
  ASSERT_OK(sel_file_write("a.txt", "", 0));
  assert_file_holds("a.txt", "", 0);
  char path[4096];
  ck_assert_ptr_nonnull(getcwd(path, sizeof path - 8));
  strcat(path, "/a.txt");
  ASSERT_OK(sel_file_write(path, "by full path", 12));
  assert_file_holds("a.txt", "by full path", 12);
  assert_no_temporary();
}
END_TEST

START_TEST(keeps_permissions) {
  unlink("mode.txt");
  mode_t before = umask(027);
  ASSERT_OK(sel_file_write("mode.txt", "x", 1));
  ck_assert_uint_eq(mode_of("mode.txt"), 0640);
  ck_assert_int_eq(chmod("mode.txt", 0604), 0);
  ASSERT_OK(sel_file_write("mode.txt", "y", 1));
  ck_assert_uint_eq(mode_of("mode.txt"), 0604);
  umask(before);
}
END_TEST

START_TEST(follows_links) {
  unlink("link.txt");
  put_file("linked.txt", "old", 3);
  ck_assert_int_eq(symlink("linked.txt", "link.txt"), 0);
  ASSERT_OK(sel_file_write("link.txt", "new", 3));
  assert_file_holds("linked.txt", "new", 3);
  struct stat status;
  ck_assert_int_eq(lstat("link.txt", &status), 0);
  ck_assert(S_ISLNK(status.st_mode));
}
END_TEST

START_TEST(takes_the_longest_name) {
  char name[256];
  memset(name, 'n', 255);
  name[255] = '\0';
  ASSERT_OK(sel_file_write(name, "x", 1));
  assert_file_holds(name, "x", 1);
  unlink(name);
}
END_TEST

START_TEST(refuses_bad_targets) {
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_file_write(NULL, "x", 1), "file_write", "path");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_file_write("", "x", 1), "path");
  ASSERT_FAILS(SEL_E_FILE, sel_file_write("missing/a.txt", "x", 1), "file_write: missing/a.txt",
               strerror(ENOENT));
  ASSERT_FAILS(SEL_E_FILE, sel_file_write(".", "x", 1), "directory");
  ASSERT_FAILS(SEL_E_FILE, sel_file_write("/dev/full", "x", 1), "/dev/full", "regular file",
               "device");
  struct stat status;
  ck_assert_int_eq(stat("/dev/full", &status), 0);
  ck_assert(S_ISCHR(status.st_mode));
}
END_TEST

START_TEST(keeps_the_old_file_when_the_disk_is_full) {
  put_file("full.txt", "old", 3);
  char *data = calloc(1, 100000);
  limit_file_size(1000);
  sel_status status = sel_file_write("full.txt", data, 100000);
  limit_file_size(-1);
  free(data);
  ASSERT_FAILS(SEL_E_FILE, status, "file_write: full.txt: cannot write", strerror(EFBIG));
  assert_file_holds("full.txt", "old", 3);
  assert_no_temporary();
}
END_TEST

static sel_status write_again(void *context) {
  (void)context;
  sel_status status = sel_file_write("memory.txt", "new", 3);
  if (status != SEL_OK) {
    assert_file_holds("memory.txt", "old", 3);
    assert_no_temporary();
  }
  put_file("memory.txt", "old", 3);
  return status;
}

START_TEST(survives_failing_allocations) {
  put_file("memory.txt", "old", 3);
  expect_memory_errors(write_again, NULL);
}
END_TEST

RUN_SUITE("atomic_file", writes_and_replaces, keeps_permissions, follows_links,
          takes_the_longest_name, refuses_bad_targets, keeps_the_old_file_when_the_disk_is_full,
          survives_failing_allocations)
