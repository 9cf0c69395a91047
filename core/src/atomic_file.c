/* See atomic_file.h. */
#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_error.h"
#include "selenite/file.h"

/* Bytes of `path` up to and with its last slash: the folder, "" for the working directory. */
static size_t folder_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

static sel_status resolve_target(const char *path, char **target, bool *exists, mode_t *mode) {
  struct stat status;
  *exists = stat(path, &status) == 0;
  if (*exists) {
    SEL_CHECK(S_ISREG(status.st_mode), SEL_E_FILE, "expected a regular file to replace, found a %s",
              S_ISDIR(status.st_mode) ? "directory" : "device, pipe or socket");
    *mode = status.st_mode & 07777;
  }
  char *real = *exists ? realpath(path, NULL) : NULL;
  *target = sel__strdup(real ? real : path);
  free(real);
  return *target ? SEL_OK : SEL_E_MEMORY;
}

/* A name of its own, not the target's with something behind it, which could be too long. open, not
 * mkstemp, so that umask and the folder's default ACL decide about permissions. */
static sel_status create_temporary(sel__atomic_file *file) {
  static atomic_uint last;
  size_t folder = folder_length(file->target), size = folder + 64;
  file->temporary = sel__alloc(size);
  if (!file->temporary) return SEL_E_MEMORY;
  memcpy(file->temporary, file->target, folder);
  do {
    snprintf(file->temporary + folder, size - folder, ".selenite-%ld-%u.tmp", (long)getpid(),
             atomic_fetch_add(&last, 1));
    file->fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file->fd < 0 && (errno == EEXIST || errno == EINTR));
  SEL_CHECK(file->fd >= 0, SEL_E_FILE, "cannot create a file in its folder: %s", strerror(errno));
  return SEL_OK;
}

sel_status sel__atomic_begin(const char *path, sel__atomic_file *out) {
  sel__atomic_file file = {.fd = -1};
  bool exists;
  mode_t mode = 0;
  sel_status status = resolve_target(path, &file.target, &exists, &mode);
  if (status == SEL_OK) status = create_temporary(&file);
  if (status == SEL_OK && exists && fchmod(file.fd, mode) != 0)
    status = sel_fail(SEL_E_FILE, "cannot keep its permissions: %s", strerror(errno));
  if (status != SEL_OK) {
    sel__atomic_abort(&file);
    return status;
  }
  *out = file;
  return SEL_OK;
}

sel_status sel__atomic_write(sel__atomic_file *file, const void *data, size_t size) {
  const char *from = data;
  while (size > 0) {
    ssize_t put = write(file->fd, from, size);
    if (put < 0 && errno == EINTR) continue;
    SEL_CHECK(put >= 0, SEL_E_FILE, "cannot write: %s", strerror(errno));
    from += put, size -= (size_t)put;
  }
  return SEL_OK;
}

void sel__atomic_lend_path(sel__atomic_file *file) {
  close(file->fd);
  file->fd = -1;
}

/* Makes the rename itself durable. Some file systems can't sync a folder; the file is whole there
 * all the same, so nothing is reported. */
static void sync_folder(char *path) {
  size_t folder = folder_length(path);
  path[folder] = '\0';
  int fd = open(folder ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);
  close(fd);
}

sel_status sel__atomic_commit(sel__atomic_file *file) {
  const char *failed = NULL;
  if (file->fd < 0) file->fd = open(file->temporary, O_RDONLY | O_CLOEXEC);
  if (fsync(file->fd) != 0) failed = "sync";
  int error = errno;
  if (close(file->fd) != 0 && !failed) failed = "close", error = errno;
  file->fd = -1;
  if (!failed && rename(file->temporary, file->target) != 0) failed = "rename", error = errno;
  sel_status status = SEL_OK;
  if (failed) {
    status = sel_fail(SEL_E_FILE, "cannot %s the new file: %s", failed, strerror(error));
  } else {
    sel__free(file->temporary);
    file->temporary = NULL;
    sync_folder(file->target);
  }
  sel__atomic_abort(file);
  return status;
}

void sel__atomic_abort(sel__atomic_file *file) {
  if (file->temporary) {
    if (file->fd >= 0) close(file->fd);
    unlink(file->temporary);
  }
  sel__free(file->temporary);
  sel__free(file->target);
  *file = (sel__atomic_file){.fd = -1};
}

sel_status sel_file_write(const char *path, const void *data, size_t size) {
  SEL_CHECK_PATH("file_write", path);
  sel__atomic_file file = {.fd = -1};
  sel_status status = sel__atomic_begin(path, &file);
  if (status == SEL_OK) status = sel__atomic_write(&file, data, size);
  if (status == SEL_OK) status = sel__atomic_commit(&file);
  sel__atomic_abort(&file);
  return sel__name_file(status, "file_write", path);
}
