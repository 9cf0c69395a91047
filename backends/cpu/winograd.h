/* The pieces of Winograd's algorithm F(4x4, 3x3) (Lavin & Gray 2016), of which conv_winograd.c and
 * conv_winograd_weight.c are made: 36 multiplications do the work of 144.
 *
 *   y  = A^T [ (G g G^T) * (B^T d B) ] A     a 4x4 tile y from its 6x6 patch d and the weights g
 *   dg = G^T [ (A dy A^T) * (B^T d B) ] G    the gradient of g
 *
 * with sums over channels or tiles inside the brackets: products of matrices, one for each of the
 * 36 points. Channels lie side by side in the lanes of vectors, so every step is made of whole
 * vectors; between that order and planes, blocks of 4x4 are turned.
 *
 * Windows that move by 2 see their first and last tap in every second element, the middle one in
 * those between. Along one dim the former are F(4, 2), 5 multiplications, the latter 4 plain ones:
 * 81 do the work of 144.
 *
 * Patches mix: errors are relative to the largest sums of a patch, and an infinity or NaN reaches
 * all of its tile. Against f64, with normally distributed numbers and 16 to 512 channels, errors
 * are at most 9e-6 and on average 1e-6 of the results' root mean square (4.5e-6 and 0.4e-6 where
 * windows move by 2; plain sums: 3e-6, 0.3e-6).
 *
 * A row of tiles of one image is a strip. Channels are counted in vectors ("blocks"); lanes past
 * the last channel hold 0.
 */
#ifndef CPU_WINOGRAD_H
#define CPU_WINOGRAD_H

#include <string.h>

#include "conv.h"

#if defined __AVX512F__
enum { LANES = 16, ROWS = 8 };
#elif defined __AVX2__
enum { LANES = 8, ROWS = 4 };
#else
enum { LANES = 4, ROWS = 4 };
#endif
enum {
  TAPS = 9,
  U_SIDE = 6,  /* different points of the weights along one dim, */
  U_SIZE = 36, /* and in all */
  VECTORS = 2  /* ROWS x VECTORS sums of a product stay in registers */
};

/* Unaligned: the sanitizers' stack frames don't keep the alignment of wide vectors. */
typedef float lanes __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

/* ---- between planes and lanes ---- */

#define VALUE float
#define TYPED(name) name
#include "turn_body.h"
#undef VALUE
#undef TYPED

/* to[i][l] = from[l * step + i] for i < n and l < count; 0 in the other lanes. */
static inline void to_lanes(const float *from, int64_t step, int64_t n, int64_t count, lanes *to) {
  float *out = (float *)to;
  int64_t l = 0;
  for (; l + 4 <= count; l += 4, from += 4 * step) {
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) turn_four(from + i, step, out + i * LANES + l, LANES);
    for (; i < n; i++)
      for (int k = 0; k < 4; k++) out[i * LANES + l + k] = from[k * step + i];
  }
  for (; l < count; l++, from += step)
    for (int64_t i = 0; i < n; i++) out[i * LANES + l] = from[i];
  for (; l < LANES; l++)
    for (int64_t i = 0; i < n; i++) out[i * LANES + l] = 0;
}

/* to[l * step + i] = from[i][l] for i < n and l < count. */
static inline void from_lanes(const lanes *from, int64_t n, int64_t count, float *to,
                              int64_t step) {
  const float *in = (const float *)from;
  int64_t l = 0;
  for (; l + 4 <= count; l += 4, to += 4 * step) {
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) turn_four(in + i * LANES + l, LANES, to + i, step);
    for (; i < n; i++)
      for (int k = 0; k < 4; k++) to[k * step + i] = in[i * LANES + l + k];
  }
  for (; l < count; l++, to += step)
    for (int64_t i = 0; i < n; i++) to[i] = in[i * LANES + l];
}

/* Planes that lie behind one another, one a lane. */
typedef struct planes {
  const float *first;
  int64_t height, width, count;
} planes;

/* Fills a frame [rows][wide] with rows [top, top + rows) of the planes, whose columns begin at
 * `left`; 0 around them. */
static inline void fill_frame(const planes *p, int64_t top, int rows, int64_t left, int64_t wide,
                              lanes *frame) {
  const int64_t columns = smaller(p->width, wide - left), rest = wide - left - columns;
  for (int64_t row = top; row < top + rows; row++, frame += wide) {
    if (row < 0 || row >= p->height) {
      memset(frame, 0, (size_t)wide * sizeof *frame);
      continue;
    }
    memset(frame, 0, (size_t)left * sizeof *frame);
    to_lanes(p->first + row * p->width, p->height * p->width, columns, p->count, frame + left);
    memset(frame + left + columns, 0, (size_t)rest * sizeof *frame);
  }
}

