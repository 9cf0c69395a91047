/* Convolution with 3x3 windows that move by 1 or 2, and the gradient of its input, by Winograd's
 * algorithm (winograd.h); the latter is the same with the weights turned round. f32 only.
 *
 * A slice is some strips of tiles whose transformed patches (V) stay in a core's own cache. There
 * they meet the transformed weights (U) of two vectors of output channels at a time; the products
 * (M) are transformed back at once. U is made once for all slices, except where there is but one,
 * of few tiles: then each item of work makes the part that it needs, a chunk of channels at a time.
 *
 * conv.c has the plain way. Slices depend on shapes alone, so results don't depend on the thread
 * count.
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

static const algorithm by_one = {6, 6, 4, 4, mix_patch, mix_tile, spread_taps};
static const algorithm by_two = {9, 9, 4, 8, mix_patch_by_two, mix_tile_by_two, spread_taps_by_two};
static const algorithm by_two_back = {
    5, 9, 8, 4, mix_patch_back, mix_tile_back, spread_taps_by_two};

static const algorithm *algorithm_of(const cpu_window *w, bool turned) {
  return w->stride[1] == 1 ? &by_one : turned ? &by_two_back : &by_two;
}

typedef struct job {
  const algorithm *how;
  tiling tiles;
  const float *in, *weight, *bias;
  float *out;
  int64_t channels, out_channels; /* of `in`, of `out` */
  int64_t blocks, out_blocks;     /* the same in vectors */
  bool turned;                    /* weights are those of the opposite direction */
  int64_t strips, slices, groups; /* strips of a slice; slices; ROWS tiles in a slice */
  int64_t parts;                  /* of the output channels */
  int64_t point, step;            /* from one point to the next of V, of U */
  bool shared;                    /* U is made once */
  lanes *u;                       /* [out_blocks, U_SIZE, step], if shared */
  lanes *scratch;                 /* a share for each thread */
  int64_t share;
  atomic_int *taken;
} job;

/* What a thread works in; points are those of both dims. */
typedef struct scratch {
  lanes *frame; /* of a strip; what follows borrows it, too */
  lanes *v;     /* [points, groups * ROWS, blocks] */
  lanes *y;     /* [tile, ROWS, tile] */
  lanes *m;     /* [groups, VECTORS, points, ROWS]; one group where U is shared */
  lanes *u;     /* [VECTORS, U_SIZE, step], where it isn't */
} scratch;

enum { FEWEST_FRAME = 81 }; /* vectors of a frame, for those who borrow it */

static int64_t frame_size(const job *j) {
  return larger(FEWEST_FRAME, j->how->points * frame_width(&j->tiles, j->how));
}
static int64_t points_of(const job *j) { return j->how->points * j->how->points; }
static int64_t y_size(const job *j) { return j->how->tile * ROWS * j->how->tile; }
static int64_t m_size(const job *j) { return VECTORS * points_of(j) * ROWS; }

static int64_t share_of(const job *j) {
  return frame_size(j) + points_of(j) * j->point + y_size(j) +
         (j->shared ? m_size(j) : j->groups * m_size(j) + VECTORS * U_SIZE * j->step);
}

static scratch take_share(const job *j) {
  scratch s = {.frame = j->scratch + atomic_fetch_add(j->taken, 1) * j->share};
  s.v = s.frame + frame_size(j);
  s.y = s.v + points_of(j) * j->point;
  s.m = s.y + y_size(j);
  s.u = s.m + j->groups * m_size(j);
  return s;
}

/* ---- weights ---- */

/* U of the input channels [first, first + n) for a block of output channels: [U_SIZE, step].
 * `room` holds 27 vectors. */
