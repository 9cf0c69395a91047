/* See row_order.h. */
#include "row_order.h"

#include <string.h>

#include "philox.h"

static sel_status check_rows(int64_t count, int64_t n, const int64_t *rows) {
  SEL_CHECK(n >= 0 && n < (int64_t)1 << 40, SEL_E_ARGUMENT,
            "loader: expected 0 to 2^40 rows to select, got %lld", (long long)n);
  for (int64_t i = 0; rows && i < n; i++)
    SEL_CHECK(rows[i] >= 0 && rows[i] < count, SEL_E_ARGUMENT,
              "loader: expected rows from 0 to %lld, got %lld at place %lld of those selected",
              (long long)count - 1, (long long)rows[i], (long long)i);
  return SEL_OK;
}

sel_status sel__order_choose(sel__order *order, int64_t count, bool shuffle, int64_t n,
                             const int64_t *rows) {
  sel__order chosen = {.rows = n};
  SEL_TRY(check_rows(count, n, rows));
  size_t bytes = (size_t)n * sizeof *rows;
  if (shuffle) chosen.shuffled = sel__alloc(bytes + 1);
  if (rows) chosen.selected = sel__alloc(bytes + 1);
  if ((shuffle && !chosen.shuffled) || (rows && !chosen.selected)) {
    sel__order_release(&chosen);
    return SEL_E_MEMORY;
  }
  if (rows) memcpy(chosen.selected, rows, bytes);
  sel__order_release(order);
  *order = chosen;
  return SEL_OK;
}

void sel__order_release(sel__order *order) {
  sel__free(order->selected);
  sel__free(order->shuffled);
  *order = (sel__order){0};
}

void sel__order_shuffle(sel__order *order, uint64_t seed, uint64_t counter) {
  if (!order->shuffled) return;
  sel__philox_shuffle(seed, &counter, order->rows, order->shuffled);
  for (int64_t i = 0; order->selected && i < order->rows; i++)
    order->shuffled[i] = order->selected[order->shuffled[i]];
}
