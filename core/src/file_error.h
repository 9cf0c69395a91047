/* Which file an error is about: readers and writers report what is wrong, their public function
 * adds the operation and the path once, on the way out. */
#ifndef SEL_FILE_ERROR_H
#define SEL_FILE_ERROR_H

#include "core.h"

/* On failure puts "operation: path: " before the error text. Returns `status`. */
sel_status sel__name_file(sel_status status, const char *operation, const char *path);
/* The same for a part of the file: "tensor 'w': ". */
sel_status sel__name_part(sel_status status, const char *kind, const char *name);

/* A path that is NULL or empty is the caller's mistake, not the file's. */
#define SEL_CHECK_PATH(operation, path) \
  SEL_CHECK((path) && *(path), SEL_E_ARGUMENT, "%s: the path is empty", operation)

#endif
