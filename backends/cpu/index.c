/* Indexing along one dim of [outer, extent, inner]: select, gather and their inverses.
 *
 * All indices are checked before anything is written. Writes that may meet in one place are given
 * to one thread, in C order: the inverses are cut by the inner position or by the target, never by
 * the index list, so results don't depend on the number of threads.
 */
#include <string.h>

#include "float16.h"
#include "ids.h"
#include "kernels.h"
#include "threads.h"

static const double NANOSECONDS = 1; /* an element */

static bool by_element(sel_index_op op) {
  return op == SEL_INDEX_GATHER || op == SEL_INDEX_SCATTER || op == SEL_INDEX_SCATTER_ADD;
}

static sel_status check(const sel_index_args *args) {
  const int64_t n = by_element(args->op) ? args->outer * args->count * args->inner : args->count;
  const void *ids = cpu_at(&args->index);
  const int64_t bad = cpu_first_bad_id(ids, args->index.dtype, n, args->extent, NULL);
  if (bad < 0) return SEL_OK;
  return sel_fail(SEL_E_ARGUMENT, "index %lld at position %lld is outside [0, %lld)",
                  (long long)cpu_id(ids, args->index.dtype, bad), (long long)bad,
                  (long long)args->extent);
}

/* ---- select: copies of whole inner runs; item = (outer, position in the index list) ---- */

static void run_select(const void *context, int64_t begin, int64_t end) {
  const sel_index_args *args = context;
  const void *ids = cpu_at(&args->index);
  const int64_t bytes = args->inner * cpu_size(args->x.dtype);
  const char *x = cpu_at(&args->x);
  char *out = cpu_at(&args->out);
  for (int64_t item = begin; item < end; item++) {
    const int64_t o = item / args->count;
    const int64_t id = cpu_id(ids, args->index.dtype, item % args->count);
    memcpy(out + item * bytes, x + (o * args->extent + id) * bytes, (size_t)bytes);
  }
}

/* ---- sums ---- */

static void add_f32(void *out, const void *x, int64_t n) {
  float *to = out;
  for (int64_t i = 0; i < n; i++) to[i] += ((const float *)x)[i];
}

static void add_f64(void *out, const void *x, int64_t n) {
  double *to = out;
  for (int64_t i = 0; i < n; i++) to[i] += ((const double *)x)[i];
}

static void add_f16(void *out, const void *x, int64_t n) {
  uint16_t *to = out;
  for (int64_t i = 0; i < n; i++)
    to[i] = cpu_f16_of_float(cpu_float_of_f16(to[i]) + cpu_float_of_f16(((const uint16_t *)x)[i]));
}

static void add_bf16(void *out, const void *x, int64_t n) {
  uint16_t *to = out;
  for (int64_t i = 0; i < n; i++)
    to[i] =
        cpu_bf16_of_float(cpu_float_of_bf16(to[i]) + cpu_float_of_bf16(((const uint16_t *)x)[i]));
}

static void add_i64(void *out, const void *x, int64_t n) {
  int64_t *to = out;
  for (int64_t i = 0; i < n; i++) to[i] += ((const int64_t *)x)[i];
}

static void add_i32(void *out, const void *x, int64_t n) {
  int32_t *to = out;
  for (int64_t i = 0; i < n; i++) to[i] += ((const int32_t *)x)[i];
}

static void add_u8(void *out, const void *x, int64_t n) {
  uint8_t *to = out;
  for (int64_t i = 0; i < n; i++) to[i] = (uint8_t)(to[i] + ((const uint8_t *)x)[i]);
}

typedef void add_run(void *out, const void *x, int64_t n);
static add_run *const add_runs[SEL_DTYPE_COUNT] = {
    [SEL_F32] = add_f32, [SEL_F64] = add_f64, [SEL_F16] = add_f16, [SEL_BF16] = add_bf16,
    [SEL_I64] = add_i64, [SEL_I32] = add_i32, [SEL_U8] = add_u8,
};

/* Item = (outer, target): each thread reads the whole index list and takes its own targets. */
static void run_add(const void *context, int64_t begin, int64_t end) {
  const sel_index_args *args = context;
  const void *ids = cpu_at(&args->index);
  const int64_t bytes = args->inner * cpu_size(args->x.dtype);
  const char *x = cpu_at(&args->x);
  char *out = cpu_at(&args->out);
  add_run *const add = add_runs[args->x.dtype];
  for (int64_t o = begin / args->extent; o * args->extent < end; o++) {
    for (int64_t j = 0; j < args->count; j++) {
      const int64_t target = o * args->extent + cpu_id(ids, args->index.dtype, j);
      if (target < begin || target >= end) continue;
      add(out + target * bytes, x + (o * args->count + j) * bytes, args->inner);
    }
  }
}

/* ---- gather and scatter: item = (outer, inner), a line of `count` indices ---- */

static void move_element(char *to, const char *from, int64_t size) {
  switch (size) {
    case 1:
      memcpy(to, from, 1);
      break;
    case 2:
      memcpy(to, from, 2);
      break;
    case 4:
      memcpy(to, from, 4);
      break;
    default:
      memcpy(to, from, 8);
  }
}

/* Elements j of outer slice o, inner positions [low, high): `packed` counts along the index tensor,
 * `spread` along the dim of `extent`. */
static void run_slice(const sel_index_args *args, int64_t o, int64_t low, int64_t high) {
  const void *ids = cpu_at(&args->index);
  const int64_t size = cpu_size(args->x.dtype);
  const char *x = cpu_at(&args->x);
  char *out = cpu_at(&args->out);
  add_run *const add = add_runs[args->x.dtype];
  for (int64_t j = 0; j < args->count; j++) {
    for (int64_t i = low; i < high; i++) {
      const int64_t packed = (o * args->count + j) * args->inner + i;
      const int64_t id = cpu_id(ids, args->index.dtype, packed);
      const int64_t spread = (o * args->extent + id) * args->inner + i;
      if (args->op == SEL_INDEX_GATHER)
        move_element(out + packed * size, x + spread * size, size);
      else if (args->op == SEL_INDEX_SCATTER)
        move_element(out + spread * size, x + packed * size, size);
      else
        add(out + spread * size, x + packed * size, 1);
    }
  }
}

static void run_elements(const void *context, int64_t begin, int64_t end) {
  const sel_index_args *args = context;
  while (begin < end) {
    const int64_t o = begin / args->inner, low = begin % args->inner;
    const int64_t left = end - o * args->inner;
    const int64_t high = left < args->inner ? left : args->inner;
    run_slice(args, o, low, high);
    begin = o * args->inner + high;
  }
}

sel_status CPU_NAME(cpu_index)(sel_backend_device device, const sel_index_args *args) {
  (void)device;
  const sel_status status = check(args);
  if (status) return status;
  const double work = (double)(args->outer * args->count * args->inner) * NANOSECONDS;
  if (work == 0) return SEL_OK;
  if (args->op == SEL_INDEX_SELECT)
    cpu_parallel(args->outer * args->count, work, run_select, args);
  else if (args->op == SEL_INDEX_ADD)
    cpu_parallel(args->outer * args->extent, work, run_add, args);
  else
    cpu_parallel(args->outer * args->inner, work, run_elements, args);
  return SEL_OK;
}
