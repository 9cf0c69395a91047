/* See cell.h. */
#include "cell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool only_spaces(const char *from, const char *end) {
  while (from < end && (*from == ' ' || *from == '\t')) from++;
  return from == end;
}

bool cell_number(const char *text, size_t size, locale_t locale, double *out) {
  char *end;
  if (memchr(text, 'x', size) || memchr(text, 'X', size)) return false; /* strtod reads 0x10 */
  double value = strtod_l(text, &end, locale);
  if (end == text || !only_spaces(end, text + size)) return false;
  *out = value;
  return true;
}

bool cell_integer(const char *text, size_t size, int64_t *out) {
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (end == text || errno || !only_spaces(end, text + size)) return false;
  *out = value;
  return true;
}
