/* Plugins as files: whether one is whole, and copies. dlopen trusts a file's headers and crashes on
 * one that is cut off (as a full disk or an interrupted copy leaves it), so that its segments are
 * compared with its size first. All else about a file is the dynamic linker's business. */
#include "plugin_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core.h"

typedef ElfW(Ehdr) file_header;
typedef ElfW(Phdr) segment;

static bool read_at(int file, uint64_t offset, void *out, size_t size) {
  return pread(file, out, size, (off_t)offset) == (ssize_t)size;
}

static bool has_magic(const file_header *header) {
  return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
         header->e_ident[EI_CLASS] == (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) &&
         header->e_phentsize == sizeof(segment);
}

/* All of the file that a segment maps is there. */
static bool is_whole(int file, uint64_t size, const file_header *header) {
  for (unsigned i = 0; i < header->e_phnum; i++) {
    segment s;
    if (!read_at(file, header->e_phoff + (uint64_t)i * sizeof s, &s, sizeof s)) return false;
    if (s.p_filesz > size || s.p_offset > size - s.p_filesz) return false;
  }
  return true;
}

static sel_status check(int file, const char *path) {
  struct stat info;
  file_header header;
  SEL_CHECK(fstat(file, &info) == 0 && S_ISREG(info.st_mode), SEL_E_PLUGIN,
            "%s: can't be loaded: it is no file", path);
  SEL_CHECK(read_at(file, 0, &header, sizeof header) && has_magic(&header), SEL_E_PLUGIN,
            "%s: can't be loaded: it is no shared object for this machine", path);
  SEL_CHECK(is_whole(file, (uint64_t)info.st_size, &header), SEL_E_PLUGIN,
            "%s: can't be loaded: the file is cut off after %lld bytes", path,
            (long long)info.st_size);
  return SEL_OK;
}

sel_status sel__plugin_file_check(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  SEL_CHECK(file >= 0, SEL_E_PLUGIN, "%s: can't be loaded: %s", path, strerror(errno));
  sel_status status = check(file, path);
  close(file);
  return status;
}

static bool copy_bytes(int from, int to) {
  char buffer[1 << 16];
  ssize_t n;
  while ((n = read(from, buffer, sizeof buffer)) > 0)
    if (write(to, buffer, (size_t)n) != n) return false;
  return n == 0;
}

sel_status sel__plugin_file_copy(const char *path, char *copy, size_t size) {
  const char *folder = getenv("TMPDIR");
  static int number; /* loading is serialised */
  snprintf(copy, size, "%s/selenite-%ld-%d.so", folder && *folder ? folder : "/tmp", (long)getpid(),
           number++);
  const int from = open(path, O_RDONLY | O_CLOEXEC);
  const int to = from < 0 ? -1 : open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
  const bool copied = to >= 0 && copy_bytes(from, to);
  const int reason = errno;
  if (from >= 0) close(from);
  if (to >= 0) close(to);
  if (to >= 0 && !copied) unlink(copy);
  SEL_CHECK(copied, SEL_E_PLUGIN, "%s: can't be copied to %s: %s", path, copy, strerror(reason));
  return SEL_OK;
}
