/* Convolution with 3x3 windows that move by 1, and the gradient of its input, by Winograd's
 * algorithm (winograd.h); the latter is the same with the weights turned round. f32 only.
 *
 * A slice is some strips of tiles whose transformed patches (V) stay in a core's own cache. There
 * they meet the transformed weights (U) of two vectors of output channels at a time; the products
 * (M) are transformed back at once. U is made once for all slices, except where there is but one,
 * of few tiles: then each item of work makes the part that it needs, a chunk of channels at a time.
 *
 * conv.c has the plain way. Slices depend on shapes alone, so results don't depend
 * on the thread count.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "threads.h"
#include "winograd.h"

enum {
  SLICE_BYTES = 384 << 10, /* of V */
  SLICES = 8,              /* a multiple of this where there are many */
  ITEMS = 4,               /* of work, at least: below, output channels are shared out */
  CHUNK = 64,              /* channels that are summed, or made of U, at a time */
  FEWEST_TILES = 6,        /* for which transforming the weights pays */
  FEWEST_CHANNELS = 8,     /* for which transforming patches and tiles pays */
  MOST_ACROSS = 128        /* tiles of a strip: V of one more is too large */
};
static const double NANOSECONDS = 0.01; /* for what plainly is a multiplication and addition */

typedef struct job {
  tiling tiles;
  const float *in, *weight, *bias;
  float *out;
  int64_t channels, out_channels; /* of `in`, of `out` */
  int64_t blocks, out_blocks;     /* the same in vectors */
  bool turned;                    /* weights are those of the opposite direction */
  int64_t strips, slices, groups; /* strips of a slice; slices; ROWS tiles in a slice */
  int64_t parts;                  /* of the output channels */
  int64_t point;                  /* from one point of V to the next */
  lanes *u;                       /* [out_blocks, POINTS, channels]; NULL: made by items */
  lanes *scratch;                 /* a share for each thread */
  int64_t share;
  atomic_int *taken;
} job;

/* What a thread works in. */
typedef struct scratch {
  lanes *frame; /* of a strip; what follows borrows it, too */
  lanes *v;     /* [POINTS, groups * ROWS, blocks] */
  lanes *y;     /* [SIDE, ROWS, SIDE] */
  lanes *m;     /* [groups, VECTORS, POINTS, ROWS]; one group where U is shared */
  lanes *u;     /* [VECTORS, POINTS, CHUNK], where it isn't */
} scratch;

enum { M_SIZE = VECTORS * POINTS * ROWS, Y_SIZE = SIDE * ROWS * SIDE };
enum { U_SIZE = VECTORS * POINTS * CHUNK };

static int64_t share_of(const job *j) {
  return PATCH * frame_width(&j->tiles) + POINTS * j->point +
         (j->u ? M_SIZE : j->groups * M_SIZE + U_SIZE) + Y_SIZE;
}

static scratch take_share(const job *j) {
  scratch s = {.frame = j->scratch + atomic_fetch_add(j->taken, 1) * j->share};
  s.v = s.frame + PATCH * frame_width(&j->tiles);
  s.y = s.v + POINTS * j->point;
  s.m = s.y + Y_SIZE;
  s.u = s.m + j->groups * M_SIZE;
  return s;
}

/* ---- weights ---- */

/* U of the input channels [first, first + n) for a block of output channels: [POINTS, step].
 * `room` holds 27 vectors. */
static void transform_weights(const job *j, int64_t block, int64_t first, int64_t n, lanes *u,
                              int64_t step, lanes *room) {
  lanes *g = room, *half = room + TAPS;
  const int64_t count = smaller(LANES, j->out_channels - block * LANES);
  for (int64_t c = 0; c < n; c++) {
    if (j->turned) {
      const float *from = j->weight + ((first + c) * j->out_channels + block * LANES) * TAPS;
      to_lanes(from, TAPS, TAPS, count, g);
      for (int i = 0; i < 3; i++) spread_taps(g + TAPS - 1 - i, -3, half + i, 3);
    } else {
      const float *from = j->weight + (block * LANES * j->channels + first + c) * TAPS;
      to_lanes(from, j->channels * TAPS, TAPS, count, g);
      for (int i = 0; i < 3; i++) spread_taps(g + i, 3, half + i, 3);
    }
    for (int i = 0; i < PATCH; i++) spread_taps(half + 3 * i, 1, u + i * PATCH * step + c, step);
  }
}

/* An item: one channel of a block. */
static void make_weights(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const scratch s = take_share(j);
  for (int64_t item = begin; item < end; item++) {
    const int64_t block = item / j->channels, c = item % j->channels;
    transform_weights(j, block, c, 1, j->u + block * POINTS * j->channels + c, j->channels,
                      s.frame);
  }
}

/* ---- a slice ---- */

