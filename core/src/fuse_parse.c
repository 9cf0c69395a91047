/* Reading expressions: recursive descent, one function a level of precedence.
 *
 * The first failure is kept in the parser and everything after it does nothing, so that no level
 * needs to look. The text is only ever read: names are compared, numbers converted.
 */
#include "fuse_parse.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "fuse_functions.h"
#include "suggest.h"

enum { MAX_DEPTH = 100, MAX_NAMES = 256, NAME_TEXT = 48, QUOTED = 120, NUMBER_TEXT = 64 };

typedef struct span {
  const char *start;
  size_t length;
} span;

typedef struct binding {
  span name;
  int node;
} binding;

typedef struct parser {
  const char *text, *at; /* at: the next token's first character */
  sel_status status;
  int depth, n_names;
  binding names[MAX_NAMES];
  sel__fuse_parsed *out;
} parser;

/* ---- errors ---- */

/* Fails with `what` about the token at `where`, the name in it or what was found there. */
static int fail_at(parser *p, const char *where, const char *what, const char *hint) {
  if (p->status != SEL_OK) return 0;
  char found[NAME_TEXT] = "the end";
  if (*where) snprintf(found, sizeof found, "'%.16s%s'", where, strlen(where) > 16 ? "..." : "");
  p->status = sel_fail(SEL_E_ARGUMENT, "fuse: position %d, at %s: %s%s; in \"%.*s%s\"",
                       (int)(where - p->text) + 1, found, what, hint, QUOTED, p->text,
                       strlen(p->text) > QUOTED ? "..." : "");
  return 0;
}

static int fail(parser *p, const char *what) { return fail_at(p, p->at, what, ""); }

/* ---- tokens ---- */

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static void skip_space(parser *p) {
  while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r') p->at++;
}

static size_t name_length(const char *at) {
  size_t n = 0;
  if (is_letter(*at))
    while (is_letter(at[n]) || is_digit(at[n])) n++;
  return n;
}

static bool same(span a, const char *b) {
  return strlen(b) == a.length && memcmp(a.start, b, a.length) == 0;
}

static bool is_keyword(span name) {
  return same(name, "and") || same(name, "or") || same(name, "not");
}

/* Whether `token` comes next; if so it is passed. A word must end where the name ends. */
static bool accept(parser *p, const char *token) {
  const size_t n = strlen(token);
  if (p->status != SEL_OK || strncmp(p->at, token, n) != 0) return false;
  if (is_letter(*token) && name_length(p->at) != n) return false;
  p->at += n;
  skip_space(p);
  return true;
}

static void expect(parser *p, const char *token, const char *what) {
  if (!accept(p, token)) fail(p, what);
}

static span take_name(parser *p, const char *what) {
  const span name = {p->at, name_length(p->at)};
  if (name.length == 0 || is_keyword(name)) {
    fail(p, what);
    return (span){p->at, 0};
  }
  p->at += name.length;
  skip_space(p);
  return name;
}

/* A decimal number, whatever the locale's point is. */
static int number(parser *p) {
  char digits[NUMBER_TEXT];
  const char *start = p->at, *end = start;
  while (is_digit(*end) || *end == '.') end++;
  if (*end == 'e' || *end == 'E') {
    const char *exponent = end + 1;
    if (*exponent == '+' || *exponent == '-') exponent++;
    if (is_digit(*exponent)) end = exponent;
    while (is_digit(*end)) end++;
  }
  const size_t n = (size_t)(end - start);
  if (n >= sizeof digits) return fail(p, "a number of more than 63 characters");
  memcpy(digits, start, n);
  digits[n] = '\0';
  char *point = strchr(digits, '.'), *rest;
  if (point) *point = *localeconv()->decimal_point;
  const double value = strtod(digits, &rest);
  if (*rest || is_letter(*end)) return fail(p, "this is no number");
  p->at = end;
  skip_space(p);
  return sel__fuse_number(&p->out->graph, value);
}

/* ---- names ---- */

static int find(const parser *p, span name) {
  for (int i = p->n_names - 1; i >= 0; i--) {
    const span known = p->names[i].name;
    if (known.length == name.length && memcmp(known.start, name.start, name.length) == 0)
      return p->names[i].node;
  }
  return same(name, "pi") ? sel__fuse_number(&p->out->graph, M_PI) : -1;
}

static void bind(parser *p, span name, int node) {
  if (p->status != SEL_OK) return;
  for (int i = 0; i < p->n_names; i++)
    if (p->names[i].name.length == name.length &&
        memcmp(p->names[i].name.start, name.start, name.length) == 0) {
      fail_at(p, name.start, "this name has a value already", "");
      return;
    }
  if (p->n_names == MAX_NAMES) {
    fail_at(p, name.start, "more than 256 names", "");
    return;
  }
  p->names[p->n_names++] = (binding){name, node};
}

static void text_of(span name, char *text) {
  snprintf(text, NAME_TEXT, "%.*s", (int)(name.length < 40 ? name.length : 40), name.start);
}

static int unknown_name(parser *p, span name) {
  char wanted[NAME_TEXT], known[NAME_TEXT], best[NAME_TEXT] = "";
  sel__suggestion suggestion = {.wanted = wanted};
  text_of(name, wanted);
  for (int i = 0; i < p->n_names; i++) {
    text_of(p->names[i].name, known);
    sel__suggest(&suggestion, known);
    if (suggestion.best == known) suggestion.best = memcpy(best, known, sizeof best);
  }
  return fail_at(p, name.start, "no input or part has this name",
                 sel__suggestion_hint(&suggestion));
}

/* ---- expressions ---- */

static int expression(parser *p);

