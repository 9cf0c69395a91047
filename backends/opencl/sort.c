/* Stable sort and top-k: see sort.h, kernels in sort.cl. */
#include "sort.h"

#include <stdio.h>

#include "kernels.h"
#include "launch.h"
#include "scratch.h"
#include "texts.h"

enum { PAIR_BYTES = 16 };

static void begin(opencl_launch *l, opencl_device *device, sel_dtype dtype, const char *kernel) {
  char defines[64];
  snprintf(defines, sizeof defines, "#define IN %s\n#define T long\n", sel_dtype_name(dtype));
  opencl_begin(l, device, "sort", "sort.cl", opencl_text_sort, defines, kernel);
}

static sel_status make_pairs(opencl_device *device, const sel_operand *x, int64_t n,
                             int64_t columns, bool descending, cl_mem out) {
  opencl_launch l;
  const int bits = 8 * (int)sel_dtype_size(x->dtype);
  begin(&l, device, x->dtype, "make_pairs");
  opencl_operand(&l, x);
  opencl_long(&l, n);
  opencl_long(&l, columns);
  opencl_long(&l, descending ? (int64_t)(UINT64_MAX >> (64 - bits)) : 0);
  opencl_buffer(&l, out);
  return opencl_run(&l, 1, &n, NULL);
}

static sel_status merge(opencl_device *device, sel_dtype dtype, cl_mem from, cl_mem to, int64_t n,
                        int64_t columns, int64_t run) {
  opencl_launch l;
  begin(&l, device, dtype, "merge");
  opencl_buffer(&l, from);
  opencl_buffer(&l, to);
  opencl_long(&l, n);
  opencl_long(&l, columns);
  opencl_long(&l, run);
  return opencl_run(&l, 1, &n, NULL);
}

sel_status opencl_sorted_pairs(opencl_device *device, const sel_operand *x, int64_t rows,
                               int64_t columns, bool descending, cl_mem *out) {
  const int64_t n = rows * columns;
  const size_t bytes = (size_t)n * PAIR_BYTES;
  cl_mem sorted = NULL, spare = NULL;
  sel_status status = opencl_check_dtype(device, x->dtype, "sort");
  if (status == SEL_OK) status = opencl_scratch(device, bytes, "sort", &sorted);
  if (status == SEL_OK) status = opencl_scratch(device, bytes, "sort", &spare);
  if (status == SEL_OK) status = make_pairs(device, x, n, columns, descending, sorted);
  for (int64_t run = 1; run < columns && status == SEL_OK; run *= 2) {
    status = merge(device, x->dtype, sorted, spare, n, columns, run);
    cl_mem merged = spare;
    spare = sorted;
    sorted = merged;
  }
  opencl_scratch_done(device, spare);
  if (status == SEL_OK)
    *out = sorted;
  else
    opencl_scratch_done(device, sorted);
  return status;
}

sel_status opencl_sort(sel_backend_device handle, const sel_sort_args *args) {
  opencl_device *device = handle;
  const int64_t picked = args->rows * args->k;
  if (picked == 0) return SEL_OK;
  cl_mem sorted;
  sel_status status = opencl_sorted_pairs(device, &args->input, args->rows, args->columns,
                                          args->descending, &sorted);
  if (status != SEL_OK) return status;
  opencl_launch l;
  begin(&l, device, args->input.dtype, "take");
  opencl_buffer(&l, sorted);
  opencl_operand(&l, &args->input);
  opencl_long(&l, picked);
  opencl_long(&l, args->columns);
  opencl_long(&l, args->k);
  opencl_operand(&l, &args->values);
  opencl_operand(&l, &args->indices);
  status = opencl_run(&l, 1, &picked, NULL);
  opencl_scratch_done(device, sorted);
  return status;
}
