/* Cross-entropy: kernels in cross_entropy.cl. */
#include <stdio.h>

#include "ids.h"
#include "kernels.h"
#include "lines.h"
#include "report.h"
#include "texts.h"

sel_status opencl_cross_entropy(sel_backend_device handle, const sel_cross_entropy_args *args) {
  opencl_device *device = handle;
  sel_status status = opencl_check_dtype(device, args->logits.dtype, "cross_entropy");
  if (status != SEL_OK || args->rows == 0) return status;
  const sel_dtype sum = device->f64 ? SEL_F64 : SEL_F32;
  char defines[160];
  snprintf(defines, sizeof defines,
           "#define T %s\n#define SUM %s\n#define ID %s\n#define WEIGHTED %d\n",
           args->logits.dtype == SEL_F64 ? "double" : "float", sum == SEL_F64 ? "double" : "float",
           opencl_id_type(&args->target), args->weight.data != NULL);
  opencl_launch l;
  opencl_lines_begin(&l, device, "cross_entropy.cl", opencl_text_cross_entropy, defines,
                     args->backward ? "backward" : "forward", true, args->classes);
  opencl_long(&l, args->rows);
  opencl_long(&l, args->classes);
  opencl_operand(&l, &args->logits);
  opencl_operand(&l, &args->target);
  opencl_operand(&l, &args->weight);
  opencl_long(&l, args->ignore_index);
  opencl_real(&l, sum, args->label_smoothing);
  opencl_operand(&l, args->backward ? &args->grad_losses : &args->losses);
  opencl_operand(&l, &args->log_sums);
  if (args->backward) opencl_operand(&l, &args->grad_logits);
  opencl_report_to(&l, "cross_entropy", "class id");
  return opencl_lines_run(&l, args->rows);
}
