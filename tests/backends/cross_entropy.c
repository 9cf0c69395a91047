/* Cross-entropy forward and backward: weights, smoothing, ignored rows, both id types, bad ids. */
#include "cases.h"
#include "harness.h"

typedef struct setting {
  sel_dtype dtype, id_dtype;
  bool weighted;
  double smoothing;
  int64_t rows, classes, ignore;
} setting;

typedef struct operands {
  array logits, target, weight, losses, log_sums, grad_losses, grad_logits;
  sel_cross_entropy_args args;
} operands;

static operands operands_new(const setting *s) {
  const int64_t n = s->rows * s->classes;
  operands o = {.logits = array_new(s->dtype, 1, &n, OFFSET),
                .target = array_new(s->id_dtype, 1, &s->rows, OFFSET),
                .weight = array_new(s->dtype, 1, &s->classes, OFFSET),
                .losses = array_new(s->dtype, 1, &s->rows, OFFSET),
                .log_sums = array_new(s->dtype, 1, &s->rows, OFFSET),
                .grad_losses = array_new(s->dtype, 1, &s->rows, OFFSET),
                .grad_logits = array_new(s->dtype, 1, &n, OFFSET)};
  fill(&o.logits, false), fill(&o.grad_losses, false);
  for (int64_t c = 0; c < s->classes; c++) set(&o.weight, c, 0.25 + number());
  for (int64_t r = 0; r < s->rows; r++)
    set_whole(&o.target, r, below(4) == 0 ? s->ignore : below(s->classes));
  array *all[] = {&o.logits,   &o.target,      &o.weight,     &o.losses,
                  &o.log_sums, &o.grad_losses, &o.grad_logits};
  for (int i = 0; i < 7; i++) upload(all[i]);
  o.args = (sel_cross_entropy_args){.logits = operand_of(&o.logits),
                                    .target = operand_of(&o.target),
                                    .losses = operand_of(&o.losses),
                                    .log_sums = operand_of(&o.log_sums),
                                    .grad_losses = operand_of(&o.grad_losses),
                                    .grad_logits = operand_of(&o.grad_logits),
                                    .rows = s->rows,
                                    .classes = s->classes,
                                    .ignore_index = s->ignore,
                                    .label_smoothing = s->smoothing};
  if (s->weighted) o.args.weight = operand_of(&o.weight);
  return o;
}

static void operands_free(operands *o) {
  array_free(&o->logits), array_free(&o->target), array_free(&o->weight), array_free(&o->losses);
  array_free(&o->log_sums), array_free(&o->grad_losses), array_free(&o->grad_logits);
}

/* Target probability of class c in a row, times the class's weight. */
static double pull(const setting *s, const operands *o, int64_t id, int64_t c) {
  const double q = s->smoothing / (double)s->classes + (c == id ? 1 - s->smoothing : 0);
  return q * (s->weighted ? get(&o->weight, c) : 1);
}

static void check_row(const setting *s, const operands *o, int64_t r, const char *what) {
  const int64_t id = get_whole(&o->target, r), first = r * s->classes;
  long double sum = 0, loss = 0, total = 0;
  for (int64_t c = 0; c < s->classes; c++) sum += expl(get(&o->logits, first + c));
  for (int64_t c = 0; c < s->classes; c++) {
    total += pull(s, o, id, c);
    loss -= pull(s, o, id, c) * (get(&o->logits, first + c) - logl(sum));
  }
  const bool ignored = id == s->ignore;
  const double tolerance = 16 * epsilon(s->dtype);
  expect_near(get(&o->losses, r), ignored ? 0 : (double)loss, tolerance, what, r);
  expect_near(get(&o->log_sums, r), ignored ? 0 : (double)logl(sum), tolerance, what, r);
  for (int64_t c = 0; c < s->classes; c++) {
    const long double p = expl(get(&o->logits, first + c)) / sum;
    const double grad = (double)(get(&o->grad_losses, r) * (p * total - pull(s, o, id, c)));
    expect_near(get(&o->grad_logits, first + c), ignored ? 0 : grad, tolerance, what, first + c);
  }
}

