/* A table: cells become values as they come, in columns; guessed columns keep their text until the
 * end. See csv.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell.h"
#include "check.h"
#include "csv.h"
#include "scan.h"
#include "words.h"

typedef struct column {
  char *name;
  sel_csv_type type;
  bytes values;       /* double or int64_t; nothing for strings */
  words categories;   /* the texts of a category */
  bytes text, starts; /* cells of strings and of guessed columns; size_t: where each begins */
} column;

struct sel_csv {
  column *columns;
  int n_columns;
  int64_t rows;
};

typedef struct builder {
  const char *path;
  const sel_csv_settings *settings;
  sel_csv *table;
  locale_t locale;
  bool named;  /* the columns have their names */
  bytes first; /* names read so far, each with its '\0' */
  int n_first;
} builder;

static sel_status no_memory(void) { return sel_fail(SEL_E_MEMORY, "read_csv: out of host memory"); }

/* ---- columns ---- */

static bool is_missing(const builder *b, const char *text) {
  for (int i = 0; i < b->settings->n_missing; i++)
    if (strcmp(text, b->settings->missing[i]) == 0) return true;
  return false;
}

static sel_status bad_cell(const builder *b, const column *c, csv_place at, const char *expected,
                           const char *text) {
  return sel_fail(SEL_E_FILE, "%s:%lld:%lld: column '%s': expected %s, got '%.60s'", b->path,
                  (long long)at.line, (long long)at.byte, c->name, expected, text);
}

static void keep_text(column *c, const char *text, size_t size) {
  size_t start = c->text.size;
  bytes_add(&c->starts, &start, sizeof start);
  bytes_add(&c->text, text, size + 1);
}

static bool column_failed(const column *c) {
  return c->values.failed || c->text.failed || c->starts.failed || words_failed(&c->categories);
}

static sel_status add_cell(const builder *b, column *c, const char *text, size_t size,
                           csv_place at) {
  double number = NAN;
  int64_t whole = -1;
  switch (c->type) {
    case SEL_CSV_NUMBER:
      if (!is_missing(b, text) && !cell_number(text, size, b->locale, &number))
        return bad_cell(b, c, at, "a number", text);
      bytes_add(&c->values, &number, sizeof number);
      break;
    case SEL_CSV_INTEGER:
      if (!cell_integer(text, size, &whole))
        return bad_cell(
            b, c, at,
            is_missing(b, text) ? "a whole number, which can't be missing" : "a whole number",
            text);
      bytes_add(&c->values, &whole, sizeof whole);
      break;
    case SEL_CSV_CATEGORY:
      if (!is_missing(b, text)) whole = words_add(&c->categories, text, size);
      bytes_add(&c->values, &whole, sizeof whole);
      break;
    case SEL_CSV_SKIP:
      break;
    default:
      keep_text(c, text, size);
  }
  return column_failed(c) ? no_memory() : SEL_OK;
}

/* ---- the first line ---- */

static sel_csv_type given_type(const builder *b, const char *name) {
  for (int i = 0; i < b->settings->n_types; i++)
    if (strcmp(b->settings->names[i], name) == 0) return b->settings->types[i];
  return SEL_CSV_GUESS;
}

static sel_status check_given(const builder *b) {
  for (int i = 0; i < b->settings->n_types; i++) {
    bool found = false;
    for (int k = 0; k < b->table->n_columns; k++)
      found |= strcmp(b->table->columns[k].name, b->settings->names[i]) == 0;
    SEL_CHECK(found, SEL_E_ARGUMENT, "read_csv: %s has no column '%s'", b->path,
              b->settings->names[i]);
  }
  return SEL_OK;
}

