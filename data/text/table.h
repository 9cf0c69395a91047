/* Hash tables: from byte strings to their number, counting from 0 in the order they were added; and
 * from pairs of ids to what they merge into. Allocations that fail are remembered as in bytes.h. */
#ifndef SEL_DATA_TABLE_H
#define SEL_DATA_TABLE_H

#include "bytes.h"

/* ---- byte strings ---- */

typedef struct words {
  bytes text;      /* all of them, one behind the other */
  bytes starts;    /* size_t: where each begins; where the next would */
  uint32_t *slots; /* number + 1, or 0 */
  size_t n, n_slots;
} words;

void words_free(words *w);
/* Number of a string, or -1. */
int64_t words_find(const words *w, const char *text, size_t size);
/* Number of a string, added where it isn't there; -1 when memory runs out. */
int64_t words_add(words *w, const char *text, size_t size);
const char *words_text(const words *w, int64_t number, size_t *size);
bool words_failed(const words *w);

/* ---- pairs ---- */

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
