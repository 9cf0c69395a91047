/* Slivers, panels and tiles of one type: included with VALUE, TYPED(name); see gemm_panels.h. */

#include "turn_body.h"

#define LANES ((int64_t)(CPU_VECTOR_BYTES / sizeof(VALUE))) /* numbers in a vector */
#define COLUMNS (2 * LANES)
typedef VALUE TYPED(lanes)
    __attribute__((vector_size(CPU_VECTOR_BYTES), aligned(sizeof(VALUE)), may_alias));

/* out[p * width + l] = from[l * line + p * step] for k numbers p of `count` lines l, 0 for lines
 * from there to `width`. One of line and step is 1. */
CPU_INLINE void TYPED(pack)(const VALUE *from, int64_t line, int64_t step, int64_t count, int64_t k,
                            int64_t width, VALUE *out) {
  if (count == width && line == 1) {
    for (int64_t p = 0; p < k; p++) memcpy(out + p * width, from + p * step, sizeof(VALUE[width]));
    return;
  }
  const int64_t fours = step == 1 ? count / 4 * 4 : 0, whole = k / 4 * 4;
  for (int64_t l = 0; l < fours; l += 4) {
    const VALUE *lines = from + l * line;
    for (int64_t p = 0; p < whole; p += 4)
      TYPED(turn_four)(lines + p, line, out + p * width + l, width);
    for (int64_t p = whole; p < k; p++)
      for (int64_t i = 0; i < 4; i++) out[p * width + l + i] = lines[i * line + p];
  }
  for (int64_t p = 0; p < k; p++)
    for (int64_t l = fours; l < width; l++)
      out[p * width + l] = l < count ? from[l * line + p * step] : 0;
}

/* Slivers or panels, `width` lines each, of `lines` lines of k terms. Goes through the memory as it
 * lies: some terms at a time where they are neighbours, and several slivers where lines are. */
CPU_INLINE void TYPED(pack_all)(const VALUE *from, int64_t line, int64_t step, int64_t lines,
                                int64_t k, int64_t width, VALUE *out) {
  int64_t l = 0;
  for (; line == 1 && l + CPU_PACK_GROUP * width <= lines; l += CPU_PACK_GROUP * width)
    for (int64_t p = 0; p < k; p++)
      for (int64_t i = 0; i < CPU_PACK_GROUP; i++)
        memcpy(out + (l + i * width) * k + p * width, from + p * step + l + i * width,
               sizeof(VALUE[width]));
  for (; l < lines; l += width) {
    const int64_t count = lines - l < width ? lines - l : width;
    for (int64_t p = 0; p < k; p += CPU_PACK_TERMS) TYPED(pack)
    (from + l * line + p * step, line, step, count, k - p < CPU_PACK_TERMS ? k - p : CPU_PACK_TERMS,
     width, out + l * k + p * width);
  }
}

