// Matrix products for the host's own cores, where CLBlast's kernels, which are made for graphics
// processors, are slow. In front of this text: what tile.cl needs.
//
//   C = alpha op(A) op(B) + beta C, row-major
#include "tile.cl"

typedef struct product {
  long m, n, k;
  long a_row, a_column, b_row, b_column; // strides of op(A), op(B)
  long ldc;
  long next_a, next_b, next_c; // from one product of the batch to the next
  long rows;                   // of C that a work-item takes, a multiple of ROWS
} product;

// Numbers [0, depth) x [0, width) of op(B), and zeros beside them.
inline void bring(T *panel, __global const T *b, const product *g, int depth, int width) {
  if (g->b_column == 1 && width == COLUMNS) {
    for (int p = 0; p < depth; p++)
#pragma unroll
      for (int v = 0; v < VECTORS; v++)
        STORE_VECTOR(LOAD_VECTOR(v, b + p * g->b_row), v, panel + p * COLUMNS);
    return;
  }
  for (int j = 0; j < COLUMNS; j++)
    for (int p = 0; p < depth; p++)
      panel[p * COLUMNS + j] = j < width ? b[p * g->b_row + j * g->b_column] : 0;
}

// Dims of the launch: columns of C / COLUMNS, rows of C / g.rows, products of the batch.
__kernel void outer(product g, T alpha, T beta, __global const T *a, long a_first,
                    __global const T *b, long b_first, __global T *c, long c_first) {
  PANEL(panel);
  const long j = get_global_id(0) * COLUMNS, i = get_global_id(1) * g.rows;
  const long end = min(i + g.rows, g.m);
  const int width = (int)min(g.n - j, (long)COLUMNS);
  a += a_first + get_global_id(2) * g.next_a;
  b += b_first + get_global_id(2) * g.next_b + j * g.b_column;
  c += c_first + get_global_id(2) * g.next_c + j;
  for (long p = 0; p < g.k; p += DEPTH) {
    const int depth = (int)min(g.k - p, (long)DEPTH);
    bring(panel, b + p * g.b_row, &g, depth, width);
    for (long r = i; r < end; r += ROWS) {
      __global const T *row[ROWS];
      rows_from(a + p * g.a_column, r, end - 1, g.a_row, row);
      const tile sum = product_of(row, g.a_column, panel, depth);
      put(&sum, alpha, p == 0 ? beta : 1, c + r * g.ldc, g.ldc, (int)min(end - r, (long)ROWS),
          width);
    }
  }
}

// For few rows, where a panel wouldn't pay, and numbers that lie together along k in both: FEW rows
// and SOME columns, by W products of each pair at a time. Dims: columns / SOME, rows / FEW, batch.
enum { FEW = 2, SOME = 4 };

inline T sum_of(VECTOR x) {
  T part[W];
  STORE_VECTOR(x, 0, part);
#pragma unroll
  for (int width = W / 2; width > 0; width /= 2)
#pragma unroll
    for (int l = 0; l < width; l++) part[l] += part[l + width];
  return part[0];
}

__kernel void inner(product g, T alpha, T beta, __global const T *a, long a_first,
                    __global const T *b, long b_first, __global T *c, long c_first) {
  const long j = get_global_id(0) * SOME, i = get_global_id(1) * FEW;
  a += a_first + get_global_id(2) * g.next_a;
  b += b_first + get_global_id(2) * g.next_b;
  c += c_first + get_global_id(2) * g.next_c;
  __global const T *rows[FEW], *columns[SOME];
  for (int r = 0; r < FEW; r++) rows[r] = a + min(i + r, g.m - 1) * g.a_row;
  for (int s = 0; s < SOME; s++) columns[s] = b + min(j + s, g.n - 1) * g.b_column;
  VECTOR sum[FEW][SOME];
  T rest[FEW][SOME];
#pragma unroll
  for (int r = 0; r < FEW; r++)
#pragma unroll
    for (int s = 0; s < SOME; s++) sum[r][s] = 0, rest[r][s] = 0;
  long p = 0;
  for (; p + W <= g.k; p += W) {
    VECTOR x[SOME];
#pragma unroll
    for (int s = 0; s < SOME; s++) x[s] = LOAD_VECTOR(0, columns[s] + p);
#pragma unroll
    for (int r = 0; r < FEW; r++) {
      const VECTOR y = LOAD_VECTOR(0, rows[r] + p);
#pragma unroll
      for (int s = 0; s < SOME; s++) sum[r][s] = fma(y, x[s], sum[r][s]);
    }
  }
  for (; p < g.k; p++)
    for (int r = 0; r < FEW; r++)
      for (int s = 0; s < SOME; s++) rest[r][s] += rows[r][p] * columns[s][p];
  for (int r = 0; r < FEW && i + r < g.m; r++)
    for (int s = 0; s < SOME && j + s < g.n; s++) {
      __global T *to = c + (i + r) * g.ldc + j + s;
      const T total = alpha * (sum_of(sum[r][s]) + rest[r][s]);
      *to = beta == 0 ? total : total + beta * *to;
    }
}
