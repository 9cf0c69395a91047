/* Tensors: dtypes, making, references, asking, host access, the thread's state. */
#include <pthread.h>

#include "tensors.h"

static const sel_dtype all_dtypes[] = {SEL_F32, SEL_F64, SEL_F16, SEL_BF16,
                                       SEL_I64, SEL_I32, SEL_U8,  SEL_BOOL};
enum { DTYPES = sizeof all_dtypes / sizeof *all_dtypes };

START_TEST(dtypes) {
  static const struct {
    sel_dtype dtype;
    const char *name, *torch_name;
    size_t size;
    bool is_float;
  } expected[] = {{SEL_F32, "f32", "float32", 4, true}, {SEL_F64, "f64", "float64", 8, true},
                  {SEL_F16, "f16", "float16", 2, true}, {SEL_BF16, "bf16", "bfloat16", 2, true},
                  {SEL_I64, "i64", "int64", 8, false},  {SEL_I32, "i32", "int32", 4, false},
                  {SEL_U8, "u8", "uint8", 1, false},    {SEL_BOOL, "bool", "bool", 1, false}};
  ck_assert_int_eq(SEL_DTYPE_COUNT, DTYPES);
  for (int i = 0; i < DTYPES; i++) {
    sel_dtype d = expected[i].dtype, parsed;
    ck_assert_str_eq(sel_dtype_name(d), expected[i].name);
    ck_assert_uint_eq(sel_dtype_size(d), expected[i].size);
    ck_assert_int_eq(sel_dtype_is_float(d), expected[i].is_float);
    ASSERT_OK(sel_dtype_parse(expected[i].name, &parsed));
    ck_assert_int_eq(parsed, d);
    ASSERT_OK(sel_dtype_parse(expected[i].torch_name, &parsed));
    ck_assert_int_eq(parsed, d);
  }
  sel_dtype untouched = SEL_U8;
  ASSERT_FAILS(SEL_E_DTYPE, sel_dtype_parse("f12", &untouched), "'f12'", "f32", "bool");
  ASSERT_FAILS(SEL_E_DTYPE, sel_dtype_parse("", &untouched), "''");
  ASSERT_FAILS(SEL_E_DTYPE, sel_dtype_parse(NULL, &untouched), "null");
  ck_assert_int_eq(untouched, SEL_U8);
}
END_TEST

START_TEST(constants) {
  for (int i = 0; i < DTYPES; i++) {
    sel_dtype d = all_dtypes[i];
    char expected[64], text[64];
    snprintf(expected, sizeof expected, "%s[2, 3]", sel_dtype_name(d));
    sel_tensor *zeros = NEW(zeros, SHAPE(2, 3), d, NULL);
    ASSERT_TENSOR(zeros, expected, 0, 0, 0, 0, 0, 0);
    ASSERT_TENSOR(NEW(ones, SHAPE(2, 3), d, NULL), expected, 1, 1, 1, 1, 1, 1);
    double seven = d == SEL_BOOL ? 1 : 7;
    ASSERT_TENSOR(NEW(full, SHAPE(2, 3), 7, d, NULL), expected, seven, seven, seven, seven, seven,
                  seven);
    ck_assert_str_eq(sel_describe(NEW(empty, SHAPE(2, 3), d, NULL), text, sizeof text), expected);
    ck_assert(sel_is_contiguous(zeros));
    ck_assert(sel_is_leaf(zeros));
    ck_assert(!sel_requires_grad(zeros));
    ck_assert_int_eq(sel_tensor_dtype(zeros), d);
    ck_assert_ptr_eq(sel_tensor_device(zeros), sel_default_device());
  }
  ASSERT_TENSOR(NEW(full, SHAPE(2), NAN, SEL_F16, NULL), "f16[2]", NAN, NAN);
  ASSERT_TENSOR(NEW(full, SHAPE(1), -INFINITY, SEL_BF16, NULL), "bf16[1]", -INFINITY);
  ASSERT_TENSOR(NEW(full, SHAPE(), -0x1p62, SEL_I64, NULL), "i64[]", -0x1p62);
}
END_TEST

