/* The gradient of weights of 3x3 windows that move by 1 or 2, by Winograd's algorithm (winograd.h):
 * for each point a product of the transformed gradient of y (D) and the transformed patches (V)
 * over all tiles. f32 only.
 *
 * Tiles come in chunks of strips: D and V of a chunk are made first, then products for ROWS output
 * channels and two vectors of input channels at a time, transformed back and added to the sums of
 * the chunks before; the last chunk's go to the result. Chunks depend on shapes alone, so results
 * don't depend on the thread count.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "threads.h"
#include "winograd.h"

enum {
  CHUNK_BYTES = 1 << 20, /* of V and D */
  FEWEST_TILES = 64,     /* of a chunk; V of two vectors of channels stays in a core's own cache */
  SUMMED = 64,           /* tiles that are summed at a time */
  TILE = 4               /* elements of a tile along one dim */
};
static const double NANOSECONDS = 0.01; /* for what plainly is a multiplication and addition */

static const algorithm by_one = {.patch = 6, .points = 6, .tile = TILE, .hop = 4};
static const algorithm by_two = {.patch = 9, .points = 9, .tile = TILE, .hop = 8};

typedef struct job {
  const algorithm *how;
  tiling tiles;
  const float *x, *y;
  float *weight, *bias;
  int64_t n, channels, out_channels;
  int64_t blocks, out_blocks; /* the same in vectors */
  int64_t strips;             /* of a chunk, at most */
  int64_t first, count;       /* strips of the present chunk */
  lanes *v, *d;               /* [points of both dims, tiles, blocks or out_blocks] */
  int64_t point, out_point;   /* from one point of V and D to the next */
  lanes *sums;                /* [out_channels, blocks, TAPS], of several chunks */
  lanes *scratch;             /* a share for each thread */
  int64_t share;
  atomic_int *taken;
} job;

static lanes *take_share(const job *j) {
  return j->scratch + atomic_fetch_add(j->taken, 1) * j->share;
}

/* ---- transforms, by an algorithm that the compiler knows ---- */

/* An item: a strip of the chunk, a block of x's or y's channels. */
CPU_INLINE void transform_items(const job *j, const algorithm *a, transform *patch, transform *tile,
                                int64_t begin, int64_t end) {
  const tiling *t = &j->tiles;
  const int64_t all = j->blocks + j->out_blocks;
  lanes *frame = take_share(j);
  for (int64_t item = begin; item < end; item++) {
    const int64_t strip = item / all, first = strip * t->across;
    const int64_t image = (j->first + strip) / t->down, row = (j->first + strip) % t->down;
    const int64_t b = item % all, c = b * LANES, o = c - j->blocks * LANES;
    if (b < j->blocks) {
      const planes p = {j->x + (image * j->channels + c) * t->height * t->width, t->height,
                        t->width, smaller(LANES, j->channels - c)};
      transform_strip(&p, row * a->hop - t->padding[0], t->padding[1], frame_width(t, a), a->patch,
                      a->hop, a->points, patch, t->across, frame, j->v + first * j->blocks + b,
                      j->blocks, j->point);
    } else {
      const planes p = {j->y + (image * j->out_channels + o) * t->out_height * t->out_width,
                        t->out_height, t->out_width, smaller(LANES, j->out_channels - o)};
      transform_strip(&p, row * TILE, 0, t->across * TILE, TILE, TILE, a->points, tile, t->across,
                      frame, j->d + first * j->out_blocks + b - j->blocks, j->out_blocks,
                      j->out_point);
    }
  }
}

static void transform_by_one(const void *context, int64_t begin, int64_t end) {
  transform_items(context, &by_one, mix_patch, spread_tile, begin, end);
}
static void transform_by_two(const void *context, int64_t begin, int64_t end) {
  transform_items(context, &by_two, mix_patch_by_two, spread_tile_by_two, begin, end);
}

/* ---- products ---- */

enum { M_BLOCK = U_SIZE * ROWS, ROOM = VECTORS * M_BLOCK + 3 * U_SIDE + TAPS };

/* Products of the chunk for ROWS output channels and `vectors` blocks of input channels. */
CPU_INLINE void multiply_group(const job *j, const algorithm *a, const float *d, const lanes *v,
                               int vectors, lanes *m) {
  const int64_t tiles = j->count * j->tiles.across;
  for (int p = 0; p < a->points * a->points; p++, d += j->out_point * LANES, v += j->point) {
    const bool met = p % a->points >= U_SIDE || p / a->points >= U_SIDE;
    lanes *to = m + weights_point(a->points, p) * ROWS;
    for (int64_t t = 0; t < tiles; t += SUMMED)
      multiply(d + t * j->out_blocks * LANES, 1, j->out_blocks * LANES, v + t * j->blocks, 1,
               j->blocks, smaller(SUMMED, tiles - t), vectors, met || t > 0, to, M_BLOCK);
  }
}

/* Transforms them back, adds the chunks before, and keeps or writes the sums. */
CPU_INLINE void put_taps(const job *j, transform *mix, int64_t group, int64_t block, const lanes *m,
                         lanes *room) {
  lanes *half = room, *taps = room + 3 * U_SIDE;
  const bool last = j->first + j->count == j->tiles.strips;
  const int64_t c = block * LANES, count = smaller(LANES, j->channels - c);
  for (int64_t r = 0, o = group * ROWS; r < ROWS && o < j->out_channels; r++, o++) {
    lanes *sums = j->sums + (o * j->blocks + block) * TAPS;
    for (int i = 0; i < U_SIDE; i++) mix(m + i * ROWS + r, U_SIDE * ROWS, half + i, U_SIDE);
    for (int i = 0; i < 3; i++) mix(half + i * U_SIDE, 1, taps + i * 3, 1);
    for (int i = 0; i < TAPS && j->first > 0; i++) taps[i] += sums[i];
    if (last)
      from_lanes(taps, TAPS, count, j->weight + (o * j->channels + c) * TAPS, TAPS);
    else
      for (int i = 0; i < TAPS; i++) sums[i] = taps[i];
  }
}

