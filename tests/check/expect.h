/* What Check suites share: calls that must succeed or fail, host allocations failed in turn, the
 * device under test, and a main for one suite. What only one part's tests need stays in that part's
 * folder.
 *
 * SELENITE_TEST_DEVICE names the device that a suite runs on, "opencl" for example; else it is the
 * CPU. It is the default device of the tests, which ask for no other.
 */
#ifndef EXPECT_H
#define EXPECT_H

#include <check.h>
#include <selenite/selenite.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASSERT_OK(expr)                                                    \
  do {                                                                     \
    sel_status expect_status_ = (expr);                                    \
    ck_assert_msg(expect_status_ == SEL_OK, "%s: %s", #expr, sel_error()); \
  } while (0)

/* Fails with `status`, and the error text contains each of the texts. */
#define ASSERT_FAILS(status, expr, ...)                                                   \
  do {                                                                                    \
    sel_status expect_status_ = (expr);                                                   \
    const char *const expect_texts_[] = {__VA_ARGS__};                                    \
    ck_assert_msg(expect_status_ == (status), "%s: got %s: %s", #expr,                    \
                  sel_status_name(expect_status_), sel_error());                          \
    for (size_t text_ = 0; text_ < sizeof expect_texts_ / sizeof *expect_texts_; text_++) \
      ck_assert_msg(strstr(sel_error(), expect_texts_[text_]) != NULL,                    \
                    "expected \"%s\" in \"%s\"", expect_texts_[text_], sel_error());      \
  } while (0)

/* ---- host allocations ---- */

typedef struct expect_allocations {
  long live, made, fail_at; /* fail_at: number of the one to fail, from 0 */
} expect_allocations;

static inline void *expect_allocate(void *context, void *pointer, size_t size) {
  expect_allocations *counts = context;
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

/* Runs `attempt`, which cleans up after itself, with its first, second, ... host allocation
 * failing, until nothing is left to fail. Each failure must be reported as one of memory and leave
 * no allocation behind. */
static inline void expect_memory_errors(sel_status (*attempt)(void *context), void *context) {
  ASSERT_OK(attempt(context)); /* what is made once and kept is made here */
  for (long n = 0;; n++) {
    expect_allocations counts = {.fail_at = n};
    sel_set_allocator(expect_allocate, &counts);
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

/* ---- a suite ---- */

static inline const char *test_device(void) {
  const char *name = getenv("SELENITE_TEST_DEVICE");
  return name && *name ? name : NULL;
}

/* Loads the plugins beside libselenite. A device under test that isn't there ends the process as
 * skipped, with the reason. */
static inline void expect_plugins(void) {
  ASSERT_OK(sel_init(NULL));
  if (!test_device()) return;
  sel_device *device;
  if (sel_device_find(test_device(), &device) != SEL_OK) {
    printf("skipped: %s\n", sel_error());
    exit(77);
  }
  ASSERT_OK(sel_set_default_device(device));
}

/* Runs and frees the suite; returns what main does. Each test has a process of its own, but not on
 * a device under test: a driver's threads don't live through a fork. */
static inline int run_suite(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  if (test_device()) srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static inline int expect_suite(const char *name, SFun setup, int n, const TTest *const *tests) {
  Suite *suite = suite_create(name);
  TCase *tcase = tcase_create(name);
  if (setup) tcase_add_unchecked_fixture(tcase, setup, NULL);
  for (int i = 0; i < n; i++) tcase_add_test(tcase, tests[i]);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}

/* A main that calls `setup` once (NULL: nothing) and runs these tests. */
#define RUN_SUITE_WITH(setup, name, ...)                                          \
  int main(void) {                                                                \
    const TTest *const tests[] = {__VA_ARGS__};                                   \
    return expect_suite(name, setup, (int)(sizeof tests / sizeof *tests), tests); \
  }
/* The same with the plugins beside libselenite loaded. */
#define RUN_SUITE(name, ...) RUN_SUITE_WITH(expect_plugins, name, __VA_ARGS__)

#endif
