/* Normalisation, forward and backward (formulas: sel_norm_args in selenite/backend.h).
 *
 * x is a sequence of segments. A statistic covers one contiguous segment (layer, rms, group norm)
 * or one segment of each sample (batch norm). Where batch norm's segments are short, several
 * channels advance together, sample by sample: a strip. Sums are carried in double. Each result is
 * computed by one item of work, so thread counts don't show.
 */
#include <math.h>

#include "kernels.h"
#include "threads.h"

enum {
  STRIP = 128,        /* positions of a strip */
  SHORT_SEGMENT = 32, /* batch norm works by strips up to this many positions a channel */
  COLUMNS = 64        /* columns whose affine gradients are summed together */
};
static const double NANOSECONDS = 0.5; /* an element and pass */

/* With xhat = (x - mean) rstd, g the gradient of y and w the weight:
 * grad_x = rstd (w g - share_g - xhat share_gx), where share_g and share_gx are the means of w g
 * and w g xhat over the statistic's elements; both 0 for fixed statistics, share_g 0 for rms. */

/* Elements of a statistic. */
static int64_t population(const sel_norm_args *args) {
  switch (args->kind) {
    case SEL_NORM_GROUP:
      return args->channels / args->groups * args->inner;
    case SEL_NORM_BATCH:
      return args->n * args->inner;
    default:
      return args->inner;
  }
}

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#include "norm_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#include "norm_body.h"

sel_status CPU_NAME(cpu_norm)(sel_backend_device device, const sel_norm_args *args) {
  (void)device;
  if (args->dtype == SEL_F32)
    run_f32(args);
  else
    run_f64(args);
  return SEL_OK;
}
