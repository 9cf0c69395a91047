/* Devices and the memory cache in front of each.
 *
 * A storage is one block of device memory with a reference count. Its last release puts it into the
 * device's cache, from which the next request of its size class takes it, bookkeeping included, so
 * that a steady training loop asks the system for nothing.
 */
#ifndef SEL_DEVICE_H
#define SEL_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "selenite/backend.h"

typedef struct sel_storage sel_storage;

struct sel_storage {
  atomic_int refs;
  sel_device *device;
  sel_buffer buffer;
  size_t capacity;      /* bytes, rounded up to the size class */
  atomic_llong version; /* in-place writes so far */
  const char *writer;   /* operation that wrote in place last */
  atomic_int recorded;  /* in-place writes that went onto the tape */
  int64_t maker;        /* event that left NaN or infinity here, in a recording that looks at it */
  sel_storage *next;    /* in the cache, or in the list of scratch */
};

enum { SEL_SIZE_CLASSES = 16 + 8 * 54 };

struct sel_device {
  sel_backend k;            /* the backend's table; what an older plugin's table lacks is NULL */
  sel_device_ability about; /* what the backend's lacks is NULL */
  sel_backend_device handle;
  char name[64];
  pthread_mutex_t lock; /* of all below */
  sel_storage *cache[SEL_SIZE_CLASSES];
  sel_storage *scratch; /* what kernels hold now */
  size_t live, cached, peak;
  int64_t allocations;
};

/* Storage of at least `bytes`, version 0; new. On failure of the device the cache is emptied and
 * the request repeated once. */
sel_status sel__storage_new(sel_device *device, size_t bytes, sel_storage **out);
void sel__storage_release(sel_storage *storage);
static inline sel_storage *sel__storage_retain(sel_storage *s) {
  atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
  return s;
}

/* For the plugin loader: how many backends are registered, and taking back all after the first n.
 */
int sel__backend_count(void);
void sel__backends_truncate(int n);

#endif
