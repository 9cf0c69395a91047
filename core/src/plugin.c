/* Plugins: loading one file, the handshake, and the list of what is loaded. Which files are looked
 * for is plugin_search.c's business.
 *
 * Invariant: the list holds exactly the files whose init succeeded, and every registration belongs
 * to one of them or to the program. One mutex serialises loading; it is recursive so that an init
 * may ask which plugins there are. */
#include "selenite/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "device.h"
#include "plugin_file.h"
#include "registry.h"

typedef struct loaded_plugin {
  const sel_plugin *descriptor;
  const char *path; /* resolved; kept for the life of the process */
  void *handle;     /* of the file as it was loaded last; earlier ones stay mapped */
} loaded_plugin;

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static loaded_plugin *plugins;
static int count, capacity;

static _Thread_local const char *loading_file = "";
const char *sel__loading_file(void) { return loading_file; }

/* ---- the handshake ---- */

/* The fields of ABI 1.0. Anything appended later is optional. */
static const size_t smallest_descriptor = offsetof(sel_plugin, init) + sizeof(void *);

static sel_status check_abi(const sel_plugin *plugin, const char *path) {
  SEL_CHECK(plugin->magic == SEL_PLUGIN_MAGIC, SEL_E_PLUGIN,
            "%s: sel_plugin_descriptor is no Selenite plugin's: it begins with 0x%08x, expected "
            "0x%08x",
            path, (unsigned)plugin->magic, (unsigned)SEL_PLUGIN_MAGIC);
  const char *advice =
      plugin->abi_major == SEL_ABI_MAJOR ? "update Selenite" : "rebuild the plugin";
  SEL_CHECK(plugin->abi_major == SEL_ABI_MAJOR && plugin->abi_minor <= SEL_ABI_MINOR, SEL_E_PLUGIN,
            "%s: built for plugin ABI %d.%d, this Selenite (%s) has ABI %d.%d: %s", path,
            plugin->abi_major, plugin->abi_minor, sel_version(), SEL_ABI_MAJOR, SEL_ABI_MINOR,
            advice);
  SEL_CHECK(plugin->size >= smallest_descriptor && plugin->size <= sizeof *plugin, SEL_E_PLUGIN,
            "%s: its descriptor has %zu bytes, this Selenite (%s) expects %zu to %zu", path,
            plugin->size, sel_version(), smallest_descriptor, sizeof *plugin);
  return SEL_OK;
}

static sel_status check_fields(const sel_plugin *plugin, const char *path) {
  SEL_CHECK(plugin->name && *plugin->name, SEL_E_PLUGIN, "%s: its descriptor has no name", path);
  SEL_CHECK(plugin->version && *plugin->version, SEL_E_PLUGIN, "%s: plugin '%s' states no version",
            path, plugin->name);
  SEL_CHECK(plugin->licence && *plugin->licence, SEL_E_PLUGIN, "%s: plugin '%s' states no licence",
            path, plugin->name);
  SEL_CHECK(plugin->kind == SEL_PLUGIN_BACKEND || plugin->kind == SEL_PLUGIN_LAYERS, SEL_E_PLUGIN,
            "%s: plugin '%s' is of an unknown kind %d, expected %d (backend) or %d (layers)", path,
            plugin->name, (int)plugin->kind, SEL_PLUGIN_BACKEND, SEL_PLUGIN_LAYERS);
  SEL_CHECK(plugin->init, SEL_E_PLUGIN, "%s: plugin '%s' has no init function", path, plugin->name);
  return SEL_OK;
}

/* The descriptor of an opened file, complete and for this ABI. Borrowed from the file. */
static sel_status read_descriptor(void *handle, const char *path, const sel_plugin **out) {
  const sel_plugin *plugin = dlsym(handle, "sel_plugin_descriptor");
  SEL_CHECK(plugin, SEL_E_PLUGIN,
            "%s: exports no sel_plugin_descriptor, so it is no Selenite plugin", path);
  SEL_TRY(check_abi(plugin, path));
  SEL_TRY(check_fields(plugin, path));
  *out = plugin;
  return SEL_OK;
}