/* n columns; their names are those of the first line, or their numbers. */
static sel_status make_columns(builder *b, int n, const char *names) {
  b->table->columns = calloc((size_t)n, sizeof *b->table->columns);
  if (!b->table->columns) return no_memory();
  b->table->n_columns = n;
  for (int i = 0; i < n; i++) {
    char number[16];
    snprintf(number, sizeof number, "%d", i + 1);
    column *c = &b->table->columns[i];
    c->name = strdup(names ? names : number);
    if (!c->name) return no_memory();
    c->type = given_type(b, c->name);
    for (int k = 0; k < i; k++)
      SEL_CHECK(strcmp(b->table->columns[k].name, c->name) != 0, SEL_E_FILE,
                "%s:1: two columns are named '%s'", b->path, c->name);
    if (names) names += strlen(names) + 1;
  }
  b->named = true;
  return check_given(b);
}

/* Cells of the first line tell how many columns there are; without a header they are values too. */
static sel_status take_first(builder *b, const char *text, size_t size, bool last) {
  bytes_add(&b->first, text, size + 1);
  if (b->first.failed) return no_memory();
  b->n_first++;
  if (!last) return SEL_OK;
  if (b->settings->header) return make_columns(b, b->n_first, b->first.data);
  SEL_TRY(make_columns(b, b->n_first, NULL));
  const char *cell = b->first.data;
  for (int i = 0; i < b->n_first; i++, cell += strlen(cell) + 1)
    SEL_TRY(add_cell(b, &b->table->columns[i], cell, strlen(cell), (csv_place){1, 1, i}));
  b->table->rows = 1;
  return SEL_OK;
}

static sel_status take_cell(void *context, const char *text, size_t size, csv_place at, bool last) {
  builder *b = context;
  SEL_CHECK(strlen(text) == size, SEL_E_FILE, "%s:%lld:%lld: the cell has a zero byte", b->path,
            (long long)at.line, (long long)at.byte);
  if (!b->named) return take_first(b, text, size, last);
  int n = b->table->n_columns;
  SEL_CHECK(at.column < n && (!last || at.column == n - 1), SEL_E_FILE,
            "%s:%lld:%lld: expected %d cells in a line, as in the first, got %s%d", b->path,
            (long long)at.line, (long long)at.byte, n, at.column < n ? "" : "more than ",
            at.column < n ? at.column + 1 : n);
  if (last) b->table->rows++;
  return add_cell(b, &b->table->columns[at.column], text, size, at);
}

/* ---- guessing ---- */

static const char *cell_text(const column *c, int64_t row, size_t *size) {
  const size_t *starts = (const void *)c->starts.data;
  size_t n = c->starts.size / sizeof *starts;
  size_t end = (size_t)row + 1 < n ? starts[row + 1] : c->text.size;
  *size = end - starts[row] - 1;
  return c->text.data + starts[row];
}

static sel_csv_type guess(const builder *b, const column *c) {
  bool integers = true, numbers = true;
  for (int64_t i = 0; i < b->table->rows && numbers; i++) {
    size_t size;
    double number;
    int64_t whole;
    const char *text = cell_text(c, i, &size);
    integers = integers && cell_integer(text, size, &whole);
    numbers = is_missing(b, text) || cell_number(text, size, b->locale, &number);
  }
  return integers && numbers ? SEL_CSV_INTEGER : numbers ? SEL_CSV_NUMBER : SEL_CSV_CATEGORY;
}

static sel_status settle(const builder *b, column *c) {
  column settled = {.type = guess(b, c)};
  sel_status status = SEL_OK;
  for (int64_t i = 0; i < b->table->rows && status == SEL_OK; i++) {
    size_t size;
    const char *text = cell_text(c, i, &size);
    status = add_cell(b, &settled, text, size, (csv_place){0});
  }
  bytes_free(&c->text);
  bytes_free(&c->starts);
  settled.name = c->name;
  *c = settled;
  return status;
}

/* ---- categories in the order of their bytes ---- */

typedef struct named_id {
  const char *text;
  int64_t id;
} named_id;

static int compare(const void *a, const void *b) {
  return strcmp(((const named_id *)a)->text, ((const named_id *)b)->text);
}

