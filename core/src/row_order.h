/* Which rows an epoch has, and in what order: all of them or a selection, in turn or shuffled. */
#ifndef SEL_ROW_ORDER_H
#define SEL_ROW_ORDER_H

#include "core.h"

typedef struct sel__order {
  int64_t rows;      /* of an epoch */
  int64_t *selected; /* the rows that take part; NULL: all, once */
  int64_t *shuffled; /* these in the order of this epoch; NULL: not shuffled */
} sel__order;

/* Epochs of n rows: copies of `rows`, each of which is below `count`, or 0...n-1 where it is NULL.
 * Changes nothing on failure. Zeros are an order without rows. */
sel_status sel__order_choose(sel__order *order, int64_t count, bool shuffle, int64_t n,
                             const int64_t *rows);
void sel__order_release(sel__order *order);

/* Shuffles, where that was asked for, with counters of `seed` from `counter` on. */
void sel__order_shuffle(sel__order *order, uint64_t seed, uint64_t counter);
/* The rows in their order; NULL: 0, 1, ... Borrowed. */
static inline const int64_t *sel__order_index(const sel__order *order) {
  return order->shuffled ? order->shuffled : order->selected;
}

#endif
