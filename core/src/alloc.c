/* The caching allocator: size classes of at most 12.5 % waste, one free list each.
 *
 * Invariant: live + cached stays below 1.25 times the peak of live plus a fixed slack, so the cache
 * never holds much more than the program once needed at the same time.
 */
#include <string.h>

#include "core.h"
#include "device.h"

enum { SLACK = 64 << 20, TENSOR_OVERHEAD = 512 };

#if defined(__SANITIZE_ADDRESS__)
#define SEL_CACHING 0 /* let the sanitizer see every release */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEL_CACHING 0
#endif
#endif
#ifndef SEL_CACHING
#define SEL_CACHING 1
#endif

static _Thread_local double thread_allocated;

double sel_allocated_bytes(void) { return thread_allocated; }

/* Classes 0...15 are multiples of 64 up to 1024; then eight steps a doubling. */
static int class_of(size_t bytes, size_t *capacity) {
  if (bytes <= 1024) {
    size_t units = bytes == 0 ? 1 : (bytes + 63) / 64;
    *capacity = units * 64;
    return (int)units - 1;
  }
  int top =
      63 - __builtin_clzll((unsigned long long)(bytes - 1)); /* 2^top <= bytes-1 < 2^(top+1) */
  size_t step = (size_t)1 << (top - 3);
  size_t steps = (bytes - 1 - ((size_t)1 << top)) / step + 1; /* 1...8 */
  *capacity = ((size_t)1 << top) + steps * step;
  return 16 + (top - 10) * 8 + (int)steps - 1;
}

static sel_storage *take_cached(sel_device *device, int class) {
  sel_storage *storage = device->cache[class];
  if (!storage) return NULL;
  device->cache[class] = storage->next;
  device->cached -= storage->capacity;
  return storage;
}

static void destroy(sel_storage *storage) {
  sel_device *device = storage->device;
  device->k.release(device->handle, storage->buffer, storage->capacity);
  sel__free(storage);
}

/* Gives cached blocks back, largest first, until at most `keep` bytes are cached. Lock held. */
static void shrink(sel_device *device, size_t keep) {
  for (int class = SEL_SIZE_CLASSES - 1; class >= 0 && device->cached > keep; class --) {
    while (device->cached > keep) {
      sel_storage *storage = take_cached(device, class);
      if (!storage) break;
      destroy(storage);
    }
  }
}

static sel_status ask_device(sel_device *device, size_t capacity, sel_storage **out) {
  sel_storage *storage = sel__alloc(sizeof *storage);
  if (!storage) return SEL_E_MEMORY;
  sel_status status = device->k.allocate(device->handle, capacity, &storage->buffer);
  if (status != SEL_OK && device->cached > 0) {
    shrink(device, 0);
    status = device->k.allocate(device->handle, capacity, &storage->buffer);
  }
  if (status != SEL_OK) {
    sel__free(storage);
    if (status != SEL_E_MEMORY) return status;
    return sel_fail(status, "%s; %s has %zu bytes in use", sel_error(), device->name, device->live);
  }
  storage->device = device;
  storage->capacity = capacity;
  device->allocations++;
  *out = storage;
  return SEL_OK;
}

static sel_status take(sel_device *device, size_t bytes, sel_storage **out) {
  size_t capacity;
  SEL_CHECK(bytes <= (size_t)1 << 62, SEL_E_MEMORY, "%s: %zu bytes is more than any memory holds",
            device->name, bytes);
  int class = class_of(bytes, &capacity);
  pthread_mutex_lock(&device->lock);
  sel_storage *storage = take_cached(device, class);
  sel_status status = SEL_OK;
  if (!storage) status = ask_device(device, capacity, &storage);
  if (status == SEL_OK) {
    device->live += capacity;
    if (device->live > device->peak) device->peak = device->live;
  }
  pthread_mutex_unlock(&device->lock);
  if (status != SEL_OK) return status;
  atomic_init(&storage->refs, 1);
  atomic_init(&storage->version, 0);
  atomic_init(&storage->recorded, 0);
  storage->maker = 0;
  storage->writer = NULL;
  storage->next = NULL;
  *out = storage;
  return SEL_OK;
}

sel_status sel__storage_new(sel_device *device, size_t bytes, sel_storage **out) {
  SEL_TRY(take(device, bytes, out));
  thread_allocated += (double)(*out)->capacity + TENSOR_OVERHEAD;
  return SEL_OK;
}

void sel__storage_release(sel_storage *storage) {
  if (atomic_fetch_sub_explicit(&storage->refs, 1, memory_order_acq_rel) != 1) return;
  sel_device *device = storage->device;
  pthread_mutex_lock(&device->lock);
  device->live -= storage->capacity;
  if (SEL_CACHING) {
    size_t capacity;
    int class = class_of(storage->capacity, &capacity);
    storage->next = device->cache[class];
    device->cache[class] = storage;
    device->cached += storage->capacity;
    size_t limit = device->peak + device->peak / 4 + SLACK;
    if (device->live + device->cached > limit)
      shrink(device, limit > device->live ? limit - device->live : 0);
  } else {
    destroy(storage);
  }
  pthread_mutex_unlock(&device->lock);
}

/* ---- scratch: nothing a collection could free, so thread_allocated doesn't count it ---- */

sel_status sel_scratch_take(sel_device *device, size_t bytes, sel_buffer *out) {
  sel_storage *storage;
  SEL_TRY(take(device, bytes, &storage));
  pthread_mutex_lock(&device->lock);
  storage->next = device->scratch;
  device->scratch = storage;
  pthread_mutex_unlock(&device->lock);
  *out = storage->buffer;
  return SEL_OK;
}

void sel_scratch_give(sel_device *device, sel_buffer buffer) {
  pthread_mutex_lock(&device->lock);
  sel_storage **link = &device->scratch;
  while (*link && (*link)->buffer != buffer) link = &(*link)->next;
  sel_storage *storage = *link;
  if (storage) *link = storage->next;
  pthread_mutex_unlock(&device->lock);
  if (storage) sel__storage_release(storage);
}

/* ---- asking ---- */

void sel_memory(const sel_device *device, sel_memory_info *out) {
  memset(out, 0, sizeof *out);
  if (!device) return;
  sel_device *d = (sel_device *)(uintptr_t)device; /* the lock is no part of the visible state */
  pthread_mutex_lock(&d->lock);
  out->live = (double)d->live;
  out->cached = (double)d->cached;
  out->peak = (double)d->peak;
  out->allocations = (double)d->allocations;
  pthread_mutex_unlock(&d->lock);
}

void sel_memory_reset_peak(sel_device *device) {
  pthread_mutex_lock(&device->lock);
  device->peak = device->live;
  pthread_mutex_unlock(&device->lock);
}

void sel_memory_release_cache(sel_device *device) {
  pthread_mutex_lock(&device->lock);
  shrink(device, 0);
  pthread_mutex_unlock(&device->lock);
}
