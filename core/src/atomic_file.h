/* A file that appears complete or not at all: written under a temporary name in the target's
 * folder, synced, renamed over the target. Until commit succeeds the target is what it was.
 */
#ifndef SEL_ATOMIC_FILE_H
#define SEL_ATOMIC_FILE_H

#include "core.h"

typedef struct sel__atomic_file {
  char *target, *temporary; /* NULL: not begun, or over */
  int fd;                   /* -1: lent */
} sel__atomic_file;

/* A symbolic link is followed, so that the file it points to is replaced. A target that exists but
 * is no regular file is refused. The new file has the old one's permissions, or those of umask. */
sel_status sel__atomic_begin(const char *path, sel__atomic_file *out);
sel_status sel__atomic_write(sel__atomic_file *file, const void *data, size_t size);
/* For a library that writes a path itself: it may replace file->temporary until commit. */
void sel__atomic_lend_path(sel__atomic_file *file);
/* On failure too, the file is over and the temporary file gone. */
sel_status sel__atomic_commit(sel__atomic_file *file);
/* Gives up; does nothing after commit, nor to a file that is all zero. */
void sel__atomic_abort(sel__atomic_file *file);

#endif
