/* tokenizer.json files: what is known of them is read, and what would change ids but isn't known is
 * refused by name. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizer.h"

static const char *type_of(const json_t *part) {
  const char *type = json_string_value(json_object_get(part, "type"));
  return type ? type : "one without a type";
}

static bool flag(const json_t *part, const char *name, bool otherwise) {
  const json_t *value = json_object_get(part, name);
  return json_is_boolean(value) ? json_is_true(value) : otherwise;
}

static sel_status unknown_part(const char *part, const json_t *value, const char *known) {
  return sel_fail(SEL_E_FILE, "tokenizer: expected a %s of %s, got %s", part, known,
                  type_of(value));
}

/* ---- normalizer ---- */

static sel_status read_normalizer(const json_t *n, sel_tokenizer *t) {
  if (!n || json_is_null(n)) return SEL_OK;
  if (strcmp(type_of(n), "BertNormalizer") != 0)
    return unknown_part("normalizer", n, "type BertNormalizer, or none");
  bool lowercase = flag(n, "lowercase", true);
  t->normalizes = true;
  t->normalizer = (bert_normalizer){.clean_text = flag(n, "clean_text", true),
                                    .chinese_chars = flag(n, "handle_chinese_chars", true),
                                    .strip_accents = flag(n, "strip_accents", lowercase),
                                    .lowercase = lowercase};
  return SEL_OK;
}

/* ---- pre-tokenizer ---- */

static sel_status read_byte_level(const json_t *p, sel_tokenizer *t) {
  t->byte_level = true;
  t->prefix_space = flag(p, "add_prefix_space", true);
  return flag(p, "use_regex", true) ? tokenizer_set_pattern(t, gpt2_pattern) : SEL_OK;
}

/* Split by a pattern, then ByteLevel: GPT-4, Llama 3 and their kin. */
static sel_status read_sequence(const json_t *p, sel_tokenizer *t) {
  const json_t *list = json_object_get(p, "pretokenizers"), *split = json_array_get(list, 0);
  const json_t *level = json_array_get(list, 1);
  const char *regex =
      json_string_value(json_object_get(json_object_get(split, "pattern"), "Regex"));
  const char *behavior = json_string_value(json_object_get(split, "behavior"));
  bool known = json_array_size(list) == 2 && strcmp(type_of(split), "Split") == 0 && regex &&
               behavior && strcmp(behavior, "Isolated") == 0 && !flag(split, "invert", false) &&
               strcmp(type_of(level), "ByteLevel") == 0 && !flag(level, "use_regex", true);
  SEL_CHECK(known, SEL_E_FILE,
            "tokenizer: expected a pre_tokenizer sequence of a Split by a Regex, Isolated, and a "
            "ByteLevel without one");
  SEL_TRY(read_byte_level(level, t));
  return tokenizer_set_pattern(t, regex);
}

static sel_status read_pre_tokenizer(const json_t *p, sel_tokenizer *t) {
  if (!p || json_is_null(p)) return SEL_OK;
  const char *type = type_of(p);
  if (strcmp(type, "ByteLevel") == 0) return read_byte_level(p, t);
  if (strcmp(type, "Sequence") == 0) return read_sequence(p, t);
  if (strcmp(type, "BertPreTokenizer") == 0) {
    t->split = SPLIT_BERT;
    return SEL_OK;
  }
  return unknown_part("pre_tokenizer", p, "type ByteLevel, BertPreTokenizer or Sequence, or none");
}

/* ---- model ---- */

/* The bytes of a token's name to the end of `out`. */
static void add_name(const sel_tokenizer *t, const char *name, size_t size, bytes *out) {
  if (!t->byte_level || !bytes_of_characters(name, size, out)) bytes_add(out, name, size);
}

