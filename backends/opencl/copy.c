/* Copies: the expression `a`. Between equal dtypes elements move as bits; else they pass through a
 * type that holds both sides: i64 between integers, f64 where a double takes part, f32 otherwise.
 */
#include <string.h>

#include "dtype.h"
#include "kernels.h"
#include "map.h"

static const char *compute_type(sel_dtype from, sel_dtype to) {
  if (!sel_dtype_is_float(from) && !sel_dtype_is_float(to)) return "i64";
  return from == SEL_F64 || to == SEL_F64 ? "f64" : "f32";
}

sel_status opencl_copy(sel_backend_device handle, const sel_copy_args *args) {
  opencl_device *device = handle;
  const sel_dtype to = args->destination.dtype;
  const sel_dtype from = args->source.data ? args->source.dtype : to;
  opencl_map map = {
      .what = "copy", .expression = "a", .inputs = 1, .ndim = args->ndim, .numel = args->numel};
  if (from == to && args->source.data) {
    map.compute = map.dtype[0] = map.dtype[OPENCL_MAP_OUT] = opencl_bits_of(to);
  } else {
    sel_status status = opencl_check_dtype(device, from, "copy");
    if (status == SEL_OK) status = opencl_check_dtype(device, to, "copy");
    if (status != SEL_OK) return status;
    map.compute = compute_type(from, to);
    map.dtype[0] = sel_dtype_name(from);
    map.dtype[OPENCL_MAP_OUT] = sel_dtype_name(to);
  }
  map.operand[0] = args->source;
  map.operand[OPENCL_MAP_OUT] = args->destination;
  memcpy(map.shape, args->shape, sizeof map.shape);
  memcpy(map.stride[0], args->stride[0], sizeof map.stride[0]);
  memcpy(map.stride[OPENCL_MAP_OUT], args->stride[1], sizeof map.stride[0]);
  return opencl_map_run(device, &map);
}
