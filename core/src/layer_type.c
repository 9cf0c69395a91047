/* The registry of layer types: append-only, but for a plugin whose init fails. Types of a plugin
 * that was loaded anew are retired: they stay listed, without a name. Whether a description makes
 * sense is layer_type_check.c's business. */
#include <pthread.h>
#include <string.h>

#include "core.h"
#include "registry.h"

typedef struct entry {
  const sel_layer_type *type; /* borrowed from the plugin */
  const char *origin;
  int retired; /* 0, or the number of the call that retired it */
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static entry *entries;
static int count, capacity, retirements;

static const entry *find(const char *name) {
  for (int i = 0; i < count; i++)
    if (!entries[i].retired && strcmp(entries[i].type->name, name) == 0) return &entries[i];
  return NULL;
}

static const char *origin_in_words(const char *origin) { return *origin ? origin : "the program"; }

static sel_status append(const sel_layer_type *type) {
  const char *origin = sel__loading_file();
  const entry *other = find(type->name);
  SEL_CHECK(!other, SEL_E_PLUGIN, "layer type '%s' of %s is already registered by %s", type->name,
            origin_in_words(origin), origin_in_words(other->origin));
  if (count == capacity) {
    int grown = capacity ? 2 * capacity : 64;
    entry *moved = sel__resize(entries, (size_t)grown * sizeof *entries);
    if (!moved) return SEL_E_MEMORY;
    entries = moved;
    capacity = grown;
  }
  entries[count++] = (entry){type, origin, 0};
  return SEL_OK;
}

sel_status sel_register_layer_type(const sel_layer_type *type) {
  SEL_TRY(sel__layer_type_check(type));
  pthread_mutex_lock(&lock);
  sel_status status = append(type);
  pthread_mutex_unlock(&lock);
  return status;
}

const sel_layer_type *sel_layer_type_find(const char *name) {
  pthread_mutex_lock(&lock);
  const entry *found = find(name);
  const sel_layer_type *type = found ? found->type : NULL;
  pthread_mutex_unlock(&lock);
  return type;
}

const sel_layer_type *sel_layer_type_at(int i) {
  const sel_layer_type *type = NULL;
  pthread_mutex_lock(&lock);
  for (int k = 0; k < count && i >= 0 && !type; k++)
    if (!entries[k].retired && i-- == 0) type = entries[k].type;
  pthread_mutex_unlock(&lock);
  return type;
}

const char *sel_layer_type_origin(const sel_layer_type *type) {
  const char *origin = "";
  pthread_mutex_lock(&lock);
  for (int i = 0; i < count; i++)
    if (entries[i].type == type) origin = entries[i].origin;
  pthread_mutex_unlock(&lock);
  return origin;
}

int sel__layer_type_count(void) {
  pthread_mutex_lock(&lock);
  int n = count;
  pthread_mutex_unlock(&lock);
  return n;
}

void sel__layer_types_truncate(int n) {
  pthread_mutex_lock(&lock);
  if (n < count) count = n;
  pthread_mutex_unlock(&lock);
}

int sel__layer_types_retire(const char *origin) {
  pthread_mutex_lock(&lock);
  const int number = ++retirements;
  for (int i = 0; i < count; i++)
    if (!entries[i].retired && strcmp(entries[i].origin, origin) == 0) entries[i].retired = number;
  pthread_mutex_unlock(&lock);
  return number;
}

void sel__layer_types_revive(int number) {
  pthread_mutex_lock(&lock);
  for (int i = 0; i < count; i++)
    if (entries[i].retired == number) entries[i].retired = 0;
  pthread_mutex_unlock(&lock);
}
