/* Orthogonal initialisation (Saxe et al. 2013): the orthonormal factor of a Gaussian matrix, with
 * the signs that make it uniformly distributed (Mezzadri 2007).
 *
 * Gram-Schmidt on the rows, in f64 on the CPU, in blocks: what a block shares with the rows before
 * it is taken out by two matrix products, the rest row by row. Each is done twice, which keeps the
 * rows orthogonal to rounding ("twice is enough", Giraud et al. 2005). */
#include <math.h>

#include "core.h"
#include "selenite/autograd.h"
#include "selenite/ops.h"
#include "selenite/optim.h"
#include "tensor_impl.h"

enum { BLOCK = 64 };

static double dot(int64_t n, const double *a, const double *b) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* Takes row b's share out of row a. */
static void take_out(int64_t n, double *a, const double *b) {
  double share = dot(n, a, b);
  for (int64_t i = 0; i < n; i++) a[i] -= share * b[i];
}

/* Makes `rows` rows of n numbers orthonormal among themselves. */
static sel_status orthonormalise_block(int64_t rows, int64_t n, double *block) {
  for (int64_t r = 0; r < rows; r++) {
    double *row = block + r * n;
    for (int pass = 0; pass < 2; pass++)
      for (int64_t k = 0; k < r; k++) take_out(n, row, block + k * n);
    double length = sqrt(dot(n, row, row));
    SEL_CHECK(length > 0, SEL_E_INTERNAL, "orthogonal: a random matrix has no full rank");
    for (int64_t i = 0; i < n; i++) row[i] /= length;
  }
  return SEL_OK;
}

/* block -= (block before^T) before. */
static sel_status take_out_rows(sel_tensor *block, sel_tensor *before) {
  sel_tensor *transposed = NULL, *shares = NULL, *sum = NULL;
  sel_status status = sel_transpose(before, 0, 1, &transposed);
  if (status == SEL_OK) status = sel_matmul(block, transposed, &shares);
  if (status == SEL_OK) status = sel_matmul(shares, before, &sum);
  if (status == SEL_OK) status = sel_sub_(block, sum);
  sel_release(transposed);
  sel_release(shares);
  sel_release(sum);
  return status;
}

/* Makes rows `first` to `first + rows` orthonormal, and orthogonal to those before. */
static sel_status orthonormalise_rows(sel_tensor *matrix, int64_t first, int64_t rows) {
  sel_tensor *before = NULL, *block = NULL;
  sel_status status = sel_narrow(matrix, 0, 0, first, &before);
  if (status == SEL_OK) status = sel_narrow(matrix, 0, first, rows, &block);
  for (int pass = 0; pass < 2 && first > 0 && status == SEL_OK; pass++)
    status = take_out_rows(block, before);
  if (status == SEL_OK) status = orthonormalise_block(rows, sel_size(matrix, 1), sel_data(block));
  if (status == SEL_OK) status = sel_mark_written(block);
  sel_release(before);
  sel_release(block);
  return status;
}

/* A random [rows, columns] f64 matrix on the CPU with orthonormal rows; rows <= columns. */
static sel_status random_rows(int64_t rows, int64_t columns, sel_tensor **out) {
  sel_device *cpu = NULL;
  sel_tensor *matrix = NULL;
  SEL_TRY(sel_device_find("cpu", &cpu));
  SEL_TRY(sel_empty(2, (int64_t[]){rows, columns}, SEL_F64, cpu, &matrix));
  sel_status status = sel_normal_(matrix, 0, 1);
  for (int64_t first = 0; first < rows && status == SEL_OK; first += BLOCK)
    status = orthonormalise_rows(matrix, first, rows - first < BLOCK ? rows - first : BLOCK);
  if (status == SEL_OK)
    *out = matrix;
  else
    sel_release(matrix);
  return status;
}

/* t = gain * matrix, read in t's shape, or transposed. */
static sel_status write_scaled(sel_tensor *t, sel_tensor *matrix, bool transposed, double gain) {
  sel_tensor *turned = NULL, *shaped = NULL;
  SEL_TRY(sel_mul_scalar_(matrix, gain));
  SEL_TRY(sel_transpose(matrix, 0, transposed ? 1 : 0, &turned));
  sel_status status = sel_reshape(turned, sel_ndim(t), sel_shape(t), &shaped);
  if (status == SEL_OK) status = sel_copy_(t, shaped);
  sel_release(turned);
  sel_release(shaped);
  return status;
}

static sel_status orthogonal(sel_tensor *t, double gain) {
  int64_t rows = sel_size(t, 0), columns = sel_numel(t) / rows;
  bool tall = rows > columns;
  sel_tensor *matrix = NULL;
  SEL_TRY(random_rows(tall ? columns : rows, tall ? rows : columns, &matrix));
  sel_status status = write_scaled(t, matrix, tall, gain);
  sel_release(matrix);
  return status;
}

sel_status sel_init_orthogonal_(sel_tensor *t, double gain) {
  char text[SEL_TEXT];
  SEL_CHECK(sel_dtype_is_float(sel_tensor_dtype(t)) && sel_ndim(t) >= 2, SEL_E_SHAPE,
            "orthogonal: a float tensor of at least 2 dims is expected, got %s",
            sel_describe(t, text, sizeof text));
  if (sel_numel(t) == 0) return SEL_OK;
  bool grad_was_on = sel_set_grad_enabled(false);
  sel_status status = orthogonal(t, gain);
  sel_set_grad_enabled(grad_was_on);
  return status;
}