START_TEST(sequences) {
  ASSERT_TENSOR(NEW(arange, 0, 5, 2, SEL_F32, NULL), "f32[3]", 0, 2, 4);
  ASSERT_TENSOR(NEW(arange, 0, 6, 2, SEL_I64, NULL), "i64[3]", 0, 2, 4);
  ASSERT_TENSOR(NEW(arange, 3, -2, -2, SEL_I32, NULL), "i32[3]", 3, 1, -1);
  ASSERT_TENSOR(NEW(arange, 0.5, 2, 0.5, SEL_F64, NULL), "f64[3]", 0.5, 1, 1.5);
  ASSERT_TENSOR(NEW(arange, 5, 5, 1, SEL_F32, NULL), "f32[0]");
  ASSERT_TENSOR(NEW(arange, 5, 0, 1, SEL_F32, NULL), "f32[0]");
  sel_tensor *t = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_arange(0, 1, 0, SEL_F32, NULL, &t), "arange", "step");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_arange(0, INFINITY, 1, SEL_F32, NULL, &t), "arange", "finite");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_arange(0, 1e300, 1, SEL_F32, NULL, &t), "arange", "too many");

  ASSERT_TENSOR(NEW(linspace, 0, 1, 5, SEL_F32, NULL), "f32[5]", 0, 0.25, 0.5, 0.75, 1);
  ASSERT_TENSOR(NEW(linspace, 3, 7, 1, SEL_F32, NULL), "f32[1]", 3);
  ASSERT_TENSOR(NEW(linspace, 3, 7, 0, SEL_F32, NULL), "f32[0]");
  ASSERT_TENSOR(NEW(linspace, 3, -1, 2, SEL_F64, NULL), "f64[2]", 3, -1);
  sel_tensor *fine = NEW(linspace, 0.1, 0.7, 1001, SEL_F64, NULL);
  ck_assert_double_eq(element_of(fine, 0), 0.1);
  ck_assert_double_eq(element_of(fine, 1000), 0.7);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_linspace(0, 1, -1, SEL_F32, NULL, &t), "linspace", "-1");

  ASSERT_TENSOR(NEW(eye, 2, 3, SEL_F32, NULL), "f32[2, 3]", 1, 0, 0, 0, 1, 0);
  ASSERT_TENSOR(NEW(eye, 3, 2, SEL_BOOL, NULL), "bool[3, 2]", 1, 0, 0, 1, 0, 0);
  ASSERT_TENSOR(NEW(eye, 1, 1, SEL_I64, NULL), "i64[1, 1]", 1);
  ASSERT_TENSOR(NEW(eye, 0, 3, SEL_F32, NULL), "f32[0, 3]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_eye(-1, 3, SEL_F32, NULL, &t), "negative");
  ck_assert_ptr_null(t);
}
END_TEST

START_TEST(shapes) {
  sel_tensor *number = NEW(empty, SHAPE(), SEL_F32, NULL);
  ck_assert_int_eq(sel_ndim(number), 0);
  ck_assert_int_eq(sel_numel(number), 1);
  ck_assert(sel_is_contiguous(number));
  sel_tensor *nothing = NEW(empty, SHAPE(3, 0, 2), SEL_F32, NULL);
  ck_assert_int_eq(sel_numel(nothing), 0);
  ck_assert(sel_is_contiguous(nothing));
  sel_tensor *deep = NEW(empty, SHAPE(1, 2, 1, 3, 1, 2, 1, 2), SEL_U8, NULL);
  ck_assert_int_eq(sel_ndim(deep), 8);
  ck_assert_int_eq(sel_numel(deep), 24);
  ck_assert_int_eq(sel_stride(deep, 0), 24);
  ck_assert_int_eq(sel_stride(deep, 1), 12);
  ck_assert_int_eq(sel_stride(deep, 7), 1);

  sel_tensor *t = NULL;
  ASSERT_FAILS(SEL_E_SHAPE, sel_empty(9, (int64_t[9]){0}, SEL_F32, NULL, &t), "empty", "8", "9");
  ASSERT_FAILS(SEL_E_SHAPE, sel_empty(-1, NULL, SEL_F32, NULL, &t), "empty", "-1");
  ASSERT_FAILS(SEL_E_SHAPE, sel_empty(SHAPE(2, -3), SEL_F32, NULL, &t), "[2, -3]", "negative");
  const int64_t big = (int64_t)1 << 32;
  ASSERT_FAILS(SEL_E_SHAPE, sel_empty(SHAPE(big, big), SEL_F32, NULL, &t), "more elements");
  ASSERT_FAILS(SEL_E_SHAPE, sel_empty(SHAPE(INT64_MAX), SEL_U8, NULL, &t), "more elements");
  ASSERT_FAILS(SEL_E_SHAPE, sel_empty(SHAPE(big, 0, big), SEL_F32, NULL, &t), "more elements");
  ASSERT_FAILS(SEL_E_MEMORY, sel_empty(SHAPE((int64_t)1 << 55), SEL_F64, NULL, &t),
               "f64[36028797018963968]");
  ASSERT_FAILS(SEL_E_DTYPE, sel_empty(SHAPE(1), (sel_dtype)99, NULL, &t), "99");
  ASSERT_FAILS(SEL_E_DTYPE, sel_zeros(SHAPE(1), (sel_dtype)-1, NULL, &t), "-1");
  ck_assert_ptr_null(t);
}
END_TEST

