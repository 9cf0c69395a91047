/* Cross-entropy from logits, forward and backward, a row at a time.
 *
 * With p = softmax(x), target distribution q (1 - e at the id, plus e / classes everywhere) and
 * class weights w: loss = - sum_c q_c w_c log p_c                dx_c = g (p_c sum_k q_k w_k - q_c
 * w_c)
 */
#include <math.h>
#include <string.h>

#include "ids.h"
#include "kernels.h"
#include "math_f32.h"
#include "threads.h"

enum {
  SHORT_ROW = 64, /* classes */
  ROW_BLOCK = 16, /* short rows done together */
  ROW_LANES = 32,
};
static const double NANOSECONDS = 1.2; /* a logit */

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#define EXP cpu_expf
#define LOG cpu_logf
#include "cross_entropy_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#define EXP exp
#define LOG log
#include "cross_entropy_body.h"

sel_status CPU_NAME(cpu_cross_entropy)(sel_backend_device device,
                                       const sel_cross_entropy_args *args) {
  (void)device;
  const void *target = cpu_at(&args->target);
  const int64_t bad =
      cpu_first_bad_id(target, args->target.dtype, args->rows, args->classes, &args->ignore_index);
  if (bad >= 0)
    return sel_fail(SEL_E_ARGUMENT,
                    "cross_entropy: class id %lld at position %lld is outside [0, %lld)",
                    (long long)cpu_id(target, args->target.dtype, bad), (long long)bad,
                    (long long)args->classes);
  const bool f32 = args->logits.dtype == SEL_F32;
  const double work = (double)(args->rows * args->classes) * NANOSECONDS * (f32 ? 1 : 4);
  if (args->backward)
    cpu_parallel(args->rows, work, f32 ? backward_f32 : backward_f64, args);
  else
    cpu_parallel(args->rows, work, f32 ? forward_f32 : forward_f64, args);
  return SEL_OK;
}
