/* Recurrences over many steps (contract: sel_recurrence_args in selenite/backend.h).
 *
 * The weight, which all steps have in common, is packed into panels once. Rows are independent, so
 * each thread takes some through all steps and never waits for another. Where there are too few
 * rows for that, each takes some panels, and they meet twice a step. A few steps alone go one by
 * one to the kernels of gemm.c and cell.c.
 */
#include <stdlib.h>

#include "cell.h"
#include "gemm_panels.h"
#include "threads.h"

enum {
  FEWEST_STEPS = 4,            /* that make up for packing the weight */
  FEW_ROWS = CPU_TILE_ROWS / 3 /* that are better multiplied one by one */
};
static const double NANOSECONDS = 0.02, PACKING = 0.5; /* a term in f32; a weight */

typedef struct job {
  const sel_recurrence_args *args;
  const sel_gemm_args *product; /* what all have in common */
  int64_t panel_count;
  char *panels;
} job;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t pieces_of(int64_t n, int64_t piece) { return (n + piece - 1) / piece; }

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#include "recurrence_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#include "recurrence_body.h"

static sel_status one_by_one(sel_backend_device device, const sel_recurrence_args *args) {
  sel_status status = SEL_OK;
  for (int64_t i = 0; i < args->steps && status == SEL_OK; i++) {
    const sel_gemm_args *product = &args->products[i];
    const sel_cell_args *cell = &args->cells[i];
    if (!cell->backward) status = CPU_NAME(cpu_gemm)(device, product);
    if (status == SEL_OK) status = CPU_NAME(cpu_cell)(device, cell);
    if (status == SEL_OK && cell->backward) status = CPU_NAME(cpu_gemm)(device, product);
  }
  return status;
}

static sel_status with_packed_weight(const sel_recurrence_args *args) {
  const sel_gemm_args *product = &args->products[0];
  const bool f32 = product->dtype == SEL_F32;
  const int64_t n = args->cells[0].n, size = cpu_size(product->dtype);
  const int64_t columns = 2 * CPU_VECTOR_BYTES / size;
  const int64_t panels = pieces_of(product->n, columns), tiles = pieces_of(n, CPU_TILE_ROWS);
  const size_t bytes = (size_t)(panels * columns * product->k * size);
  job j = {.args = args, .product = product, .panel_count = panels};
  j.panels = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!j.panels) return sel_fail(SEL_E_MEMORY, "recurrence: no memory for the packed weight");
  const double terms = (double)(product->n * product->k) * (f32 ? 1 : 2);
  const double step =
      terms * (double)n * NANOSECONDS + CPU_NAME(cpu_cell_nanoseconds)(&args->cells[0]);
  const double work = step * (double)args->steps;
  cpu_parallel(panels, terms * PACKING, f32 ? pack_panels_f32 : pack_panels_f64, &j);
  if (tiles >= cpu_team(panels, work))
    cpu_parallel(tiles, work, f32 ? walk_rows_f32 : walk_rows_f64, &j);
  else
    cpu_parallel(panels, work, f32 ? walk_panels_f32 : walk_panels_f64, &j);
  free(j.panels);
  return SEL_OK;
}

sel_status CPU_NAME(cpu_recurrence)(sel_backend_device device, const sel_recurrence_args *args) {
  return args->steps < FEWEST_STEPS ? one_by_one(device, args) : with_packed_weight(args);
}