CPU_INLINE void transform_weights(const job *j, const algorithm *a, int64_t block, int64_t first,
                                  int64_t n, lanes *u, int64_t step, lanes *room) {
  lanes *g = room, *half = room + TAPS;
  const int64_t count = smaller(LANES, j->out_channels - block * LANES);
  for (int64_t c = 0; c < n; c++) {
    if (j->turned) {
      const float *from = j->weight + ((first + c) * j->out_channels + block * LANES) * TAPS;
      to_lanes(from, TAPS, TAPS, count, g);
      for (int i = 0; i < 3; i++) a->of_taps(g + TAPS - 1 - i, -3, half + i, 3);
    } else {
      const float *from = j->weight + (block * LANES * j->channels + first + c) * TAPS;
      to_lanes(from, j->channels * TAPS, TAPS, count, g);
      for (int i = 0; i < 3; i++) a->of_taps(g + i, 3, half + i, 3);
    }
    for (int i = 0; i < U_SIDE; i++) a->of_taps(half + 3 * i, 1, u + i * U_SIDE * step + c, step);
  }
}

/* An item: one channel of a block. */
CPU_INLINE void weight_items(const job *j, const algorithm *a, int64_t begin, int64_t end) {
  const scratch s = take_share(j);
  for (int64_t item = begin; item < end; item++) {
    const int64_t block = item / j->channels, c = item % j->channels;
    transform_weights(j, a, block, c, 1, j->u + block * U_SIZE * j->step + c, j->step, s.frame);
  }
}

static void weights_by_one(const void *context, int64_t begin, int64_t end) {
  weight_items(context, &by_one, begin, end);
}
static void weights_by_two(const void *context, int64_t begin, int64_t end) {
  weight_items(context, &by_two, begin, end);
}

/* ---- a slice, by an algorithm that the compiler knows ---- */

/* V of strips [first, first + count), and zeros up to a whole number of ROWS. */
CPU_INLINE void make_patches(const job *j, const algorithm *a, int64_t first, int64_t count,
                             const scratch *s) {
  const tiling *t = &j->tiles;
  const int64_t size = t->height * t->width, tiles = count * t->across;
  for (int64_t i = 0; i < count; i++) {
    const int64_t image = (first + i) / t->down, row = (first + i) % t->down;
    for (int64_t b = 0; b < j->blocks; b++) {
      const planes p = {j->in + (image * j->channels + b * LANES) * size, t->height, t->width,
                        smaller(LANES, j->channels - b * LANES)};
      transform_strip(&p, row * a->hop - t->padding[0], t->padding[1], frame_width(t, a), a->patch,
                      a->hop, a->points, a->of_patch, t->across, s->frame,
                      s->v + i * t->across * j->blocks + b, j->blocks, j->point);
    }
  }
  const int64_t rest = pieces_of(tiles, ROWS) * ROWS - tiles;
  for (int p = 0; p < a->points * a->points; p++)
    memset(s->v + p * j->point + tiles * j->blocks, 0, (size_t)(rest * j->blocks) * sizeof(lanes));
}

/* M of one group of tiles for `vectors` blocks of output channels: the sum over n channels, CHUNK
 * by CHUNK. */
CPU_INLINE void multiply_group(const job *j, const algorithm *a, const float *v, const lanes *u,
                               int64_t n, int vectors, bool add, lanes *m) {
  const int64_t row = j->blocks * LANES, block = U_SIZE * j->step;
  const int points = a->points * a->points;
  for (int p = 0; p < points; p++, v += j->point * LANES, m += ROWS) {
    const lanes *with = u + weights_point(a->points, p) * j->step;
    for (int64_t c = 0; c < n; c += CHUNK)
      multiply(v + c, row, 1, with + c, block, 1, smaller(CHUNK, n - c), vectors, add || c > 0, m,
               points * ROWS);
  }
}

/* Writes the tiles [first, first + ROWS) of the slice that begins at `strip` and has `tiles`, for
 * one block of output channels. */
