/* The caching allocator: what it accounts for, what it keeps, what it does when the device is full.
 */
#include <pthread.h>

#include "fake_backend.h"

static bool caches; /* AddressSanitizer builds give every block back at once */

static sel_memory_info now(void) { return memory_of(sel_default_device()); }

static sel_tensor *bytes(size_t n) {
  sel_tensor *t;
  ASSERT_OK(sel_empty(SHAPE((int64_t)n), SEL_U8, NULL, &t));
  return t;
}

static void begin(void) {
  fake_device();
  sel_release(bytes(1));
  caches = now().cached > 0;
  sel_memory_release_cache(sel_default_device());
  sel_memory_reset_peak(sel_default_device());
}

START_TEST(accounting) {
  begin();
  ck_assert_double_eq(now().live, 0);
  ck_assert_double_eq(now().cached, 0);
  ck_assert_double_eq(now().peak, 0);
  double allocations = now().allocations;
  sel_tensor *a = bytes(1 << 20), *b = bytes(1 << 20);
  ck_assert_double_eq(now().live, 2 << 20);
  ck_assert_double_eq(now().peak, 2 << 20);
  ck_assert_double_eq(now().allocations, allocations + 2);
  sel_release(a);
  ck_assert_double_eq(now().live, 1 << 20);
  ck_assert_double_eq(now().peak, 2 << 20);
  ck_assert_double_eq(now().cached, caches ? 1 << 20 : 0);
  a = bytes(1 << 20); /* from the cache */
  ck_assert_double_eq(now().cached, 0);
  ck_assert_double_eq(now().allocations, allocations + (caches ? 2 : 3));
  sel_release(a);
  sel_release(b);
  sel_memory_reset_peak(sel_default_device());
  ck_assert_double_eq(now().peak, 0);
  sel_memory_release_cache(sel_default_device());
  ck_assert_double_eq(now().cached, 0);
  sel_memory_info nothing;
  sel_memory(NULL, &nothing);
  ck_assert_double_eq(nothing.live + nothing.cached + nothing.peak + nothing.allocations, 0);
}
END_TEST

/* What kernels work in comes from the same cache, under the same counters. */
START_TEST(scratch) {
  begin();
  sel_device *cpu = sel_default_device();
  const double allocated = sel_allocated_bytes();
  sel_buffer a, b, c;
  ASSERT_OK(sel_scratch_take(cpu, 1 << 20, &a));
  ASSERT_OK(sel_scratch_take(cpu, 1 << 20, &b));
  ck_assert_ptr_ne(a, b);
  ck_assert_double_eq(now().live, 2 << 20);
  ck_assert_double_eq(now().peak, 2 << 20);
  sel_scratch_give(cpu, a);
  ck_assert_double_eq(now().live, 1 << 20);
  ck_assert_double_eq(now().cached, caches ? 1 << 20 : 0);
  ASSERT_OK(sel_scratch_take(cpu, 1 << 20, &c));
  if (caches) ck_assert_ptr_eq(a, c);
  sel_scratch_give(cpu, c);
  sel_scratch_give(cpu, b);
  ck_assert_double_eq(now().live, 0);
  ck_assert_double_eq(sel_allocated_bytes(), allocated); /* nothing a collection could free */

  sel_device *device = fake_device();
  c = NULL;
  fake_fail(0, 2);
  ASSERT_FAILS(SEL_E_MEMORY, sel_scratch_take(device, 1 << 20, &c), "fake: no");
  ck_assert_ptr_null(c);
  ck_assert_double_eq(memory_of(device).live, 0);
}
END_TEST

/* At most an eighth more than asked for, above the smallest blocks. */
START_TEST(waste) {
  begin();
  for (size_t n = 0; n < 1 << 24; n += n / 7 + 1) {
    sel_tensor *t = bytes(n);
    double live = now().live;
    ck_assert_double_ge(live, (double)n);
    ck_assert_msg(live <= fmax(64, n <= 1024 ? (double)n + 63 : (double)n * 1.125), "%zu: %g", n,
                  live);
    sel_release(t);
    ck_assert_double_eq(now().live, 0);
  }
}
END_TEST

