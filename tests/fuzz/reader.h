/* read_input for READER(path, TYPE **out), released by RELEASE: whatever the bytes, the reader
 * succeeds, or fails with a message and without result. */
#include <selenite/selenite.h>
#include <stdio.h>
#include <stdlib.h>

#include "memory_file.h"

static int read_input(const uint8_t *data, size_t size) {
  static bool ready;
  if (!ready && sel_init(NULL) != SEL_OK) {
    fprintf(stderr, "%s\n", sel_error());
    exit(EXIT_FAILURE);
  }
  ready = true;
  TYPE *out = NULL;
  sel_status status = READER(memory_file(data, size), &out);
  if ((status == SEL_OK) != (out != NULL) || (status != SEL_OK && !*sel_error())) abort();
  accepted += status == SEL_OK;
  RELEASE(out);
  return 0;
}
