/* Pointwise rows, all of SEL_POINTWISE: every row on every dtype it takes, then a few rows on every
 * mix of layouts, numbers, in place, and empty. */
#include "cases.h"
#include "harness.h"
#include "pointwise_reference.h"

typedef struct row {
  const char *name;
  const char *kind;
  char types;
} row;

#define DESCRIBE(kind, name, types, ...) {#name, #kind, #types[0]},
static const row rows[SEL_PW_COUNT] = {SEL_POINTWISE(DESCRIBE)};

static int inputs_of(int op) {
  const char *kind = rows[op].kind;
  const char first = kind[0] == 'G' ? kind[1] : kind[0];
  return first == 'U' ? 1 : first == 'B' ? 2 : 3;
}

static bool takes(int op, sel_dtype dtype) {
  switch (rows[op].types) {
    case 'F':
    case 'P':
      return sel_dtype_is_float(dtype);
    case 'N':
      return dtype != SEL_BOOL;
    default:
      return true;
  }
}

static sel_dtype result_of(int op, sel_dtype dtype) {
  return rows[op].types == 'C' || rows[op].types == 'P' ? SEL_BOOL : dtype;
}

static sel_dtype compute_of(sel_dtype dtype) {
  if (dtype == SEL_F16 || dtype == SEL_BF16) return SEL_F32;
  return dtype == SEL_BOOL ? SEL_U8 : dtype;
}

/* ---- one call ---- */

/* Merges neighbouring dims that lie behind one another in all operands, drops extents of 1. */
static void merge(sel_pointwise_args *args) {
  const int operands = args->inputs + args->outputs;
  int last = -1;
  for (int d = 0; d < args->ndim; d++) {
    if (args->shape[d] == 1) continue;
    bool together = last >= 0;
    for (int k = 0; k < operands && together; k++)
      together = args->stride[k][last] == args->stride[k][d] * args->shape[d];
    const int64_t extent = args->shape[d];
    if (together)
      args->shape[last] *= extent;
    else
      args->shape[++last] = extent;
    for (int k = 0; k < operands; k++) args->stride[k][last] = args->stride[k][d];
  }
  args->ndim = last + 1;
}

static const double scalars[2] = {0.75, 1.5};

/* Runs a row; an input without buffer is the number in its first element. */
static sel_status run(int op, sel_dtype compute, const array *in, const array *out) {
  sel_pointwise_args args = {.op = op,
                             .compute = compute,
                             .inputs = inputs_of(op),
                             .outputs = 1,
                             .ndim = out->ndim,
                             .numel = out->numel};
  memcpy(args.shape, out->shape, sizeof args.shape);
  for (int k = 0; k <= args.inputs; k++) {
    const array *a = k < args.inputs ? &in[k] : out;
    args.operand[k] = operand_of(a);
    if (!a->buffer) args.operand[k].value = get(a, 0);
    memcpy(args.stride[k], a->stride, sizeof args.stride[k]);
  }
  memcpy(args.scalar, scalars, sizeof scalars);
  merge(&args);
  return backend->pointwise(device, &args);
}

static void check_result(int op, sel_dtype compute, const array *in, const array *out,
                         const char *what) {
  const int inputs = inputs_of(op);
  for (int64_t i = 0; i < out->numel; i++) {
    if (sel_dtype_is_float(compute)) {
      double x[3] = {0, 0, 0};
      for (int k = 0; k < inputs; k++) x[k] = get(&in[k], i);
      const double wanted = real_rows[op](x[0], x[1], x[2], scalars[0], scalars[1]);
      const sel_dtype dtype = out->dtype;
      /* A few roundings of the compute type, then one of the result's. */
      const double tolerance = 16 * epsilon(compute) + (dtype == compute ? 0 : epsilon(dtype));
      expect_near(get(out, i), rounded(dtype, wanted), tolerance, what, i);
    } else {
      int64_t x[3] = {0, 0, 0};
      for (int k = 0; k < inputs; k++) x[k] = get_whole(&in[k], i);
      const int64_t wanted =
          whole_rows[op](x[0], x[1], x[2], (int64_t)scalars[0], (int64_t)scalars[1]);
      expect_whole(get_whole(out, i), out->dtype == SEL_U8 ? (uint8_t)wanted : wanted, what, i);
    }
  }
}

/* dtype of input k: a condition is bool. */
static sel_dtype input_dtype(int op, int k, sel_dtype dtype) {
  return rows[op].types == 'W' && k == 0 ? SEL_BOOL : dtype;
}

