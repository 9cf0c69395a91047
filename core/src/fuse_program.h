/* A graph as the program that backends get: only what results need, in order. */
#ifndef SEL_FUSE_PROGRAM_H
#define SEL_FUSE_PROGRAM_H

#include "fuse_graph.h"

/* Inputs of a function and gradients of its outputs: enough for a few orders of gradients. */
enum { SEL__FUSE_PLACES = SEL_FUSE_OPERANDS };

typedef struct sel__fuse_program {
  sel_fuse_program program;    /* its arrays lie behind this struct */
  int place[SEL__FUSE_PLACES]; /* by program input: which of the function's inputs it is */
} sel__fuse_program;

/* One block, for sel__free. */
sel_status sel__fuse_program_new(const sel__fuse_graph *g, bool compile, int n_out,
                                 const int *output, sel__fuse_program **out);

#endif
