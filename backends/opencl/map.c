/* Launching an expression over elements: see map.h, and map.cl for the kernel.
 *
 * Each combination of expression and dtypes is a program of its own, so that what a device runs has
 * no decisions in its loop; so is, on the host's own cores, each choice of operands that stand
 * still along rows.
 */
#include "map.h"

#include <stdio.h>
#include <string.h>

#include "launch.h"
#include "texts.h"

/* As map.cl has it. */
typedef struct walk {
  cl_long shape[SEL_MAX_DIMS];
  cl_long stride[4][SEL_MAX_DIMS];
  cl_long dims, rows, each, dense;
} walk;

enum { SPAN = 4096 }; /* elements of a work-item on the host's own cores */

/* ---- numbers in the type to compute in ---- */

typedef struct value {
  union {
    cl_float f32;
    cl_double f64;
    cl_long i64;
    cl_int i32;
    cl_ushort bits16;
    cl_uchar u8;
  } as;
  size_t size;
} value;

static int64_t whole(double x) {
  if (!(x < 0x1p63)) return x == x ? INT64_MAX : 0;
  return x < -0x1p63 ? INT64_MIN : (int64_t)x;
}

/* Integers wrap as a cast from i64 does. */
static value number_of(const char *compute, double x) {
  if (strcmp(compute, "f32") == 0) return (value){.as.f32 = (float)x, .size = 4};
  if (strcmp(compute, "f64") == 0) return (value){.as.f64 = x, .size = 8};
  if (strcmp(compute, "i64") == 0) return (value){.as.i64 = whole(x), .size = 8};
  if (strcmp(compute, "i32") == 0) return (value){.as.i32 = (int32_t)whole(x), .size = 4};
  if (strcmp(compute, "u8") == 0) return (value){.as.u8 = (uint8_t)whole(x), .size = 1};
  return (value){.as.bits16 = 0, .size = 2};
}

/* A parameter, such as clamp's bounds: integers saturate. */
static value scalar_of(const char *compute, double x) {
  if (strcmp(compute, "i32") == 0)
    return number_of(compute, x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : x);
  if (strcmp(compute, "u8") == 0)
    return number_of(compute, x < 0 ? 0 : x > UINT8_MAX ? UINT8_MAX : x);
  return number_of(compute, x);
}

/* ---- the program ---- */

static bool present(const opencl_map *map, int k) {
  return (k < map->inputs || k == OPENCL_MAP_OUT) && map->operand[k].data;
}

/* Which operands stand still along rows, bit k for operand k, where the others lie together along
 * them; -1 where some don't, or all inputs stand still: no loop need be fast for that. */
static int still_of(const opencl_map *map) {
  int still = 0, inputs = 0;
  for (int k = 0; k < 4 && map->ndim > 0; k++) {
    if (!present(map, k)) continue;
    inputs |= k < map->inputs ? 1 << k : 0;
    const int64_t step = map->stride[k][map->ndim - 1];
    if (step == 0 && k != OPENCL_MAP_OUT)
      still |= 1 << k;
    else if (step != 1)
      return -1;
  }
  return still && still == inputs ? -1 : still;
}

static void define(const opencl_device *device, const opencl_map *map, int still, char *out,
                   size_t size) {
  int numbers = 0;
  for (int k = 0; k < map->inputs; k++) numbers |= !map->operand[k].data << k;
  const char *c = map->compute;
  snprintf(out, size,
           "// %s\n#define T STORED(%s)\n#define IN_FLOATS %d\n#define EXPRESSION %s\n"
           "#define A %s\n#define B %s\n#define C %s\n#define OUT %s\n"
           "#define INPUTS %d\n#define NUMBERS %d\n#define HOST %d\n#define SPAN %d\n"
           "#define STILL %d\n",
           map->what, c, c[0] == 'f', map->expression, map->dtype[0],
           map->inputs > 1 ? map->dtype[1] : "u8", map->inputs > 2 ? map->dtype[2] : "u8",
           map->dtype[OPENCL_MAP_OUT], map->inputs, numbers, device->host, SPAN,
           device->host && still > 0 ? still : 0);
}

static void begin(opencl_launch *l, opencl_device *device, const opencl_map *map, int still) {
  char defines[2048];
  define(device, map, still, defines, sizeof defines);
  opencl_begin(l, device, map->what, "map.cl", opencl_text_map, defines, "map");
  for (int i = 0; i < 2; i++) {
    const value s = scalar_of(map->compute, map->scalar[i]);
    opencl_value(l, &s.as, s.size);
  }
  for (int k = 0; k < OPENCL_MAP_INPUTS; k++) {
    const value n = number_of(map->compute, k < map->inputs ? map->operand[k].value : 0);
    opencl_value(l, &n.as, n.size);
  }
  for (int k = 0; k < 4; k++) {
    static const sel_operand none;
    opencl_operand(l, k < map->inputs || k == OPENCL_MAP_OUT ? &map->operand[k] : &none);
  }
}

/* ---- the launch ---- */

static walk walk_of(const opencl_map *map, int still) {
  walk w = {.dims = map->ndim > 0 ? map->ndim : 1, .rows = 1, .each = 1, .dense = still >= 0};
  w.shape[0] = 1; /* of a single number */
  for (int d = 0; d < map->ndim; d++) {
    w.shape[d] = map->shape[d];
    for (int k = 0; k < 4; k++) w.stride[k][d] = present(map, k) ? map->stride[k][d] : 0;
    if (d < map->ndim - 1) w.rows *= w.shape[d];
  }
  return w;
}

/* Work-items a dim, and of a group. */
static void divide(const opencl_device *device, walk *w, int64_t *items, size_t *group) {
  const int64_t columns = w->shape[w->dims - 1];
  if (device->host) {
    w->each = columns >= SPAN ? 1 : SPAN / columns;
    items[0] = (columns + SPAN - 1) / SPAN;
    items[1] = (w->rows + w->each - 1) / w->each;
    group[0] = group[1] = 1;
    return;
  }
  items[0] = columns, items[1] = w->rows;
  group[0] = device->group, group[1] = 1;
  if (columns < 64 && w->rows > 1) /* short rows share a group */
    while (group[0] > 16) group[0] /= 2, group[1] *= 2;
}

sel_status opencl_map_run(opencl_device *device, const opencl_map *map) {
  opencl_launch l;
  int64_t items[2];
  size_t group[2];
  if (map->numel == 0) return SEL_OK;
  const int still = still_of(map);
  walk w = walk_of(map, still);
  divide(device, &w, items, group);
  begin(&l, device, map, still);
  opencl_value(&l, &w, sizeof w);
  return opencl_run(&l, 2, items, group);
}
