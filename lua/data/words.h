/* Byte strings and their numbers, which count from 0 in the order they were added. Allocations that
 * fail are remembered as in bytes.h. */
#ifndef SEL_DATA_WORDS_H
#define SEL_DATA_WORDS_H

#include "bytes.h"

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

#endif
