/* Pairs of ids and what they merge into. A failed allocation is remembered. */
#ifndef SEL_DATA_PAIRS_H
#define SEL_DATA_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pair_value {
  int32_t rank, id;
} pair_value;

typedef struct pairs {
  uint64_t *keys; /* pair + 1, or 0 */
  pair_value *values;
  size_t n, n_slots;
  bool failed;
} pairs;

void pairs_free(pairs *p);
static inline uint64_t pair_of(int32_t a, int32_t b) {
  return (uint64_t)(uint32_t)a << 32 | (uint32_t)b;
}
/* NULL: not there. Valid until the next pairs_put. */
pair_value *pairs_find(const pairs *p, uint64_t pair);
/* The value of a pair, which is zeros where it is new; NULL when memory runs out. */
pair_value *pairs_put(pairs *p, uint64_t pair);

#endif
