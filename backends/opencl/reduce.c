/* Reductions: kernels in reduce.cl.
 *
 * A processor's own cores take a row a work-item, or where rows lie beside one another in memory a
 * block of them; elsewhere long rows take a work-group each, and rows that lie beside one another a
 * work-item. Few long rows are cut into parts. How a reduction is cut depends on its shape and the
 * kind of device alone.
 */
#include <stdio.h>
#include <string.h>

#include "kernels.h"
#include "launch.h"
#include "scratch.h"
#include "texts.h"

enum { SHORT_ROW = 64, PART = 4096, MANY_ROWS = 256, MAX_PARTS = 64, PARTIAL_BYTES = 32 };
enum { BESIDE = 512, PART_ELEMENTS = 1 << 16 }; /* of reduce_beside: rows of a block, of a part */

/* As reduce.cl has it. */
typedef struct layout {
  cl_long shape[2 * SEL_MAX_DIMS], stride[2 * SEL_MAX_DIMS];
  cl_long kept, reduced;
} layout;

static const char *compute_of(sel_dtype dtype) {
  switch (dtype) {
    case SEL_F64:
      return "double";
    case SEL_I64:
      return "long";
    case SEL_I32:
      return "int";
    case SEL_U8:
    case SEL_BOOL:
      return "uchar";
    default:
      return "float";
  }
}

static const char *const ops[] = {
    [SEL_REDUCE_OP_SUM] = "SUM_",        [SEL_REDUCE_OP_PROD] = "PROD",
    [SEL_REDUCE_OP_MAX] = "MAX",         [SEL_REDUCE_OP_MIN] = "MIN",
    [SEL_REDUCE_OP_ARGMAX] = "ARGMAX",   [SEL_REDUCE_OP_ARGMIN] = "ARGMIN",
    [SEL_REDUCE_OP_ANY] = "ANY",         [SEL_REDUCE_OP_ALL] = "ALL",
    [SEL_REDUCE_OP_SUM_ABS] = "SUM_ABS", [SEL_REDUCE_OP_SUM_SQUARE] = "SUM_SQUARE",
    [SEL_REDUCE_OP_VAR] = "VAR"};

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* The stride along the last of the reduced dims. */
static int64_t last_step(const sel_reduce_args *args) {
  return args->reduced > 0 ? args->stride[args->kept + args->reduced - 1] : 0;
}

/* Whether neighbouring results read neighbouring elements. */
static bool by_columns(const sel_reduce_args *args) {
  return args->kept > 0 && args->stride[args->kept - 1] == 1 && args->reduced > 0 &&
         last_step(args) != 1;
}

typedef struct plan {
  int lanes;
  int64_t parts;
  int64_t blocks; /* of reduce_beside; 0 where rows are taken one by one */
} plan;

static plan plan_of(const opencl_device *device, const sel_reduce_args *args) {
  plan p = {1, 1, 0};
  if (device->host && by_columns(args)) {
    const int64_t extent = args->shape[args->kept - 1];
    const int64_t width = extent < BESIDE ? extent : BESIDE;
    p.blocks = args->rows / extent * ((extent + BESIDE - 1) / BESIDE);
    p.parts = smaller(args->columns * width / PART_ELEMENTS, MAX_PARTS / p.blocks);
    if (p.parts < 1) p.parts = 1;
    return p;
  }
  if (!device->host && args->columns >= SHORT_ROW && !by_columns(args))
    p.lanes = (int)device->group;
  if (args->rows < MANY_ROWS && args->columns >= 2 * PART) {
    p.parts = args->columns / PART;
    if (p.parts > MAX_PARTS) p.parts = MAX_PARTS;
  }
  return p;
}

