/* Operations against PyTorch: every case of golden/ops.safetensors, in f64 and in f32, values and
 * gradients.
 *
 * The file (golden/make_ops.py) names a function, its numbers (args), inputs and results; the table
 * here says how to call it. A case of a function that is not in the table fails, and so does a
 * function without a case, among them every pointwise row that is no gradient.
 */
#include "tensors.h"

enum { INPUTS = 4, OUTPUTS = 2 };

typedef struct golden_call {
  int n_args, n_in;
  const double *args;
  sel_tensor *const *in; /* NULL entries past n_in */
} golden_call;

/* ---- how functions are called: out[0], and out[1] where there is one ---- */

#define A(i) call->args[i]
#define INT(i) ((int)call->args[i])
#define EXTENT(i) ((int64_t)call->args[i])
#define YES(i) (call->args[i] != 0)
#define X0 call->in[0]
#define X1 call->in[1]
#define X2 call->in[2]
#define X3 call->in[3]

/* The arguments from `first` on, as ints and as extents. */
typedef struct int_list {
  int n, dims[SEL_MAX_DIMS];
  int64_t extents[2 * SEL_MAX_DIMS];
} int_list;

static int_list ints_from(const golden_call *call, int first) {
  int_list list = {.n = call->n_args - first};
  for (int i = 0; i < list.n; i++) {
    if (i < SEL_MAX_DIMS) list.dims[i] = INT(first + i);
    list.extents[i] = EXTENT(first + i);
  }
  return list;
}

#define DEFINE(name, expression)                                             \
  static sel_status call_##name(const golden_call *call, sel_tensor **out) { \
    (void)call;                                                              \
    return expression;                                                       \
  }
#define DEFINE_WITH_LIST(name, first, expression)                            \
  static sel_status call_##name(const golden_call *call, sel_tensor **out) { \
    int_list list = ints_from(call, first);                                  \
    return expression;                                                       \
  }
#define DIMS_OF list.n, list.dims
#define SHAPE_OF list.n, list.extents

#define DEFINE_U(name) DEFINE(name, sel_##name(X0, out))
#define DEFINE_U1(name) DEFINE(name, sel_##name(X0, A(0), out))
#define DEFINE_U2(name) DEFINE(name, sel_##name(X0, A(0), A(1), out))
#define DEFINE_B(name) DEFINE(name, sel_##name(X0, X1, out))
#define DEFINE_B1(name) DEFINE(name, sel_##name(X0, X1, A(0), out))
#define DEFINE_T(name) DEFINE(name, sel_##name(X0, X1, X2, out))
#define DEFINE_T1(name) DEFINE(name, sel_##name(X0, X1, X2, A(0), out))
#define DEFINE_GB(name)
#define DEFINE_GB1(name)
#define DEFINE_GB2(name)
#define DEFINE_GT(name)
#define DEFINE_GT1(name)
#define DEFINE_ROW(kind, name, types, ...) DEFINE_##kind(name)
SEL_POINTWISE(DEFINE_ROW)

