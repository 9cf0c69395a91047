/* Failing memory: each host allocation of an attempt in turn, each alone and each with all that
 * follow; and each allocation of a device. */
#ifndef FAILING_MEMORY_H
#define FAILING_MEMORY_H

#include "tensors.h"

typedef struct failing_allocator {
  long live, made, fail_at; /* fail_at: number of the one to fail, from 0 */
  bool all_after;           /* and all that follow */
} failing_allocator;

static inline void *allocate_or_fail(void *context, void *pointer, size_t size) {
  failing_allocator *f = context;
  if (size == 0) {
    if (pointer) __atomic_fetch_sub(&f->live, 1, __ATOMIC_RELAXED);
    free(pointer);
    return NULL;
  }
  long n = __atomic_fetch_add(&f->made, 1, __ATOMIC_RELAXED);
  if (n == f->fail_at || (f->all_after && n > f->fail_at)) return NULL;
  void *result = realloc(pointer, size);
  if (result && !pointer) __atomic_fetch_add(&f->live, 1, __ATOMIC_RELAXED);
  return result;
}

/* One attempt under an allocator that fails; returns whether anything was left to fail. The cache
 * is emptied before and after, so that storages are allocated and given back within. */
static inline bool attempt_with_failure(const char *what, sel_status (*attempt)(void *),
                                        void *context, long fail_at, bool all_after) {
  failing_allocator f = {.fail_at = fail_at, .all_after = all_after};
  sel_memory_release_cache(sel_default_device());
  double before = live_bytes();
  sel_set_allocator(allocate_or_fail, &f);
  sel_status status = attempt(context);
  sel_memory_release_cache(sel_default_device());
  sel_set_allocator(NULL, NULL);
  ck_assert_msg(f.live == 0, "%s, allocation %ld failed: %ld left behind", what, fail_at, f.live);
  ck_assert_msg(live_bytes() == before,
                "%s, allocation %ld failed: %g bytes of tensors left behind", what, fail_at,
                live_bytes() - before);
  ck_assert_msg(sel_grad_enabled(), "%s, allocation %ld failed: grad mode is off", what, fail_at);
  if (f.made <= fail_at) {
    ck_assert_msg(status == SEL_OK, "%s: %s", what, sel_error());
    return false;
  }
  ck_assert_msg(status == SEL_E_MEMORY, "%s, allocation %ld failed: got %s: %s", what, fail_at,
                sel_status_name(status), sel_error());
  return true;
}

/* `attempt` cleans up after itself, also when it fails; it may be repeated. */
static inline void expect_each_failure(const char *what, sel_status (*attempt)(void *),
                                       void *context) {
  sel_status status = attempt(context); /* what is made once and kept is made here */
  ck_assert_msg(status == SEL_OK, "%s: %s", what, sel_error());
  for (int all_after = 0; all_after < 2; all_after++) {
    long n = 0;
    while (attempt_with_failure(what, attempt, context, n, all_after)) {
      status = attempt(context); /* the next try works */
      ck_assert_msg(status == SEL_OK, "%s, after allocation %ld failed: %s", what, n, sel_error());
      ck_assert_int_lt(++n, 10000);
    }
    ck_assert_msg(n > 0, "%s allocates nothing", what);
  }
}

#endif
