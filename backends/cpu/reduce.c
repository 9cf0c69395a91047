/* Reductions. Two walks, chosen by where the input's unit stride runs:
 *
 *   along the reduced dims   rows are cut into blocks; a block's result comes from several
 * independent vector accumulators, blocks combine pairwise, as a balanced tree; along the kept dims
 * strips of neighbouring columns advance row by row with one accumulator each, in chunks of rows
 * that are combined afterwards.
 *
 * Sums of f32, f16 and bf16 are carried in double, integers in i64. How a reduction is cut depends
 * on its shape alone, so results are the same for every number of threads.
 */
#include <math.h>
#include <stdlib.h>

#include "threads.h"
#include "tile.h"

enum {
  BLOCK = 512,          /* elements reduced at once: a tile of the widest type */
  STRIP = 128,          /* columns that advance together */
  CHUNK = 256,          /* rows a strip advances before its accumulators are added up */
  CHUNK_TILE = 1 << 15, /* bytes of a chunk's rows where they must be converted */
  LANES = 32,           /* accumulators of a block */
  PARTS = 16,           /* at most so many parts of one result are computed in parallel */
  PART_WORK = 1 << 15,  /* elements that make a part worth it */
};
static const double NANOSECONDS = 0.25; /* an element */

/* One reduction as seen by the walks. */
typedef struct job {
  const sel_reduce_args *args;
  const char *input;
  char *output;
  int64_t input_size, output_size;
  cpu_load *load;
  sel_dtype compute;
} job;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Offset of position `index` in C order of `count` dims that start at dim `first`. */
static int64_t offset_of(const sel_reduce_args *args, int first, int count, int64_t index) {
  if (count == 1) return index * args->stride[first];
  int64_t offset = 0;
  for (int d = first + count - 1; d >= first; d--) {
    offset += index % args->shape[d] * args->stride[d];
    index /= args->shape[d];
  }
  return offset;
}

/* Elements [start, start + n) of the row at `row`, in C order of the reduced dims: where they lie,
 * or loaded into `tile`. */
static const void *block_of(const job *j, const char *row, int64_t start, int64_t n, void *tile) {
  const sel_reduce_args *args = j->args;
  const int last = args->kept + args->reduced - 1;
  const int64_t run = args->reduced ? args->shape[last] : 1;
  const int64_t step = args->reduced ? args->stride[last] : 1;
  const int64_t size = cpu_size(j->compute);
  for (int64_t done = 0; done < n;) {
    const int64_t at = start + done, within = at % run;
    const int64_t count = smaller(n - done, run - within);
    const int64_t offset =
        args->reduced > 1 ? offset_of(args, args->kept, args->reduced, at) : within * step;
    const char *from = row + offset * j->input_size;
    if (count == n && step == 1 && args->input.dtype == j->compute) return from;
    j->load(from, 1, count, 0, step, (char *)tile + done * size);
    done += count;
  }
  return tile;
}

/* Where a tree over elements [start, end) divides: at a whole number of blocks. */
static int64_t middle_of(int64_t start, int64_t end) {
  const int64_t blocks = (end - start + BLOCK - 1) / BLOCK;
  return start + blocks / 2 * BLOCK;
}

/* Where the `count` subtrees of equal depth (a power of two) begin and end, from start[at] on. */
static void cut(int64_t begin, int64_t end, int at, int count, int64_t *start) {
  if (count == 1) {
    start[at] = begin;
    start[at + 1] = end;
    return;
  }
  const int64_t middle = middle_of(begin, end);
  cut(begin, middle, at, count / 2, start);
  cut(middle, end, at + count / 2, count / 2, start);
}

/* Whether neighbouring results read neighbouring elements while one result does not. */
static bool by_strips(const sel_reduce_args *args) {
  if (args->kept == 0 || args->reduced == 0 || args->stride[args->kept - 1] != 1) return false;
  const int64_t inner = llabs(args->stride[args->kept + args->reduced - 1]);
  return inner != 1 || args->shape[args->kept + args->reduced - 1] == 1;
}

#define VALUE float
#define SUM double
#define TYPED(name) CPU_JOIN(name, f32)
#define FLOATS 1
#include "reduce_body.h"
#define VALUE double
#define SUM double
#define TYPED(name) CPU_JOIN(name, f64)
#define FLOATS 1
#include "reduce_body.h"
#define VALUE int64_t
#define SUM int64_t
#define TYPED(name) CPU_JOIN(name, i64)
#define FLOATS 0
#include "reduce_body.h"
#define VALUE int32_t
#define SUM int64_t
#define TYPED(name) CPU_JOIN(name, i32)
#define FLOATS 0
#include "reduce_body.h"
#define VALUE uint8_t
#define SUM int64_t
#define TYPED(name) CPU_JOIN(name, u8)
#define FLOATS 0
#include "reduce_body.h"

static sel_dtype compute_type(sel_dtype dtype) {
  if (dtype == SEL_F16 || dtype == SEL_BF16) return SEL_F32;
  return dtype == SEL_BOOL ? SEL_U8 : dtype;
}

sel_status CPU_NAME(cpu_reduce)(sel_backend_device device, const sel_reduce_args *args) {
  (void)device;
  if (args->rows == 0) return SEL_OK;
  job j = {.args = args, .compute = compute_type(args->input.dtype)};
  j.input = cpu_at(&args->input);
  j.output = cpu_at(&args->output);
  j.input_size = cpu_size(args->input.dtype);
  j.output_size = cpu_size(args->output.dtype);
  j.load = CPU_NAME(cpu_loads)[j.compute][args->input.dtype];
  switch (j.compute) {
    case SEL_F32:
      reduce_f32(&j);
      break;
    case SEL_F64:
      reduce_f64(&j);
      break;
    case SEL_I64:
      reduce_i64(&j);
      break;
    case SEL_I32:
      reduce_i32(&j);
      break;
    default:
      reduce_u8(&j);
  }
  return SEL_OK;
}
