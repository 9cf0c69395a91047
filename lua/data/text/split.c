/* Cutting a text into words: by a pattern, or as BERT does. See tokenizer.h. */
#include "tokenizer.h"

/* ---- by a pattern: its matches, and what stands between them ---- */

static sel_status split_valid(const sel_tokenizer *t, const char *text, size_t size,
                              pcre2_match_data *match, word_visitor visit, void *context) {
  size_t at = 0;
  while (at < size) {
    int found =
        pcre2_match(t->pattern, (PCRE2_SPTR)text, size, at, PCRE2_NO_UTF_CHECK, match, NULL);
    if (found == PCRE2_ERROR_NOMATCH) break;
    SEL_CHECK(found > 0, SEL_E_FILE, "tokenizer: the pattern fails with PCRE2's error %d", found);
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match);
    size_t start = ends[0], end = ends[1];
    if (start > at) SEL_TRY(visit(context, text + at, start - at));
    if (end > start) SEL_TRY(visit(context, text + start, end - start));
    if (end == at) { /* an empty match: go on behind the next character */
      int32_t code;
      end += utf8_next(text + at, size - at, &code);
      SEL_TRY(visit(context, text + at, end - at));
    }
    at = end;
  }
  return at < size ? visit(context, text + at, size - at) : SEL_OK;
}

/* Bytes that are no UTF-8 are words of their own. */
static sel_status split_by_pattern(const sel_tokenizer *t, const char *text, size_t size,
                                   pcre2_match_data *match, word_visitor visit, void *context) {
  size_t at = 0;
  while (at < size) {
    size_t valid = utf8_valid(text + at, size - at);
    if (valid > 0) SEL_TRY(split_valid(t, text + at, valid, match, visit, context));
    at += valid;
    size_t bad = 0;
    while (at + bad < size &&
           utf8_valid(text + at + bad, size - at - bad > 4 ? 4 : size - at - bad) == 0)
      bad++;
    if (bad > 0) SEL_TRY(visit(context, text + at, bad));
    at += bad;
  }
  return SEL_OK;
}

/* ---- BERT ---- */

static sel_status split_bert(const char *text, size_t size, word_visitor visit, void *context) {
  size_t start = 0;
  for (size_t at = 0; at < size;) {
    int32_t code;
    size_t n = utf8_next(text + at, size - at, &code);
    bool space = is_space(code), alone = is_punctuation(code);
    if ((space || alone) && at > start) SEL_TRY(visit(context, text + start, at - start));
    if (alone) SEL_TRY(visit(context, text + at, n));
    at += n;
    if (space || alone) start = at;
  }
  return size > start ? visit(context, text + start, size - start) : SEL_OK;
}

sel_status split_words(const sel_tokenizer *t, const char *text, size_t size, word_visitor visit,
                       void *context) {
  if (size == 0) return SEL_OK;
  if (t->split == SPLIT_NOTHING) return visit(context, text, size);
  if (t->split == SPLIT_BERT) return split_bert(text, size, visit, context);
  pcre2_match_data *match = pcre2_match_data_create_from_pattern(t->pattern, NULL);
  if (!match) return text_memory();
  sel_status status = split_by_pattern(t, text, size, match, visit, context);
  pcre2_match_data_free(match);
  return status;
}
