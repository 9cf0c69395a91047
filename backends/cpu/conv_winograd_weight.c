/* The gradient of weights of 3x3 windows that move by 1, by Winograd's algorithm (winograd.h): for
 * each point a product of the transformed gradient of y (D) and the transformed patches (V) over
 * all tiles. f32 only.
 *
 * Tiles come in chunks of strips: D and V of a chunk are made first, then products for ROWS output
 * channels and two vectors of input channels at a time, transformed back and added to sums. Chunks
 * depend on shapes alone, so results don't depend on the thread count.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "threads.h"
#include "winograd.h"

enum { CHUNK = 64 }; /* tiles: V of two vectors of channels stays in a core's own cache */
static const double NANOSECONDS = 0.01; /* for what plainly is a multiplication and addition */

typedef struct job {
  tiling tiles;
  const float *x, *y;
  float *weight, *bias;
  int64_t n, channels, out_channels;
  int64_t blocks, out_blocks; /* the same in vectors */
  int64_t strips;             /* of a chunk, at most */
  int64_t first, count;       /* strips of the present chunk */
  lanes *v, *d;               /* [POINTS, tiles, blocks or out_blocks] */
  int64_t point, out_point;   /* from one point of V and D to the next */
  lanes *sums;                /* [groups of ROWS out channels, blocks, ROWS, TAPS] */
  lanes *scratch;             /* a share for each thread */
  int64_t share;
  atomic_int *taken;
} job;

static lanes *take_share(const job *j) {
  return j->scratch + atomic_fetch_add(j->taken, 1) * j->share;
}

/* ---- transforms ---- */

/* D of a strip's tiles: `row` of an image, one lane a plane. */
static void transform_tiles(const tiling *t, const planes *p, int64_t row, lanes *frame, lanes *d,
                            int64_t step, int64_t point) {
  const int64_t wide = t->across * SIDE;
  fill_frame(p, row * SIDE, SIDE, 0, wide, frame);
  for (int64_t x = 0; x < wide; x++) spread_tile(frame + x, wide, frame + x, wide);
  for (int64_t tile = 0; tile < t->across; tile++, d += step)
    for (int r = 0; r < PATCH; r++)
      spread_tile(frame + r * wide + tile * SIDE, 1, d + r * PATCH * point, point);
}

/* An item: a strip of the chunk, a block of x's or y's channels. */
static void transform(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const tiling *t = &j->tiles;
  const int64_t all = j->blocks + j->out_blocks;
  lanes *frame = take_share(j);
  for (int64_t item = begin; item < end; item++) {
    const int64_t strip = item / all, image = (j->first + strip) / t->down,
                  row = (j->first + strip) % t->down, tile = strip * t->across;
    const bool of_x = item % all < j->blocks;
    const int64_t b = of_x ? item % all : item % all - j->blocks;
    if (of_x) {
      const planes p = {j->x + (image * j->channels + b * LANES) * t->height * t->width, t->height,
                        t->width, smaller(LANES, j->channels - b * LANES)};
      transform_patches(t, &p, row, frame, j->v + tile * j->blocks + b, j->blocks, j->point);
    } else {
      const planes p = {j->y + (image * j->out_channels + b * LANES) * t->out_height * t->out_width,
                        t->out_height, t->out_width, smaller(LANES, j->out_channels - b * LANES)};
      transform_tiles(t, &p, row, frame, j->d + tile * j->out_blocks + b, j->out_blocks,
                      j->out_point);
    }
  }
}

/* ---- products ---- */

/* Adds the products of the chunk for ROWS output channels and `vectors` blocks of input channels.
 */