static void row_case(int op, sel_dtype dtype, int ndim, const int64_t *shape, const layout how[3],
                     layout out_how, bool special) {
  char what[160];
  snprintf(what, sizeof what, "%s %s, %d dims, inputs %s, %s, %s, output %s", rows[op].name,
           sel_dtype_name(dtype), ndim, layout_names[how[0]], layout_names[how[1]],
           layout_names[how[2]], layout_names[out_how]);
  array in[3] = {{0}};
  for (int k = 0; k < inputs_of(op); k++) {
    in[k] = array_new(input_dtype(op, k, dtype), ndim, shape, how[k]);
    fill(&in[k], special);
    upload(&in[k]);
  }
  array out = array_new(result_of(op, dtype), ndim, shape, out_how);
  upload(&out);
  must(run(op, compute_of(dtype), in, &out), what);
  download(&out);
  check_result(op, compute_of(dtype), in, &out, what);
  for (int k = 0; k < inputs_of(op); k++) array_free(&in[k]);
  array_free(&out);
}

/* ---- every row, every dtype ---- */

/* A device that compiles a program for each row and dtype takes half a second for each. There f16
 * and bf16, which are f32's program between a load and a store, are tested on every eighth row. */
static bool tested(int op, sel_dtype dtype) {
  const bool stored = dtype == SEL_F16 || dtype == SEL_BF16;
  return takes(op, dtype) && tested_dtype(dtype) &&
         (backend->host_memory || !stored || op % 8 == (dtype == SEL_F16 ? 0 : 4));
}

START_TEST(every_row) {
  const int op = _i;
  const int64_t shape[] = {301};
  const layout plain[3] = {CONTIGUOUS, CONTIGUOUS, CONTIGUOUS}, apart[3] = {GAPS, OFFSET, GAPS};
  for (sel_dtype dtype = 0; dtype < SEL_DTYPE_COUNT; dtype++) {
    if (!tested(op, dtype)) continue;
    seed_numbers((uint64_t)(op * SEL_DTYPE_COUNT) + dtype);
    row_case(op, dtype, 1, shape, plain, CONTIGUOUS, false);
    row_case(op, dtype, 1, shape, plain, OFFSET, true);
    row_case(op, dtype, 1, shape, apart, GAPS, true);
    row_case(op, dtype, 0, NULL, plain, CONTIGUOUS, false);
  }
}
END_TEST

/* ---- shapes and layouts ---- */

typedef struct shape_case {
  int ndim;
  int64_t shape[5];
} shape_case;

static const shape_case shapes[] = {
    {1, {1}},         {1, {17}},          {1, {20000}},          {2, {33, 65}},
    {2, {700, 3}},    {2, {3, 700}},      {2, {3, 3000}},        {3, {7, 3, 4}},
    {3, {600, 2, 3}}, {4, {3, 4, 5, 6}},  {5, {2, 3, 2, 3, 40}}, {2, {0, 5}},
    {3, {4, 0, 2}},   {4, {1, 9, 1, 70}},
};

START_TEST(every_layout) {
  const shape_case *s = &shapes[_i];
  static const int ops[] = {SEL_PW_where, SEL_PW_lerp};
  static const sel_dtype dtypes[] = {SEL_F32, SEL_F64, SEL_BF16, SEL_I32};
  seed_numbers((uint64_t)_i);
  for (layout out = 0; out < WRITABLE_LAYOUTS; out++)
    for (layout first = 0; first < LAYOUTS; first++)
      for (layout second = 0; second < LAYOUTS; second++) {
        const layout how[3] = {first, second, (first + second + out) % LAYOUTS};
        const sel_dtype dtype = dtypes[(first + second) % 4];
        if (!tested_dtype(dtype)) continue;
        const int op = ops[(int)(first + out) % 2];
        row_case(takes(op, dtype) ? op : SEL_PW_where, dtype, s->ndim, s->shape, how, out, false);
      }
}
END_TEST

/* ---- numbers as operands, results in place ---- */

START_TEST(numbers_as_operands) {
  static const int64_t sizes[] = {1, 5, 3000, 60000};
  static const int ops[] = {SEL_PW_sub, SEL_PW_floor_divide, SEL_PW_lt, SEL_PW_where};
  seed_numbers(7);
  for (sel_dtype dtype = 0; dtype < SEL_BOOL; dtype++)
    for (int o = 0; o < 4 && tested_dtype(dtype); o++)
      for (int which = 0; which < 2; which++)
        for (layout how = CONTIGUOUS; how <= GAPS; how++) {
          const int op = ops[o], inputs = inputs_of(op);
          const int numbered = inputs == 3 ? which + 1 : which;
          array in[3] = {{0}};
          for (int k = 0; k < inputs; k++) {
            in[k] = array_new(input_dtype(op, k, dtype), 1, &sizes[_i],
                              k == numbered ? BROADCAST_ALL : how);
            fill(&in[k], false);
            if (k == numbered) set(&in[k], 0, 2);
            upload(&in[k]);
          }
          array out = array_new(result_of(op, dtype), 1, &sizes[_i], how);
          upload(&out);
          array call[3] = {in[0], in[1], in[2]};
          call[numbered].buffer = NULL;
          must(run(op, compute_of(dtype), call, &out), rows[op].name);
          download(&out);
          check_result(op, compute_of(dtype), in, &out, rows[op].name);
          for (int k = 0; k < inputs; k++) array_free(&in[k]);
          array_free(&out);
        }
}
END_TEST

