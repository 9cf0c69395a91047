/* Depthwise convolution whose windows move by 1: planes are copied into a frame of zeros as wide as
 * the windows reach, where a tap is the same distance from every position. Then a plane is one long
 * vector, and the sum over taps a sum of shifted vectors. A row's positions past its end are
 * computed too and thrown away.
 *
 * The gradient of the input is the same sum with the taps in reversed order. Items of work are
 * planes of the result (or the weights of a channel), so results don't depend on the thread count.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "conv.h"
#include "threads.h"

enum {
  BLOCK = 64,      /* positions whose sums are carried at once */
  FRAME = 1 << 16, /* elements of a frame that stays in a core's own cache */
  MOST_TAPS = 256
};
static const double NANOSECONDS = 0.04; /* a multiplication and addition in f32 */

/* One plane to another: position o of `to` sees those of `from` at o - padding + k * dilation. */
typedef struct frame {
  int64_t from[3], to[3], padding[3];
  int64_t extent[3]; /* of the frame: to[d] + reach of the window */
  int64_t size;      /* elements of the frame */
  int64_t length;    /* of the vector from the first position to the last */
  int64_t taps, offset[MOST_TAPS];
} frame;

typedef struct job {
  const sel_conv_args *args;
  const cpu_window *window;
  frame frame;
  int64_t share; /* output channels of one input channel */
  char *scratch;
  size_t lane; /* bytes of scratch that one thread needs: two frames */
  atomic_int *lanes;
} job;

static frame frame_of(const cpu_window *w, bool back) {
  frame f = {.size = 1, .taps = w->taps};
  for (int d = 0; d < 3; d++) {
    const int64_t reach = w->dilation[d] * (w->kernel[d] - 1);
    f.from[d] = back ? w->out[d] : w->in[d];
    f.to[d] = back ? w->in[d] : w->out[d];
    f.padding[d] = back ? reach - w->padding[d] : w->padding[d];
    f.extent[d] = f.to[d] + reach;
    f.size *= f.extent[d];
  }
  f.length = ((f.to[0] - 1) * f.extent[1] + f.to[1] - 1) * f.extent[2] + f.to[2];
  for (int64_t t = 0; t < w->taps && t < MOST_TAPS; t++) {
    const int64_t a = t / (w->kernel[1] * w->kernel[2]), b = t / w->kernel[2] % w->kernel[1];
    const int64_t c = t % w->kernel[2];
    f.offset[t] =
        (a * w->dilation[0] * f.extent[1] + b * w->dilation[1]) * f.extent[2] + c * w->dilation[2];
  }
  return f;
}

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#include "conv_flat_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#include "conv_flat_body.h"

bool CPU_NAME(cpu_conv_is_flat)(const sel_conv_args *args, const cpu_window *w) {
  for (int d = 0; d < 3; d++)
    if (w->stride[d] != 1 || w->in[d] > FRAME || w->out[d] > FRAME ||
        w->dilation[d] * w->kernel[d] > FRAME)
      return false;
  const frame f = frame_of(w, args->op == SEL_CONV_GRAD_INPUT);
  return f.size <= FRAME && w->taps <= MOST_TAPS;
}

sel_status CPU_NAME(cpu_conv_flat)(const sel_conv_args *args, const cpu_window *w) {
  const bool f32 = args->dtype == SEL_F32;
  atomic_int lanes = 0;
  job j = {.args = args,
           .window = w,
           .frame = frame_of(w, args->op == SEL_CONV_GRAD_INPUT),
           .share = args->out_channels / args->channels,
           .lanes = &lanes};
  const int64_t items = args->op == SEL_CONV_FORWARD      ? args->n * args->out_channels
                        : args->op == SEL_CONV_GRAD_INPUT ? args->n * args->channels
                                                          : args->out_channels;
  const double work = (double)(args->n * args->out_channels) * (double)(j.frame.length * w->taps) *
                      NANOSECONDS * (f32 ? 1 : 2);
  static cpu_body *const bodies[3][2] = {{forward_f32, forward_f64},
                                         {grad_input_f32, grad_input_f64},
                                         {grad_weight_f32, grad_weight_f64}};
  j.lane = (2 * (size_t)j.frame.size * sel_dtype_size(args->dtype) + 63) / 64 * 64;
  j.scratch = aligned_alloc(64, (size_t)cpu_team(items, work) * j.lane);
  if (!j.scratch) return sel_fail(SEL_E_MEMORY, "convolution: no memory for its frames");
  cpu_parallel(items, work, bodies[args->op][!f32], &j);
  free(j.scratch);
  return SEL_OK;
}
