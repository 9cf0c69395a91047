/* Where the rows of a field come from: a tensor's memory, pieces of one that offsets cut out, or a
 * source that makes them. */
#ifndef SEL_ROW_ORIGIN_H
#define SEL_ROW_ORIGIN_H

#include "core.h"
#include "selenite/data.h"

typedef struct sel__origin {
  /* A tensor of our own on the memory, which stays when the user frees theirs. Its dims behind the
   * first, and its dtype, are those of a row; with a source it has no rows. */
  sel_tensor *rows;
  sel_tensor *offsets;   /* the same for them; NULL: rows are of one length */
  sel_row_source source; /* .read NULL: none */
  int64_t count;         /* rows */
  int64_t elements;      /* of one row; with offsets, of one position of it */
} sel__origin;

/* Checks what field `i` says of its rows, and holds on to them. */
sel_status sel__origin_init(int i, const sel_loader_field *field, sel__origin *out);
void sel__origin_release(sel__origin *origin); /* harmless on zeros */

/* Positions of row `row`: 1 without offsets. */
int64_t sel__origin_length(const sel__origin *origin, int64_t row);
/* Bytes of one row that `sel__origin_row` may need; 0: it needs none. */
size_t sel__origin_room(const sel__origin *origin);
/* The elements of row `row`, in memory or made in `room`. Only sources fail. */
sel_status sel__origin_row(const sel__origin *origin, int64_t row, void *room, const char **out);

#endif
