/* What the tests of readers and writers share: the backend, tensors of known content, files of
 * given bytes, and the failure of each host allocation in turn. */
#ifndef FILE_FIXTURE_H
#define FILE_FIXTURE_H

#include <check.h>
#include <dirent.h>
#include <selenite/selenite.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define GOLDEN(name) SEL_TEST_DIR "/golden/files/" name

#define ASSERT_OK(expr)                                                     \
  do {                                                                      \
    sel_status fixture_status_ = (expr);                                    \
    ck_assert_msg(fixture_status_ == SEL_OK, "%s: %s", #expr, sel_error()); \
  } while (0)

/* Fails with `status`, and the error text contains each of the texts. */
#define ASSERT_FAILS(status, expr, ...)                                                     \
  do {                                                                                      \
    sel_status fixture_status_ = (expr);                                                    \
    const char *const fixture_texts_[] = {__VA_ARGS__};                                     \
    ck_assert_msg(fixture_status_ == (status), "%s: got %s: %s", #expr,                     \
                  sel_status_name(fixture_status_), sel_error());                           \
    for (size_t text_ = 0; text_ < sizeof fixture_texts_ / sizeof *fixture_texts_; text_++) \
      ck_assert_msg(strstr(sel_error(), fixture_texts_[text_]) != NULL,                     \
                    "expected \"%s\" in \"%s\"", fixture_texts_[text_], sel_error());       \
  } while (0)

static inline void load_backends(void) { ASSERT_OK(sel_init(NULL)); }

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

/* ---- host allocations ---- */

typedef struct allocations {
  long live, made, fail_at; /* fail_at: number of the one to fail, from 0; -1: none */
} allocations;

static inline void *counting_allocator(void *context, void *pointer, size_t size) {
  allocations *counts = context;
  if (size == 0) {
    if (pointer) __atomic_fetch_sub(&counts->live, 1, __ATOMIC_RELAXED);
    free(pointer);
    return NULL;
  }
  if (__atomic_fetch_add(&counts->made, 1, __ATOMIC_RELAXED) == counts->fail_at) return NULL;
  void *result = realloc(pointer, size);
  if (result && !pointer) __atomic_fetch_add(&counts->live, 1, __ATOMIC_RELAXED);
  return result;
}

/* Runs `attempt` with its first, second, ... host allocation failing, until nothing is left to
 * fail. Each failure must be reported as one of memory and leave no allocation behind. */
static inline void fail_each_allocation(sel_status (*attempt)(void *context), void *context) {
  ASSERT_OK(attempt(context)); /* what is made once and kept is made here */
  for (long n = 0;; n++) {
    allocations counts = {.fail_at = n};
    sel_set_allocator(counting_allocator, &counts);
    sel_status status = attempt(context);
    sel_set_allocator(NULL, NULL);
    ck_assert_msg(counts.live == 0, "allocation %ld failed: %ld left behind", n, counts.live);
    if (counts.made <= n) {
      ASSERT_OK(status);
      ck_assert_int_gt(n, 0);
      return;
    }
    ck_assert_msg(status == SEL_E_MEMORY, "allocation %ld failed: got %s: %s", n,
                  sel_status_name(status), sel_error());
    ck_assert_int_lt(n, 10000);
  }
}

/* A main for one suite of functions. */
static inline int run_suite(const char *name, int n, const TTest *const *tests) {
  Suite *suite = suite_create(name);
  TCase *tcase = tcase_create(name);
  tcase_add_unchecked_fixture(tcase, load_backends, NULL);
  for (int i = 0; i < n; i++) tcase_add_test(tcase, tests[i]);
  suite_add_tcase(suite, tcase);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
#define RUN_SUITE(name, ...)                                            \
  int main(void) {                                                      \
    const TTest *const tests[] = {__VA_ARGS__};                         \
    return run_suite(name, (int)(sizeof tests / sizeof *tests), tests); \
  }

#endif
