/* See npy_header.h. */
#include "npy_header.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* descr without the byte order in front. */
static const char *const codes[SEL_DTYPE_COUNT] = {
    [SEL_F32] = "f4", [SEL_F64] = "f8", [SEL_F16] = "f2", [SEL_I64] = "i8",
    [SEL_I32] = "i4", [SEL_U8] = "u1",  [SEL_BOOL] = "b1"};

typedef struct cursor {
  const char *at, *end;
} cursor;

static void skip_space(cursor *c) {
  while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at) c->at++;
}

/* Takes `word` when it comes next. */
static bool take(cursor *c, const char *word) {
  skip_space(c);
  size_t length = strlen(word);
  if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0) return false;
  c->at += length;
  return true;
}

/* Takes a string without escapes in either kind of quotes. */
static bool take_string(cursor *c, char *text, size_t size) {
  skip_space(c);
  if (c->at == c->end || (*c->at != '\'' && *c->at != '"')) return false;
  const char *from = c->at + 1, *to = memchr(from, *c->at, (size_t)(c->end - from));
  if (!to || (size_t)(to - from) >= size || memchr(from, '\\', (size_t)(to - from))) return false;
  memcpy(text, from, (size_t)(to - from));
  text[to - from] = '\0';
  c->at = to + 1;
  return true;
}

/* Takes a whole number from 0; Python 2 wrote some with an L behind. */
static bool take_extent(cursor *c, int64_t *out) {
  skip_space(c);
  const char *from = c->at;
  int64_t value = 0;
  for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, *c->at - '0', &value))
      return false;
  if (c->at == from) return false;
  take(c, "L");
  *out = value;
  return true;
}

static sel_status parse_descr(cursor *c, sel_dtype *out) {
  char descr[32];
  skip_space(c);
  int left = (int)(c->end - c->at);
  SEL_CHECK(take_string(c, descr, sizeof descr), SEL_E_FILE,
            "descr %.*s...: expected a plain dtype such as '<f4', not a structured one",
            left < 40 ? left : 40, c->at);
  const char *code = descr + (*descr != '\0' && strchr("<>|=", *descr) ? 1 : 0);
  for (int d = 0; d < SEL_DTYPE_COUNT; d++) {
    if (!codes[d] || strcmp(code, codes[d]) != 0) continue;
    SEL_CHECK(*descr != '>' || sel_dtype_size((sel_dtype)d) == 1, SEL_E_FILE,
              "descr '%s' is big endian; save it as a.astype('<%s')", descr, code);
    *out = (sel_dtype)d;
    return SEL_OK;
  }
  return sel_fail(
      SEL_E_FILE,
      "descr '%s' has no counterpart here; expected <f4, <f8, <f2, <i8, <i4, |u1 or |b1", descr);
}

static sel_status parse_shape(cursor *c, sel__npy_header *h) {
  SEL_CHECK(take(c, "("), SEL_E_FILE, "expected a tuple as shape");
  for (h->ndim = 0; !take(c, ")"); h->ndim++) {
    SEL_CHECK(h->ndim < SEL_MAX_DIMS, SEL_E_FILE, "expected at most %d dims, found more",
              SEL_MAX_DIMS);
    SEL_CHECK(take_extent(c, &h->shape[h->ndim]), SEL_E_FILE,
              "expected a whole number from 0 as extent %d of shape", h->ndim);
    if (take(c, ",")) continue;
    SEL_CHECK(take(c, ")"), SEL_E_FILE, "expected ',' or ')' in shape");
    h->ndim++;
    break;
  }
  return SEL_OK;
}

static sel_status parse_value(cursor *c, const char *key, sel__npy_header *h) {
  if (strcmp(key, "descr") == 0) return parse_descr(c, &h->dtype);
  if (strcmp(key, "shape") == 0) return parse_shape(c, h);
  h->fortran_order = take(c, "True");
  SEL_CHECK(h->fortran_order || take(c, "False"), SEL_E_FILE,
            "expected True or False as fortran_order");
  return SEL_OK;
}

sel_status sel__npy_header_parse(const char *text, size_t size, sel__npy_header *out) {
  static const char *const keys[] = {"descr", "fortran_order", "shape"};
  bool seen[3] = {false};
  cursor c = {text, text + size};
  sel__npy_header h = {.ndim = 0};
  SEL_CHECK(take(&c, "{"), SEL_E_FILE, "expected a header that begins with '{'");
  while (!take(&c, "}")) {
    char key[32];
    int k = 0;
    SEL_CHECK(take_string(&c, key, sizeof key) && take(&c, ":"), SEL_E_FILE,
              "expected 'key': value in the header at byte %d", (int)(c.at - text));
    while (k < 3 && strcmp(key, keys[k]) != 0) k++;
    SEL_CHECK(k < 3 && !seen[k], SEL_E_FILE,
              "expected descr, fortran_order and shape once each in the header, found %s'%s'",
              k < 3 ? "a second " : "", key);
    seen[k] = true;
    SEL_TRY(parse_value(&c, key, &h));
    if (take(&c, ",")) continue;
    SEL_CHECK(take(&c, "}"), SEL_E_FILE, "expected ',' or '}' in the header at byte %d",
              (int)(c.at - text));
    break;
  }
  for (int k = 0; k < 3; k++) SEL_CHECK(seen[k], SEL_E_FILE, "the header names no %s", keys[k]);
  skip_space(&c);
  SEL_CHECK(c.at == c.end, SEL_E_FILE, "expected nothing but spaces behind the header's '}'");
  *out = h;
  return SEL_OK;
}

/* "(2, 3)", "(2,)", "()" */
static int shape_tuple(const sel_tensor *t, char *text, size_t size) {
  int used = snprintf(text, size, "(");
  for (int d = 0; d < sel_ndim(t); d++)
    used += snprintf(text + used, size - (size_t)used, "%s%" PRId64, d ? ", " : "", sel_size(t, d));
  return used + snprintf(text + used, size - (size_t)used, sel_ndim(t) == 1 ? ",)" : ")");
}

sel_status sel__npy_header_print(const sel_tensor *t, char *text, size_t size, int *length) {
  enum { GROWTH_DIGITS = 21 };
  sel_dtype dtype = sel_tensor_dtype(t);
  SEL_CHECK(codes[dtype], SEL_E_DTYPE, "NumPy has no dtype for %s; expected a tensor cast to f32",
            sel_dtype_name(dtype));
  char shape[200];
  shape_tuple(t, shape, sizeof shape);
  int used = snprintf(text, size, "{'descr': '%c%s', 'fortran_order': False, 'shape': %s, }",
                      sel_dtype_size(dtype) > 1 ? '<' : '|', codes[dtype], shape);
  /* NumPy leaves room for the first extent to grow to 21 digits in place. */
  if (sel_ndim(t) > 0) {
    int digits = snprintf(NULL, 0, "%" PRId64, sel_size(t, 0));
    used += snprintf(text + used, size - (size_t)used, "%*s", GROWTH_DIGITS - digits, "");
  }
  *length = used;
  return SEL_OK;
}
