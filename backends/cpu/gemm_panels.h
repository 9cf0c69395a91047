/* The inner parts of a matrix product: operands packed as they are read, and the tile of results
 * that stays in registers while they are.
 *
 * A panel holds two vectors' worth of columns of op(B), a sliver CPU_TILE_ROWS rows of op(A); both
 * are stored term by term. Rows that lie in memory one after the other need no sliver. A result is
 * the sum of its terms in order, by fused multiply-add where the processor has it, wherever in a
 * tile it lies: how C is cut doesn't show in it.
 */
#ifndef CPU_GEMM_PANELS_H
#define CPU_GEMM_PANELS_H

#include <string.h>

#include "kernels.h"

/* As many rows as leave registers for a panel's two vectors and a factor. */
#if defined __AVX512F__
enum { CPU_VECTOR_BYTES = 64, CPU_TILE_ROWS = 8 };
#elif defined __AVX2__
enum { CPU_VECTOR_BYTES = 32, CPU_TILE_ROWS = 6 };
#elif defined __aarch64__
enum { CPU_VECTOR_BYTES = 16, CPU_TILE_ROWS = 8 };
#else
enum { CPU_VECTOR_BYTES = 16, CPU_TILE_ROWS = 4 };
#endif
enum { CPU_PACK_TERMS = 64, CPU_PACK_GROUP = 4 }; /* terms, slivers or panels packed at once */

#endif
