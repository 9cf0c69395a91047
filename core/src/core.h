/* What all files of core share: checked calls and host memory. Nothing here is exported. */
#ifndef SEL_CORE_H
#define SEL_CORE_H

#include "selenite/base.h"

/* SEL_TRY(expr): forwards a failure. SEL_CHECK(condition, status, format, ...): reports one.
 * Where there is something to clean up, write `status = expr; if (status) goto done;` instead. */
#define SEL_TRY(expr)                        \
  do {                                       \
    sel_status sel_try_ = (expr);            \
    if (sel_try_ != SEL_OK) return sel_try_; \
  } while (0)
#define SEL_CHECK(condition, status, ...)                                  \
  do {                                                                     \
    if (!(condition)) {                                                    \
      sel_fail((status), __VA_ARGS__);                                     \
      return (status); /* said again, so that the compiler sees it fail */ \
    }                                                                      \
  } while (0)

#define SEL_LIKELY(x) __builtin_expect(!!(x), 1)
#define SEL_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Host memory for bookkeeping, through the allocator of sel_set_allocator. sel__alloc gives
 * uninitialised memory, sel__zalloc zeroed; NULL on failure, with the error text set. */
void *sel__alloc(size_t size);
void *sel__zalloc(size_t size);
void *sel__resize(void *pointer, size_t size); /* NULL on failure, `pointer` stays valid */
void sel__free(void *pointer);
char *sel__strdup(const char *text);

#endif