static void add_products(const job *j, int64_t group, int64_t block, int64_t vectors, lanes *room) {
  lanes *m = room, *half = m + VECTORS * POINTS * ROWS, *taps = half + 3 * PATCH;
  const int64_t tiles = j->count * j->tiles.across;
  const float *d = (const float *)j->d + group * ROWS;
  const lanes *v = j->v + block;
  for (int p = 0; p < POINTS; p++, d += j->out_point * LANES, v += j->point)
    if (vectors == VECTORS)
      multiply(d, 1, j->out_blocks * LANES, v, 1, j->blocks, tiles, VECTORS, false, m + p * ROWS);
    else
      multiply(d, 1, j->out_blocks * LANES, v, 1, j->blocks, tiles, 1, false, m + p * ROWS);
  for (int64_t x = 0; x < vectors; x++)
    for (int r = 0; r < ROWS; r++) {
      const lanes *from = m + x * POINTS * ROWS + r;
      lanes *sums = j->sums + ((group * j->blocks + block + x) * ROWS + r) * TAPS;
      for (int c = 0; c < PATCH; c++) mix_taps(from + c * ROWS, PATCH * ROWS, half + c, PATCH);
      for (int i = 0; i < 3; i++) mix_taps(half + i * PATCH, 1, taps + i * 3, 1);
      if (j->first == 0)
        for (int i = 0; i < TAPS; i++) sums[i] = taps[i];
      else
        for (int i = 0; i < TAPS; i++) sums[i] += taps[i];
    }
}

/* An item: vectors of input channels, ROWS output channels. */
static void products(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int64_t groups = pieces_of(j->out_channels, ROWS);
  lanes *room = take_share(j);
  for (int64_t item = begin; item < end; item++) {
    const int64_t block = item / groups * VECTORS;
    add_products(j, item % groups, block, smaller(VECTORS, j->blocks - block), room);
  }
}

/* ---- results ---- */

/* An item: an output channel. */
static void put_weights(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  for (int64_t o = begin; o < end; o++)
    for (int64_t b = 0; b < j->blocks; b++)
      from_lanes(j->sums + ((o / ROWS * j->blocks + b) * ROWS + o % ROWS) * TAPS, TAPS,
                 smaller(LANES, j->channels - b * LANES),
                 j->weight + (o * j->channels + b * LANES) * TAPS, TAPS);
}

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
  for (j->first = 0; j->first < t->strips; j->first += j->strips) {
    j->count = smaller(j->strips, t->strips - j->first);
    const double tiles = (double)(j->count * t->across);
    parallel(j, j->count * all, tiles * (double)(all * LANES) * 10, transform);
    const double terms = tiles * SIDE * SIDE * TAPS * (double)(j->channels * j->out_channels);
    parallel(j, groups * pairs, terms * NANOSECONDS, products);
  }
  const double weights = (double)(j->channels * j->out_channels * TAPS);
  cpu_parallel(j->out_channels, weights, put_weights, j);
  const double positions = (double)(j->n * j->out_channels * t->out_height * t->out_width);
  if (j->bias) cpu_parallel(j->out_channels, positions * 0.3, sum_bias, j);
}

static lanes *vectors_new(int64_t n) {
  return aligned_alloc(64, (size_t)(pieces_of(n * LANES, 16) * 64));
}

sel_status CPU_NAME(cpu_conv_winograd_weight)(const sel_conv_args *args, const cpu_window *w) {
  atomic_int taken = 0;
  job j = {.tiles = tiling_of(args, w, false),
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
  j.strips = smaller(j.tiles.strips, larger(1, CHUNK / j.tiles.across));
  j.point = j.strips * j.tiles.across * j.blocks + 1; /* no power of two, for the cache's sake */
  j.out_point = j.strips * j.tiles.across * j.out_blocks + 1;
  j.v = vectors_new(POINTS * j.point);
  j.d = vectors_new(POINTS * j.out_point);
  j.sums = vectors_new(pieces_of(j.out_channels, ROWS) * j.blocks * ROWS * TAPS);
  j.share = larger(PATCH * frame_width(&j.tiles), VECTORS * POINTS * ROWS + 3 * PATCH + TAPS);
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
