/* A tokenizer that was made here as a tokenizer.json, which Hugging Face's library reads. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer.h"

/* A token's name in the file; NULL where it is no UTF-8. */
static json_t *name_of(const sel_tokenizer *t, int32_t id) {
  bytes name = {0};
  bool added = false;
  for (int i = 0; i < t->n_added; i++) added |= t->added[i].id == id;
  if (t->byte_level && !added)
    characters_of_bytes(t->tokens[id].text, t->tokens[id].size, &name);
  else
    bytes_add(&name, t->tokens[id].text, t->tokens[id].size);
  json_t *result = name.failed ? NULL : json_stringn(name.data, name.size);
  bytes_free(&name);
  return result;
}

static json_t *vocabulary_of(const sel_tokenizer *t) {
  json_t *vocab = json_object();
  bool good = vocab != NULL;
  for (int64_t id = 0; good && id < t->n_tokens; id++) {
    json_t *name = name_of(t, (int32_t)id);
    const char *text = json_string_value(name);
    good = text && strlen(text) == json_string_length(name) && *text &&
           json_object_set_new(vocab, text, json_integer(id)) == 0;
    json_decref(name);
  }
  if (good) return vocab;
  json_decref(vocab);
  return NULL;
}

typedef struct ranked {
  int32_t rank;
  uint64_t pair;
} ranked;

static int compare(const void *a, const void *b) {
  int32_t x = ((const ranked *)a)->rank, y = ((const ranked *)b)->rank;
  return (x > y) - (x < y);
}

static json_t *merges_of(const sel_tokenizer *t) {
  ranked *sorted = calloc(t->merges.n + 1, sizeof *sorted);
  json_t *list = sorted ? json_array() : NULL;
  size_t n = 0;
  for (size_t i = 0; list && i < t->merges.n_slots; i++)
    if (t->merges.keys[i]) sorted[n++] = (ranked){t->merges.values[i].rank, t->merges.keys[i] - 1};
  if (list) qsort(sorted, n, sizeof *sorted, compare);
  for (size_t i = 0; list && i < n; i++)
    json_array_append_new(list, json_pack("[o,o]", name_of(t, (int32_t)(sorted[i].pair >> 32)),
                                          name_of(t, (int32_t)sorted[i].pair)));
  free(sorted);
  return list;
}

static json_t *added_of(const sel_tokenizer *t) {
  json_t *list = json_array();
  for (int i = 0; list && i < t->n_added; i++) {
    const added_token *a = &t->added[i];
    json_array_append_new(
        list, json_pack("{s:i,s:s%,s:b,s:b,s:b,s:b,s:b}", "id", a->id, "content", a->text, a->size,
                        "single_word", a->single_word, "lstrip", a->left, "rstrip", a->right,
                        "normalized", a->normalized, "special", a->special));
  }
  return list;
}

static json_t *byte_level(bool use_regex) {
  return json_pack("{s:s,s:b,s:b,s:b}", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets",
                   1, "use_regex", use_regex);
}

static json_t *file_of(const sel_tokenizer *t, json_t *vocabulary) {
  json_t *model =
      json_pack("{s:s,s:n,s:n,s:n,s:n,s:b,s:b,s:b,s:o,s:o}", "type", "BPE", "dropout", "unk_token",
                "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 0, "byte_fallback",
                0, "ignore_merges", 0, "vocab", vocabulary, "merges", merges_of(t));
  json_t *cut = t->byte_level ? byte_level(t->split == SPLIT_PATTERN) : json_null();
  json_t *decoder = t->byte_level ? byte_level(true) : json_pack("{s:s}", "type", "Fuse");
  return json_pack("{s:s,s:n,s:n,s:o,s:n,s:o,s:n,s:o,s:o}", "version", "1.0", "truncation",
                   "padding", "added_tokens", added_of(t), "normalizer", "pre_tokenizer", cut,
                   "post_processor", "decoder", decoder, "model", model);
}

sel_status tokenizer_write_json(sel_tokenizer *t) {
  json_t *vocabulary = vocabulary_of(t);
  if (!vocabulary) return SEL_OK; /* saving says so */
  json_t *file = file_of(t, vocabulary);
  t->json = file ? json_dumps(file, JSON_INDENT(1)) : NULL;
  json_decref(file);
  if (!t->json) return text_memory();
  t->json_size = strlen(t->json);
  return SEL_OK;
}
