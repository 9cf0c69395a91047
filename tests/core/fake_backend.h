/* A second device: the cpu's memory and kernels under the name "fake", which counts what it is
 * asked for and fails the allocation it is told to. "fake:1" is another device of it. */
#ifndef FAKE_BACKEND_H
#define FAKE_BACKEND_H

#include "tensors.h"

typedef struct fake_counts {
  long allocations, releases, synchronizations;
  size_t bytes;    /* allocated and not released */
  long fail_from;  /* allocations from this one on fail; -1: none */
  long fail_until; /* up to, but without, this one */
} fake_counts;
static fake_counts fake = {.fail_from = -1};

static const sel_backend *fake_cpu(void) { return sel_backend_at(0); }

static int fake_device_count(const char **reason) {
  (void)reason;
  return 2;
}
static sel_status fake_open(int index, sel_backend_device *out) {
  (void)index;
  return fake_cpu()->device_open(0, out);
}
static sel_status fake_allocate(sel_backend_device device, size_t bytes, sel_buffer *out) {
  long n = fake.allocations++;
  if (fake.fail_from >= 0 && n >= fake.fail_from && n < fake.fail_until)
    return sel_fail(SEL_E_MEMORY, "fake: no %zu bytes left", bytes);
  sel_status status = fake_cpu()->allocate(device, bytes, out);
  if (status == SEL_OK) fake.bytes += bytes;
  return status;
}
static void fake_release(sel_backend_device device, sel_buffer buffer, size_t bytes) {
  fake.releases++;
  fake.bytes -= bytes;
  fake_cpu()->release(device, buffer, bytes);
}
static sel_status fake_synchronize(sel_backend_device device) {
  fake.synchronizations++;
  return fake_cpu()->synchronize(device);
}

/* Registers it on first use. */
static inline sel_device *fake_device(void) {
  static sel_backend table;
  sel_device *device;
  if (!table.size) {
    table = *fake_cpu();
    table.name = "fake";
    table.device_count = fake_device_count;
    table.device_open = fake_open;
    table.allocate = fake_allocate;
    table.release = fake_release;
    table.synchronize = fake_synchronize;
    ASSERT_OK(sel_register_backend(&table));
  }
  ASSERT_OK(sel_device_find("fake", &device));
  return device;
}

/* The next `count` allocations after `skip` more fail. */
static inline void fake_fail(long skip, long count) {
  fake.fail_from = fake.allocations + skip;
  fake.fail_until = fake.fail_from + count;
}

static inline sel_memory_info memory_of(const sel_device *device) {
  sel_memory_info info;
  sel_memory(device, &info);
  return info;
}

#endif
