/* Tokenizers without merges: of the characters of a text, of the 256 bytes. */
#include <stdlib.h>
#include <string.h>

#include "tokenizer.h"

/* What is no UTF-8 is ordered behind all code points, by its byte. */
typedef struct character {
  int32_t order;
  char text[4];
  size_t size;
} character;

static int compare(const void *a, const void *b) {
  int32_t x = ((const character *)a)->order, y = ((const character *)b)->order;
  return (x > y) - (x < y);
}

/* The different characters of a text. */
static void collect(const char *text, size_t size, words *found) {
  bool seen[128] = {false};
  for (size_t at = 0; at < size;) {
    int32_t code = (unsigned char)text[at];
    size_t n = code < 128 ? 1 : utf8_next(text + at, size - at, &code);
    bool known = n == 1 && code >= 0 && code < 128 && seen[code];
    if (!known) words_add(found, text + at, n);
    if (n == 1 && code >= 0 && code < 128) seen[code] = true;
    at += n;
  }
}

static sel_status add_sorted(const words *found, sel_tokenizer *t) {
  character *all = calloc(found->n + 1, sizeof *all);
  if (!all) return text_memory();
  for (size_t i = 0; i < found->n; i++) {
    size_t size;
    const char *text = words_text(found, (int64_t)i, &size);
    utf8_next(text, size, &all[i].order);
    if (all[i].order < 0) all[i].order = 0x110000 + (unsigned char)text[0];
    memcpy(all[i].text, text, size < 4 ? size : 4);
    all[i].size = size;
  }
  qsort(all, found->n, sizeof *all, compare);
  sel_status status = SEL_OK;
  for (size_t i = 0; i < found->n && status == SEL_OK; i++)
    status = tokenizer_add(t, (int32_t)i, all[i].text, all[i].size);
  free(all);
  return status;
}

static sel_status finish(sel_status status, sel_tokenizer *t, sel_tokenizer **out) {
  if (status == SEL_OK) status = tokenizer_write_json(t);
  if (status != SEL_OK) {
    sel_tokenizer_release(t);
    return status;
  }
  *out = t;
  return SEL_OK;
}

sel_status sel_tokenizer_characters(const char *text, size_t size, sel_tokenizer **out) {
  sel_tokenizer *t;
  words found = {0};
  SEL_CHECK(size > 0, SEL_E_ARGUMENT, "characters: expected a text, got an empty string");
  SEL_TRY(tokenizer_new(&t));
  collect(text, size, &found);
  sel_status status = words_failed(&found) ? text_memory() : add_sorted(&found, t);
  words_free(&found);
  return finish(status, t, out);
}

sel_status sel_tokenizer_bytes(sel_tokenizer **out) {
  sel_tokenizer *t;
  SEL_TRY(tokenizer_new(&t));
  t->byte_level = true;
  sel_status status = SEL_OK;
  for (int b = 0; b < 256 && status == SEL_OK; b++) {
    char byte = (char)b;
    status = tokenizer_add(t, b, &byte, 1);
  }
  return finish(status, t, out);
}
