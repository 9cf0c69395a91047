/* Softmax: kernels in softmax.cl. */
#include <stdio.h>

#include "kernels.h"
#include "lines.h"
#include "texts.h"

enum { BESIDE = 64 }; /* lines of a work-item that lie beside one another */

sel_status opencl_softmax(sel_backend_device handle, const sel_softmax_args *args) {
  opencl_device *device = handle;
  const sel_status status = opencl_check_dtype(device, args->out.dtype, "softmax");
  const int64_t lines = args->outer * args->inner;
  if (status != SEL_OK || lines * args->extent == 0) return status;
  const bool dense = args->inner == 1, beside = device->host && !dense;
  char defines[160];
  const char *type = args->out.dtype == SEL_F64 ? "double" : "float";
  snprintf(defines, sizeof defines,
           "#define T %s\n#define SUM %s\n#define LOG %d\n#define DENSE %d\n"
           "#define BESIDE %d\n",
           type, type, args->log, dense, BESIDE);
  opencl_launch l;
  opencl_lines_begin(&l, device, "softmax.cl", opencl_text_softmax, defines,
                     beside           ? args->backward ? "backward_beside" : "forward_beside"
                     : args->backward ? "backward"
                                      : "forward",
                     dense, args->extent);
  opencl_long(&l, lines);
  opencl_long(&l, args->extent);
  opencl_long(&l, args->inner);
  opencl_operand(&l, &args->x);
  if (args->backward) opencl_operand(&l, &args->grad);
  opencl_operand(&l, &args->out);
  const int64_t blocks = args->outer * ((args->inner + BESIDE - 1) / BESIDE);
  const size_t alone = 1;
  return beside ? opencl_run(&l, 1, &blocks, &alone) : opencl_lines_run(&l, lines);
}
