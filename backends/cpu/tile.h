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

#endif
