/* Recurrences: all steps in one call against the same steps one by one, through the backend's gemm
 * and cell; the same bits for every number of threads. A backend without the kernel has no cases.
 */
#include "cases.h"
#include "harness.h"

enum {
  GATES_X, /* [steps, n, gates * size] */
  WEIGHT,  /* [gates * size, size] */
  BIAS,    /* [gates * size] */
  GATES_H, /* [n, gates * size], used by all steps in turn */
  H,       /* [1 + steps, n, size], the first one given */
  C,
  SAVED,    /* [steps, n, 4 * size] */
  GRAD_OUT, /* [steps, n, size] */
  GRAD_H,   /* [n, size], carried from step to step */
  GRAD_C,
  GRAD_X, /* [steps, n, gates * size] */
  GRAD_GATES_H,
  ARRAYS
};
enum { MOST_STEPS = 7 };

typedef struct problem {
  sel_cell kind;
  sel_dtype dtype;
  int64_t steps, n, size, gates;
  bool masked;
  array a[ARRAYS], mask;
} problem;

static int64_t elements(const problem *p, int k) {
  const int64_t state = p->n * p->size;
  switch (k) {
    case GATES_X:
    case GRAD_X:
    case GRAD_GATES_H:
      return p->steps * state * p->gates;
    case WEIGHT:
      return p->gates * p->size * p->size;
    case BIAS:
      return p->gates * p->size;
    case GATES_H:
      return state * p->gates;
    case SAVED:
      return p->steps * 4 * state;
    case GRAD_H:
    case GRAD_C:
      return state;
    default:
      return (p->steps + 1) * state;
  }
}

static problem problem_new(sel_cell kind, sel_dtype dtype, int64_t steps, int64_t n, int64_t size,
                           bool masked) {
  problem p = {.kind = kind,
               .dtype = dtype,
               .steps = steps,
               .n = n,
               .size = size,
               .gates = sel_cell_gates(kind),
               .masked = masked};
  seed_numbers((uint64_t)(steps + n + size));
  for (int k = 0; k < ARRAYS; k++) {
    const int64_t count = elements(&p, k);
    p.a[k] = array_new(dtype, 1, &count, OFFSET);
    fill(&p.a[k], false);
    for (int64_t i = 0; k == WEIGHT && i < count; i++) /* states stay as large as they are */
      set(&p.a[k], i, get(&p.a[k], i) / (double)size);
    upload(&p.a[k]);
  }
  const int64_t count = steps * n;
  p.mask = array_new(SEL_U8, 1, &count, OFFSET);
  for (int64_t i = 0; i < count; i++) set(&p.mask, i, i % 3 == 1 ? 0 : 1);
  upload(&p.mask);
  return p;
}

static void problem_free(problem *p) {
  for (int k = 0; k < ARRAYS; k++) array_free(&p->a[k]);
  array_free(&p->mask);
}

static sel_operand part(const problem *p, int k, int64_t step, int64_t size) {
  sel_operand operand = operand_of(&p->a[k]);
  operand.offset += step * size;
  return operand;
}

static void add_mask(const problem *p, int64_t step, sel_cell_args *cell) {
  if (!p->masked) return;
  cell->mask = operand_of(&p->mask);
  cell->mask.offset += step * p->n;
}

static void forward_step(const problem *p, int64_t i, sel_gemm_args *product, sel_cell_args *cell) {
  const int64_t state = p->n * p->size, gates = p->gates * p->size;
  const bool keeps = p->kind == SEL_CELL_LSTM || p->kind == SEL_CELL_GRU;
  *product = (sel_gemm_args){.dtype = p->dtype,
                             .transpose_b = true,
                             .m = p->n,
                             .n = gates,
                             .k = p->size,
                             .alpha = 1,
                             .a = part(p, H, i, state),
                             .b = part(p, WEIGHT, 0, 0),
                             .c = part(p, GATES_H, 0, 0),
                             .bias = part(p, BIAS, 0, 0),
                             .lda = p->size,
                             .ldb = p->size,
                             .ldc = gates,
                             .batch = 1};
  *cell = (sel_cell_args){.kind = p->kind,
                          .dtype = p->dtype,
                          .n = p->n,
                          .size = p->size,
                          .gates_x = part(p, GATES_X, i, p->n * gates),
                          .gates_h = part(p, GATES_H, 0, 0),
                          .h_prev = part(p, H, i, state),
                          .h = part(p, H, i + 1, state)};
  if (keeps) cell->saved = part(p, SAVED, i, 4 * state);
  if (p->kind == SEL_CELL_LSTM)
    cell->c_prev = part(p, C, i, state), cell->c = part(p, C, i + 1, state);
  add_mask(p, i, cell);
}

