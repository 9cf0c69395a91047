/* A fused function as OpenCL C: what stands in front of fuse.cl for all of its calls. */
#ifndef OPENCL_FUSE_SOURCE_H
#define OPENCL_FUSE_SOURCE_H

#include <stdbool.h>

#include "selenite/backend.h"

/* The program's text, fuse.cl included; new, freed with free(). NULL: memory is short. span:
 * elements of a work-item. */
char *opencl_fuse_source(const sel_fuse_program *program, sel_dtype compute, bool host, int span);

#endif
