/* Learning merges (Sennrich et al. 2016): the most frequent pair of neighbours becomes a token,
 * again and again. As Hugging Face's trainer, step for step, so that the same text gives the same
 * file: of equally frequent pairs the one with the smaller ids comes first, and a pair is merged in
 * the words where it was when it was put into the queue. */
#include <stdlib.h>
#include <string.h>

#include "tokenizer.h"

typedef struct entry { /* of the queue: a pair, how often it is there, the words that have it */
  uint64_t pair;
  int64_t count;
  int32_t *words;
  size_t n_words;
} entry;

typedef struct word {
  int32_t *ids;
  int32_t n;
  int64_t count;
} word;

typedef struct trainer {
  const sel_bpe_settings *settings;
  words texts;  /* the different words */
  bytes counts; /* int64_t */
  word *word;   /* the same as ids */
  words names;  /* tokens; their number is the id */
  pairs index;  /* of all pairs: .id is their place in totals */
  bytes totals; /* int64_t: how often each is there */
  entry *queue; /* a heap */
  size_t n_queue, queue_capacity;
  pairs fresh; /* pairs that a merge made: .id is their place in made */
  entry *made;
  size_t n_made, made_capacity;
  bytes merges; /* uint64_t: pairs in the order they were merged */
  bool failed;  /* memory ran out */
} trainer;

/* ---- counting ---- */

static sel_status count_word(void *context, const char *text, size_t size) {
  trainer *t = context;
  size_t before = t->texts.n;
  int64_t number = words_add(&t->texts, text, size), one = 1;
  if (number < 0) return text_memory();
  if (t->texts.n > before)
    bytes_add(&t->counts, &one, sizeof one);
  else
    ((int64_t *)(void *)t->counts.data)[number]++;
  return t->counts.failed ? text_memory() : SEL_OK;
}

static int64_t *total_of(trainer *t, uint64_t pair) {
  size_t before = t->index.n;
  pair_value *value = pairs_put(&t->index, pair);
  int64_t zero = 0;
  if (value && t->index.n > before) {
    value->id = (int32_t)(t->totals.size / sizeof zero);
    bytes_add(&t->totals, &zero, sizeof zero);
  }
  if (!value || t->totals.failed) {
    t->failed = true;
    return NULL;
  }
  return (int64_t *)(void *)t->totals.data + value->id;
}

static void add_total(trainer *t, uint64_t pair, int64_t change) {
  int64_t *total = total_of(t, pair);
  if (total) *total += change;
}

/* ---- what a step makes: pairs and the words they came up in ---- */

static void note_made(trainer *t, uint64_t pair, int32_t at) {
  size_t before = t->fresh.n;
  pair_value *value = pairs_put(&t->fresh, pair);
  if (value && t->fresh.n > before) {
    if (t->n_made == t->made_capacity) {
      size_t grown = t->made_capacity ? 2 * t->made_capacity : 64;
      entry *moved = realloc(t->made, grown * sizeof *moved);
      if (!moved) {
        t->failed = true;
        return;
      }
      t->made = moved;
      t->made_capacity = grown;
    }
    value->id = (int32_t)t->n_made;
    t->made[t->n_made++] = (entry){.pair = pair};
  }
  if (!value) {
    t->failed = true;
    return;
  }
  entry *e = &t->made[value->id];
  if (e->n_words > 0 && e->words[e->n_words - 1] == at) return;
  if ((e->n_words & (e->n_words - 1)) == 0) { /* capacities are powers of two */
    int32_t *moved = realloc(e->words, (e->n_words ? 2 * e->n_words : 1) * sizeof *moved);
    if (!moved) {
      t->failed = true;
      return;
    }
    e->words = moved;
  }
  e->words[e->n_words++] = at;
}

/* ---- the queue ---- */

static bool comes_first(const entry *a, const entry *b) {
  return a->count != b->count ? a->count > b->count : a->pair < b->pair;
}

/* e: taken. */
static void push(trainer *t, entry e) {
  if (t->n_queue == t->queue_capacity) {
    size_t grown = t->queue_capacity ? 2 * t->queue_capacity : 1024;
    entry *moved = realloc(t->queue, grown * sizeof *moved);
    if (!moved) {
      free(e.words);
      t->failed = true;
      return;
    }
    t->queue = moved;
    t->queue_capacity = grown;
  }
  size_t i = t->n_queue++;
  for (; i > 0 && comes_first(&e, &t->queue[(i - 1) / 2]); i = (i - 1) / 2)
    t->queue[i] = t->queue[(i - 1) / 2];
  t->queue[i] = e;
}