static void training_step(sel_tensor *w, sel_tensor *x) {
  int mark = n_kept;
  sel_tensor *y = NEW(tanh, NEW(linear, x, w, NULL)),
             *loss = NEW(mean, NEW(square, y), 0, NULL, false);
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
  sel_set_grad_enabled(false);
  ASSERT_OK(sel_mul_scalar_(sel_grad_of(w), 0.01));
  ASSERT_OK(sel_sub_(w, sel_grad_of(w)));
  sel_set_grad_enabled(true);
  ASSERT_OK(sel_set_grad(w, NULL));
  release_kept(mark);
}

START_TEST(steady_loop) {
  begin();
  sel_tensor *w = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(50, 30)));
  sel_tensor *x = some_tensor(SEL_F32, -1, 1, 2, SHAPE(64, 30));
  for (int i = 0; i < 3; i++) training_step(w, x);
  sel_memory_info before = now();
  for (int i = 0; i < 100; i++) training_step(w, x);
  sel_memory_info after = now();
  if (caches) ck_assert_double_eq(after.allocations, before.allocations);
  ck_assert_double_eq(after.live, before.live);
  ck_assert_double_eq(after.cached, before.cached);
  ck_assert_double_eq(after.peak, before.peak);
}
END_TEST

/* The cache never holds much more than the program once needed at the same time. */
START_TEST(bound) {
  begin();
  const double slack = 64 << 20;
  for (int i = 1; i < 60; i++) { /* one block at a time, each of another size */
    sel_release(bytes((size_t)i << 20));
    sel_memory_info m = now();
    ck_assert_msg(m.live + m.cached <= 1.25 * m.peak + slack, "%g live, %g cached, peak %g", m.live,
                  m.cached, m.peak);
  }
  sel_tensor *many[100];
  for (int i = 0; i < 100; i++) many[i] = bytes(2 << 20);
  for (int i = 0; i < 100; i++) sel_release(many[i]);
  sel_memory_info m = now();
  ck_assert_double_eq(m.peak, 200 << 20);
  ck_assert_double_le(m.cached, 1.25 * m.peak + slack);
  if (caches) ck_assert_double_ge(m.cached, 200 << 20); /* and what was needed is kept */
}
END_TEST

START_TEST(blocks_are_not_shared) { /* a block in use is never handed out again */
  begin();
  enum { N = 300 };
  sel_tensor *t[N];
  for (int round = 0; round < 20; round++) {
    for (int i = 0; i < N; i++) {
      int64_t n = 1 + (int64_t)some_number((uint64_t)(round * N + i), 0, 3000);
      ASSERT_OK(sel_full(SHAPE(n), i, SEL_I32, NULL, &t[i]));
    }
    for (int i = 0; i < N; i += 2) sel_release(t[i]);
    for (int i = 0; i < N; i += 2) ASSERT_OK(sel_full(SHAPE(200), i, SEL_I32, NULL, &t[i]));
    for (int i = 0; i < N; i++) {
      ck_assert_double_eq(element_of(t[i], 0), i);
      ck_assert_double_eq(element_of(t[i], sel_numel(t[i]) - 1), i);
      sel_release(t[i]);
    }
  }
}
END_TEST

START_TEST(alignment) {
  begin();
  for (size_t n = 1; n < 5000; n = n * 2 + 1) {
    sel_tensor *t = keep(bytes(n));
    ck_assert_uint_eq((uintptr_t)sel_data(t) % 64, 0);
  }
}
END_TEST

/* ---- threads ---- */

static void *churn(void *seed) { /* returns seed, or NULL after a failure */
  sel_tensor *held[16] = {NULL};
  for (int i = 0; i < 20000; i++) {
    int k = i % 16;
    sel_release(held[k]);
    held[k] = NULL;
    int64_t n = 1 + (int64_t)some_number((uint64_t)(uintptr_t)seed + (uint64_t)i, 0, 5000);
    if (sel_empty(1, &n, SEL_U8, NULL, &held[k]) != SEL_OK) return NULL;
    ((unsigned char *)sel_data(held[k]))[n - 1] = 1;
  }
  for (int k = 0; k < 16; k++) sel_release(held[k]);
  return seed;
}

