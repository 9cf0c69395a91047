/* Fused functions: a program of OpenCL C for each, made by fuse_source.c and fuse.cl.
 *
 * A program in memory is known by its text's hash and by what a call adds to it: which inputs are
 * numbers, dtypes, and how inputs lie. What was made once for an expression serves equal ones.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "fuse_source.h"
#include "hash.h"
#include "kernels.h"
#include "launch.h"

enum { SPAN = 4096 }; /* elements of a work-item on the host's own cores */

typedef struct kernel {
  sel_dtype compute;
  int inputs, outputs;
  char *text;
  char name[32];
} kernel;

/* ---- preparing ---- */

static void release(void *pointer) {
  kernel *k = pointer;
  free(k->text);
  free(k);
}

static sel_status prepare(sel_backend_device handle, const sel_fuse_program *p, sel_dtype compute,
                          void **out) {
  const opencl_device *device = handle;
  if (!p->compile)
    return sel_fail(SEL_E_UNSUPPORTED, "opencl: a fused function is compiled or nothing");
  const sel_status status = opencl_check_dtype(device, compute, "fuse");
  if (status != SEL_OK) return status;
  kernel *k = calloc(1, sizeof *k);
  if (k) k->text = opencl_fuse_source(p, compute, device->host, device->host ? SPAN : 1);
  if (!k || !k->text) {
    free(k);
    return sel_fail(SEL_E_MEMORY, "opencl: no memory for a fused function");
  }
  k->compute = compute;
  k->inputs = p->inputs;
  k->outputs = p->outputs;
  snprintf(k->name, sizeof k->name, "fuse %016llx",
           (unsigned long long)opencl_hash(OPENCL_HASH_START, k->text, strlen(k->text)));
  *out = k;
  return SEL_OK;
}

static const char *describe(const void *pointer) {
  (void)pointer;
  return "compiled";
}

/* ---- a call ---- */

typedef struct call {
  const kernel *k;
  const sel_fuse_args *args;
  int dims;     /* of the walk; 0: all contiguous */
  int memories; /* inputs in memory */
  bool wide;    /* strides need 64 bits */
} call;

static call plan(const kernel *k, const sel_fuse_args *args) {
  call c = {.k = k, .args = args};
  bool flat = args->ndim <= 1;
  for (int i = 0; i < k->inputs; i++) {
    if (!args->input[i].data) continue;
    c.memories++;
    if (args->ndim == 1 && args->stride[i][0] != 1) flat = false;
    for (int d = 0; d < args->ndim; d++)
      if (llabs(args->stride[i][d]) > INT32_MAX) c.wide = true;
  }
  c.dims = flat ? 0 : args->ndim <= 2 ? 2 : args->ndim <= 4 ? 4 : 8;
  return c;
}

/* What stands in front of the text for calls of this kind; new. */
static char *defines_of(const call *c) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (!out) return NULL;
  const sel_fuse_args *args = c->args;
  fprintf(out, "#define DIMS %d\n#define STRIDE %s\n#define MEMORIES %d\n#define INPUTS(DO)",
          c->dims, c->wide ? "long" : "int", c->memories);
  for (int i = 0, m = 0; i < c->k->inputs; i++) {
    if (!args->input[i].data) continue;
    const int64_t step = args->ndim > 0 ? args->stride[i][args->ndim - 1] : 0;
    fprintf(out, " DO(%d, %d, %s, ", i, m, sel_dtype_name(args->input[i].dtype));
    if (step == 0 || step == 1) /* compilers make better code for a number */
      fprintf(out, "%d)", (int)step);
    else
      fprintf(out, "w.stride[%d][DIMS - 1])", m);
    m++;
  }
  fputs("\n#define NUMBERS(DO)", out);
  for (int i = 0; i < c->k->inputs; i++)
    if (!args->input[i].data) fprintf(out, " DO(%d)", i);
  fputs("\n", out);
  const bool failed = ferror(out) != 0;
  if (fclose(out) != 0 || failed) {
    free(text);
    return NULL;
  }
  return text;
}

