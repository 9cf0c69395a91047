/* Products by blocks of one type: included by gemm_blocked.c with VALUE, TYPED(name). */

#include "gemm_panels_body.h"

static void TYPED(blocked)(const cpu_product *product, VALUE *scratch) {
  const cpu_product p = *product;
  const VALUE *a = p.a, *b = p.b, *bias = p.bias;
  VALUE *c = p.c, *slivers = scratch;
  const int64_t terms = terms_of(p.k);
  VALUE *panels = slivers + packed_rows(p.m) * terms;
  const int64_t line_a = p.transpose_a ? 1 : p.lda, step_a = p.transpose_a ? p.lda : 1;
  const int64_t line_b = p.transpose_b ? p.ldb : 1, step_b = p.transpose_b ? 1 : p.ldb;
  for (int64_t j = 0; j < p.n; j += BLOCK_COLUMNS) {
    const int64_t n = smaller(BLOCK_COLUMNS, p.n - j);
    for (int64_t t = 0; t < p.k; t += terms) {
      const int64_t k = smaller(terms, p.k - t);
      TYPED(pack_all)(b + j * line_b + t * step_b, line_b, step_b, n, k, COLUMNS, panels);
      for (int64_t i = 0; i < p.m; i += BLOCK_ROWS) {
        const int64_t m = smaller(BLOCK_ROWS, p.m - i);
        const VALUE *rows = a + i * line_a + t * step_a;
        if (p.transpose_a) TYPED(pack_all)(rows, line_a, step_a, m, k, CPU_TILE_ROWS, slivers);
        TYPED(meet)
        (p.transpose_a ? slivers : rows, p.transpose_a ? 0 : line_a, panels, m, n, k,
         (VALUE)p.alpha, t == 0 ? (VALUE)p.beta : 1, t == 0 && bias ? bias + j : NULL,
         c + i * p.ldc + j, p.ldc);
      }
    }
  }
}

#undef LANES
#undef COLUMNS
#undef VALUE
#undef TYPED
