/* Checked calls, for all libraries of this folder. SEL_TRY(expr) forwards a failure;
 * SEL_CHECK(condition, status, format, ...) reports one. */
#ifndef SEL_DATA_CHECK_H
#define SEL_DATA_CHECK_H

#include <selenite/base.h>

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

#endif
