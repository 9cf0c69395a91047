/* Recurrent cells: forward against PyTorch's formulas, backward against differences of these. */
#include "cases.h"
#include "harness.h"

typedef struct step {
  sel_cell kind;
  int64_t n, size;
  int gates;
  bool masked; /* every second row keeps its state */
} step;

static double logistic(double x) { return 1 / (1 + exp(-x)); }

/* One element j of row r: h, and c for LSTM, from gates and previous states (in C order). */
static void formula(const step *s, const double *x, const double *state, const double *h_prev,
                    const double *c_prev, int64_t r, int64_t j, double *h, double *c) {
  const int64_t at = r * s->size + j, gate = r * s->gates * s->size + j, n = s->size;
  *h = *c = 0;
  if (s->masked && r % 2) {
    *h = h_prev[at], *c = c_prev[at];
    return;
  }
  const double first = x[gate] + state[gate];
  if (s->kind == SEL_CELL_TANH) *h = tanh(first);
  if (s->kind == SEL_CELL_RELU) *h = first > 0 ? first : 0;
  if (s->kind == SEL_CELL_LSTM) {
    const double f = logistic(x[gate + n] + state[gate + n]);
    const double g = tanh(x[gate + 2 * n] + state[gate + 2 * n]);
    const double o = logistic(x[gate + 3 * n] + state[gate + 3 * n]);
    *c = f * c_prev[at] + logistic(first) * g;
    *h = o * tanh(*c);
  }
  if (s->kind == SEL_CELL_GRU) {
    const double z = logistic(x[gate + n] + state[gate + n]);
    const double fresh = tanh(x[gate + 2 * n] + logistic(first) * state[gate + 2 * n]);
    *h = (1 - z) * fresh + z * h_prev[at];
  }
}

/* ---- arrays ---- */

enum {
  GATES_X,
  GATES_H,
  H_PREV,
  C_PREV,
  H,
  C,
  SAVED,
  GRAD_H,
  GRAD_OUT,
  GRAD_C,
  GRAD_X,
  GRAD_GATES_H,
  GRAD_H_PREV,
  GRAD_C_PREV,
  ARRAYS
};

typedef struct problem {
  step s;
  array a[ARRAYS], mask;
  double *value[ARRAYS]; /* the inputs, as doubles */
  sel_cell_args args;
} problem;

static int64_t elements(const step *s, int k) {
  const int64_t state = s->n * s->size;
  if (k == GATES_X || k == GATES_H || k == GRAD_X || k == GRAD_GATES_H) return state * s->gates;
  return k == SAVED ? 4 * state : state;
}

static problem prepare(sel_cell kind, sel_dtype dtype, int64_t n, int64_t size, bool masked) {
  problem p = {.s = {kind, n, size, sel_cell_gates(kind), masked}};
  for (int k = 0; k < ARRAYS; k++) {
    const int64_t count = elements(&p.s, k);
    p.a[k] = array_new(dtype, 1, &count, OFFSET);
    fill(&p.a[k], false);
    p.value[k] = malloc((size_t)count * sizeof(double));
    for (int64_t i = 0; i < count; i++) p.value[k][i] = get(&p.a[k], i);
    upload(&p.a[k]);
  }
  p.mask = array_new(SEL_U8, 1, &n, OFFSET);
  for (int64_t r = 0; r < n; r++) set(&p.mask, r, r % 2 ? 0 : 1);
  upload(&p.mask);
  p.args = (sel_cell_args){.kind = kind,
                           .dtype = dtype,
                           .n = n,
                           .size = size,
                           .gates_x = operand_of(&p.a[GATES_X]),
                           .gates_h = operand_of(&p.a[GATES_H]),
                           .h_prev = operand_of(&p.a[H_PREV]),
                           .h = operand_of(&p.a[H])};
  if (masked) p.args.mask = operand_of(&p.mask);
  if (kind == SEL_CELL_LSTM)
    p.args.c_prev = operand_of(&p.a[C_PREV]), p.args.c = operand_of(&p.a[C]);
  if (kind == SEL_CELL_LSTM || kind == SEL_CELL_GRU) p.args.saved = operand_of(&p.a[SAVED]);
  return p;
}

static void drop(problem *p) {
  for (int k = 0; k < ARRAYS; k++) array_free(&p->a[k]), free(p->value[k]);
  array_free(&p->mask);
}

/* ---- forward ---- */

static void check_forward(problem *p, const char *what) {
  must(backend->cell(device, &p->args), what);
  download(&p->a[H]);
  if (p->args.c.data) download(&p->a[C]);
  for (int64_t r = 0; r < p->s.n; r++)
    for (int64_t j = 0; j < p->s.size; j++) {
      double h, c;
      formula(&p->s, p->value[GATES_X], p->value[GATES_H], p->value[H_PREV], p->value[C_PREV], r, j,
              &h, &c);
      const int64_t at = r * p->s.size + j;
      expect_near(get(&p->a[H], at), h, 16 * epsilon(p->args.dtype), what, at);
      if (p->args.c.data) expect_near(get(&p->a[C], at), c, 16 * epsilon(p->args.dtype), what, at);
    }
}

/* ---- backward: f64 only, by central differences ---- */

