/* Large matrix products, by blocks that fit the caches (Goto and van de Geijn, "Anatomy of
 * High-Performance Matrix Multiplication", 2008): a block of op(B) is packed into panels, which
 * meet block after block of op(A)'s rows in tiles of C. Rows are read where they lie, those of a
 * transposed A from slivers.
 *
 * A result's terms are added in order within each block of k, whose borders depend on k alone.
 *
 * On one core of a Zen 4, beside other load, this computes 106, 106 and 99 GFLOP/s where OpenBLAS
 * 0.3.21 computes 94, 94 and 93 (2048x1024x256 with op(B) transposed, 2048x256x1024, 1024x256x2048
 * with op(A) transposed), but less for small products and for extents that fill tiles badly.
 * Without AVX-512, OpenBLAS is as fast or faster.
 */
#include "gemm_blocked.h"

#include "gemm_panels.h"

/* Terms, rows and columns of a block: slivers and a panel lie in the second-level cache. */
enum { TERMS = 384, BLOCK_ROWS = 192, BLOCK_COLUMNS = 1024 };

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t rounded_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

/* Terms of a block: as equal as may be. */
static int64_t terms_of(int64_t k) {
  const int64_t blocks = (k + TERMS - 1) / TERMS;
  return rounded_up((k + blocks - 1) / blocks, 4);
}

static int64_t packed_rows(int64_t m) { return rounded_up(smaller(m, BLOCK_ROWS), CPU_TILE_ROWS); }

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#include "gemm_blocked_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#include "gemm_blocked_body.h"

bool CPU_NAME(cpu_gemm_is_blocked)(const sel_gemm_args *args) {
#ifdef __AVX512F__
  const double padded =
      (double)rounded_up(args->m, CPU_TILE_ROWS) * (double)rounded_up(args->n, 32);
  const double results = (double)args->m * (double)args->n;
  const double fewest = args->transpose_b ? 1 << 17 : 1 << 20; /* terms */
  return args->k >= 16 && results * (double)args->k >= fewest && padded < 1.12 * results;
#else
  (void)args;
  return false;
#endif
}

size_t CPU_NAME(cpu_gemm_blocked_scratch)(sel_dtype dtype, int64_t m, int64_t n, int64_t k) {
  const int64_t size = cpu_size(dtype), columns = 2 * CPU_VECTOR_BYTES / size;
  const int64_t lines = packed_rows(m) + rounded_up(smaller(n, BLOCK_COLUMNS), columns);
  return (size_t)rounded_up(lines * terms_of(k) * size, 64);
}

void CPU_NAME(cpu_gemm_blocked)(const cpu_product *p, void *scratch) {
  if (p->dtype == SEL_F32)
    blocked_f32(p, scratch);
  else
    blocked_f64(p, scratch);
}
