/* What suites about tensors share: tensors from literals, results kept until the test ends,
 * comparisons with literals.
 *
 * NEW(add, a, b) is sel_add(a, b, &t), which must succeed; t is kept, and released when the test
 * ends. Calls nest. After each test no byte of tensor memory may be live.
 */
#ifndef TENSORS_H
#define TENSORS_H

#include <math.h>
#include <stdio.h>

#include "expect.h"

#define NEW(name, ...) (kept_result(sel_##name(__VA_ARGS__, result_slot()), "sel_" #name))

/* Several arguments in one: how many, and where. SHAPE() is the shape of a single number. */
#define SHAPE(...) \
  (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) { __VA_ARGS__ }
#define DIMS(...) \
  (int)(sizeof((int[]){__VA_ARGS__}) / sizeof(int)), (int[]) { __VA_ARGS__ }
#define VALUES(...) \
  (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[]) { __VA_ARGS__ }
#define TENSORS(...)                                                                      \
  (int)(sizeof((sel_tensor *[]){__VA_ARGS__}) / sizeof(sel_tensor *)), (sel_tensor *[]) { \
    __VA_ARGS__                                                                           \
  }

/* TENSOR(SEL_F32, SHAPE(2, 3), 1, 2, 3, 4, 5, 6) */
#define TENSOR(dtype, shape, ...) tensor_of(dtype, shape, VALUES(__VA_ARGS__))
/* ASSERT_TENSOR(t, "f32[2, 3]", 1, 2, 3, 4, 5, 6); NaN equals NaN, 0 equals -0. */
#define ASSERT_TENSOR(t, description, ...) \
  assert_tensor(t, #t, description, 0, VALUES(__VA_ARGS__), __LINE__)
/* The same within `tolerance` times the larger of 1 and the value. */
#define ASSERT_NEAR(t, tolerance, description, ...) \
  assert_tensor(t, #t, description, tolerance, VALUES(__VA_ARGS__), __LINE__)
#define ASSERT_SAME(a, b) assert_same(a, b, #a " and " #b, __LINE__)

/* ---- results ---- */

enum { KEPT_MAX = 8192, SLOT_MAX = 8 };
static sel_tensor *kept[KEPT_MAX];
static int n_kept;
static sel_tensor *result_slots[SLOT_MAX];
static int n_result_slots;

static inline sel_tensor *keep(sel_tensor *t) {
  ck_assert_int_lt(n_kept, KEPT_MAX);
  return kept[n_kept++] = t;
}

/* Releases what was kept since n_kept had this value. */
static inline void release_kept(int mark) {
  while (n_kept > mark) sel_release(kept[--n_kept]);
}

/* Releases one kept tensor now. */
static inline void drop(sel_tensor *t) {
  for (int i = n_kept; i-- > 0;)
    if (kept[i] == t) {
      sel_release(t);
      kept[i] = kept[--n_kept];
      return;
    }
  ck_abort_msg("drop: the tensor is not kept");
}

static inline sel_tensor **result_slot(void) {
  ck_assert_int_lt(n_result_slots, SLOT_MAX);
  result_slots[n_result_slots] = NULL;
  return &result_slots[n_result_slots++];
}

static inline sel_tensor *kept_result(sel_status status, const char *call) {
  sel_tensor *t = result_slots[--n_result_slots];
  ck_assert_msg(status == SEL_OK, "%s: %s", call, sel_error());
  return keep(t);
}

/* ---- making ---- */

static inline sel_tensor *tensor_of(sel_dtype dtype, int ndim, const int64_t *shape, int n,
                                    const double *values) {
  sel_tensor *t = NEW(from_data, ndim, shape, SEL_F64, NULL, values, (size_t)n * sizeof *values);
  return dtype == SEL_F64 ? t : NEW(to, t, dtype, NULL);
}

/* first, first + step, ... in C order */
static inline sel_tensor *sequence(sel_dtype dtype, double first, double step, int ndim,
                                   const int64_t *shape) {
  double n = 1;
  for (int d = 0; d < ndim; d++) n *= (double)shape[d];
  sel_tensor *t = NEW(arange, 0, n, 1, SEL_F64, NULL);
  ASSERT_OK(sel_mul_scalar_(t, step));
  ASSERT_OK(sel_add_scalar_(t, first));
  return NEW(reshape, NEW(to, t, dtype, NULL), ndim, shape);
}

/* Numbers without pattern in [low, high), the same in each run. */
static inline double some_number(uint64_t i, double low, double high) {
  uint64_t z = (i + 1) * 0x9e3779b97f4a7c15u; /* splitmix64 */
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return low + (high - low) * (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static inline sel_tensor *some_tensor(sel_dtype dtype, double low, double high, uint64_t seed,
                                      int ndim, const int64_t *shape) {
  size_t n = 1;
  for (int d = 0; d < ndim; d++) n *= (size_t)shape[d];
  double *values = malloc((n + 1) * sizeof *values);
  for (size_t i = 0; i < n; i++) values[i] = some_number(seed * 1000003 + i, low, high);
  sel_tensor *t = NEW(from_data, ndim, shape, SEL_F64, NULL, values, n * sizeof *values);
  free(values);
  return dtype == SEL_F64 ? t : NEW(to, t, dtype, NULL);
}

static inline sel_tensor *leaf(sel_tensor *t) {
  ASSERT_OK(sel_set_requires_grad(t, true));
  return t;
}

/* ---- comparing ---- */

/* Element i in C order. */
static inline double element_of(const sel_tensor *t, int64_t i) {
  int64_t position[SEL_MAX_DIMS] = {0};
  double value;
  for (int d = sel_ndim(t) - 1; d >= 0; d--) {
    position[d] = i % sel_size(t, d);
    i /= sel_size(t, d);
  }
  ASSERT_OK(sel_get(t, sel_ndim(t), position, &value));
  return value;
}

static inline bool near(double a, double b, double tolerance) {
  if (a == b || (isnan(a) && isnan(b))) return true;
  return fabs(a - b) <= tolerance * fmax(1, fabs(b));
}

static inline void assert_tensor(const sel_tensor *t, const char *what, const char *description,
                                 double tolerance, int n, const double *values, int line) {
  char text[256];
  ck_assert_msg(t != NULL, "line %d: %s is NULL", line, what);
  sel_describe(t, text, sizeof text);
  ck_assert_msg(strcmp(text, description) == 0, "line %d: %s: expected %s, got %s", line, what,
                description, text);
  ck_assert_msg(sel_numel(t) == n, "line %d: %s has %d elements, %d values are given", line, what,
                (int)sel_numel(t), n);
  for (int i = 0; i < n; i++) {
    double got = element_of(t, i);
    ck_assert_msg(near(got, values[i], tolerance),
                  "line %d: %s, element %d: expected %.17g, got %.17g", line, what, i, values[i],
                  got);
  }
}

/* The same dtype, shape and bits. */
static inline void assert_same(const sel_tensor *a, const sel_tensor *b, const char *what,
                               int line) {
  char x[256], y[256];
  sel_describe(a, x, sizeof x);
  sel_describe(b, y, sizeof y);
  ck_assert_msg(strcmp(x, y) == 0, "line %d: %s: %s and %s differ", line, what, x, y);
  size_t size = sel_dtype_size(sel_tensor_dtype(a)), bytes = (size_t)sel_numel(a) * size;
  unsigned char *of_a = malloc(bytes + 1), *of_b = malloc(bytes + 1);
  ASSERT_OK(sel_read(a, of_a, bytes));
  ASSERT_OK(sel_read(b, of_b, bytes));
  for (size_t i = 0; i < bytes; i++)
    ck_assert_msg(of_a[i] == of_b[i], "line %d: %s, element %d of %s: %.17g and %.17g differ", line,
                  what, (int)(i / size), x, element_of(a, (int64_t)(i / size)),
                  element_of(b, (int64_t)(i / size)));
  free(of_a);
  free(of_b);
}

static inline double live_bytes(void) {
  sel_memory_info memory;
  sel_memory(sel_default_device(), &memory);
  return memory.live;
}

static inline double item(const sel_tensor *t) {
  double value;
  ASSERT_OK(sel_item(t, &value));
  return value;
}

/* ---- a suite ---- */

static inline void end_of_test(void) {
  release_kept(0);
  ck_assert_msg(live_bytes() == 0, "%g bytes of tensors are left behind", live_bytes());
}

static inline int tensor_suite(const char *name, int n, const TTest *const *tests) {
  Suite *suite = suite_create(name);
  TCase *tcase = tcase_create(name);
  tcase_add_unchecked_fixture(tcase, expect_plugins, NULL);
  tcase_add_checked_fixture(tcase, NULL, end_of_test);
  for (int i = 0; i < n; i++) tcase_add_test(tcase, tests[i]);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}

#define TENSOR_SUITE(name, ...)                                            \
  int main(void) {                                                         \
    const TTest *const tests[] = {__VA_ARGS__};                            \
    return tensor_suite(name, (int)(sizeof tests / sizeof *tests), tests); \
  }

#endif
