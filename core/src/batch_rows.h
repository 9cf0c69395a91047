/* One field of a loader's batches: chosen rows of a tensor, transformed, converted and normalised.
 *
 * A batch is made in three steps, so that the middle one, the work, needs no allocation and no
 * backend: new (caller's thread), fill (any thread), finish (caller's thread). Only a source can
 * fail in the middle one, and then for single rows.
 */
#ifndef SEL_BATCH_ROWS_H
#define SEL_BATCH_ROWS_H

#include "core.h"
#include "row_failures.h"
#include "selenite/data.h"

typedef struct sel__rows sel__rows;

/* Checks the description of field `i`, all of whose members are there, and keeps what it needs.
 * New.
 */
sel_status sel__rows_new(int i, const sel_loader_field *field, sel__rows **out);
void sel__rows_release(sel__rows *rows);
int64_t sel__rows_count(const sel__rows *rows);

/* The rows of one batch: index[0...n-1], or first, first + 1, ... where index is NULL. The k-th of
 * them draws from counter + k of the stream `seed`. */
typedef struct sel__batch {
  const int64_t *index;
  int64_t first, n;
  uint64_t seed, counter;
} sel__batch;

/* Memory for a batch. New. */
sel_status sel__rows_batch(const sel__rows *rows, const sel__batch *which, sel_tensor **out);
/* Bytes that filling it needs besides. */
size_t sel__rows_scratch(const sel__rows *rows);
/* Rows that their source couldn't make are noted in `failures`, which is written only where
 * sel__rows_can_fail. */
void sel__rows_fill(const sel__rows *rows, const sel__batch *which, void *scratch,
                    sel_tensor *batch, sel__failures *failures);
bool sel__rows_can_fail(const sel__rows *rows);
/* Moves the rows of a filled batch of n that didn't fail to its beginning. */
void sel__rows_close_gaps(const sel__failures *failures, int64_t n, sel_tensor *batch);
/* The field's dtype on `device`; `batch` itself where nothing changes. May be called again after a
 * failure. New. */
sel_status sel__rows_finish(const sel__rows *rows, sel_tensor *batch, sel_device *device,
                            sel_tensor **out);

#endif
