/* Making a tokenizer token by token, asking it for one, releasing it. See tokenizer.h. */
#include "tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TOKENS = 1 << 24 };

sel_status text_memory(void) { return sel_fail(SEL_E_MEMORY, "tokenizer: out of host memory"); }

sel_status tokenizer_new(sel_tokenizer **out) {
  sel_tokenizer *t = calloc(1, sizeof *t);
  if (!t) return text_memory();
  t->unknown = -1;
  *out = t;
  return SEL_OK;
}

void sel_tokenizer_release(sel_tokenizer *t) {
  if (!t) return;
  words_free(&t->names);
  bytes_free(&t->ids);
  pairs_free(&t->merges);
  bytes_free(&t->before);
  bytes_free(&t->after);
  for (int64_t i = 0; i < t->n_tokens; i++) free(t->tokens[i].text);
  for (int i = 0; i < t->n_added; i++) free(t->added[i].text);
  free(t->tokens);
  free(t->added);
  free(t->continuing);
  pcre2_code_free(t->pattern);
  free(t->json);
  free(t);
}

void sel_text_free(char *text) { free(text); }

/* The explicit class is White_Space: PCRE2's \s has U+180E besides, which left it in Unicode 6.3.
 */
#define SPACES \
  "\\t-\\r "   \
  "\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}"
const char gpt2_pattern[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" SPACES
                            "\\p{L}\\p{N}]+|[" SPACES "]+(?![^" SPACES "])|[" SPACES "]+";

sel_status tokenizer_set_pattern(sel_tokenizer *t, const char *pattern) {
  int code;
  PCRE2_SIZE at;
  t->pattern = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP,
                             &code, &at, NULL);
  if (!t->pattern) {
    PCRE2_UCHAR reason[256];
    pcre2_get_error_message(code, reason, sizeof reason);
    return sel_fail(SEL_E_FILE, "tokenizer: pattern, at byte %zu: %s", at, (const char *)reason);
  }
  pcre2_jit_compile(t->pattern, PCRE2_JIT_COMPLETE); /* where there is none, it is slower */
  t->split = SPLIT_PATTERN;
  return SEL_OK;
}

/* ---- tokens ---- */

static sel_status reserve(sel_tokenizer *t, int32_t id) {
  SEL_CHECK(id >= 0 && id < MOST_TOKENS, SEL_E_FILE, "tokenizer: expected ids from 0 to %d, got %d",
            MOST_TOKENS - 1, (int)id);
  if (id < t->n_tokens) return SEL_OK;
  int64_t n = id + 1 > t->n_tokens + 1 ? id + 1 : t->n_tokens + 1;
  token_entry *grown = realloc(t->tokens, (size_t)n * sizeof *grown);
  if (!grown) return text_memory();
  memset(grown + t->n_tokens, 0, (size_t)(n - t->n_tokens) * sizeof *grown);
  t->tokens = grown;
  t->n_tokens = n;
  return SEL_OK;
}

static char *copy_of(const char *text, size_t size) {
  char *copy = malloc(size + 1);
  if (!copy) return NULL;
  memcpy(copy, text, size);
  copy[size] = '\0';
  return copy;
}

static sel_status set_text(token_entry *entry, const char *text, size_t size, bool special) {
  char *copy = copy_of(text, size);
  if (!copy) return text_memory();
  free(entry->text);
  *entry = (token_entry){copy, size, special};
  return SEL_OK;
}

sel_status tokenizer_add(sel_tokenizer *t, int32_t id, const char *text, size_t size) {
  SEL_TRY(reserve(t, id));
  SEL_CHECK(!t->tokens[id].text, SEL_E_FILE, "tokenizer: two tokens have the id %d", (int)id);
  SEL_TRY(set_text(&t->tokens[id], text, size, false));
  int64_t before = (int64_t)t->names.n, number = words_add(&t->names, text, size);
  if (number < 0) return text_memory();
  SEL_CHECK(number == before, SEL_E_FILE, "tokenizer: the token of id %d is there twice", (int)id);
  bytes_add_i32(&t->ids, id);
  return t->ids.failed ? text_memory() : SEL_OK;
}

sel_status tokenizer_add_added(sel_tokenizer *t, const added_token *token) {
  SEL_CHECK(token->size > 0, SEL_E_FILE, "tokenizer: an added token is empty");
  SEL_TRY(reserve(t, token->id));
  SEL_TRY(set_text(&t->tokens[token->id], token->text, token->size, token->special));
  added_token *grown = realloc(t->added, (size_t)(t->n_added + 1) * sizeof *grown);
  if (!grown) return text_memory();
  t->added = grown;
  added_token own = *token;
  own.text = copy_of(token->text, token->size);
  if (!own.text) return text_memory();
  t->added[t->n_added++] = own;
  return SEL_OK;
}

int32_t tokenizer_find(const sel_tokenizer *t, const char *text, size_t size) {
  int64_t number = words_find(&t->names, text, size);
  return number < 0 ? -1 : bytes_i32(&t->ids)[number];
}

sel_status tokenizer_add_merge(sel_tokenizer *t, int32_t a, int32_t b) {
  bytes joined = {0};
  int32_t rank = (int32_t)t->merges.n;
  bytes_add(&joined, t->tokens[a].text, t->tokens[a].size);
  bytes_add(&joined, t->tokens[b].text, t->tokens[b].size);
  int32_t id = joined.failed ? -1 : tokenizer_find(t, joined.data, joined.size);
  bool failed = joined.failed;
  bytes_free(&joined);
  if (failed) return text_memory();
  SEL_CHECK(id >= 0, SEL_E_FILE, "tokenizer: merge %d gives what is no token", (int)rank + 1);
  if (pairs_find(&t->merges, pair_of(a, b))) return SEL_OK;
  pair_value *value = pairs_put(&t->merges, pair_of(a, b));
  if (!value) return text_memory();
  *value = (pair_value){rank, id};
  return SEL_OK;
}

/* ---- asking ---- */

int64_t sel_tokenizer_size(const sel_tokenizer *t) { return t->n_tokens; }

const char *sel_tokenizer_token(const sel_tokenizer *t, int64_t id, size_t *size) {
  if (id < 0 || id >= t->n_tokens) return NULL;
  *size = t->tokens[id].size;
  return t->tokens[id].text;
}

int64_t sel_tokenizer_id(const sel_tokenizer *t, const char *token, size_t size) {
  for (int i = 0; i < t->n_added; i++)
    if (t->added[i].size == size && memcmp(t->added[i].text, token, size) == 0)
      return t->added[i].id;
  return tokenizer_find(t, token, size);
}

sel_status sel_tokenizer_json(const sel_tokenizer *t, size_t *size, char **out) {
  SEL_CHECK(t->json, SEL_E_ARGUMENT,
            "tokenizer: it has a token that is no UTF-8, which a tokenizer.json can't hold");
  char *copy = copy_of(t->json, t->json_size);
  if (!copy) return text_memory();
  *size = t->json_size;
  *out = copy;
  return SEL_OK;
}
