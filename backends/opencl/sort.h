/* Sorted pairs of key and position, which sorts and sums by index both need. */
#ifndef OPENCL_SORT_H
#define OPENCL_SORT_H

#include "device.h"

/* Sorts each row of contiguous [rows, columns] stably: *out becomes scratch memory of rows *
 * columns pairs (16 bytes: key, position), to be given to opencl_scratch_done. */
sel_status opencl_sorted_pairs(opencl_device *device, const sel_operand *x, int64_t rows,
                               int64_t columns, bool descending, cl_mem *out);

#endif
