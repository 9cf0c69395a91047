/* Convolution whose output channels see one input channel each: rows of the output are sums of
 * shifted rows of the input, one a tap.
 *
 * Items of work are planes of the result (or the weights of a channel), so results don't depend on
 * the thread count.
 */
#include <string.h>

#include "conv.h"
#include "threads.h"

enum { FEW = 4 };                       /* output channels that share an input channel */
static const double NANOSECONDS = 0.15; /* a multiplication and addition in f32 */

typedef struct job {
  const sel_conv_args *args;
  const cpu_window *window;
  int64_t share; /* output channels of one input channel */
} job;

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#include "conv_depthwise_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#include "conv_depthwise_body.h"

bool CPU_NAME(cpu_conv_is_depthwise)(const sel_conv_args *args) {
  return args->groups == args->channels && args->out_channels / args->groups <= FEW;
}

sel_status CPU_NAME(cpu_conv_depthwise)(const sel_conv_args *args, const cpu_window *window) {
  const job j = {args, window, args->out_channels / args->channels};
  const bool f32 = args->dtype == SEL_F32;
  const double work = (double)(args->n * args->out_channels) *
                      (double)(window->out_size * window->taps) * NANOSECONDS * (f32 ? 1 : 2);
  switch (args->op) {
    case SEL_CONV_FORWARD:
      cpu_parallel(args->n * args->out_channels, work, f32 ? forward_f32 : forward_f64, &j);
      break;
    case SEL_CONV_GRAD_INPUT:
      cpu_parallel(args->n * args->channels, work, f32 ? grad_input_f32 : grad_input_f64, &j);
      break;
    default:
      cpu_parallel(args->out_channels, work, f32 ? grad_weight_f32 : grad_weight_f64, &j);
  }
  return SEL_OK;
}
