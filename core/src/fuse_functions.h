/* The functions that expressions of fused functions may call. */
#ifndef SEL_FUSE_FUNCTIONS_H
#define SEL_FUSE_FUNCTIONS_H

#include "fuse_graph.h"

typedef struct sel__fuse_function {
  const char *name;
  int arguments; /* 1 to 3 */
  int op;        /* the row it is; or -1 and */
  int (*build)(sel__fuse_graph *g, const int *x);
} sel__fuse_function;

/* The i-th; NULL past the last. */
const sel__fuse_function *sel__fuse_function_at(int i);

#endif
