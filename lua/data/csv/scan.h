/* RFC 4180 as a stream of cells: a file is read a block at a time, and each cell is handed on as
 * soon as it ends. Lines end in LF or CR LF; a line without anything is passed over. */
#ifndef SEL_DATA_SCAN_H
#define SEL_DATA_SCAN_H

#include <selenite/base.h>

/* Where a cell begins: line and byte of it, from 1; and its number in the line, from 0. */
typedef struct csv_place {
  int64_t line, byte;
  int column;
} csv_place;

typedef struct csv_reader {
  void *context;
  /* last: the line ends behind it. The text has a '\0' behind it. */
  sel_status (*cell)(void *context, const char *text, size_t size, csv_place place, bool last);
} csv_reader;

/* Fails with what the reader fails with, or with an error that begins with path:line:byte. */
sel_status csv_scan(const char *path, char delimiter, const csv_reader *reader);

#endif