CPU_INLINE void put_tiles(const job *j, const algorithm *a, int64_t strip, int64_t tiles,
                          int64_t first, int64_t block, const lanes *m, const scratch *s) {
  const tiling *t = &j->tiles;
  const int64_t o = block * LANES, count = smaller(LANES, j->out_channels - o);
  const int64_t end = smaller(first + ROWS, tiles), size = t->out_height * t->out_width;
  lanes bias = {0}, *half = s->frame;
  if (j->bias)
    for (int64_t l = 0; l < count; l++) bias[l] = j->bias[o + l];
  for (int64_t r = 0; r < end - first; r++) {
    for (int c = 0; c < a->points; c++)
      a->of_tile(m + c * ROWS + r, a->points * ROWS, half + c, a->points);
    for (int i = 0; i < a->tile; i++) {
      lanes *y = s->y + (i * ROWS + r) * a->tile;
      a->of_tile(half + i * a->points, 1, y, 1);
      for (int c = 0; c < a->tile; c++) y[c] += bias;
    }
  }
  for (int64_t tile = first, run; tile < end; tile += run) { /* along a strip */
    const int64_t x = tile % t->across, at = strip + tile / t->across;
    const int64_t top = at % t->down * a->tile, left = x * a->tile;
    run = smaller(end - tile, t->across - x);
    const int64_t rows = smaller(a->tile, t->out_height - top);
    const int64_t columns = smaller(run * a->tile, t->out_width - left);
    float *to = j->out + (at / t->down * j->out_channels + o) * size + top * t->out_width + left;
    for (int64_t i = 0; i < rows; i++, to += t->out_width)
      from_lanes(s->y + (i * ROWS + tile - first) * a->tile, columns, count, to, size);
  }
}

/* All of a slice for `vectors` blocks of output channels. */
CPU_INLINE void put_blocks(const job *j, const algorithm *a, int64_t strip, int64_t tiles,
                           int64_t block, int vectors, const scratch *s) {
  const int64_t chunk = j->shared ? j->channels : CHUNK, points = a->points * a->points;
  for (int64_t c = 0; c < j->channels; c += chunk) {
    const int64_t n = smaller(chunk, j->channels - c);
    const lanes *u = j->shared ? j->u + block * U_SIZE * j->step : s->u;
    for (int64_t x = 0; x < vectors && !j->shared; x++)
      transform_weights(j, a, block + x, c, n, s->u + x * U_SIZE * j->step, j->step, s->frame);
    for (int64_t g = 0; g * ROWS < tiles; g++) {
      lanes *m = s->m + (j->shared ? 0 : g * VECTORS * points * ROWS);
      const float *v = (const float *)(s->v + g * ROWS * j->blocks) + c;
      multiply_group(j, a, v, u, n, vectors, c > 0, m);
      for (int64_t x = 0; x < vectors && c + n == j->channels; x++)
        put_tiles(j, a, strip, tiles, g * ROWS, block + x, m + x * points * ROWS, s);
    }
  }
}

/* An item: slice, part of the output channels. Neighbouring parts share the patches. */
CPU_INLINE void run_items(const job *j, const algorithm *a, int64_t begin, int64_t end) {
  const int64_t pairs = pieces_of(j->out_blocks, VECTORS);
  int64_t held = -1;
  const scratch s = take_share(j);
  for (int64_t item = begin; item < end; item++) {
    const int64_t slice = item / j->parts, part = item % j->parts, strip = slice * j->strips;
    const int64_t count = smaller(j->strips, j->tiles.strips - strip);
    const int64_t tiles = count * j->tiles.across;
    if (slice != held) make_patches(j, a, strip, count, &s);
    held = slice;
    for (int64_t i = pairs * part / j->parts; i < pairs * (part + 1) / j->parts; i++)
      if (i * VECTORS + VECTORS <= j->out_blocks)
        put_blocks(j, a, strip, tiles, i * VECTORS, VECTORS, &s);
      else
        put_blocks(j, a, strip, tiles, i * VECTORS, 1, &s);
  }
}

static void run_by_one(const void *context, int64_t begin, int64_t end) {
  run_items(context, &by_one, begin, end);
}
static void run_by_two(const void *context, int64_t begin, int64_t end) {
  run_items(context, &by_two, begin, end);
}
static void run_by_two_back(const void *context, int64_t begin, int64_t end) {
  run_items(context, &by_two_back, begin, end);
}

