/* The backend table of one instruction-set level: device functions are shared, kernels its own. */
#include <string.h>

#include "device.h"
#include "kernels.h"
#include "threads.h"

static const void *ability(const char *name) {
  if (strcmp(name, "device") == 0) return &cpu_device_ability;
  return strcmp(name, "fuse") == 0 ? &CPU_NAME(cpu_fuse) : NULL;
}

const sel_backend CPU_NAME(cpu_backend) = {
    .size = sizeof(sel_backend),
    .name = "cpu",
    .device_count = cpu_device_count,
    .device_open = cpu_device_open,
    .device_summary = cpu_device_summary,
    .host_memory = true,
    .allocate = cpu_allocate,
    .release = cpu_release,
    .read = cpu_read,
    .write = cpu_write,
    .synchronize = cpu_synchronize,
    .set_threads = cpu_set_threads,
    .threads = cpu_threads,
    .copy = CPU_NAME(cpu_copy),
    .pointwise = CPU_NAME(cpu_pointwise),
    .update = CPU_NAME(cpu_update),
    .reduce = CPU_NAME(cpu_reduce),
    .scan = CPU_NAME(cpu_scan),
    .gemm = CPU_NAME(cpu_gemm),
    .index = CPU_NAME(cpu_index),
    .sort = CPU_NAME(cpu_sort),
    .softmax = CPU_NAME(cpu_softmax),
    .cross_entropy = CPU_NAME(cpu_cross_entropy),
    .random = CPU_NAME(cpu_random),
    .conv = CPU_NAME(cpu_conv),
    .pool = CPU_NAME(cpu_pool),
    .upsample = CPU_NAME(cpu_upsample),
    .norm = CPU_NAME(cpu_norm),
    .cell = CPU_NAME(cpu_cell),
    .attention = CPU_NAME(cpu_attention),
    .recurrence = CPU_NAME(cpu_recurrence),
    .ability = ability,
};