static sel_status sort_categories(column *c) {
  size_t n = c->categories.n, size;
  named_id *order = calloc(n + 1, sizeof *order);
  int64_t *place = calloc(n + 1, sizeof *place);
  char *texts = malloc(c->categories.text.size + n + 1), *end = texts;
  words sorted = {0};
  if (order && place && texts) {
    for (size_t i = 0; i < n; i++) {
      const char *text = words_text(&c->categories, (int64_t)i, &size);
      memcpy(end, text, size);
      end[size] = '\0';
      order[i] = (named_id){end, (int64_t)i};
      end += size + 1;
    }
    qsort(order, n, sizeof *order, compare);
    for (size_t i = 0; i < n; i++)
      place[order[i].id] = words_add(&sorted, order[i].text, strlen(order[i].text));
  }
  bool good = order && place && texts && !words_failed(&sorted);
  int64_t *ids = (void *)c->values.data;
  for (size_t i = 0; good && i < c->values.size / sizeof *ids; i++)
    if (ids[i] >= 0) ids[i] = place[ids[i]];
  free(order);
  free(place);
  free(texts);
  words_free(&c->categories);
  c->categories = sorted;
  return good ? SEL_OK : no_memory();
}

/* ---- reading ---- */

static sel_status read_table(builder *b) {
  const csv_reader reader = {b, take_cell};
  SEL_TRY(csv_scan(b->path, b->settings->delimiter, &reader));
  SEL_CHECK(b->named, SEL_E_FILE, "read_csv: %s: expected a first line, the file is empty",
            b->path);
  for (int i = 0; i < b->table->n_columns; i++) {
    column *c = &b->table->columns[i];
    if (c->type == SEL_CSV_GUESS) SEL_TRY(settle(b, c));
    if (c->type == SEL_CSV_CATEGORY) SEL_TRY(sort_categories(c));
  }
  return SEL_OK;
}

sel_status sel_csv_read(const char *path, const sel_csv_settings *settings, sel_csv **out) {
  builder b = {.path = path, .settings = settings, .table = calloc(1, sizeof *b.table)};
  b.locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  sel_status status = b.table && b.locale ? read_table(&b) : no_memory();
  if (b.locale) freelocale(b.locale);
  bytes_free(&b.first);
  if (status != SEL_OK) {
    sel_csv_release(b.table);
    return status;
  }
  *out = b.table;
  return SEL_OK;
}

void sel_csv_release(sel_csv *t) {
  if (!t) return;
  for (int i = 0; i < t->n_columns; i++) {
    column *c = &t->columns[i];
    free(c->name);
    bytes_free(&c->values);
    words_free(&c->categories);
    bytes_free(&c->text);
    bytes_free(&c->starts);
  }
  free(t->columns);
  free(t);
}

/* ---- asking ---- */

int64_t sel_csv_rows(const sel_csv *t) { return t->rows; }
int sel_csv_columns(const sel_csv *t) { return t->n_columns; }
const char *sel_csv_name(const sel_csv *t, int i) { return t->columns[i].name; }
sel_csv_type sel_csv_type_of(const sel_csv *t, int i) { return t->columns[i].type; }

sel_status sel_csv_values(const sel_csv *t, int i, sel_tensor **out) {
  const column *c = &t->columns[i];
  sel_device *cpu;
  sel_dtype dtype = c->type == SEL_CSV_NUMBER ? SEL_F64 : SEL_I64;
  SEL_TRY(sel_device_find("cpu", &cpu));
  return sel_from_data(1, &t->rows, dtype, cpu, c->values.data, c->values.size, out);
}

int64_t sel_csv_text_count(const sel_csv *t, int i) {
  const column *c = &t->columns[i];
  return c->type == SEL_CSV_CATEGORY ? (int64_t)c->categories.n : t->rows;
}

const char *sel_csv_text(const sel_csv *t, int i, int64_t k, size_t *size) {
  const column *c = &t->columns[i];
  return c->type == SEL_CSV_CATEGORY ? words_text(&c->categories, k, size) : cell_text(c, k, size);
}
