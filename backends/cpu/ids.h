/* Integers that index: stored as i64 or i32, checked before anything is written. */
#ifndef CPU_IDS_H
#define CPU_IDS_H

#include "kernels.h"

static inline int64_t cpu_id(const void *ids, sel_dtype dtype, int64_t i) {
  return dtype == SEL_I64 ? ((const int64_t *)ids)[i] : ((const int32_t *)ids)[i];
}

/* Position of the first of n ids outside [0, extent), or -1. *exempt is valid besides (NULL: none).
 */
static inline int64_t cpu_first_bad_id(const void *ids, sel_dtype dtype, int64_t n, int64_t extent,
                                       const int64_t *exempt) {
  const bool strict = !exempt;
  const int64_t spared = exempt ? *exempt : 0;
  int bad = 0;
  if (dtype == SEL_I64) {
    const int64_t *id = ids;
#pragma omp simd reduction(| : bad)
    for (int64_t i = 0; i < n; i++)
      bad |= ((id[i] < 0) | (id[i] >= extent)) & (strict | (id[i] != spared));
  } else {
    const int32_t *id = ids;
#pragma omp simd reduction(| : bad)
    for (int64_t i = 0; i < n; i++)
      bad |= ((id[i] < 0) | (id[i] >= extent)) & (strict | (id[i] != spared));
  }
  if (!bad) return -1;
  for (int64_t i = 0;; i++) {
    const int64_t id = cpu_id(ids, dtype, i);
    if ((id < 0 || id >= extent) && (strict || id != spared)) return i;
  }
}

#endif
