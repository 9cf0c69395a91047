/* Optimizer rules, all of SEL_UPDATES: several tensors at once, of sizes from 0 to many. */
#include "cases.h"
#include "harness.h"

/* One element by the list's text, in double; g is not written back. */
typedef void rule(double *p, double g, double *m, double *v, double *w, const double *s);
#define K(x) ((double)(x))
#define SQRT sqrt
typedef double T;
#define DEFINE(name, states, ...)                                                             \
  static void rule_##name(double *pp, double g, double *pm, double *pv, double *pw,           \
                          const double *s) {                                                  \
    const double s0 = s[0], s1 = s[1], s2 = s[2], s3 = s[3], s4 = s[4], s5 = s[5], s6 = s[6], \
                 s7 = s[7];                                                                   \
    double p = *pp, m = *pm, v = *pv, w = *pw;                                                \
    (void)s0, (void)s1, (void)s2, (void)s3, (void)s4, (void)s5, (void)s6, (void)s7;           \
    __VA_ARGS__ *pp = p, *pm = m, *pv = v, *pw = w;                                           \
  }
SEL_UPDATES(DEFINE)

static const struct {
  const char *name;
  int states;
  rule *apply;
} rules[SEL_UPDATE_COUNT] = {
#define ENTRY(name, states, ...) {#name, states, rule_##name},
    SEL_UPDATES(ENTRY)};

enum { ITEMS = 20, TENSORS = 5 /* parameter, gradient, three states */ };
static const int64_t sizes[ITEMS] = {1,  0, 37, 100000, 3, 256, 0, 2, 257, 64,
                                     10, 1, 4,  1000,   0, 5,   6, 7, 8,   90000};
static const double scalar[SEL_MAX_SCALARS] = {0.125, 0.25, -1, 0.5, 0.75, 0.0625, 1.5, 0.03125};

static sel_operand state_operand(const array *tensors, int op, int k) {
  return k < rules[op].states ? operand_of(&tensors[2 + k]) : (sel_operand){0};
}

START_TEST(every_rule) {
  const int op = _i / 2;
  const sel_dtype dtype = _i % 2 ? SEL_F64 : SEL_F32;
  array tensors[ITEMS][TENSORS], before[ITEMS][TENSORS];
  sel_update_item items[ITEMS];
  seed_numbers((uint64_t)_i);
  for (int i = 0; i < ITEMS; i++) {
    for (int k = 0; k < TENSORS; k++) {
      tensors[i][k] = array_new(dtype, 1, &sizes[i], OFFSET);
      before[i][k] = array_new(dtype, 1, &sizes[i], OFFSET);
      for (int64_t e = 0; e < sizes[i]; e++) {
        const double x = k == 3 ? 4 + number() : number(); /* v exceeds w squared, as it does */
        set(&tensors[i][k], e, x), set(&before[i][k], e, x);
      }
      upload(&tensors[i][k]);
    }
    items[i] =
        (sel_update_item){operand_of(&tensors[i][0]),
                          operand_of(&tensors[i][1]),
                          {state_operand(tensors[i], op, 0), state_operand(tensors[i], op, 1),
                           state_operand(tensors[i], op, 2)},
                          sizes[i]};
  }
  sel_update_args args = {.op = op, .dtype = dtype, .count = ITEMS, .items = items};
  memcpy(args.scalar, scalar, sizeof scalar);
  must(backend->update(device, &args), rules[op].name);
  for (int i = 0; i < ITEMS; i++) {
    for (int k = 0; k < TENSORS; k++) download(&tensors[i][k]);
    for (int64_t e = 0; e < sizes[i]; e++) {
      double x[TENSORS];
      for (int k = 0; k < TENSORS; k++) x[k] = get(&before[i][k], e);
      rules[op].apply(&x[0], x[1], &x[2], &x[3], &x[4], scalar);
      for (int k = 0; k < TENSORS; k++) {
        const bool changes = k == 0 || (k >= 2 && k < 2 + rules[op].states);
        expect_near(get(&tensors[i][k], e), changes ? x[k] : get(&before[i][k], e),
                    changes ? 8 * epsilon(dtype) : 0, rules[op].name, e);
      }
    }
    for (int k = 0; k < TENSORS; k++) array_free(&tensors[i][k]), array_free(&before[i][k]);
  }
}
END_TEST

TCase *update_cases(void) {
  TCase *cases = tcase_create("update");
  tcase_add_loop_test(cases, every_rule, 0, 2 * SEL_UPDATE_COUNT);
  return cases;
}
