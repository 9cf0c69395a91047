/* Pooling: the largest or the mean element of each window, and the way back.
 *
 * Items of work are planes, so results don't depend on the thread count. Rows whose windows lie
 * wholly inside, one element or two apart, take their extreme element by element along the row;
 * other windows one by one.
 */
#include <string.h>

#include "kernels.h"
#include "threads.h"
#include "window.h"

static const double NANOSECONDS = 0.5; /* an element of a window */

typedef struct job {
  const sel_pool_args *args;
  cpu_window window;
} job;

/* What one window takes of each dim: positions first, first + step, ... below end. */
typedef struct range {
  int64_t first, end, step;
} range;

static range range_of(const job *j, int d, int64_t o) {
  const cpu_window *w = &j->window;
  if (j->args->adaptive) {
    const int64_t in = w->in[d], out = w->out[d];
    return (range){o * in / out, ((o + 1) * in + out - 1) / out, 1};
  }
  range r = {cpu_window_at(w, d, o, 0), cpu_window_at(w, d, o, w->kernel[d] - 1) + 1,
             w->dilation[d]};
  if (r.first < 0) r.first += (-r.first + r.step - 1) / r.step * r.step;
  if (r.end > w->in[d]) r.end = w->in[d];
  return r;
}

/* What AVG divides by. */
static double divisor_of(const job *j, const int64_t *o) {
  const cpu_window *w = &j->window;
  if (j->args->divisor) return (double)j->args->divisor;
  double size = 1;
  for (int d = 0; d < 3; d++) {
    const range r = range_of(j, d, o[d]);
    int64_t extent = r.end - r.first;
    if (!j->args->adaptive && j->args->count_padding) {
      const int64_t first = o[d] * w->stride[d] - w->padding[d];
      const int64_t end = first + w->kernel[d], limit = w->in[d] + w->padding[d];
      extent = (end < limit ? end : limit) - first;
    }
    size *= (double)extent;
  }
  return size;
}

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#include "pool_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#include "pool_body.h"

sel_status CPU_NAME(cpu_pool)(sel_backend_device device, const sel_pool_args *args) {
  (void)device;
  static const int64_t one[3] = {1, 1, 1}, zero[3] = {0, 0, 0};
  const bool adaptive = args->adaptive, average = args->op >= SEL_POOL_AVG;
  const job j = {args, cpu_window_of(args->dims, args->in, args->out, adaptive ? one : args->kernel,
                                     adaptive ? one : args->stride, adaptive ? zero : args->padding,
                                     adaptive || average ? one : args->dilation)};
  static cpu_body *const bodies[4][2] = {{max_f32, max_f64},
                                         {max_grad_f32, max_grad_f64},
                                         {average_f32, average_f64},
                                         {average_grad_f32, average_grad_f64}};
  const int64_t read = j.window.out_size * (adaptive ? 1 : j.window.taps);
  const int64_t elements = args->planes * (read > j.window.in_size ? read : j.window.in_size);
  cpu_parallel(args->planes, (double)elements * NANOSECONDS,
               bodies[args->op][args->dtype == SEL_F64], &j);
  return SEL_OK;
}
