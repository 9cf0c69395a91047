/* Named tensors and text metadata in the order they were added.
 *
 * Both are the same table: parallel arrays of names and values, and an open-addressing index into
 * them, at most half full, rebuilt as the arrays double.
 */
#include <limits.h>
#include <string.h>

#include "core.h"
#include "selenite/file.h"

typedef struct table {
  int count, capacity;
  char **names;
  void **values;
  int *slots; /* 2 * capacity positions + 1; 0: free */
} table;

struct sel_archive {
  table tensors, metadata;
};

/* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash(const char *name) {
  uint64_t h = 0xcbf29ce484222325u;
  for (; *name; name++) h = (h ^ (uint8_t)*name) * 0x100000001b3u;
  return h;
}

/* The slot that holds `name`, or the free one where it belongs. */
static int *find_slot(const table *t, const char *name) {
  size_t mask = 2 * (size_t)t->capacity - 1; /* capacity is a power of two */
  size_t i = (size_t)hash(name) & mask;
  while (t->slots[i] && strcmp(t->names[t->slots[i] - 1], name) != 0) i = (i + 1) & mask;
  return &t->slots[i];
}

static int find(const table *t, const char *name) {
  return t->capacity ? *find_slot(t, name) - 1 : -1;
}

static sel_status grow(table *t) {
  SEL_CHECK(t->capacity <= INT_MAX / 4, SEL_E_ARGUMENT, "archive: more than %d names", t->count);
  int capacity = t->capacity ? 2 * t->capacity : 16;
  char **names = sel__resize(t->names, (size_t)capacity * sizeof *names);
  if (!names) return SEL_E_MEMORY;
  t->names = names;
  void **values = sel__resize(t->values, (size_t)capacity * sizeof *values);
  if (!values) return SEL_E_MEMORY;
  t->values = values;
  int *slots = sel__zalloc(2 * (size_t)capacity * sizeof *slots);
  if (!slots) return SEL_E_MEMORY;
  sel__free(t->slots);
  t->slots = slots;
  t->capacity = capacity;
  for (int i = 0; i < t->count; i++) *find_slot(t, t->names[i]) = i + 1;
  return SEL_OK;
}

/* Adds `value`, or replaces the one of that name, which is returned through `replaced`. */
static sel_status put(table *t, const char *name, void *value, void **replaced) {
  int i = find(t, name);
  if (i >= 0) {
    *replaced = t->values[i];
    t->values[i] = value;
    return SEL_OK;
  }
  if (t->count == t->capacity) SEL_TRY(grow(t));
  char *copy = sel__strdup(name);
  if (!copy) return SEL_E_MEMORY;
  *find_slot(t, copy) = t->count + 1;
  t->names[t->count] = copy;
  t->values[t->count++] = value;
  *replaced = NULL;
  return SEL_OK;
}

static void free_table(table *t, void (*free_value)(void *)) {
  for (int i = 0; i < t->count; i++) {
    sel__free(t->names[i]);
    free_value(t->values[i]);
  }
  sel__free(t->names);
  sel__free(t->values);
  sel__free(t->slots);
}

static void release_tensor(void *tensor) { sel_release(tensor); }

sel_status sel_archive_new(sel_archive **out) {
  sel_archive *archive = sel__zalloc(sizeof *archive);
  if (!archive) return SEL_E_MEMORY;
  *out = archive;
  return SEL_OK;
}

void sel_archive_release(sel_archive *archive) {
  if (!archive) return;
  free_table(&archive->tensors, release_tensor);
  free_table(&archive->metadata, sel__free);
  sel__free(archive);
}

static bool in_range(const table *t, int i) { return i >= 0 && i < t->count; }

int sel_archive_count(const sel_archive *archive) { return archive->tensors.count; }
const char *sel_archive_name(const sel_archive *archive, int i) {
  return in_range(&archive->tensors, i) ? archive->tensors.names[i] : NULL;
}
sel_tensor *sel_archive_tensor(const sel_archive *archive, int i) {
  return in_range(&archive->tensors, i) ? archive->tensors.values[i] : NULL;
}
sel_tensor *sel_archive_find(const sel_archive *archive, const char *name) {
  return sel_archive_tensor(archive, find(&archive->tensors, name));
}

sel_status sel_archive_add(sel_archive *archive, const char *name, sel_tensor *tensor) {
  SEL_CHECK(name && tensor, SEL_E_ARGUMENT, "archive_add: expected a name and a tensor, got NULL");
  void *replaced;
  SEL_TRY(put(&archive->tensors, name, tensor, &replaced));
  sel_retain(tensor);
  sel_release(replaced);
  return SEL_OK;
}

int sel_archive_metadata_count(const sel_archive *archive) { return archive->metadata.count; }
const char *sel_archive_metadata_key(const sel_archive *archive, int i) {
  return in_range(&archive->metadata, i) ? archive->metadata.names[i] : NULL;
}
const char *sel_archive_metadata_value(const sel_archive *archive, int i) {
  return in_range(&archive->metadata, i) ? archive->metadata.values[i] : NULL;
}

sel_status sel_archive_set_metadata(sel_archive *archive, const char *key, const char *value) {
  SEL_CHECK(key && value, SEL_E_ARGUMENT,
            "archive_set_metadata: expected a key and a value, got NULL");
  char *copy = sel__strdup(value);
  if (!copy) return SEL_E_MEMORY;
  void *replaced;
  sel_status status = put(&archive->metadata, key, copy, &replaced);
  sel__free(status == SEL_OK ? replaced : copy);
  return status;
}
