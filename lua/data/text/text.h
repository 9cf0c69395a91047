/* Tokenizers: text as ids and back. Characters, bytes, byte-level BPE and WordPiece, in the
 * tokenizer.json layout of Hugging Face (https://github.com/huggingface/tokenizers).
 *
 * A tokenizer doesn't change once it is made; any number of threads may use it. */
#ifndef SEL_DATA_TEXT_H
#define SEL_DATA_TEXT_H

#ifndef SEL_FFI /* there the core's declarations are known already */
#include <selenite/tensor.h>
#endif

typedef struct sel_tokenizer sel_tokenizer;

/* A tokenizer.json file's text. What this doesn't know is an error that names it. New. */
SEL_API sel_status sel_tokenizer_parse(const char *json, size_t size, sel_tokenizer **out);
/* The characters that occur in a text, in the order of their code points; bytes that are no UTF-8
 * are characters of their own. New. */
SEL_API sel_status sel_tokenizer_characters(const char *text, size_t size, sel_tokenizer **out);
/* The 256 bytes. New. */
SEL_API sel_status sel_tokenizer_bytes(sel_tokenizer **out);

typedef struct sel_bpe_settings {
  int64_t vocab_size;    /* special tokens and the 256 bytes included */
  int64_t min_frequency; /* of a pair that becomes a token */
  int n_special;
  const char *const *special; /* tokens that get the first ids; no text is merged into them */
} sel_bpe_settings;

/* Byte-level BPE with the pattern of GPT-2, learnt from a text. The same text gives the same
 * tokens, which are those of Hugging Face's trainer. New. */
SEL_API sel_status sel_tokenizer_train_bpe(const char *text, size_t size,
                                           const sel_bpe_settings *settings, sel_tokenizer **out);
SEL_API void sel_tokenizer_release(sel_tokenizer *tokenizer);

/* ids from 0 to size - 1, some of which may be unused. */
SEL_API int64_t sel_tokenizer_size(const sel_tokenizer *tokenizer);
/* The text that id stands for, and its bytes; NULL where there is none. Borrowed. */
SEL_API const char *sel_tokenizer_token(const sel_tokenizer *tokenizer, int64_t id, size_t *size);
/* -1 where there is no such token. */
SEL_API int64_t sel_tokenizer_id(const sel_tokenizer *tokenizer, const char *token, size_t size);

/* i64 [tokens] on the CPU. special: with the tokens that the file says stand around a text, such as
 * [CLS] and [SEP]. New. */
SEL_API sel_status sel_tokenizer_encode(const sel_tokenizer *tokenizer, const char *text,
                                        size_t size, bool special, sel_tensor **out);
/* The text of n ids, to be freed by sel_text_free. skip_special: without special tokens. */
SEL_API sel_status sel_tokenizer_decode(const sel_tokenizer *tokenizer, int64_t n,
                                        const int64_t *ids, bool skip_special, size_t *size,
                                        char **out);
/* As a tokenizer.json file; that of a parsed one is what was parsed. To be freed likewise. */
SEL_API sel_status sel_tokenizer_json(const sel_tokenizer *tokenizer, size_t *size, char **out);
SEL_API void sel_text_free(char *text);

#endif
