/* UTF-8, and what the tokenizers ask about characters. */
#ifndef SEL_DATA_UNICODE_H
#define SEL_DATA_UNICODE_H

#include "bytes.h"

/* The character at text: its bytes, and its code point in *code; 1 and -1 where bytes are no UTF-8.
 * size > 0. */
size_t utf8_next(const char *text, size_t size, int32_t *code);
void utf8_add(bytes *out, int32_t code);
/* How many bytes from the beginning are valid UTF-8. */
size_t utf8_valid(const char *text, size_t size);

bool is_space(int32_t code);       /* White_Space */
bool is_word(int32_t code);        /* letters, marks, digits, connectors: \w */
bool is_punctuation(int32_t code); /* ASCII's, and category P */

/* The normaliser of BERT. */
typedef struct bert_normalizer {
  bool clean_text, chinese_chars, strip_accents, lowercase;
} bert_normalizer;
void bert_normalize(const bert_normalizer *n, const char *text, size_t size, bytes *out);

#endif
