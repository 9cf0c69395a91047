/* Memory a kernel works in: from core's cache, so that it is counted and kept for reuse. */
#ifndef OPENCL_SCRATCH_H
#define OPENCL_SCRATCH_H

#include "device.h"

sel_status opencl_scratch(opencl_device *device, size_t bytes, const char *what, cl_mem *out);
/* Call it when all commands that use the memory are queued: what takes it next is queued behind
 * them. NULL is fine. */
void opencl_scratch_done(opencl_device *device, cl_mem memory);

#endif
