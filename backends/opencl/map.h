/* An expression applied to each element: what pointwise operations and copies have in common. */
#ifndef OPENCL_MAP_H
#define OPENCL_MAP_H

#include "device.h"

enum { OPENCL_MAP_INPUTS = 3, OPENCL_MAP_OUT = OPENCL_MAP_INPUTS };

typedef struct opencl_map {
  const char *what;       /* for messages */
  const char *expression; /* in a, b, c, s0, s1 */
  const char *compute;    /* dtype to compute in: "f32", ..., "bits16" */
  const char *dtype[4];   /* of a, b, c, out, as they are stored */
  sel_operand operand[4]; /* a, b, c, out; an input without data is its value */
  int inputs;
  int ndim;
  int64_t shape[SEL_MAX_DIMS];
  int64_t stride[4][SEL_MAX_DIMS];
  int64_t numel;
  double scalar[2];
} opencl_map;

sel_status opencl_map_run(opencl_device *device, const opencl_map *map);

#endif
