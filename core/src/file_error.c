/* See file_error.h. */
#include "file_error.h"

#include <stdio.h>

sel_status sel__name_file(sel_status status, const char *operation, const char *path) {
  if (status == SEL_OK) return SEL_OK;
  char prefix[640]; /* leaves room for the message proper, however long the path */
  snprintf(prefix, sizeof prefix, "%s: %.600s", operation, path);
  sel_error_prefix(prefix);
  return status;
}
