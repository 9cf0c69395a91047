/* Expressions of fused functions as graphs in which equal parts are one node.
 *
 * A node's operands come before it. Making a node looks for an equal one first, and simplifies:
 * what depends on constants alone is computed, neutral operands and double negations go, small
 * powers become products. Simplified results are those of the rows but for rounding and the sign
 * of zeros; NaN and infinities come out as they would.
 */
#ifndef SEL_FUSE_GRAPH_H
#define SEL_FUSE_GRAPH_H

#include "selenite/backend.h"

enum { SEL__FUSE_INPUT = -1, SEL__FUSE_NUMBER = -2, SEL__FUSE_NODES = 4096 };

typedef struct sel__fuse_node {
  int op;         /* a row of SEL_POINTWISE, or one of the above */
  int operand[3]; /* nodes, -1 past the row's inputs; of an input: which one */
  double number;
} sel__fuse_node;

/* Starts as {0}. */
typedef struct sel__fuse_graph {
  sel_status status; /* the first failure; what is made after it is node 0 and means nothing */
  int n, capacity;
  sel__fuse_node *node;
} sel__fuse_graph;

void sel__fuse_graph_free(sel__fuse_graph *g);
sel_status sel__fuse_graph_copy(const sel__fuse_graph *from, sel__fuse_graph *to);

int sel__fuse_input(sel__fuse_graph *g, int which);
int sel__fuse_number(sel__fuse_graph *g, double value);
/* Row `op` of one to three operands; those it doesn't have are -1. */
int sel__fuse_apply(sel__fuse_graph *g, int op, int a, int b, int c);

/* How many inputs a row has, 0 for rows that are no steps of fused functions. */
int sel__fuse_arity(int op);
/* The row's value in double. */
double sel__fuse_fold(int op, double a, double b, double c);

/* Marks in live[g->n] what the nodes `of` (n of them, -1 allowed) are made from, themselves
 * included; returns how many of those are rows. */
int sel__fuse_live(const sel__fuse_graph *g, int n, const int *of, bool *live);

/* Short forms, for readable formulas: e_mul(g, a, b). */
#define SEL__FUSE_U(name)                                 \
  static inline int e_##name(sel__fuse_graph *g, int a) { \
    return sel__fuse_apply(g, SEL_PW_##name, a, -1, -1);  \
  }
#define SEL__FUSE_B(name)                                        \
  static inline int e_##name(sel__fuse_graph *g, int a, int b) { \
    return sel__fuse_apply(g, SEL_PW_##name, a, b, -1);          \
  }
#define SEL__FUSE_T(name)                                               \
  static inline int e_##name(sel__fuse_graph *g, int a, int b, int c) { \
    return sel__fuse_apply(g, SEL_PW_##name, a, b, c);                  \
  }
#define SEL__FUSE_U1(name)
#define SEL__FUSE_U2(name)
#define SEL__FUSE_B1(name)
#define SEL__FUSE_T1(name)
#define SEL__FUSE_GB(name)
#define SEL__FUSE_GB1(name)
#define SEL__FUSE_GB2(name)
#define SEL__FUSE_GT(name)
#define SEL__FUSE_GT1(name)
#define SEL__FUSE_ROW(kind, name, types, ...) SEL__FUSE_##kind(name)
SEL_POINTWISE(SEL__FUSE_ROW)
#undef SEL__FUSE_ROW

#endif
