/* Kernels that plugins bring as text: what they are passed, and what is refused. */
#include <tensors.h>

static const char text[] =
    "__kernel void half_of(long items, __global const T *x, long x0, __global T *y, long y0,\n"
    "                      T s, T t) {\n"
    "  const long i = get_global_id(0);\n"
    "  if (i < items) y[y0 + i] = x[x0 + i] / 2 + s * t;\n"
    "}\n"
    "__kernel void count(long items, __global T *y, long y0, __global const long *k, long k0) {\n"
    "  const long i = get_global_id(0);\n"
    "  if (i < items) y[y0 + i] = i + k[k0];\n"
    "}\n";

static const double numbers[] = {0.5, 4};
static const int64_t extent[] = {1000};

static sel_tensor *some_numbers(sel_dtype dtype) { return some_tensor(dtype, -1, 1, 1, 1, extent); }

static sel_tensor *halved(sel_tensor *x) { return NEW(add_scalar, NEW(mul_scalar, x, 0.5), 2); }

START_TEST(kernels_run) {
  const sel_dtype dtypes[] = {SEL_F32, SEL_F64};
  for (int d = 0; d < 2; d++) {
    sel_tensor *x = some_numbers(dtypes[d]), *y = NEW(empty_like, x);
    ASSERT_OK(sel_run_source(text, "half_of", 1000, 2, (sel_tensor *[]){x, y}, 2, numbers));
    ASSERT_SAME(y, halved(x));
  }
}
END_TEST

START_TEST(views_begin_where_they_begin) {
  sel_tensor *x = NEW(narrow, some_numbers(SEL_F32), 0, 100, 300), *y = NEW(empty_like, x);
  ASSERT_OK(sel_run_source(text, "half_of", 300, 2, (sel_tensor *[]){x, y}, 2, numbers));
  ASSERT_SAME(y, halved(x));
}
END_TEST

START_TEST(other_dtypes_follow_the_first) {
  sel_tensor *y = some_numbers(SEL_F32);
  sel_tensor *k = NEW(full, SHAPE(1), 7, SEL_I64, NULL);
  ASSERT_OK(sel_run_source(text, "count", 1000, 2, (sel_tensor *[]){y, k}, 0, NULL));
  ASSERT_TENSOR(NEW(narrow, y, 0, 0, 3), "f32[3]", 7, 8, 9);
}
END_TEST

START_TEST(refused) {
  sel_tensor *x = some_numbers(SEL_F32), *y = NEW(empty_like, x);
  sel_tensor *pair[] = {x, y}, *whole[] = {NEW(to, x, SEL_I64, NULL), y};
  sel_device *cpu;
  ASSERT_OK(sel_device_find("cpu", &cpu));
  sel_tensor *here[] = {NEW(to, x, SEL_F32, cpu), y};
  sel_tensor *expanded[] = {x, NEW(expand, NEW(narrow, x, 0, 0, 1), 1, extent)};
  ck_assert_str_eq(sel_source_language(sel_tensor_device(x)), "OpenCL C");
  ck_assert_ptr_null(sel_source_language(sel_tensor_device(here[0])));
  ck_assert_ptr_null(sel_source_language(NULL));
  ASSERT_FAILS(SEL_E_INTERNAL, sel_run_source("__kernel void f(", "f", 1, 2, pair, 0, NULL),
               "can't compile");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_run_source(text, "third_of", 1, 2, pair, 2, numbers),
               "no kernel 'third_of'");
  ASSERT_FAILS(SEL_E_DTYPE, sel_run_source(text, "half_of", 1, 2, whole, 2, numbers),
               "tensor 1: expected f32 or f64");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_run_source(text, "half_of", 1, 2, expanded, 2, numbers),
               "tensor 2: expected a contiguous one");
  ASSERT_FAILS(SEL_E_DEVICE, sel_run_source(text, "half_of", 1, 2, here, 2, numbers), "cpu",
               "opencl");
  ASSERT_FAILS(SEL_E_UNSUPPORTED, sel_run_source(text, "half_of", 1, 1, here, 2, numbers),
               "device cpu compiles no kernels from text");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_run_source(text, "half_of", 1, 0, pair, 2, numbers),
               "1 to 16 tensors");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_run_source(NULL, "half_of", 1, 2, pair, 2, numbers), "text");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_run_source(text, "half_of", 1, 2, pair, 1, numbers), "half_of",
               "7 parameters, 2 tensors and 1 numbers make 6");
  ASSERT_OK(sel_run_source(text, "half_of", 0, 2, pair, 2, numbers));
  ASSERT_OK(sel_run_source(text, "half_of", 1000, 2, pair, 2, numbers));
  ASSERT_SAME(y, halved(x));
}
END_TEST

TENSOR_SUITE("opencl_source", kernels_run, views_begin_where_they_begin,
             other_dtypes_follow_the_first, refused)