static entry pop(trainer *t) {
  entry top = t->queue[0], last = t->queue[--t->n_queue];
  size_t i = 0;
  for (size_t child; (child = 2 * i + 1) < t->n_queue; i = child) {
    if (child + 1 < t->n_queue && comes_first(&t->queue[child + 1], &t->queue[child])) child++;
    if (!comes_first(&t->queue[child], &last)) break;
    t->queue[i] = t->queue[child];
  }
  t->queue[i] = last;
  return top;
}

/* What a step made goes into the queue, or is forgotten where nothing is left of it. */
static void queue_made(trainer *t) {
  for (size_t i = 0; i < t->n_made; i++) {
    entry e = t->made[i];
    const int64_t *total = total_of(t, e.pair);
    e.count = total ? *total : 0;
    if (e.count > 0)
      push(t, e);
    else
      free(e.words);
  }
  t->n_made = 0;
  pairs_free(&t->fresh);
}

/* ---- words ---- */

/* Merges a, b in word number `at`; counts what is there no more, and what is new. */
static void merge_in_word(trainer *t, int32_t at, int32_t a, int32_t b, int32_t merged) {
  word *w = &t->word[at];
  int32_t kept = 0;
  for (int32_t i = 0; i < w->n; i++, kept++) {
    w->ids[kept] = w->ids[i];
    if (w->ids[i] != a || i + 1 >= w->n || w->ids[i + 1] != b) continue;
    if (kept > 0) {
      add_total(t, pair_of(w->ids[kept - 1], a), -w->count);
      add_total(t, pair_of(w->ids[kept - 1], merged), w->count);
      note_made(t, pair_of(w->ids[kept - 1], merged), at);
    }
    if (i + 2 < w->n) {
      add_total(t, pair_of(b, w->ids[i + 2]), -w->count);
      add_total(t, pair_of(merged, w->ids[i + 2]), w->count);
      note_made(t, pair_of(merged, w->ids[i + 2]), at);
    }
    w->ids[kept] = merged;
    i++;
  }
  w->n = kept;
}

static sel_status make_words(trainer *t, const int32_t *id_of_byte) {
  t->word = calloc(t->texts.n + 1, sizeof *t->word);
  if (!t->word) return text_memory();
  for (size_t k = 0; k < t->texts.n; k++) {
    size_t size;
    const char *text = words_text(&t->texts, (int64_t)k, &size);
    word *w = &t->word[k];
    w->ids = malloc(size * sizeof *w->ids + 1);
    if (!w->ids) return text_memory();
    w->n = (int32_t)size;
    w->count = ((const int64_t *)(const void *)t->counts.data)[k];
    for (size_t i = 0; i < size; i++) w->ids[i] = id_of_byte[(unsigned char)text[i]];
    for (int32_t i = 0; i + 1 < w->n; i++) {
      add_total(t, pair_of(w->ids[i], w->ids[i + 1]), w->count);
      note_made(t, pair_of(w->ids[i], w->ids[i + 1]), (int32_t)k);
    }
  }
  queue_made(t);
  return t->failed ? text_memory() : SEL_OK;
}

/* ---- tokens ---- */

static int compare_codes(const void *a, const void *b) {
  return byte_character(*(const unsigned char *)a) - byte_character(*(const unsigned char *)b);
}

/* Special tokens, then the bytes in the order of the characters that files write for them. */
static sel_status add_alphabet(trainer *t, int32_t *id_of_byte) {
  unsigned char order[256];
  for (int i = 0; i < t->settings->n_special; i++) {
    const char *text = t->settings->special[i];
    SEL_CHECK(*text, SEL_E_ARGUMENT, "train_bpe: special token %d is empty", i + 1);
    SEL_CHECK(words_find(&t->names, text, strlen(text)) < 0, SEL_E_ARGUMENT,
              "train_bpe: the special token '%s' is there twice", text);
    if (words_add(&t->names, text, strlen(text)) < 0) return text_memory();
  }
  for (int b = 0; b < 256; b++) order[b] = (unsigned char)b;
  qsort(order, 256, 1, compare_codes);
  for (int i = 0; i < 256; i++) {
    int64_t id = words_add(&t->names, (const char *)&order[i], 1);
    if (id < 0) return text_memory();
    id_of_byte[order[i]] = (int32_t)id;
  }
  return SEL_OK;
}

static int32_t join(trainer *t, int32_t a, int32_t b) {
  bytes joined = {0};
  size_t size;
  const char *text = words_text(&t->names, a, &size);
  bytes_add(&joined, text, size);
  text = words_text(&t->names, b, &size);
  bytes_add(&joined, text, size);
  int64_t id = joined.failed ? -1 : words_add(&t->names, joined.data, joined.size);
  bytes_free(&joined);
  if (id < 0) t->failed = true;
  return (int32_t)id;
}

