/* Recurrences of one type: included by recurrence.c with VALUE, TYPED(name). */

#include "gemm_panels_body.h"

static void TYPED(pack_panels)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_gemm_args *p = j->product;
  const int64_t line = p->transpose_b ? p->ldb : 1, step = p->transpose_b ? 1 : p->ldb;
  const int64_t first = begin * COLUMNS;
  TYPED(pack_all)
  ((const VALUE *)cpu_at(&p->b) + first * line, line, step, smaller(end * COLUMNS, p->n) - first,
   p->k, COLUMNS, (VALUE *)(void *)j->panels + first * p->k);
}

/* Rows [first, last) of one product, of the columns of panels [begin, end). */
static void TYPED(multiply)(const job *j, const sel_gemm_args *p, int64_t first, int64_t last,
                            int64_t begin, int64_t end) {
  const int64_t column = begin * COLUMNS, n = smaller(end * COLUMNS, p->n) - column;
  const VALUE *bias = p->bias.data ? (const VALUE *)cpu_at(&p->bias) + column : NULL;
  const VALUE *panels = (const VALUE *)(const void *)j->panels + column * p->k;
  const VALUE *a = (const VALUE *)cpu_at(&p->a) + first * p->lda;
  VALUE *c = (VALUE *)cpu_at(&p->c) + first * p->ldc + column;
  const VALUE alpha = (VALUE)p->alpha, beta = (VALUE)p->beta;
  if (last - first <= FEW_ROWS) {
    for (int64_t i = 0; i < last - first; i++)
      TYPED(row_meets)(a + i * p->lda, panels, n, p->k, alpha, beta, bias, c + i * p->ldc);
    return;
  }
  TYPED(meet)(a, p->lda, panels, last - first, n, p->k, alpha, beta, bias, c, p->ldc);
}

/* Item: as many rows as a tile has, through all steps. */
static void TYPED(walk_rows)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int64_t first = begin * CPU_TILE_ROWS;
  const int64_t last = smaller(end * CPU_TILE_ROWS, j->args->cells[0].n);
  for (int64_t i = 0; i < j->args->steps; i++) {
    const sel_gemm_args *product = &j->args->products[i];
    const sel_cell_args *cell = &j->args->cells[i];
    if (!cell->backward) TYPED(multiply)(j, product, first, last, 0, j->panel_count);
    CPU_NAME(cpu_cell_rows)(cell, first, last);
    if (cell->backward && product->m > 0)
      TYPED(multiply)(j, product, first, last, 0, j->panel_count);
  }
}

/* Item: a panel, in all steps; each thread's share of the cell's rows is that of its panels. */
static void TYPED(walk_panels)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int64_t n = j->args->cells[0].n;
  const int64_t first = n * begin / j->panel_count, last = n * end / j->panel_count;
  const bool alone = begin == 0 && end == j->panel_count;
  for (int64_t i = 0; i < j->args->steps; i++) {
    const sel_gemm_args *product = &j->args->products[i];
    const sel_cell_args *cell = &j->args->cells[i];
    if (!cell->backward) TYPED(multiply)(j, product, 0, n, begin, end);
    if (!alone) cpu_meet();
    CPU_NAME(cpu_cell_rows)(cell, first, last);
    if (!alone) cpu_meet();
    if (cell->backward && product->m > 0) TYPED(multiply)(j, product, 0, n, begin, end);
  }
}

#undef LANES
#undef COLUMNS
#undef VALUE
#undef TYPED
