/* Small matrix products, whose arithmetic takes less time than a call into OpenBLAS.
 *
 * C is computed in pieces of one row and BLOCK columns whose sums stay in registers.
 */
#include "gemm.h"

enum { BLOCK = 16, SMALL = 4096 };

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#include "gemm_small_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#include "gemm_small_body.h"

bool CPU_NAME(cpu_gemm_is_small)(const sel_gemm_args *args) {
  if (args->k == 0) return true;
  return args->m <= SMALL && args->n <= SMALL && args->k <= SMALL &&
         args->m * args->n * args->k <= SMALL;
}

void CPU_NAME(cpu_gemm_small)(const sel_gemm_args *args, const void *a, const void *b, void *c) {
  if (args->dtype == SEL_F32)
    product_f32(args, a, b, c);
  else
    product_f64(args, a, b, c);
}
