/* Resampling of planes, nearest or linear, and the way back.
 *
 *   nearest   y[o] = x[floor(o * scale)]
 *   linear    y[o] = (1 - t) x[i] + t x[i + 1], i + t = (o + 1/2) * scale - 1/2 (0 where negative),
 *             or, with align_corners, o * (in - 1) / (out - 1)
 *
 * along each dim, the last i repeated past the end. Where each output looks is computed once; items
 * of work are planes, so results don't depend on the thread count.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels.h"
#include "threads.h"

static const double NANOSECONDS = 2; /* an output element */

/* Where an output position looks along one dim: at low and high, with weights 1 - t and t. */
typedef struct look {
  int64_t low, high;
  double t;
} look;

typedef struct job {
  const sel_upsample_args *args;
  int64_t in[3], out[3], in_size, out_size;
  look *looks[3]; /* out[d] each */
} job;

/* The source position in f32 for f32 data, and for the nearest element of any data, so that choices
 * at an exact boundary are PyTorch's. */
static double source_of(const sel_upsample_args *args, double scale, double shift, int64_t o) {
  if (args->dtype == SEL_F64 && args->mode != SEL_UPSAMPLE_NEAREST)
    return ((double)o + shift) * scale - shift;
  return (double)(((float)o + (float)shift) * (float)scale - (float)shift);
}

static look look_at(const sel_upsample_args *args, int d, int64_t o) {
  const int64_t in = args->in[d], out = args->out[d];
  double source;
  if (args->mode == SEL_UPSAMPLE_NEAREST) {
    source = source_of(args, args->scale[d], 0, o);
  } else if (args->align_corners) {
    source = out > 1 ? source_of(args, (double)(in - 1) / (double)(out - 1), 0, o) : 0;
  } else {
    source = source_of(args, args->scale[d], 0.5, o);
    if (source < 0) source = 0;
  }
  int64_t low = (int64_t)source;
  if (low > in - 1) low = in - 1;
  if (args->mode == SEL_UPSAMPLE_NEAREST) return (look){low, low, 0};
  double t = source - (double)low;
  if (t > 1) t = 1;
  return (look){low, low < in - 1 ? low + 1 : low, t};
}

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#include "upsample_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#include "upsample_body.h"

sel_status CPU_NAME(cpu_upsample)(sel_backend_device device, const sel_upsample_args *args) {
  (void)device;
  job j = {.args = args, .in_size = 1, .out_size = 1};
  int64_t looks = 0;
  for (int d = 0; d < 3; d++) {
    const int from = d - (3 - args->dims);
    j.in_size *= j.in[d] = from < 0 ? 1 : args->in[from];
    j.out_size *= j.out[d] = from < 0 ? 1 : args->out[from];
    looks += j.out[d];
  }
  look *all = malloc((size_t)looks * sizeof *all);
  if (!all) return sel_fail(SEL_E_MEMORY, "upsample: no memory for its positions");
  look *next = all;
  for (int d = 0; d < 3; d++) {
    const int from = d - (3 - args->dims);
    j.looks[d] = next;
    for (int64_t o = 0; o < j.out[d]; o++)
      *next++ = from < 0 ? (look){0, 0, 0} : look_at(args, from, o);
  }
  cpu_parallel(args->planes, (double)(args->planes * j.out_size) * NANOSECONDS,
               args->dtype == SEL_F32 ? planes_f32 : planes_f64, &j);
  free(all);
  return SEL_OK;
}
