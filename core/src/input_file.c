/* See input_file.h. */
#include "input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

sel_status sel__input_open(const char *path, sel__input *out) {
  /* NONBLOCK: opening a FIFO returns, to be refused below; it changes nothing for regular files. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  SEL_CHECK(fd >= 0, SEL_E_FILE, "cannot open: %s", strerror(errno));
  struct stat status;
  if (fstat(fd, &status) != 0) {
    sel_status failed = sel_fail(SEL_E_FILE, "cannot ask for its size: %s", strerror(errno));
    close(fd);
    return failed;
  }
  if (!S_ISREG(status.st_mode)) {
    close(fd);
    return sel_fail(SEL_E_FILE, "expected a regular file, found a %s",
                    S_ISDIR(status.st_mode) ? "directory" : "device, pipe or socket");
  }
  *out = (sel__input){.fd = fd, .size = (uint64_t)status.st_size};
  return SEL_OK;
}

void sel__input_close(sel__input *in) {
  if (in->fd >= 0) close(in->fd);
  in->fd = -1;
}

sel_status sel__input_read(const sel__input *in, uint64_t offset, void *destination, size_t size) {
  char *to = destination;
  while (size > 0) {
    ssize_t got = pread(in->fd, to, size, (off_t)offset);
    if (got < 0 && errno == EINTR) continue;
    SEL_CHECK(got >= 0, SEL_E_FILE, "cannot read: %s", strerror(errno));
    SEL_CHECK(got > 0, SEL_E_FILE, "expected %zu bytes more from byte %llu, found the end", size,
              (unsigned long long)offset);
    to += got, offset += (uint64_t)got, size -= (size_t)got;
  }
  return SEL_OK;
}
