/* Registered backends and their devices. Devices are opened when they are first named and live as
 * long as the process. */
#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

enum { MAX_BACKENDS = 16, MAX_DEVICES = 64 };

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static const sel_backend *backends[MAX_BACKENDS];
static int backend_count;
static sel_device *devices[MAX_DEVICES]; /* append-only, so that readers need no lock */
static atomic_int device_count;

static _Thread_local sel_device *thread_default;

/* ---- backends ---- */

static sel_status check_backend(const sel_backend *b) {
  SEL_CHECK(b && b->size >= offsetof(sel_backend, device_count), SEL_E_PLUGIN,
            "a backend table is missing or shorter than its head");
  SEL_CHECK(b->name && *b->name && !strchr(b->name, ':'), SEL_E_PLUGIN,
            "a backend's name must not be empty nor hold ':'");
  SEL_CHECK(
      b->size <= sizeof(sel_backend), SEL_E_PLUGIN,
      "backend '%s' was built for a newer Selenite: its table has %zu bytes, this one knows %zu",
      b->name, b->size, sizeof(sel_backend));
  SEL_CHECK(b->size >= offsetof(sel_backend, copy) && b->device_count && b->device_open &&
                b->device_summary && b->allocate && b->release && b->read && b->write &&
                b->synchronize,
            SEL_E_PLUGIN, "backend '%s' lacks a function for devices or memory", b->name);
  for (int i = 0; i < backend_count; i++)
    SEL_CHECK(strcmp(backends[i]->name, b->name) != 0, SEL_E_PLUGIN,
              "there is a backend named '%s' already", b->name);
  SEL_CHECK(backend_count < MAX_BACKENDS, SEL_E_PLUGIN, "backend '%s': no place for more than %d",
            b->name, MAX_BACKENDS);
  return SEL_OK;
}

sel_status sel_register_backend(const sel_backend *backend) {
  pthread_mutex_lock(&registry_lock);
  sel_status status = check_backend(backend);
  if (status == SEL_OK) backends[backend_count++] = backend;
  pthread_mutex_unlock(&registry_lock);
  return status;
}

const sel_backend *sel_backend_at(int i) {
  return i >= 0 && i < backend_count ? backends[i] : NULL;
}

int sel__backend_count(void) { return backend_count; }
void sel__backends_truncate(int n) {
  if (n < backend_count) backend_count = n;
}

/* ---- devices ---- */

static sel_device_ability about_of(const sel_backend *table) {
  sel_device_ability about = {0};
  const sel_device_ability *known = table->ability ? table->ability("device") : NULL;
  if (known) memcpy(&about, known, known->size < sizeof about ? known->size : sizeof about);
  return about;
}

static sel_status open_device(const sel_backend *backend, int index, sel_device **out) {
  SEL_CHECK(device_count < MAX_DEVICES, SEL_E_DEVICE, "%s: no place for more than %d devices",
            backend->name, MAX_DEVICES);
  const char *reason = NULL;
  int available = backend->device_count(&reason);
  SEL_CHECK(available > 0, SEL_E_DEVICE, "%s: no device: %s", backend->name,
            reason ? reason : "none was found");
  SEL_CHECK(index < available, SEL_E_DEVICE, "%s:%d: there %s only %d device%s, counted from 0",
            backend->name, index, available == 1 ? "is" : "are", available,
            available == 1 ? "" : "s");
  sel_device *device = sel__zalloc(sizeof *device);
  if (!device) return SEL_E_MEMORY;
  memcpy(&device->k, backend, backend->size);
  device->k.size = sizeof device->k;
  if (index == 0)
    snprintf(device->name, sizeof device->name, "%s", backend->name);
  else
    snprintf(device->name, sizeof device->name, "%s:%d", backend->name, index);
  sel_status status = backend->device_open(index, &device->handle);
  if (status != SEL_OK) {
    sel__free(device);
    return status;
  }
  pthread_mutex_init(&device->lock, NULL);
  device->about = about_of(&device->k);
  if (device->about.attach) device->about.attach(device->handle, device);
  devices[device_count] = device;
  atomic_fetch_add(&device_count, 1);
  *out = device;
  return SEL_OK;
}

static sel_device *find_open(const char *name) {
  for (int i = 0; i < device_count; i++)
    if (strcmp(devices[i]->name, name) == 0) return devices[i];
  return NULL;
}

