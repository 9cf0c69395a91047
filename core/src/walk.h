/* From shapes to loops: the iteration space of a kernel over several tensors. */
#ifndef SEL_WALK_H
#define SEL_WALK_H

#include "tensor_impl.h"

/* The walk over `over`'s shape for n operands, each of which broadcasts to it (scalars get stride
 * 0): extents of 1 dropped, neighbouring dims merged where all operands allow it. Writes shape and
 * strides (in elements), returns the number of dims left; 0 for a single element. */
int sel__walk(const sel_tensor *over, int n, sel_tensor *const *operands,
              int64_t shape[SEL_MAX_DIMS], int64_t stride[][SEL_MAX_DIMS]);

#endif
