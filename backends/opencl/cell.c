/* Recurrent cells: kernels in cell.cl. */
#include <stdio.h>

#include "kernels.h"
#include "launch.h"
#include "texts.h"

static const char *const kinds[] = {[SEL_CELL_TANH] = "TANH",
                                    [SEL_CELL_RELU] = "RELU",
                                    [SEL_CELL_LSTM] = "LSTM",
                                    [SEL_CELL_GRU] = "GRU"};

sel_status opencl_cell(sel_backend_device handle, const sel_cell_args *args) {
  opencl_device *device = handle;
  const int64_t items = args->n * args->size;
  const sel_status status = opencl_check_dtype(device, args->dtype, "recurrent cell");
  if (status != SEL_OK || items == 0) return status;
  char defines[512];
  snprintf(defines, sizeof defines,
           "#define T %s\n#define KIND %s\n#define GATES %d\n#define MASKED %d\n#define SAVES %d\n"
           "#define HAS_GRAD_H %d\n#define HAS_GRAD_OUT %d\n#define HAS_GRAD_C %d\n"
           "#define HAS_GRAD_GATES_H %d\n#define HAS_GRAD_H_PREV %d\n",
           args->dtype == SEL_F64 ? "double" : "float", kinds[args->kind],
           (int)sel_cell_gates(args->kind), args->mask.data != NULL, args->saved.data != NULL,
           args->grad_h.data != NULL, args->grad_out.data != NULL, args->grad_c.data != NULL,
           args->grad_gates_h.data != NULL, args->grad_h_prev.data != NULL);
  const sel_operand *operands[] = {&args->gates_x,      &args->gates_h,     &args->h_prev,
                                   &args->c_prev,       &args->h,           &args->c,
                                   &args->saved,        &args->mask,        &args->grad_h,
                                   &args->grad_out,     &args->grad_c,      &args->grad_gates_x,
                                   &args->grad_gates_h, &args->grad_h_prev, &args->grad_c_prev};
  const int count = args->backward ? 15 : 8;
  opencl_launch l;
  opencl_begin(&l, device, "recurrent cell", "cell.cl", opencl_text_cell, defines,
               args->backward ? "backward" : "forward");
  opencl_long(&l, args->n);
  opencl_long(&l, args->size);
  for (int i = 0; i < count; i++) opencl_operand(&l, operands[i]);
  return opencl_run(&l, 1, &items, NULL);
}
