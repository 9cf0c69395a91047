/* Stable sort and top-k of rows.
 *
 * Elements become pairs of an unsigned key, whose order is the wanted one, and a position. Equal
 * keys keep the order of their positions, so pairs are all different and every correct method gives
 * the same result. Long rows are sorted by radix, a byte a pass; short ones by insertion; for a
 * small k a heap keeps the first k pairs.
 */
#include <stdlib.h>
#include <string.h>

#include "float16.h"
#include "kernels.h"
#include "threads.h"

enum { SHORT_ROW = 48, HEAP_SHARE = 8 };
static const double NANOSECONDS = 30; /* an element */

typedef struct pair {
  uint64_t key;
  int64_t position;
} pair;

/* ---- keys ---- */

/* Order of IEEE numbers of `width` bits: NaN above all, -0 beside 0. `magnitude_inf` is infinity.
 */
static uint64_t float_key(uint64_t bits, int width, uint64_t magnitude_inf) {
  const uint64_t sign = UINT64_C(1) << (width - 1), all = sign | (sign - 1);
  const uint64_t magnitude = bits & (sign - 1);
  if (magnitude > magnitude_inf) return all;
  if (magnitude == 0) return sign;
  return bits & sign ? ~bits & all : bits | sign;
}

static uint64_t key_of(const void *x, sel_dtype dtype, int64_t i) {
  uint64_t bits;
  switch (dtype) {
    case SEL_F32:
      return float_key(((const uint32_t *)x)[i], 32, 0x7f800000u);
    case SEL_F64:
      memcpy(&bits, (const double *)x + i, sizeof bits);
      return float_key(bits, 64, UINT64_C(0x7ff0000000000000));
    case SEL_F16:
      return float_key(((const uint16_t *)x)[i], 16, 0x7c00u);
    case SEL_BF16:
      return float_key(((const uint16_t *)x)[i], 16, 0x7f80u);
    case SEL_I64:
      return (uint64_t)((const int64_t *)x)[i] ^ (UINT64_C(1) << 63);
    case SEL_I32:
      return (uint32_t)((const int32_t *)x)[i] ^ 0x80000000u;
    default:
      return ((const uint8_t *)x)[i];
  }
}

static void make_pairs(const void *x, sel_dtype dtype, int64_t n, bool descending, pair *out) {
  const int64_t bytes = cpu_size(dtype);
  const uint64_t flip = descending ? UINT64_MAX >> (64 - 8 * bytes) : 0;
  for (int64_t i = 0; i < n; i++) out[i] = (pair){key_of(x, dtype, i) ^ flip, i};
}

static bool before(const pair *a, const pair *b) {
  return a->key < b->key || (a->key == b->key && a->position < b->position);
}

/* ---- sorting ---- */

static void insertion_sort(pair *x, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    const pair moving = x[i];
    int64_t j = i;
    for (; j > 0 && before(&moving, &x[j - 1]); j--) x[j] = x[j - 1];
    x[j] = moving;
  }
}

/* Sorts by the lowest `bytes` bytes of the key; returns x or `spare`, whichever holds the result.
 */
static pair *radix_sort(pair *x, pair *spare, int64_t n, int bytes) {
  int64_t count[8][256];
  memset(count, 0, sizeof count);
  for (int64_t i = 0; i < n; i++)
    for (int b = 0; b < bytes; b++) count[b][x[i].key >> (8 * b) & 255]++;
  for (int b = 0; b < bytes; b++) {
    if (count[b][x[0].key >> (8 * b) & 255] == n) continue; /* one digit for all */
    int64_t first = 0;
    for (int d = 0; d < 256; d++) {
      const int64_t here = count[b][d];
      count[b][d] = first;
      first += here;
    }
    for (int64_t i = 0; i < n; i++) spare[count[b][x[i].key >> (8 * b) & 255]++] = x[i];
    pair *sorted = spare;
    spare = x;
    x = sorted;
  }
  return x;
}

