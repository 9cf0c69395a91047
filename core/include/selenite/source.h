/* Kernels that a plugin brings as text, for devices that compile text: OpenCL C on opencl.
 *
 *   static const char text[] =
 *     "__kernel void half(long items, __global const T *x, long x0, __global T *y, long y0, T s) {"
 *     "  const long i = get_global_id(0);"
 *     "  if (i < items) y[y0 + i] = x[x0 + i] / 2 + s;"
 *     "}";
 *   sel_tensor *tensors[] = {x, y};
 *   double s = 1;
 *   return sel_run_source(text, "half", sel_numel(x), 2, tensors, 1, &s);
 *
 * A kernel's parameters are, in this order: `items`, a long; for each tensor a pointer to the first
 * element of its memory and, a long, the place of its own first element there; each number as a T.
 * T is the C type of the first tensor: double for f64, float for f32. More work-items than `items`
 * may run. Programs are compiled on their first use and kept, in memory and on disk, by their text.
 */
#ifndef SELENITE_SOURCE_H
#define SELENITE_SOURCE_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the device's kernels are written in: "OpenCL C"; NULL where it compiles no text. Static. */
SEL_API const char *sel_source_language(const sel_device *device);

/* Queues `kernel` of `text`. The tensors are contiguous, of one device that compiles text, the
 * first of f32 or f64; all are borrowed. What the kernel writes must be memory of fresh tensors,
 * made by sel_empty and the like: the tape isn't told. Text that doesn't compile is an error with
 * the compiler's words. */
SEL_API sel_status sel_run_source(const char *text, const char *kernel, int64_t items,
                                  int n_tensors, sel_tensor *const *tensors, int n_numbers,
                                  const double *numbers);

#ifdef __cplusplus
}
#endif
#endif
