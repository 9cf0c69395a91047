/* Running sums along the last dim. Rows are independent; a row's sum is carried in double for float
 * dtypes, in i64 for integers, and passes through tiles as the pointwise kernel's operands do. */
#include "threads.h"
#include "tile.h"

enum { CAPACITY = CPU_TILE_BYTES / 8 };
static const double NANOSECONDS = 1.5; /* an element: one addition waits for the other */

typedef struct job {
  const sel_scan_args *args;
  int64_t length;
} job;

static int64_t row_offset(const sel_scan_args *args, int64_t row) {
  int64_t offset = 0;
  for (int d = args->ndim - 2; d >= 0; d--) {
    offset += row % args->shape[d] * args->stride[d];
    row /= args->shape[d];
  }
  return offset;
}

static void sum_double(double *tile, int64_t n, double *sum) {
  for (int64_t i = 0; i < n; i++) tile[i] = *sum += tile[i];
}

static void sum_whole(int64_t *tile, int64_t n, int64_t *sum) {
  for (int64_t i = 0; i < n; i++) tile[i] = *sum += tile[i];
}

static void run(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_scan_args *args = j->args;
  const bool real = sel_dtype_is_float(args->input.dtype);
  const sel_dtype compute = real ? SEL_F64 : SEL_I64;
  cpu_load *load = CPU_NAME(cpu_loads)[compute][args->input.dtype];
  cpu_store *store = CPU_NAME(cpu_stores)[compute][args->output.dtype];
  const int64_t in_size = cpu_size(args->input.dtype);
  const int64_t out_size = cpu_size(args->output.dtype);
  const int64_t step = args->ndim ? args->stride[args->ndim - 1] : 1;
  union {
    double real[CAPACITY];
    int64_t whole[CAPACITY];
  } tile;
  for (int64_t row = begin; row < end; row++) {
    const char *in = (const char *)cpu_at(&args->input) + row_offset(args, row) * in_size;
    char *out = (char *)cpu_at(&args->output) + row * j->length * out_size;
    double real_sum = 0;
    int64_t whole_sum = 0;
    for (int64_t i = 0; i < j->length; i += CAPACITY) {
      const int64_t n = j->length - i < CAPACITY ? j->length - i : CAPACITY;
      load(in + i * step * in_size, 1, n, 0, step, &tile);
      if (real)
        sum_double(tile.real, n, &real_sum);
      else
        sum_whole(tile.whole, n, &whole_sum);
      store(&tile, 1, n, 0, 1, out + i * out_size);
    }
  }
}

sel_status CPU_NAME(cpu_scan)(sel_backend_device device, const sel_scan_args *args) {
  (void)device;
  job j = {args, args->ndim ? args->shape[args->ndim - 1] : 1};
  int64_t rows = 1;
  for (int d = 0; d < args->ndim - 1; d++) rows *= args->shape[d];
  if (j.length == 0) return SEL_OK;
  cpu_parallel(rows, (double)(rows * j.length) * NANOSECONDS, run, &j);
  return SEL_OK;
}