static sel_status read_vocabulary(const json_t *vocab, sel_tokenizer *t) {
  const char *name;
  json_t *value;
  bytes text = {0};
  sel_status status = SEL_OK;
  SEL_CHECK(json_is_object(vocab), SEL_E_FILE, "tokenizer: the model has no vocab");
  json_object_foreach((json_t *)(intptr_t)vocab, name, value) {
    json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;
    text.size = 0;
    add_name(t, name, strlen(name), &text);
    if (text.failed) status = text_memory();
    if (status == SEL_OK)
      status = id < 0 || id > INT32_MAX
                   ? sel_fail(SEL_E_FILE, "tokenizer: vocab: token '%s' has no id", name)
                   : tokenizer_add(t, (int32_t)id, text.data, text.size);
    if (status != SEL_OK) break;
  }
  bytes_free(&text);
  return status;
}

/* The id of one side of a merge, or -1. */
static int32_t side_of(const sel_tokenizer *t, const char *name, size_t size, bytes *room) {
  room->size = 0;
  add_name(t, name, size, room);
  return room->failed ? -1 : tokenizer_find(t, room->data, room->size);
}

/* "a b" or ["a", "b"]. */
static sel_status read_merge(const json_t *merge, size_t number, sel_tokenizer *t, bytes *room) {
  const char *first = json_string_value(merge), *second = NULL;
  size_t size = 0;
  if (first) {
    const char *space = strchr(first, ' ');
    size = space ? (size_t)(space - first) : 0;
    second = space ? space + 1 : NULL;
  } else if (json_array_size(merge) == 2) {
    first = json_string_value(json_array_get(merge, 0));
    second = json_string_value(json_array_get(merge, 1));
    size = first ? strlen(first) : 0;
  }
  SEL_CHECK(first && second, SEL_E_FILE, "tokenizer: merge %zu is no pair of tokens", number);
  int32_t a = side_of(t, first, size, room), b = side_of(t, second, strlen(second), room);
  if (room->failed) return text_memory();
  SEL_CHECK(a >= 0 && b >= 0, SEL_E_FILE,
            "tokenizer: merge %zu is of '%.*s' and '%s', of which one is no token", number,
            (int)size, first, second);
  return tokenizer_add_merge(t, a, b);
}

static sel_status read_merges(const json_t *merges, sel_tokenizer *t) {
  bytes room = {0};
  sel_status status = SEL_OK;
  SEL_CHECK(json_is_array(merges), SEL_E_FILE, "tokenizer: the model has no merges");
  for (size_t i = 0; i < json_array_size(merges) && status == SEL_OK; i++)
    status = read_merge(json_array_get(merges, i), i + 1, t, &room);
  bytes_free(&room);
  return status;
}

/* WordPiece needs one; without it, what BPE can't encode is an error. */
static sel_status read_unknown(const json_t *model, sel_tokenizer *t) {
  const char *name = json_string_value(json_object_get(model, "unk_token"));
  if (name) t->unknown = tokenizer_find(t, name, strlen(name));
  SEL_CHECK(t->unknown >= 0 || t->model == MODEL_BPE, SEL_E_FILE,
            "tokenizer: expected the unk_token '%s' in the vocab", name ? name : "");
  return SEL_OK;
}

/* Settings that change ids and that hardly any file has. */
static sel_status refuse_rarities(const json_t *model) {
  static const char *const names[] = {"continuing_subword_prefix", "end_of_word_suffix"};
  for (int i = 0; i < 2; i++) {
    const char *value = json_string_value(json_object_get(model, names[i]));
    SEL_CHECK(!value || !*value, SEL_E_FILE, "tokenizer: expected a BPE model without %s, got '%s'",
              names[i], value);
  }
  SEL_CHECK(!flag(model, "byte_fallback", false) && !flag(model, "fuse_unk", false), SEL_E_FILE,
            "tokenizer: expected a BPE model without byte_fallback and fuse_unk");
  double dropout = json_number_value(json_object_get(model, "dropout"));
  SEL_CHECK(dropout == 0, SEL_E_FILE, "tokenizer: expected a BPE model without dropout, got %g",
            dropout);
  return SEL_OK;
}

