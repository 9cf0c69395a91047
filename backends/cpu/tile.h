/* Moving tiles between strided memory of any dtype and dense buffers of a compute type.
 *
 * A compute type is one of f32, f64, i64, i32, u8. Tiles are dense, rows x columns in C order.
 * Float to integer truncates towards zero (out of range: unspecified), anything to bool is != 0.
 */
#ifndef CPU_TILE_H
#define CPU_TILE_H

#include "kernels.h"

/* Bytes of a tile: several of them share the first-level cache. */
enum { CPU_TILE_BYTES = 4096 };

typedef void cpu_load(const void *source, int64_t rows, int64_t columns, int64_t row_stride,
                      int64_t column_stride, void *tile);
typedef void cpu_store(const void *tile, int64_t rows, int64_t columns, int64_t row_stride,
                       int64_t column_stride, void *destination);

/* By compute type and dtype in memory; NULL in rows that are no compute type. */
extern cpu_load *const CPU_NAME(cpu_loads)[SEL_DTYPE_COUNT][SEL_DTYPE_COUNT];
extern cpu_store *const CPU_NAME(cpu_stores)[SEL_DTYPE_COUNT][SEL_DTYPE_COUNT];

/* Whether a block lies in memory as a dense tile does. */
static inline bool cpu_dense(int64_t rows, int64_t columns, int64_t row_stride,
                             int64_t column_stride) {
  return (column_stride == 1 || columns == 1) && (row_stride == columns || rows == 1);
}

/* What a tile buffer holds: the block loaded last. Starts as {-1, 0, 0}. */
typedef struct cpu_held {
  int64_t offset, rows, columns;
} cpu_held;

/* The block of memory `first` (of `dtype`) that starts at `offset`, as a dense tile of `compute`:
 * where it lies, or loaded into `tile`, unless `last` says that it is there. */
static inline const void *cpu_dense_block(const char *first, sel_dtype dtype, sel_dtype compute,
                                          int64_t offset, int64_t rows, int64_t columns,
                                          const int64_t stride[2], void *tile, cpu_held *last) {
  if (dtype == compute && cpu_dense(rows, columns, stride[0], stride[1]))
    return first + offset * cpu_size(dtype);
  if (last->offset == offset && last->rows >= rows && last->columns == columns) return tile;
  cpu_load *load = CPU_NAME(cpu_loads)[compute][dtype];
  load(first + offset * cpu_size(dtype), rows, columns, stride[0], stride[1], tile);
  *last = (cpu_held){offset, rows, columns};
  return tile;
}

#endif
