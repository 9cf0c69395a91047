/* Pooling: the largest or the mean element of each window, and the way back.
 *
 * Items of work are planes, so results don't depend on the thread count. Outputs of a row whose
 * windows lie wholly inside the input's rows are taken together, tap by tap along the row; other
 * windows one by one. The largest of 2x2 elements side by side has loops of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels.h"
#include "threads.h"
#include "window.h"

static const double NANOSECONDS = 0.5; /* an element of a window */
enum {
  MOST_TAPS = 64, /* of windows that are taken along the row */
  STRIP = 16,     /* outputs that are taken together */
  WIDE = 8,       /* the same of 2x2 windows, */
  NARROW = 4      /* and in short rows */
};

/* What one window takes of a dim: positions first, first + step, ... below end; and what that dim
 * counts in the divisor of a mean. */
typedef struct range {
  int64_t first, end, step, extent;
} range;

typedef struct job {
  const sel_pool_args *args;
  cpu_window window;
  const range *ranges[3];   /* of the outputs along each dim */
  int64_t inner, inner_end; /* outputs [inner, inner_end) of a row: windows wholly inside it */
  bool squares;             /* windows of 2x2 side by side, all inside, rows of NARROW at least */
} job;

static range range_of(const sel_pool_args *args, const cpu_window *w, int d, int64_t o) {
  if (args->adaptive) {
    const int64_t in = w->in[d], out = w->out[d];
    const int64_t first = o * in / out, end = ((o + 1) * in + out - 1) / out;
    return (range){first, end, 1, end - first};
  }
  range r = {cpu_window_at(w, d, o, 0), cpu_window_at(w, d, o, w->kernel[d] - 1) + 1,
             w->dilation[d], 0};
  if (r.first < 0) r.first += (-r.first + r.step - 1) / r.step * r.step;
  if (r.end > w->in[d]) r.end = w->in[d];
  r.extent = r.end - r.first;
  if (args->count_padding) {
    const int64_t first = o * w->stride[d] - w->padding[d];
    const int64_t end = first + w->kernel[d], limit = w->in[d] + w->padding[d];
    r.extent = (end < limit ? end : limit) - first;
  }
  return r;
}

/* What AVG divides by. */
static int64_t divisor_of(const job *j, const range *a, const range *b, const range *c) {
  return j->args->divisor ? j->args->divisor : a->extent * b->extent * c->extent;
}

/* The rows of the input that windows at `a` and `b` see, as offsets of their first elements into
 * `rows`; how many. */
static int64_t rows_of(const cpu_window *w, const range *a, const range *b, int64_t *rows) {
  int64_t n = 0;
  for (int64_t i0 = a->first; i0 < a->end; i0 += a->step)
    for (int64_t i1 = b->first; i1 < b->end; i1 += b->step)
      rows[n++] = (i0 * w->in[1] + i1) * w->in[2];
  return n;
}

/* Finds the outputs whose windows can be taken along the row; none where windows are large, whose
 * sums need care, or are not all alike. */
static void find_inner(job *j) {
  const cpu_window *w = &j->window;
  int64_t unused;
  if (j->args->adaptive || w->taps > MOST_TAPS) return;
  cpu_window_inside(w, 2, 0, 0, w->out[2], &j->inner, &unused);
  cpu_window_inside(w, 2, w->kernel[2] - 1, j->inner, w->out[2], &j->inner, &j->inner_end);
}

static bool are_squares(const job *j) {
  const cpu_window *w = &j->window;
  bool squares = !j->args->adaptive && w->taps == 4 && w->out[2] >= NARROW;
  for (int d = 1; d < 3; d++)
    squares = squares && w->kernel[d] == 2 && w->stride[d] == 2 && w->dilation[d] == 1 &&
              w->padding[d] == 0 && 2 * w->out[d] <= w->in[d];
  return squares && w->stride[0] == 1 && w->padding[0] == 0;
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
  job j = {.args = args,
           .window = cpu_window_of(args->dims, args->in, args->out, adaptive ? one : args->kernel,
                                   adaptive ? one : args->stride, adaptive ? zero : args->padding,
                                   adaptive || average ? one : args->dilation)};
  const cpu_window *w = &j.window;
  range *ranges = malloc((size_t)(w->out[0] + w->out[1] + w->out[2]) * sizeof *ranges),
        *next = ranges;
  if (!ranges) return sel_fail(SEL_E_MEMORY, "pooling: no memory for its windows");
  for (int d = 0; d < 3; d++) {
    j.ranges[d] = next;
    for (int64_t o = 0; o < w->out[d]; o++) *next++ = range_of(args, w, d, o);
  }
  find_inner(&j);
  j.squares = are_squares(&j);
  static cpu_body *const bodies[4][2] = {{max_f32, max_f64},
                                         {max_grad_f32, max_grad_f64},
                                         {average_f32, average_f64},
                                         {average_grad_f32, average_grad_f64}};
  const int64_t read = j.window.out_size * (adaptive ? 1 : j.window.taps);
  const int64_t elements = args->planes * (read > j.window.in_size ? read : j.window.in_size);
  cpu_parallel(args->planes, (double)elements * NANOSECONDS,
               bodies[args->op][args->dtype == SEL_F64], &j);
  free(ranges);
  return SEL_OK;
}
