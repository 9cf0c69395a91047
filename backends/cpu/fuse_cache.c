/* The cache of compiled functions: see fuse_cache.h.
 *
 * A file is named after a hash of its key: compiler, flags and source. It is the shared object,
 * followed by the key and a tail with a checksum, all of which must fit before anything in it is
 * run; otherwise it is made anew. The folder and its files must belong to the user, and nobody else
 * may be able to write to them. Files are made under a name of their own and renamed: several
 * processes may make the same one.
 */
#include "fuse_cache.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuse_compiler.h"

enum { FOLDER_MAX = PATH_MAX - 96, FLAGS_MAX = 512 };

static char folder[FOLDER_MAX]; /* "": nowhere */

typedef struct tail {
  char magic[8];
  uint64_t checksum; /* of object and key */
  uint64_t object_size, key_size;
} tail;

static const char magic[8] = {'S', 'E', 'L', 'F', 'U', 'S', 'E', '1'};

void cpu_fuse_cache_configure(const char *xdg_cache, const char *home) {
  int length = -1;
  if (xdg_cache && *xdg_cache == '/')
    length = snprintf(folder, sizeof folder, "%s/selenite/fuse", xdg_cache);
  else if (home && *home == '/')
    length = snprintf(folder, sizeof folder, "%s/.cache/selenite/fuse", home);
  if (length < 0 || (size_t)length >= sizeof folder) folder[0] = '\0';
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const void *bytes, size_t size) {
  const unsigned char *byte = bytes;
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < size; i++) hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
  return hash;
}

/* Whether it is the user's, and nobody else may write to it. */
static bool is_private(const struct stat *info) {
  return info->st_uid == geteuid() && (info->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* Makes the folder and those above it, as far as they are missing. */
static bool make_folder(void) {
  char path[FOLDER_MAX];
  struct stat info;
  if (!*folder) return false;
  memcpy(path, folder, sizeof path);
  for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
    *slash = '\0';
    mkdir(path, 0700);
    *slash = '/';
  }
  mkdir(path, 0700);
  return lstat(path, &info) == 0 && S_ISDIR(info.st_mode) && is_private(&info);
}

/* ---- files ---- */

/* All of an open file in memory, for free(). */
static char *read_file(int fd, size_t size) {
  char *bytes = malloc(size + 1);
  size_t done = 0;
  while (bytes && done < size) {
    const ssize_t n = read(fd, bytes + done, size - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      free(bytes);
      return NULL;
    }
    done += (size_t)n;
  }
  return bytes;
}

static bool write_file(int fd, const void *bytes, size_t size) {
  const char *at = bytes;
  while (size > 0) {
    const ssize_t n = write(fd, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= (size_t)n;
  }
  return true;
}

static bool is_whole(const char *bytes, size_t size, const char *key) {
  tail t;
  const size_t key_size = strlen(key);
  if (size < sizeof t) return false;
  memcpy(&t, bytes + size - sizeof t, sizeof t);
  const size_t body = size - sizeof t;
  return memcmp(t.magic, magic, sizeof magic) == 0 && t.key_size == key_size && key_size <= body &&
         t.object_size == body - key_size && memcmp(bytes + t.object_size, key, key_size) == 0 &&
         hash_of(bytes, body) == t.checksum;
}

/* Whether the file is there, ours, undamaged, and made for this key. */
static bool is_good(const char *path, const char *key) {
  const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat info;
  char *bytes = NULL;
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && is_private(&info))
    bytes = read_file(fd, (size_t)info.st_size);
  close(fd);
  const bool good = bytes && is_whole(bytes, (size_t)info.st_size, key);
  free(bytes);
  return good;
}

/* Adds key and tail to a fresh shared object. */
static bool seal(const char *path, const char *key) {
  const int fd = open(path, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
  struct stat info;
  if (fd < 0) return false;
  bool good = fstat(fd, &info) == 0 && fchmod(fd, 0700) == 0;
  tail t = {.object_size = good ? (size_t)info.st_size : 0, .key_size = strlen(key)};
  memcpy(t.magic, magic, sizeof magic);
  good = good && write_file(fd, key, t.key_size) && lseek(fd, 0, SEEK_SET) == 0;
  char *body = good ? read_file(fd, t.object_size + t.key_size) : NULL;
  if (body) t.checksum = hash_of(body, t.object_size + t.key_size);
  good = body && write_file(fd, &t, sizeof t);
  free(body);
  return close(fd) == 0 && good;
}

/* ---- compiling ---- */

static bool write_source(int fd, const char *source) {
  const bool written = write_file(fd, source, strlen(source));
  return close(fd) == 0 && written;
}

/* Compiles into `path`; what is left behind on the way is removed. */
static bool make(const char *path, const char *key, const char *source, const char *const *flags) {
  static atomic_uint made;
  char c_file[PATH_MAX], object[PATH_MAX];
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(object, sizeof object, "%s/%ld.%lld.%09ld.%u.so", folder, (long)getpid(),
           (long long)now.tv_sec, now.tv_nsec, atomic_fetch_add(&made, 1));
  snprintf(c_file, sizeof c_file, "%.*s.c", (int)strlen(object) - 3, object);
  const int fd = open(c_file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool good = write_source(fd, source) && cpu_compile(flags, c_file, object) &&
                    seal(object, key) && rename(object, path) == 0;
  unlink(c_file);
  if (!good) unlink(object);
  return good;
}

/* Compiler, flags and source as one text, for free(). */
static char *key_of(const char *source, const char *const *flags) {
  char flags_text[FLAGS_MAX], *key;
  cpu_compile_flags_text(flags, flags_text, sizeof flags_text);
  return asprintf(&key, "%s\n%s\n%s", cpu_compiler_identity(), flags_text, source) < 0 ? NULL : key;
}

void *cpu_fuse_cache_open(const char *source, const char *const *flags, char *reason, size_t size) {
  if (!cpu_compiler_path()) {
    snprintf(reason, size, "no C compiler was found");
    return NULL;
  }
  if (!make_folder()) {
    snprintf(reason, size, "%s is no folder that the user alone can write to",
             *folder ? folder : "the cache");
    return NULL;
  }
  char *key = key_of(source, flags), path[PATH_MAX];
  void *library = NULL;
  if (key) {
    snprintf(path, sizeof path, "%s/%016llx.so", folder,
             (unsigned long long)hash_of(key, strlen(key)));
    if (is_good(path, key) || make(path, key, source, flags))
      library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  }
  free(key);
  if (!library) snprintf(reason, size, "%s made nothing that runs", cpu_compiler_path());
  return library;
}
