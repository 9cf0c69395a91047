/* Memory a kernel works in: see scratch.h. A device that was opened without core has no cache. */
#include "scratch.h"

#include "memory.h"

sel_status opencl_scratch(opencl_device *device, size_t bytes, const char *what, cl_mem *out) {
  sel_buffer memory;
  const sel_status status = device->core ? sel_scratch_take(device->core, bytes, &memory)
                                         : opencl_allocate(device, bytes, &memory);
  if (status != SEL_OK) {
    sel_error_prefix(what);
    return status;
  }
  *out = memory;
  return SEL_OK;
}

void opencl_scratch_done(opencl_device *device, cl_mem memory) {
  if (!memory) return;
  if (device->core)
    sel_scratch_give(device->core, memory);
  else
    opencl_release(device, memory, 0);
}
