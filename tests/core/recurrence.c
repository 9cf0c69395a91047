/* Recurrence: what a sequence allocates, the same numbers for every thread count, refusals, failing
 * memory. Numbers against PyTorch are in tests/plugins, gradients in gradients.c. */
#include "tensors.h"

/* ---- a run ---- */

typedef struct attempt {
  sel_cell cell;
  bool reverse;
  sel_tensor *in[5], *lengths, *w; /* inputs, weight, bias, h0, c0; w: the gradient of the output */
} attempt;

static attempt prepare(sel_cell cell, sel_dtype dtype, int64_t steps, int64_t n, int64_t size) {
  const int64_t gates = size * sel_cell_gates(cell);
  attempt a = {.cell = cell};
  a.in[0] = leaf(some_tensor(dtype, -1, 1, 1, SHAPE(steps, n, gates)));
  a.in[1] = leaf(some_tensor(dtype, -1, 1, 2, SHAPE(gates, size)));
  a.in[2] = leaf(some_tensor(dtype, -1, 1, 3, SHAPE(gates)));
  a.in[3] = leaf(some_tensor(dtype, -1, 1, 4, SHAPE(n, size)));
  if (cell == SEL_CELL_LSTM) a.in[4] = leaf(some_tensor(dtype, -1, 1, 5, SHAPE(n, size)));
  a.w = some_tensor(dtype, -1, 1, 6, SHAPE(steps, n, size));
  return a;
}

static sel_status forth(const attempt *a, sel_tensor **y, sel_tensor **h, sel_tensor **c) {
  return sel_recurrence(a->cell, a->in[0], a->in[1], a->in[2], a->in[3], a->in[4], a->lengths,
                        a->reverse, y, h, c);
}

static sel_status forth_and_back(void *context) {
  attempt *a = context;
  sel_tensor *y = NULL, *h = NULL, *c = NULL, *grads[5] = {NULL};
  const int n = a->cell == SEL_CELL_LSTM ? 5 : 4;
  sel_status status = forth(a, &y, &h, &c);
  if (status == SEL_OK) status = sel_grad(1, &y, &a->w, n, a->in, false, false, false, grads);
  for (int i = 0; i < n; i++) sel_release(grads[i]);
  sel_release(y);
  sel_release(h);
  sel_release(c);
  return status;
}

/* ---- the tests ---- */

static long allocations(attempt *a) {
  expect_allocations counts = {.fail_at = -1};
  ASSERT_OK(forth_and_back(a)); /* what is made once is made here */
  sel_set_allocator(expect_allocate, &counts);
  sel_status status = forth_and_back(a);
  sel_set_allocator(NULL, NULL);
  ASSERT_OK(status);
  ck_assert_int_eq(counts.live, 0);
  return counts.made;
}

START_TEST(steps_allocate_nothing) {
  for (int cell = SEL_CELL_TANH; cell <= SEL_CELL_GRU; cell++) {
    attempt brief = prepare((sel_cell)cell, SEL_F32, 2, 3, 4);
    attempt lengthy = prepare((sel_cell)cell, SEL_F32, 50, 3, 4);
    ck_assert_int_eq(allocations(&lengthy), allocations(&brief));
  }
}
END_TEST

START_TEST(nothing_saved_without_gradients) {
  attempt a = prepare(SEL_CELL_LSTM, SEL_F32, 64, 8, 32);
  sel_tensor *y, *h, *c;
  sel_memory_info before, after;
  sel_set_grad_enabled(false);
  sel_memory(sel_default_device(), &before);
  sel_memory_reset_peak(sel_default_device());
  ASSERT_OK(forth(&a, &y, &h, &c));
  sel_memory(sel_default_device(), &after);
  sel_set_grad_enabled(true);
  keep(y), keep(h), keep(c);
  const double states = 64 * 8 * 32 * sizeof(float);
  ck_assert_double_lt(after.peak - before.live, 1.5 * states);
}
END_TEST

START_TEST(any_thread_count) {
  const int threads = sel_num_threads();
  attempt a = prepare(SEL_CELL_GRU, SEL_F32, 5, 40, 96);
  sel_tensor *one[4], *many[4], *h, *y;
  for (int t = 1; t <= 3; t += 2) {
    sel_tensor **grads = t == 1 ? one : many;
    ASSERT_OK(sel_set_num_threads(t));
    ASSERT_OK(forth(&a, &y, &h, NULL));
    keep(y), keep(h);
    ASSERT_OK(sel_grad(1, &y, &a.w, 4, a.in, false, false, false, grads));
    for (int i = 0; i < 4; i++) keep(grads[i]);
  }
  ASSERT_OK(sel_set_num_threads(threads));
  for (int i = 0; i < 4; i++) ASSERT_SAME(one[i], many[i]);
}
END_TEST

