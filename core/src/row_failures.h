/* The rows of one batch that their source could not make, and why. A worker writes it, the caller's
 * thread reads it when the batch is done. */
#ifndef SEL_ROW_FAILURES_H
#define SEL_ROW_FAILURES_H

#include "core.h"

typedef struct sel__failure {
  sel_status status;
  const char *text; /* NULL: the row was made */
} sel__failure;

typedef struct sel__failures {
  int64_t n;          /* how many there are */
  int64_t capacity;   /* rows of a batch; 0: they can't fail */
  sel__failure *rows; /* of the batch */
} sel__failures;

/* Room for a batch of n rows; what is noted stays. Zeros are an empty one. */
sel_status sel__failures_reserve(sel__failures *failures, int64_t n);
void sel__failures_release(sel__failures *failures);

void sel__failures_clear(sel__failures *failures);
/* Notes that row k failed, with this thread's error text; the first text counts. */
void sel__failures_note(sel__failures *failures, int64_t k, sel_status status);
/* The first failed row whose status isn't `except`; NULL: there is none. */
const sel__failure *sel__failures_first(const sel__failures *failures, sel_status except);

#endif
