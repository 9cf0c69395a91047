/* See scan.h. */
#include "scan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "check.h"

typedef enum state {
  CELL_START,
  PLAIN,    /* in a cell without quotes */
  QUOTED,   /* between its quotes */
  QUOTE_END /* behind a quote in such a cell: the end of it, or the first of two */
} state;

typedef struct scanner {
  const char *path;
  char delimiter;
  const csv_reader *reader;
  state state;
  bytes cell;
  csv_place start;    /* of the cell */
  int64_t line, byte; /* of the character that is looked at */
  bool was_return;    /* it comes behind CR */
} scanner;

static sel_status wrong(const scanner *s, csv_place at, const char *what) {
  return sel_fail(SEL_E_FILE, "%s:%lld:%lld: %s", s->path, (long long)at.line, (long long)at.byte,
                  what);
}

static csv_place here(const scanner *s) { return (csv_place){.line = s->line, .byte = s->byte}; }

static sel_status end_cell(scanner *s, bool last) {
  bytes_add(&s->cell, "", 1);
  SEL_CHECK(!s->cell.failed, SEL_E_MEMORY, "read_csv: out of host memory");
  SEL_TRY(s->reader->cell(s->reader->context, s->cell.data, s->cell.size - 1, s->start, last));
  s->cell.size = 0;
  s->state = CELL_START;
  s->start = (csv_place){s->line, s->byte + 1, last ? 0 : s->start.column + 1};
  if (last) s->start.line++, s->start.byte = 1;
  return SEL_OK;
}

static sel_status end_line(scanner *s) {
  bool nothing = s->state == CELL_START && s->start.column == 0;
  if (!nothing) return end_cell(s, true);
  s->start = (csv_place){s->line + 1, 1, 0};
  return SEL_OK;
}

/* A character outside quotes, or behind a closing one. */
static sel_status take_plain(scanner *s, char c) {
  if (s->was_return && c != '\n') return wrong(s, here(s), "a CR without LF ends no line");
  s->was_return = c == '\r';
  if (c == '\r') return SEL_OK;
  if (c == s->delimiter) return end_cell(s, false);
  if (c == '\n') return end_line(s);
  if (s->state == QUOTE_END)
    return wrong(s, here(s), "behind a closing quote comes neither a delimiter nor the line's end");
  if (c == '"') {
    if (s->state == PLAIN)
      return wrong(s, here(s), "a quote inside a cell that doesn't begin with one");
    s->state = QUOTED;
    return SEL_OK;
  }
  s->state = PLAIN;
  bytes_add(&s->cell, &c, 1);
  return SEL_OK;
}

static sel_status take(scanner *s, char c) {
  if (s->state == QUOTED) {
    if (c == '"')
      s->state = QUOTE_END;
    else
      bytes_add(&s->cell, &c, 1);
    return SEL_OK;
  }
  if (s->state == QUOTE_END && c == '"') { /* two quotes stand for one */
    s->state = QUOTED;
    bytes_add(&s->cell, &c, 1);
    return SEL_OK;
  }
  return take_plain(s, c);
}

static sel_status take_block(scanner *s, const char *text, size_t size) {
  for (size_t i = 0; i < size; i++) {
    SEL_TRY(take(s, text[i]));
    s->byte++;
    if (text[i] == '\n') s->line++, s->byte = 1;
  }
  return SEL_OK;
}

static sel_status finish(scanner *s) {
  if (s->state == QUOTED) return wrong(s, s->start, "the quote that opens here is never closed");
  if (s->was_return) return wrong(s, here(s), "a CR without LF ends no line");
  return end_line(s);
}

static sel_status scan_file(scanner *s, FILE *file) {
  static const char mark[] = "\xEF\xBB\xBF"; /* UTF-8's byte order mark */
  char block[1 << 16];
  size_t n = fread(block, 1, sizeof block, file);
  size_t skipped = n >= 3 && memcmp(block, mark, 3) == 0 ? 3 : 0;
  SEL_TRY(take_block(s, block + skipped, n - skipped));
  while ((n = fread(block, 1, sizeof block, file)) > 0) SEL_TRY(take_block(s, block, n));
  SEL_CHECK(!ferror(file), SEL_E_FILE, "read_csv: %s: %s", s->path, strerror(errno));
  return finish(s);
}

sel_status csv_scan(const char *path, char delimiter, const csv_reader *reader) {
  scanner s = {.path = path, .delimiter = delimiter, .reader = reader, .line = 1, .byte = 1};
  s.start = here(&s);
  FILE *file = fopen(path, "rb");
  SEL_CHECK(file, SEL_E_FILE, "read_csv: %s: %s", path, strerror(errno));
  sel_status status = scan_file(&s, file);
  fclose(file);
  bytes_free(&s.cell);
  return status;
}
