/* The launch that matmul and linear share: from tensors to calls of the gemm kernel. */
#ifndef SEL_GEMM_H
#define SEL_GEMM_H

#include "op.h"

/* call->out[0] [batch..., n, m] = a [batch..., n, k] times b [batch..., k, m], plus bias [m] (NULL:
 * none). With transposed_b, b is [batch..., m, k]. An a of one dim is one row. Leading dims of a
 * and b broadcast to the result's. */
sel_status sel__gemm(sel_call *call, sel_tensor *a, sel_tensor *b, bool transposed_b,
                     sel_tensor *bias);
void sel__gemm_cost(const sel_call *call, sel_cost *cost);

#endif
