/* Matrix products: the smallest and, where it pays, the largest in ways of our own, the others
 * through OpenBLAS.
 *
 * Threads are ours: C is cut into as many pieces as threads will work, and each piece is computed
 * on the calling thread alone. So products obey the one thread knob, may be called from
 * several host threads, and share the pool with all other kernels. Within a batch whole products
 * are pieces. Cuts don't change the order in which a number's terms are added unless OpenBLAS
 * changes its mind with the size of C; it was never seen to for the sizes cut here.
 */
#include "gemm.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "blas.h"
#include "gemm_blocked.h"
#include "threads.h"

static const double NANOSECONDS = 0.02; /* a multiplication and addition, with AVX2 */
static const double SMALL_NANOSECONDS = 0.1;
enum { ALIGN = 16 }; /* cuts lie at multiples of this */

typedef struct job {
  const sel_gemm_args *args;
  int64_t rows, columns; /* of a piece */
  int64_t across, down;  /* pieces of one product */
  char *scratch;         /* of blocked products: a lane for each thread */
  size_t lane;
  atomic_int *lanes; /* handed out so far */
} job;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static const char *element(const sel_operand *operand, int64_t i) {
  return (const char *)cpu_at(operand) + i * cpu_size(operand->dtype);
}

/* ---- one piece: rows [i, i + m), columns [j, j + n) of product `batch` ---- */

typedef struct piece {
  const char *a, *b;
  char *c;
  int64_t i, j, m, n;
} piece;

static piece find_piece(const job *j, int64_t number) {
  const sel_gemm_args *args = j->args;
  const int64_t batch = number / (j->across * j->down);
  piece p;
  p.i = number / j->across % j->down * j->rows;
  p.j = number % j->across * j->columns;
  p.m = smaller(j->rows, args->m - p.i);
  p.n = smaller(j->columns, args->n - p.j);
  p.a = element(&args->a, batch * args->batch_stride_a + p.i * (args->transpose_a ? 1 : args->lda));
  p.b = element(&args->b, batch * args->batch_stride_b + p.j * (args->transpose_b ? args->ldb : 1));
  p.c = (char *)element(&args->c, batch * args->batch_stride_c + p.i * args->ldc + p.j);
  return p;
}

