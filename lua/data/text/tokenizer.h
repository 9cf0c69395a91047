/* A tokenizer's parts, in the order a text passes them: added tokens are cut out, the rest is
 * normalised, cut into words, and each word becomes ids by the model. Files of this library fill
 * one in (characters.c, bpe_train.c, json_read.c) or use it (encode.c, decode.c, json_write.c). */
#ifndef SEL_DATA_TOKENIZER_H
#define SEL_DATA_TOKENIZER_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdbool.h>

#include "check.h"
#include "pairs.h"
#include "text.h"
#include "unicode.h"
#include "words.h"

typedef enum model_kind { MODEL_BPE, MODEL_WORDPIECE } model_kind;

/* How a text is cut into words. */
typedef enum split_kind {
  SPLIT_NOTHING, /* it is one */
  SPLIT_PATTERN, /* what `pattern` finds, and what stands between */
  SPLIT_BERT     /* at white space, which is dropped, and around punctuation */
} split_kind;

typedef struct added_token {
  int32_t id;
  char *text;
  size_t size;
  bool special;     /* skipped by decoding when asked */
  bool left, right; /* takes the white space beside it */
  bool single_word; /* not inside a word */
  bool normalized;  /* looked for in normalised text */
} added_token;

/* A token's place in ids; text is what it stands for once decoded. */
typedef struct token_entry {
  char *text; /* NULL: no token has this id */
  size_t size;
  bool special;
} token_entry;

struct sel_tokenizer {
  model_kind model;
  words names; /* of the model's tokens, as their bytes */
  bytes ids;   /* int32_t: of each name */
  token_entry *tokens;
  int64_t n_tokens; /* ids are below */

  bool byte_level; /* words are bytes; else characters */
  bool prefix_space;
  bool whole_words; /* a word that is a token is not merged (ignore_merges) */
  pairs merges;
  int32_t unknown; /* -1: an error */

  char *continuing; /* WordPiece: "##" */
  size_t continuing_size;
  int64_t longest; /* WordPiece: characters of a word that is looked at */
  bool cleanup;    /* WordPiece: decoding takes spaces before punctuation away */

  bool normalizes;
  bert_normalizer normalizer;
  split_kind split;
  pcre2_code *pattern;

  added_token *added;
  int n_added;
  bytes before, after; /* int32_t: special tokens around a text */

  char *json; /* the file it was read from, or what it would be written as */
  size_t json_size;
};

/* A tokenizer without tokens. New. */
sel_status tokenizer_new(sel_tokenizer **out);
/* The pattern of GPT-2, or another one. */
sel_status tokenizer_set_pattern(sel_tokenizer *t, const char *pattern);
extern const char gpt2_pattern[];
/* Adds a token of the model, and one that stands in texts as it is. `token`'s text is copied. */
sel_status tokenizer_add(sel_tokenizer *t, int32_t id, const char *text, size_t size);
sel_status tokenizer_add_added(sel_tokenizer *t, const added_token *token);
/* Makes tokens a and b merge into the one of their bytes, which must be there. */
sel_status tokenizer_add_merge(sel_tokenizer *t, int32_t a, int32_t b);
/* The model's id of some bytes, or -1. */
int32_t tokenizer_find(const sel_tokenizer *t, const char *text, size_t size);
/* Keeps the text of the file that it would be. */
sel_status tokenizer_write_json(sel_tokenizer *t);

/* Calls visit(context, word, size) for the words of a text in their order, until one fails. */
typedef sel_status (*word_visitor)(void *context, const char *word, size_t size);
sel_status split_words(const sel_tokenizer *t, const char *text, size_t size, word_visitor visit,
                       void *context);

/* Ids of one word to the end of `out`. */
sel_status bpe_encode(const sel_tokenizer *t, const char *word, size_t size, bytes *out);
sel_status wordpiece_encode(const sel_tokenizer *t, const char *word, size_t size, bytes *out);

/* The characters that stand for bytes in files of byte-level tokenizers: printable ones for
 * themselves, the others from U+0100 on (bytes_to_unicode of GPT-2's encoder.py). */
int32_t byte_character(unsigned char byte);
/* A text of such characters as bytes; false: it has others. */
bool bytes_of_characters(const char *text, size_t size, bytes *out);
void characters_of_bytes(const char *data, size_t size, bytes *out);

sel_status text_memory(void); /* reports that memory ran out */

#endif
