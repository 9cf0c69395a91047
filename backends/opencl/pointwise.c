/* Pointwise operations: the rows' own text from selenite/pointwise.h, made into kernels by map.c.
 */
#include "selenite/pointwise.h"

#include "kernels.h"
#include "map.h"

#define STRINGS_(...) #__VA_ARGS__
#define TEXT(kind, name, types, ...) [SEL_PW_##name] = {#name, STRINGS_(__VA_ARGS__)},

static const struct { const char *name, *expression; } rows[SEL_PW_COUNT] = {SEL_POINTWISE(TEXT)};

sel_status opencl_pointwise(sel_backend_device handle, const sel_pointwise_args *args) {
  opencl_device *device = handle;
  opencl_map map = {.what = rows[args->op].name,
                    .expression = rows[args->op].expression,
                    .compute = sel_dtype_name(args->compute),
                    .inputs = args->inputs,
                    .ndim = args->ndim,
                    .numel = args->numel,
                    .scalar = {args->scalar[0], args->scalar[1]}};
  for (int k = 0; k <= args->inputs; k++) {
    const int slot = k < args->inputs ? k : OPENCL_MAP_OUT;
    const sel_operand *operand = &args->operand[k];
    const sel_dtype dtype = operand->data ? operand->dtype : args->compute;
    const sel_status status = opencl_check_dtype(device, dtype, map.what);
    if (status != SEL_OK) return status;
    map.operand[slot] = *operand;
    map.dtype[slot] = sel_dtype_name(dtype);
    for (int d = 0; d < args->ndim; d++) map.stride[slot][d] = args->stride[k][d];
  }
  for (int d = 0; d < args->ndim; d++) map.shape[d] = args->shape[d];
  return opencl_map_run(device, &map);
}
