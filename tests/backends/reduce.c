/* Reductions: every op, every dtype it takes, kept and reduced dims of every kind of layout; the
 * error of long sums; results that don't depend on the number of threads. */
#include "cases.h"
#include "harness.h"

enum { OPS = SEL_REDUCE_OP_VAR + 1 };
static const char *const names[OPS] = {"sum", "prod", "max",     "min",        "argmax", "argmin",
                                       "any", "all",  "sum_abs", "sum_square", "var"};

static bool takes(sel_reduce_op op, sel_dtype dtype) {
  switch (op) {
    case SEL_REDUCE_OP_SUM_ABS:
    case SEL_REDUCE_OP_SUM_SQUARE:
    case SEL_REDUCE_OP_VAR:
      return sel_dtype_is_float(dtype);
    default:
      return true;
  }
}

static sel_dtype result_of(sel_reduce_op op, sel_dtype dtype) {
  switch (op) {
    case SEL_REDUCE_OP_SUM:
    case SEL_REDUCE_OP_PROD:
      return sel_dtype_is_float(dtype) ? dtype : SEL_I64;
    case SEL_REDUCE_OP_ARGMAX:
    case SEL_REDUCE_OP_ARGMIN:
      return SEL_I64;
    case SEL_REDUCE_OP_ANY:
    case SEL_REDUCE_OP_ALL:
      return SEL_BOOL;
    default:
      return dtype;
  }
}

static bool is_sum(sel_reduce_op op) {
  return op == SEL_REDUCE_OP_SUM || op == SEL_REDUCE_OP_SUM_ABS || op == SEL_REDUCE_OP_SUM_SQUARE;
}

/* ---- reference: elements x[0..n) of one result ---- */

static int64_t extreme_position(const double *x, int64_t n, bool largest) {
  int64_t best = 0;
  for (int64_t i = 1; i < n && x[best] == x[best]; i++)
    if (x[i] != x[i] || (largest ? x[i] > x[best] : x[i] < x[best])) best = i;
  return best;
}