/* An item: VECTORS blocks of input channels, ROWS output channels. */
CPU_INLINE void product_items(const job *j, const algorithm *a, transform *mix, int64_t begin,
                              int64_t end) {
  const int64_t groups = pieces_of(j->out_channels, ROWS);
  lanes *m = take_share(j), *room = m + VECTORS * M_BLOCK;
  for (int64_t item = begin; item < end; item++) {
    const int64_t group = item % groups, block = item / groups * VECTORS;
    const int64_t vectors = smaller(VECTORS, j->blocks - block);
    const float *d = (const float *)j->d + group * ROWS;
    if (vectors == VECTORS)
      multiply_group(j, a, d, j->v + block, VECTORS, m);
    else
      multiply_group(j, a, d, j->v + block, 1, m);
    for (int64_t x = 0; x < vectors; x++) put_taps(j, mix, group, block + x, m + x * M_BLOCK, room);
  }
}

static void products_by_one(const void *context, int64_t begin, int64_t end) {
  product_items(context, &by_one, mix_taps, begin, end);
}
static void products_by_two(const void *context, int64_t begin, int64_t end) {
  product_items(context, &by_two, mix_taps_by_two, begin, end);
}

/* ---- bias ---- */

/* An item: an output channel. */
static void sum_bias(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int64_t size = j->tiles.out_height * j->tiles.out_width;
  for (int64_t o = begin; o < end; o++) {
    double sum = 0;
    for (int64_t image = 0; image < j->n; image++) {
      const float *y = j->y + (image * j->out_channels + o) * size;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < size; i++) sum += (double)y[i];
    }
    j->bias[o] = (float)sum;
  }
}

static void parallel(job *j, int64_t items, double work, cpu_body *body) {
  atomic_store(j->taken, 0);
  cpu_parallel(items, work, body, j);
}

static void run(job *j) {
  const tiling *t = &j->tiles;
  const int64_t all = j->blocks + j->out_blocks;
  const int64_t groups = pieces_of(j->out_channels, ROWS), pairs = pieces_of(j->blocks, VECTORS);
  const bool one = j->how == &by_one;
  for (j->first = 0; j->first < t->strips; j->first += j->strips) {
    j->count = smaller(j->strips, t->strips - j->first);
    const double tiles = (double)(j->count * t->across);
    parallel(j, j->count * all, tiles * (double)(all * LANES) * 10,
             one ? transform_by_one : transform_by_two);
    const double terms = tiles * TILE * TILE * TAPS * (double)(j->channels * j->out_channels);
    parallel(j, groups * pairs, terms * NANOSECONDS, one ? products_by_one : products_by_two);
  }
  const double positions = (double)(j->n * j->out_channels * t->out_height * t->out_width);
  if (j->bias) cpu_parallel(j->out_channels, positions * 0.3, sum_bias, j);
}

static lanes *vectors_new(int64_t n) {
  return aligned_alloc(64, (size_t)(pieces_of(n * LANES, 16) * 64));
}

sel_status CPU_NAME(cpu_conv_winograd_weight)(const sel_conv_args *args, const cpu_window *w) {
  atomic_int taken = 0;
  const algorithm *how = w->stride[1] == 1 ? &by_one : &by_two;
  const int64_t points = how->points * how->points;
  job j = {.how = how,
           .tiles = tiling_of(args, w, how, false),
           .x = cpu_at(&args->x),
           .y = cpu_at(&args->y),
           .weight = cpu_at(&args->weight),
           .bias = args->bias.data ? cpu_at(&args->bias) : NULL,
           .n = args->n,
           .channels = args->channels,
           .out_channels = args->out_channels,
           .blocks = pieces_of(args->channels, LANES),
           .out_blocks = pieces_of(args->out_channels, LANES),
           .taken = &taken};
  const int64_t most = CHUNK_BYTES / (points * (j.blocks + j.out_blocks) * (int64_t)sizeof(lanes));
  j.strips = smaller(j.tiles.strips, larger(1, larger(FEWEST_TILES, most) / j.tiles.across));
  j.point = j.strips * j.tiles.across * j.blocks + 1; /* no power of two, for the cache's sake */
  j.out_point = j.strips * j.tiles.across * j.out_blocks + 1;
  j.v = vectors_new(points * j.point);
  j.d = vectors_new(points * j.out_point);
  j.sums = vectors_new(j.strips < j.tiles.strips ? j.out_channels * j.blocks * TAPS : 1);
  j.share = larger(how->points * frame_width(&j.tiles, how), ROOM);
  j.scratch = vectors_new(cpu_threads(NULL) * j.share);
  sel_status status = SEL_OK;
  if (j.v && j.d && j.sums && j.scratch)
    run(&j);
  else
    status = sel_fail(SEL_E_MEMORY, "convolution: no memory for its transforms");
  free(j.v);
  free(j.d);
  free(j.sums);
  free(j.scratch);
  return status;
}