static int call(parser *p, span name) {
  const sel__fuse_function *function;
  int x[3] = {-1, -1, -1}, i = 0, n = 0;
  while ((function = sel__fuse_function_at(i)) && !same(name, function->name)) i++;
  if (!function) {
    char wanted[NAME_TEXT];
    sel__suggestion suggestion = {.wanted = wanted};
    text_of(name, wanted);
    for (i = 0; (function = sel__fuse_function_at(i)); i++)
      sel__suggest(&suggestion, function->name);
    return fail_at(p, name.start, "there is no such function", sel__suggestion_hint(&suggestion));
  }
  if (!accept(p, ")")) {
    do {
      const int argument = expression(p);
      if (n < 3) x[n] = argument;
      n++;
    } while (accept(p, ","));
    expect(p, ")", "expected ')' or ','");
  }
  if (n != function->arguments) {
    char what[NAME_TEXT];
    snprintf(what, sizeof what, "expected %d argument%s, got %d", function->arguments,
             function->arguments == 1 ? "" : "s", n);
    return fail_at(p, name.start, what, "");
  }
  if (p->status != SEL_OK) return 0;
  if (function->build) return function->build(&p->out->graph, x);
  return sel__fuse_apply(&p->out->graph, function->op, x[0], x[1], x[2]);
}

static int primary(parser *p) {
  if (p->status != SEL_OK) return 0;
  if (is_digit(*p->at) || (*p->at == '.' && is_digit(p->at[1]))) return number(p);
  if (accept(p, "(")) {
    const int inner = expression(p);
    expect(p, ")", "expected ')'");
    return inner;
  }
  const span name = take_name(p, "expected a number, a name or '('");
  if (p->status != SEL_OK) return 0;
  if (accept(p, "(")) return call(p, name);
  const int node = find(p, name);
  return node >= 0 ? node : unknown_name(p, name);
}

static int unary(parser *p);

static int power(parser *p) {
  const int base = primary(p);
  if (!accept(p, "^")) return base;
  return e_pow(&p->out->graph, base, unary(p)); /* from the right */
}

static int unary(parser *p) {
  if (p->depth == MAX_DEPTH) return fail(p, "nested more than 100 deep");
  p->depth++;
  int result;
  if (accept(p, "-"))
    result = e_neg(&p->out->graph, unary(p));
  else if (accept(p, "not"))
    result = e_logical_not(&p->out->graph, unary(p));
  else
    result = power(p);
  p->depth--;
  return result;
}

static int product(parser *p) {
  int left = unary(p);
  for (;;) {
    if (accept(p, "*"))
      left = e_mul(&p->out->graph, left, unary(p));
    else if (accept(p, "/"))
      left = e_div(&p->out->graph, left, unary(p));
    else if (accept(p, "%"))
      left = e_remainder(&p->out->graph, left, unary(p));
    else
      return left;
  }
}

static int sum(parser *p) {
  int left = product(p);
  for (;;) {
    if (accept(p, "+"))
      left = e_add(&p->out->graph, left, product(p));
    else if (accept(p, "-"))
      left = e_sub(&p->out->graph, left, product(p));
    else
      return left;
  }
}

/* The row of the comparison that comes next and is passed; -1: none comes. */
static int comparison_operator(parser *p) {
  if (accept(p, "<=")) return SEL_PW_le;
  if (accept(p, ">=")) return SEL_PW_ge;
  if (accept(p, "==")) return SEL_PW_eq;
  if (accept(p, "~=")) return SEL_PW_ne;
  if (accept(p, "<")) return SEL_PW_lt;
  if (accept(p, ">")) return SEL_PW_gt;
  return -1;
}

static int comparison(parser *p) {
  int left = sum(p);
  for (int op = comparison_operator(p); op >= 0; op = comparison_operator(p))
    left = sel__fuse_apply(&p->out->graph, op, left, sum(p), -1);
  return left;
}

static int conjunction(parser *p) {
  int left = comparison(p);
  while (accept(p, "and")) left = e_logical_and(&p->out->graph, left, comparison(p));
  return left;
}

static int expression(parser *p) {
  int left = conjunction(p);
  while (accept(p, "or")) left = e_logical_or(&p->out->graph, left, conjunction(p));
  return left;
}

/* ---- the whole ---- */

static void inputs(parser *p) {
  do {
    if (p->out->inputs == SEL_FUSE_INPUTS) {
      fail(p, "more than 8 inputs");
      return;
    }
    const span name = take_name(p, "expected the name of an input");
    if (p->status != SEL_OK) return;
    bind(p, name, sel__fuse_input(&p->out->graph, p->out->inputs++));
  } while (accept(p, ","));
  expect(p, "->", "expected ',' or '->'");
}

/* Whether a named part comes next: name = expression; */
static bool at_part(const parser *p) {
  const char *at = p->at + name_length(p->at);
  if (at == p->at) return false;
  while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') at++;
  return *at == '=' && at[1] != '=';
}

static void parts(parser *p) {
  while (p->status == SEL_OK && at_part(p)) {
    const span name = take_name(p, "expected a name");
    expect(p, "=", "expected '='");
    const int node = expression(p);
    expect(p, ";", "expected ';' behind a part");
    bind(p, name, node);
  }
}

static void results(parser *p) {
  do {
    if (p->out->outputs == SEL_FUSE_OUTPUTS) {
      fail(p, "more than 8 results");
      return;
    }
    p->out->output[p->out->outputs++] = expression(p);
  } while (accept(p, ","));
  if (p->status == SEL_OK && *p->at) fail(p, "expected an operator, ',' or the end");
}

sel_status sel__fuse_parse(const char *text, sel__fuse_parsed *out) {
  parser p = {.text = text, .at = text, .out = out};
  skip_space(&p);
  inputs(&p);
  parts(&p);
  results(&p);
  return p.status != SEL_OK ? p.status : out->graph.status;
}