static long double variance(const double *x, int64_t n, double correction) {
  long double mean = 0, sum = 0;
  for (int64_t i = 0; i < n; i++) mean += x[i];
  mean /= n;
  for (int64_t i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
  return n > correction ? sum / (n - correction) : NAN;
}

static double reference(sel_reduce_op op, const double *x, int64_t n, double scale,
                        double correction) {
  long double result = op == SEL_REDUCE_OP_PROD || op == SEL_REDUCE_OP_ALL ? 1 : 0;
  switch (op) {
    case SEL_REDUCE_OP_MAX:
      return n ? x[extreme_position(x, n, true)] : -INFINITY;
    case SEL_REDUCE_OP_MIN:
      return n ? x[extreme_position(x, n, false)] : INFINITY;
    case SEL_REDUCE_OP_ARGMAX:
      return (double)extreme_position(x, n, true);
    case SEL_REDUCE_OP_ARGMIN:
      return (double)extreme_position(x, n, false);
    case SEL_REDUCE_OP_VAR:
      return (double)variance(x, n, correction);
    default:
      break;
  }
  for (int64_t i = 0; i < n; i++) {
    switch (op) {
      case SEL_REDUCE_OP_PROD:
        result *= x[i];
        break;
      case SEL_REDUCE_OP_ANY:
        result = result != 0 || x[i] != 0;
        break;
      case SEL_REDUCE_OP_ALL:
        result = result != 0 && x[i] != 0;
        break;
      case SEL_REDUCE_OP_SUM_ABS:
        result += fabsl(x[i]);
        break;
      case SEL_REDUCE_OP_SUM_SQUARE:
        result += (long double)x[i] * x[i];
        break;
      default:
        result += x[i];
    }
  }
  return (double)(is_sum(op) ? result * scale : result);
}

/* A device that compiles a program for each op and dtype takes half a second for each. There f16
 * and bf16, which are f32's program between a load and a store, are tested on every fourth op: f16
 * on sum, argmax and sum_abs, bf16 on max, any and var. */
static bool tested(int op, sel_dtype dtype) {
  const bool stored = dtype == SEL_F16 || dtype == SEL_BF16;
  return takes((sel_reduce_op)op, dtype) && tested_dtype(dtype) &&
         (backend->host_memory || !stored || op % 4 == (dtype == SEL_F16 ? 0 : 2));
}

/* ---- one call ---- */

/* The first `kept` dims of `in` stay. */
static sel_status run(sel_reduce_op op, const array *in, int kept, const array *out, double scale) {
  sel_reduce_args args = {.op = op,
                          .input = operand_of(in),
                          .output = operand_of(out),
                          .rows = 1,
                          .columns = 1,
                          .scale = scale,
                          .scalar = 1};
  int64_t through = 1; /* stride that would continue the group's last dim */
  for (int d = 0; d < in->ndim; d++) {
    const bool first_of_group =
        d == kept || args.kept + args.reduced == 0 || (d > kept && args.reduced == 0);
    if (d < kept)
      args.rows *= in->shape[d];
    else
      args.columns *= in->shape[d];
    if (in->shape[d] == 1) continue;
    const int last = args.kept + args.reduced - 1;
    through = in->stride[d] * in->shape[d];
    const bool same_group = last >= 0 && (d < kept || args.reduced > 0);
    if (!first_of_group && same_group && args.stride[last] == through) {
      args.shape[last] *= in->shape[d];
      args.stride[last] = in->stride[d];
      continue;
    }
    args.shape[last + 1] = in->shape[d];
    args.stride[last + 1] = in->stride[d];
    if (d < kept)
      args.kept++;
    else
      args.reduced++;
  }
  return backend->reduce(device, &args);
}

static void reduce_case(sel_reduce_op op, sel_dtype dtype, int ndim, const int64_t *shape, int kept,
                        layout how, bool special) {
  char what[128];
  snprintf(what, sizeof what, "%s %s %s, %d of %d dims kept", names[op], sel_dtype_name(dtype),
           layout_names[how], kept, ndim);
  array in = array_new(dtype, ndim, shape, how);
  array out = array_new(result_of(op, dtype), kept, shape, OFFSET);
  const int64_t columns = out.numel ? in.numel / out.numel : 0;
  const double scale = is_sum(op) && sel_dtype_is_float(dtype) ? 0.375 : 1;
  fill(&in, special);
  if (op == SEL_REDUCE_OP_PROD) /* keep long products representable */
    for (int64_t i = 0; i < in.numel; i++)
      if (i % columns >= 12) set(&in, i, 1);
  upload(&in), upload(&out);
  must(run(op, &in, kept, &out, scale), what);
  download(&out);
  double *x = malloc((size_t)(columns + 1) * sizeof *x);
  for (int64_t r = 0; r < out.numel; r++) {
    double magnitude = 0;
    for (int64_t c = 0; c < columns; c++) {
      x[c] = get(&in, r * columns + c);
      magnitude += fabs(x[c]);
    }
    const double wanted = reference(op, x, columns, scale, 1);
    /* One rounding of the result; sums of f64 round inside as well. */
    double tolerance = op == SEL_REDUCE_OP_MAX || op == SEL_REDUCE_OP_MIN ? 0 : epsilon(out.dtype);
    if (dtype == SEL_F64) tolerance *= 4 + (isfinite(magnitude) ? magnitude / 8 : 0);
    expect_near(get(&out, r), rounded(out.dtype, wanted), tolerance, what, r);
  }
  free(x);
  array_free(&in), array_free(&out);
}

typedef struct shape_case {
  int ndim, kept;
  int64_t shape[4];
} shape_case;

static const shape_case shapes[] = {
    {1, 0, {1}},        {1, 0, {37}},       {1, 0, {3000}},      {2, 1, {9, 11}},
    {2, 1, {50, 3}},    {2, 1, {3, 1030}},  {2, 1, {130, 600}},  {2, 0, {20, 30}},
    {3, 1, {4, 6, 20}}, {3, 2, {4, 6, 20}}, {3, 2, {3, 200, 9}}, {4, 2, {3, 2, 5, 7}},
    {2, 1, {1, 50}},    {2, 1, {50, 1}},    {2, 2, {5, 6}},
};

START_TEST(every_op_dtype_layout) {
  const shape_case *s = &shapes[_i % 15];
  const sel_reduce_op op = (sel_reduce_op)(_i / 15);
  seed_numbers((uint64_t)_i);
  for (sel_dtype dtype = 0; dtype < SEL_DTYPE_COUNT; dtype++)
    for (layout how = 0; how < LAYOUTS && tested(op, dtype); how++) {
      reduce_case(op, dtype, s->ndim, s->shape, s->kept, how, false);
      reduce_case(op, dtype, s->ndim, s->shape, s->kept, how, true);
    }
}
END_TEST

START_TEST(nothing_to_reduce) {
  const int64_t shape[] = {3, 0, 2}, none[] = {0, 4};
  for (int op = 0; op < OPS; op++) {
    if (op == SEL_REDUCE_OP_ARGMAX || op == SEL_REDUCE_OP_ARGMIN) continue;
    for (sel_dtype dtype = 0; dtype <= SEL_F64; dtype++)
      if (tested_dtype(dtype))
        reduce_case((sel_reduce_op)op, dtype, 3, shape, 1, CONTIGUOUS, false);
    reduce_case((sel_reduce_op)op, SEL_F32, 2, none, 1, CONTIGUOUS, false);
  }
}
END_TEST

/* Ties, and the position within several reduced dims. */
START_TEST(first_of_ties) {
  const int64_t shape[] = {4, 5, 300};
  array in = array_new(SEL_F32, 3, shape, CONTIGUOUS);
  array out = array_new(SEL_I64, 1, shape, CONTIGUOUS);
  for (int64_t i = 0; i < in.numel; i++) set(&in, i, 1);
  set(&in, 1 * 1500 + 700, 2), set(&in, 1 * 1500 + 701, 2), set(&in, 1 * 1500 + 1400, 2);
  set(&in, 2 * 1500 + 1300, NAN), set(&in, 2 * 1500 + 600, NAN), set(&in, 2 * 1500 + 5, 9);
  set(&in, 3 * 1500 + 1499, 3);
  upload(&in), upload(&out);
  must(run(SEL_REDUCE_OP_ARGMAX, &in, 1, &out, 1), "argmax");
  download(&out);
  const int64_t wanted[] = {0, 700, 600, 1499};
  for (int64_t r = 0; r < 4; r++) ck_assert_int_eq(get_whole(&out, r), wanted[r]);
  array_free(&in), array_free(&out);
}
END_TEST

/* Long sums of f32: the error stays at one rounding of the result. */
START_TEST(long_sums) {
  const int64_t n = 3000001, flat[] = {n}, tall[] = {n / 3, 3};
  array in = array_new(SEL_F32, 1, flat, CONTIGUOUS), out = array_new(SEL_F32, 0, NULL, CONTIGUOUS);
  array mean = array_new(SEL_F32, 1, tall + 1, CONTIGUOUS);
  long double sum = 0, column[3] = {0};
  seed_numbers(5);
  for (int64_t i = 0; i < n; i++) {
    set(&in, i, number() + 100);
    sum += get(&in, i);
    if (i < tall[0] * 3) column[i % 3] += get(&in, i);
  }
  upload(&in), upload(&out), upload(&mean);
  must(run(SEL_REDUCE_OP_SUM, &in, 0, &out, 1), "long sum");
  download(&out);
  expect_near(get(&out, 0), (float)sum, epsilon(SEL_F32), "long sum", 0);
  array columns = in; /* as [3, n / 3], columns of a tall matrix */
  columns.ndim = 2, columns.shape[0] = 3, columns.shape[1] = tall[0];
  columns.stride[0] = 1, columns.stride[1] = 3;
  must(run(SEL_REDUCE_OP_SUM, &columns, 1, &mean, 1.0 / (double)tall[0]), "long mean");
  download(&mean);
  for (int64_t c = 0; c < 3; c++)
    expect_near(get(&mean, c), (float)(column[c] / tall[0]), epsilon(SEL_F32), "long mean", c);
  array_free(&in), array_free(&out), array_free(&mean);
}
END_TEST

START_TEST(same_for_every_thread_count) {
  static const shape_case big[] = {{1, 0, {1234567}}, {2, 1, {1000, 1000}}, {2, 1, {3, 300000}}};
  const shape_case *s = &big[_i / 2];
  if (!backend->set_threads) return;
  array in = array_new(SEL_F64, s->ndim, s->shape, _i % 2 ? TRANSPOSED : CONTIGUOUS);
  array out = array_new(SEL_F64, s->kept, s->shape, CONTIGUOUS);
  seed_numbers(1);
  for (int64_t i = 0; i < in.numel; i++) set(&in, i, number());
  upload(&in), upload(&out);
  const size_t bytes = (size_t)out.numel * sizeof(double);
  void *first = malloc(bytes);
  const sel_reduce_op ops[] = {SEL_REDUCE_OP_SUM, SEL_REDUCE_OP_VAR, SEL_REDUCE_OP_PROD};
  for (int o = 0; o < 3; o++)
    for (int threads = 1; threads <= 7; threads++) {
      must(backend->set_threads(device, threads), "set_threads");
      must(run(ops[o], &in, s->kept, &out, 1), names[ops[o]]);
      download(&out);
      if (threads == 1) memcpy(first, out.host, bytes);
      ck_assert_msg(memcmp(first, out.host, bytes) == 0, "%s differs with %d threads",
                    names[ops[o]], threads);
    }
  free(first);
  array_free(&in), array_free(&out);
}
END_TEST

TCase *reduce_cases(void) {
  TCase *cases = tcase_create("reduce");
  tcase_add_loop_test(cases, every_op_dtype_layout, 0, 15 * OPS);
  tcase_add_test(cases, nothing_to_reduce);
  tcase_add_test(cases, first_of_ties);
  tcase_add_test(cases, long_sums);
  tcase_add_loop_test(cases, same_for_every_thread_count, 0, 6);
  return cases;
}
