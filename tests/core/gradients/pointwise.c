/* Samples of the pointwise rows: each in all shapes and layouts, over the ranges of `domains`.
 *
 * The functions are made from the rows of SEL_POINTWISE; a new row only needs its range here.
 */
#include <math.h>
#include <string.h>

#include "sample.h"

typedef sel_status (*runner)(const sample *s, sel_tensor *const *in, sel_tensor **out);

/* ---- a runner for each row; two-input rows also with a number, number[2], on either side ---- */

#define N0 s->number[0]
#define N1 s->number[1]
#define RUN(prefix, name, call) SAMPLE_RUN(prefix##_##name, call)
#define RUN_U(name) RUN(run, name, sel_##name(in[0], out))
#define RUN_U1(name) RUN(run, name, sel_##name(in[0], N0, out))
#define RUN_U2(name) RUN(run, name, sel_##name(in[0], N0, N1, out))
#define RUN_B(name)                                               \
  RUN(run, name, sel_##name(in[0], in[1], out))                   \
  RUN(right, name, sel_##name##_scalar(in[0], s->number[2], out)) \
  RUN(left, name, sel_scalar_##name(s->number[2], in[0], out))
#define RUN_B1(name) RUN(run, name, sel_##name(in[0], in[1], N0, out))
#define RUN_T(name) RUN(run, name, sel_##name(in[0], in[1], in[2], out))
#define RUN_T1(name) RUN(run, name, sel_##name(in[0], in[1], in[2], N0, out))
#define RUN_GB(name) RUN(run, name, sel_##name(in[0], in[1], out))
#define RUN_GB1(name) RUN(run, name, sel_##name(in[0], in[1], N0, out))
#define RUN_GB2(name) RUN(run, name, sel_##name(in[0], in[1], N0, N1, out))
#define RUN_GT(name) RUN(run, name, sel_##name(in[0], in[1], in[2], out))
#define RUN_GT1(name) RUN(run, name, sel_##name(in[0], in[1], in[2], N0, out))
#define RUNNER(kind, name, types, ...) RUN_##kind(name)
SEL_POINTWISE(RUNNER)

typedef struct row {
  const char *name;
  int n_in;
  runner run, right, left;
} row;

#define ROW_1(name) {#name, 1, run_##name, NULL, NULL},
#define ROW_2(name) {#name, 2, run_##name, NULL, NULL},
#define ROW_3(name) {#name, 3, run_##name, NULL, NULL},
#define ROW_U ROW_1
#define ROW_U1 ROW_1
#define ROW_U2 ROW_1
#define ROW_B(name) {#name, 2, run_##name, right_##name, left_##name},
#define ROW_B1 ROW_2
#define ROW_T ROW_3
#define ROW_T1 ROW_3
#define ROW_GB ROW_2
#define ROW_GB1 ROW_2
#define ROW_GB2 ROW_2
#define ROW_GT ROW_3
#define ROW_GT1 ROW_3
#define ROW(kind, name, types, ...) ROW_##kind(name)
static const row rows[] = {SEL_POINTWISE(ROW)};
enum { ROWS = sizeof rows / sizeof *rows };

/* ---- where each row is smooth ---- */

typedef struct range {
  double low, high;
} range;

typedef struct domain {
  const char *op;
  range in[3];
  double number[2];
  double right, left; /* a number on that side; 0: 1.3 and 0.7 */
} domain;

#define DOMAIN(op_, ...) \
  { .op = op_, __VA_ARGS__ }
#define ANY \
  { -2, 2 }
#define UNIT \
  { 0.05, 0.95 }
#define POSITIVE \
  { 0.5, 2.5 }

static const domain domains[] = {
    DOMAIN("add", {ANY, ANY}),
    DOMAIN("sub", {ANY, ANY}),
    DOMAIN("mul", {ANY, ANY}),
    DOMAIN("div", {ANY, POSITIVE}),
    DOMAIN("div", {POSITIVE, {-2.5, -0.5}}),
    DOMAIN("floor_divide", {{-3, 3}, {1.2, 1.8}}),
    DOMAIN("remainder", {{-3, 3}, {1.2, 1.8}}),
    DOMAIN("pow", {POSITIVE, ANY}),
    DOMAIN("pow", {POSITIVE, {-2, -0.5}}, .right = 2, .left = 2),
    DOMAIN("pow", {{0.3, 1.5}, {0.3, 3}}, .right = -1, .left = 1),
    DOMAIN("pow", {POSITIVE, POSITIVE}, .right = 0.5),
    DOMAIN("atan2", {ANY, ANY}),
    DOMAIN("maximum", {ANY, ANY}, .right = 0.5, .left = -0.5),
    DOMAIN("minimum", {ANY, ANY}, .right = 0.5, .left = -0.5),
    DOMAIN("neg", {ANY}),
    DOMAIN("abs", {ANY}),
    DOMAIN("sign", {ANY}),
    DOMAIN("square", {ANY}),
    DOMAIN("reciprocal", {POSITIVE}),
    DOMAIN("reciprocal", {{-2, -0.5}}),
    DOMAIN("sqrt", {{0.2, 3}}),
    DOMAIN("rsqrt", {{0.3, 3}}),
    DOMAIN("exp", {ANY}),
    DOMAIN("expm1", {ANY}),
    DOMAIN("log", {{0.2, 3}}),
    DOMAIN("log2", {{0.2, 3}}),
    DOMAIN("log10", {{0.2, 3}}),
    DOMAIN("log1p", {{-0.8, 3}}),
    DOMAIN("sin", {{-4, 4}}),
    DOMAIN("cos", {{-4, 4}}),
    DOMAIN("tan", {{-1.2, 1.2}}),
    DOMAIN("asin", {{-0.9, 0.9}}),
    DOMAIN("acos", {{-0.9, 0.9}}),
    DOMAIN("atan", {ANY}),
    DOMAIN("sinh", {ANY}),
    DOMAIN("cosh", {ANY}),
    DOMAIN("tanh", {ANY}),
    DOMAIN("erf", {ANY}),
    DOMAIN("floor", {ANY}),
    DOMAIN("ceil", {ANY}),
    DOMAIN("round", {ANY}),
    DOMAIN("trunc", {ANY}),
    DOMAIN("clamp", {ANY}, {-1, 0.5}),
    DOMAIN("clamp", {ANY}, {-INFINITY, 1}),
    DOMAIN("clamp", {ANY}, {-1, INFINITY}),
    DOMAIN("lerp", {ANY, ANY, {0.3, 1}}),
    DOMAIN("addcmul", {ANY, ANY, ANY}, {0.7}),
    DOMAIN("addcdiv", {ANY, ANY, POSITIVE}, {0.7}),
    DOMAIN("where", {ANY, ANY, ANY}),
    DOMAIN("relu", {ANY}),
    DOMAIN("leaky_relu", {ANY}, {0.1}),
    DOMAIN("elu", {ANY}, {1.3}),
    DOMAIN("celu", {ANY}, {1.3}),
    DOMAIN("selu", {ANY}),
    DOMAIN("sigmoid", {ANY}),
    DOMAIN("log_sigmoid", {{-4, 4}}),
    DOMAIN("softplus", {ANY}, {2, 1.5}),
    DOMAIN("softplus", {ANY}, {1, 20}),
    DOMAIN("softsign", {ANY}),
    DOMAIN("gelu", {ANY}),
    DOMAIN("gelu_tanh", {ANY}),
    DOMAIN("silu", {{-4, 4}}),
    DOMAIN("mish", {{-4, 4}}),
    DOMAIN("hardsigmoid", {{-4, 4}}),
    DOMAIN("hardswish", {{-4, 4}}),
    DOMAIN("hardshrink", {ANY}, {0.5}),
    DOMAIN("softshrink", {ANY}, {0.5}),
    DOMAIN("smooth_l1_each", {ANY, ANY}, {1}),
    DOMAIN("smooth_l1_each", {ANY, ANY}, {0.5}),
    DOMAIN("huber_each", {ANY, ANY}, {1}),
    DOMAIN("huber_each", {ANY, ANY}, {1.5}),
    DOMAIN("bce_each", {UNIT, UNIT}, .right = 1, .left = 0.5),
    DOMAIN("bce_each", {UNIT, UNIT}, .right = 1e-300, .left = 0.5),
    DOMAIN("bce_with_logits_each", {{-4, 4}, UNIT}),
    DOMAIN("kl_div_each", {{-3, 0}, UNIT}),
    DOMAIN("relu_grad", {ANY, ANY}),
    DOMAIN("leaky_relu_grad", {ANY, ANY}, {0.1}),
    DOMAIN("elu_grad", {ANY, ANY}, {1.3}),
    DOMAIN("celu_grad", {ANY, ANY}, {1.3}),
    DOMAIN("selu_grad", {ANY, ANY}),
    DOMAIN("sigmoid_grad", {ANY, UNIT}),
    DOMAIN("tanh_grad", {ANY, {-0.9, 0.9}}),
    DOMAIN("log_sigmoid_grad", {ANY, ANY}),
    DOMAIN("softplus_grad", {ANY, ANY}, {2, 1}),
    DOMAIN("gelu_grad", {ANY, ANY}),
    DOMAIN("gelu_tanh_grad", {ANY, ANY}),
    DOMAIN("silu_grad", {ANY, ANY}),
    DOMAIN("clamp_grad", {ANY, ANY}, {-1, 1}),
    DOMAIN("hardsigmoid_grad", {ANY, {-4, 4}}),
    DOMAIN("hardswish_grad", {ANY, {-4, 4}}),
    DOMAIN("shrink_grad", {ANY, ANY}, {0.5}),
    DOMAIN("smooth_l1_grad", {ANY, ANY, ANY}, {1}),
    DOMAIN("huber_grad", {ANY, ANY, ANY}, {1}),
    DOMAIN("bce_with_logits_grad", {ANY, {-4, 4}, UNIT}),
};

/* ---- in which shapes and layouts ---- */

typedef struct pattern {
  const char *what;
  sample_input in[3]; /* ranges are the domain's */
} pattern;

#define S(layout, ...) INPUT(layout, VARYING, 0, 0, __VA_ARGS__)
#define NUMBER_ \
  { .kind = NUMBER }

static const pattern unary[] = {
    {"19 elements", {S(PLAIN, 19)}}, {"transposed", {S(TRANSPOSED, 3, 2)}},
    {"sliced", {S(SLICED, 2, 3)}},   {"expanded", {S(EXPANDED, 2, 3)}},
    {"a number", {S(PLAIN)}},        {"extents of 1", {S(TRANSPOSED, 1, 3, 1)}},
    {"empty", {S(PLAIN, 2, 0)}},
};
static const pattern binary[] = {
    {"one shape", {S(PLAIN, 2, 5), S(PLAIN, 2, 5)}},
    {"broadcast right", {S(PLAIN, 2, 3), S(PLAIN, 3)}},
    {"broadcast left", {S(PLAIN, 3), S(PLAIN, 2, 3)}},
    {"broadcast both", {S(PLAIN, 2, 1), S(PLAIN, 1, 3)}},
    {"broadcast in the middle", {S(PLAIN, 2, 1, 2), S(PLAIN, 3, 1)}},
    {"a number left", {S(PLAIN), S(PLAIN, 2, 2)}},
    {"a number right", {S(PLAIN, 2, 2), S(PLAIN)}},
    {"transposed, sliced", {S(TRANSPOSED, 2, 3), S(SLICED, 2, 3)}},
    {"expanded, transposed", {S(EXPANDED, 2, 3), S(TRANSPOSED, 2, 3)}},
    {"sliced, expanded", {S(SLICED, 2, 2), S(EXPANDED, 2, 2)}},
    {"numbers", {S(PLAIN), S(SLICED)}},
    {"empty", {S(PLAIN, 2, 0), S(PLAIN, 2, 1)}},
    {"a constant number right", {S(SLICED, 3), NUMBER_}},
    {"a constant number left", {NUMBER_, S(SLICED, 3)}},
};
static const pattern ternary[] = {
    {"one shape", {S(PLAIN, 5), S(PLAIN, 5), S(PLAIN, 5)}},
    {"broadcast all", {S(PLAIN, 2, 1), S(PLAIN, 3), S(PLAIN)}},
    {"broadcast first", {S(PLAIN), S(PLAIN, 1, 3), S(PLAIN, 2, 1)}},
    {"layouts", {S(TRANSPOSED, 2, 3), S(SLICED, 2, 3), S(EXPANDED, 2, 3)}},
    {"other layouts", {S(EXPANDED, 2, 2), S(TRANSPOSED, 2, 2), S(SLICED, 2)}},
    {"numbers", {S(PLAIN), S(PLAIN), S(SLICED)}},
    {"empty", {S(PLAIN, 0), S(PLAIN, 1), S(PLAIN)}},
    {"a constant number first", {NUMBER_, S(PLAIN, 3), S(PLAIN, 2, 1)}},
    {"a constant number second", {S(PLAIN, 2, 1), NUMBER_, S(PLAIN, 3)}},
    {"a constant number last", {S(PLAIN, 2, 1), S(PLAIN, 3), NUMBER_}},
    {"all but the first constant numbers", {S(PLAIN, 3), NUMBER_, NUMBER_}},
    {"all but the second constant numbers", {NUMBER_, S(PLAIN, 3), NUMBER_}},
    {"all but the last constant numbers", {NUMBER_, NUMBER_, S(PLAIN, 3)}},
};

static void take_pattern(sample *s, const domain *d, const pattern *p) {
  s->what = p->what;
  for (int i = 0; i < 3; i++) {
    s->in[i] = p->in[i];
    s->in[i].low = d->in[i].low;
    s->in[i].high = d->in[i].high;
  }
  if (strcmp(s->op, "where") == 0 && s->in[0].kind == VARYING) s->in[0].kind = MASK;
}

/* A condition is a mask, never a number, and not all that it chooses from may be numbers. */
static bool fits(const sample *s) {
  if (strcmp(s->op, "where") != 0) return true;
  return s->in[0].kind == MASK && (s->in[1].kind == VARYING || s->in[2].kind == VARYING);
}

static void visit_domain(const row *r, const domain *d, sample_visitor visit, void *context) {
  static const struct {
    const pattern *patterns;
    int count;
  } by_inputs[] = {{unary, sizeof unary / sizeof *unary},
                   {binary, sizeof binary / sizeof *binary},
                   {ternary, sizeof ternary / sizeof *ternary}};
  sample s = {.op = r->name, .run = r->run, .number = {d->number[0], d->number[1]}};
  for (int i = 0; i < by_inputs[r->n_in - 1].count; i++) {
    take_pattern(&s, d, &by_inputs[r->n_in - 1].patterns[i]);
    if (fits(&s)) visit(context, &s);
  }
  if (!r->right) return;
  static const pattern right = {"a constant right", {S(PLAIN, 2, 3)}};
  static const pattern left = {"a constant left", {S(TRANSPOSED, 2, 3)}};
  s.run = r->right;
  s.number[2] = d->right != 0 ? d->right : 1.3;
  take_pattern(&s, d, &right);
  visit(context, &s);
  domain swapped = *d;
  swapped.in[0] = d->in[1];
  s.run = r->left;
  s.number[2] = d->left != 0 ? d->left : 0.7;
  take_pattern(&s, &swapped, &left);
  visit(context, &s);
}

void visit_pointwise_samples(sample_visitor visit, void *context) {
  for (int i = 0; i < ROWS; i++)
    for (size_t k = 0; k < sizeof domains / sizeof *domains; k++)
      if (strcmp(domains[k].op, rows[i].name) == 0)
        visit_domain(&rows[i], &domains[k], visit, context);
}