static void merge_pairs(trainer *t) {
  while (!t->failed && t->n_queue > 0 && (int64_t)t->names.n < t->settings->vocab_size) {
    entry top = pop(t);
    const int64_t *total = total_of(t, top.pair);
    if (total && *total != top.count) {
      top.count = *total;
      push(t, top);
      continue;
    }
    int32_t a = (int32_t)(top.pair >> 32), b = (int32_t)top.pair, merged = -1;
    bool enough = top.count >= 1 && top.count >= t->settings->min_frequency;
    if (enough) merged = join(t, a, b);
    if (merged >= 0) bytes_add(&t->merges, &top.pair, sizeof top.pair);
    for (size_t i = 0; merged >= 0 && i < top.n_words; i++)
      merge_in_word(t, top.words[i], a, b, merged);
    free(top.words);
    if (!enough) return;
    queue_made(t);
    t->failed |= t->merges.failed;
  }
}

/* ---- the tokenizer ---- */

static sel_status add_merges(const trainer *t, sel_tokenizer *out) {
  const uint64_t *merged = (const void *)t->merges.data;
  size_t n = t->merges.size / sizeof *merged;
  pairs last = {0}; /* a pair that was merged twice counts where it was last */
  for (size_t i = 0; i < n; i++) {
    pair_value *value = pairs_put(&last, merged[i]);
    if (value) value->rank = (int32_t)i;
  }
  sel_status status = last.failed ? text_memory() : SEL_OK;
  for (size_t i = 0; i < n && status == SEL_OK; i++)
    if (pairs_find(&last, merged[i])->rank == (int32_t)i)
      status = tokenizer_add_merge(out, (int32_t)(merged[i] >> 32), (int32_t)merged[i]);
  pairs_free(&last);
  return status;
}

static sel_status fill_in(const trainer *t, sel_tokenizer *out) {
  out->byte_level = true;
  for (size_t i = 0; i < t->names.n; i++) {
    size_t size;
    const char *text = words_text(&t->names, (int64_t)i, &size);
    SEL_TRY(tokenizer_add(out, (int32_t)i, text, size));
  }
  for (int32_t i = 0; i < t->settings->n_special; i++) {
    char *text = (char *)(intptr_t)t->settings->special[i];
    const added_token token = {.id = i, .text = text, .size = strlen(text), .special = true};
    SEL_TRY(tokenizer_add_added(out, &token));
  }
  SEL_TRY(add_merges(t, out));
  return tokenizer_write_json(out);
}

static sel_status train(trainer *t, const char *text, size_t size, sel_tokenizer *out) {
  int32_t id_of_byte[256];
  SEL_TRY(tokenizer_set_pattern(out, gpt2_pattern));
  SEL_TRY(add_alphabet(t, id_of_byte));
  SEL_CHECK(t->settings->vocab_size >= (int64_t)t->names.n, SEL_E_ARGUMENT,
            "train_bpe: expected a vocabulary of %zu tokens or more, the 256 bytes and the special "
            "tokens, got %lld",
            t->names.n, (long long)t->settings->vocab_size);
  SEL_TRY(split_words(out, text, size, count_word, t));
  SEL_TRY(make_words(t, id_of_byte));
  merge_pairs(t);
  if (t->failed) return text_memory();
  return fill_in(t, out);
}

static void release(trainer *t) {
  for (size_t i = 0; t->word && i < t->texts.n; i++) free(t->word[i].ids);
  for (size_t i = 0; i < t->n_queue; i++) free(t->queue[i].words);
  for (size_t i = 0; i < t->n_made; i++) free(t->made[i].words);
  free(t->word);
  free(t->queue);
  free(t->made);
  words_free(&t->texts);
  words_free(&t->names);
  bytes_free(&t->counts);
  bytes_free(&t->totals);
  bytes_free(&t->merges);
  pairs_free(&t->index);
  pairs_free(&t->fresh);
}

sel_status sel_tokenizer_train_bpe(const char *text, size_t size, const sel_bpe_settings *settings,
                                   sel_tokenizer **out) {
  sel_tokenizer *tokenizer;
  SEL_TRY(tokenizer_new(&tokenizer));
  trainer t = {.settings = settings};
  sel_status status = train(&t, text, size, tokenizer);
  release(&t);
  if (status != SEL_OK) {
    sel_tokenizer_release(tokenizer);
    return status;
  }
  *out = tokenizer;
  return SEL_OK;
}