static sel_status read_wordpiece(const json_t *model, sel_tokenizer *t) {
  const char *prefix = json_string_value(json_object_get(model, "continuing_subword_prefix"));
  const json_t *longest = json_object_get(model, "max_input_chars_per_word");
  t->model = MODEL_WORDPIECE;
  t->continuing = strdup(prefix ? prefix : "##");
  if (!t->continuing) return text_memory();
  t->continuing_size = strlen(t->continuing);
  t->longest = json_is_integer(longest) ? json_integer_value(longest) : 100;
  return read_unknown(model, t);
}

static sel_status read_model(const json_t *model, sel_tokenizer *t) {
  const char *type = type_of(model);
  bool wordpiece = strcmp(type, "WordPiece") == 0;
  if (!wordpiece && strcmp(type, "BPE") != 0)
    return unknown_part("model", model, "type BPE or WordPiece");
  SEL_CHECK(!(wordpiece && t->byte_level), SEL_E_FILE,
            "tokenizer: expected a BPE model behind a ByteLevel pre_tokenizer");
  SEL_TRY(read_vocabulary(json_object_get(model, "vocab"), t));
  if (wordpiece) return read_wordpiece(model, t);
  SEL_TRY(refuse_rarities(model));
  t->whole_words = flag(model, "ignore_merges", false);
  SEL_TRY(read_unknown(model, t));
  return read_merges(json_object_get(model, "merges"), t);
}

/* ---- added tokens ---- */

static sel_status read_added(const json_t *list, sel_tokenizer *t) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *a = json_array_get(list, i), *id = json_object_get(a, "id");
    const char *content = json_string_value(json_object_get(a, "content"));
    SEL_CHECK(content && json_is_integer(id) && json_integer_value(id) >= 0 &&
                  json_integer_value(id) <= INT32_MAX,
              SEL_E_FILE, "tokenizer: added token %zu has no content or no id", i + 1);
    const added_token token = {.id = (int32_t)json_integer_value(id),
                               .text = (char *)(intptr_t)content,
                               .size = strlen(content),
                               .special = flag(a, "special", false),
                               .left = flag(a, "lstrip", false),
                               .right = flag(a, "rstrip", false),
                               .single_word = flag(a, "single_word", false),
                               .normalized = flag(a, "normalized", true)};
    bytes normalized = {0};
    added_token own = token;
    if (token.normalized && t->normalizes) {
      bert_normalize(&t->normalizer, token.text, token.size, &normalized);
      own.text = normalized.data;
      own.size = normalized.size;
    }
    sel_status status = normalized.failed ? text_memory() : tokenizer_add_added(t, &own);
    bytes_free(&normalized);
    SEL_TRY(status);
  }
  return SEL_OK;
}

/* ---- what stands around a text ---- */

static sel_status read_pair(const json_t *pair, bytes *out) {
  const json_t *id = json_array_get(pair, 1);
  SEL_CHECK(json_is_integer(id), SEL_E_FILE, "tokenizer: post_processor: a token has no id");
  bytes_add_i32(out, (int32_t)json_integer_value(id));
  return SEL_OK;
}

static sel_status read_template(const json_t *p, sel_tokenizer *t) {
  const json_t *single = json_object_get(p, "single");
  bytes *side = &t->before;
  for (size_t i = 0; i < json_array_size(single); i++) {
    const json_t *item = json_array_get(single, i), *token = json_object_get(item, "SpecialToken");
    if (!token) {
      SEL_CHECK(json_object_get(item, "Sequence") && side == &t->before, SEL_E_FILE,
                "tokenizer: post_processor: expected one Sequence and special tokens around it");
      side = &t->after;
      continue;
    }
    const char *name = json_string_value(json_object_get(token, "id"));
    const json_t *known = name ? json_object_get(json_object_get(p, "special_tokens"), name) : NULL;
    const json_t *ids = json_object_get(known, "ids");
    SEL_CHECK(json_array_size(ids) > 0, SEL_E_FILE,
              "tokenizer: post_processor: '%s' is none of its special_tokens", name ? name : "");
    for (size_t k = 0; k < json_array_size(ids); k++)
      bytes_add_i32(side, (int32_t)json_integer_value(json_array_get(ids, k)));
  }
  return SEL_OK;
}

