/* The pointwise kernel: feeds the compiled rows (pointwise_rows.h) with contiguous spans.
 *
 * Where all operands are contiguous and of the compute type, a row runs over them as they are. All
 * else goes tile by tile (walk.h): an operand that lies dense in the compute type is used in place,
 * any other is loaded into a tile on the stack, which stays valid while the walk stands still in
 * that operand (numbers, broadcast rows). Nothing is materialised.
 */
#include "pointwise.h"

#include <math.h>
#include <string.h>

#include "threads.h"
#include "tile.h"
#include "walk.h"

enum { MAX_INPUTS = 3, OUT = MAX_INPUTS };

/* A rough figure per element: cheap rows are bound by memory, the others take about 1 ns. */
static const double NANOSECONDS = 0.5;

/* One value of the compute type. */
typedef union value {
  float f32;
  double f64;
  int64_t i64;
  int32_t i32;
  uint8_t u8;
} value;

typedef struct job {
  const sel_pointwise_args *args;
  cpu_row *row;
  int64_t size;         /* bytes of the compute type */
  char *first[OUT + 1]; /* operands' first elements, the output in slot OUT; NULL: a number */
  value number[MAX_INPUTS];
  _Alignas(8) char scalar[2 * sizeof(value)]; /* two values of the compute type, packed */
  cpu_walk walk;                              /* operands: inputs, then the output */
} job;

static cpu_row *find_row(sel_dtype compute, int op) {
  switch (compute) {
    case SEL_F32:
      return CPU_NAME(cpu_rows_f32)[op];
    case SEL_F64:
      return CPU_NAME(cpu_rows_f64)[op];
    case SEL_I64:
      return CPU_NAME(cpu_rows_i64)[op];
    case SEL_I32:
      return CPU_NAME(cpu_rows_i32)[op];
    case SEL_U8:
      return CPU_NAME(cpu_rows_u8)[op];
    default:
      return NULL;
  }
}

static double clamped(double x, double low, double high) {
  return x < low ? low : x > high ? high : x;
}

static int64_t whole(double x) {
  if (!(x < 0x1p63)) return x == x ? INT64_MAX : 0;
  return x < -0x1p63 ? INT64_MIN : (int64_t)x;
}

/* A number operand: integers wrap as a cast from i64 does. */
static value number_of(sel_dtype compute, double x) {
  switch (compute) {
    case SEL_F32:
      return (value){.f32 = (float)x};
    case SEL_F64:
      return (value){.f64 = x};
    case SEL_I32:
      return (value){.i32 = (int32_t)whole(x)};
    case SEL_U8:
      return (value){.u8 = (uint8_t)whole(x)};
    default:
      return (value){.i64 = whole(x)};
  }
}

/* A parameter, such as clamp's bounds: integers saturate. */
static value scalar_of(sel_dtype compute, double x) {
  switch (compute) {
    case SEL_I32:
      return (value){.i32 = (int32_t)whole(clamped(x, INT32_MIN, INT32_MAX))};
    case SEL_U8:
      return (value){.u8 = (uint8_t)whole(clamped(x, 0, UINT8_MAX))};
    default:
      return number_of(compute, x);
  }
}

/* n copies of a value of `size` bytes. */
static void fill(void *tile, const value *x, int64_t size, int64_t n) {
  switch (size) {
    case 1:
      memset(tile, x->u8, (size_t)n);
      break;
    case 4:
      for (int64_t i = 0; i < n; i++) ((int32_t *)tile)[i] = x->i32;
      break;
    default:
      for (int64_t i = 0; i < n; i++) ((int64_t *)tile)[i] = x->i64;
  }
}

/* ---- all contiguous ---- */

/* Whether operand k is of the compute type and advances by one with every position, or a number. */
static bool flat(const sel_pointwise_args *args, int k) {
  const sel_operand *operand = &args->operand[k];
  if (!operand->data) return k < args->inputs;
  return operand->dtype == args->compute && (args->ndim == 0 || args->stride[k][0] == 1);
}

static bool all_flat(const sel_pointwise_args *args) {
  if (args->ndim > 1) return false;
  for (int k = 0; k <= args->inputs; k++)
    if (!flat(args, k)) return false;
  return true;
}

