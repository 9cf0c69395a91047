/* A regular file open for reading, with its size known: the size bounds whatever its header claims.
 */
#ifndef SEL_INPUT_FILE_H
#define SEL_INPUT_FILE_H

#include "core.h"

typedef struct sel__input {
  int fd; /* -1: closed */
  uint64_t size;
} sel__input;

sel_status sel__input_open(const char *path, sel__input *out);
void sel__input_close(sel__input *in);
/* Exactly `size` bytes from `offset`; that the file has them is checked by the caller, so a shorter
 * read means that it shrank meanwhile. */
sel_status sel__input_read(const sel__input *in, uint64_t offset, void *destination, size_t size);

/* No stream of deflate expands more than 1032 times (https://zlib.net/zlib_tech.html): whether
 * `packed` bytes can hold `bytes`. Asked before memory is allocated on a header's word. */
static inline bool sel__can_inflate(uint64_t packed, uint64_t bytes) {
  return bytes / 1032 <= packed;
}

#endif
