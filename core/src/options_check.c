/* Which values an option accepts: numbers, texts and lists become checked values here, and only
 * here. Leaves names and defaults to options.c. */
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "options.h"

enum { MAX_EXPECTATION = 400 };

static bool bounded(const sel_option *option) { return option->low != 0 || option->high != 0; }

static void print_range(const sel_option *option, char *text, size_t size) {
  if (!bounded(option) || (option->low == -INFINITY && option->high == INFINITY))
    text[0] = '\0';
  else if (option->high == INFINITY)
    snprintf(text, size, "at least %.15g", option->low);
  else if (option->low == -INFINITY)
    snprintf(text, size, "at most %.15g", option->high);
  else
    snprintf(text, size, "from %.15g to %.15g", option->low, option->high);
}

static void print_choices(const sel_option *option, char *text, size_t size) {
  size_t used = (size_t)snprintf(text, size, "one of ");
  for (const char *c = option->choices; *c && used + 3 < size; c++) {
    if (*c == '|') {
      text[used++] = ',';
      text[used++] = ' ';
    } else {
      text[used++] = *c;
    }
  }
  text[used] = '\0';
}

const char *sel__option_expects(const sel_option *option, char *text, size_t size) {
  char range[96], choices[256];
  print_range(option, range, sizeof range);
  const char *comma = *range ? ", " : "", *name = option->name;
  switch (option->kind) {
    case SEL_OPTION_INT:
      snprintf(text, size, "option %s is a whole number%s%s", name, comma, range);
      break;
    case SEL_OPTION_NUMBER:
      snprintf(text, size, "option %s is a number%s%s", name, comma, range);
      break;
    case SEL_OPTION_BOOL:
      snprintf(text, size, "option %s is true or false", name);
      break;
    case SEL_OPTION_STRING:
      if (option->choices) print_choices(option, choices, sizeof choices);
      snprintf(text, size, "option %s is %s", name, option->choices ? choices : "a text");
      break;
    case SEL_OPTION_INTS:
      if (option->choices) print_choices(option, choices, sizeof choices);
      snprintf(text, size, "option %s is 1 to %d whole numbers%s%s%s%s", name, option->max_count,
               *range ? ", each " : "", range, option->choices ? ", or " : "",
               option->choices ? choices : "");
      break;
    case SEL_OPTION_DTYPE:
      snprintf(text, size, "option %s is a dtype such as f32", name);
      break;
    default:
      snprintf(text, size, "option %s is of an unknown kind", name);
  }
  return text;
}

static sel_status refuse(const sel_option *option, const char *format, ...) SEL_PRINTF(2, 3);
static sel_status refuse(const sel_option *option, const char *format, ...) {
  char expected[MAX_EXPECTATION], got[256];
  va_list args;
  va_start(args, format);
  vsnprintf(got, sizeof got, format, args);
  va_end(args);
  return sel_fail(SEL_E_ARGUMENT, "%s, got %s",
                  sel__option_expects(option, expected, sizeof expected), got);
}

static bool in_range(const sel_option *option, double value) {
  if (isnan(value)) return false;
  return !bounded(option) || (value >= option->low && value <= option->high);
}

/* Doubles at and beyond 2^63 don't fit an int64_t. */
static bool whole(double value) {
  return value == floor(value) && value >= -0x1p63 && value < 0x1p63;
}

sel_status sel__option_ints(const sel_option *option, int n, const int64_t *values,
                            sel__value *out) {
  if (option->kind != SEL_OPTION_INTS) return refuse(option, "a list of %d numbers", n);
  if (n < 1 || n > option->max_count) return refuse(option, "%d numbers", n);
  for (int i = 0; i < n; i++)
    if (!in_range(option, (double)values[i])) return refuse(option, "%lld", (long long)values[i]);
  int64_t *copy = sel__alloc((size_t)n * sizeof *copy);
  if (!copy) return SEL_E_MEMORY;
  memcpy(copy, values, (size_t)n * sizeof *copy);
  out->as.ints.count = n;
  out->as.ints.values = copy;
  out->as.ints.word = NULL;
  return SEL_OK;
}

sel_status sel__option_number(const sel_option *option, double number, sel__value *out) {
  bool integral = option->kind == SEL_OPTION_INT || option->kind == SEL_OPTION_INTS;
  if (!integral && option->kind != SEL_OPTION_NUMBER) return refuse(option, "%.15g", number);
  if (integral && !whole(number)) return refuse(option, "%.15g", number);
  if (option->kind == SEL_OPTION_INTS) {
    int64_t single = (int64_t)number;
    return sel__option_ints(option, 1, &single, out);
  }
  if (!in_range(option, number)) return refuse(option, "%.15g", number);
  if (integral)
    out->as.integer = (int64_t)number;
  else
    out->as.number = number;
  return SEL_OK;
}

sel_status sel__option_bool(const sel_option *option, bool flag, sel__value *out) {
  if (option->kind != SEL_OPTION_BOOL) return refuse(option, flag ? "true" : "false");
  out->as.flag = flag;
  return SEL_OK;
}