START_TEST(refused) {
  attempt a = prepare(SEL_CELL_GRU, SEL_F32, 2, 3, 4), b;
  sel_tensor *y = NULL, *h = NULL, *c = NULL;
  sel_tensor *wide = NEW(ones, SHAPE(3, 5), SEL_F32, NULL);
#define ASSERT_REFUSED(status, change, ...) \
  b = a;                                    \
  change;                                   \
  ASSERT_FAILS(status, forth(&b, &y, &h, &c), "recurrence", __VA_ARGS__)
  ASSERT_REFUSED(SEL_E_ARGUMENT, b.in[0] = NULL, "inputs");
  ASSERT_REFUSED(SEL_E_SHAPE, b.in[0] = wide, "[steps, n, 3 * size]", "f32[3, 5]");
  ASSERT_REFUSED(SEL_E_SHAPE, b.in[0] = NEW(ones, SHAPE(0, 3, 12), SEL_F32, NULL), "one step");
  ASSERT_REFUSED(SEL_E_SHAPE, b.in[1] = wide, "weight [12, 4]", "f32[3, 5]");
  ASSERT_REFUSED(SEL_E_SHAPE, b.in[2] = wide, "bias [12]");
  ASSERT_REFUSED(SEL_E_SHAPE, b.in[3] = wide, "h0 [3, 4]");
  ASSERT_REFUSED(SEL_E_ARGUMENT, b.in[4] = wide, "only LSTM");
  ASSERT_REFUSED(SEL_E_DTYPE, b.in[3] = NEW(ones, SHAPE(3, 4), SEL_F64, NULL), "dtypes");
  ASSERT_REFUSED(SEL_E_DTYPE, b.lengths = NEW(ones, SHAPE(3), SEL_F32, NULL), "i64 lengths");
  ASSERT_REFUSED(SEL_E_SHAPE, b.lengths = TENSOR(SEL_I64, SHAPE(2), 1, 1), "lengths [3]");
  ASSERT_REFUSED(SEL_E_ARGUMENT, b.lengths = TENSOR(SEL_I64, SHAPE(3), 1, 3, 1),
                 "row 1 has length 3", "2 steps");
  ASSERT_REFUSED(SEL_E_ARGUMENT, b.lengths = TENSOR(SEL_I64, SHAPE(3), 1, 1, -1), "length -1");
  ck_assert(!y && !h && !c);
}
END_TEST

START_TEST(without_kernel) {
  static sel_backend table;
  sel_device *device;
  sel_tensor *y = NULL;
  table = *sel_backend_at(0);
  table.name = "cellless";
  table.cell = NULL;
  ASSERT_OK(sel_register_backend(&table));
  ASSERT_OK(sel_device_find("cellless", &device));
  sel_tensor *x = NEW(to, some_tensor(SEL_F32, -1, 1, 1, SHAPE(2, 1, 3)), SEL_F32, device);
  sel_tensor *w = NEW(to, some_tensor(SEL_F32, -1, 1, 2, SHAPE(3, 3)), SEL_F32, device);
  ASSERT_FAILS(SEL_E_UNSUPPORTED,
               sel_recurrence(SEL_CELL_TANH, x, w, NULL, NULL, NULL, NULL, false, &y, NULL, NULL),
               "recurrence", "'cellless'", "cell");
}
END_TEST

START_TEST(without_memory) {
  for (int cell = SEL_CELL_TANH; cell <= SEL_CELL_GRU; cell++) {
    attempt a = prepare((sel_cell)cell, SEL_F16, 3, 2, 4);
    a.reverse = cell == SEL_CELL_GRU;
    if (cell >= SEL_CELL_LSTM) a.lengths = TENSOR(SEL_I64, SHAPE(2), 3, 1);
    expect_memory_errors(forth_and_back, &a);
  }
}
END_TEST

TENSOR_SUITE("recurrence", steps_allocate_nothing, nothing_saved_without_gradients,
             any_thread_count, refused, without_kernel, without_memory)
