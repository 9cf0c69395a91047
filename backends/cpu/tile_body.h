/* Tile moves of one compute type: included by tile.c once for each, with VALUE its C type and
 * TYPED(name) adding its suffix. */

#include "turn_body.h"

/* out[r][c] = in[c][r]: in is columns x rows, out rows x columns. */
static void TYPED(turn)(const VALUE *in, int64_t rows, int64_t columns, VALUE *out) {
  const int64_t whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (int64_t c = 0; c < whole_columns; c += 4)
    for (int64_t r = 0; r < whole_rows; r += 4)
      TYPED(turn_four)(in + c * rows + r, rows, out + r * columns + c, columns);
  for (int64_t c = 0; c < columns; c++)
    for (int64_t r = c < whole_columns ? whole_rows : 0; r < rows; r++)
      out[r * columns + c] = in[c * rows + r];
}

CPU_INLINE void TYPED(load)(const void *source, int64_t rows, int64_t columns, int64_t row_stride,
                            int64_t column_stride, void *tile,
                            VALUE (*get)(const void *source, int64_t i)) {
  VALUE *restrict out = tile;
  if (row_stride == 1 && column_stride > 1 && rows > 1) {
    /* Transposed: read along the memory's lines, then turn the block around. */
    _Alignas(64) VALUE turned[CPU_TILE_BYTES / sizeof(VALUE)];
    for (int64_t j = 0; j < columns; j++)
#pragma omp simd
      for (int64_t r = 0; r < rows; r++) turned[j * rows + r] = get(source, r + j * column_stride);
    TYPED(turn)(turned, rows, columns, out);
    return;
  }
  if (column_stride != 1 && columns < 8 && rows > columns) {
    for (int64_t j = 0; j < columns; j++)
      for (int64_t r = 0; r < rows; r++)
        out[r * columns + j] = get(source, r * row_stride + j * column_stride);
    return;
  }
  for (int64_t r = 0; r < rows; r++, out += columns) {
    const int64_t first = r * row_stride;
    if (column_stride == 1) {
#pragma omp simd
      for (int64_t j = 0; j < columns; j++) out[j] = get(source, first + j);
    } else if (column_stride == 0) {
      const VALUE value = get(source, first);
      for (int64_t j = 0; j < columns; j++) out[j] = value;
    } else {
      for (int64_t j = 0; j < columns; j++) out[j] = get(source, first + j * column_stride);
    }
  }
}

CPU_INLINE void TYPED(store)(const void *tile, int64_t rows, int64_t columns, int64_t row_stride,
                             int64_t column_stride, void *destination,
                             void (*put)(void *destination, int64_t i, VALUE value)) {
  const VALUE *in = tile;
  for (int64_t r = 0; r < rows; r++, in += columns) {
    const int64_t first = r * row_stride;
    if (column_stride == 1) {
#pragma omp simd
      for (int64_t j = 0; j < columns; j++) put(destination, first + j, in[j]);
    } else {
      for (int64_t j = 0; j < columns; j++) put(destination, first + j * column_stride, in[j]);
    }
  }
}

#define MOVES(dtype)                                                                             \
  static void TYPED(load_##dtype)(const void *source, int64_t rows, int64_t columns, int64_t rs, \
                                  int64_t cs, void *tile) {                                      \
    TYPED(load)(source, rows, columns, rs, cs, tile, TYPED(get_##dtype));                        \
  }                                                                                              \
  static void TYPED(store_##dtype)(const void *tile, int64_t rows, int64_t columns, int64_t rs,  \
                                   int64_t cs, void *destination) {                              \
    TYPED(store)(tile, rows, columns, rs, cs, destination, TYPED(put_##dtype));                  \
  }
#define GET(dtype) CPU_INLINE VALUE TYPED(get_##dtype)(const void *source, int64_t i)
#define PUT(dtype) CPU_INLINE void TYPED(put_##dtype)(void *destination, int64_t i, VALUE value)

GET(f32) { return (VALUE)((const float *)source)[i]; }
GET(f64) { return (VALUE)((const double *)source)[i]; }
GET(f16) { return (VALUE)cpu_float_of_f16(((const uint16_t *)source)[i]); }
GET(bf16) { return (VALUE)cpu_float_of_bf16(((const uint16_t *)source)[i]); }
GET(i64) { return (VALUE)((const int64_t *)source)[i]; }
GET(i32) { return (VALUE)((const int32_t *)source)[i]; }
GET(u8) { return (VALUE)((const uint8_t *)source)[i]; }
GET(bool) { return (VALUE)((const uint8_t *)source)[i]; }

PUT(f32) { ((float *)destination)[i] = (float)value; }
PUT(f64) { ((double *)destination)[i] = (double)value; }
PUT(f16) { ((uint16_t *)destination)[i] = cpu_f16_of_float((float)value); }
PUT(bf16) { ((uint16_t *)destination)[i] = cpu_bf16_of_float((float)value); }
PUT(i64) { ((int64_t *)destination)[i] = (int64_t)value; }
PUT(i32) { ((int32_t *)destination)[i] = (int32_t)value; }
PUT(u8) { ((uint8_t *)destination)[i] = (uint8_t)TO_WHOLE(value); }
PUT(bool) { ((uint8_t *)destination)[i] = value != 0; }

MOVES(f32)
MOVES(f64)
MOVES(f16)
MOVES(bf16)
MOVES(i64)
MOVES(i32)
MOVES(u8)
MOVES(bool)

#undef MOVES
#undef GET
#undef PUT
#undef VALUE
#undef TYPED
#undef TO_WHOLE
