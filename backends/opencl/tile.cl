// Products of matrices on the host's own cores, where local memory and many work-items gain
// nothing: a work-item keeps ROWS rows and COLUMNS columns of the product in vector registers. The
// second matrix comes as a panel, up to DEPTH rows of COLUMNS numbers side by side in the
// work-item's own memory; files that include this one say how they fill it. In front of this text:
// T, W (numbers of a vector register), VECTORS and ROWS.

#define VECTOR JOIN(T, W)
#define LOAD_VECTOR JOIN(vload, W)
#define STORE_VECTOR JOIN(vstore, W)

enum { COLUMNS = VECTORS * W, DEPTH = 128 };

// One more vector than a panel holds: a file may write whole vectors up to the last column.
#define PANEL(name)                       \
  VECTOR name##_vectors[DEPTH * VECTORS + 1]; \
  T *name = (T *)name##_vectors

typedef struct tile {
  VECTOR at[ROWS][VECTORS];
} tile;

// The sum over p < depth of row[r][p * step] * panel[p].
inline tile product_of(__global const T *const *row, long step, const T *panel, int depth) {
  tile sum;
#pragma unroll
  for (int r = 0; r < ROWS; r++)
#pragma unroll
    for (int v = 0; v < VECTORS; v++) sum.at[r][v] = 0;
  for (int p = 0; p < depth; p++) {
    VECTOR b[VECTORS];
#pragma unroll
    for (int v = 0; v < VECTORS; v++) b[v] = LOAD_VECTOR(v, panel + p * COLUMNS);
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
      const VECTOR x = row[r][p * step];
#pragma unroll
      for (int v = 0; v < VECTORS; v++) sum.at[r][v] = fma(x, b[v], sum.at[r][v]);
    }
  }
  return sum;
}

// Where ROWS rows begin, `step` apart, from row `first` of a on: past the last, the last one again.
inline void rows_from(__global const T *a, long first, long last, long step,
                      __global const T **row) {
#pragma unroll
  for (int r = 0; r < ROWS; r++) row[r] = a + min(first + r, last) * step;
}

// c = alpha sum + beta c, over `height` rows `step` apart and `width` columns.
inline void put(const tile *sum, T alpha, T beta, __global T *c, long step, int height, int width) {
#pragma unroll
  for (int r = 0; r < ROWS; r++) {
    if (r >= height) break;
    __global T *to = c + r * step;
    if (width == COLUMNS) {
#pragma unroll
      for (int v = 0; v < VECTORS; v++) {
        VECTOR y = alpha * sum->at[r][v];
        if (beta != 0) y += beta * LOAD_VECTOR(v, to);
        STORE_VECTOR(y, v, to);
      }
    } else {
      T line[COLUMNS];
#pragma unroll
      for (int v = 0; v < VECTORS; v++) STORE_VECTOR(sum->at[r][v], v, line);
      for (int j = 0; j < width; j++)
        to[j] = beta == 0 ? alpha * line[j] : alpha * line[j] + beta * to[j];
    }
  }
}
