/* See words.h. Open addressing; slots are a power of two, at most half of them used. */
#include "words.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/, its bits mixed once more. */
static uint64_t hash_of(const char *text, size_t size) {
  uint64_t h = 0xcbf29ce484222325u;
  for (size_t i = 0; i < size; i++) h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
  return h ^ h >> 32;
}

void words_free(words *w) {
  bytes_free(&w->text);
  bytes_free(&w->starts);
  free(w->slots);
  *w = (words){0};
}

bool words_failed(const words *w) { return w->text.failed || w->starts.failed; }

const char *words_text(const words *w, int64_t number, size_t *size) {
  const size_t *starts = (const void *)w->starts.data;
  *size = starts[number + 1] - starts[number];
  return w->text.data + starts[number];
}

/* The slot of a string, or the free one where it belongs. */
static size_t slot_of(const words *w, const char *text, size_t size) {
  size_t at = hash_of(text, size) & (w->n_slots - 1);
  for (; w->slots[at]; at = (at + 1) & (w->n_slots - 1)) {
    size_t length;
    const char *other = words_text(w, w->slots[at] - 1, &length);
    if (length == size && memcmp(other, text, size) == 0) break;
  }
  return at;
}

int64_t words_find(const words *w, const char *text, size_t size) {
  return w->n_slots ? (int64_t)w->slots[slot_of(w, text, size)] - 1 : -1;
}

static bool grow_words(words *w) {
  size_t n_slots = w->n_slots ? 2 * w->n_slots : 64;
  uint32_t *slots = calloc(n_slots, sizeof *slots);
  if (!slots) return false;
  free(w->slots);
  w->slots = slots;
  w->n_slots = n_slots;
  for (size_t i = 0; i < w->n; i++) {
    size_t size;
    const char *text = words_text(w, (int64_t)i, &size);
    slots[slot_of(w, text, size)] = (uint32_t)i + 1;
  }
  return true;
}

int64_t words_add(words *w, const char *text, size_t size) {
  if (2 * (w->n + 1) > w->n_slots && !grow_words(w)) w->text.failed = true;
  if (words_failed(w)) return -1;
  size_t at = slot_of(w, text, size);
  if (w->slots[at]) return w->slots[at] - 1;
  size_t start = 0;
  if (w->n == 0) bytes_add(&w->starts, &start, sizeof start);
  bytes_add(&w->text, text, size);
  size_t end = w->text.size;
  bytes_add(&w->starts, &end, sizeof end);
  if (words_failed(w)) return -1;
  w->slots[at] = (uint32_t)++w->n;
  return (int64_t)w->n - 1;
}