START_TEST(asking) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3, 4));
  ck_assert_int_eq(sel_size(x, 0), 2);
  ck_assert_int_eq(sel_size(x, -1), 4);
  ck_assert_int_eq(sel_size(x, -3), 2);
  ck_assert_int_eq(sel_size(x, 3), -1);
  ck_assert_int_eq(sel_size(x, -4), -1);
  ck_assert_int_eq(sel_stride(x, 0), 12);
  ck_assert_int_eq(sel_stride(x, -1), 1);
  ck_assert_int_eq(sel_stride(x, 3), -1);
  ck_assert_int_eq(sel_shape(x)[1], 3);
  ck_assert_int_eq(sel_strides(x)[1], 4);
  ck_assert_int_eq(sel_offset(x), 0);
  sel_tensor *part = NEW(narrow, x, 1, 1, 2);
  ck_assert_int_eq(sel_offset(part), 4);
  ck_assert(!sel_is_contiguous(part));
  ck_assert(sel_shares_storage(x, part));
  ck_assert(!sel_shares_storage(x, NEW(clone, x)));

  char text[64], small[8];
  ck_assert_str_eq(sel_describe(part, text, sizeof text), "f32[2, 2, 4]");
  ck_assert_str_eq(sel_describe(part, small, sizeof small), "f32[2, ");
  ck_assert_str_eq(sel_describe(NULL, text, sizeof text), "NULL");
  ck_assert_str_eq(sel_describe(NEW(scalar, 2.5), text, sizeof text), "the number 2.5");
  int64_t wide[SEL_MAX_DIMS];
  for (int d = 0; d < SEL_MAX_DIMS; d++) wide[d] = d ? 0 : 1234567;
  sel_tensor *long_text = NEW(empty, SEL_MAX_DIMS, wide, SEL_F32, NULL);
  ck_assert_str_eq(sel_describe(long_text, text, sizeof text), "f32[1234567, 0, 0, 0, 0, 0, 0, 0]");
}
END_TEST

START_TEST(references) {
  ck_assert_ptr_null(sel_retain(NULL));
  sel_release(NULL);
  double before = live_bytes();
  sel_tensor *x, *view;
  ASSERT_OK(sel_ones(SHAPE(1000), SEL_F32, NULL, &x));
  double with_x = live_bytes();
  ck_assert_double_ge(with_x - before, 4000);
  ck_assert_ptr_eq(sel_retain(x), x);
  sel_release(x);
  ASSERT_OK(sel_narrow(x, 0, 10, 5, &view));
  sel_release(x);
  ck_assert_double_eq(live_bytes(), with_x); /* the view keeps the memory */
  ASSERT_TENSOR(view, "f32[5]", 1, 1, 1, 1, 1);
  sel_release(view);
  ck_assert_double_eq(live_bytes(), before);
}
END_TEST

START_TEST(early_release) {
  double before = live_bytes();
  sel_tensor *t, *view, *y, *untouched = NULL;
  ASSERT_OK(sel_ones(SHAPE(4), SEL_F32, NULL, &t));
  ASSERT_OK(sel_view(t, SHAPE(2, 2), &view));
  sel_retain(t);
  ck_assert(!sel_tensor_free(t)); /* somebody else holds it */
  sel_release(t);
  ck_assert(sel_tensor_free(t));
  ck_assert(!sel_tensor_free(t));
  ck_assert(!sel_tensor_free(NULL));
  ASSERT_OK(sel_add_scalar(view, 1, &y)); /* the view keeps the memory */
  sel_release(y);
  sel_release(view);
  ck_assert_double_eq(live_bytes(), before);

  char text[64];
  ck_assert_str_eq(sel_describe(t, text, sizeof text), "a freed tensor");
  ck_assert_ptr_null(sel_tensor_device(t));
  double value;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_add_scalar(t, 1, &untouched), "add", "freed");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_sum(t, 0, NULL, false, &untouched), "sum", "freed");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_reshape(t, 0, NULL, &untouched), "reshape", "freed");
  ASSERT_FAILS(SEL_E_SHAPE, sel_item(t, &value), "item", "freed");
  ck_assert_ptr_null(untouched);
  sel_release(t);
}
END_TEST

