/* The plugin's entry: the backend's table. A family that is NULL there has no kernel yet; core says
 * so, naming operation and backend, when it is used. Drivers are asked when a device is.
 *
 * SELENITE_OPENCL_GROUPS=1 lets work-groups share lines on processors too, as they do elsewhere:
 * tests run both ways. This is the one place that reads it.
 */
#include "selenite/plugin.h"

#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "kernels.h"
#include "memory.h"
#include "platform.h"
#include "program_cache.h"

static const sel_device_ability about_device = {.size = sizeof about_device,
                                                .memory = opencl_device_memory,
                                                .attach = opencl_device_attach,
                                                .counters = opencl_device_counters};

static const void *ability(const char *name) {
  if (strcmp(name, "device") == 0) return &about_device;
  if (strcmp(name, "fuse") == 0) return &opencl_fuse;
  return strcmp(name, "source") == 0 ? &opencl_source : NULL;
}

static const sel_backend backend = {
    .size = sizeof backend,
    .name = "opencl",
    .device_count = opencl_device_count,
    .device_open = opencl_device_open,
    .device_summary = opencl_device_summary,
    .allocate = opencl_allocate,
    .release = opencl_release,
    .read = opencl_read,
    .write = opencl_write,
    .synchronize = opencl_synchronize,
    .copy = opencl_copy,
    .pointwise = opencl_pointwise,
    .update = opencl_update,
    .random = opencl_random,
    .scan = opencl_scan,
    .reduce = opencl_reduce,
    .gemm = opencl_gemm,
    .index = opencl_index,
    .sort = opencl_sort,
    .softmax = opencl_softmax,
    .cross_entropy = opencl_cross_entropy,
    .attention = opencl_attention,
    .conv = opencl_conv,
    .norm = opencl_norm,
    .pool = opencl_pool,
    .cell = opencl_cell,
    .upsample = opencl_upsample,
    .ability = ability,
};

static sel_status init(void) {
  const char *groups = getenv("SELENITE_OPENCL_GROUPS");
  opencl_device_use_groups(groups && strcmp(groups, "1") == 0);
  opencl_cache_locate();
  return sel_register_backend(&backend);
}

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {
    .magic = SEL_PLUGIN_MAGIC,
    .abi_major = SEL_ABI_MAJOR,
    .abi_minor = SEL_ABI_MINOR,
    .size = sizeof(sel_plugin),
    .name = "opencl",
    .version = "0.1.0",
    .licence = "MIT",
    .kind = SEL_PLUGIN_BACKEND,
    .init = init,
};