/* ---- transforms of one dim, from vectors `step` apart to vectors `to` apart; in place, too ----
 */

typedef void transform(const lanes *from, int64_t step, lanes *out, int64_t to);

/* Polynomials at 0, A, -A, B, -B and infinity. With these points, whose powers are exact, errors
 * are a quarter of those with 1 and 2. */
static const float A = 0.75f, B = 1.5f;
#define AA (A * A)
#define BB (B * B)
#define SCALE_A (1 / (2 * AA * (AA - BB)))
#define SCALE_B (1 / (2 * BB * (BB - AA)))

/* B^T: a patch of 6 to 6 points. */
CPU_INLINE void mix_patch(const lanes *d, int64_t step, lanes *v, int64_t to) {
  const lanes d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step],
              d5 = d[5 * step];
  const lanes even_a = d4 - BB * d2, odd_a = A * (d3 - BB * d1);
  const lanes even_b = d4 - AA * d2, odd_b = B * (d3 - AA * d1);
  v[0] = AA * BB * d0 - (AA + BB) * d2 + d4;
  v[to] = even_a + odd_a;
  v[2 * to] = even_a - odd_a;
  v[3 * to] = even_b + odd_b;
  v[4 * to] = even_b - odd_b;
  v[5 * to] = AA * BB * d1 - (AA + BB) * d3 + d5;
}

/* A^T: 6 points to a tile of 4. */
CPU_INLINE void mix_tile(const lanes *m, int64_t step, lanes *y, int64_t to) {
  const lanes even_a = m[step] + m[2 * step], odd_a = m[step] - m[2 * step];
  const lanes even_b = m[3 * step] + m[4 * step], odd_b = m[3 * step] - m[4 * step];
  y[0] = m[0] + even_a + even_b;
  y[to] = A * odd_a + B * odd_b;
  y[2 * to] = AA * even_a + BB * even_b;
  y[3 * to] = AA * A * odd_a + BB * B * odd_b + m[5 * step];
}

/* A: back. */
CPU_INLINE void spread_tile(const lanes *y, int64_t step, lanes *d, int64_t to) {
  const lanes y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
  const lanes even_a = y0 + AA * y2, odd_a = A * (y1 + AA * y3);
  const lanes even_b = y0 + BB * y2, odd_b = B * (y1 + BB * y3);
  d[0] = y0;
  d[to] = even_a + odd_a;
  d[2 * to] = even_a - odd_a;
  d[3 * to] = even_b + odd_b;
  d[4 * to] = even_b - odd_b;
  d[5 * to] = y3;
}

/* G: 3 taps to 6 points. */
CPU_INLINE void spread_taps(const lanes *g, int64_t step, lanes *u, int64_t to) {
  const lanes a = g[0], b = g[step], c = g[2 * step];
  const lanes even_a = SCALE_A * (a + AA * c), odd_a = (A * SCALE_A) * b;
  const lanes even_b = SCALE_B * (a + BB * c), odd_b = (B * SCALE_B) * b;
  u[0] = (1 / (AA * BB)) * a;
  u[to] = even_a + odd_a;
  u[2 * to] = even_a - odd_a;
  u[3 * to] = even_b + odd_b;
  u[4 * to] = even_b - odd_b;
  u[5 * to] = c;
}

/* G^T: back. */
CPU_INLINE void mix_taps(const lanes *m, int64_t step, lanes *g, int64_t to) {
  const lanes even_a = SCALE_A * (m[step] + m[2 * step]), odd_a = m[step] - m[2 * step];
  const lanes even_b = SCALE_B * (m[3 * step] + m[4 * step]), odd_b = m[3 * step] - m[4 * step];
  g[0] = (1 / (AA * BB)) * m[0] + even_a + even_b;
  g[to] = (A * SCALE_A) * odd_a + (B * SCALE_B) * odd_b;
  g[2 * to] = AA * even_a + BB * even_b + m[5 * step];
}

/* The same for windows that move by 2: polynomials at P, -P, Q, -Q and infinity for the outer taps,
 * then the middle tap, whose 4 points are multiplied with one and the same. */