static sel_status check_name(const sel_plugin *plugin, const char *path) {
  for (int i = 0; i < count; i++)
    SEL_CHECK(strcmp(plugins[i].descriptor->name, plugin->name) != 0, SEL_E_PLUGIN,
              "%s: a plugin named '%s' is loaded already, from %s", path, plugin->name,
              plugins[i].path);
  return SEL_OK;
}

/* ---- loading one file ---- */

static sel_status reserve(void) {
  if (count < capacity) return SEL_OK;
  int grown = capacity ? 2 * capacity : 16;
  loaded_plugin *moved = sel__resize(plugins, (size_t)grown * sizeof *plugins);
  if (!moved) return SEL_E_MEMORY;
  plugins = moved;
  capacity = grown;
  return SEL_OK;
}

static bool is_loaded(const char *path, const void *handle) {
  for (int i = 0; i < count; i++)
    if (plugins[i].handle == handle || strcmp(plugins[i].path, path) == 0) return true;
  return false;
}

/* Calls init with an empty error text, so that none of an earlier failure is taken for its own. */
static sel_status call_init(const sel_plugin *plugin, const char *path) {
  char earlier[2048];
  snprintf(earlier, sizeof earlier, "%s", sel_error());
  sel_fail(SEL_OK, "%s", "");
  loading_file = path;
  sel_status status = plugin->init();
  loading_file = "";
  if (status == SEL_OK) sel_fail(SEL_OK, "%s", earlier);
  return status;
}

/* Runs init; takes back its registrations when it fails. */
static sel_status run_init(const sel_plugin *plugin, const char *path) {
  int backends = sel__backend_count(), types = sel__layer_type_count();
  sel_status status = call_init(plugin, path);
  if (status == SEL_OK) return SEL_OK;
  sel__backends_truncate(backends);
  sel__layer_types_truncate(types);
  return sel_fail(status, "%s: plugin '%s': %s", path, plugin->name,
                  *sel_error() ? sel_error() : "init failed without a message");
}

/* Checks an opened file, runs its init and lists it. *ran: init was called. path is kept on
 * success. */
static sel_status admit(void *handle, const char *path, bool *ran) {
  const sel_plugin *plugin = NULL;
  SEL_TRY(read_descriptor(handle, path, &plugin));
  SEL_TRY(check_name(plugin, path));
  SEL_TRY(reserve());
  *ran = true;
  SEL_TRY(run_init(plugin, path));
  plugins[count++] = (loaded_plugin){plugin, path, handle};
  return SEL_OK;
}

/* dlerror's text without the path it mostly starts with. */
static const char *dl_reason(const char *path) {
  const char *text = dlerror();
  size_t length = strlen(path);
  if (!text) return "unknown reason";
  return strncmp(text, path, length) == 0 && text[length] == ':' ? text + length + 2 : text;
}

/* Why dlopen failed. A plugin for another ABI may need functions or a libselenite that are not
 * here: then its descriptor, read without binding its functions, tells more than the linker. */
static sel_status explain(const char *path) {
  char reason[512];
  snprintf(reason, sizeof reason, "%s", dl_reason(path));
  void *handle = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  const sel_plugin *plugin = handle ? dlsym(handle, "sel_plugin_descriptor") : NULL;
  sel_status status = plugin ? check_abi(plugin, path) : SEL_OK;
  if (handle) dlclose(handle);
  if (status != SEL_OK) return status;
  bool other = strstr(reason, "libselenite.so") != NULL;
  char ours[64] = "";
  if (other)
    snprintf(ours, sizeof ours, " (this Selenite, %s, is libselenite.so.%d)", sel_version(),
             SEL_ABI_MAJOR);
  return sel_fail(SEL_E_PLUGIN, "%s: can't be loaded: %s%s", path, reason, ours);
}

/* *listed: path was taken. A file whose init failed stays mapped: it may have left threads or exit
 * handlers behind. */
static sel_status load_resolved(const char *path, bool *listed) {
  if (is_loaded(path, NULL)) return SEL_OK;
  SEL_TRY(sel__plugin_file_check(path));
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return explain(path);
  bool ran = false, other_name = is_loaded(path, handle);
  sel_status status = other_name ? SEL_OK : admit(handle, path, &ran);
  if (!ran) dlclose(handle);
  *listed = ran && status == SEL_OK;
  return status;
}

