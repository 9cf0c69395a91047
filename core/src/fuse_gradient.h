/* Derivatives of graphs. */
#ifndef SEL_FUSE_GRADIENT_H
#define SEL_FUSE_GRADIENT_H

#include "fuse_graph.h"

/* Adds to the graph the gradients of its inputs (in grad, n_in of them; -1 for zero) from the nodes
 * `seed` that stand for the gradients of its n_out outputs (-1: zero). Backward through the graph,
 * each node once: what several paths need is shared. */
sel_status sel__fuse_gradient(sel__fuse_graph *g, int n_out, const int *output, const int *seed,
                              int n_in, int *grad);

#endif
