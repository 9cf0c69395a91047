/* Kernels, compiled when they are first asked for. */
#ifndef OPENCL_PROGRAM_H
#define OPENCL_PROGRAM_H

#include "device.h"

/* The kernel `name` of an embedded .cl file. `defines` are lines of #define that go in front of the
 * text and make one of its many kernels of it; with the file they are the program's key. The kernel
 * is the device's, borrowed; its lock must be held from here to the end of the launch. */
sel_status opencl_kernel(opencl_device *device, const char *file, const char *text,
                         const char *defines, const char *name, cl_kernel *out);

#endif
