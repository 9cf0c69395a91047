/* The header of a .npy file as text: a Python literal such as
 * {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 *
 * Only literals of this form are read; nothing is evaluated.
 */
#ifndef SEL_NPY_HEADER_H
#define SEL_NPY_HEADER_H

#include "core.h"
#include "selenite/tensor.h"

typedef struct sel__npy_header {
  sel_dtype dtype;
  bool fortran_order;
  int ndim;
  int64_t shape[SEL_MAX_DIMS];
} sel__npy_header;

sel_status sel__npy_header_parse(const char *text, size_t size, sel__npy_header *out);

/* The literal for t, without line end, as NumPy 2 writes it. Returns its length; refuses dtypes
 * NumPy has not. */
sel_status sel__npy_header_print(const sel_tensor *t, char *text, size_t size, int *length);

#endif