static sel_status list_backends(const char *wanted) {
  char known[256] = "";
  for (int i = 0; i < backend_count; i++) {
    size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", backends[i]->name);
  }
  return sel_fail(SEL_E_DEVICE, "device '%s': no such backend is loaded (loaded: %s)", wanted,
                  *known ? known : "none");
}

sel_status sel_device_find(const char *name, sel_device **out) {
  SEL_CHECK(name && *name, SEL_E_DEVICE, "device: expected a name such as \"cpu\"");
  const char *colon = strchr(name, ':');
  size_t length = colon ? (size_t)(colon - name) : strlen(name);
  long index = 0;
  if (colon) {
    char *end;
    index = strtol(colon + 1, &end, 10);
    SEL_CHECK(end != colon + 1 && *end == '\0' && index >= 0 && index < MAX_DEVICES, SEL_E_DEVICE,
              "device '%s': expected a number after ':', as in \"opencl:1\"", name);
  }
  char canonical[64];
  snprintf(canonical, sizeof canonical, index ? "%.*s:%ld" : "%.*s", (int)length, name, index);

  pthread_mutex_lock(&registry_lock);
  sel_device *device = find_open(canonical);
  sel_status status = SEL_OK;
  if (!device) {
    const sel_backend *backend = NULL;
    for (int i = 0; i < backend_count; i++)
      if (strlen(backends[i]->name) == length && strncmp(backends[i]->name, name, length) == 0)
        backend = backends[i];
    status = backend ? open_device(backend, (int)index, &device) : list_backends(name);
  }
  pthread_mutex_unlock(&registry_lock);
  if (status == SEL_OK) *out = device;
  return status;
}

sel_device *sel_device_at(int i) {
  for (int b = 0; b < backend_count; b++) {
    const char *reason = NULL;
    int n = backends[b]->device_count(&reason);
    if (i < n) {
      char name[64];
      snprintf(name, sizeof name, "%.30s:%d", backends[b]->name, i);
      sel_device *device = NULL;
      return sel_device_find(name, &device) == SEL_OK ? device : NULL;
    }
    i -= n;
  }
  return NULL;
}

const char *sel_device_name(const sel_device *device) { return device ? device->name : "none"; }

const char *sel_device_summary(const sel_device *device) {
  return device && device->k.device_summary ? device->k.device_summary(device->handle) : "";
}

double sel_device_memory(const sel_device *device) {
  return device && device->about.memory ? device->about.memory(device->handle) : 0;
}

double sel_live_bytes(void) {
  double total = 0;
  for (int i = 0; i < device_count; i++) {
    sel_memory_info info;
    sel_memory(devices[i], &info);
    total += info.live;
  }
  return total;
}

sel_device *sel_default_device(void) {
  if (!thread_default && sel_device_find("cpu", &thread_default) != SEL_OK) return NULL;
  return thread_default;
}

sel_status sel_set_default_device(sel_device *device) {
  SEL_CHECK(device, SEL_E_DEVICE, "default device: expected a device, got NULL");
  thread_default = device;
  return SEL_OK;
}

sel_status sel_synchronize(sel_device *device) {
  if (!device) device = sel_default_device();
  SEL_CHECK(device, SEL_E_DEVICE, "synchronize: no backend is loaded");
  return device->k.synchronize(device->handle);
}

bool sel_device_counters(const sel_device *device, sel_counters *out) {
  memset(out, 0, sizeof *out);
  if (!device || !device->about.counters) return false;
  device->about.counters(device->handle, out);
  return true;
}

sel_status sel_set_num_threads(int n) {
  SEL_CHECK(n >= 0, SEL_E_ARGUMENT, "set_num_threads: expected 0 or more, got %d", n);
  sel_device *cpu;
  SEL_TRY(sel_device_find("cpu", &cpu));
  SEL_CHECK(cpu->k.set_threads, SEL_E_UNSUPPORTED, "%s has no threads to set", cpu->name);
  return cpu->k.set_threads(cpu->handle, n);
}

int sel_num_threads(void) {
  sel_device *cpu;
  if (sel_device_find("cpu", &cpu) != SEL_OK || !cpu->k.threads) return 1;
  return cpu->k.threads(cpu->handle);
}
