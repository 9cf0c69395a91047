/* Tables from CSV files (RFC 4180), each column of one type. */
#ifndef SEL_DATA_CSV_H
#define SEL_DATA_CSV_H

#ifndef SEL_FFI /* there the core's declarations are known already */
#include <selenite/tensor.h>
#endif

typedef enum sel_csv_type {
  SEL_CSV_GUESS = 0, /* integer where all cells are, else number where all are, else category */
  SEL_CSV_NUMBER,    /* f64; a missing one is NaN */
  SEL_CSV_INTEGER,   /* i64; none may be missing */
  SEL_CSV_CATEGORY,  /* i64 ids from 0 in the order of the texts' bytes; -1 where it is missing */
  SEL_CSV_STRING,    /* as it is */
  SEL_CSV_SKIP       /* not kept */
} sel_csv_type;

typedef struct sel_csv_settings {
  char delimiter;
  bool header; /* the first line names the columns; else they are "1", "2", ... */
  int n_missing;
  const char *const *missing; /* cells that mean that there is nothing */
  int n_types;
  const char *const *names;  /* columns of these names ... */
  const sel_csv_type *types; /* ... are of these types; the others are guessed */
} sel_csv_settings;

typedef struct sel_csv sel_csv;

/* Reads a file once, a block at a time: a column of a given type takes the memory of its values,
 * one that is guessed its text as well. Errors begin with FILE:LINE:COLUMN. New. */
SEL_API sel_status sel_csv_read(const char *path, const sel_csv_settings *settings, sel_csv **out);
SEL_API void sel_csv_release(sel_csv *csv);
SEL_API int64_t sel_csv_rows(const sel_csv *csv);
SEL_API int sel_csv_columns(const sel_csv *csv);
SEL_API const char *sel_csv_name(const sel_csv *csv, int column); /* borrowed */
SEL_API sel_csv_type sel_csv_type_of(const sel_csv *csv, int column);
/* f64 or i64 [rows] on the CPU, of a number, integer or category. New. */
SEL_API sel_status sel_csv_values(const sel_csv *csv, int column, sel_tensor **out);
/* Texts of a category by id, of a string by row, from 0. Borrowed. */
SEL_API int64_t sel_csv_text_count(const sel_csv *csv, int column);
SEL_API const char *sel_csv_text(const sel_csv *csv, int column, int64_t i, size_t *size);

#endif