/* V of strips [first, first + count), and zeros up to a whole number of ROWS. */
static void make_patches(const job *j, int64_t first, int64_t count, const scratch *s) {
  const tiling *t = &j->tiles;
  const int64_t size = t->height * t->width, tiles = count * t->across;
  for (int64_t i = 0; i < count; i++) {
    const int64_t image = (first + i) / t->down, row = (first + i) % t->down;
    for (int64_t b = 0; b < j->blocks; b++) {
      const planes p = {j->in + (image * j->channels + b * LANES) * size, t->height, t->width,
                        smaller(LANES, j->channels - b * LANES)};
      transform_patches(t, &p, row, s->frame, s->v + i * t->across * j->blocks + b, j->blocks,
                        j->point);
    }
  }
  const int64_t rest = pieces_of(tiles, ROWS) * ROWS - tiles;
  for (int p = 0; p < POINTS; p++)
    memset(s->v + p * j->point + tiles * j->blocks, 0, (size_t)(rest * j->blocks) * sizeof(lanes));
}

/* M of one group of tiles for `vectors` blocks of output channels: the sum over n channels, CHUNK
 * by CHUNK. U is [out blocks, POINTS, step]. */
static void multiply_group(const job *j, const float *v, const lanes *u, int64_t step, int64_t n,
                           int64_t vectors, bool add, lanes *m) {
  const int64_t row = j->blocks * LANES, block = POINTS * step;
  for (int p = 0; p < POINTS; p++, v += j->point * LANES, u += step, m += ROWS)
    for (int64_t c = 0; c < n; c += CHUNK) {
      const int64_t count = smaller(CHUNK, n - c);
      if (vectors == VECTORS)
        multiply(v + c, row, 1, u + c, block, 1, count, VECTORS, add || c > 0, m);
      else
        multiply(v + c, row, 1, u + c, block, 1, count, 1, add || c > 0, m);
    }
}

/* Writes the tiles [first, first + ROWS) of the slice that begins at `strip` and has `tiles`, for
 * one block of output channels. */
static void put_tiles(const job *j, int64_t strip, int64_t tiles, int64_t first, int64_t block,
                      const lanes *m, const scratch *s) {
  const tiling *t = &j->tiles;
  const int64_t o = block * LANES, count = smaller(LANES, j->out_channels - o);
  const int64_t end = smaller(first + ROWS, tiles), size = t->out_height * t->out_width;
  lanes bias = {0};
  if (j->bias)
    for (int64_t l = 0; l < count; l++) bias[l] = j->bias[o + l];
  for (int64_t r = 0; r < end - first; r++) {
    lanes *half = s->frame;
    for (int c = 0; c < PATCH; c++) mix_tile(m + c * ROWS + r, PATCH * ROWS, half + c, PATCH);
    for (int i = 0; i < SIDE; i++) {
      lanes *y = s->y + (i * ROWS + r) * SIDE;
      mix_tile(half + i * PATCH, 1, y, 1);
      for (int c = 0; c < SIDE; c++) y[c] += bias;
    }
  }
  for (int64_t tile = first, run; tile < end; tile += run) { /* along a strip */
    const int64_t x = tile % t->across, at = strip + tile / t->across;
    const int64_t top = at % t->down * SIDE, left = x * SIDE;
    run = smaller(end - tile, t->across - x);
    const int64_t rows = smaller(SIDE, t->out_height - top);
    const int64_t columns = smaller(run * SIDE, t->out_width - left);
    float *to = j->out + (at / t->down * j->out_channels + o) * size + top * t->out_width + left;
    for (int64_t i = 0; i < rows; i++, to += t->out_width)
      from_lanes(s->y + (i * ROWS + tile - first) * SIDE, columns, count, to, size);
  }
}

/* All of a slice for `vectors` blocks of output channels. */
static void put_blocks(const job *j, int64_t strip, int64_t tiles, int64_t block, int64_t vectors,
                       const scratch *s) {
  const int64_t chunk = j->u ? j->channels : CHUNK;
  for (int64_t c = 0; c < j->channels; c += chunk) {
    const int64_t n = smaller(chunk, j->channels - c);
    const lanes *u = j->u ? j->u + block * POINTS * j->channels : s->u;
    for (int64_t x = 0; x < vectors && !j->u; x++)
      transform_weights(j, block + x, c, n, s->u + x * POINTS * chunk, chunk, s->frame);
    for (int64_t g = 0; g * ROWS < tiles; g++) {
      lanes *m = s->m + (j->u ? 0 : g * M_SIZE);
      const float *v = (const float *)(s->v + g * ROWS * j->blocks) + c;
      multiply_group(j, v, u, chunk, n, vectors, c > 0, m);
      for (int64_t x = 0; x < vectors && c + n == j->channels; x++)
        put_tiles(j, strip, tiles, g * ROWS, block + x, m + x * POINTS * ROWS, s);
    }
  }
}

