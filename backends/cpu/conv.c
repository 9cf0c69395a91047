/* Convolution as products of matrices: the input's windows are copied into the columns of a matrix,
 * a tile of output positions at a time, so that the columns stay in a core's own cache.
 *
 *   forward      y       [out channels, positions] = weight [out channels, k] * columns [k,
 * positions] grad input   columns [k, positions]            = weight^T * dy, added to where they
 * came from grad weight  dweight [out channels, k]         = dy * columns^T, summed over tiles and
 * images
 *
 * with k = channels of a group * taps. Where a window is one element (1x1, stride 1) the input is
 * the columns. Items of work depend on the shapes alone, so results don't depend on the thread
 * count; gradients of weights are summed by parts of the batch, then part by part.
 */
#include "conv.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "blas.h"
#include "threads.h"

enum {
  TILE_BYTES = 384 << 10, /* columns of a tile: with weight and results they stay in L2 */
  NARROWEST = 64,         /* positions of a tile that a product needs to be fast */
  ITEMS = 16,             /* items of work that keep some cores busy */
  NARROW_BLOCK = 32,      /* output channels of a product that is still fast */
  PARTS = 8,              /* of the batch, in the gradient of the weight */
  PARTS_BYTES = 16 << 20  /* their sums, in all */
};
static const double NANOSECONDS = 0.025; /* a multiplication and addition in f32 */

typedef struct job {
  const sel_conv_args *args;
  cpu_window window;
  bool direct;                 /* the input is the columns */
  int64_t group_in, group_out; /* channels of a group */
  int64_t k;                   /* group_in * taps */
  int64_t width, tiles;        /* positions of a tile */
  int64_t block, blocks;       /* channels that an item takes, of a group; how many such */
  int64_t parts;               /* of the batch */
  size_t columns_bytes, lane;  /* of scratch: of the columns, of all that one thread needs */
  char *scratch;               /* a lane for each thread */
  char *sums;                  /* grad weight: of each part but the first */
  double *bias_sums;           /* [parts, out channels] */
  atomic_int *lanes;           /* handed out so far */
} job;

/* First image of a part of the batch. */
static int64_t part_begin(const job *j, int64_t part) { return j->args->n * part / j->parts; }

/* An image of up to two extents, as large before as after, whose windows move by 1. */
static bool keeps_extents(const cpu_window *w) {
  return w->in[0] == 1 && w->out[0] == 1 && w->kernel[0] == 1 && w->padding[0] == 0 &&
         w->stride[1] == 1 && w->stride[2] == 1 && w->out[1] == w->in[1] && w->out[2] == w->in[2];
}

#define VALUE float
#define GEMM cblas_sgemm
#define TYPED(name) CPU_JOIN(name, f32)
#include "conv_body.h"
#define VALUE double
#define GEMM cblas_dgemm
#define TYPED(name) CPU_JOIN(name, f64)
#include "conv_body.h"

/* ---- how the work is cut ---- */

/* Tiles of positions whose columns have `rows` rows. */
static void cut_positions(job *j, int64_t rows) {
  const int64_t size = (int64_t)sel_dtype_size(j->args->dtype), positions = j->window.out_size;
  const int64_t widest = larger(NARROWEST, TILE_BYTES / (rows * size));
  j->tiles = pieces_of(positions, widest);
  j->width = smaller(positions, (pieces_of(positions, j->tiles) + 15) / 16 * 16);
  j->tiles = pieces_of(positions, j->width);
  j->columns_bytes = j->direct ? 0 : (size_t)(rows * j->width * size);
  j->lane = (j->columns_bytes + 63) / 64 * 64;
}

/* Blocks of `channels` so that there are ITEMS items where `others` count without them. */
static void cut_channels(job *j, int64_t channels, int64_t others, int64_t narrowest) {
  const int64_t wanted =
      smaller(pieces_of(ITEMS, larger(others, 1)), larger(1, channels / narrowest));
  j->block = pieces_of(channels, wanted);
  j->blocks = pieces_of(channels, j->block);
}

static void cut(job *j) {
  const sel_conv_args *args = j->args;
  const int64_t weight_bytes = args->out_channels * j->k * (int64_t)sel_dtype_size(args->dtype);
  switch (args->op) {
    case SEL_CONV_FORWARD:
      cut_positions(j, j->k);
      cut_channels(j, j->group_out, args->n * args->groups * j->tiles, NARROW_BLOCK);
      break;
    case SEL_CONV_GRAD_INPUT:
      cut_channels(j, j->group_in, args->n * args->groups, 1);
      cut_positions(j, j->block * j->window.taps);
      break;
    default:
      j->parts = larger(1, smaller(smaller(PARTS, args->n), PARTS_BYTES / weight_bytes));
      cut_channels(j, j->group_in, 2 * j->parts * args->groups, 1);
      cut_positions(j, j->block * j->window.taps);
  }
}