DEFINE_WITH_LIST(sum, 1, sel_sum(X0, DIMS_OF, YES(0), out))
DEFINE_WITH_LIST(mean, 1, sel_mean(X0, DIMS_OF, YES(0), out))
DEFINE_WITH_LIST(prod, 1, sel_prod(X0, DIMS_OF, YES(0), out))
DEFINE_WITH_LIST(amax, 1, sel_amax(X0, DIMS_OF, YES(0), out))
DEFINE_WITH_LIST(amin, 1, sel_amin(X0, DIMS_OF, YES(0), out))
DEFINE_WITH_LIST(any, 1, sel_any(X0, DIMS_OF, YES(0), out))
DEFINE_WITH_LIST(all, 1, sel_all(X0, DIMS_OF, YES(0), out))
DEFINE_WITH_LIST(var, 2, sel_var(X0, DIMS_OF, A(0), YES(1), out))
DEFINE_WITH_LIST(std, 2, sel_std(X0, DIMS_OF, A(0), YES(1), out))
DEFINE_WITH_LIST(norm, 2, sel_norm(X0, A(0), DIMS_OF, YES(1), out))
DEFINE_WITH_LIST(logsumexp, 1, sel_logsumexp(X0, DIMS_OF, YES(0), out))
DEFINE(argmax, sel_argmax(X0, INT(0), YES(1), out))
DEFINE(argmin, sel_argmin(X0, INT(0), YES(1), out))
DEFINE(max, sel_max(X0, INT(0), YES(1), &out[0], &out[1]))
DEFINE(min, sel_min(X0, INT(0), YES(1), &out[0], &out[1]))
DEFINE(cumsum, sel_cumsum(X0, INT(0), out))
DEFINE(softmax, sel_softmax(X0, INT(0), out))
DEFINE(log_softmax, sel_log_softmax(X0, INT(0), out))
DEFINE(matmul, sel_matmul(X0, X1, out))
DEFINE(linear, sel_linear(X0, X1, X2, out))
DEFINE(bilinear, sel_bilinear(X0, X1, X2, X3, out))
DEFINE_WITH_LIST(permute, 0, sel_permute(X0, DIMS_OF, out))
DEFINE(transpose, sel_transpose(X0, INT(0), INT(1), out))
DEFINE_WITH_LIST(reshape, 0, sel_reshape(X0, SHAPE_OF, out))
DEFINE(flatten, sel_flatten(X0, INT(0), INT(1), out))
DEFINE_WITH_LIST(expand, 0, sel_expand(X0, SHAPE_OF, out))
DEFINE(squeeze, sel_squeeze(X0, INT(0), out))
DEFINE(unsqueeze, sel_unsqueeze(X0, INT(0), out))
DEFINE(narrow, sel_narrow(X0, INT(0), EXTENT(1), EXTENT(2), out))
DEFINE(select, sel_select(X0, INT(0), EXTENT(1), out))
DEFINE(slice, sel_slice(X0, INT(0), EXTENT(1), EXTENT(2), EXTENT(3), out))
DEFINE_WITH_LIST(pad, 1, sel_pad(X0, SHAPE_OF, A(0), out))
DEFINE_WITH_LIST(flip, 0, sel_flip(X0, DIMS_OF, out))
DEFINE(roll, sel_roll(X0, EXTENT(0), INT(1), out))
DEFINE_WITH_LIST(repeat, 0, sel_repeat(X0, SHAPE_OF, out))
DEFINE(tril, sel_tril(X0, EXTENT(0), out))
DEFINE(triu, sel_triu(X0, EXTENT(0), out))
DEFINE(cat, sel_cat(call->n_in, call->in, INT(0), out))
DEFINE(stack, sel_stack(call->n_in, call->in, INT(0), out))
DEFINE(index_select, sel_index_select(X0, INT(0), X1, out))
DEFINE(index_add, sel_index_add(X0, INT(0), X1, X2, out))
DEFINE(gather, sel_gather(X0, INT(0), X1, out))
DEFINE(scatter, sel_scatter(X0, INT(0), X1, X2, out))
DEFINE(scatter_add, sel_scatter_add(X0, INT(0), X1, X2, out))
DEFINE(embedding, sel_embedding(X0, X1, out))
DEFINE(one_hot, sel_one_hot(X0, EXTENT(0), out))
DEFINE(masked_fill, sel_masked_fill(X0, X1, A(0), out))
DEFINE(masked_select, sel_masked_select(X0, X1, out))
DEFINE(nonzero, sel_nonzero(X0, out))
DEFINE(sort, sel_sort(X0, INT(0), YES(1), &out[0], &out[1]))
DEFINE(argsort, sel_argsort(X0, INT(0), YES(1), out))
DEFINE(topk, sel_topk(X0, EXTENT(0), INT(1), YES(2), &out[0], &out[1]))

typedef struct golden_function {
  const char *name;
  sel_status (*run)(const golden_call *call, sel_tensor **out);
} golden_function;