/* sums [ROWS, COLUMNS] = some rows, k terms each `step` apart, times the panel's columns. */
CPU_INLINE void TYPED(tile)(int64_t k, const VALUE *const *rows, int64_t step, const VALUE *panel,
                            VALUE *sums) {
  TYPED(lanes) s[CPU_TILE_ROWS][2] = {{{0}}};
  const VALUE *row[CPU_TILE_ROWS];
#pragma GCC unroll 16
  for (int i = 0; i < CPU_TILE_ROWS; i++) row[i] = rows[i];
  for (int64_t p = 0; p < k; p++, panel += COLUMNS) {
    const TYPED(lanes) b0 = *(const TYPED(lanes) *)panel;
    const TYPED(lanes) b1 = *(const TYPED(lanes) *)(panel + LANES);
#pragma GCC unroll 16
    for (int i = 0; i < CPU_TILE_ROWS; i++) {
      s[i][0] += row[i][p * step] * b0;
      s[i][1] += row[i][p * step] * b1;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < CPU_TILE_ROWS; i++) {
    *(TYPED(lanes) *)(sums + i * COLUMNS) = s[i][0];
    *(TYPED(lanes) *)(sums + i * COLUMNS + LANES) = s[i][1];
  }
}

/* sums = one row times neighbouring panels, four where `count` says so and else one: a single panel
 * leaves the processor waiting for its sums. */
CPU_INLINE void TYPED(row_of_tiles)(int64_t k, const VALUE *row, const VALUE *panel, int count,
                                    VALUE *sums) {
  TYPED(lanes) s[4][2] = {{{0}}};
  for (int64_t p = 0; p < k; p++, panel += COLUMNS) {
#pragma GCC unroll 4
    for (int i = 0; i < count; i++) {
      s[i][0] += row[p] * *(const TYPED(lanes) *)(panel + i * COLUMNS * k);
      s[i][1] += row[p] * *(const TYPED(lanes) *)(panel + i * COLUMNS * k + LANES);
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < count; i++) {
    *(TYPED(lanes) *)(sums + i * COLUMNS) = s[i][0];
    *(TYPED(lanes) *)(sums + i * COLUMNS + LANES) = s[i][1];
  }
}

/* c = alpha sums + beta c + bias for the first rows and columns of a tile; bias may be NULL, c is
 * not read where beta is 0. */
CPU_INLINE void TYPED(put_part)(const VALUE *sums, int64_t rows, int64_t columns, VALUE alpha,
                                VALUE beta, const VALUE *bias, VALUE *c, int64_t ldc) {
  for (int64_t i = 0; i < rows; i++, sums += COLUMNS, c += ldc) {
    if (beta != 0)
      for (int64_t j = 0; j < columns; j++) c[j] = alpha * sums[j] + beta * c[j];
    else if (bias)
      for (int64_t j = 0; j < columns; j++) c[j] = alpha * sums[j] + bias[j];
    else
      for (int64_t j = 0; j < columns; j++) c[j] = alpha * sums[j];
  }
}

static void TYPED(put)(const VALUE *sums, int64_t rows, int64_t columns, VALUE alpha, VALUE beta,
                       const VALUE *bias, VALUE *c, int64_t ldc) {
  if (rows == CPU_TILE_ROWS && columns == COLUMNS)
    TYPED(put_part)(sums, CPU_TILE_ROWS, COLUMNS, alpha, beta, bias, c, ldc);
  else
    TYPED(put_part)(sums, rows, columns, alpha, beta, bias, c, ldc);
}

/* c [m, n] = alpha times m rows times the panels of n columns, + beta c + bias. Rows lie in
 * slivers, or `apart` from each other where that isn't 0. */
CPU_INLINE void TYPED(meet_with)(const VALUE *a, int64_t apart, const VALUE *panels, int64_t m,
                                 int64_t n, int64_t k, VALUE alpha, VALUE beta, const VALUE *bias,
                                 VALUE *c, int64_t ldc) {
  VALUE sums[CPU_TILE_ROWS * COLUMNS];
  for (int64_t j = 0; j < n; j += COLUMNS, panels += COLUMNS * k) {
    const int64_t width = n - j < COLUMNS ? n - j : COLUMNS;
    for (int64_t i = 0; i < m; i += CPU_TILE_ROWS) {
      const int64_t count = m - i < CPU_TILE_ROWS ? m - i : CPU_TILE_ROWS;
      const VALUE *rows[CPU_TILE_ROWS];
      for (int64_t r = 0; r < count; r++) {
        __builtin_prefetch(c + (i + r) * ldc + j, 1);
        __builtin_prefetch(c + (i + r) * ldc + j + LANES, 1);
      }
      if (apart) {
#pragma GCC unroll 16
        for (int64_t r = 0; r < CPU_TILE_ROWS; r++) /* rows that aren't there: the last again */
          rows[r] = a + (i + (r < count ? r : count - 1)) * apart;
        TYPED(tile)(k, rows, 1, panels, sums);
      } else {
#pragma GCC unroll 16
        for (int64_t r = 0; r < CPU_TILE_ROWS; r++) rows[r] = a + i * k + r;
        TYPED(tile)(k, rows, CPU_TILE_ROWS, panels, sums);
      }
      TYPED(put)(sums, count, width, alpha, beta, bias ? bias + j : NULL, c + i * ldc + j, ldc);
    }
  }
}

static void TYPED(meet)(const VALUE *a, int64_t apart, const VALUE *panels, int64_t m, int64_t n,
                        int64_t k, VALUE alpha, VALUE beta, const VALUE *bias, VALUE *c,
                        int64_t ldc) {
  if (apart)
    TYPED(meet_with)(a, apart, panels, m, n, k, alpha, beta, bias, c, ldc);
  else
    TYPED(meet_with)(a, 0, panels, m, n, k, alpha, beta, bias, c, ldc);
}

/* The same for one row, which needs no packing. */
static inline void TYPED(row_meets)(const VALUE *row, const VALUE *panels, int64_t n, int64_t k,
                                    VALUE alpha, VALUE beta, const VALUE *bias, VALUE *c) {
  VALUE sums[4 * COLUMNS];
  for (int64_t j = 0; j < n;) {
    const int count = n - j > 3 * COLUMNS ? 4 : 1;
    if (count == 4)
      TYPED(row_of_tiles)(k, row, panels + j * k, 4, sums);
    else
      TYPED(row_of_tiles)(k, row, panels + j * k, 1, sums);
    const int64_t width = n - j < count * COLUMNS ? n - j : count * COLUMNS;
    TYPED(put_part)(sums, 1, width, alpha, beta, bias ? bias + j : NULL, c + j, 0);
    j += width;
  }
}