static bool among_choices(const char *choices, const char *text) {
  size_t length = strlen(text);
  for (const char *c = choices; c;) {
    const char *end = strchrnul(c, '|');
    if ((size_t)(end - c) == length && memcmp(c, text, length) == 0) return true;
    c = *end ? end + 1 : NULL;
  }
  return false;
}

sel_status sel__option_string(const sel_option *option, const char *text, sel__value *out) {
  if (option->kind == SEL_OPTION_DTYPE) {
    sel_dtype dtype;
    if (sel_dtype_parse(text, &dtype) != SEL_OK) return refuse(option, "'%.100s'", text);
    out->as.dtype = dtype;
    return SEL_OK;
  }
  bool word = option->kind == SEL_OPTION_INTS && option->choices;
  if (option->kind != SEL_OPTION_STRING && !word) return refuse(option, "the text '%.100s'", text);
  if (option->choices && !among_choices(option->choices, text))
    return refuse(option, "'%.100s'", text);
  char *copy = sel__strdup(text);
  if (!copy) return SEL_E_MEMORY;
  if (word) {
    out->as.ints.count = 0;
    out->as.ints.values = NULL;
    out->as.ints.word = copy;
  } else {
    out->as.string = copy;
  }
  return SEL_OK;
}

/* ---- text form ---- */

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t c_locale;
static void make_locale(void) { c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

/* A number up to one of `ends`, whatever decimal point the host's locale uses. */
static bool read_number(const char *text, const char *ends, double *out, const char **rest) {
  pthread_once(&locale_once, make_locale);
  if (!*text || strchr(" \t\n\v\f\r", *text)) return false;
  char *end;
  double value = c_locale ? strtod_l(text, &end, c_locale) : strtod(text, &end);
  if (end == text || (*end && !strchr(ends, *end))) return false;
  *out = value;
  *rest = end;
  return true;
}

static sel_status parse_ints(const sel_option *option, const char *text, sel__value *out) {
  int64_t *values = sel__alloc((size_t)option->max_count * sizeof *values);
  if (!values) return SEL_E_MEMORY;
  int n = 0;
  bool good = true, more = true;
  for (const char *c = text; good && more && n < option->max_count;) {
    double number;
    good = read_number(c, "x,", &number, &c) && whole(number);
    if (!good) break;
    values[n++] = (int64_t)number;
    more = *c != '\0';
    if (more) c++;
  }
  sel_status status =
      good && !more ? sel__option_ints(option, n, values, out) : refuse(option, "'%.100s'", text);
  sel__free(values);
  return status;
}

sel_status sel__option_parse(const sel_option *option, const char *text, sel__value *out) {
  double number;
  const char *rest;
  switch (option->kind) {
    case SEL_OPTION_STRING:
    case SEL_OPTION_DTYPE:
      return sel__option_string(option, text, out);
    case SEL_OPTION_BOOL:
      if (strcmp(text, "true") == 0) return sel__option_bool(option, true, out);
      if (strcmp(text, "false") == 0) return sel__option_bool(option, false, out);
      return refuse(option, "'%.100s'", text);
    case SEL_OPTION_INTS:
      if (option->choices && among_choices(option->choices, text))
        return sel__option_string(option, text, out);
      return parse_ints(option, text, out);
    default:
      if (!read_number(text, "", &number, &rest)) return refuse(option, "'%.100s'", text);
      return sel__option_number(option, number, out);
  }
}

void sel__value_clear(const sel_option *option, sel__value *value) {
  if (option->kind == SEL_OPTION_STRING) sel__free(value->as.string);
  if (option->kind == SEL_OPTION_INTS) {
    sel__free(value->as.ints.values);
    sel__free(value->as.ints.word);
  }
  memset(value, 0, sizeof *value);
}

static void print_ints(const sel__value *value, char *text, size_t size) {
  size_t used = 0;
  if (value->as.ints.word) snprintf(text, size, "%s", value->as.ints.word);
  for (int i = 0; i < value->as.ints.count && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%lld", i ? "x" : "",
                             (long long)value->as.ints.values[i]);
}

void sel__value_print(const sel_option *option, const sel__value *value, char *text, size_t size) {
  switch (option->kind) {
    case SEL_OPTION_INT:
      snprintf(text, size, "%lld", (long long)value->as.integer);
      break;
    case SEL_OPTION_NUMBER:
      snprintf(text, size, "%.15g", value->as.number);
      break;
    case SEL_OPTION_BOOL:
      snprintf(text, size, "%s", value->as.flag ? "true" : "false");
      break;
    case SEL_OPTION_STRING:
      snprintf(text, size, "%s", value->as.string);
      break;
    case SEL_OPTION_INTS:
      print_ints(value, text, size);
      break;
    default:
      snprintf(text, size, "%s", sel_dtype_name(value->as.dtype));
  }
}
