/* Names of dtypes as the .cl files know them, beside the dtypes' own. */
#ifndef OPENCL_DTYPE_H
#define OPENCL_DTYPE_H

#include "selenite/tensor.h"

/* What elements are moved as where nothing is computed: bits of the same size. */
static inline const char *opencl_bits_of(sel_dtype dtype) {
  switch (sel_dtype_size(dtype)) {
    case 1:
      return "u8";
    case 2:
      return "bits16";
    case 4:
      return "i32";
    default:
      return "i64";
  }
}

#endif