START_TEST(allocated_bytes) {
  double before = sel_allocated_bytes();
  sel_tensor *x = NEW(empty, SHAPE(1000), SEL_F64, NULL);
  double after = sel_allocated_bytes();
  ck_assert_double_ge(after - before, 8000);
  drop(x);
  ck_assert_double_eq(sel_allocated_bytes(), after); /* it only counts up */
  NEW(empty, SHAPE(1000), SEL_F64, NULL);
  ck_assert_double_eq(sel_allocated_bytes() - after, after - before); /* cached memory counts too */
}
END_TEST

START_TEST(host_memory) {
  const float numbers[] = {1, 2, 3, 4, 5, 6};
  sel_tensor *x = NEW(from_data, SHAPE(2, 3), SEL_F32, NULL, numbers, sizeof numbers);
  ck_assert_int_eq(memcmp(sel_data(x), numbers, sizeof numbers), 0);
  sel_tensor *part = NEW(select, x, 1, 1);
  ck_assert_ptr_eq(sel_data(part), (float *)sel_data(x) + 1);
  ck_assert_ptr_null(sel_data(NULL));
  ck_assert_ptr_null(sel_data(NEW(scalar, 1)));

  float read[6];
  ASSERT_OK(sel_read(NEW(transpose, x, 0, 1), read, sizeof read)); /* C order of the view */
  const float transposed[] = {1, 4, 2, 5, 3, 6};
  ck_assert_int_eq(memcmp(read, transposed, sizeof read), 0);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_read(x, read, 20), "read", "f32[2, 3]", "24", "20");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_read(NULL, read, 0), "read", "NULL");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_read(NEW(scalar, 1), read, 8), "read", "number");

  int64_t version = sel_tensor_version(x);
  ASSERT_OK(sel_write(NEW(transpose, x, 0, 1), numbers, sizeof numbers));
  ASSERT_TENSOR(x, "f32[2, 3]", 1, 3, 5, 2, 4, 6);
  ck_assert_int_eq(sel_tensor_version(x), version + 1);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_write(x, numbers, 4), "write", "24", "4");
  sel_tensor *wide = NEW(expand, NEW(narrow, x, 0, 0, 1), SHAPE(2, 3));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_write(wide, numbers, sizeof numbers), "write", "share memory");
  ck_assert_int_eq(sel_tensor_version(x), version + 1);

  ((float *)sel_data(x))[0] = 9;
  ASSERT_OK(sel_mark_written(x));
  ck_assert_int_eq(sel_tensor_version(x), version + 2);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_mark_written(NEW(scalar, 1)), "mark_written");

  sel_tensor *t = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_from_data(SHAPE(2), SEL_F32, NULL, numbers, 4, &t), "8", "4");
  ck_assert_ptr_null(t);
  sel_tensor *nothing = NEW(from_data, SHAPE(0), SEL_F32, NULL, NULL, 0);
  ASSERT_OK(sel_read(nothing, NULL, 0));
  ASSERT_OK(sel_write(nothing, NULL, 0));
}
END_TEST

START_TEST(items) {
  for (int i = 0; i < DTYPES; i++) {
    sel_tensor *one = TENSOR(all_dtypes[i], SHAPE(1, 1), 1);
    ck_assert_double_eq(item(one), 1);
  }
  ck_assert_double_eq(item(TENSOR(SEL_F32, SHAPE(), 0.1)), (double)0.1f);
  ck_assert_double_eq(item(NEW(scalar, -3.25)), -3.25);
  ck_assert_double_eq(item(NEW(select, sequence(SEL_I32, 5, 1, SHAPE(3)), 0, 2)), 7);
  double untouched = 42;
  ASSERT_FAILS(SEL_E_SHAPE, sel_item(TENSOR(SEL_F32, SHAPE(2), 1, 2), &untouched), "item",
               "f32[2]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_item(NEW(empty, SHAPE(0), SEL_F32, NULL), &untouched), "f32[0]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_item(NULL, &untouched), "item", "NULL");
  ck_assert_double_eq(untouched, 42);
}
END_TEST