START_TEST(threads) {
  begin();
  pthread_t thread[3];
  for (uintptr_t i = 0; i < 3; i++)
    ck_assert_int_eq(pthread_create(&thread[i], NULL, churn, (void *)((i + 1) * 1000000)), 0);
  for (int i = 0; i < 3; i++) {
    void *result;
    pthread_join(thread[i], &result);
    ck_assert_ptr_nonnull(result);
  }
  sel_memory_info m = now();
  ck_assert_double_eq(m.live, 0);
  ck_assert_double_le(m.cached, m.peak * 1.25 + (64 << 20));
}
END_TEST

static void *release_there(void *t) {
  sel_release(t);
  return NULL;
}

START_TEST(released_in_another_thread) {
  begin();
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, release_there, bytes(1000)), 0);
  pthread_join(thread, NULL);
  ck_assert_double_eq(now().live, 0);
}
END_TEST

/* ---- a device that is full ---- */

START_TEST(full_device) {
  begin();
  sel_device *device = fake_device();
  sel_tensor *t = NULL, *x;
  ASSERT_OK(sel_zeros(SHAPE(1000), SEL_F32, device, &x));
  double live = memory_of(device).live;
  fake_fail(0, 10);
  ASSERT_FAILS(SEL_E_MEMORY, sel_zeros(SHAPE(5000, 7), SEL_F32, device, &t), "fake: no",
               "bytes left", "f32[5000, 7]");
  ck_assert_ptr_null(t);
  ck_assert_double_eq(memory_of(device).live, live);
  fake_fail(0, 0);
  ASSERT_OK(sel_zeros(SHAPE(5000, 7), SEL_F32, device, &t));
  sel_release(t);
  /* what is cached is given back before a request is given up */
  if (caches) {
    ck_assert_double_gt(memory_of(device).cached, 0);
    fake_fail(0, 1);
    long releases = fake.releases;
    ASSERT_OK(sel_zeros(SHAPE(123456), SEL_F32, device, &t));
    ck_assert_int_gt(fake.releases, releases);
    ck_assert_double_eq(memory_of(device).cached, 0);
    sel_release(t);
  }
  sel_release(x);
  sel_memory_release_cache(device);
  ck_assert_uint_eq(fake.bytes, 0);
}
END_TEST

/* A kernel that needs memory of its own gets what is cached, or its failure counts. */
static int starving; /* calls of the kernel that fail */
static sel_status hungry_pointwise(sel_backend_device device, const sel_pointwise_args *args) {
  if (starving-- > 0) return sel_fail(SEL_E_MEMORY, "hungry: no memory to work in");
  return fake_cpu()->pointwise(device, args);
}

START_TEST(full_device_in_a_kernel) {
  static sel_backend hungry;
  sel_device *device;
  hungry = *fake_cpu();
  hungry.name = "hungry";
  hungry.host_memory = false;
  hungry.pointwise = hungry_pointwise;
  ASSERT_OK(sel_register_backend(&hungry));
  ASSERT_OK(sel_device_find("hungry", &device));
  sel_tensor *x, *y = NULL;
  ASSERT_OK(sel_ones(SHAPE(3000), SEL_F32, device, &x));
  sel_release(x);
  ASSERT_OK(sel_ones(SHAPE(1000), SEL_F32, device, &x));
  if (caches) ck_assert_double_gt(memory_of(device).cached, 0);
  starving = 1;
  ASSERT_OK(sel_neg(keep(x), &y));
  ck_assert_double_eq(memory_of(device).cached, 0);
  ck_assert_double_eq(element_of(keep(y), 999), -1);
  starving = 2;
  y = NULL;
  ASSERT_FAILS(SEL_E_MEMORY, sel_exp(x, &y), "hungry: no memory");
  ck_assert_ptr_null(y);
  ck_assert_double_eq(element_of(NEW(neg, x), 0), -1);
}
END_TEST

