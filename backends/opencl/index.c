/* Indexing along one dim: kernels in index.cl. */
#include <stdio.h>

#include "dtype.h"
#include "ids.h"
#include "kernels.h"
#include "report.h"
#include "scratch.h"
#include "sort.h"
#include "texts.h"

static const char *const kernels[] = {[SEL_INDEX_SELECT] = "pick",
                                      [SEL_INDEX_ADD] = "add",
                                      [SEL_INDEX_GATHER] = "gather",
                                      [SEL_INDEX_SCATTER] = "scatter",
                                      [SEL_INDEX_SCATTER_ADD] = "scatter"};

/* The dtype elements are moved as, which need not be their own where nothing is added. */
static const char *moved_as(const sel_index_args *args) {
  if (args->op == SEL_INDEX_ADD || args->op == SEL_INDEX_SCATTER_ADD)
    return sel_dtype_name(args->x.dtype);
  return opencl_bits_of(args->x.dtype);
}

static const char *sum_type(sel_dtype dtype) {
  if (dtype == SEL_F64) return "double";
  return sel_dtype_is_float(dtype) ? "float" : "long";
}

static sel_status launch(opencl_device *device, const sel_index_args *args, cl_mem sorted) {
  char defines[128];
  const bool lines = args->op == SEL_INDEX_SCATTER || args->op == SEL_INDEX_SCATTER_ADD;
  const int64_t items = args->outer * (lines ? 1 : args->count) * args->inner;
  snprintf(defines, sizeof defines, "#define X %s\n#define ID %s\n#define T %s\n", moved_as(args),
           opencl_id_type(&args->index), sum_type(args->x.dtype));
  opencl_launch l;
  opencl_begin(&l, device, "index", "index.cl", opencl_text_index, defines, kernels[args->op]);
  opencl_operand(&l, &args->x);
  if (args->op == SEL_INDEX_ADD) opencl_buffer(&l, sorted);
  opencl_operand(&l, &args->index);
  opencl_operand(&l, &args->out);
  opencl_long(&l, args->extent);
  opencl_long(&l, args->count);
  opencl_long(&l, args->inner);
  opencl_long(&l, items);
  if (lines) opencl_int(&l, args->op == SEL_INDEX_SCATTER_ADD);
  opencl_report_to(&l, args->operation ? args->operation : "indexing", "index");
  return opencl_run(&l, 1, &items, NULL);
}

sel_status opencl_index(sel_backend_device handle, const sel_index_args *args) {
  opencl_device *device = handle;
  if (args->outer * args->count * args->inner == 0) return SEL_OK;
  sel_status status = SEL_OK;
  cl_mem sorted = NULL;
  if (args->op == SEL_INDEX_ADD)
    status = opencl_sorted_pairs(device, &args->index, 1, args->count, false, &sorted);
  if (status == SEL_OK && args->op == SEL_INDEX_SCATTER_ADD)
    status = opencl_check_dtype(device, args->x.dtype, "scatter_add");
  if (status == SEL_OK) status = launch(device, args, sorted);
  opencl_scratch_done(device, sorted);
  return status;
}