enum { MAX_WALK = SEL_MAX_DIMS + 2 + SEL_FUSE_OPERANDS * SEL_MAX_DIMS };

/* The struct `walk` of fuse.cl, its dims filled up in front with extents of 1; returns its bytes.
 */
static size_t lay_out(const call *c, cl_long *out) {
  const sel_fuse_args *args = c->args;
  const int front = c->dims - args->ndim;
  cl_long *shape = out, *rows = out + c->dims, *each = rows + 1, *strides = each + 1;
  *rows = 1;
  for (int d = 0; d < c->dims; d++) {
    shape[d] = d < front ? 1 : args->shape[d - front];
    if (d < c->dims - 1) *rows *= shape[d];
  }
  int n = 0;
  for (int i = 0; i < c->k->inputs; i++)
    for (int d = 0; d < c->dims && args->input[i].data; d++, n++) {
      const int64_t stride = d < front ? 0 : args->stride[i][d - front];
      if (c->wide)
        strides[n] = stride;
      else
        ((cl_int *)strides)[n] = (cl_int)stride;
    }
  const size_t each_stride = c->wide ? sizeof(cl_long) : sizeof(cl_int);
  const size_t longs = ((size_t)n * each_stride + sizeof *out - 1) / sizeof *out;
  return ((size_t)(strides - out) + longs) * sizeof *out;
}

/* Work-items a dim, and of a group; says in the walk how many rows one takes. */
static void divide(const opencl_device *device, const call *c, cl_long *walk, int64_t *items,
                   size_t *group) {
  const int64_t span = device->host ? SPAN : 1;
  items[0] = (c->args->numel + span - 1) / span, items[1] = 1;
  group[0] = device->host ? 1 : device->group, group[1] = 1;
  if (c->dims == 0) return;
  const int64_t columns = walk[c->dims - 1], rows = walk[c->dims];
  const int64_t each = walk[c->dims + 1] = columns >= span ? 1 : span / columns;
  items[0] = (columns + span - 1) / span;
  items[1] = (rows + each - 1) / each;
  if (columns < 64) /* short rows share a group */
    while (group[0] > 16) group[0] /= 2, group[1] *= 2;
}

static size_t parameter_bytes(const call *c, size_t walk) {
  const int memories = c->memories + c->k->outputs, numbers = c->k->inputs - c->memories;
  return (size_t)memories * 2 * sizeof(cl_long) + (size_t)numbers * sel_dtype_size(c->k->compute) +
         walk;
}

static sel_status run(sel_backend_device handle, const void *pointer, const sel_fuse_args *args) {
  opencl_device *device = handle;
  const kernel *k = pointer;
  const call c = plan(k, args);
  cl_long walk[MAX_WALK] = {args->numel};
  const size_t bytes = c.dims ? lay_out(&c, walk) : sizeof *walk;
  if (parameter_bytes(&c, bytes) > device->parameters)
    return sel_fail(SEL_E_UNSUPPORTED, "opencl: fuse: '%s' takes %zu bytes of parameters, not %zu",
                    device->name, device->parameters, parameter_bytes(&c, bytes));
  char *defines = defines_of(&c);
  if (!defines) return sel_fail(SEL_E_MEMORY, "opencl: no memory for a fused function");
  int64_t items[2];
  size_t group[2];
  divide(device, &c, walk, items, group);
  opencl_launch l;
  opencl_begin(&l, device, "fuse", k->name, k->text, defines, "fused");
  free(defines);
  for (int i = 0; i < k->inputs; i++)
    if (args->input[i].data) opencl_operand(&l, &args->input[i]);
  for (int i = 0; i < k->inputs; i++)
    if (!args->input[i].data) opencl_real(&l, k->compute, args->input[i].value);
  opencl_value(&l, walk, bytes);
  for (int o = 0; o < k->outputs; o++) opencl_operand(&l, &args->output[o]);
  return opencl_run(&l, c.dims ? 2 : 1, items, group);
}

const sel_fuse_ability opencl_fuse = {.size = sizeof opencl_fuse,
                                      .prepare = prepare,
                                      .describe = describe,
                                      .run = run,
                                      .release = release};