/* A step of training in which each allocation of the device fails in turn. */
static sel_status step_on_device(void *context) {
  sel_tensor *const *leaves = context; /* w, x */
  sel_tensor *h = NULL, *y = NULL, *loss = NULL, *g = NULL, *gg = NULL, *total = NULL,
             *w = leaves[0];
  sel_status status = sel_linear(leaves[1], w, NULL, &h);
  if (status == SEL_OK) status = sel_softmax(h, 1, &y);
  if (status == SEL_OK) status = sel_norm(y, 2, 0, NULL, false, &loss);
  if (status == SEL_OK) status = sel_grad(1, &loss, NULL, 1, &w, true, true, false, &g);
  if (status == SEL_OK) status = sel_sum(g, 0, NULL, false, &total);
  if (status == SEL_OK) status = sel_grad(1, &total, NULL, 1, &w, true, false, false, &gg);
  if (status == SEL_OK) status = sel_backward(1, &loss, NULL, false, false);
  sel_tensor *made[] = {h, y, loss, g, gg, total};
  for (int i = 0; i < 6; i++) sel_release(made[i]);
  sel_status cleared = sel_set_grad(w, NULL);
  return status == SEL_OK ? cleared : status;
}

START_TEST(each_allocation_of_a_device) {
  begin();
  sel_device *device = fake_device();
  sel_tensor *w = some_tensor(SEL_F32, -1, 1, 1, SHAPE(4, 3)),
             *x = some_tensor(SEL_F32, -1, 1, 2, SHAPE(5, 3));
  sel_tensor *leaves[] = {leaf(NEW(to, w, SEL_F32, device)), NEW(to, x, SEL_F32, device)};
  double live = memory_of(device).live;
  long n = 0;
  for (;; n++) {
    sel_memory_release_cache(device);
    fake_fail(n, 1000000);
    sel_status status = step_on_device(leaves);
    bool failed = fake.allocations > fake.fail_from;
    fake_fail(0, 0);
    ck_assert_double_eq(memory_of(device).live, live);
    ck_assert_int_eq(status, failed ? SEL_E_MEMORY : SEL_OK);
    if (!failed) break;
    ck_assert_ptr_nonnull(strstr(sel_error(), "fake: no"));
    ASSERT_OK(step_on_device(leaves));
  }
  ck_assert_int_gt(n, 10);
  drop(leaves[0]);
  drop(leaves[1]);
  sel_memory_release_cache(device);
  ck_assert_uint_eq(fake.bytes, 0);
}
END_TEST

/* Between devices and back, into a tensor of another device, through casts. */
static sel_status travel(void *context) {
  sel_tensor *x = context, *there = NULL, *half = NULL, *back = NULL, *cast = NULL;
  sel_device *device = fake_device();
  sel_status status = sel_to(x, SEL_F32, device, &there);
  if (status == SEL_OK) status = sel_to(there, SEL_F16, NULL, &half);
  if (status == SEL_OK) status = sel_to(half, SEL_F64, sel_default_device(), &back);
  if (status == SEL_OK) status = sel_transpose(there, 0, 1, &cast);
  if (status == SEL_OK) status = sel_copy_(cast, back);
  sel_tensor *made[] = {there, half, back, cast};
  for (int i = 0; i < 4; i++) sel_release(made[i]);
  return status;
}

START_TEST(moves_on_a_full_device) {
  begin();
  sel_device *device = fake_device();
  sel_tensor *x = some_tensor(SEL_F32, -1, 1, 1, SHAPE(3, 3));
  long n = 0;
  for (bool failed = true; failed; n++) {
    sel_memory_release_cache(device);
    fake_fail(n, 1000000);
    sel_status status = travel(x);
    failed = fake.allocations > fake.fail_from;
    fake_fail(0, 0);
    ck_assert_double_eq(memory_of(device).live, 0);
    ck_assert_int_eq(status, failed ? SEL_E_MEMORY : SEL_OK);
  }
  ck_assert_int_gt(n, 2);
}
END_TEST

TENSOR_SUITE("memory", accounting, scratch, waste, steady_loop, bound, blocks_are_not_shared,
             alignment, threads, released_in_another_thread, full_device, full_device_in_a_kernel,
             each_allocation_of_a_device, moves_on_a_full_device)