static void define(const opencl_device *device, const sel_reduce_args *args, const plan *p,
                   char *out, size_t size) {
  const bool real = sel_dtype_is_float(args->input.dtype);
  const bool picks = args->op == SEL_REDUCE_OP_MAX || args->op == SEL_REDUCE_OP_MIN ||
                     args->op == SEL_REDUCE_OP_ARGMAX || args->op == SEL_REDUCE_OP_ARGMIN;
  snprintf(out, size,
           "#define T %s\n#define SUM %s\n#define IS_REAL %d\n#define OP %s\n#define IN %s\n"
           "#define OUT %s\n#define LANES %d\n#define DENSE %d\n#define BLOCKS %d\n"
           "#define BESIDE %d\n",
           compute_of(args->input.dtype),
           picks         ? compute_of(args->input.dtype)
           : !real       ? "long"
           : device->f64 ? "double"
                         : "float",
           real, ops[args->op], sel_dtype_name(args->input.dtype),
           sel_dtype_name(args->output.dtype), p->lanes,
           p->lanes == 1 && p->blocks == 0 && last_step(args) == 1, p->blocks > 0, BESIDE);
}

static layout layout_of(const sel_reduce_args *args) {
  layout in = {.kept = args->kept, .reduced = args->reduced > 0 ? args->reduced : 1};
  in.shape[args->kept] = 1; /* where nothing is reduced, as a dim of one element */
  for (int d = 0; d < args->kept + args->reduced; d++)
    in.shape[d] = args->shape[d], in.stride[d] = args->stride[d];
  return in;
}

/* Work-items alone in their groups where there are few: each may have a core of its own. */
static size_t group_of(const opencl_device *device, const plan *p, int64_t items) {
  if (p->lanes > 1) return device->group;
  if (device->host) return items < MANY_ROWS ? 1 : 16;
  return device->group < 64 ? device->group : 64;
}

static sel_status reduce(opencl_device *device, const sel_reduce_args *args, const plan *p,
                         const char *defines, cl_mem partials) {
  const sel_dtype real = device->f64 ? SEL_F64 : SEL_F32;
  const layout in = layout_of(args);
  const int64_t items = args->rows * p->parts * p->lanes;
  const size_t group = group_of(device, p, items);
  opencl_launch l;
  opencl_begin(&l, device, "reduce", "reduce.cl", opencl_text_reduce, defines,
               p->blocks > 0 ? "reduce_beside" : "reduce");
  opencl_value(&l, &in, sizeof in);
  opencl_operand(&l, &args->input);
  opencl_operand(&l, &args->output);
  opencl_buffer(&l, partials);
  opencl_long(&l, args->rows);
  opencl_long(&l, args->columns);
  opencl_long(&l, p->parts);
  opencl_real(&l, real, args->scale);
  opencl_real(&l, real, args->scalar);
  const int64_t blocks[2] = {p->blocks, p->parts};
  const size_t alone[2] = {1, 1};
  return p->blocks > 0 ? opencl_run(&l, 2, blocks, alone) : opencl_run(&l, 1, &items, &group);
}

static sel_status finish(opencl_device *device, const sel_reduce_args *args, const plan *p,
                         const char *defines, cl_mem partials) {
  const sel_dtype real = device->f64 ? SEL_F64 : SEL_F32;
  opencl_launch l;
  opencl_begin(&l, device, "reduce", "reduce.cl", opencl_text_reduce, defines, "finish");
  opencl_buffer(&l, partials);
  opencl_operand(&l, &args->output);
  opencl_long(&l, args->rows);
  opencl_long(&l, p->parts);
  opencl_real(&l, real, args->scale);
  opencl_real(&l, real, args->scalar);
  return opencl_run(&l, 1, &args->rows, NULL);
}

sel_status opencl_reduce(sel_backend_device handle, const sel_reduce_args *args) {
  opencl_device *device = handle;
  sel_status status = opencl_check_dtype(device, args->input.dtype, "reduce");
  if (status != SEL_OK || args->rows == 0) return status;
  const plan p = plan_of(device, args);
  char defines[320];
  define(device, args, &p, defines, sizeof defines);
  if (p.parts == 1) return reduce(device, args, &p, defines, NULL);
  cl_mem partials = NULL;
  status =
      opencl_scratch(device, (size_t)(args->rows * p.parts) * PARTIAL_BYTES, "reduce", &partials);
  if (status == SEL_OK) status = reduce(device, args, &p, defines, partials);
  if (status == SEL_OK) status = finish(device, args, &p, defines, partials);
  opencl_scratch_done(device, partials);
  return status;
}
