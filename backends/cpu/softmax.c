/* Softmax and log-softmax, forward and backward, along the middle of [outer, extent, inner].
 *
 *   y = exp(x - max) / sum exp(x - max)           dx = y (dy - sum y dy)
 *   y = x - max - log(sum exp(x - max))           dx = dy - exp(y) sum dy
 */
#include <math.h>
#include <string.h>

#include "kernels.h"
#include "math_f32.h"
#include "threads.h"

enum {
  SHORT_ROW = 64, /* elements */
  ROW_BLOCK = 16, /* short rows done together */
  ROW_LANES = 32,
  STRIP = 64, /* inner positions done together when rows are not contiguous */
};
static const double NANOSECONDS = 1.5; /* an element */

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#define EXP cpu_expf
#define LOG cpu_logf
#include "softmax_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#define EXP exp
#define LOG log
#include "softmax_body.h"

sel_status CPU_NAME(cpu_softmax)(sel_backend_device device, const sel_softmax_args *args) {
  (void)device;
  const int64_t elements = args->outer * args->extent * args->inner;
  if (elements == 0) return SEL_OK;
  const bool f32 = args->out.dtype == SEL_F32;
  const double work = (double)elements * NANOSECONDS * (f32 ? 1 : 4);
  if (args->inner == 1) {
    cpu_parallel(args->outer, work, f32 ? rows_f32 : rows_f64, args);
  } else {
    const int64_t strips = (args->inner + STRIP - 1) / STRIP;
    cpu_parallel(args->outer * strips, work, f32 ? strips_f32 : strips_f64, args);
  }
  return SEL_OK;
}
