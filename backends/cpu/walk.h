/* The order in which kernels visit the positions of several strided operands: tile by tile.
 *
 * A plan reorders and merges dims so that memory is walked as it lies, then cuts the two innermost
 * dims into tiles of rows x columns. Tiles are numbered; any thread may take any of them.
 */
#ifndef CPU_WALK_H
#define CPU_WALK_H

#include "selenite/backend.h"

enum { CPU_WALK_OPERANDS = SEL_FUSE_OPERANDS + 1 };

typedef struct cpu_walk {
  int operands, ndim; /* ndim is 2 or more; the last two dims are rows and columns */
  int64_t shape[SEL_MAX_DIMS + 1];
  int64_t stride[CPU_WALK_OPERANDS][SEL_MAX_DIMS + 1];
  int64_t rows, columns;           /* extents of a tile, smaller at the edges */
  int64_t row_tiles, column_tiles; /* tiles along the last two dims */
  int64_t tiles;
} cpu_walk;

/* Plans a walk over `shape`, whose last operand is the one written. A tile has at most `capacity`
 * positions. ndim up to SEL_MAX_DIMS, 0 for a single element. */
void cpu_walk_plan(cpu_walk *walk, int ndim, const int64_t *shape, int operands,
                   const int64_t (*stride)[SEL_MAX_DIMS], int64_t capacity);

/* Tile `number`: its extents, and the offset in elements of each operand's first element. */
void cpu_walk_tile(const cpu_walk *walk, int64_t number, int64_t *rows, int64_t *columns,
                   int64_t *offset);

#endif
