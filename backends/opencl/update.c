/* Optimizer updates: the rules' own text from selenite/pointwise.h, as many tensors a launch as a
 * kernel's parameters have room for. */
#include <stdio.h>
#include <string.h>

#include "kernels.h"
#include "launch.h"
#include "selenite/pointwise.h"
#include "texts.h"

enum { MOST_ITEMS = 16, STATES = 3, TENSORS = 2 + STATES };

#define STRINGS_(...) #__VA_ARGS__
#define TEXT(name, states, ...) [SEL_UPDATE_##name] = {#name, STRINGS_(__VA_ARGS__), states},

static const struct {
  const char *name, *statements;
  int states;
} rules[SEL_UPDATE_COUNT] = {SEL_UPDATES(TEXT)};

static const sel_operand *tensor_of(const sel_update_item *item, int k) {
  return k == 0 ? &item->parameter : k == 1 ? &item->gradient : &item->state[k - 2];
}

/* Of n tensors each: a pointer and an offset for each tensor of an item, its size and first group.
 * OpenCL promises 1024 bytes of parameters, enough for 11 items of a rule with two states. */
static int items_of(const opencl_device *device, const sel_update_args *args) {
  const size_t all = sizeof(cl_long) + SEL_MAX_SCALARS * sizeof(double);
  const size_t item = (2 + 2 * (2 + (size_t)rules[args->op].states)) * sizeof(cl_long);
  const size_t most = (device->parameters - all) / item;
  return most < MOST_ITEMS ? (int)most : MOST_ITEMS;
}

static void define(const sel_update_args *args, int items, char *out, size_t size) {
  int n = snprintf(out, size,
                   "// %s\n#define T STORED(%s)\n#define ITEMS %d\n#define STATES %d\n"
                   "#define RULE %s\n#define EACH_ITEM(DO)",
                   rules[args->op].name, sel_dtype_name(args->dtype), items, rules[args->op].states,
                   rules[args->op].statements);
  for (int i = 0; i < items; i++) n += snprintf(out + n, size - (size_t)n, " DO(%d)", i);
  snprintf(out + n, size - (size_t)n, "\n");
}

/* The struct `items` of update.cl, packed for its ITEMS and STATES. Returns the number of groups.
 */
static int64_t lay_out(const opencl_device *device, const sel_update_args *args, int begin,
                       int count, int items, cl_long *out, size_t *size) {
  const int tensors = 2 + rules[args->op].states;
  const int64_t group = (int64_t)device->group;
  cl_long *first_group = out, *numel = out + items + 1, *first = numel + items;
  first_group[0] = 0;
  for (int i = 0; i < items; i++) {
    const sel_update_item *item = i < count ? &args->items[begin + i] : NULL;
    numel[i] = item ? item->numel : 0;
    first_group[i + 1] = first_group[i] + (numel[i] + group - 1) / group;
    for (int k = 0; k < tensors; k++) *first++ = item ? tensor_of(item, k)->offset : 0;
  }
  *size = (size_t)(first - out) * sizeof *out;
  return first_group[items];
}

static void scalars(opencl_launch *l, const sel_update_args *args) {
  float narrow[SEL_MAX_SCALARS];
  for (int i = 0; i < SEL_MAX_SCALARS; i++) narrow[i] = (float)args->scalar[i];
  if (args->dtype == SEL_F64)
    opencl_value(l, args->scalar, sizeof args->scalar);
  else
    opencl_value(l, narrow, sizeof narrow);
}

/* Items [begin, begin + count), count at most `items`. */
static sel_status launch(opencl_device *device, const sel_update_args *args, int begin, int count,
                         int items) {
  char defines[1280];
  cl_long layout[1 + MOST_ITEMS * (2 + TENSORS)];
  size_t size;
  define(args, items, defines, sizeof defines);
  const int64_t groups = lay_out(device, args, begin, count, items, layout, &size);
  if (groups == 0) return SEL_OK;
  opencl_launch l;
  opencl_begin(&l, device, rules[args->op].name, "update.cl", opencl_text_update, defines,
               "update");
  opencl_value(&l, layout, size);
  scalars(&l, args);
  for (int i = 0; i < items; i++)
    for (int k = 0; k < 2 + rules[args->op].states; k++)
      opencl_buffer(&l, i < count ? tensor_of(&args->items[begin + i], k)->data : NULL);
  const int64_t work = groups * (int64_t)device->group;
  return opencl_run(&l, 1, &work, NULL);
}

sel_status opencl_update(sel_backend_device handle, const sel_update_args *args) {
  opencl_device *device = handle;
  const int items = items_of(device, args);
  sel_status status = opencl_check_dtype(device, args->dtype, rules[args->op].name);
  for (int i = 0; i < args->count && status == SEL_OK; i += items) {
    const int left = args->count - i;
    status = launch(device, args, i, left < items ? left : items, items);
  }
  return status;
}
