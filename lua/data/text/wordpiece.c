/* WordPiece: the longest token that the rest of a word begins with, again and again; a word that
 * can't be told so is the unknown token. See tokenizer.h. */
#include <string.h>

#include "tokenizer.h"

static int64_t count_characters(const char *word, size_t size) {
  int64_t n = 0;
  int32_t code;
  for (size_t at = 0; at < size; n++) at += utf8_next(word + at, size - at, &code);
  return n;
}

/* The id of word[start...end - 1], which begins the word or goes on. `piece`: room for its name. */
static int32_t find_piece(const sel_tokenizer *t, const char *word, size_t start, size_t end,
                          bytes *piece) {
  piece->size = 0;
  if (start > 0) bytes_add(piece, t->continuing, t->continuing_size);
  bytes_add(piece, word + start, end - start);
  return piece->failed ? -1 : tokenizer_find(t, piece->data, piece->size);
}

sel_status wordpiece_encode(const sel_tokenizer *t, const char *word, size_t size, bytes *out) {
  size_t before = out->size, start = 0;
  bytes piece = {0};
  bool found = count_characters(word, size) <= t->longest;
  while (found && start < size) {
    size_t end = size;
    int32_t id = -1;
    while (end > start && (id = find_piece(t, word, start, end, &piece)) < 0) {
      end--; /* to the beginning of the last character */
      while (end > start && ((unsigned char)word[end] & 0xC0) == 0x80) end--;
    }
    found = id >= 0;
    if (found) bytes_add_i32(out, id);
    start = end;
  }
  bool failed = piece.failed;
  bytes_free(&piece);
  if (failed) return text_memory();
  if (found) return SEL_OK;
  out->size = before;
  bytes_add_i32(out, t->unknown);
  return SEL_OK;
}
