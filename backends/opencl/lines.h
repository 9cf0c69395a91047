/* Launches of kernels that work on lines and include lines.cl. */
#ifndef OPENCL_LINES_H
#define OPENCL_LINES_H

#include "launch.h"

/* Begins kernel `name` of an embedded file that includes lines.cl: on lines of `length` elements,
 * which lie together (`dense`) or beside one another. */
void opencl_lines_begin(opencl_launch *l, opencl_device *device, const char *file, const char *text,
                        const char *defines, const char *name, bool dense, int64_t length);
/* Runs it over `lines` lines. */
sel_status opencl_lines_run(opencl_launch *l, int64_t lines);

#endif
