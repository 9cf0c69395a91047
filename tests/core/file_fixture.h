/* What the tests of readers and writers share: the backend, tensors of known content, files of
 * given bytes, and the failure of each host allocation in turn. */
#ifndef FILE_FIXTURE_H
#define FILE_FIXTURE_H

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "expect.h"

#define GOLDEN(name) SEL_TEST_DIR "/golden/files/" name

/* ---- tensors ---- */

/* Bytes of no particular pattern that are valid for the dtype. New. */
static inline sel_tensor *make_tensor(sel_dtype dtype, int ndim, const int64_t *shape) {
  size_t size = sel_dtype_size(dtype);
  for (int d = 0; d < ndim; d++) size *= (size_t)shape[d];
  unsigned char *bytes = malloc(size + 1);
  for (size_t i = 0; i < size; i++)
    bytes[i] = (unsigned char)(dtype == SEL_BOOL ? (i % 3 == 0) : (i * 37 + 11));
  sel_device *cpu;
  sel_tensor *t;
  ASSERT_OK(sel_device_find("cpu", &cpu));
  ASSERT_OK(sel_from_data(ndim, shape, dtype, cpu, bytes, size, &t));
  free(bytes);
  return t;
}

static inline size_t tensor_bytes(const sel_tensor *t) {
  return (size_t)sel_numel(t) * sel_dtype_size(sel_tensor_dtype(t));
}

static inline void assert_same_tensor(const sel_tensor *expected, const sel_tensor *got) {
  char a[256], b[256];
  sel_describe(expected, a, sizeof a);
  sel_describe(got, b, sizeof b);
  ck_assert_str_eq(a, b);
  size_t size = tensor_bytes(expected);
  unsigned char *x = malloc(size + 1), *y = malloc(size + 1);
  ASSERT_OK(sel_read(expected, x, size));
  ASSERT_OK(sel_read(got, y, size));
  ck_assert_msg(memcmp(x, y, size) == 0, "%s: the elements differ", a);
  free(x);
  free(y);
}

/* Dtype, shape (as sel_describe prints them) and, in C order, elements first, first + step, ... */
static inline void assert_sequence(sel_tensor *t, const char *description, double first,
                                   double step) {
  char text[256];
  ck_assert_ptr_nonnull(t);
  ck_assert_str_eq(sel_describe(t, text, sizeof text), description);
  int64_t position[SEL_MAX_DIMS] = {0}, n = sel_numel(t);
  for (int64_t i = 0; i < n; i++) {
    double value;
    int64_t rest = i;
    for (int d = sel_ndim(t) - 1; d >= 0; d--) {
      position[d] = rest % sel_size(t, d);
      rest /= sel_size(t, d);
    }
    ASSERT_OK(sel_get(t, sel_ndim(t), position, &value));
    ck_assert_msg(value == first + step * (double)i, "element %d of %s: expected %g, got %g",
                  (int)i, text, first + step * (double)i, value);
  }
}

/* ---- files ---- */

static inline void put_file(const char *path, const void *data, size_t size) {
  FILE *file = fopen(path, "wb");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(data, 1, size, file), size);
  ck_assert_int_eq(fclose(file), 0);
}

/* Caller frees. */
static inline char *get_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  ck_assert_msg(file != NULL, "%s is missing", path);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  char *data = malloc(*size + 1);
  ck_assert_uint_eq(fread(data, 1, *size, file), *size);
  fclose(file);
  return data;
}

static inline void assert_file_holds(const char *path, const void *data, size_t size) {
  size_t found_size;
  char *found = get_file(path, &found_size);
  ck_assert_msg(found_size == size && memcmp(found, data, size) == 0,
                "%s has other bytes (%zu, %zu)", path, size, found_size);
  free(found);
}

static inline void assert_same_file(const char *expected, const char *got) {
  size_t size;
  char *data = get_file(expected, &size);
  assert_file_holds(got, data, size);
  free(data);
}

/* Files in the working directory whose name contains `part`. */
static inline int count_files(const char *part) {
  int n = 0;
  DIR *folder = opendir(".");
  for (struct dirent *entry; (entry = readdir(folder));) n += strstr(entry->d_name, part) != NULL;
  closedir(folder);
  return n;
}

static inline void assert_no_temporary(void) { ck_assert_int_eq(count_files(".tmp"), 0); }

/* A limit on the size of files fails writing as a full disk does. -1 lifts it. */
static inline void limit_file_size(long bytes) {
  struct rlimit limit;
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = bytes < 0 ? limit.rlim_max : (rlim_t)bytes;
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
