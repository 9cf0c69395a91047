/* Fused functions in C: what a backend without the ability does with them, two functions on one
 * tape, threads, and memory that runs out. Values, gradients and errors of the language are tested
 * through Lua. */
#include <pthread.h>

#include "failing_memory.h"

static const int64_t rows[] = {5, 1}, columns[] = {4}, matrix[] = {5, 4};

/* The cpu under another name, with these abilities. */
static sel_device *other_device(sel_backend *table, const char *name,
                                const void *(*ability)(const char *name)) {
  sel_device *device;
  if (!table->size) {
    *table = *sel_backend_at(0);
    table->name = name;
    table->ability = ability;
    ASSERT_OK(sel_register_backend(table));
  }
  ASSERT_OK(sel_device_find(name, &device));
  return device;
}

static sel_device *plain_device(void) {
  static sel_backend table;
  return other_device(&table, "plain", NULL);
}

/* Backends that can't fuse what they are given: one says so when it prepares, one when it runs. */
static int kernel_of_refuser;

static sel_status refuse_program(sel_backend_device device, const sel_fuse_program *program,
                                 sel_dtype compute, void **kernel) {
  (void)device, (void)program, (void)compute, (void)kernel;
  return sel_fail(SEL_E_UNSUPPORTED, "not this one");
}
static sel_status accept_program(sel_backend_device device, const sel_fuse_program *program,
                                 sel_dtype compute, void **kernel) {
  (void)device, (void)program, (void)compute;
  *kernel = &kernel_of_refuser;
  return SEL_OK;
}
static const char *describe_refuser(const void *kernel) { return kernel ? "compiled" : NULL; }
static sel_status refuse_call(sel_backend_device device, const void *kernel,
                              const sel_fuse_args *args) {
  (void)device, (void)kernel, (void)args;
  return sel_fail(SEL_E_UNSUPPORTED, "too many inputs");
}
static void release_refuser(void *kernel) { ck_assert_ptr_eq(kernel, &kernel_of_refuser); }

static const void *refusing_programs(const char *name) {
  static const sel_fuse_ability fuse = {sizeof fuse, refuse_program, NULL, NULL, NULL};
  return strcmp(name, "fuse") == 0 ? &fuse : NULL;
}
static const void *refusing_calls(const char *name) {
  static const sel_fuse_ability fuse = {sizeof fuse, accept_program, describe_refuser, refuse_call,
                                        release_refuser};
  return strcmp(name, "fuse") == 0 ? &fuse : NULL;
}

static sel_fused *fused(const char *expression) {
  sel_fused *f;
  ASSERT_OK(sel_fuse(expression, false, &f));
  return f;
}

enum { EXPRESSIONS = 6 };
static const char *const expressions[EXPRESSIONS] = {
    "x, y, s -> x * sigmoid(y * s), exp(x) / (1 + exp(x))",
    "x, y, s -> where(x > y and not (y < s), x ^ 2, y), x >= s",
    "x, y, s -> x, 3, s, y",
    "x, y, s -> t = where(x > 0, 1, -1); t * t + s, t",
    "x, y, s -> gelu(x) + elu(y, s) + clamp(x, -s, s)",
    "x, y, s -> x + y, (x + y) % 3"};

/* Results, and gradients of x and y, of the same numbers on a device. */
static int compute(const char *expression, sel_device *device, sel_tensor **results) {
  sel_tensor *x = leaf(NEW(to, some_tensor(SEL_F32, -2, 2, 1, 2, rows), SEL_F32, device));
  sel_tensor *y = leaf(NEW(to, some_tensor(SEL_F32, -2, 2, 2, 1, columns), SEL_F32, device));
  sel_fused *f = fused(expression);
  const int n = sel_fused_outputs(f);
  ASSERT_OK(sel_fused_call(f, 3, (sel_tensor *[]){x, y, NEW(scalar, 0.75)}, results));
  sel_fused_release(f); /* the tape keeps what it needs */
  sel_tensor *total = NULL;
  for (int k = 0; k < n; k++) {
    keep(results[k]);
    ck_assert_int_eq(sel_ndim(results[k]), 2);
    sel_tensor *w =
        NEW(to, some_tensor(SEL_F32, 0.5, 1.5, 9 + (uint64_t)k, 2, matrix), SEL_F32, device);
    sel_tensor *part = NEW(sum, NEW(mul, results[k], w), 0, NULL, false);
    total = total ? NEW(add, total, part) : part;
  }
  ASSERT_OK(sel_grad(1, &total, NULL, 2, (sel_tensor *[]){x, y}, false, false, true, results + n));
  for (int i = n; i < n + 2; i++)
    if (results[i]) keep(results[i]);
  return n + 2;
}