START_TEST(single_elements) {
  for (int i = 0; i < DTYPES; i++) {
    sel_tensor *x = NEW(zeros, SHAPE(2, 3), all_dtypes[i], NULL);
    sel_tensor *t = NEW(transpose, x, 0, 1);
    double value;
    ASSERT_OK(sel_set(t, 2, (int64_t[]){2, -1}, 1));
    ASSERT_OK(sel_get(x, 2, (int64_t[]){1, 2}, &value));
    ck_assert_double_eq(value, 1);
    ASSERT_OK(sel_get(t, 2, (int64_t[]){-1, 1}, &value));
    ck_assert_double_eq(value, 1);
    ASSERT_OK(sel_get(x, 2, (int64_t[]){1, 1}, &value));
    ck_assert_double_eq(value, 0);
    ck_assert_int_eq(sel_tensor_version(x), 1);
  }
  sel_tensor *number = TENSOR(SEL_F64, SHAPE(), 3);
  ASSERT_OK(sel_set(number, 0, NULL, 4));
  ck_assert_double_eq(item(number), 4);

  sel_tensor *x = NEW(zeros, SHAPE(2, 3), SEL_F32, NULL);
  double untouched = 42;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_get(x, 2, (int64_t[]){0, 3}, &untouched), "get", "3",
               "f32[2, 3]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_get(x, 2, (int64_t[]){-3, 0}, &untouched), "get", "-3");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_get(x, 1, (int64_t[]){0}, &untouched), "get", "2", "1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_set(x, 2, (int64_t[]){2, 0}, 1), "set", "2", "f32[2, 3]");
  ck_assert_double_eq(untouched, 42);
  sel_tensor *wide = NEW(expand, TENSOR(SEL_F32, SHAPE(1), 1), SHAPE(3));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_set(wide, 1, (int64_t[]){0}, 1), "set", "share memory");
  leaf(x);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_set(x, 2, (int64_t[]){0, 0}, 1), "set", "no_grad");
}
END_TEST

START_TEST(numbers) {
  sel_tensor *two = NEW(scalar, 2), *t = NULL;
  ck_assert_int_eq(sel_ndim(two), 0);
  ck_assert_ptr_null(sel_tensor_device(two));
  ck_assert_int_eq(sel_tensor_version(two), 0);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_clone(two, &t), "clone", "number");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_sum(two, 0, NULL, false, &t), "sum", "number");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_reshape(two, SHAPE(1), &t), "reshape", "number");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_add(two, two, &t), "add", "only numbers");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_set_requires_grad(two, true), "number");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_detach(two, &t), "detach", "number");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_empty_like(two, &t), "empty_like", "number");
  ck_assert_ptr_null(t);
  ASSERT_TENSOR(NEW(add, two, TENSOR(SEL_I32, SHAPE(2), 1, 2)), "i32[2]", 3, 4);
  ASSERT_TENSOR(NEW(sub, TENSOR(SEL_F16, SHAPE(2), 1, 2), two), "f16[2]", -1, 0);
}
END_TEST

START_TEST(empty_like) {
  char text[64];
  sel_tensor *x = NEW(transpose, NEW(zeros, SHAPE(2, 3), SEL_BF16, NULL), 0, 1);
  sel_tensor *t = NEW(empty_like, x);
  ck_assert_str_eq(sel_describe(t, text, sizeof text), "bf16[3, 2]");
  ck_assert(sel_is_contiguous(t));
  ck_assert(!sel_shares_storage(t, x));
}
END_TEST