/* ---- the first k: a heap whose root is the last of them ---- */

static void sift_down(pair *heap, int64_t n, int64_t i) {
  const pair moving = heap[i];
  for (int64_t child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && before(&heap[child], &heap[child + 1])) child++;
    if (!before(&moving, &heap[child])) break;
    heap[i] = heap[child];
  }
  heap[i] = moving;
}

/* Leaves the first k of n pairs, sorted, in x[0..k). */
static void heap_select(pair *x, int64_t n, int64_t k) {
  for (int64_t i = k / 2 - 1; i >= 0; i--) sift_down(x, k, i);
  for (int64_t i = k; i < n; i++) {
    if (!before(&x[i], &x[0])) continue;
    x[0] = x[i];
    sift_down(x, k, 0);
  }
  for (int64_t left = k - 1; left > 0; left--) {
    const pair last = x[0];
    x[0] = x[left];
    x[left] = last;
    sift_down(x, left, 0);
  }
}

/* ---- rows ---- */

static void put_row(const sel_sort_args *args, int64_t row, const pair *sorted) {
  const int64_t size = cpu_size(args->input.dtype);
  const char *x = (const char *)cpu_at(&args->input) + row * args->columns * size;
  char *values = (char *)cpu_at(&args->values) + row * args->k * size;
  int64_t *indices = (int64_t *)cpu_at(&args->indices) + row * args->k;
  for (int64_t i = 0; i < args->k; i++) {
    indices[i] = sorted[i].position;
    memcpy(values + i * size, x + sorted[i].position * size, (size_t)size);
  }
}

typedef struct job {
  const sel_sort_args *args;
  pair *buffer; /* 2 * columns pairs for each of `slots` ranges of rows; NULL for short rows */
  int64_t slots;
} job;

static int64_t slot_start(const job *j, int64_t slot) { return slot * j->args->rows / j->slots; }

static void sort_row(const sel_sort_args *args, int64_t row, pair *pairs, pair *spare) {
  const int bytes = (int)cpu_size(args->input.dtype);
  const char *x = (const char *)cpu_at(&args->input) + row * args->columns * bytes;
  const pair *sorted = pairs;
  make_pairs(x, args->input.dtype, args->columns, args->descending, pairs);
  if (args->columns <= SHORT_ROW)
    insertion_sort(pairs, args->columns);
  else if (args->k < args->columns / HEAP_SHARE)
    heap_select(pairs, args->columns, args->k);
  else
    sorted = radix_sort(pairs, spare, args->columns, bytes);
  put_row(args, row, sorted);
}

static void run_short(const void *context, int64_t begin, int64_t end) {
  pair pairs[SHORT_ROW];
  for (int64_t row = begin; row < end; row++) sort_row(context, row, pairs, NULL);
}

static void run_slots(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int64_t columns = j->args->columns;
  for (int64_t slot = begin; slot < end; slot++) {
    pair *pairs = j->buffer + slot * 2 * columns;
    for (int64_t row = slot_start(j, slot); row < slot_start(j, slot + 1); row++)
      sort_row(j->args, row, pairs, pairs + columns);
  }
}

sel_status CPU_NAME(cpu_sort)(sel_backend_device device, const sel_sort_args *args) {
  (void)device;
  if (args->rows == 0 || args->k == 0) return SEL_OK;
  const double work = (double)(args->rows * args->columns) * NANOSECONDS;
  if (args->columns <= SHORT_ROW) {
    cpu_parallel(args->rows, work, run_short, args);
    return SEL_OK;
  }
  job j = {args, NULL, cpu_team(args->rows, work)};
  const size_t bytes = (size_t)(j.slots * 2 * args->columns) * sizeof(pair);
  j.buffer = malloc(bytes);
  if (!j.buffer) return sel_fail(SEL_E_MEMORY, "sort: can't allocate %zu bytes to work in", bytes);
  cpu_parallel(j.slots, work, run_slots, &j);
  free(j.buffer);
  return SEL_OK;
}