#define USE(name) {#name, call_##name},
#define USE_U USE
#define USE_U1 USE
#define USE_U2 USE
#define USE_B USE
#define USE_B1 USE
#define USE_T USE
#define USE_T1 USE
#define USE_GB(name)
#define USE_GB1(name)
#define USE_GB2(name)
#define USE_GT(name)
#define USE_GT1(name)
#define USE_ROW(kind, name, types, ...) USE_##kind(name)
/* clang-format off */
static const golden_function functions[] = {
  SEL_POINTWISE(USE_ROW)
  USE(sum) USE(mean) USE(prod) USE(amax) USE(amin) USE(any) USE(all) USE(var) USE(std) USE(norm)
  USE(logsumexp) USE(argmax) USE(argmin) USE(max) USE(min) USE(cumsum) USE(softmax) USE(log_softmax)
  USE(matmul) USE(linear) USE(bilinear)
  USE(permute) USE(transpose) USE(reshape) USE(flatten) USE(expand) USE(squeeze) USE(unsqueeze)
  USE(narrow) USE(select) USE(slice) USE(pad) USE(flip) USE(roll) USE(repeat) USE(tril) USE(triu)
  USE(cat) USE(stack)
  USE(index_select) USE(index_add) USE(gather) USE(scatter) USE(scatter_add) USE(embedding)
  USE(one_hot) USE(masked_fill) USE(masked_select) USE(nonzero)
  USE(sort) USE(argsort) USE(topk)
};
/* clang-format on */
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* ---- cases ---- */

static sel_archive *archive;

static sel_tensor *find(const char *name, const char *part, int i) {
  char full[128];
  if (i >= 0)
    snprintf(full, sizeof full, "%s/%s%d", name, part, i);
  else
    snprintf(full, sizeof full, "%s/%s", name, part);
  return sel_archive_find(archive, full);
}

/* In f32 a value that f64 holds may be infinite or 0. */
static double expected_in(sel_dtype dtype, double value) {
  return dtype == SEL_F32 ? (double)(float)value : value;
}

static void compare(const char *name, const char *part, int k, const sel_tensor *got,
                    const sel_tensor *expected, sel_dtype dtype, double tolerance) {
  char a[128], b[128];
  ck_assert_msg(got != NULL, "%s: there is no %s%d", name, part, k);
  sel_tensor *want = (sel_tensor *)(uintptr_t)expected;
  if (sel_tensor_dtype(want) == SEL_F64) want = NEW(to, want, dtype, NULL);
  ck_assert_msg(strcmp(sel_describe(got, a, sizeof a), sel_describe(want, b, sizeof b)) == 0,
                "%s: %s%d is %s, expected %s", name, part, k, a, b);
  double scale = 0; /* results near 0 come from terms of the others' size */
  for (int64_t i = 0; i < sel_numel(expected); i++) {
    double value = fabs(element_of(expected, i));
    if (isfinite(value) && value > scale) scale = value;
  }
  for (int64_t i = 0; i < sel_numel(expected); i++) {
    double x = element_of(got, i), y = expected_in(dtype, element_of(expected, i));
    double allowed = tolerance * fmax(fabs(y), fmin(scale, 1));
    ck_assert_msg(x == y || (isnan(x) && isnan(y)) || fabs(x - y) <= allowed,
                  "%s in %s: %s%d, element %d: PyTorch has %.17g, got %.17g", name,
                  sel_dtype_name(dtype), part, k, (int)i, y, x);
  }
}

static sel_tensor *weights_like(const sel_tensor *out) {
  int64_t n = sel_numel(out);
  double *w = malloc((size_t)(n + 1) * sizeof *w);
  for (int64_t i = 0; i < n; i++) w[i] = (double)(i % 7 + 1) / 4;
  sel_tensor *t = tensor_of(sel_tensor_dtype(out), sel_ndim(out), sel_shape(out), (int)n, w);
  free(w);
  return t;
}

static void check_gradients(const char *name, sel_tensor *out, int n, sel_tensor *const *in,
                            sel_dtype dtype, double tolerance) {
  sel_tensor *w = weights_like(out);
  if (sel_requires_grad(out)) /* counts have no gradient here, zeros in PyTorch */
    ASSERT_OK(sel_backward(1, &out, &w, false, false));
  for (int i = 0; i < n; i++) {
    sel_tensor *expected = find(name, "grad", i), *got = sel_grad_of(in[i]);
    if (!expected) continue;
    if (!got) got = NEW(zeros, sel_ndim(in[i]), sel_shape(in[i]), dtype, NULL);
    compare(name, "grad", i, got, expected, dtype, tolerance);
  }
}

