/* Launching a kernel: begin, arguments in the order of the kernel's parameters, run.
 *
 *   opencl_launch l;
 *   opencl_begin(&l, device, "pointwise", "map.cl", opencl_text_map, defines, "flat");
 *   opencl_buffer(&l, operand.data);
 *   opencl_long(&l, operand.offset);
 *   return opencl_run(&l, 1, global, local);
 *
 * From begin to run the device's lock is held. The first failure is kept and returned by run, so
 * that callers need no checks between. A kernel that is queued is not waited for.
 */
#ifndef OPENCL_LAUNCH_H
#define OPENCL_LAUNCH_H

#include "device.h"

typedef struct opencl_launch {
  opencl_device *device;
  const char *what;
  cl_kernel kernel;
  cl_uint next; /* argument */
  sel_status status;
  int lanes;    /* lines.h: work-items a line */
  bool reports; /* report.h: the kernel may report */
} opencl_launch;

void opencl_begin(opencl_launch *l, opencl_device *device, const char *what, const char *file,
                  const char *text, const char *defines, const char *kernel);
void opencl_value(opencl_launch *l, const void *value, size_t size);
void opencl_buffer(opencl_launch *l, sel_buffer buffer); /* NULL is a null pointer there */
void opencl_long(opencl_launch *l, int64_t value);
void opencl_int(opencl_launch *l, int32_t value);
/* A float number in the type of `dtype`: f64 in double, everything else in float. */
void opencl_real(opencl_launch *l, sel_dtype dtype, double value);
/* An operand: its buffer, and the offset of its first element. */
void opencl_operand(opencl_launch *l, const sel_operand *operand);
/* Queues the kernel over at least `items` work-items a dim, in groups of `group` (NULL: the
 * device's usual ones, along dim 0). Kernels ignore items that are too many. */
sel_status opencl_run(opencl_launch *l, int dims, const int64_t *items, const size_t *group);

#endif
