/* The parts of the matrix product: see gemm.c. */
#ifndef CPU_GEMM_H
#define CPU_GEMM_H

#include "kernels.h"

/* Whether a product is better done by cpu_gemm_small than by a call into OpenBLAS. */
bool CPU_NAME(cpu_gemm_is_small)(const sel_gemm_args *args);

/* One product of the batch, whole, on this thread. a, b, c: its operands' first elements. */
void CPU_NAME(cpu_gemm_small)(const sel_gemm_args *args, const void *a, const void *b, void *c);

#endif
