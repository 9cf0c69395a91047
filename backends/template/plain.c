/* The smallest backend that loads: a device `plain` in host memory. It describes itself, opens a
 * device and moves bytes; it has no kernels. docs/BACKENDS.md of Selenite says what to add, and in
 * which order; selenite/backend.h is the contract.
 */
#include <selenite/selenite.h>
#include <stdlib.h>
#include <string.h>

static int device_count(const char **reason) {
  (void)reason;
  return 1;
}

static sel_status device_open(int index, sel_backend_device *out) {
  (void)index;
  *out = NULL; /* nothing to remember about this device */
  return SEL_OK;
}

static const char *device_summary(sel_backend_device device) {
  (void)device;
  return "host memory, no kernels";
}

static sel_status allocate(sel_backend_device device, size_t bytes, sel_buffer *out) {
  (void)device;
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!memory) return sel_fail(SEL_E_MEMORY, "plain: out of memory: %zu bytes", bytes);
  *out = memory;
  return SEL_OK;
}

static void release(sel_backend_device device, sel_buffer buffer, size_t bytes) {
  (void)device, (void)bytes;
  free(buffer);
}

static sel_status read_bytes(sel_backend_device device, void *destination, sel_buffer source,
                             size_t source_byte, size_t bytes) {
  (void)device;
  memcpy(destination, (const char *)source + source_byte, bytes);
  return SEL_OK;
}

static sel_status write_bytes(sel_backend_device device, sel_buffer destination,
                              size_t destination_byte, const void *source, size_t bytes) {
  (void)device;
  memcpy((char *)destination + destination_byte, source, bytes);
  return SEL_OK;
}

static sel_status synchronize(sel_backend_device device) {
  (void)device;
  return SEL_OK;
}

static const sel_backend backend = {.size = sizeof backend,
                                    .name = "plain",
                                    .device_count = device_count,
                                    .device_open = device_open,
                                    .device_summary = device_summary,
                                    .host_memory = true,
                                    .allocate = allocate,
                                    .release = release,
                                    .read = read_bytes,
                                    .write = write_bytes,
                                    .synchronize = synchronize};

static sel_status init(void) { return sel_register_backend(&backend); }

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = SEL_PLUGIN_MAGIC,
                                                     .abi_major = SEL_ABI_MAJOR,
                                                     .abi_minor = SEL_ABI_MINOR,
                                                     .size = sizeof(sel_plugin),
                                                     .name = "plain",
                                                     .version = "0.1.0",
                                                     .licence = "MIT",
                                                     .kind = SEL_PLUGIN_BACKEND,
                                                     .init = init};
