/* See file_error.h. */
#include "file_error.h"

#include <stdio.h>

/* Cut so that the message proper has room, however long the name. */
enum { PREFIX_MAX = 640 };

sel_status sel__name_file(sel_status status, const char *operation, const char *path) {
  if (status == SEL_OK) return SEL_OK;
  char prefix[PREFIX_MAX];
  snprintf(prefix, sizeof prefix, "%s: %.600s", operation, path);
  sel_error_prefix(prefix);
  return status;
}

sel_status sel__name_part(sel_status status, const char *kind, const char *name) {
  if (status == SEL_OK) return SEL_OK;
  char prefix[PREFIX_MAX];
  snprintf(prefix, sizeof prefix, "%s '%.200s'", kind, name);
  sel_error_prefix(prefix);
  return status;
}
