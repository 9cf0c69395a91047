/* Options of one layer: a value for each option of its type, set and read by name.
 *
 * Invariant: every value is acceptable to its option at any time, except that a required option has
 * none before it is set. What is acceptable is options_check.c's business. */
#include "options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "suggest.h"

sel_status sel_options_new(const sel_layer_type *type, sel_options **out) {
  SEL_CHECK(type, SEL_E_ARGUMENT, "options: a layer type is expected, got NULL");
  size_t values = (size_t)type->n_options * sizeof(sel__value);
  sel_options *options = sel__zalloc(sizeof *options + values);
  if (!options) return SEL_E_MEMORY;
  options->type = type;
  for (int i = 0; i < type->n_options; i++) {
    const sel_option *option = &type->options[i];
    if (option->required) continue;
    sel_status status = sel__option_parse(option, option->default_text, &options->values[i]);
    if (status != SEL_OK) {
      sel_error_prefix(type->name);
      sel_options_release(options);
      return status;
    }
  }
  *out = options;
  return SEL_OK;
}

void sel_options_release(sel_options *options) {
  if (!options) return;
  for (int i = 0; i < options->type->n_options; i++)
    sel__value_clear(&options->type->options[i], &options->values[i]);
  sel__free(options);
}

/* ---- setting ---- */

static int find(const sel_options *options, const char *name) {
  for (int i = 0; i < options->type->n_options; i++)
    if (strcmp(options->type->options[i].name, name) == 0) return i;
  return -1;
}

static sel_status unknown(const sel_options *options, const char *name) {
  const sel_layer_type *type = options->type;
  char names[512] = "none";
  size_t used = 0;
  sel__suggestion suggestion = {.wanted = name};
  for (int i = 0; i < type->n_options; i++) {
    sel__suggest(&suggestion, type->options[i].name);
    if (used < sizeof names)
      used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "",
                               type->options[i].name);
  }
  const char *hint = sel__suggestion_hint(&suggestion);
  if (*hint) return sel_fail(SEL_E_ARGUMENT, "%s has no option '%.100s'%s", type->name, name, hint);
  return sel_fail(SEL_E_ARGUMENT, "%s has no option '%.100s'; its options: %s", type->name, name,
                  names);
}

static sel_status find_known(const sel_options *options, const char *name, int *out) {
  SEL_CHECK(name, SEL_E_ARGUMENT, "%s: the name of an option is expected, got NULL",
            options->type->name);
  int i = find(options, name);
  if (i < 0) return unknown(options, name);
  *out = i;
  return SEL_OK;
}

/* Replaces value i where `status` says that `made` was made, else completes the error. */
static sel_status keep(sel_options *options, int i, sel_status status, sel__value *made) {
  if (status != SEL_OK) {
    sel_error_prefix(options->type->name);
    return status;
  }
  made->set = true;
  sel__value_clear(&options->type->options[i], &options->values[i]);
  options->values[i] = *made;
  return SEL_OK;
}

sel_status sel_options_set_number(sel_options *options, const char *name, double value) {
  int i = 0;
  sel__value made = {0};
  SEL_TRY(find_known(options, name, &i));
  return keep(options, i, sel__option_number(&options->type->options[i], value, &made), &made);
}

sel_status sel_options_set_bool(sel_options *options, const char *name, bool value) {
  int i = 0;
  sel__value made = {0};
  SEL_TRY(find_known(options, name, &i));
  return keep(options, i, sel__option_bool(&options->type->options[i], value, &made), &made);
}

sel_status sel_options_set_string(sel_options *options, const char *name, const char *value) {
  int i = 0;
  sel__value made = {0};
  SEL_TRY(find_known(options, name, &i));
  SEL_CHECK(value, SEL_E_ARGUMENT, "%s: option %s: a text is expected, got NULL",
            options->type->name, name);
  return keep(options, i, sel__option_string(&options->type->options[i], value, &made), &made);
}

sel_status sel_options_set_ints(sel_options *options, const char *name, int n,
                                const int64_t *values) {
  int i = 0;
  sel__value made = {0};
  SEL_TRY(find_known(options, name, &i));
  return keep(options, i, sel__option_ints(&options->type->options[i], n, values, &made), &made);
}

/* ---- the text form ---- */

/* Cuts spaces from both ends of `text`, in place. */
static char *trim(char *text) {
  text += strspn(text, " \t\n");
  size_t length = strlen(text);
  while (length && strchr(" \t\n", text[length - 1])) length--;
  text[length] = '\0';
  return text;
}

/* One "name=value". */
static sel_status set_pair(sel_options *options, char *pair) {
  char *equals = strchr(pair, '=');
  SEL_CHECK(equals, SEL_E_ARGUMENT, "%s: options are written name=value, got '%.100s'",
            options->type->name, trim(pair));
  *equals = '\0';
  char *name = trim(pair), *text = trim(equals + 1);
  int i = 0;
  sel__value made = {0};
  SEL_TRY(find_known(options, name, &i));
  SEL_CHECK(!options->values[i].set, SEL_E_ARGUMENT, "%s: option %s is given twice",
            options->type->name, name);
  return keep(options, i, sel__option_parse(&options->type->options[i], text, &made), &made);
}

