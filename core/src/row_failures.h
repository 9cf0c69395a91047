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

/* ---- over all batches ---- */

typedef struct sel__skipped_row {
  int64_t row;
  char *text;
} sel__skipped_row;

/* Rows that were left out, each once, however often it failed. Zeros are an empty list. */
typedef struct sel__skipped {
  int64_t n, capacity;
  sel__skipped_row *rows;
} sel__skipped;

sel_status sel__skipped_add(sel__skipped *skipped, int64_t row, const char *text);
void sel__skipped_release(sel__skipped *skipped);

#endif
