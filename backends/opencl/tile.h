/* Launches of kernels that include tile.cl: how matrix products are cut for the host's own cores.
 */
#ifndef OPENCL_TILE_H
#define OPENCL_TILE_H

#include "device.h"

typedef struct opencl_tile {
  int rows, columns;
  char defines[128];
} opencl_tile;

static inline int64_t opencl_pieces(int64_t n, int64_t piece) { return (n + piece - 1) / piece; }

/* The tile for products of `columns` columns. */
opencl_tile opencl_tile_of(const opencl_device *device, sel_dtype dtype, int64_t columns);

/* How many of `rows` rows a work-item takes, where `others` count the work-items without a cut of
 * the rows: all, unless cores would stand idle. A multiple of the tile's. */
int64_t opencl_tile_share(const opencl_device *device, const opencl_tile *tile, int64_t rows,
                          int64_t others);

#endif
