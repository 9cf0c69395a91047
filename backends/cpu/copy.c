/* The copy kernel: strided to strided, with or without conversion of dtype.
 *
 * Without conversion elements are moved as bits, by their size. With conversion each tile passes
 * through a compute type that holds both sides: i64 between integers, f64 where a double takes
 * part, f32 else.
 */
#include <string.h>

#include "threads.h"
#include "tile.h"
#include "walk.h"

static const double NANOSECONDS = 0.3; /* an element, bound by memory */

typedef struct job {
  const char *source;
  char *destination;
  sel_dtype from, to;
  int64_t source_size, destination_size;
  cpu_walk walk; /* operands: source, destination */
} job;

/* ---- one dtype ---- */

static void run_contiguous(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  memcpy(j->destination + begin * j->source_size, j->source + begin * j->source_size,
         (size_t)((end - begin) * j->source_size));
}

typedef struct block {
  int64_t rows, columns;
  int64_t from_row, from_column, to_row, to_column; /* strides */
} block;

/* Elements of `size` bytes, which is a constant wherever this is inlined. */
CPU_INLINE void move(const char *from, char *to, const block *b, size_t size) {
  const int64_t s = (int64_t)size;
  for (int64_t r = 0; r < b->rows; r++, from += b->from_row * s, to += b->to_row * s) {
    if (b->from_column == 1 && b->to_column == 1)
      memcpy(to, from, (size_t)b->columns * size);
    else
      for (int64_t c = 0; c < b->columns; c++)
        memcpy(to + c * b->to_column * s, from + c * b->from_column * s, size);
  }
}

/* From a source whose columns lie together, through a tile. */
static void move_transposed(const char *from, char *to, const block *b, size_t size) {
  static const sel_dtype type_of_size[9] = {[1] = SEL_U8, [4] = SEL_I32, [8] = SEL_I64};
  const sel_dtype type = type_of_size[size];
  _Alignas(64) char tile[CPU_TILE_BYTES];
  cpu_load *load = CPU_NAME(cpu_loads)[type][type];
  cpu_store *store = CPU_NAME(cpu_stores)[type][type];
  load(from, b->rows, b->columns, b->from_row, b->from_column, tile);
  store(tile, b->rows, b->columns, b->to_row, b->to_column, to);
}

CPU_INLINE void move_block(const char *from, char *to, const block *b, size_t size) {
  if (size != 2 && b->from_row == 1 && b->from_column > 1)
    move_transposed(from, to, b, size);
  else
    move(from, to, b, size);
}

static void run_moves(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int r = j->walk.ndim - 2, c = r + 1;
  block b = {.from_row = j->walk.stride[0][r],
             .from_column = j->walk.stride[0][c],
             .to_row = j->walk.stride[1][r],
             .to_column = j->walk.stride[1][c]};
  for (int64_t number = begin; number < end; number++) {
    int64_t offset[2];
    cpu_walk_tile(&j->walk, number, &b.rows, &b.columns, offset);
    const char *from = j->source + offset[0] * j->source_size;
    char *to = j->destination + offset[1] * j->source_size;
    switch (j->source_size) {
      case 1:
        move_block(from, to, &b, 1);
        break;
      case 2:
        move_block(from, to, &b, 2);
        break;
      case 4:
        move_block(from, to, &b, 4);
        break;
      default:
        move_block(from, to, &b, 8);
    }
  }
}

/* ---- two dtypes ---- */

static sel_dtype compute_type(sel_dtype from, sel_dtype to) {
  if (!sel_dtype_is_float(from) && !sel_dtype_is_float(to)) return SEL_I64;
  return from == SEL_F64 || to == SEL_F64 ? SEL_F64 : SEL_F32;
}

static void run_conversions(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_dtype compute = compute_type(j->from, j->to);
  cpu_load *load = CPU_NAME(cpu_loads)[compute][j->from];
  cpu_store *store = CPU_NAME(cpu_stores)[compute][j->to];
  const int r = j->walk.ndim - 2, c = r + 1;
  const cpu_walk *walk = &j->walk;
  _Alignas(64) char tile[CPU_TILE_BYTES];
  for (int64_t number = begin; number < end; number++) {
    int64_t rows, columns, offset[2];
    cpu_walk_tile(walk, number, &rows, &columns, offset);
    load(j->source + offset[0] * j->source_size, rows, columns, walk->stride[0][r],
         walk->stride[0][c], tile);
    store(tile, rows, columns, walk->stride[1][r], walk->stride[1][c],
          j->destination + offset[1] * j->destination_size);
  }
}

/* A number as source: one element in memory, with strides 0. */
typedef union constant {
  double f64;
  char bytes[8];
} constant;

sel_status CPU_NAME(cpu_copy)(sel_backend_device device, const sel_copy_args *args) {
  (void)device;
  if (args->numel == 0) return SEL_OK;
  constant number = {.f64 = args->source.value};
  job j = {.from = args->source.dtype, .to = args->destination.dtype};
  if (!args->source.data) { /* `value` converted once to the destination's dtype */
    CPU_NAME(cpu_stores)[SEL_F64][j.to](&number, 1, 1, 0, 0, number.bytes);
    j.from = j.to;
    j.source = number.bytes;
  } else {
    j.source = cpu_at(&args->source);
  }
  j.destination = cpu_at(&args->destination);
  j.source_size = cpu_size(j.from);
  j.destination_size = cpu_size(j.to);

  static const int64_t still[SEL_MAX_DIMS];
  int64_t stride[2][SEL_MAX_DIMS];
  memcpy(stride[0], args->source.data ? args->stride[0] : still, sizeof stride[0]);
  memcpy(stride[1], args->stride[1], sizeof stride[1]);
  cpu_walk_plan(&j.walk, args->ndim, args->shape, 2, (const int64_t(*)[SEL_MAX_DIMS])stride,
                CPU_TILE_BYTES / 8);
  const double work = (double)args->numel * NANOSECONDS;
  const cpu_walk *walk = &j.walk;
  const int r = walk->ndim - 2, c = r + 1;
  const bool one_dense_row =
      walk->tiles == walk->column_tiles && walk->shape[r] == 1 &&
      (walk->shape[c] == 1 || (walk->stride[0][c] == 1 && walk->stride[1][c] == 1));
  if (j.from != j.to)
    cpu_parallel(walk->tiles, work, run_conversions, &j);
  else if (one_dense_row)
    cpu_parallel(args->numel, work, run_contiguous, &j);
  else
    cpu_parallel(walk->tiles, work, run_moves, &j);
  return SEL_OK;
}