START_TEST(generator) {
  sel_generator before, after;
  sel_manual_seed(0);
  sel_generator_get(&before);
  ck_assert_uint_eq(before.seed, 0);
  ck_assert_uint_eq(before.offset, 0);
  /* Philox4x32-10 of key 0 and counter 0, from the authors' known-answer file: 6627e8d5 e169c58d */
  ck_assert_uint_eq(sel_random_below(UINT64_MAX), 0xe169c58d6627e8d5u);
  sel_generator_get(&after);
  ck_assert_uint_gt(after.offset, before.offset);
  uint64_t next = sel_random_below(1000);
  sel_generator_set(&after);
  ck_assert_uint_eq(sel_random_below(1000), next);
  ck_assert_uint_eq(sel_random_below(1), 0);
  ck_assert_uint_eq(sel_random_below(0), 0);

  int count[7] = {0};
  for (int i = 0; i < 70000; i++) {
    uint64_t value = sel_random_below(7);
    ck_assert_uint_lt(value, 7);
    count[value]++;
  }
  for (int i = 0; i < 7; i++) ck_assert_int_lt(abs(count[i] - 10000), 500);
}
END_TEST

START_TEST(interruption) {
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(2), 1, 2), *t = NULL;
  sel_tensor *loss = NEW(sum, leaf(TENSOR(SEL_F32, SHAPE(2), 1, 2)), 0, NULL, false);
  sel_interrupt();
  ck_assert(sel_interrupted());
  ASSERT_FAILS(SEL_E_INTERRUPTED, sel_add(x, x, &t), "interrupted");
  ASSERT_FAILS(SEL_E_INTERRUPTED, sel_add_(x, x), "interrupted");
  ASSERT_FAILS(SEL_E_INTERRUPTED, sel_reshape(x, SHAPE(2, 1), &t), "interrupted");
  ASSERT_FAILS(SEL_E_INTERRUPTED, sel_backward(1, &loss, NULL, false, false), "interrupted");
  sel_interrupt_clear();
  ck_assert(!sel_interrupted());
  ck_assert_ptr_null(t);
  ASSERT_TENSOR(x, "f32[2]", 1, 2);
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
}
END_TEST

START_TEST(error_text) {
  ck_assert_int_eq(sel_fail(SEL_E_SHAPE, "%s %d", "text", 7), SEL_E_SHAPE);
  ck_assert_str_eq(sel_error(), "text 7");
  sel_error_prefix("encoder.0");
  ck_assert_str_eq(sel_error(), "encoder.0: text 7");
  sel_fail(SEL_E_SHAPE, "outer: %s", sel_error()); /* may quote itself */
  ck_assert_str_eq(sel_error(), "outer: encoder.0: text 7");
  char *endless = malloc(10000);
  memset(endless, 'x', 9999);
  endless[9999] = '\0';
  sel_fail(SEL_E_SHAPE, "%s", endless);
  sel_error_prefix(endless);
  ck_assert_uint_lt(strlen(sel_error()), 10000);
  free(endless);
  ck_assert_str_eq(sel_status_name(SEL_OK), "ok");
  ck_assert_str_eq(sel_status_name(SEL_E_AUTOGRAD), "autograd");
  ck_assert_str_eq(sel_status_name(SEL_E_INTERNAL), "internal");
  ck_assert_str_eq(sel_status_name((sel_status)77), "unknown");
  char version[32];
  snprintf(version, sizeof version, "%d.%d.%d", SEL_VERSION_MAJOR, SEL_VERSION_MINOR,
           SEL_VERSION_PATCH);
  ck_assert_str_eq(sel_version(), version);
}
END_TEST

static void *other_thread(void *as_new) {
  sel_generator g;
  sel_generator_get(&g);
  *(bool *)as_new = *sel_error() == '\0' && sel_grad_enabled() && g.offset == 0;
  sel_set_grad_enabled(false);
  sel_manual_seed(99);
  sel_fail(SEL_E_SHAPE, "of the other thread");
  return NULL;
}

START_TEST(state_of_the_thread) {
  sel_set_grad_enabled(true);
  sel_manual_seed(1);
  sel_random_below(5);
  sel_fail(SEL_E_SHAPE, "of this thread");
  pthread_t thread;
  bool as_new = false;
  ck_assert_int_eq(pthread_create(&thread, NULL, other_thread, &as_new), 0);
  pthread_join(thread, NULL);
  ck_assert(as_new);
  sel_generator g;
  sel_generator_get(&g);
  ck_assert_uint_eq(g.seed, 1);
  ck_assert(sel_grad_enabled());
  ck_assert_str_eq(sel_error(), "of this thread");
}
END_TEST

TENSOR_SUITE("tensor", dtypes, constants, sequences, shapes, asking, references, early_release,
             allocated_bytes, host_memory, items, single_elements, numbers, empty_like, generator,
             interruption, error_text, state_of_the_thread)