static void separate_operations_on(sel_device *device) {
  for (int e = 0; e < EXPRESSIONS; e++) {
    sel_tensor *here[SEL_FUSE_OUTPUTS + 2], *there[SEL_FUSE_OUTPUTS + 2];
    const int n = compute(expressions[e], NULL, here);
    ck_assert_int_eq(compute(expressions[e], device, there), n);
    for (int k = 0; k < n; k++) {
      ck_assert_msg(!here[k] == !there[k], "%s, result %d", expressions[e], k);
      if (here[k])
        assert_same(here[k], NEW(to, there[k], SEL_F32, sel_default_device()), expressions[e],
                    __LINE__);
    }
  }
}

START_TEST(separate_operations) {
  static sel_backend programs, calls;
  separate_operations_on(plain_device());
  separate_operations_on(other_device(&programs, "no_programs", refusing_programs));
  separate_operations_on(other_device(&calls, "no_calls", refusing_calls));
}
END_TEST

START_TEST(how_it_runs) {
  sel_fused *f = fused("x -> x * 2");
  const char *text;
  ASSERT_OK(sel_fused_kernel(f, SEL_F32, NULL, &text));
  ck_assert_str_eq(text, "interpreted: as asked");
  ASSERT_OK(sel_fused_kernel(f, SEL_F32, plain_device(), &text));
  ck_assert_str_eq(text, "separate operations");
  ck_assert_int_eq(sel_fused_inputs(f), 1);
  ck_assert_int_eq(sel_fused_outputs(f), 1);
  sel_fused_release(f);
  sel_fused_release(NULL);
}
END_TEST

START_TEST(devices_and_missing_inputs) {
  sel_fused *f = fused("x, y -> x * y");
  sel_tensor *x = some_tensor(SEL_F32, 0, 1, 1, 1, columns), *out;
  sel_tensor *y = NEW(to, x, SEL_F32, plain_device());
  ck_assert_int_eq(sel_fused_call(f, 2, (sel_tensor *[]){x, y}, &out), SEL_E_DEVICE);
  ck_assert_int_eq(sel_fused_call(f, 2, (sel_tensor *[]){x, NULL}, &out), SEL_E_ARGUMENT);
  ck_assert_int_eq(sel_fused_call(f, 1, (sel_tensor *[]){x}, &out), SEL_E_ARGUMENT);
  sel_fused_release(f);
}
END_TEST

/* ---- threads ---- */

static sel_fused *shared;

static void *use_shared(void *result) {
  double *out = result;
  for (int i = 0; i < 50; i++) {
    sel_tensor *x, *y, *sum, *grad;
    if (sel_full(1, columns, 0.5, i % 2 ? SEL_F32 : SEL_F64, NULL, &x) != SEL_OK ||
        sel_set_requires_grad(x, true) != SEL_OK || sel_fused_call(shared, 1, &x, &y) != SEL_OK ||
        sel_sum(y, 0, NULL, false, &sum) != SEL_OK ||
        sel_grad(1, &sum, NULL, 1, &x, false, false, false, &grad) != SEL_OK ||
        sel_get(grad, 1, (int64_t[]){2}, out) != SEL_OK)
      return result;
    sel_release(x), sel_release(y), sel_release(sum), sel_release(grad);
  }
  return NULL;
}

START_TEST(one_function_in_several_threads) {
  shared = fused("x -> x * x * 4");
  pthread_t thread[4];
  double slope[4] = {0};
  for (int i = 0; i < 4; i++) pthread_create(&thread[i], NULL, use_shared, &slope[i]);
  for (int i = 0; i < 4; i++) {
    void *failed;
    pthread_join(thread[i], &failed);
    ck_assert_ptr_null(failed);
    ck_assert_double_eq(slope[i], 4);
  }
  sel_fused_release(shared);
}
END_TEST

/* ---- failing memory ---- */

static sel_status read_apply_and_differentiate(void *context) {
  sel_tensor *x = context, *y[2] = {NULL}, *sum = NULL, *grad = NULL;
  sel_fused *f = NULL;
  sel_status status = sel_fuse("x -> e = exp(x); e * sin(x), e", false, &f);
  if (status == SEL_OK) status = sel_fused_call(f, 1, &x, y);
  if (status == SEL_OK) status = sel_sum(y[0], 0, NULL, false, &sum);
  if (status == SEL_OK) status = sel_grad(1, &sum, NULL, 1, &x, false, false, false, &grad);
  sel_release(y[0]), sel_release(y[1]), sel_release(sum), sel_release(grad);
  sel_fused_release(f);
  return status;
}

START_TEST(each_allocation_may_fail) {
  sel_tensor *x = leaf(some_tensor(SEL_F32, 0, 1, 1, 1, columns));
  expect_each_failure("fuse", read_apply_and_differentiate, x);
  x = leaf(NEW(to, NEW(detach, x), SEL_F32, plain_device()));
  expect_each_failure("fuse by separate operations", read_apply_and_differentiate, x);
}
END_TEST

TENSOR_SUITE("fuse", separate_operations, how_it_runs, devices_and_missing_inputs,
             one_function_in_several_threads, each_allocation_may_fail)
