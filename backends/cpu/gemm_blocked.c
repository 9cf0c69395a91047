/* Large matrix products, by blocks that fit the caches (Goto and van de Geijn, "Anatomy of
 * High-Performance Matrix Multiplication", 2008): a block of op(B) is packed into panels, then
 * block after block of op(A) into slivers, and each sliver meets each panel in a tile of C.
 *
 * A result's terms are added in order within each block of k, whose borders depend on k alone.
 *
 * On one core of a Zen 4 this computes 109, 103 and 109 GFLOP/s where OpenBLAS 0.3.21 computes 105,
 * 99 and 101 (512x512x512, 1024x256x2048 with op(A) transposed, 192x1024x384), but less for small
 * products and for extents that fill tiles badly. Without AVX-512, OpenBLAS is as fast or faster.
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

bool CPU_NAME(cpu_gemm_is_blocked)(int64_t m, int64_t n, int64_t k) {
#ifdef __AVX512F__
  const double padded = (double)rounded_up(m, CPU_TILE_ROWS) * (double)rounded_up(n, 32);
  const double results = (double)m * (double)n;
  return k >= 16 && results * (double)k >= 1 << 20 && padded < 1.12 * results;
#else
  (void)m, (void)n, (void)k;
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