START_TEST(in_place) {
  const shape_case *s = &shapes[_i];
  static const sel_dtype dtypes[] = {SEL_F32, SEL_F16, SEL_I64, SEL_U8};
  seed_numbers(11);
  for (int t = 0; t < 4; t++)
    for (layout how = 0; how < WRITABLE_LAYOUTS && tested_dtype(dtypes[t]); how++)
      for (int which = 0; which < 2; which++) {
        array in[3] = {{0}};
        for (int k = 0; k < 2; k++) {
          in[k] = array_new(dtypes[t], s->ndim, s->shape, k == which ? how : CONTIGUOUS);
          fill(&in[k], false);
          upload(&in[k]);
        }
        array copy = array_new(dtypes[t], s->ndim, s->shape, how), out = in[which];
        for (int64_t i = 0; i < out.numel; i++)
          memcpy(copy.host + (size_t)place(&copy, i) * sel_dtype_size(dtypes[t]),
                 out.host + (size_t)place(&out, i) * sel_dtype_size(dtypes[t]),
                 sel_dtype_size(dtypes[t]));
        must(run(SEL_PW_sub, compute_of(dtypes[t]), in, &out), "sub in place");
        download(&out);
        array before[3] = {in[0], in[1]};
        before[which] = copy;
        check_result(SEL_PW_sub, compute_of(dtypes[t]), before, &out, "sub in place");
        for (int k = 0; k < 2; k++) array_free(&in[k]);
        array_free(&copy);
      }
}
END_TEST

/* Integers wrap around, also where a processor traps; clamp's bounds saturate. */
START_TEST(integer_extremes) {
  array a = vector_new(SEL_I64, 4), b = vector_new(SEL_I64, 4), out = vector_new(SEL_I64, 4);
  const int64_t as[] = {INT64_MIN, INT64_MIN, INT64_MAX, 5}, bs[] = {-1, 0, 1, 0};
  const int64_t quotients[] = {INT64_MIN, 0, INT64_MAX, 0},
                sums[] = {INT64_MAX, INT64_MIN, INT64_MIN, 5};
  for (int i = 0; i < 4; i++) set_whole(&a, i, as[i]), set_whole(&b, i, bs[i]);
  upload(&a), upload(&b), upload(&out);
  const array in[3] = {a, b};
  must(run(SEL_PW_floor_divide, SEL_I64, in, &out), "floor_divide");
  download(&out);
  for (int i = 0; i < 4; i++) ck_assert_int_eq(get_whole(&out, i), quotients[i]);
  must(run(SEL_PW_add, SEL_I64, in, &out), "add");
  download(&out);
  for (int i = 0; i < 4; i++) ck_assert_int_eq(get_whole(&out, i), sums[i]);
  sel_pointwise_args args = {.op = SEL_PW_clamp,
                             .compute = SEL_I64,
                             .inputs = 1,
                             .outputs = 1,
                             .operand = {operand_of(&a), operand_of(&out)},
                             .ndim = 1,
                             .numel = 4,
                             .shape = {4},
                             .stride = {{1}, {1}},
                             .scalar = {-INFINITY, INFINITY}};
  must(backend->pointwise(device, &args), "clamp");
  download(&out);
  for (int i = 0; i < 4; i++) ck_assert_int_eq(get_whole(&out, i), as[i]);
  array_free(&a), array_free(&b), array_free(&out);
}
END_TEST

TCase *rows_cases(void) {
  TCase *cases = tcase_create("rows");
  tcase_add_loop_test(cases, every_row, 0, SEL_PW_COUNT);
  return cases;
}

TCase *pointwise_cases(void) {
  TCase *cases = tcase_create("pointwise");
  const int count = sizeof shapes / sizeof *shapes;
  tcase_add_loop_test(cases, every_layout, 0, count);
  tcase_add_loop_test(cases, numbers_as_operands, 0, 4);
  tcase_add_loop_test(cases, in_place, 0, count);
  tcase_add_test(cases, integer_extremes);
  return cases;
}