/* What grad_h + grad_out and grad_c weigh of row r's element j. */
static double weighted(const problem *p, int64_t r, int64_t j) {
  double h, c;
  const int64_t at = r * p->s.size + j;
  formula(&p->s, p->value[GATES_X], p->value[GATES_H], p->value[H_PREV], p->value[C_PREV], r, j, &h,
          &c);
  const double of_c = p->s.kind == SEL_CELL_LSTM ? p->value[GRAD_C][at] * c : 0;
  return (p->value[GRAD_H][at] + p->value[GRAD_OUT][at]) * h + of_c;
}

static void compare(problem *p, int input, int result, int64_t i, int64_t r, int64_t j,
                    const char *what) {
  double *x = &p->value[input][i], before = *x, d = 1e-5;
  *x = before + d;
  const double above = weighted(p, r, j);
  *x = before - d;
  const double below = weighted(p, r, j);
  *x = before;
  expect_near(get(&p->a[result], i), (above - below) / (2 * d), 1e-8, what, i);
}

static void check_backward(problem *p, const char *what) {
  const bool lstm = p->s.kind == SEL_CELL_LSTM, gru = p->s.kind == SEL_CELL_GRU;
  must(backend->cell(device, &p->args), what);
  p->args.backward = true;
  p->args.grad_h = operand_of(&p->a[GRAD_H]), p->args.grad_out = operand_of(&p->a[GRAD_OUT]);
  p->args.grad_gates_x = operand_of(&p->a[GRAD_X]);
  p->args.grad_h_prev = operand_of(&p->a[GRAD_H_PREV]);
  if (gru) p->args.grad_gates_h = operand_of(&p->a[GRAD_GATES_H]);
  if (lstm)
    p->args.grad_c = operand_of(&p->a[GRAD_C]),
    p->args.grad_c_prev = operand_of(&p->a[GRAD_C_PREV]);
  must(backend->cell(device, &p->args), what);
  for (int k = GRAD_X; k < ARRAYS; k++) download(&p->a[k]);
  for (int64_t r = 0; r < p->s.n; r++)
    for (int64_t j = 0; j < p->s.size; j++) {
      for (int g = 0; g < p->s.gates; g++) {
        const int64_t gate = (r * p->s.gates + g) * p->s.size + j;
        if (p->s.kind == SEL_CELL_RELU && p->value[GATES_X][gate] == -p->value[GATES_H][gate])
          continue; /* the kink, where a difference tells nothing */
        compare(p, GATES_X, GRAD_X, gate, r, j, what);
        if (gru) compare(p, GATES_H, GRAD_GATES_H, gate, r, j, what);
      }
      compare(p, H_PREV, GRAD_H_PREV, r * p->s.size + j, r, j, what);
      if (lstm) compare(p, C_PREV, GRAD_C_PREV, r * p->s.size + j, r, j, what);
    }
}

static const int64_t shapes[][2] = {{1, 1}, {3, 7}, {2, 64}, {5, 33}, {0, 4}, {64, 130}};

START_TEST(every_cell) {
  static const char *const names[] = {"tanh", "relu", "lstm", "gru"};
  seed_numbers((uint64_t)_i);
  for (int kind = 0; kind < 4; kind++)
    for (int bits = 0; bits < 4; bits++) {
      const bool masked = bits & 1;
      const sel_dtype dtype = bits & 2 ? SEL_F64 : SEL_F32;
      char what[80];
      snprintf(what, sizeof what, "%s cell %s%s, %lld x %lld", names[kind], sel_dtype_name(dtype),
               masked ? ", masked" : "", (long long)shapes[_i][0], (long long)shapes[_i][1]);
      problem p = prepare((sel_cell)kind, dtype, shapes[_i][0], shapes[_i][1], masked);
      check_forward(&p, what);
      if (dtype == SEL_F64) check_backward(&p, what);
      drop(&p);
    }
}
END_TEST

/* States may take the place of the previous ones, and nothing need be saved. */
START_TEST(in_place) {
  seed_numbers(3);
  problem p = prepare(SEL_CELL_LSTM, SEL_F32, 4, 40, true);
  problem q = prepare(SEL_CELL_LSTM, SEL_F32, 4, 40, true);
  for (int k = 0; k < ARRAYS; k++) {
    for (int64_t i = 0; i < elements(&p.s, k); i++) set(&q.a[k], i, p.value[k][i]);
    upload(&q.a[k]);
  }
  q.args.h = q.args.h_prev, q.args.c = q.args.c_prev;
  q.args.saved = (sel_operand){0};
  must(backend->cell(device, &p.args), "lstm");
  must(backend->cell(device, &q.args), "lstm in place");
  download(&p.a[H]), download(&p.a[C]), download(&q.a[H_PREV]), download(&q.a[C_PREV]);
  for (int64_t i = 0; i < 160; i++) {
    expect_near(get(&q.a[H_PREV], i), get(&p.a[H], i), 0, "h in place", i);
    expect_near(get(&q.a[C_PREV], i), get(&p.a[C], i), 0, "c in place", i);
  }
  drop(&p), drop(&q);
}
END_TEST

TCase *cell_cases(void) {
  TCase *cases = tcase_create("cell");
  tcase_add_loop_test(cases, every_cell, 0, sizeof shapes / sizeof *shapes);
  tcase_add_test(cases, in_place);
  return cases;
}