static cpu_body *body_of(const job *j) {
  return j->how == &by_one ? run_by_one : j->how == &by_two ? run_by_two : run_by_two_back;
}

/* ---- how the work is cut ---- */

static void cut(job *j) {
  const tiling *t = &j->tiles;
  const int64_t most = SLICE_BYTES / (points_of(j) * j->blocks * (int64_t)sizeof(lanes));
  j->strips = smaller(t->strips, larger(1, larger(ROWS, most) / t->across));
  j->slices = pieces_of(t->strips, j->strips);
  if (j->slices > SLICES / 2) j->slices = pieces_of(j->slices, SLICES) * SLICES;
  j->strips = pieces_of(t->strips, j->slices);
  j->slices = pieces_of(t->strips, j->strips);
  j->groups = pieces_of(j->strips * t->across, ROWS);
  j->parts = smaller(pieces_of(ITEMS, j->slices), pieces_of(j->out_blocks, VECTORS));
  /* not a power of two, for the cache's sake */
  j->point = j->groups * ROWS * j->blocks + 1;
  j->shared = j->slices > 1 || j->groups > 2;
  j->step = (j->shared ? j->channels : CHUNK) + 1;
}

static job job_of(const sel_conv_args *args, const cpu_window *w) {
  const bool turned = args->op == SEL_CONV_GRAD_INPUT;
  const algorithm *how = algorithm_of(w, turned);
  job j = {.how = how,
           .tiles = tiling_of(args, w, how, turned),
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
  if (w->stride[1] > 2 || w->stride[1] != w->stride[2]) return false;
  for (int d = 1; d < 3; d++) {
    const bool padded =
        w->stride[d] == 1 ? w->padding[d] >= 0 && w->padding[d] <= 2 : w->padding[d] == 1;
    if (w->kernel[d] != 3 || w->dilation[d] != 1 || !padded) return false;
  }
  const bool turned = args->op == SEL_CONV_GRAD_INPUT;
  const algorithm *how = algorithm_of(w, turned);
  const tiling t = tiling_of(args, w, how, turned);
  const int64_t tiles = t.strips * t.across;
  /* Positions of tiles outside the image are computed, too. */
  const bool fits = 2 * args->n * t.out_height * t.out_width > tiles * how->tile * how->tile;
  return fits && tiles >= FEWEST_TILES && t.across <= MOST_ACROSS &&
         args->channels >= FEWEST_CHANNELS && args->out_channels >= FEWEST_CHANNELS;
}

sel_status CPU_NAME(cpu_conv_winograd)(const sel_conv_args *args, const cpu_window *w) {
  job j = job_of(args, w);
  const int64_t pairs = j.out_blocks * j.channels, items = j.slices * j.parts;
  const double work =
      (double)(args->n * w->out_size * TAPS) * (double)(j.channels * j.out_channels) * NANOSECONDS;
  const int team = cpu_team(items, work), weights_team = cpu_team(pairs, (double)pairs * 80);
  atomic_int taken = 0;
  j.taken = &taken;
  if (j.shared) j.u = aligned_alloc(64, (size_t)(j.out_blocks * U_SIZE * j.step) * sizeof(lanes));
  j.share = share_of(&j);
  j.scratch =
      aligned_alloc(64, (size_t)(pieces_of(larger(team, weights_team) * j.share * LANES, 16) * 64));
  sel_status status = SEL_OK;
  if ((j.shared && !j.u) || !j.scratch) {
    status = sel_fail(SEL_E_MEMORY, "convolution: no memory for its transforms");
  } else {
    if (j.shared)
      cpu_parallel(pairs, (double)pairs * 80, j.how == &by_one ? weights_by_one : weights_by_two,
                   &j);
    atomic_store(&taken, 0);
    cpu_parallel(items, work, body_of(&j), &j);
  }
  free(j.u);
  free(j.scratch);
  return status;
}
