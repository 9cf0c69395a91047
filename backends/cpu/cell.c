/* One step of the recurrent cells of torch.nn (RNN, LSTM, GRU) after the matrix products, forward
 * and backward (contract: sel_cell_args in selenite/backend.h). Rows are independent. */
#include <math.h>
#include <string.h>

#include "kernels.h"
#include "math_f32.h"
#include "threads.h"

static const double NANOSECONDS = 1; /* a gate's element */

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#define EXP cpu_expf
#define TANH cpu_tanhf
#include "cell_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#define EXP exp
#define TANH tanh
#include "cell_body.h"

sel_status CPU_NAME(cpu_cell)(sel_backend_device device, const sel_cell_args *args) {
  (void)device;
  const bool f32 = args->dtype == SEL_F32;
  const double work =
      (double)(args->n * args->size * sel_cell_gates(args->kind)) * NANOSECONDS * (f32 ? 1 : 8);
  if (args->backward)
    cpu_parallel(args->n, work, f32 ? backward_rows_f32 : backward_rows_f64, args);
  else
    cpu_parallel(args->n, work, f32 ? forward_rows_f32 : forward_rows_f64, args);
  return SEL_OK;
}