/* The last product, to the first state, is left out. */
static void backward_step(const problem *p, int64_t i, sel_gemm_args *product,
                          sel_cell_args *cell) {
  const int64_t state = p->n * p->size, gates = p->gates * p->size;
  const bool direct = p->kind == SEL_CELL_GRU || p->masked;
  const int through = p->kind == SEL_CELL_GRU ? GRAD_GATES_H : GRAD_X;
  forward_step(p, i, product, cell);
  cell->backward = true;
  cell->grad_out = part(p, GRAD_OUT, i, state);
  cell->grad_h = part(p, GRAD_H, 0, 0);
  if (direct) cell->grad_h_prev = part(p, GRAD_H, 0, 0);
  cell->grad_gates_x = part(p, GRAD_X, i, p->n * gates);
  if (p->kind == SEL_CELL_GRU) cell->grad_gates_h = part(p, GRAD_GATES_H, i, p->n * gates);
  if (p->kind == SEL_CELL_LSTM)
    cell->grad_c = part(p, GRAD_C, 0, 0), cell->grad_c_prev = part(p, GRAD_C, 0, 0);
  *product = (sel_gemm_args){.dtype = p->dtype,
                             .m = i > 0 ? p->n : 0,
                             .n = p->size,
                             .k = gates,
                             .alpha = 1,
                             .beta = direct ? 1 : 0,
                             .a = part(p, through, i, p->n * gates),
                             .b = part(p, WEIGHT, 0, 0),
                             .c = part(p, GRAD_H, 0, 0),
                             .lda = gates,
                             .ldb = p->size,
                             .ldc = p->size,
                             .batch = 1};
}

static void run(problem *p, bool together) {
  sel_gemm_args products[MOST_STEPS];
  sel_cell_args cells[MOST_STEPS];
  for (int backward = 0; backward < 2; backward++) {
    for (int64_t i = 0; i < p->steps; i++) {
      if (backward)
        backward_step(p, p->steps - 1 - i, &products[i], &cells[i]);
      else
        forward_step(p, i, &products[i], &cells[i]);
    }
    if (together) {
      const sel_recurrence_args args = {p->steps, products, cells};
      must(backend->recurrence(device, &args), "recurrence");
      continue;
    }
    for (int64_t i = 0; i < p->steps; i++) {
      if (!backward) must(backend->gemm(device, &products[i]), "gemm");
      must(backend->cell(device, &cells[i]), "cell");
      if (backward) must(backend->gemm(device, &products[i]), "gemm");
    }
  }
  for (int k = 0; k < ARRAYS; k++) download(&p->a[k]);
}

static const int64_t shapes[][3] = {{7, 1, 1},  {5, 1, 70},  {4, 2, 33},  {2, 5, 16},
                                    {6, 3, 40}, {7, 17, 24}, {4, 33, 65}, {5, 0, 4}};

START_TEST(as_one_by_one) {
  static const char *const names[] = {"tanh", "relu", "lstm", "gru"};
  const int64_t *s = shapes[_i];
  for (int kind = 0; kind < 4; kind++)
    for (int bits = 0; bits < 4; bits++) {
      const sel_dtype dtype = bits & 1 ? SEL_F64 : SEL_F32;
      const bool masked = bits & 2;
      char what[100];
      problem p = problem_new((sel_cell)kind, dtype, s[0], s[1], s[2], masked);
      problem q = problem_new((sel_cell)kind, dtype, s[0], s[1], s[2], masked);
      run(&p, true);
      run(&q, false);
      for (int k = 0; k < ARRAYS; k++) {
        if (k == GATES_H) continue; /* scratch */
        snprintf(what, sizeof what, "%s %s%s, %lld x %lld x %lld, array %d", names[kind],
                 sel_dtype_name(dtype), masked ? ", masked" : "", (long long)s[0], (long long)s[1],
                 (long long)s[2], k);
        for (int64_t i = 0; i < elements(&p, k); i++)
          expect_near(get(&p.a[k], i), get(&q.a[k], i), 64 * epsilon(dtype), what, i);
      }
      problem_free(&p), problem_free(&q);
    }
}
END_TEST

/* Rows shared out, and panels, where rows are few: enough work for several threads. */
START_TEST(same_for_every_thread_count) {
  static const int64_t rows[] = {1, 3, 40};
  if (!backend->set_threads) return;
  for (int r = 0; r < 3; r++)
    for (int threads = 2; threads <= 5; threads++) {
      problem p = problem_new(SEL_CELL_LSTM, SEL_F32, 7, rows[r], 192, false);
      problem q = problem_new(SEL_CELL_LSTM, SEL_F32, 7, rows[r], 192, false);
      must(backend->set_threads(device, 1), "set_threads");
      run(&p, true);
      must(backend->set_threads(device, threads), "set_threads");
      run(&q, true);
      for (int k = 0; k < ARRAYS; k++)
        for (int64_t i = 0; i < elements(&p, k); i++)
          expect_near(get(&q.a[k], i), get(&p.a[k], i), 0, "with several threads", i);
      problem_free(&p), problem_free(&q);
    }
}
END_TEST

TCase *recurrence_cases(void) {
  TCase *cases = tcase_create("recurrence");
  if (!backend->recurrence) return cases;
  tcase_add_loop_test(cases, as_one_by_one, 0, sizeof shapes / sizeof *shapes);
  tcase_add_test(cases, same_for_every_thread_count);
  return cases;
}
