/* From ids to text: tokens one behind the other; those of WordPiece with spaces between words. */
#include <stdlib.h>
#include <string.h>

#include "tokenizer.h"

/* ---- WordPiece ---- */

/* `from` in the bytes behind `start` becomes `to`, which is no longer. */
static void replace_all(bytes *b, size_t start, const char *from, const char *to) {
  size_t n = strlen(from), m = strlen(to), at = start, end = start;
  while (at < b->size) {
    if (b->size - at >= n && memcmp(b->data + at, from, n) == 0) {
      memcpy(b->data + end, to, m);
      at += n;
      end += m;
    } else
      b->data[end++] = b->data[at++];
  }
  b->size = end;
}

/* What Hugging Face's decoder takes away, token by token. */
static void clean_up(bytes *b, size_t start) {
  static const char *const shorter[][2] = {{" .", "."},     {" ?", "?"},           {" !", "!"},
                                           {" ,", ","},     {" ' ", "'"},          {" n't", "n't"},
                                           {" 'm", "'m"},   {" do not", " don't"}, {" 's", "'s"},
                                           {" 've", "'ve"}, {" 're", "'re"}};
  for (size_t i = 0; i < sizeof shorter / sizeof *shorter; i++)
    replace_all(b, start, shorter[i][0], shorter[i][1]);
}

static void add_piece(const sel_tokenizer *t, const token_entry *token, bytes *out) {
  size_t start = out->size, prefix = t->continuing_size;
  bool goes_on = token->size >= prefix && memcmp(token->text, t->continuing, prefix) == 0;
  if (start == 0)
    bytes_add(out, token->text, token->size);
  else if (goes_on)
    bytes_add(out, token->text + prefix, token->size - prefix);
  else {
    bytes_add(out, " ", 1);
    bytes_add(out, token->text, token->size);
  }
  if (t->cleanup && !out->failed) clean_up(out, start);
}

/* ---- all ---- */

static sel_status add_tokens(const sel_tokenizer *t, int64_t n, const int64_t *ids,
                             bool skip_special, bytes *out) {
  for (int64_t i = 0; i < n; i++) {
    bool there = ids[i] >= 0 && ids[i] < t->n_tokens && t->tokens[ids[i]].text;
    SEL_CHECK(there, SEL_E_ARGUMENT, "decode: id %lld is not in the vocabulary of %lld tokens",
              (long long)ids[i], (long long)t->n_tokens);
    const token_entry *token = &t->tokens[ids[i]];
    if (token->special && skip_special) continue;
    if (t->model == MODEL_WORDPIECE)
      add_piece(t, token, out);
    else
      bytes_add(out, token->text, token->size);
  }
  bytes_add(out, "", 1); /* so that there is memory, and an end */
  return out->failed ? text_memory() : SEL_OK;
}

sel_status sel_tokenizer_decode(const sel_tokenizer *t, int64_t n, const int64_t *ids,
                                bool skip_special, size_t *size, char **out) {
  bytes text = {0};
  sel_status status = add_tokens(t, n, ids, skip_special, &text);
  if (status != SEL_OK) {
    bytes_free(&text);
    return status;
  }
  *size = text.size - 1;
  *out = text.data;
  return SEL_OK;
}
