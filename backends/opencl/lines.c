/* Launches over lines: see lines.h. A line is one work-item's on the host's own cores, where it is
 * short, or where its neighbours lie beside it in memory; a work-group's elsewhere. */
#include "lines.h"

#include <stdio.h>

enum { SHORT_LINE = 64 };

void opencl_lines_begin(opencl_launch *l, opencl_device *device, const char *file, const char *text,
                        const char *defines, const char *name, bool dense, int64_t length) {
  char all_defines[512];
  const int lanes = device->host || !dense || length < SHORT_LINE ? 1 : (int)device->group;
  snprintf(all_defines, sizeof all_defines, "%s#define LANES %d\n#define HOST %d\n", defines, lanes,
           device->host);
  opencl_begin(l, device, file, file, text, all_defines, name);
  l->lanes = lanes;
}

sel_status opencl_lines_run(opencl_launch *l, int64_t lines) {
  const bool few = l->device->host && lines < 256; /* a core each */
  const size_t group = l->lanes > 1 ? (size_t)l->lanes : few ? 1 : 16;
  const int64_t items = lines * l->lanes;
  return opencl_run(l, 1, &items, &group);
}
