/* Where plugins are looked for: all *.so files of a folder, the folder beside libselenite, and the
 * folders a caller lists. Never the working directory. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "selenite/plugin.h"

/* ---- one folder ---- */

typedef struct file_names {
  char **name;
  int count, capacity;
} file_names;

static void clear(file_names *files) {
  for (int i = 0; i < files->count; i++) sel__free(files->name[i]);
  sel__free(files->name);
}

static sel_status append(file_names *files, const char *name) {
  if (files->count == files->capacity) {
    int grown = files->capacity ? 2 * files->capacity : 16;
    char **moved = sel__resize(files->name, (size_t)grown * sizeof *moved);
    if (!moved) return SEL_E_MEMORY;
    files->name = moved;
    files->capacity = grown;
  }
  char *copy = sel__strdup(name);
  if (!copy) return SEL_E_MEMORY;
  files->name[files->count++] = copy;
  return SEL_OK;
}

static bool is_shared_object(const char *name) {
  size_t n = strlen(name);
  return n > 3 && name[0] != '.' && strcmp(name + n - 3, ".so") == 0;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static sel_status list(const char *folder, file_names *files) {
  DIR *directory = opendir(folder);
  SEL_CHECK(directory, SEL_E_FILE, "plugin folder %s: %s", folder, strerror(errno));
  sel_status status = SEL_OK;
  for (const struct dirent *entry; status == SEL_OK && (entry = readdir(directory));)
    if (is_shared_object(entry->d_name)) status = append(files, entry->d_name);
  closedir(directory);
  if (files->count) qsort(files->name, (size_t)files->count, sizeof *files->name, by_name);
  return status;
}

/* The first failure of several attempts, which the others don't stop. */
typedef struct first_failure {
  sel_status status;
  char text[1024];
} first_failure;

static void note(first_failure *first, sel_status status) {
  if (status == SEL_OK || first->status != SEL_OK) return;
  first->status = status;
  snprintf(first->text, sizeof first->text, "%s", sel_error());
}

static sel_status report(const first_failure *first) {
  return first->status == SEL_OK ? SEL_OK : sel_fail(first->status, "%s", first->text);
}

static sel_status load_file(const char *folder, const char *name) {
  char path[PATH_MAX];
  int length = snprintf(path, sizeof path, "%s/%s", folder, name);
  SEL_CHECK(length > 0 && (size_t)length < sizeof path, SEL_E_FILE,
            "plugin folder %s: the path of %s is too long", folder, name);
  return sel_plugin_load(path);
}

sel_status sel_plugin_load_folder(const char *folder, int *loaded) {
  SEL_CHECK(folder && *folder, SEL_E_ARGUMENT,
            "plugin_load_folder: a folder is expected, got none");
  file_names files = {0};
  first_failure first = {0};
  int before = sel_plugin_count();
  note(&first, list(folder, &files));
  for (int i = 0; i < files.count && first.status != SEL_E_MEMORY; i++)
    note(&first, load_file(folder, files.name[i]));
  clear(&files);
  if (loaded) *loaded = sel_plugin_count() - before;
  return report(&first);
}

/* ---- all folders ---- */

/* The folder `selenite` beside the file that this code was loaded from. */
static sel_status own_folder(char *folder, size_t size) {
  Dl_info info;
  char self[PATH_MAX];
  SEL_CHECK(dladdr((void *)(uintptr_t)sel_init, &info) && info.dli_fname &&
                realpath(info.dli_fname, self),
            SEL_E_INTERNAL, "init: the file of libselenite can't be found");
  char *slash = strrchr(self, '/');
  *slash = '\0';
  int length = snprintf(folder, size, "%s/selenite", self);
  SEL_CHECK(length > 0 && (size_t)length < size, SEL_E_FILE, "init: the path %s is too long", self);
  return SEL_OK;
}

static sel_status load_own_folder(void) {
  char folder[PATH_MAX];
  SEL_TRY(own_folder(folder, sizeof folder));
  sel_status status = sel_plugin_load_folder(folder, NULL);
  bool absent = status == SEL_E_FILE && access(folder, F_OK) != 0;
  return absent ? SEL_OK : status;
}

/* Each folder of a list like PATH's. */
static void load_path(const char *extra_path, first_failure *first) {
  char *copy = sel__strdup(extra_path), *rest = copy;
  if (!copy) note(first, SEL_E_MEMORY);
  for (char *folder; rest && (folder = strsep(&rest, ":"));) {
    if (!*folder) continue;
    note(first,
         *folder == '/'
             ? sel_plugin_load_folder(folder, NULL)
             : sel_fail(SEL_E_FILE, "plugin folder %s: an absolute path is expected", folder));
  }
  sel__free(copy);
}

sel_status sel_init(const char *extra_path) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static bool done;
  first_failure first = {0};
  pthread_mutex_lock(&lock);
  if (!done) {
    note(&first, load_own_folder());
    if (extra_path) load_path(extra_path, &first);
    done = first.status == SEL_OK;
  }
  pthread_mutex_unlock(&lock);
  return report(&first);
}
