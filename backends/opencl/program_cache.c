/* Compiled programs on disk: see program_cache.h.
 *
 * A file is named after a hash of the key and holds
 *
 *   "SELCLB1\n", hash of all that follows, length of the key, of the binary, key, binary
 *
 * The key is compared whole, so equal hashes do no harm; the hash tells a damaged file. Files are
 * written under a name of their own and renamed: two processes may store the same one.
 */
#include "program_cache.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hash.h"

static char folder[3072]; /* "": nowhere */

typedef struct head {
  char magic[8];
  uint64_t hash, key_size, binary_size;
} head;

static const char magic[8] = {'S', 'E', 'L', 'C', 'L', 'B', '1', '\n'};

static uint64_t content_hash(const head *h, const void *key, const void *binary) {
  uint64_t hash = opencl_hash(OPENCL_HASH_START, &h->key_size, sizeof h->key_size);
  hash = opencl_hash(hash, &h->binary_size, sizeof h->binary_size);
  hash = opencl_hash(hash, key, h->key_size);
  return opencl_hash(hash, binary, h->binary_size);
}

/* The environment is read here alone, once. */
void opencl_cache_locate(void) {
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  int length = 0;
  if (cache && *cache == '/')
    length = snprintf(folder, sizeof folder, "%s/selenite/opencl", cache);
  else if (home && *home == '/')
    length = snprintf(folder, sizeof folder, "%s/.cache/selenite/opencl", home);
  if (length <= 0 || (size_t)length >= sizeof folder) folder[0] = '\0';
}

bool opencl_cache_keeps(void) { return *folder != '\0'; }

static void path_of(const char *key, char *path, size_t size) {
  const uint64_t hash = opencl_hash(OPENCL_HASH_START, key, strlen(key));
  snprintf(path, size, "%s/%016llx.bin", folder, (unsigned long long)hash);
}

static bool read_all(FILE *file, const char *key, unsigned char **binary, size_t *size) {
  head h;
  const size_t key_size = strlen(key);
  if (fread(&h, sizeof h, 1, file) != 1 || memcmp(h.magic, magic, sizeof magic) != 0 ||
      h.key_size != key_size || h.binary_size == 0 || h.binary_size > SIZE_MAX / 2)
    return false;
  struct stat info;
  if (fstat(fileno(file), &info) != 0 ||
      (uint64_t)info.st_size != sizeof h + h.key_size + h.binary_size)
    return false;
  unsigned char *bytes = malloc(key_size + h.binary_size);
  if (!bytes) return false;
  const bool good = fread(bytes, key_size + h.binary_size, 1, file) == 1 &&
                    memcmp(bytes, key, key_size) == 0 &&
                    content_hash(&h, bytes, bytes + key_size) == h.hash;
  if (!good) {
    free(bytes);
    return false;
  }
  memmove(bytes, bytes + key_size, h.binary_size);
  *binary = bytes;
  *size = h.binary_size;
  return true;
}

bool opencl_cache_load(const char *key, unsigned char **binary, size_t *size) {
  char path[sizeof folder + 32];
  if (!*folder) return false;
  path_of(key, path, sizeof path);
  FILE *file = fopen(path, "rb");
  if (!file) return false;
  const bool good = read_all(file, key, binary, size);
  fclose(file);
  return good;
}

/* Makes the folder and those above it. */
static void make_folder(void) {
  char path[sizeof folder];
  memcpy(path, folder, sizeof path);
  for (char *slash = path + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
    *slash = '\0';
    mkdir(path, 0700);
    *slash = '/';
  }
  mkdir(path, 0700);
}

static bool write_all(FILE *file, const char *key, const unsigned char *binary, size_t size) {
  head h = {.key_size = strlen(key), .binary_size = size};
  memcpy(h.magic, magic, sizeof magic);
  h.hash = content_hash(&h, key, binary);
  return fwrite(&h, sizeof h, 1, file) == 1 && fwrite(key, h.key_size, 1, file) == 1 &&
         fwrite(binary, size, 1, file) == 1;
}

void opencl_cache_store(const char *key, const unsigned char *binary, size_t size) {
  static atomic_uint stored;
  char path[sizeof folder + 32], own[sizeof path + 48];
  if (!*folder || size == 0) return;
  make_folder();
  path_of(key, path, sizeof path);
  snprintf(own, sizeof own, "%s.%ld.%u", path, (long)getpid(), atomic_fetch_add(&stored, 1));
  const int descriptor = open(own, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (descriptor < 0) return;
  FILE *file = fdopen(descriptor, "wb");
  bool good = file && write_all(file, key, binary, size);
  if (file)
    good = fclose(file) == 0 && good;
  else
    close(descriptor);
  if (!good || rename(own, path) != 0) unlink(own);
}
