/* Making nodes: see fuse_graph.h. */
#include "fuse_graph.h"

#include <string.h>

#include "core.h"

void sel__fuse_graph_free(sel__fuse_graph *g) {
  sel__free(g->node);
  *g = (sel__fuse_graph){0};
}

sel_status sel__fuse_graph_copy(const sel__fuse_graph *from, sel__fuse_graph *to) {
  sel__fuse_node *node = sel__alloc((size_t)from->capacity * sizeof *node);
  if (!node) return SEL_E_MEMORY;
  memcpy(node, from->node, (size_t)from->n * sizeof *node);
  *to = (sel__fuse_graph){.n = from->n, .capacity = from->capacity, .node = node};
  return SEL_OK;
}

static bool equal(const sel__fuse_node *x, const sel__fuse_node *y) {
  return x->op == y->op && memcmp(x->operand, y->operand, sizeof x->operand) == 0 &&
         memcmp(&x->number, &y->number, sizeof x->number) == 0; /* bits: NaN is itself, -0 not 0 */
}

/* The node equal to `wanted`, made if there is none. */
static int intern(sel__fuse_graph *g, const sel__fuse_node *wanted) {
  if (g->status != SEL_OK) return 0;
  for (int i = g->n - 1; i >= 0; i--)
    if (equal(&g->node[i], wanted)) return i;
  if (g->n == SEL__FUSE_NODES) {
    g->status =
        sel_fail(SEL_E_UNSUPPORTED, "fuse: the expression has more than %d parts", SEL__FUSE_NODES);
    return 0;
  }
  if (g->n == g->capacity) {
    const int capacity = g->capacity ? 2 * g->capacity : 64;
    sel__fuse_node *node = sel__resize(g->node, (size_t)capacity * sizeof *node);
    if (!node) {
      g->status = SEL_E_MEMORY;
      return 0;
    }
    g->node = node;
    g->capacity = capacity;
  }
  g->node[g->n] = *wanted;
  return g->n++;
}

int sel__fuse_input(sel__fuse_graph *g, int which) {
  return intern(g, &(sel__fuse_node){.op = SEL__FUSE_INPUT, .operand = {which, -1, -1}});
}

int sel__fuse_number(sel__fuse_graph *g, double value) {
  return intern(
      g, &(sel__fuse_node){.op = SEL__FUSE_NUMBER, .operand = {-1, -1, -1}, .number = value});
}

/* ---- simplification ---- */

static bool is_number(const sel__fuse_graph *g, int i) {
  return i < 0 || g->node[i].op == SEL__FUSE_NUMBER;
}
static bool is(const sel__fuse_graph *g, int i, double value) {
  return i >= 0 && g->node[i].op == SEL__FUSE_NUMBER && g->node[i].number == value;
}
static double number(const sel__fuse_graph *g, int i) { return i < 0 ? 0 : g->node[i].number; }
/* The operand of a negation; -1 for other nodes. */
static int negated(const sel__fuse_graph *g, int i) {
  return g->node[i].op == SEL_PW_neg ? g->node[i].operand[0] : -1;
}

/* a^b with a constant b as cheaper rows; -1 where there are none. */
static int simpler_power(sel__fuse_graph *g, int a, int b) {
  if (is(g, b, 0)) return sel__fuse_number(g, 1);
  if (is(g, b, 1)) return a;
  if (is(g, b, 2)) return e_square(g, a);
  if (is(g, b, 3)) return e_mul(g, a, e_square(g, a));
  if (is(g, b, 4)) return e_square(g, e_square(g, a));
  if (is(g, b, -1)) return e_reciprocal(g, a);
  if (is(g, b, -2)) return e_reciprocal(g, e_square(g, a));
  return -1;
}

static int simpler_sum(sel__fuse_graph *g, int a, int b) {
  if (is(g, a, 0)) return b;
  if (is(g, b, 0)) return a;
  if (negated(g, b) >= 0) return e_sub(g, a, negated(g, b));
  if (negated(g, a) >= 0) return e_sub(g, b, negated(g, a));
  return -1;
}

static int simpler_difference(sel__fuse_graph *g, int a, int b) {
  if (is(g, b, 0)) return a;
  if (is(g, a, 0)) return e_neg(g, b);
  if (negated(g, b) >= 0) return e_add(g, a, negated(g, b));
  return -1;
}

/* Signs move out of products, where they meet others and go. */
static int simpler_product(sel__fuse_graph *g, int a, int b) {
  if (is(g, a, 1)) return b;
  if (is(g, b, 1)) return a;
  if (is(g, a, -1)) return e_neg(g, b);
  if (is(g, b, -1)) return e_neg(g, a);
  if (negated(g, a) >= 0) return e_neg(g, e_mul(g, negated(g, a), b));
  if (negated(g, b) >= 0) return e_neg(g, e_mul(g, a, negated(g, b)));
  return a == b ? e_square(g, a) : -1;
}

static int simpler_quotient(sel__fuse_graph *g, int a, int b) {
  if (is(g, b, 1)) return a;
  if (is(g, a, 1)) return e_reciprocal(g, b);
  if (negated(g, a) >= 0) return e_neg(g, e_div(g, negated(g, a), b));
  if (negated(g, b) >= 0) return e_neg(g, e_div(g, a, negated(g, b)));
  return -1;
}

/* A node that stands for op(a, b, c) and is not just that; -1: there is none. */
static int simpler(sel__fuse_graph *g, int op, int a, int b, int c) {
  if (is_number(g, a) && is_number(g, b) && is_number(g, c))
    return sel__fuse_number(g, sel__fuse_fold(op, number(g, a), number(g, b), number(g, c)));
  switch (op) {
    case SEL_PW_add:
      return simpler_sum(g, a, b);
    case SEL_PW_sub:
      return simpler_difference(g, a, b);
    case SEL_PW_mul:
      return simpler_product(g, a, b);
    case SEL_PW_div:
      return simpler_quotient(g, a, b);
    case SEL_PW_pow:
      return simpler_power(g, a, b);
    case SEL_PW_neg:
      return negated(g, a);
    case SEL_PW_square:
      return negated(g, a) >= 0 ? e_square(g, negated(g, a)) : -1;
    case SEL_PW_where:
      if (b == c) return b;
      return is_number(g, a) ? (number(g, a) != 0 ? b : c) : -1;
    default:
      return -1;
  }
}

int sel__fuse_apply(sel__fuse_graph *g, int op, int a, int b, int c) {
  if (g->status != SEL_OK) return 0;
  const int found = simpler(g, op, a, b, c);
  if (found >= 0) return found;
  if ((op == SEL_PW_add || op == SEL_PW_mul) && a > b)
    return intern(g, &(sel__fuse_node){.op = op, .operand = {b, a, -1}});
  return intern(g, &(sel__fuse_node){.op = op, .operand = {a, b, c}});
}

int sel__fuse_live(const sel__fuse_graph *g, int n, const int *of, bool *live) {
  int rows = 0;
  memset(live, 0, (size_t)g->n * sizeof *live);
  for (int k = 0; k < n; k++)
    if (of[k] >= 0) live[of[k]] = true;
  for (int i = g->n - 1; i >= 0; i--) {
    if (!live[i] || g->node[i].op < 0) continue;
    rows++;
    for (int k = 0; k < 3; k++)
      if (g->node[i].operand[k] >= 0) live[g->node[i].operand[k]] = true;
  }
  return rows;
}
