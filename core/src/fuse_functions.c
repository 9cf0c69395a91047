/* Functions of expressions: rows of SEL_POINTWISE by their names, and activations made of them.
 *
 * The latter are written so that their derivatives, which follow from the parts, are finite
 * wherever the function is: an exponential in a branch of `where` must not overflow in the other.
 */
#include "fuse_functions.h"

#include "selenite/fuse.h"

typedef sel__fuse_graph graph;

static int k(graph *g, double value) { return sel__fuse_number(g, value); }

static int clamp(graph *g, const int *x) {
  const int below_high = e_where(g, e_gt(g, x[0], x[2]), x[2], x[0]);
  return e_where(g, e_lt(g, x[0], x[1]), x[1], below_high);
}
static int leaky_relu(graph *g, const int *x) {
  return e_where(g, e_lt(g, x[0], k(g, 0)), e_mul(g, x[1], x[0]), x[0]);
}
static int elu(graph *g, const int *x) {
  const int tail = e_expm1(g, e_minimum(g, x[0], k(g, 0)));
  return e_where(g, e_lt(g, x[0], k(g, 0)), e_mul(g, x[1], tail), x[0]);
}
static int selu(graph *g, const int *x) {
  const int inner = elu(g, (int[]){x[0], k(g, 1.6732632423543772)});
  return e_mul(g, k(g, 1.0507009873554805), inner);
}
static int softplus(graph *g, const int *x) { return e_neg(g, e_log_sigmoid(g, e_neg(g, x[0]))); }
static int softsign(graph *g, const int *x) {
  return e_div(g, x[0], e_add(g, k(g, 1), e_abs(g, x[0])));
}
static int gelu(graph *g, const int *x) {
  const int tail = e_add(g, k(g, 1), e_erf(g, e_mul(g, x[0], k(g, 0.70710678118654752))));
  return e_mul(g, e_mul(g, k(g, 0.5), x[0]), tail);
}
static int gelu_tanh(graph *g, const int *x) {
  const int cube = e_mul(g, x[0], e_square(g, x[0]));
  const int inner = e_add(g, x[0], e_mul(g, k(g, 0.044715), cube));
  const int tail = e_add(g, k(g, 1), e_tanh(g, e_mul(g, k(g, 0.79788456080286536), inner)));
  return e_mul(g, e_mul(g, k(g, 0.5), x[0]), tail);
}
static int silu(graph *g, const int *x) { return e_mul(g, x[0], e_sigmoid(g, x[0])); }
static int mish(graph *g, const int *x) { return e_mul(g, x[0], e_tanh(g, softplus(g, x))); }
static int hardsigmoid(graph *g, const int *x) {
  const int line = e_add(g, e_div(g, x[0], k(g, 6)), k(g, 0.5));
  const int upper = e_where(g, e_ge(g, x[0], k(g, 3)), k(g, 1), line);
  return e_where(g, e_le(g, x[0], k(g, -3)), k(g, 0), upper);
}
static int hardswish(graph *g, const int *x) {
  const int curve = e_div(g, e_mul(g, x[0], e_add(g, x[0], k(g, 3))), k(g, 6));
  const int upper = e_where(g, e_ge(g, x[0], k(g, 3)), x[0], curve);
  return e_where(g, e_le(g, x[0], k(g, -3)), k(g, 0), upper);
}
static int lerp(graph *g, const int *x) {
  return e_add(g, x[0], e_mul(g, x[2], e_sub(g, x[1], x[0])));
}

#define ROW(name, arguments) \
  { #name, arguments, SEL_PW_##name, NULL }
#define MADE(name, arguments) \
  { #name, arguments, -1, name }
/* clang-format off */
static const sel__fuse_function functions[] = {
    ROW(abs, 1), ROW(sign, 1), ROW(square, 1), ROW(reciprocal, 1), ROW(sqrt, 1), ROW(rsqrt, 1),
    ROW(exp, 1), ROW(expm1, 1), ROW(log, 1), ROW(log2, 1), ROW(log10, 1), ROW(log1p, 1),
    ROW(sin, 1), ROW(cos, 1), ROW(tan, 1), ROW(asin, 1), ROW(acos, 1), ROW(atan, 1),
    ROW(sinh, 1), ROW(cosh, 1), ROW(tanh, 1), ROW(erf, 1),
    ROW(floor, 1), ROW(ceil, 1), ROW(round, 1), ROW(trunc, 1),
    ROW(pow, 2), ROW(atan2, 2), ROW(maximum, 2), ROW(minimum, 2), ROW(where, 3), MADE(clamp, 3),
    MADE(lerp, 3),
    ROW(relu, 1), MADE(leaky_relu, 2), MADE(elu, 2), MADE(selu, 1), ROW(sigmoid, 1),
    ROW(log_sigmoid, 1), MADE(softplus, 1), MADE(softsign, 1), MADE(gelu, 1), MADE(gelu_tanh, 1),
    MADE(silu, 1), MADE(mish, 1), MADE(hardsigmoid, 1), MADE(hardswish, 1)};
/* clang-format on */
enum { FUNCTIONS = sizeof functions / sizeof *functions };

const sel__fuse_function *sel__fuse_function_at(int i) {
  return i >= 0 && i < FUNCTIONS ? &functions[i] : NULL;
}

const char *sel_fuse_name(int i, int *arguments) {
  const sel__fuse_function *function = sel__fuse_function_at(i);
  if (!function) return NULL;
  *arguments = function->arguments;
  return function->name;
}
