/* One step of the recurrent cells of torch.nn (RNN, LSTM, GRU) after the matrix products, forward
 * and backward (contract: sel_cell_args in selenite/backend.h). Rows are independent. */
#include "cell.h"

#include <math.h>
#include <string.h>

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

void CPU_NAME(cpu_cell_rows)(const sel_cell_args *args, int64_t begin, int64_t end) {
  const bool f32 = args->dtype == SEL_F32;
  if (args->backward)
    (f32 ? backward_rows_f32 : backward_rows_f64)(args, begin, end);
  else
    (f32 ? forward_rows_f32 : forward_rows_f64)(args, begin, end);
}

double CPU_NAME(cpu_cell_nanoseconds)(const sel_cell_args *args) {
  const double elements = (double)(args->n * args->size * sel_cell_gates(args->kind));
  return elements * NANOSECONDS * (args->dtype == SEL_F32 ? 1 : 8);
}

static void rows(const void *context, int64_t begin, int64_t end) {
  CPU_NAME(cpu_cell_rows)(context, begin, end);
}

sel_status CPU_NAME(cpu_cell)(sel_backend_device device, const sel_cell_args *args) {
  (void)device;
  cpu_parallel(args->n, CPU_NAME(cpu_cell_nanoseconds)(args), rows, args);
  return SEL_OK;
}
