/* Tiles of products: see tile.h. */
#include "tile.h"

#include <stdio.h>

enum { FEWEST_ROWS = 32 }; /* of a work-item: fewer don't pay for filling a panel */

/* Accumulators take half of the registers: AVX-512 has 32 registers of 16 floats, where vectors are
 * narrower there may be 16. */
opencl_tile opencl_tile_of(const opencl_device *device, sel_dtype dtype, int64_t columns) {
  const int wide = dtype == SEL_F64, width = device->vector / (wide ? 2 : 1);
  const int vectors = columns <= width ? 1 : 2;
  opencl_tile tile = {.rows = device->vector >= 16 ? 8 : 4, .columns = vectors * width};
  snprintf(tile.defines, sizeof tile.defines,
           "#define T %s\n#define W %d\n#define VECTORS %d\n#define ROWS %d\n",
           wide ? "double" : "float", width, vectors, tile.rows);
  return tile;
}

int64_t opencl_tile_share(const opencl_device *device, const opencl_tile *tile, int64_t rows,
                          int64_t others) {
  const int64_t wanted = opencl_pieces(2 * device->units, others > 0 ? others : 1);
  int64_t share = opencl_pieces(rows, wanted);
  if (share < FEWEST_ROWS) share = FEWEST_ROWS;
  return opencl_pieces(share, tile->rows) * tile->rows;
}
