/* See bytes.h. */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

char *bytes_room(bytes *b, size_t more) {
  if (b->failed) return NULL;
  if (b->size + more > b->capacity) {
    size_t capacity = b->capacity ? 2 * b->capacity : 64;
    while (capacity < b->size + more) capacity *= 2;
    char *moved = realloc(b->data, capacity);
    if (!moved) {
      b->failed = true;
      return NULL;
    }
    b->data = moved;
    b->capacity = capacity;
  }
  return b->data + b->size;
}

void bytes_add(bytes *b, const void *data, size_t size) {
  char *to = bytes_room(b, size);
  if (!to) return;
  if (size > 0) memcpy(to, data, size);
  b->size += size;
}

void bytes_free(bytes *b) {
  free(b->data);
  *b = (bytes){0};
}