static void run_case(const golden_function *f, const char *name, sel_dtype dtype) {
  double args[16], tolerance = dtype == SEL_F64 ? 1e-13 : 2e-6;
  sel_tensor *in[INPUTS + 1] = {NULL}, *out[OUTPUTS] = {NULL}, *numbers = find(name, "args", -1);
  golden_call call = {.args = args, .in = in, .n_args = (int)sel_numel(numbers)};
  ck_assert_int_le(call.n_args, 16);
  ASSERT_OK(sel_read(numbers, args, (size_t)call.n_args * sizeof *args));
  bool differentiable = find(name, "grad", 0) != NULL;
  for (sel_tensor *t; (t = find(name, "in", call.n_in)); call.n_in++) {
    ck_assert_int_lt(call.n_in, INPUTS);
    bool number = sel_tensor_dtype(t) == SEL_F64;
    sel_tensor *x = NEW(to, t, number ? dtype : sel_tensor_dtype(t), sel_default_device());
    in[call.n_in] = number ? NEW(clone, x) : x;
    if (number && differentiable) leaf(in[call.n_in]);
  }
  sel_status status = f->run(&call, out);
  ck_assert_msg(status == SEL_OK, "%s: %s", name, sel_error());
  for (int k = 0; k < OUTPUTS; k++) {
    sel_tensor *expected = find(name, "out", k);
    if (out[k]) keep(out[k]);
    ck_assert_msg(!expected == !out[k], "%s: out%d", name, k);
    if (expected) compare(name, "out", k, out[k], expected, dtype, tolerance);
  }
  if (differentiable) check_gradients(name, out[0], call.n_in, in, dtype, tolerance);
  release_kept(0);
}

/* How many cases there are of the function: name.0, name.1, ... */
static int cases_of(const char *name) {
  char key[96];
  for (int i = 0;; i++) {
    snprintf(key, sizeof key, "%s.%d", name, i);
    if (!find(key, "args", -1)) return i;
  }
}

static void open_archive(void) {
  ASSERT_OK(sel_safetensors_read(SEL_TEST_DIR "/golden/ops.safetensors", &archive));
}
static void close_archive(void) {
  sel_archive_release(archive);
  end_of_test();
}

START_TEST(values_and_gradients) {
  const golden_function *f = &functions[_i];
  int n = cases_of(f->name);
  ck_assert_msg(n > 0, "golden/ops.safetensors has no case of %s", f->name);
  for (int i = 0; i < n; i++) {
    char name[96];
    snprintf(name, sizeof name, "%s.%d", f->name, i);
    run_case(f, name, SEL_F64);
    run_case(f, name, SEL_F32);
  }
}
END_TEST

START_TEST(every_case_is_used) {
  int known = 0, found = 0;
  for (int i = 0; i < FUNCTIONS; i++) known += cases_of(functions[i].name);
  for (int i = 0; i < sel_archive_count(archive); i++) {
    const char *name = sel_archive_name(archive, i), *dot = strchr(name, '.');
    ck_assert_ptr_nonnull(dot);
    bool in_table = false;
    for (int k = 0; k < FUNCTIONS && !in_table; k++)
      in_table = strlen(functions[k].name) == (size_t)(dot - name) &&
                 strncmp(functions[k].name, name, (size_t)(dot - name)) == 0;
    ck_assert_msg(in_table, "%s: the test does not know how to call it", name);
    found += strstr(name, "/args") != NULL;
  }
  ck_assert_int_eq(found, known);
  ck_assert_str_eq(sel_archive_metadata_key(archive, 0), "torch");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("golden");
  TCase *tcase = tcase_create("golden");
  tcase_add_unchecked_fixture(tcase, expect_plugins, NULL);
  tcase_add_checked_fixture(tcase, open_archive, close_archive);
  tcase_add_test(tcase, every_case_is_used);
  tcase_add_loop_test(tcase, values_and_gradients, 0, FUNCTIONS);
  suite_add_tcase(suite, tcase);
  return run_suite(suite);
}
