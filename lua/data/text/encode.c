/* From text to ids. A word that came before is looked up among those, with what became of it: texts
 * repeat theirs. */
#include <stdlib.h>
#include <string.h>

#include "tokenizer.h"

typedef struct encoder {
  const sel_tokenizer *t;
  bytes ids;       /* int32_t, the result */
  words known;     /* words that came before */
  bytes cached;    /* int32_t: their ids */
  bytes starts;    /* size_t: where those of each word begin in it */
  bool first[256]; /* bytes that an added token begins with */
} encoder;

/* ---- a word ---- */

enum { LONGEST_KEPT = 256 }; /* bytes of a word that is remembered */

static sel_status encode_plainly(encoder *e, const char *word, size_t size, bytes *out) {
  return e->t->model == MODEL_BPE ? bpe_encode(e->t, word, size, out)
                                  : wordpiece_encode(e->t, word, size, out);
}

static sel_status encode_word(void *context, const char *word, size_t size) {
  encoder *e = context;
  if (size > LONGEST_KEPT) return encode_plainly(e, word, size, &e->ids);
  int64_t number = words_find(&e->known, word, size);
  if (number < 0) {
    size_t start = e->cached.size;
    SEL_TRY(encode_plainly(e, word, size, &e->cached));
    number = words_add(&e->known, word, size);
    bytes_add(&e->starts, &start, sizeof start);
    if (number < 0 || e->starts.failed || e->cached.failed) return text_memory();
  }
  const size_t *starts = (const void *)e->starts.data;
  bool last = (size_t)number + 1 == e->known.n;
  size_t end = last ? e->cached.size : starts[number + 1];
  bytes_add(&e->ids, e->cached.data + starts[number], end - starts[number]);
  return SEL_OK;
}

static sel_status encode_words(encoder *e, const char *text, size_t size) {
  if (!e->t->prefix_space || size == 0 || text[0] == ' ')
    return split_words(e->t, text, size, encode_word, e);
  bytes spaced = {0};
  bytes_add(&spaced, " ", 1);
  bytes_add(&spaced, text, size);
  sel_status status =
      spaced.failed ? text_memory() : split_words(e->t, spaced.data, spaced.size, encode_word, e);
  bytes_free(&spaced);
  return status;
}

/* ---- added tokens ---- */

static bool is_word_at(const char *text, size_t size, size_t at) {
  int32_t code;
  if (at >= size) return false;
  utf8_next(text + at, size - at, &code);
  return is_word(code);
}

static size_t previous(const char *text, size_t at) {
  do at--;
  while (at > 0 && ((unsigned char)text[at] & 0xC0) == 0x80);
  return at;
}

/* The longest added token that stands at `at`; NULL: none. */
static const added_token *find_added(const encoder *e, bool normalized, const char *text,
                                     size_t size, size_t at) {
  const added_token *best = NULL;
  if (!e->first[(unsigned char)text[at]]) return NULL;
  for (int i = 0; i < e->t->n_added; i++) {
    const added_token *a = &e->t->added[i];
    if (a->size > size - at || (best && a->size <= best->size)) continue;
    if (e->t->normalizes && a->normalized != normalized) continue;
    if (memcmp(text + at, a->text, a->size) != 0) continue;
    if (a->single_word && ((at > 0 && is_word_at(text, size, previous(text, at))) ||
                           is_word_at(text, size, at + a->size)))
      continue;
    best = a;
  }
  return best;
}

static size_t space_before(const char *text, size_t start, size_t at) {
  int32_t code;
  while (at > start) {
    size_t before = previous(text, at);
    utf8_next(text + before, at - before, &code);
    if (!is_space(code)) break;
    at = before;
  }
  return at;
}

static size_t space_behind(const char *text, size_t size, size_t at) {
  int32_t code;
  while (at < size) {
    size_t n = utf8_next(text + at, size - at, &code);
    if (!is_space(code)) break;
    at += n;
  }
  return at;
}

typedef sel_status (*piece_encoder)(encoder *e, const char *text, size_t size);

/* Cuts added tokens out; the pieces between go to `encode`. */
static sel_status cut_added(encoder *e, bool normalized, const char *text, size_t size,
                            piece_encoder encode) {
  size_t start = 0;
  for (size_t at = 0; e->t->n_added > 0 && at < size;) {
    const added_token *a = find_added(e, normalized, text, size, at);
    if (!a) {
      at++;
      continue;
    }
    size_t end = a->left ? space_before(text, start, at) : at;
    if (end > start) SEL_TRY(encode(e, text + start, end - start));
    bytes_add_i32(&e->ids, a->id);
    at += a->size;
    if (a->right) at = space_behind(text, size, at);
    start = at;
  }
  return size > start ? encode(e, text + start, size - start) : SEL_OK;
}

static sel_status encode_normalized(encoder *e, const char *text, size_t size) {
  bytes normalized = {0};
  bert_normalize(&e->t->normalizer, text, size, &normalized);
  sel_status status = normalized.failed
                          ? text_memory()
                          : cut_added(e, true, normalized.data, normalized.size, encode_words);
  bytes_free(&normalized);
  return status;
}

static sel_status encode_text(encoder *e, const char *text, size_t size, bool special) {
  const sel_tokenizer *t = e->t;
  for (int i = 0; i < t->n_added; i++) e->first[(unsigned char)t->added[i].text[0]] = true;
  if (special) bytes_add(&e->ids, t->before.data, t->before.size);
  SEL_TRY(cut_added(e, false, text, size, t->normalizes ? encode_normalized : encode_words));
  if (special) bytes_add(&e->ids, t->after.data, t->after.size);
  return e->ids.failed ? text_memory() : SEL_OK;
}

/* ---- the result ---- */

static sel_status to_tensor(const bytes *ids, sel_tensor **out) {
  sel_device *cpu;
  sel_tensor *t;
  int64_t n = (int64_t)bytes_i32_count(ids);
  SEL_TRY(sel_device_find("cpu", &cpu));
  SEL_TRY(sel_empty(1, &n, SEL_I64, cpu, &t));
  int64_t *wide = sel_data(t);
  for (int64_t i = 0; i < n; i++) wide[i] = bytes_i32(ids)[i];
  *out = t;
  return SEL_OK;
}

sel_status sel_tokenizer_encode(const sel_tokenizer *t, const char *text, size_t size, bool special,
                                sel_tensor **out) {
  encoder e = {.t = t};
  sel_status status = encode_text(&e, text, size, special);
  if (status == SEL_OK) status = to_tensor(&e.ids, out);
  bytes_free(&e.ids);
  words_free(&e.known);
  bytes_free(&e.cached);
  bytes_free(&e.starts);
  return status;
}
