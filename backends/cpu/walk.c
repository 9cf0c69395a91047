/* Plans of walks: see walk.h.
 *
 * The written operand decides the order: its smallest stride comes last. Then neighbours that lie
 * behind one another in all operands merge. Two shapes need help:
 *   - columns so short that a tile would hold a handful of positions: the longest dim is moved
 *     beside them;
 *   - an operand whose unit stride runs along another dim (a transposed one): that dim becomes the
 *     rows, and tiles are square so that its cache lines are used whole.
 */
#include "walk.h"

#include <stdlib.h>

enum { SQUARE = 32, SHORT_COLUMNS = 64 };

static void swap_dims(cpu_walk *walk, int a, int b) {
  const int64_t extent = walk->shape[a];
  walk->shape[a] = walk->shape[b];
  walk->shape[b] = extent;
  for (int k = 0; k < walk->operands; k++) {
    const int64_t stride = walk->stride[k][a];
    walk->stride[k][a] = walk->stride[k][b];
    walk->stride[k][b] = stride;
  }
}

/* Whether dim a should be outside dim b: by the written operand's stride, then by the others'. */
static bool outside(const cpu_walk *walk, int a, int b) {
  for (int k = walk->operands - 1; k >= 0; k--) {
    const int64_t sa = llabs(walk->stride[k][a]), sb = llabs(walk->stride[k][b]);
    if (sa != sb) return sa > sb;
  }
  return true;
}

static void sort_dims(cpu_walk *walk) {
  for (int i = 1; i < walk->ndim; i++)
    for (int j = i; j > 0 && !outside(walk, j - 1, j); j--) swap_dims(walk, j - 1, j);
}

static bool mergeable(const cpu_walk *walk, int outer, int inner) {
  for (int k = 0; k < walk->operands; k++)
    if (walk->stride[k][outer] != walk->stride[k][inner] * walk->shape[inner]) return false;
  return true;
}

static void merge_dims(cpu_walk *walk) {
  int last = 0;
  for (int d = 1; d < walk->ndim; d++) {
    if (mergeable(walk, last, d)) {
      walk->shape[last] *= walk->shape[d];
    } else {
      last++;
      walk->shape[last] = walk->shape[d];
    }
    for (int k = 0; k < walk->operands; k++) walk->stride[k][last] = walk->stride[k][d];
  }
  walk->ndim = last + 1;
}

/* Puts dims of extent 1 in front until there are two. */
static void pad_dims(cpu_walk *walk) {
  while (walk->ndim < 2) {
    walk->shape[walk->ndim] = 1;
    for (int k = 0; k < walk->operands; k++) walk->stride[k][walk->ndim] = 0;
    walk->ndim++;
    swap_dims(walk, 0, walk->ndim - 1);
  }
}

/* The dim along which some operand has unit stride while it has none along the columns; or -1. */
static int transposed_dim(const cpu_walk *walk) {
  const int columns = walk->ndim - 1;
  for (int k = 0; k < walk->operands; k++) {
    if (llabs(walk->stride[k][columns]) <= 1) continue;
    for (int d = 0; d < columns; d++)
      if (walk->stride[k][d] == 1 && walk->shape[d] > 1) return d;
  }
  return -1;
}

static int longest_outer_dim(const cpu_walk *walk) {
  int longest = walk->ndim - 2;
  for (int d = 0; d < walk->ndim - 2; d++)
    if (walk->shape[d] > walk->shape[longest]) longest = d;
  return longest;
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static void cut_tiles(cpu_walk *walk, int64_t capacity) {
  const int rows = walk->ndim - 2, columns = walk->ndim - 1;
  const int transposed = transposed_dim(walk);
  if (transposed >= 0) {
    swap_dims(walk, transposed, rows);
    walk->columns = smaller(walk->shape[columns], SQUARE);
  } else {
    if (walk->shape[columns] * walk->shape[rows] < SHORT_COLUMNS)
      swap_dims(walk, longest_outer_dim(walk), rows);
    walk->columns = smaller(walk->shape[columns], capacity);
  }
  walk->rows = smaller(walk->shape[rows], capacity / walk->columns);
  walk->row_tiles = (walk->shape[rows] + walk->rows - 1) / walk->rows;
  walk->column_tiles = (walk->shape[columns] + walk->columns - 1) / walk->columns;
  walk->tiles = walk->row_tiles * walk->column_tiles;
  for (int d = 0; d < rows; d++) walk->tiles *= walk->shape[d];
}

void cpu_walk_plan(cpu_walk *walk, int ndim, const int64_t *shape, int operands,
                   const int64_t (*stride)[SEL_MAX_DIMS], int64_t capacity) {
  walk->operands = operands;
  walk->ndim = 0;
  for (int d = 0; d < ndim; d++) {
    if (shape[d] == 1) continue;
    walk->shape[walk->ndim] = shape[d];
    for (int k = 0; k < operands; k++) walk->stride[k][walk->ndim] = stride[k][d];
    walk->ndim++;
  }
  sort_dims(walk);
  if (walk->ndim) merge_dims(walk);
  pad_dims(walk);
  cut_tiles(walk, capacity);
}

void cpu_walk_tile(const cpu_walk *walk, int64_t number, int64_t *rows, int64_t *columns,
                   int64_t *offset) {
  const int r = walk->ndim - 2, c = walk->ndim - 1;
  const int64_t column = number % walk->column_tiles * walk->columns;
  number /= walk->column_tiles;
  const int64_t row = number % walk->row_tiles * walk->rows;
  number /= walk->row_tiles;
  *rows = smaller(walk->rows, walk->shape[r] - row);
  *columns = smaller(walk->columns, walk->shape[c] - column);
  for (int k = 0; k < walk->operands; k++)
    offset[k] = row * walk->stride[k][r] + column * walk->stride[k][c];
  for (int d = r - 1; d >= 0; d--) {
    const int64_t position = number % walk->shape[d];
    number /= walk->shape[d];
    for (int k = 0; k < walk->operands; k++) offset[k] += position * walk->stride[k][d];
  }
}
