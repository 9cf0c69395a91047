/* Large products by blocks: see gemm_blocked.c. */
#ifndef CPU_GEMM_BLOCKED_H
#define CPU_GEMM_BLOCKED_H

#include "kernels.h"

/* C = alpha op(A) op(B) + beta C + bias, as sel_gemm_args has it; C is not read where beta is 0. */
typedef struct cpu_product {
  sel_dtype dtype;
  bool transpose_a, transpose_b;
  int64_t m, n, k, lda, ldb, ldc;
  double alpha, beta;
  const void *a, *b, *bias; /* bias NULL: none */
  void *c;
} cpu_product;

/* Whether a product is better done here than by OpenBLAS. */
bool CPU_NAME(cpu_gemm_is_blocked)(const sel_gemm_args *args);

/* Bytes of scratch that a product takes, or one of smaller extents. */
size_t CPU_NAME(cpu_gemm_blocked_scratch)(sel_dtype dtype, int64_t m, int64_t n, int64_t k);

/* On the calling thread. scratch: aligned to a cache line. */
void CPU_NAME(cpu_gemm_blocked)(const cpu_product *p, void *scratch);

#endif
