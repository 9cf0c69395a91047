/* Normalisation: kernels in norm.cl. */
#include <stdio.h>

#include "kernels.h"
#include "lines.h"
#include "texts.h"

/* As norm.cl has it. */
typedef struct shape {
  cl_long n, channels, inner, groups;
} shape;

static void begin(opencl_launch *l, opencl_device *device, const sel_norm_args *args,
                  const char *name, bool dense, int64_t length) {
  char defines[256];
  snprintf(defines, sizeof defines,
           "#define T %s\n#define SUM %s\n#define KIND %d\n#define WEIGHTED %d\n"
           "#define SHIFTED %d\n#define FIXED %d\n",
           args->dtype == SEL_F64 ? "double" : "float", device->f64 ? "double" : "float",
           (int)args->kind, args->weight.data != NULL, args->bias.data != NULL,
           args->fixed_statistics);
  opencl_lines_begin(l, device, "norm.cl", opencl_text_norm, defines, name, dense, length);
  const bool grouped = args->kind == SEL_NORM_GROUP;
  const shape z = {args->n, args->channels, args->inner, grouped ? args->groups : 1};
  opencl_value(l, &z, sizeof z);
}

/* How many statistics there are, and the elements of each. */
static int64_t statistics_of(const sel_norm_args *args, int64_t *length) {
  const int64_t all = args->n * args->channels * args->inner;
  const int64_t count = args->kind == SEL_NORM_BATCH   ? args->channels
                        : args->kind == SEL_NORM_GROUP ? args->n * args->groups
                                                       : args->n;
  *length = all / count;
  return count;
}

static sel_status forward(opencl_device *device, const sel_norm_args *args) {
  int64_t length;
  const int64_t statistics = statistics_of(args, &length);
  static const sel_operand none;
  opencl_launch l;
  begin(&l, device, args, "forward", true, length);
  opencl_long(&l, statistics);
  opencl_real(&l, device->f64 ? SEL_F64 : SEL_F32, args->eps);
  opencl_operand(&l, &args->x);
  opencl_operand(&l, &args->y);
  opencl_operand(&l, &args->mean);
  opencl_operand(&l, &args->rstd);
  opencl_operand(&l, args->kind == SEL_NORM_BATCH ? &args->var : &none);
  opencl_operand(&l, &args->weight);
  opencl_operand(&l, &args->bias);
  return opencl_lines_run(&l, statistics);
}

static sel_status backward(opencl_device *device, const sel_norm_args *args) {
  int64_t length;
  const int64_t statistics = statistics_of(args, &length);
  opencl_launch l;
  begin(&l, device, args, "backward", true, length);
  opencl_long(&l, statistics);
  opencl_operand(&l, &args->x);
  opencl_operand(&l, &args->grad);
  opencl_operand(&l, &args->mean);
  opencl_operand(&l, &args->rstd);
  opencl_operand(&l, &args->weight);
  opencl_operand(&l, &args->grad_x);
  return opencl_lines_run(&l, statistics);
}

static sel_status affine_gradients(opencl_device *device, const sel_norm_args *args) {
  const bool by_column = args->kind == SEL_NORM_LAYER || args->kind == SEL_NORM_RMS;
  const int64_t numbers = by_column ? args->inner : args->channels;
  opencl_launch l;
  begin(&l, device, args, "affine_gradients", !by_column,
        by_column ? args->n : args->n * args->inner);
  opencl_long(&l, numbers);
  opencl_operand(&l, &args->x);
  opencl_operand(&l, &args->grad);
  opencl_operand(&l, &args->mean);
  opencl_operand(&l, &args->rstd);
  opencl_operand(&l, &args->grad_weight);
  opencl_operand(&l, &args->grad_bias);
  return opencl_lines_run(&l, numbers);
}

sel_status opencl_norm(sel_backend_device handle, const sel_norm_args *args) {
  opencl_device *device = handle;
  sel_status status = opencl_check_dtype(device, args->dtype, "norm");
  if (status != SEL_OK) return status;
  if (!args->backward) return forward(device, args);
  if (args->grad_x.data) status = backward(device, args);
  if (status == SEL_OK && (args->grad_weight.data || args->grad_bias.data))
    status = affine_gradients(device, args);
  return status;
}
