/* See unicode.h. Tables are utf8proc's. */
#include "unicode.h"

#include <stdlib.h>
#include <utf8proc.h>

size_t utf8_next(const char *text, size_t size, int32_t *code) {
  utf8proc_ssize_t most = size < 4 ? (utf8proc_ssize_t)size : 4;
  utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text, most, code);
  if (n > 0) return (size_t)n;
  *code = -1;
  return 1;
}

void utf8_add(bytes *out, int32_t code) {
  utf8proc_uint8_t encoded[4];
  bytes_add(out, encoded, (size_t)utf8proc_encode_char(code, encoded));
}

size_t utf8_valid(const char *text, size_t size) {
  size_t at = 0;
  while (at < size) {
    int32_t code = (unsigned char)text[at];
    size_t n = code < 0x80 ? 1 : utf8_next(text + at, size - at, &code);
    if (code < 0) break;
    at += n;
  }
  return at;
}

/* https://www.unicode.org/Public/UCD/latest/ucd/PropList.txt, White_Space */
bool is_space(int32_t c) {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_word(int32_t c) {
  if (c < 0) return false;
  utf8proc_category_t k = utf8proc_category(c);
  return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_ND) || k == UTF8PROC_CATEGORY_PC;
}

bool is_punctuation(int32_t c) {
  if (c < 0) return false;
  if (c < 128)
    return c > 32 && c < 127 && !((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9');
  utf8proc_category_t k = utf8proc_category(c);
  return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO;
}

/* ---- BERT ---- */

/* What is cleaned away: control, format and private characters; never tab, line feed, carriage
 * return. */
static bool is_control(int32_t c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  return utf8proc_category(c) >= UTF8PROC_CATEGORY_CC;
}

static bool is_chinese(int32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) ||
         (c >= 0x20000 && c <= 0x2A6DF) || (c >= 0x2A700 && c <= 0x2B73F) ||
         (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

/* Character by character, as Rust's to_lowercase: one character alone becomes two. */
static void add_lowercase(bytes *out, int32_t c) {
  if (c == 0x130) {
    utf8_add(out, 'i');
    utf8_add(out, 0x307);
  } else
    utf8_add(out, utf8proc_tolower(c));
}

static void clean(const bert_normalizer *n, const char *text, size_t size, bytes *out) {
  for (size_t at = 0; at < size;) {
    int32_t c;
    at += utf8_next(text + at, size - at, &c);
    if (c < 0) c = 0xFFFD;
    if (n->clean_text && (c == 0 || c == 0xFFFD || is_control(c))) continue;
    if (n->clean_text && is_space(c)) c = ' ';
    bool apart = n->chinese_chars && is_chinese(c);
    if (apart) bytes_add(out, " ", 1);
    utf8_add(out, c);
    if (apart) bytes_add(out, " ", 1);
  }
}

/* Canonical decomposition without marks that take no space of their own (Mn). */
static void strip_accents(bytes *text) {
  utf8proc_uint8_t *parts = NULL;
  utf8proc_ssize_t n =
      utf8proc_map((const utf8proc_uint8_t *)text->data, (utf8proc_ssize_t)text->size, &parts,
                   UTF8PROC_DECOMPOSE | UTF8PROC_STABLE);
  if (n < 0) {
    text->failed = true;
    return;
  }
  text->size = 0;
  for (utf8proc_ssize_t at = 0; at < n;) {
    int32_t c;
    at += (utf8proc_ssize_t)utf8_next((const char *)parts + at, (size_t)(n - at), &c);
    if (utf8proc_category(c) != UTF8PROC_CATEGORY_MN) utf8_add(text, c);
  }
  free(parts);
}

void bert_normalize(const bert_normalizer *n, const char *text, size_t size, bytes *out) {
  bytes cleaned = {0};
  clean(n, text, size, &cleaned);
  if (n->strip_accents && cleaned.size > 0) strip_accents(&cleaned);
  for (size_t at = 0; at < cleaned.size;) {
    int32_t c;
    at += utf8_next(cleaned.data + at, cleaned.size - at, &c);
    if (n->lowercase)
      add_lowercase(out, c);
    else
      utf8_add(out, c);
  }
  out->failed |= cleaned.failed;
  bytes_free(&cleaned);
}