static sel_status read_post_processor(const json_t *p, sel_tokenizer *t) {
  if (!p || json_is_null(p)) return SEL_OK;
  const char *type = type_of(p);
  if (strcmp(type, "ByteLevel") == 0) return SEL_OK; /* of offsets, which aren't kept here */
  if (strcmp(type, "TemplateProcessing") == 0) return read_template(p, t);
  if (strcmp(type, "BertProcessing") == 0 || strcmp(type, "RobertaProcessing") == 0) {
    SEL_TRY(read_pair(json_object_get(p, "cls"), &t->before));
    return read_pair(json_object_get(p, "sep"), &t->after);
  }
  if (strcmp(type, "Sequence") == 0) {
    const json_t *list = json_object_get(p, "processors");
    for (size_t i = 0; i < json_array_size(list); i++) {
      SEL_CHECK(strcmp(type_of(json_array_get(list, i)), "Sequence") != 0, SEL_E_FILE,
                "tokenizer: post_processor: a Sequence stands in a Sequence");
      SEL_TRY(read_post_processor(json_array_get(list, i), t));
    }
    return SEL_OK;
  }
  return unknown_part("post_processor", p,
                      "type TemplateProcessing, BertProcessing, RobertaProcessing or ByteLevel");
}

/* ---- decoder ---- */

static sel_status read_decoder(const json_t *d, sel_tokenizer *t) {
  if (t->model != MODEL_WORDPIECE) {
    /* The decoder of a byte tokenizer tells what it is where nothing cuts its words. */
    bool known = !d || json_is_null(d) || strcmp(type_of(d), "ByteLevel") == 0 ||
                 strcmp(type_of(d), "Fuse") == 0;
    return known ? SEL_OK : unknown_part("decoder", d, "type ByteLevel or Fuse");
  }
  if (d && !json_is_null(d) && strcmp(type_of(d), "WordPiece") != 0)
    return unknown_part("decoder", d, "type WordPiece");
  t->cleanup = flag(d, "cleanup", true);
  return SEL_OK;
}

/* ---- the file ---- */

static sel_status read_file(const json_t *file, sel_tokenizer *t) {
  SEL_CHECK(json_is_object(file), SEL_E_FILE, "tokenizer: expected an object");
  SEL_TRY(read_normalizer(json_object_get(file, "normalizer"), t));
  SEL_TRY(read_pre_tokenizer(json_object_get(file, "pre_tokenizer"), t));
  SEL_TRY(read_model(json_object_get(file, "model"), t));
  SEL_TRY(read_added(json_object_get(file, "added_tokens"), t));
  SEL_TRY(read_post_processor(json_object_get(file, "post_processor"), t));
  SEL_TRY(read_decoder(json_object_get(file, "decoder"), t));
  return t->before.failed || t->after.failed ? text_memory() : SEL_OK;
}

static sel_status keep_text(const char *json, size_t size, sel_tokenizer *t) {
  t->json = malloc(size + 1);
  if (!t->json) return text_memory();
  memcpy(t->json, json, size);
  t->json[size] = '\0';
  t->json_size = size;
  return SEL_OK;
}

sel_status sel_tokenizer_parse(const char *json, size_t size, sel_tokenizer **out) {
  json_error_t error;
  sel_tokenizer *t;
  json_t *file = json_loadb(json, size, 0, &error);
  SEL_CHECK(file, SEL_E_FILE, "tokenizer: line %d, column %d: %s", error.line, error.column,
            error.text);
  sel_status status = tokenizer_new(&t);
  if (status == SEL_OK) {
    status = read_file(file, t);
    if (status == SEL_OK) status = keep_text(json, size, t);
    if (status == SEL_OK)
      *out = t;
    else
      sel_tokenizer_release(t);
  }
  json_decref(file);
  return status;
}
