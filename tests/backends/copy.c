/* Copies: every dtype to every dtype, over every pair of layouts. */
#include "cases.h"
#include "harness.h"

static sel_copy_args copy_args(const array *from, const array *to) {
  sel_copy_args args = {.source = operand_of(from),
                        .destination = operand_of(to),
                        .ndim = to->ndim,
                        .numel = to->numel};
  memcpy(args.shape, to->shape, sizeof args.shape);
  memcpy(args.stride[0], from->stride, sizeof args.stride[0]);
  memcpy(args.stride[1], to->stride, sizeof args.stride[1]);
  return args;
}

/* The number the destination should hold; NaN and infinities go to no integer. */
static double converted(const array *from, int64_t i, sel_dtype to) {
  const double x = get(from, i);
  if (sel_dtype_is_float(to)) return rounded(to, x);
  return to == SEL_BOOL ? x != 0 : trunc(x);
}

static void copy_case(sel_dtype from, sel_dtype to, int ndim, const int64_t *shape, layout how,
                      layout to_how) {
  char what[128];
  snprintf(what, sizeof what, "copy %s %s to %s %s", sel_dtype_name(from), layout_names[how],
           sel_dtype_name(to), layout_names[to_how]);
  array a = array_new(from, ndim, shape, how), b = array_new(to, ndim, shape, to_how);
  fill(&a, sel_dtype_is_float(to) || to == SEL_BOOL);
  if (to == SEL_U8)
    for (int64_t i = 0; i < a.numel; i++) set(&a, i, fabs(get(&a, i)));
  upload(&a), upload(&b);
  const sel_copy_args args = copy_args(&a, &b);
  must(backend->copy(device, &args), what);
  download(&b);
  for (int64_t i = 0; i < b.numel; i++) expect_near(get(&b, i), converted(&a, i, to), 0, what, i);
  array_free(&a), array_free(&b);
}

START_TEST(every_dtype) {
  const sel_dtype from = (sel_dtype)(_i / SEL_DTYPE_COUNT), to = (sel_dtype)(_i % SEL_DTYPE_COUNT);
  const int64_t long_shape[] = {3000}, shape[] = {37, 41}, none[] = {0};
  seed_numbers((uint64_t)_i);
  copy_case(from, to, 1, long_shape, CONTIGUOUS, CONTIGUOUS);
  copy_case(from, to, 1, none, CONTIGUOUS, CONTIGUOUS);
  copy_case(from, to, 0, NULL, OFFSET, CONTIGUOUS);
  for (layout how = 0; how < LAYOUTS; how++)
    for (layout to_how = 0; to_how < WRITABLE_LAYOUTS; to_how++)
      copy_case(from, to, 2, shape, how, to_how);
}
END_TEST

START_TEST(every_shape) {
  static const struct {
    int ndim;
    int64_t shape[5];
  } shapes[] = {{1, {100000}},        {2, {300, 300}},   {2, {3, 1000}},
                {2, {1000, 3}},       {3, {20, 30, 40}}, {4, {3, 5, 7, 11}},
                {5, {2, 3, 4, 5, 6}}, {3, {5, 0, 2}},    {3, {1, 7, 1}}};
  seed_numbers((uint64_t)_i);
  for (layout how = 0; how < LAYOUTS; how++)
    for (layout to_how = 0; to_how < WRITABLE_LAYOUTS; to_how++) {
      copy_case(SEL_F32, SEL_F32, shapes[_i].ndim, shapes[_i].shape, how, to_how);
      copy_case(SEL_U8, SEL_U8, shapes[_i].ndim, shapes[_i].shape, how, to_how);
      copy_case(SEL_F16, SEL_F16, shapes[_i].ndim, shapes[_i].shape, how, to_how);
      copy_case(SEL_I64, SEL_F32, shapes[_i].ndim, shapes[_i].shape, how, to_how);
    }
}
END_TEST

/* All 65,536 values of the half types survive f32 and back, and f32 rounds to them correctly. */
START_TEST(half_types) {
  const sel_dtype dtype = _i ? SEL_BF16 : SEL_F16;
  enum { N = 1 << 16 };
  array half = vector_new(dtype, N), wide = vector_new(SEL_F32, N), back = vector_new(dtype, N);
  for (int64_t i = 0; i < N; i++) ((uint16_t *)half.host)[i] = (uint16_t)i;
  upload(&half), upload(&wide), upload(&back);
  sel_copy_args args = copy_args(&half, &wide);
  must(backend->copy(device, &args), "half to f32");
  download(&wide);
  args = copy_args(&wide, &back);
  must(backend->copy(device, &args), "f32 to half");
  download(&back);
  for (int64_t i = 0; i < N; i++) {
    expect_near(get(&wide, i), get(&half, i), 0, "half to f32", i);
    const uint16_t bits = ((uint16_t *)back.host)[i];
    if (get(&half, i) == get(&half, i)) expect_whole(bits, i, "f32 to half", i);
  }
  /* Halfway cases, their neighbours, and numbers of all sizes. */
  seed_numbers(3);
  for (int64_t i = 0; i < N; i++) {
    const double x = get(&half, i), up = get(&half, i + 1 < N ? i + 1 : i);
    const float middle = (float)((x + up) / 2);
    const float around[] = {middle, nextafterf(middle, INFINITY), nextafterf(middle, -INFINITY),
                            (float)ldexp(number() * 2 - 1, (int)below(300) - 160)};
    set(&wide, i, around[i % 4]);
  }
  upload(&wide);
  must(backend->copy(device, &args), "f32 to half");
  download(&back);
  for (int64_t i = 0; i < N; i++)
    expect_near(get(&back, i), rounded(dtype, get(&wide, i)), 0, "f32 rounded to half", i);
  array_free(&half), array_free(&wide), array_free(&back);
}
END_TEST

/* A number fills the destination; i64 passes between integers unrounded. */
START_TEST(numbers_and_large_integers) {
  const int64_t shape[] = {9, 300};
  array out = array_new(SEL_I32, 2, shape, PADDED), wide = vector_new(SEL_I64, 3);
  array copy = vector_new(SEL_I64, 3);
  upload(&out);
  sel_copy_args args = copy_args(&out, &out);
  args.source = (sel_operand){.dtype = SEL_F64, .value = -7.9};
  must(backend->copy(device, &args), "fill");
  download(&out);
  for (int64_t i = 0; i < out.numel; i++) expect_whole(get_whole(&out, i), -7, "fill", i);
  const int64_t large[] = {INT64_MAX, INT64_MIN, (INT64_C(1) << 60) + 1};
  for (int i = 0; i < 3; i++) set_whole(&wide, i, large[i]);
  upload(&wide), upload(&copy);
  args = copy_args(&wide, &copy);
  must(backend->copy(device, &args), "copy i64");
  download(&copy);
  for (int i = 0; i < 3; i++) ck_assert_int_eq(get_whole(&copy, i), large[i]);
  array_free(&out), array_free(&wide), array_free(&copy);
}
END_TEST

TCase *copy_cases(void) {
  TCase *cases = tcase_create("copy");
  tcase_add_loop_test(cases, every_dtype, 0, SEL_DTYPE_COUNT * SEL_DTYPE_COUNT);
  tcase_add_loop_test(cases, every_shape, 0, 9);
  tcase_add_loop_test(cases, half_types, 0, 2);
  tcase_add_test(cases, numbers_and_large_integers);
  return cases;
}