static const float P = 0.5f, Q = 1.25f;
#define PP (P * P)
#define QQ (Q * Q)
#define SCALE_P (1 / (2 * P * (PP - QQ)))
#define SCALE_Q (1 / (2 * Q * (QQ - PP)))

/* 5 elements to 5 points. */
CPU_INLINE void mix_outer(const lanes *d, int64_t step, lanes *v, int64_t to) {
  const lanes d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step];
  const lanes even_p = P * (d2 - QQ * d0), odd_p = d3 - QQ * d1;
  const lanes even_q = Q * (d2 - PP * d0), odd_q = d3 - PP * d1;
  v[0] = even_p + odd_p;
  v[to] = even_p - odd_p;
  v[2 * to] = even_q + odd_q;
  v[3 * to] = even_q - odd_q;
  v[4 * to] = PP * QQ * d0 - (PP + QQ) * d2 + d4;
}

/* 5 points to the 4 sums of the outer taps. */
CPU_INLINE void mix_outer_sums(const lanes *m, int64_t step, lanes *y) {
  const lanes even_p = m[0] + m[step], odd_p = m[0] - m[step];
  const lanes even_q = m[2 * step] + m[3 * step], odd_q = m[2 * step] - m[3 * step];
  y[0] = even_p + even_q;
  y[1] = P * odd_p + Q * odd_q;
  y[2] = PP * even_p + QQ * even_q;
  y[3] = PP * P * odd_p + QQ * Q * odd_q + m[4 * step];
}

/* A patch of 9 to 9 points. */
CPU_INLINE void mix_patch_by_two(const lanes *d, int64_t step, lanes *v, int64_t to) {
  const lanes d1 = d[step], d3 = d[3 * step], d5 = d[5 * step], d7 = d[7 * step];
  mix_outer(d, 2 * step, v, to);
  v[5 * to] = d1, v[6 * to] = d3, v[7 * to] = d5, v[8 * to] = d7;
}

/* 9 points to a tile of 4. */
CPU_INLINE void mix_tile_by_two(const lanes *m, int64_t step, lanes *y, int64_t to) {
  lanes outer[4];
  mix_outer_sums(m, step, outer);
  for (int i = 0; i < 4; i++) y[i * to] = outer[i] + m[(5 + i) * step];
}

/* For the gradient of the input: a patch of 5 to 9 points. */
CPU_INLINE void mix_patch_back(const lanes *d, int64_t step, lanes *v, int64_t to) {
  const lanes d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
  mix_outer(d, step, v, to);
  v[5 * to] = d0, v[6 * to] = d1, v[7 * to] = d2, v[8 * to] = d3;
}

/* 9 points to a tile of 8. */
CPU_INLINE void mix_tile_back(const lanes *m, int64_t step, lanes *y, int64_t to) {
  lanes outer[4];
  mix_outer_sums(m, step, outer);
  for (int i = 0; i < 4; i++) y[2 * i * to] = m[(5 + i) * step], y[(2 * i + 1) * to] = outer[i];
}

/* A tile of 4 to 9 points. */
CPU_INLINE void spread_tile_by_two(const lanes *y, int64_t step, lanes *d, int64_t to) {
  const lanes y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
  const lanes even_p = y0 + PP * y2, odd_p = P * (y1 + PP * y3);
  const lanes even_q = y0 + QQ * y2, odd_q = Q * (y1 + QQ * y3);
  d[0] = even_p + odd_p;
  d[to] = even_p - odd_p;
  d[2 * to] = even_q + odd_q;
  d[3 * to] = even_q - odd_q;
  d[4 * to] = y3;
  d[5 * to] = y0, d[6 * to] = y1, d[7 * to] = y2, d[8 * to] = y3;
}

/* 3 taps to the 6 different points. */
CPU_INLINE void spread_taps_by_two(const lanes *g, int64_t step, lanes *u, int64_t to) {
  const lanes a = g[0], b = g[step], c = g[2 * step];
  u[0] = SCALE_P * a + (P * SCALE_P) * c;
  u[to] = SCALE_P * a - (P * SCALE_P) * c;
  u[2 * to] = SCALE_Q * a + (Q * SCALE_Q) * c;
  u[3 * to] = SCALE_Q * a - (Q * SCALE_Q) * c;
  u[4 * to] = c;
  u[5 * to] = b;
}

