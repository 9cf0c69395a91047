/* Byte pair encoding of one word: of all neighbours that merge, the pair that was learnt first
 * merges first, and of equal ones the leftmost. A heap of candidates keeps a long word at n log n;
 * one whose symbols have changed since it was pushed is dropped when its turn comes. */
#include <stdlib.h>

#include "tokenizer.h"

typedef struct symbol {
  int32_t id; /* -1: merged into the one before */
  int32_t previous, next;
} symbol;

typedef struct candidate {
  int32_t rank, at, id;
} candidate;

typedef struct word_state {
  const sel_tokenizer *t;
  symbol *symbols;
  candidate *heap;
  int32_t n, n_heap;
} word_state;

/* ---- candidates, the first to merge on top ---- */

static bool comes_first(candidate a, candidate b) {
  return a.rank != b.rank ? a.rank < b.rank : a.at < b.at;
}

static void push(word_state *w, int32_t at) {
  if (at < 0 || w->symbols[at].next < 0) return;
  const pair_value *found =
      pairs_find(&w->t->merges, pair_of(w->symbols[at].id, w->symbols[w->symbols[at].next].id));
  if (!found) return;
  candidate c = {found->rank, at, found->id};
  int32_t i = w->n_heap++;
  for (; i > 0 && comes_first(c, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
    w->heap[i] = w->heap[(i - 1) / 2];
  w->heap[i] = c;
}

static candidate pop(word_state *w) {
  candidate top = w->heap[0], last = w->heap[--w->n_heap];
  int32_t i = 0;
  for (int32_t child; (child = 2 * i + 1) < w->n_heap; i = child) {
    if (child + 1 < w->n_heap && comes_first(w->heap[child + 1], w->heap[child])) child++;
    if (!comes_first(w->heap[child], last)) break;
    w->heap[i] = w->heap[child];
  }
  w->heap[i] = last;
  return top;
}

static void merge(word_state *w, candidate c) {
  symbol *left = &w->symbols[c.at];
  if (left->id < 0 || left->next < 0) return;
  symbol *right = &w->symbols[left->next];
  const pair_value *found = pairs_find(&w->t->merges, pair_of(left->id, right->id));
  if (!found || found->id != c.id) return;
  left->id = c.id;
  right->id = -1;
  left->next = right->next;
  if (right->next >= 0) w->symbols[right->next].previous = c.at;
  push(w, left->previous);
  push(w, c.at);
}

/* ---- a word ---- */

/* Symbols without a token are an error, or the unknown token. */
static sel_status add_symbol(word_state *w, const char *word, size_t at, size_t size) {
  int32_t id = tokenizer_find(w->t, word + at, size);
  if (id < 0) id = w->t->unknown;
  if (id < 0) {
    int32_t code;
    long character = 0;
    for (size_t i = 0; i <= at; character++) i += utf8_next(word + i, at + size - i, &code);
    return sel_fail(SEL_E_ARGUMENT,
                    "encode: character %ld, \"%.*s\", is not in the vocabulary of %lld tokens",
                    character, (int)size, word + at, (long long)w->t->n_tokens);
  }
  w->symbols[w->n] = (symbol){id, w->n - 1, w->n + 1};
  w->n++;
  return SEL_OK;
}

static sel_status add_symbols(word_state *w, const char *word, size_t size) {
  for (size_t at = 0; at < size;) {
    int32_t code;
    size_t n = w->t->byte_level ? 1 : utf8_next(word + at, size - at, &code);
    SEL_TRY(add_symbol(w, word, at, n));
    at += n;
  }
  w->symbols[w->n - 1].next = -1;
  return SEL_OK;
}

static void merge_all(word_state *w) {
  for (int32_t i = 0; i + 1 < w->n; i++) push(w, i);
  while (w->n_heap > 0) merge(w, pop(w));
}

sel_status bpe_encode(const sel_tokenizer *t, const char *word, size_t size, bytes *out) {
  int32_t whole = t->whole_words ? tokenizer_find(t, word, size) : -1;
  if (whole >= 0) {
    bytes_add_i32(out, whole);
    return SEL_OK;
  }
  SEL_CHECK(size < INT32_MAX / 4, SEL_E_ARGUMENT, "encode: a word of %zu bytes is too long", size);
  /* A merge takes one candidate away and adds two at most. */
  word_state w = {.t = t};
  w.symbols = malloc(size * sizeof *w.symbols);
  w.heap = t->merges.n > 0 ? malloc(3 * size * sizeof *w.heap) : NULL;
  sel_status status =
      w.symbols && (w.heap || t->merges.n == 0) ? add_symbols(&w, word, size) : text_memory();
  if (status == SEL_OK && w.heap) merge_all(&w);
  for (int32_t i = 0; status == SEL_OK && i < w.n; i++)
    if (w.symbols[i].id >= 0) bytes_add_i32(out, w.symbols[i].id);
  free(w.symbols);
  free(w.heap);
  return status;
}