sel_status sel__options_set_all(sel_options *options, const char *text) {
  if (!text || !text[strspn(text, " \t\n")]) return SEL_OK;
  char *copy = sel__strdup(text), *rest = copy;
  if (!copy) return SEL_E_MEMORY;
  sel_status status = SEL_OK;
  while (rest && status == SEL_OK) status = set_pair(options, strsep(&rest, ","));
  sel__free(copy);
  return status;
}

static bool any_is_set(const sel_options *options) {
  for (int i = 0; i < options->type->n_options; i++)
    if (options->values[i].set) return true;
  return false;
}

void sel__options_print(const sel_options *options, char *text, size_t size) {
  bool all = !any_is_set(options);
  size_t used = 0;
  text[0] = '\0';
  for (int i = 0; i < options->type->n_options && used < size; i++) {
    if (!all && !options->values[i].set) continue;
    const sel_option *option = &options->type->options[i];
    char value[256];
    sel__value_print(option, &options->values[i], value, sizeof value);
    used += (size_t)snprintf(text + used, size - used, "%s%s=%s", used ? ", " : "", option->name,
                             value);
  }
}

sel_status sel__options_check_required(const sel_options *options) {
  for (int i = 0; i < options->type->n_options; i++) {
    const sel_option *option = &options->type->options[i];
    char expected[400];
    if (option->required && !options->values[i].set)
      return sel_fail(SEL_E_ARGUMENT, "%s: %s and must be given", options->type->name,
                      sel__option_expects(option, expected, sizeof expected));
  }
  return SEL_OK;
}

/* ---- reading ---- */

/* The value of an option of that kind; NULL, in a release build, for a layer type that asks for
 * what it has not. */
static const sel__value *read_value(const sel_options *options, const char *name,
                                    sel_option_kind kind) {
  int i = find(options, name);
  bool known = i >= 0 && options->type->options[i].kind == kind;
  assert(known && "a layer type asks for an option it doesn't describe");
  return known ? &options->values[i] : NULL;
}

int64_t sel_options_int(const sel_options *options, const char *name) {
  const sel__value *value = read_value(options, name, SEL_OPTION_INT);
  return value ? value->as.integer : 0;
}

double sel_options_number(const sel_options *options, const char *name) {
  const sel__value *value = read_value(options, name, SEL_OPTION_NUMBER);
  return value ? value->as.number : 0;
}

bool sel_options_bool(const sel_options *options, const char *name) {
  const sel__value *value = read_value(options, name, SEL_OPTION_BOOL);
  return value && value->as.flag;
}

const char *sel_options_string(const sel_options *options, const char *name) {
  int i = find(options, name);
  bool ints = i >= 0 && options->type->options[i].kind == SEL_OPTION_INTS;
  const sel__value *value = read_value(options, name, ints ? SEL_OPTION_INTS : SEL_OPTION_STRING);
  const char *text = !value ? NULL : ints ? value->as.ints.word : value->as.string;
  return text ? text : "";
}

sel_dtype sel_options_dtype(const sel_options *options, const char *name) {
  const sel__value *value = read_value(options, name, SEL_OPTION_DTYPE);
  return value ? value->as.dtype : SEL_F32;
}

int sel_options_count(const sel_options *options, const char *name) {
  const sel__value *value = read_value(options, name, SEL_OPTION_INTS);
  return value ? value->as.ints.count : 0;
}

sel_status sel_options_ints(const sel_options *options, const char *name, int n, int64_t *values) {
  const sel__value *value = read_value(options, name, SEL_OPTION_INTS);
  int count = value ? value->as.ints.count : 0;
  if (!value) {
    memset(values, 0, (size_t)n * sizeof *values);
    return SEL_OK;
  }
  SEL_CHECK(!value->as.ints.word, SEL_E_ARGUMENT, "%s: option %s is 1 or %d numbers here, got '%s'",
            options->type->name, name, n, value->as.ints.word);
  SEL_CHECK(count == n || count == 1, SEL_E_ARGUMENT, "%s: option %s is 1 or %d numbers, got %d",
            options->type->name, name, n, count);
  for (int i = 0; i < n; i++) values[i] = value->as.ints.values[count == 1 ? 0 : i];
  return SEL_OK;
}

sel_status sel_options_dim(const sel_options *options, const char *name, int *out) {
  int64_t typed = sel_options_int(options, name);
  SEL_CHECK(typed != 0 && typed >= -SEL_MAX_DIMS && typed <= SEL_MAX_DIMS, SEL_E_ARGUMENT,
            "%s: option %s counts dimensions from 1, or from -1 for the last, got %lld",
            options->type->name, name, (long long)typed);
  *out = (int)(typed > 0 ? typed - 1 : typed);
  return SEL_OK;
}

bool sel_options_is_set(const sel_options *options, const char *name) {
  int i = find(options, name);
  assert(i >= 0 && "a layer type asks for an option it doesn't describe");
  return i >= 0 && options->values[i].set;
}