/* Back. */
CPU_INLINE void mix_taps_by_two(const lanes *m, int64_t step, lanes *g, int64_t to) {
  const lanes m5 = m[5 * step];
  const lanes even_p = m[0] + m[step], odd_p = m[0] - m[step];
  const lanes even_q = m[2 * step] + m[3 * step], odd_q = m[2 * step] - m[3 * step];
  g[0] = SCALE_P * even_p + SCALE_Q * even_q;
  g[to] = m5;
  g[2 * to] = (P * SCALE_P) * odd_p + (Q * SCALE_Q) * odd_q + m[4 * step];
}

/* ---- algorithms ---- */

/* One dim of an algorithm; the other is alike. */
typedef struct algorithm {
  int patch, points, tile;                 /* elements of each */
  int hop;                                 /* from the beginning of a patch to that of the next */
  transform *of_patch, *of_tile, *of_taps; /* to points; a tile from points, where y is wanted */
} algorithm;

/* Which point of the weights a point of patches is multiplied with: those of a middle tap share. */
CPU_INLINE int weights_point(int points, int p) {
  const int row = p / points, column = p % points;
  return (row < U_SIDE ? row : U_SIDE - 1) * U_SIDE + (column < U_SIDE ? column : U_SIDE - 1);
}

/* How tiles cover planes. */
typedef struct tiling {
  int64_t height, width;         /* of the planes that patches are taken from */
  int64_t padding[2];            /* above, on the left */
  int64_t out_height, out_width; /* of the planes that tiles cover */
  int64_t down, across;          /* tiles of a plane */
  int64_t strips;                /* of all images */
} tiling;

/* Tiles of y's planes, or, turned, of x's, whose gradient is a convolution with turned weights. */
static inline tiling tiling_of(const sel_conv_args *args, const cpu_window *w, const algorithm *a,
                               bool turned) {
  const int64_t *in = turned ? w->out : w->in, *out = turned ? w->in : w->out;
  tiling t = {.height = in[1], .width = in[2], .out_height = out[1], .out_width = out[2]};
  for (int d = 0; d < 2; d++)
    t.padding[d] = turned ? 2 / w->stride[d + 1] - w->padding[d + 1] : w->padding[d + 1];
  t.down = pieces_of(t.out_height, a->tile);
  t.across = pieces_of(t.out_width, a->tile);
  t.strips = args->n * t.down;
  return t;
}

/* Columns of a strip's frame: what all its patches see. */
static inline int64_t frame_width(const tiling *t, const algorithm *a) {
  return t->across * a->hop + a->patch - a->hop;
}

/* Transforms the patches (of `size` rows and columns, `hop` apart, from row `top` of their planes
 * on) of a strip of `count` tiles, one lane a plane: v [points * points], `point` apart, of tiles
 * `step` apart. The frame has room for points x wide. */
CPU_INLINE void transform_strip(const planes *p, int64_t top, int64_t left, int64_t wide, int size,
                                int hop, int points, transform *mix, int64_t count, lanes *frame,
                                lanes *v, int64_t step, int64_t point) {
  fill_frame(p, top, size, left, wide, frame);
  for (int64_t x = 0; x < wide; x++) mix(frame + x, wide, frame + x, wide);
  for (int64_t tile = 0; tile < count; tile++, v += step)
    for (int r = 0; r < points; r++)
      mix(frame + r * wide + tile * hop, 1, v + r * points * point, point);
}

/* ---- products ---- */

/* m[x * m_block + r] = sum over i < n of a[r * row + i * a_step] b[x * block + i * b_step],
 * added to what is there with `add`. Long sums are better made of several: fewer roundings meet. */
CPU_INLINE void multiply(const float *a, int64_t row, int64_t a_step, const lanes *b, int64_t block,
                         int64_t b_step, int64_t n, int vectors, bool add, lanes *m,
                         int64_t m_block) {
  lanes sum[ROWS][VECTORS];
  for (int r = 0; r < ROWS; r++)
    for (int x = 0; x < vectors; x++) sum[r][x] = (lanes){0};
  for (int64_t i = 0; i < n; i++, a += a_step, b += b_step)
    for (int r = 0; r < ROWS; r++)
      for (int x = 0; x < vectors; x++) sum[r][x] += a[r * row] * b[x * block];
  for (int r = 0; r < ROWS; r++)
    for (int x = 0; x < vectors; x++) {
      lanes *to = m + x * m_block + r;
      if (add) sum[r][x] += *to;
      *to = sum[r][x];
    }
}

#endif