/* ---- loading one file again ---- */

/* Opens a copy: dlopen takes a file that it has seen for the same, whatever is in it now. */
static sel_status open_copy(const char *path, void **out) {
  char copy[PATH_MAX];
  SEL_TRY(sel__plugin_file_check(path));
  SEL_TRY(sel__plugin_file_copy(path, copy, sizeof copy));
  *out = dlopen(copy, RTLD_NOW | RTLD_LOCAL);
  const char *reason = *out ? NULL : dl_reason(copy);
  unlink(copy);
  SEL_CHECK(*out, SEL_E_PLUGIN, "%s: can't be loaded: %s", path, reason);
  return SEL_OK;
}

/* Puts the plugin in `handle` into the place of `old`. *ran: its init was called. */
static sel_status succeed(loaded_plugin *old, void *handle, bool *ran) {
  const sel_plugin *plugin = NULL;
  const char *name = old->descriptor->name;
  SEL_TRY(read_descriptor(handle, old->path, &plugin));
  SEL_CHECK(strcmp(plugin->name, name) == 0 && plugin->kind == SEL_PLUGIN_LAYERS, SEL_E_PLUGIN,
            "%s: the layer plugin '%s' is expected, as it was loaded, got '%s'", old->path, name,
            plugin->name);
  *ran = true;
  const int retired = sel__layer_types_retire(old->path);
  const sel_status status = run_init(plugin, old->path);
  if (status != SEL_OK)
    sel__layer_types_revive(retired);
  else
    *old = (loaded_plugin){plugin, old->path, handle};
  return status;
}

static sel_status reload_resolved(const char *path, bool *listed) {
  loaded_plugin *old = NULL;
  for (int i = 0; i < count; i++)
    if (strcmp(plugins[i].path, path) == 0) old = &plugins[i];
  if (!old) return load_resolved(path, listed);
  SEL_CHECK(old->descriptor->kind == SEL_PLUGIN_LAYERS, SEL_E_PLUGIN,
            "%s: a backend can't be loaded again: its devices are in use", path);
  void *handle = NULL;
  bool ran = false;
  SEL_TRY(open_copy(path, &handle));
  const sel_status status = succeed(old, handle, &ran);
  if (!ran) dlclose(handle);
  return status;
}

/* ---- by path ---- */

static sel_status with_resolved(const char *operation, const char *path,
                                sel_status (*load)(const char *path, bool *listed)) {
  SEL_CHECK(path && *path, SEL_E_ARGUMENT, "%s: a file name is expected, got none", operation);
  SEL_CHECK(!*loading_file, SEL_E_PLUGIN, "%s: %s may not be loaded by the init of %s", operation,
            path, loading_file);
  char buffer[PATH_MAX];
  SEL_CHECK(realpath(path, buffer), SEL_E_PLUGIN, "%s: can't be loaded: %s", path, strerror(errno));
  char *resolved = sel__strdup(buffer);
  if (!resolved) return SEL_E_MEMORY;
  bool listed = false;
  pthread_mutex_lock(&lock);
  const sel_status status = load(resolved, &listed);
  pthread_mutex_unlock(&lock);
  if (!listed) sel__free(resolved);
  return status;
}

sel_status sel_plugin_load(const char *path) {
  return with_resolved("plugin_load", path, load_resolved);
}

sel_status sel_plugin_reload(const char *path) {
  return with_resolved("plugin_reload", path, reload_resolved);
}

/* ---- the list ---- */

int sel_plugin_count(void) {
  pthread_mutex_lock(&lock);
  int n = count;
  pthread_mutex_unlock(&lock);
  return n;
}

const sel_plugin *sel_plugin_at(int i) {
  pthread_mutex_lock(&lock);
  const sel_plugin *plugin = i >= 0 && i < count ? plugins[i].descriptor : NULL;
  pthread_mutex_unlock(&lock);
  return plugin;
}

const char *sel_plugin_path_at(int i) {
  pthread_mutex_lock(&lock);
  const char *path = i >= 0 && i < count ? plugins[i].path : NULL;
  pthread_mutex_unlock(&lock);
  return path;
}