/* ---- running ---- */

static int64_t items_of(const job *j) {
  const sel_conv_args *args = j->args;
  switch (args->op) {
    case SEL_CONV_FORWARD:
      return args->n * args->groups * j->tiles * j->blocks;
    case SEL_CONV_GRAD_INPUT:
      return args->n * args->groups * j->blocks;
    default:
      return j->parts * args->groups * j->blocks;
  }
}

static cpu_body *body_of(const sel_conv_args *args) {
  static cpu_body *const bodies[3][2] = {{forward_f32, forward_f64},
                                         {grad_input_f32, grad_input_f64},
                                         {grad_weight_f32, grad_weight_f64}};
  return bodies[args->op][args->dtype == SEL_F64];
}

/* Room for the sums of all parts but the first, which goes to the result itself. */
static bool make_sums(job *j) {
  const sel_conv_args *args = j->args;
  const size_t weight = (size_t)(args->out_channels * j->k) * sel_dtype_size(args->dtype);
  if (args->op != SEL_CONV_GRAD_WEIGHT) return true;
  if (j->parts > 1) j->sums = malloc((size_t)(j->parts - 1) * weight);
  if (args->bias.data)
    j->bias_sums = malloc((size_t)(j->parts * args->out_channels) * sizeof(double));
  return (j->parts == 1 || j->sums) && (!args->bias.data || j->bias_sums);
}

static sel_status run(job *j) {
  const sel_conv_args *args = j->args;
  const double terms =
      (double)args->n * (double)args->out_channels * (double)j->k * (double)j->window.out_size;
  const double work = terms * NANOSECONDS * (args->dtype == SEL_F32 ? 1 : 2);
  const int64_t items = items_of(j);
  atomic_int lanes = 0;
  j->lanes = &lanes;
  if (j->lane) j->scratch = aligned_alloc(64, (size_t)cpu_team(items, work) * j->lane);
  sel_status status = SEL_OK;
  if (!make_sums(j) || (j->lane && !j->scratch))
    status = sel_fail(SEL_E_MEMORY, "convolution: no memory for its columns");
  else {
    cpu_parallel(items, work, body_of(args), j);
    if (args->op == SEL_CONV_GRAD_WEIGHT) {
      const int64_t n = args->out_channels * j->k;
      cpu_parallel(n, (double)(n * j->parts) * 0.3,
                   args->dtype == SEL_F32 ? add_parts_f32 : add_parts_f64, j);
      if (args->bias.data) (args->dtype == SEL_F32 ? add_bias_f32 : add_bias_f64)(j);
    }
  }
  free(j->scratch);
  free(j->sums);
  free(j->bias_sums);
  return status;
}

static bool is_direct(const cpu_window *w) {
  bool direct = w->taps == 1;
  for (int d = 0; d < 3; d++)
    direct = direct && w->stride[d] == 1 && w->padding[d] == 0 && w->in[d] == w->out[d];
  return direct;
}

/* Without images or positions nothing is summed: what is written is 0 (y is empty then). */
static sel_status without_terms(const sel_conv_args *args, const cpu_window *w) {
  const size_t size = sel_dtype_size(args->dtype);
  if (args->op == SEL_CONV_GRAD_INPUT)
    memset(cpu_at(&args->x), 0, (size_t)(args->n * args->channels * w->in_size) * size);
  if (args->op == SEL_CONV_GRAD_WEIGHT) {
    const int64_t weights = args->out_channels * (args->channels / args->groups) * w->taps;
    memset(cpu_at(&args->weight), 0, (size_t)weights * size);
    if (args->bias.data) memset(cpu_at(&args->bias), 0, (size_t)args->out_channels * size);
  }
  return SEL_OK;
}

sel_status CPU_NAME(cpu_conv)(sel_backend_device device, const sel_conv_args *args) {
  (void)device;
  const cpu_window window = cpu_window_of(args->dims, args->in, args->out, args->kernel,
                                          args->stride, args->padding, args->dilation);
  if (args->n * args->out_channels * window.out_size == 0) return without_terms(args, &window);
  if (CPU_NAME(cpu_conv_is_depthwise)(args))
    return CPU_NAME(cpu_conv_is_flat)(args, &window) ? CPU_NAME(cpu_conv_flat)(args, &window)
                                                     : CPU_NAME(cpu_conv_depthwise)(args, &window);
  if (CPU_NAME(cpu_conv_is_winograd)(args, &window))
    return args->op == SEL_CONV_GRAD_WEIGHT ? CPU_NAME(cpu_conv_winograd_weight)(args, &window)
                                            : CPU_NAME(cpu_conv_winograd)(args, &window);
  job j = {.args = args, .window = window, .direct = is_direct(&window), .parts = 1};
  j.group_in = args->channels / args->groups;
  j.group_out = args->out_channels / args->groups;
  j.k = j.group_in * window.taps;
  cut(&j);
  return run(&j);
}
