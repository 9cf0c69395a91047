/* Products by OpenBLAS on the calling thread alone: it takes as many threads as the thread's OpenMP
 * setting allows, and our threads are those of threads.h. */
#ifndef CPU_BLAS_H
#define CPU_BLAS_H

#include <cblas.h>
#include <omp.h>

/* Call before products; give the result to cpu_blas_shared after them. */
static inline int cpu_blas_alone(void) {
  const int before = omp_get_max_threads();
  if (before != 1) omp_set_num_threads(1);
  return before;
}

static inline void cpu_blas_shared(int before) {
  if (before != 1) omp_set_num_threads(before);
}

#endif