/* An item: slice, part of the output channels. Neighbouring parts share the patches. */
static void run_items(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int64_t pairs = pieces_of(j->out_blocks, VECTORS);
  int64_t held = -1;
  const scratch s = take_share(j);
  for (int64_t item = begin; item < end; item++) {
    const int64_t slice = item / j->parts, part = item % j->parts, strip = slice * j->strips;
    const int64_t count = smaller(j->strips, j->tiles.strips - strip);
    if (slice != held) make_patches(j, strip, count, &s);
    held = slice;
    for (int64_t i = pairs * part / j->parts; i < pairs * (part + 1) / j->parts; i++)
      put_blocks(j, strip, count * j->tiles.across, i * VECTORS,
                 smaller(VECTORS, j->out_blocks - i * VECTORS), &s);
  }
}

/* ---- how the work is cut ---- */

static void cut(job *j) {
  const tiling *t = &j->tiles;
  const int64_t most = SLICE_BYTES / (POINTS * j->blocks * (int64_t)sizeof(lanes));
  j->strips = smaller(t->strips, larger(1, larger(ROWS, most) / t->across));
  j->slices = pieces_of(t->strips, j->strips);
  if (j->slices > SLICES / 2) j->slices = pieces_of(j->slices, SLICES) * SLICES;
  j->strips = pieces_of(t->strips, j->slices);
  j->slices = pieces_of(t->strips, j->strips);
  j->groups = pieces_of(j->strips * t->across, ROWS);
  j->parts = smaller(pieces_of(ITEMS, j->slices), pieces_of(j->out_blocks, VECTORS));
  j->point = j->groups * ROWS * j->blocks + 1; /* not a power of two, for the cache's sake */
}

static job job_of(const sel_conv_args *args, const cpu_window *w) {
  const bool turned = args->op == SEL_CONV_GRAD_INPUT;
  job j = {.tiles = tiling_of(args, w, turned),
           .in = cpu_at(turned ? &args->y : &args->x),
           .weight = cpu_at(&args->weight),
           .bias = !turned && args->bias.data ? cpu_at(&args->bias) : NULL,
           .out = cpu_at(turned ? &args->x : &args->y),
           .channels = turned ? args->out_channels : args->channels,
           .out_channels = turned ? args->channels : args->out_channels,
           .turned = turned};
  j.blocks = pieces_of(j.channels, LANES);
  j.out_blocks = pieces_of(j.out_channels, LANES);
  cut(&j);
  return j;
}

bool CPU_NAME(cpu_conv_is_winograd)(const sel_conv_args *args, const cpu_window *w) {
  if (args->dtype != SEL_F32 || args->groups != 1) return false;
  if (w->in[0] != 1 || w->kernel[0] != 1 || w->out[0] != 1 || w->padding[0] != 0) return false;
  for (int d = 1; d < 3; d++)
    if (w->kernel[d] != 3 || w->stride[d] != 1 || w->dilation[d] != 1 || w->padding[d] < 0 ||
        w->padding[d] > 2)
      return false;
  const tiling t = tiling_of(args, w, args->op == SEL_CONV_GRAD_INPUT);
  const int64_t tiles = t.strips * t.across;
  /* Positions of tiles outside the image are computed, too. */
  const bool fits = 2 * args->n * t.out_height * t.out_width > tiles * SIDE * SIDE;
  return fits && tiles >= FEWEST_TILES && t.across <= MOST_ACROSS &&
         args->channels >= FEWEST_CHANNELS && args->out_channels >= FEWEST_CHANNELS;
}

sel_status CPU_NAME(cpu_conv_winograd)(const sel_conv_args *args, const cpu_window *w) {
  job j = job_of(args, w);
  const int64_t pairs = j.out_blocks * j.channels, items = j.slices * j.parts;
  const double work = (double)(j.tiles.strips * j.tiles.across * SIDE * SIDE * TAPS) *
                      (double)(j.channels * j.out_channels) * NANOSECONDS;
  const bool shared = j.slices > 1 || j.groups > 2;
  const int team = cpu_team(items, work), weights_team = cpu_team(pairs, (double)pairs * 80);
  atomic_int taken = 0;
  j.taken = &taken;
  if (shared) j.u = aligned_alloc(64, (size_t)(pairs * POINTS) * sizeof(lanes));
  j.share = share_of(&j);
  j.scratch =
      aligned_alloc(64, (size_t)(pieces_of(larger(team, weights_team) * j.share * LANES, 16) * 64));
  sel_status status = SEL_OK;
  if ((shared && !j.u) || !j.scratch) {
    status = sel_fail(SEL_E_MEMORY, "convolution: no memory for its transforms");
  } else {
    if (shared) cpu_parallel(pairs, (double)pairs * 80, make_weights, &j);
    atomic_store(&taken, 0);
    cpu_parallel(items, work, run_items, &j);
  }
  free(j.u);
  free(j.scratch);
  return status;
}