static void run_flat(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int64_t capacity = CPU_TILE_BYTES / j->size;
  int64_t step = end - begin;
  _Alignas(64) char tile[MAX_INPUTS][CPU_TILE_BYTES];
  const char *in[MAX_INPUTS] = {NULL, NULL, NULL};
  for (int k = 0; k < j->args->inputs; k++) {
    if (j->first[k]) continue;
    if (step > capacity) step = capacity;
    fill(tile[k], &j->number[k], j->size, step);
    in[k] = tile[k];
  }
  for (int64_t i = begin; i < end; i += step) {
    const int64_t at = i * j->size;
    for (int k = 0; k < j->args->inputs; k++)
      if (j->first[k]) in[k] = j->first[k] + at;
    j->row(step < end - i ? step : end - i, in[0], in[1], in[2], j->first[OUT] + at, j->scalar);
  }
}

/* ---- everything else ---- */

/* Gives operand k's block as a dense tile. */
static const void *input_tile(const job *j, int k, int64_t offset, int64_t rows, int64_t columns,
                              char *tile, cpu_held *last) {
  const sel_dtype compute = j->args->compute;
  if (j->first[k])
    return cpu_dense_block(j->first[k], j->args->operand[k].dtype, compute, offset, rows, columns,
                           j->walk.stride[k] + j->walk.ndim - 2, tile, last);
  if (last->rows * last->columns < rows * columns) {
    fill(tile, &j->number[k], j->size, rows * columns);
    *last = (cpu_held){offset, rows, columns};
  }
  return tile;
}

static void run_tiles(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int inputs = j->args->inputs;
  const sel_operand *out = &j->args->operand[inputs];
  const int64_t *out_stride = j->walk.stride[inputs] + j->walk.ndim - 2;
  const int64_t out_size = cpu_size(out->dtype);
  cpu_store *store = CPU_NAME(cpu_stores)[j->args->compute][out->dtype];
  _Alignas(64) char tile[OUT + 1][CPU_TILE_BYTES];
  cpu_held last[MAX_INPUTS] = {{-1, 0, 0}, {-1, 0, 0}, {-1, 0, 0}};
  for (int64_t number = begin; number < end; number++) {
    int64_t rows, columns, offset[OUT + 1];
    cpu_walk_tile(&j->walk, number, &rows, &columns, offset);
    const void *in[MAX_INPUTS] = {NULL, NULL, NULL};
    for (int k = 0; k < inputs; k++)
      in[k] = input_tile(j, k, offset[k], rows, columns, tile[k], &last[k]);
    char *destination = j->first[OUT] + offset[inputs] * out_size;
    const bool direct =
        out->dtype == j->args->compute && cpu_dense(rows, columns, out_stride[0], out_stride[1]);
    j->row(rows * columns, in[0], in[1], in[2], direct ? destination : tile[OUT], j->scalar);
    if (!direct) store(tile[OUT], rows, columns, out_stride[0], out_stride[1], destination);
  }
}

sel_status CPU_NAME(cpu_pointwise)(sel_backend_device device, const sel_pointwise_args *args) {
  (void)device;
  job j;
  j.args = args;
  j.row = find_row(args->compute, args->op);
  if (!j.row)
    return sel_fail(SEL_E_UNSUPPORTED, "cpu: pointwise operation %d has no kernel for %s", args->op,
                    sel_dtype_name(args->compute));
  if (args->numel == 0) return SEL_OK;
  j.size = cpu_size(args->compute);
  for (int k = 0; k < args->inputs; k++) {
    const sel_operand *operand = &args->operand[k];
    j.first[k] = operand->data ? cpu_at(operand) : NULL;
    if (!operand->data) j.number[k] = number_of(args->compute, operand->value);
  }
  j.first[OUT] = cpu_at(&args->operand[args->inputs]);
  for (int i = 0; i < 2; i++) {
    const value s = scalar_of(args->compute, args->scalar[i]);
    memcpy(j.scalar + i * j.size, &s, (size_t)j.size);
  }
  const double work = (double)args->numel * NANOSECONDS;
  if (all_flat(args)) {
    cpu_parallel(args->numel, work, run_flat, &j);
    return SEL_OK;
  }
  cpu_walk_plan(&j.walk, args->ndim, args->shape, args->inputs + 1, args->stride,
                CPU_TILE_BYTES / j.size);
  cpu_parallel(j.walk.tiles, work, run_tiles, &j);
  return SEL_OK;
}
