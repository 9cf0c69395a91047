/* Matrix products: CLBlast, or on the host's own cores kernels of gemm.cl. What neither does itself
 * is done before: bias becomes C, to which the product is added. */
#include <stdio.h>

#include "kernels.h"
#include "launch.h"
#include "library.h"
#include "map.h"
#include "texts.h"
#include "tile.h"

/* C = expression of `a`, an operand that advances by one along the rows of C and stands still along
 * the others (bias, a number), or C itself. */
static sel_status fill(opencl_device *device, const sel_gemm_args *args, const char *expression,
                       const sel_operand *a, double s0) {
  const char *dtype = sel_dtype_name(args->dtype);
  opencl_map map = {.what = "matmul",
                    .expression = expression,
                    .compute = dtype,
                    .dtype = {dtype, NULL, NULL, dtype},
                    .operand = {*a, {0}, {0}, args->c},
                    .inputs = 1,
                    .ndim = 3,
                    .shape = {args->batch, args->m, args->n},
                    .stride = {{0, 0, 1}, {0}, {0}, {args->batch_stride_c, args->ldc, 1}},
                    .numel = args->batch * args->m * args->n,
                    .scalar = {s0}};
  if (a->data == args->c.data)
    for (int d = 0; d < 3; d++) map.stride[0][d] = map.stride[OPENCL_MAP_OUT][d];
  return opencl_map_run(device, &map);
}

/* As gemm.cl has it, and the sides of what a work-item of `inner` computes. */
typedef struct product {
  cl_long m, n, k, a_row, a_column, b_row, b_column, ldc, next_a, next_b, next_c, rows;
} product;
enum { FEW = 2, SOME = 4, FEW_ROWS = 8 };

static sel_status multiply_on_host(opencl_device *device, const sel_gemm_args *g, double beta) {
  const bool inner = g->transpose_b && !g->transpose_a && g->m < FEW_ROWS;
  const opencl_tile tile = opencl_tile_of(device, g->dtype, g->n);
  const int64_t columns = opencl_pieces(g->n, inner ? SOME : tile.columns);
  const int64_t rows = inner ? FEW : opencl_tile_share(device, &tile, g->m, columns * g->batch);
  const product p = {.m = g->m,
                     .n = g->n,
                     .k = g->k,
                     .a_row = g->transpose_a ? 1 : g->lda,
                     .a_column = g->transpose_a ? g->lda : 1,
                     .b_row = g->transpose_b ? 1 : g->ldb,
                     .b_column = g->transpose_b ? g->ldb : 1,
                     .ldc = g->ldc,
                     .next_a = g->batch_stride_a,
                     .next_b = g->batch_stride_b,
                     .next_c = g->batch_stride_c,
                     .rows = rows};
  opencl_launch l;
  opencl_begin(&l, device, "matmul", "gemm.cl", opencl_text_gemm, tile.defines,
               inner ? "inner" : "outer");
  opencl_value(&l, &p, sizeof p);
  opencl_real(&l, g->dtype, g->alpha);
  opencl_real(&l, g->dtype, beta);
  opencl_operand(&l, &g->a);
  opencl_operand(&l, &g->b);
  opencl_operand(&l, &g->c);
  const int64_t items[3] = {columns, opencl_pieces(g->m, rows), g->batch};
  const size_t alone[3] = {1, 1, 1};
  return opencl_run(&l, 3, items, alone);
}

static CLBlastStatusCode multiply(opencl_device *device, const opencl_blas_calls *blas,
                                  const sel_gemm_args *g, double beta) {
  const CLBlastTranspose ta = g->transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo;
  const CLBlastTranspose tb = g->transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo;
  const size_t m = (size_t)g->m, n = (size_t)g->n, k = (size_t)g->k;
  const size_t at_a = (size_t)g->a.offset, at_b = (size_t)g->b.offset, at_c = (size_t)g->c.offset;
  const size_t lda = (size_t)g->lda, ldb = (size_t)g->ldb, ldc = (size_t)g->ldc;
  const size_t next_a = (size_t)g->batch_stride_a, next_b = (size_t)g->batch_stride_b;
  const size_t next_c = (size_t)g->batch_stride_c, batch = (size_t)g->batch;
  cl_command_queue *queue = &device->queue.commands;
  if (g->dtype == SEL_F64)
    return batch == 1
               ? blas->Dgemm(CLBlastLayoutRowMajor, ta, tb, m, n, k, g->alpha, g->a.data, at_a, lda,
                             g->b.data, at_b, ldb, beta, g->c.data, at_c, ldc, queue, NULL)
               : blas->DgemmStridedBatched(CLBlastLayoutRowMajor, ta, tb, m, n, k, g->alpha,
                                           g->a.data, at_a, lda, next_a, g->b.data, at_b, ldb,
                                           next_b, beta, g->c.data, at_c, ldc, next_c, batch, queue,
                                           NULL);
  const float alpha = (float)g->alpha;
  return batch == 1
             ? blas->Sgemm(CLBlastLayoutRowMajor, ta, tb, m, n, k, alpha, g->a.data, at_a, lda,
                           g->b.data, at_b, ldb, (float)beta, g->c.data, at_c, ldc, queue, NULL)
             : blas->SgemmStridedBatched(CLBlastLayoutRowMajor, ta, tb, m, n, k, alpha, g->a.data,
                                         at_a, lda, next_a, g->b.data, at_b, ldb, next_b,
                                         (float)beta, g->c.data, at_c, ldc, next_c, batch, queue,
                                         NULL);
}

sel_status opencl_gemm(sel_backend_device handle, const sel_gemm_args *args) {
  opencl_device *device = handle;
  static const sel_operand zero;
  sel_status status = opencl_check_dtype(device, args->dtype, "matmul");
  if (status != SEL_OK || args->m == 0 || args->n == 0 || args->batch == 0) return status;
  double beta = args->beta;
  if (args->bias.data) {
    status = fill(device, args, "a", &args->bias, 0);
    beta = 1;
  } else if (args->k == 0 && beta != 1) {
    status = beta == 0 ? fill(device, args, "a", &zero, 0)
                       : fill(device, args, "s0 * a", &args->c, beta);
  }
  if (status != SEL_OK || args->k == 0) return status;
  if (device->host) return multiply_on_host(device, args, beta);
  const opencl_blas_calls *blas;
  status = opencl_blas("matmul", &blas);
  if (status != SEL_OK) return status;
  const CLBlastStatusCode code = multiply(device, blas, args, beta);
  if (code == CLBlastSuccess) {
    opencl_queue_launched(&device->queue, 1); /* at least */
    return SEL_OK;
  }
  return sel_fail(opencl_status((cl_int)code),
                  "matmul: CLBlast on '%s' can't multiply %lld x %lld by %lld x %lld: %s",
                  device->name, (long long)args->m, (long long)args->k, (long long)args->k,
                  (long long)args->n, opencl_error_name((cl_int)code));
}
