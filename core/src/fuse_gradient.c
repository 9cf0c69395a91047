/* The derivative of each row, and the walk that puts them together: see fuse_gradient.h. Rules are
 * those of the operations (pointwise.c), ties and kinks included. */
#include "fuse_gradient.h"

#include <math.h>

#include "core.h"

typedef struct walk {
  sel__fuse_graph *g;
  int *adjoint; /* by node: d(result)/d(node), -1 for zero */
} walk;

static void give(walk *w, int node, int gradient) {
  int *adjoint = &w->adjoint[node];
  *adjoint = *adjoint < 0 ? gradient : e_add(w->g, *adjoint, gradient);
}

static int k(walk *w, double value) { return sel__fuse_number(w->g, value); }
static int one_minus(walk *w, int x) { return e_sub(w->g, k(w, 1), x); }

/* The winner gets the gradient; equal ones half each. */
static int share(walk *w, int wins, int tie, int gradient) {
  const int half = e_mul(w->g, k(w, 0.5), gradient);
  return e_where(w->g, wins, gradient, e_where(w->g, tie, half, k(w, 0)));
}

/* d = gradient of y = op(a, b, c). */
static void step(walk *w, int op, int y, int a, int b, int c, int d) {
  sel__fuse_graph *g = w->g;
  switch (op) {
    case SEL_PW_add:
      give(w, a, d);
      give(w, b, d);
      break;
    case SEL_PW_sub:
      give(w, a, d);
      give(w, b, e_neg(g, d));
      break;
    case SEL_PW_mul:
      give(w, a, e_mul(g, d, b));
      give(w, b, e_mul(g, d, a));
      break;
    case SEL_PW_div:
      give(w, a, e_div(g, d, b));
      give(w, b, e_neg(g, e_mul(g, e_div(g, d, b), y)));
      break;
    case SEL_PW_remainder:
      give(w, a, d);
      give(w, b, e_neg(g, e_mul(g, d, e_floor_divide(g, a, b))));
      break;
    case SEL_PW_pow: { /* b a^(b-1), 0 for b = 0; y ln a, 0 where a = 0 */
      const int slope = e_mul(g, b, e_pow(g, a, e_sub(g, b, k(w, 1))));
      give(w, a, e_mul(g, d, e_where(g, e_eq(g, b, k(w, 0)), k(w, 0), slope)));
      const int base = e_where(g, e_eq(g, a, k(w, 0)), k(w, 1), a);
      give(w, b, e_mul(g, d, e_mul(g, y, e_log(g, base))));
      break;
    }
    case SEL_PW_atan2: { /* a is y, b is x */
      const int q = e_div(g, d, e_add(g, e_square(g, a), e_square(g, b)));
      give(w, a, e_mul(g, q, b));
      give(w, b, e_neg(g, e_mul(g, q, a)));
      break;
    }
    case SEL_PW_maximum:
      give(w, a, share(w, e_gt(g, a, b), e_eq(g, a, b), d));
      give(w, b, share(w, e_lt(g, a, b), e_eq(g, a, b), d));
      break;
    case SEL_PW_minimum:
      give(w, a, share(w, e_lt(g, a, b), e_eq(g, a, b), d));
      give(w, b, share(w, e_gt(g, a, b), e_eq(g, a, b), d));
      break;
    case SEL_PW_where:
      give(w, b, e_where(g, a, d, k(w, 0)));
      give(w, c, e_where(g, a, k(w, 0), d));
      break;
    case SEL_PW_neg:
      give(w, a, e_neg(g, d));
      break;
    case SEL_PW_abs:
      give(w, a, e_mul(g, d, e_sign(g, a)));
      break;
    case SEL_PW_square:
      give(w, a, e_mul(g, d, e_mul(g, k(w, 2), a)));
      break;
    case SEL_PW_reciprocal:
      give(w, a, e_neg(g, e_mul(g, d, e_square(g, y))));
      break;
    case SEL_PW_sqrt:
      give(w, a, e_div(g, e_mul(g, k(w, 0.5), d), y));
      break;
    case SEL_PW_rsqrt:
      give(w, a, e_mul(g, e_mul(g, k(w, -0.5), d), e_mul(g, y, e_square(g, y))));
      break;
    case SEL_PW_exp:
      give(w, a, e_mul(g, d, y));
      break;
    case SEL_PW_expm1:
      give(w, a, e_mul(g, d, e_add(g, y, k(w, 1))));
      break;
    case SEL_PW_log:
      give(w, a, e_div(g, d, a));
      break;
    case SEL_PW_log2:
      give(w, a, e_div(g, d, e_mul(g, a, k(w, M_LN2))));
      break;
    case SEL_PW_log10:
      give(w, a, e_div(g, d, e_mul(g, a, k(w, M_LN10))));
      break;
    case SEL_PW_log1p:
      give(w, a, e_div(g, d, e_add(g, a, k(w, 1))));
      break;
    case SEL_PW_sin:
      give(w, a, e_mul(g, d, e_cos(g, a)));
      break;
    case SEL_PW_cos:
      give(w, a, e_neg(g, e_mul(g, d, e_sin(g, a))));
      break;
    case SEL_PW_tan:
      give(w, a, e_mul(g, d, e_add(g, e_square(g, y), k(w, 1))));
      break;
    case SEL_PW_asin:
      give(w, a, e_mul(g, d, e_rsqrt(g, one_minus(w, e_square(g, a)))));
      break;
    case SEL_PW_acos:
      give(w, a, e_neg(g, e_mul(g, d, e_rsqrt(g, one_minus(w, e_square(g, a))))));
      break;
    case SEL_PW_atan:
      give(w, a, e_div(g, d, e_add(g, e_square(g, a), k(w, 1))));
      break;
    case SEL_PW_sinh:
      give(w, a, e_mul(g, d, e_cosh(g, a)));
      break;
    case SEL_PW_cosh:
      give(w, a, e_mul(g, d, e_sinh(g, a)));
      break;
    case SEL_PW_tanh:
      give(w, a, e_mul(g, d, one_minus(w, e_square(g, y))));
      break;
    case SEL_PW_erf: /* 2/sqrt(pi) exp(-a^2) */
      give(w, a, e_mul(g, d, e_mul(g, k(w, M_2_SQRTPI), e_exp(g, e_neg(g, e_square(g, a))))));
      break;
    case SEL_PW_relu:
      give(w, a, e_where(g, e_gt(g, y, k(w, 0)), d, k(w, 0)));
      break;
    case SEL_PW_sigmoid:
      give(w, a, e_mul(g, d, e_mul(g, y, one_minus(w, y))));
      break;
    case SEL_PW_log_sigmoid:
      give(w, a, e_mul(g, d, e_sigmoid(g, e_neg(g, a))));
      break;
    default: /* piecewise constant: comparisons, logic, sign, floor and the like */
      break;
  }
}

sel_status sel__fuse_gradient(sel__fuse_graph *g, int n_out, const int *output, const int *seed,
                              int n_in, int *grad) {
  const int n = g->n;
  walk w = {g, sel__alloc((size_t)n * sizeof *w.adjoint)};
  if (!w.adjoint) return SEL_E_MEMORY;
  for (int i = 0; i < n; i++) w.adjoint[i] = -1;
  for (int i = 0; i < n_in; i++) grad[i] = -1;
  for (int j = 0; j < n_out; j++)
    if (seed[j] >= 0) give(&w, output[j], seed[j]);
  for (int i = n - 1; i >= 0; i--) {
    if (w.adjoint[i] < 0) continue;
    const sel__fuse_node node = g->node[i]; /* a copy: the graph grows */
    if (node.op >= 0)
      step(&w, node.op, i, node.operand[0], node.operand[1], node.operand[2], w.adjoint[i]);
    else if (node.op == SEL__FUSE_INPUT && node.operand[0] < n_in)
      grad[node.operand[0]] = w.adjoint[i];
  }
  sel__free(w.adjoint);
  return g->status;
}