static void product_f32(const sel_gemm_args *args, const piece *p) {
  const float *a = (const float *)p->a, *b = (const float *)p->b;
  float *c = (float *)p->c;
  float beta = (float)args->beta;
  if (args->bias.data) {
    const float *bias = (const float *)cpu_at(&args->bias) + p->j;
    for (int64_t i = 0; i < p->m; i++)
      for (int64_t j = 0; j < p->n; j++) c[i * args->ldc + j] = bias[j];
    beta = 1;
  }
  const float alpha = (float)args->alpha;
  const CBLAS_TRANSPOSE ta = args->transpose_a ? CblasTrans : CblasNoTrans;
  const CBLAS_TRANSPOSE tb = args->transpose_b ? CblasTrans : CblasNoTrans;
  const blasint m = (blasint)p->m, n = (blasint)p->n, k = (blasint)args->k;
  const blasint lda = (blasint)args->lda, ldb = (blasint)args->ldb, ldc = (blasint)args->ldc;
  if (n == 1)
    cblas_sgemv(CblasRowMajor, ta, args->transpose_a ? k : m, args->transpose_a ? m : k, alpha, a,
                lda, b, args->transpose_b ? 1 : ldb, beta, c, ldc);
  else if (m == 1)
    cblas_sgemv(CblasRowMajor, args->transpose_b ? CblasNoTrans : CblasTrans,
                args->transpose_b ? n : k, args->transpose_b ? k : n, alpha, b, ldb, a,
                args->transpose_a ? lda : 1, beta, c, 1);
  else
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

static void product_f64(const sel_gemm_args *args, const piece *p) {
  const double *a = (const double *)p->a, *b = (const double *)p->b;
  double *c = (double *)p->c;
  double beta = args->beta;
  if (args->bias.data) {
    const double *bias = (const double *)cpu_at(&args->bias) + p->j;
    for (int64_t i = 0; i < p->m; i++)
      for (int64_t j = 0; j < p->n; j++) c[i * args->ldc + j] = bias[j];
    beta = 1;
  }
  cblas_dgemm(CblasRowMajor, args->transpose_a ? CblasTrans : CblasNoTrans,
              args->transpose_b ? CblasTrans : CblasNoTrans, (blasint)p->m, (blasint)p->n,
              (blasint)args->k, args->alpha, a, (blasint)args->lda, b, (blasint)args->ldb, beta, c,
              (blasint)args->ldc);
}

static void run_pieces(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int before = cpu_blas_alone();
  for (int64_t number = begin; number < end; number++) {
    const piece p = find_piece(j, number);
    if (j->args->dtype == SEL_F32)
      product_f32(j->args, &p);
    else
      product_f64(j->args, &p);
  }
  cpu_blas_shared(before);
}

static void run_small(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  for (int64_t number = begin; number < end; number++) {
    const piece p = find_piece(j, number);
    CPU_NAME(cpu_gemm_small)(j->args, p.a, p.b, p.c);
  }
}

static void run_blocked(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_gemm_args *args = j->args;
  char *scratch = j->scratch + (size_t)atomic_fetch_add(j->lanes, 1) * j->lane;
  for (int64_t number = begin; number < end; number++) {
    const piece p = find_piece(j, number);
    const cpu_product product = {.dtype = args->dtype,
                                 .transpose_a = args->transpose_a,
                                 .transpose_b = args->transpose_b,
                                 .m = p.m,
                                 .n = p.n,
                                 .k = args->k,
                                 .lda = args->lda,
                                 .ldb = args->ldb,
                                 .ldc = args->ldc,
                                 .alpha = args->alpha,
                                 .beta = args->beta,
                                 .a = p.a,
                                 .b = p.b,
                                 .bias = args->bias.data ? element(&args->bias, p.j) : NULL,
                                 .c = p.c};
    CPU_NAME(cpu_gemm_blocked)(&product, scratch);
  }
}

static int64_t aligned_share(int64_t extent, int64_t parts) {
  const int64_t share = (extent + parts - 1) / parts;
  return (share + ALIGN - 1) / ALIGN * ALIGN;
}

/* Cuts C into about `pieces` pieces, as square as may be: each piece reads rows + columns. */
static void cut(job *j, int64_t pieces) {
  const sel_gemm_args *args = j->args;
  int64_t best = INT64_MAX;
  for (int64_t down = 1; down <= pieces; down++) {
    const int64_t across = (pieces + down - 1) / down;
    const int64_t rows = smaller(args->m, aligned_share(args->m, down));
    const int64_t columns = smaller(args->n, aligned_share(args->n, across));
    if (rows + columns >= best) continue;
    best = rows + columns;
    j->rows = rows;
    j->columns = columns;
  }
  j->down = (args->m + j->rows - 1) / j->rows;
  j->across = (args->n + j->columns - 1) / j->columns;
}

sel_status CPU_NAME(cpu_gemm)(sel_backend_device device, const sel_gemm_args *args) {
  (void)device;
  if (args->m == 0 || args->n == 0 || args->batch == 0) return SEL_OK;
  job j = {.args = args, .rows = args->m, .columns = args->n, .across = 1, .down = 1};
  const bool small = CPU_NAME(cpu_gemm_is_small)(args);
  if (small && args->batch == 1) {
    CPU_NAME(cpu_gemm_small)(args, cpu_at(&args->a), cpu_at(&args->b), cpu_at(&args->c));
    return SEL_OK;
  }
  const double terms = (double)args->batch * (double)args->m * (double)args->n * (double)args->k;
  if (small) {
    cpu_parallel(args->batch, terms * SMALL_NANOSECONDS, run_small, &j);
    return SEL_OK;
  }
  const double work = terms * NANOSECONDS * (args->dtype == SEL_F32 ? 1 : 2);
  const int64_t team = cpu_team(args->batch * args->m * args->n, work);
  if (args->batch < team) cut(&j, (team + args->batch - 1) / args->batch);
  const int64_t pieces = args->batch * j.across * j.down;
  if (!CPU_NAME(cpu_gemm_is_blocked)(args)) {
    cpu_parallel(pieces, work, run_pieces, &j);
    return SEL_OK;
  }
  atomic_int lanes = 0;
  j.lanes = &lanes;
  j.lane = CPU_NAME(cpu_gemm_blocked_scratch)(args->dtype, j.rows, j.columns, args->k);
  j.scratch = aligned_alloc(64, (size_t)cpu_team(pieces, work) * j.lane);
  if (!j.scratch) return sel_fail(SEL_E_MEMORY, "matrix product: no memory for packed operands");
  cpu_parallel(pieces, work, run_blocked, &j);
  free(j.scratch);
  return SEL_OK;
}