static void cross_entropy_case(const setting *s) {
  char what[128];
  snprintf(what, sizeof what, "cross_entropy %s %lld x %lld, weighted %d, smoothing %g",
           sel_dtype_name(s->dtype), (long long)s->rows, (long long)s->classes, s->weighted,
           s->smoothing);
  operands o = operands_new(s);
  must(backend->cross_entropy(device, &o.args), what);
  o.args.backward = true;
  must(backend->cross_entropy(device, &o.args), what);
  download(&o.losses), download(&o.log_sums), download(&o.grad_logits);
  for (int64_t r = 0; r < s->rows; r++) check_row(s, &o, r, what);
  operands_free(&o);
}

START_TEST(every_setting) {
  static const int64_t shapes[][2] = {{1, 1}, {7, 2}, {64, 10}, {5, 1000}, {0, 3}, {3000, 10}};
  seed_numbers((uint64_t)_i);
  for (int bits = 0; bits < 32; bits++) {
    const setting s = {.dtype = bits & 1 ? SEL_F64 : SEL_F32,
                       .id_dtype = bits & 2 ? SEL_I32 : SEL_I64,
                       .weighted = bits & 4,
                       .smoothing = bits & 8 ? 0.125 : 0,
                       .rows = shapes[_i][0],
                       .classes = shapes[_i][1],
                       .ignore = bits & 16 ? 0 : -100};
    if (tested_dtype(s.dtype)) cross_entropy_case(&s);
  }
}
END_TEST

/* Impossible classes (-inf) and large logits give finite losses. */
START_TEST(extreme_logits) {
  const setting s = {SEL_F32, SEL_I64, false, 0, 2, 4, -100};
  operands o = operands_new(&s);
  const double x[] = {0, -INFINITY, -INFINITY, 0, 1e4, 1e4 - 1, -1e4, 0};
  for (int i = 0; i < 8; i++) set(&o.logits, i, x[i]);
  set_whole(&o.target, 0, 0), set_whole(&o.target, 1, 1);
  upload(&o.logits), upload(&o.target);
  must(backend->cross_entropy(device, &o.args), "cross_entropy");
  download(&o.losses);
  expect_near(get(&o.losses, 0), log(2), 1e-6, "row with -inf", 0);
  expect_near(get(&o.losses, 1), log1p(exp(1)), 1e-3, "large logits", 1); /* 1e4 has 1e-3 steps */
  operands_free(&o);
}
END_TEST

START_TEST(bad_ids) {
  static const int64_t bad[] = {-1, 5, -99};
  const setting s = {SEL_F32, _i % 2 ? SEL_I32 : SEL_I64, false, 0, 9, 5, -100};
  for (int b = 0; b < 3; b++)
    for (int backward = 0; backward < 2; backward++) {
      operands o = operands_new(&s);
      set_whole(&o.target, 8, bad[b]);
      upload(&o.target);
      o.args.backward = backward;
      ck_assert_int_eq(settled(backend->cross_entropy(device, &o.args)), SEL_E_ARGUMENT);
      char value[32];
      snprintf(value, sizeof value, "%lld", (long long)bad[b]);
      ck_assert_msg(strstr(sel_error(), value) && strstr(sel_error(), "5)"),
                    "the message names neither value nor classes: %s", sel_error());
      operands_free(&o);
    }
}
END_TEST

TCase *cross_entropy_cases(void) {
  TCase *cases = tcase_create("cross_entropy");
  tcase_add_loop_test(cases, every_setting, 0, 6);
  tcase_add_test(cases, extreme_logits);
  tcase_add_loop_test(cases, bad_ids, 0, 2);
  return cases;
}
