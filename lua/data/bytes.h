/* Growing arrays of bytes. A failed allocation is remembered, and later pushes do nothing: it is
 * enough to ask once, at the end. Zeros are an empty one. */
#ifndef SEL_DATA_BYTES_H
#define SEL_DATA_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bytes {
  char *data;
  size_t size, capacity;
  bool failed;
} bytes;

/* Room for `more` bytes behind the last; NULL on failure. */
char *bytes_room(bytes *b, size_t more);
void bytes_add(bytes *b, const void *data, size_t size);
void bytes_free(bytes *b);

static inline void bytes_add_i32(bytes *b, int32_t value) { bytes_add(b, &value, sizeof value); }
static inline const int32_t *bytes_i32(const bytes *b) { return (const void *)b->data; }
static inline size_t bytes_i32_count(const bytes *b) { return b->size / sizeof(int32_t); }

#endif
