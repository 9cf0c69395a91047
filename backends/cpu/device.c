/* The host as a device: memory, and one line that says what it computes on.
 *
 * Buffers are host pointers, aligned to a cache line; big ones to a huge page, which the kernel is
 * asked to use. Kernels run to their end before they return, so there is nothing to wait for.
 */
#include "device.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CACHE_LINE = 64, HUGE_PAGE = 2 << 20 };

static char summary[256];

/* Linux's name for the processor; false where /proc/cpuinfo has none (most aarch64 machines). */
static bool processor_model(char *out, size_t size) {
  FILE *file = fopen("/proc/cpuinfo", "r");
  if (!file) return false;
  char line[256];
  bool found = false;
  while (!found && fgets(line, sizeof line, file)) {
    char *colon = strchr(line, ':');
    if (strncmp(line, "model name", 10) != 0 || !colon) continue;
    line[strcspn(line, "\n")] = 0;
    snprintf(out, size, "%s", colon + 2);
    found = true;
  }
  fclose(file);
  return found;
}

void cpu_device_describe(const char *level) {
  char model[128] = "unknown processor", version[32] = "of unknown version";
  processor_model(model, sizeof model);
  sscanf(openblas_get_config(), "OpenBLAS %31s", version);
  snprintf(summary, sizeof summary, "%s; kernels %s; OpenBLAS %s (%s%s)", model, level, version,
           openblas_get_corename(), openblas_get_parallel() == OPENBLAS_OPENMP ? ", OpenMP" : "");
}

int cpu_device_count(const char **reason) {
  (void)reason;
  return 1;
}

sel_status cpu_device_open(int index, sel_backend_device *out) {
  if (index != 0) return sel_fail(SEL_E_DEVICE, "cpu: there is one device, 0; got %d", index);
  *out = summary; /* all state is the process's: any non-NULL handle will do */
  return SEL_OK;
}

const char *cpu_device_summary(sel_backend_device device) { return device; }

static double memory(sel_backend_device device) {
  (void)device;
  return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
}
const sel_device_ability cpu_device_ability = {.size = sizeof(sel_device_ability),
                                               .memory = memory};

sel_status cpu_allocate(sel_backend_device device, size_t bytes, sel_buffer *out) {
  (void)device;
  const size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : CACHE_LINE;
  void *buffer;
  if (posix_memalign(&buffer, alignment, bytes ? bytes : 1) != 0)
    return sel_fail(SEL_E_MEMORY, "cpu: can't allocate %zu bytes", bytes);
#ifdef MADV_HUGEPAGE
  if (alignment == HUGE_PAGE) madvise(buffer, bytes, MADV_HUGEPAGE); /* a wish: may fail */
#endif
  *out = buffer;
  return SEL_OK;
}

void cpu_release(sel_backend_device device, sel_buffer buffer, size_t bytes) {
  (void)device, (void)bytes;
  free(buffer);
}

sel_status cpu_read(sel_backend_device device, void *destination, sel_buffer source,
                    size_t source_byte, size_t bytes) {
  (void)device;
  if (bytes) memcpy(destination, (const char *)source + source_byte, bytes);
  return SEL_OK;
}

sel_status cpu_write(sel_backend_device device, sel_buffer destination, size_t destination_byte,
                     const void *source, size_t bytes) {
  (void)device;
  if (bytes) memcpy((char *)destination + destination_byte, source, bytes);
  return SEL_OK;
}

sel_status cpu_synchronize(sel_backend_device device) {
  (void)device;
  return SEL_OK;
}
