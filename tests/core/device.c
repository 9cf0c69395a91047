/* Devices and backends: names, registration, work that mixes devices, kernels that are missing. */
#include <pthread.h>

#include "fake_backend.h"

static int backends_loaded(void) {
  int n = 0;
  while (sel_backend_at(n)) n++;
  return n;
}

/* ---- names ---- */

START_TEST(names) {
  const int backends = backends_loaded();
  sel_device *cpu = NULL, *same = NULL, *untouched = NULL;
  ASSERT_OK(sel_device_find("cpu", &cpu));
  ASSERT_OK(sel_device_find("cpu:0", &same));
  ck_assert_ptr_eq(cpu, same);
  ck_assert_str_eq(sel_device_name(cpu), "cpu");
  ck_assert_str_eq(sel_device_name(NULL), "none");
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("gpu", &untouched), "'gpu'", "loaded: cpu");
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("cp", &untouched), "'cp'");
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("cpu:1", &untouched), "cpu:1", "only 1 device");
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("cpu:", &untouched), "number after ':'");
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("cpu:x", &untouched), "number after ':'");
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("cpu:1x", &untouched), "number after ':'");
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("cpu:-1", &untouched), "number after ':'");
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("cpu:99999999999999999999", &untouched), "':'");
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("", &untouched), "name");
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find(NULL, &untouched), "name");
  ck_assert_ptr_null(untouched);

  sel_device *first = fake_device(), *second = NULL;
  ASSERT_OK(sel_device_find("fake:1", &second));
  ck_assert_ptr_ne(first, second);
  ck_assert_str_eq(sel_device_name(second), "fake:1");
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("fake:2", &untouched), "fake:2", "only 2 devices");
  int last = 0; /* other backends that are built have devices between */
  while (sel_device_at(last + 1)) last++;
  ck_assert_ptr_eq(sel_device_at(0), cpu);
  ck_assert_ptr_eq(sel_device_at(last - 1), first);
  ck_assert_ptr_eq(sel_device_at(last), second);
  ck_assert_int_eq(backends_loaded(), backends + 1);
  ck_assert_ptr_null(sel_backend_at(-1));
}
END_TEST

static void *default_of_thread(void *unused) {
  (void)unused;
  return sel_default_device();
}

START_TEST(default_device) {
  sel_device *fake_one = fake_device(), *cpu = sel_default_device();
  ck_assert_str_eq(sel_device_name(cpu), "cpu");
  ASSERT_OK(sel_set_default_device(fake_one));
  ck_assert_ptr_eq(sel_tensor_device(NEW(zeros, SHAPE(2), SEL_F32, NULL)), fake_one);
  ck_assert_ptr_eq(sel_tensor_device(NEW(arange, 0, 2, 1, SEL_F32, NULL)), fake_one);
  ck_assert_ptr_eq(sel_tensor_device(NEW(randperm, 3, NULL)), fake_one);
  ck_assert_ptr_eq(sel_tensor_device(NEW(zeros, SHAPE(2), SEL_F32, cpu)), cpu);
  pthread_t thread;
  void *other;
  ck_assert_int_eq(pthread_create(&thread, NULL, default_of_thread, NULL), 0);
  pthread_join(thread, &other);
  ck_assert_ptr_eq(other, cpu);
  ASSERT_FAILS(SEL_E_DEVICE, sel_set_default_device(NULL), "NULL");
  ASSERT_OK(sel_synchronize(fake_one));
  ASSERT_OK(sel_synchronize(NULL));
  ASSERT_OK(sel_set_default_device(cpu));
}
END_TEST

/* ---- registration ---- */

static sel_backend like_cpu(const char *name) {
  sel_backend table = *fake_cpu();
  table.name = name;
  return table;
}

START_TEST(refused_tables) {
  const int backends = backends_loaded();
  sel_backend table = like_cpu("refused");
  ASSERT_FAILS(SEL_E_PLUGIN, sel_register_backend(NULL), "missing");
  table.size = 4;
  ASSERT_FAILS(SEL_E_PLUGIN, sel_register_backend(&table), "shorter");
  table.size = sizeof table + 8;
  ASSERT_FAILS(SEL_E_PLUGIN, sel_register_backend(&table), "'refused'", "newer");
  table.size = offsetof(sel_backend, synchronize);
  ASSERT_FAILS(SEL_E_PLUGIN, sel_register_backend(&table), "'refused'", "lacks");
  table = like_cpu("cpu");
  ASSERT_FAILS(SEL_E_PLUGIN, sel_register_backend(&table), "'cpu' already");
  table = like_cpu("");
  ASSERT_FAILS(SEL_E_PLUGIN, sel_register_backend(&table), "name");
  table = like_cpu(NULL);
  ASSERT_FAILS(SEL_E_PLUGIN, sel_register_backend(&table), "name");
  table = like_cpu("a:b");
  ASSERT_FAILS(SEL_E_PLUGIN, sel_register_backend(&table), "':'");
  table = like_cpu("refused");
  table.allocate = NULL;
  ASSERT_FAILS(SEL_E_PLUGIN, sel_register_backend(&table), "'refused'", "lacks");
  ck_assert_int_eq(backends_loaded(), backends);
}
END_TEST

static int no_devices(const char **reason) {
  *reason = "the driver is not installed";
  return 0;
}
static sel_status failing_open(int index, sel_backend_device *out) {
  (void)index, (void)out;
  return sel_fail(SEL_E_DEVICE, "the device is in use");
}

START_TEST(devices_that_are_not_there) {
  static sel_backend absent, busy;
  sel_device *device = NULL;
  absent = like_cpu("absent");
  absent.device_count = no_devices;
  busy = like_cpu("busy");
  busy.device_open = failing_open;
  ASSERT_OK(sel_register_backend(&absent));
  ASSERT_OK(sel_register_backend(&busy));
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("absent", &device), "the driver is not installed");
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("busy", &device), "the device is in use");
  ck_assert_ptr_null(device);
  ASSERT_FAILS(SEL_E_DEVICE, sel_device_find("nowhere", &device), "absent, busy");
}
END_TEST

/* A table from before there were kernels, and one whose kernels are left out one by one. */
START_TEST(missing_kernels) {
  static sel_backend bare;
  sel_device *device;
  sel_tensor *t = NULL;
  bare = like_cpu("bare");
  bare.size = offsetof(sel_backend, pointwise); /* all but copy */
  ASSERT_OK(sel_register_backend(&bare));
  ASSERT_OK(sel_device_find("bare", &device));
  sel_tensor *x = NEW(to, sequence(SEL_F32, 0, 1, SHAPE(2, 3)), SEL_F32, device);
  sel_tensor *ids = NEW(to, TENSOR(SEL_I64, SHAPE(1), 1), SEL_I64, device);
#define ASSERT_MISSING(call, ...) \
  ASSERT_FAILS(SEL_E_UNSUPPORTED, call, "backend 'bare' has no", __VA_ARGS__)
  ASSERT_MISSING(sel_exp(x, &t), "exp", "pointwise");
  ASSERT_MISSING(sel_exp_(x), "exp", "pointwise");
  ASSERT_MISSING(sel_sum(x, 0, NULL, false, &t), "sum", "reduce");
  ASSERT_MISSING(sel_cumsum(x, 0, &t), "cumsum", "scan");
  ASSERT_MISSING(sel_matmul(x, NEW(transpose, x, 0, 1), &t), "matmul", "gemm");
  ASSERT_MISSING(sel_index_select(x, 0, ids, &t), "index_select", "index");
  ASSERT_MISSING(sel_sort(x, 0, false, &t, &t), "sort");
  ASSERT_MISSING(sel_uniform_(x, 0, 1), "random");
  ck_assert_ptr_null(t);
  ASSERT_TENSOR(x, "f32[2, 3]", 0, 1, 2, 3, 4, 5); /* what needs no kernel works */
  ASSERT_TENSOR(NEW(clone, NEW(transpose, x, 0, 1)), "f32[3, 2]", 0, 3, 1, 4, 2, 5);
}
END_TEST

static sel_status broken_kernel(sel_backend_device device, const sel_pointwise_args *args) {
  (void)device, (void)args;
  return sel_fail(SEL_E_INTERNAL, "the kernel broke");
}

START_TEST(failing_kernels) {
  static sel_backend broken;
  sel_device *device;
  sel_tensor *t = NULL;
  broken = like_cpu("broken");
  broken.pointwise = broken_kernel;
  ASSERT_OK(sel_register_backend(&broken));
  ASSERT_OK(sel_device_find("broken", &device));
  sel_tensor *x = leaf(NEW(zeros, SHAPE(3), SEL_F32, device)), *y = NEW(clone, x);
  ASSERT_FAILS(SEL_E_INTERNAL, sel_exp(x, &t), "the kernel broke");
  ASSERT_FAILS(SEL_E_INTERNAL, sel_std(x, 0, NULL, 1, false, &t), "the kernel broke");
  ck_assert_ptr_null(t);
  ASSERT_FAILS(SEL_E_INTERNAL, sel_exp_(y), "the kernel broke");
  ck_assert_str_eq(sel_grad_fn(y), "to"); /* not recorded */
  sel_tensor *loss = NEW(sum, NEW(norm, y, 1, 0, NULL, false), 0, NULL, false);
  ASSERT_FAILS(SEL_E_INTERNAL, sel_backward(1, &loss, NULL, false, false), "the kernel broke");
  ck_assert_ptr_null(sel_grad_of(x));
}
END_TEST

/* ---- two devices ---- */

START_TEST(mixed_devices) {
  sel_device *other = fake_device(), *cpu = sel_default_device();
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3)), *y = NEW(to, x, SEL_F32, other), *t = NULL;
  sel_tensor *ids = TENSOR(SEL_I64, SHAPE(1), 1), *mask = NEW(gt_scalar, x, 2);
  ck_assert_ptr_eq(sel_tensor_device(y), other);
  ck_assert(!sel_shares_storage(x, y));
  ASSERT_SAME(x, y);
#define ASSERT_MIXED(call, ...) ASSERT_FAILS(SEL_E_DEVICE, call, "cpu", "fake", __VA_ARGS__)
  ASSERT_MIXED(sel_add(x, y, &t), "add", "different devices", "to(\"cpu\")");
  ASSERT_MIXED(sel_add(y, x, &t), "add", "to(\"fake\")");
  ASSERT_MIXED(sel_add_(x, y), "add");
  ASSERT_MIXED(sel_where(mask, y, y, &t), "where");
  ASSERT_MIXED(sel_matmul(x, NEW(transpose, y, 0, 1), &t), "matmul");
  ASSERT_MIXED(sel_linear(x, x, y, &t), "linear");
  ASSERT_MIXED(sel_cat(2, (sel_tensor *[]){x, y}, 0, &t), "cat");
  ASSERT_MIXED(sel_index_select(y, 0, ids, &t), "index_select");
  ASSERT_MIXED(sel_gather(y, 0, NEW(zeros, SHAPE(2, 3), SEL_I64, cpu), &t), "gather");
  ASSERT_MIXED(sel_masked_select(y, mask, &t), "");
  ASSERT_MIXED(sel_mse_loss(x, y, SEL_REDUCE_MEAN, &t), "");
  ASSERT_MIXED(
      sel_cross_entropy(y, TENSOR(SEL_I64, SHAPE(2), 0, 1), NULL, -100, 0, SEL_REDUCE_MEAN, &t),
      "");
  ck_assert_ptr_null(t);
  ASSERT_TENSOR(NEW(add_scalar, y, 1), "f32[2, 3]", 1, 2, 3, 4, 5, 6); /* numbers live nowhere */
  ck_assert_ptr_eq(sel_tensor_device(NEW(add_scalar, y, 1)), other);

  leaf(x);
  ASSERT_FAILS(SEL_E_SHAPE, sel_set_grad(x, y), "cpu");
  sel_tensor *root = NEW(mul_scalar, x, 2);
  ASSERT_FAILS(SEL_E_SHAPE, sel_backward(1, &root, &y, false, false), "gradient");
}
END_TEST

START_TEST(moves) {
  sel_device *other = fake_device(), *cpu = sel_default_device();
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3));
  sel_tensor *y = NEW(to, NEW(transpose, x, 0, 1), SEL_I64, other);
  ASSERT_TENSOR(y, "i64[3, 2]", 0, 3, 1, 4, 2, 5);
  ck_assert_ptr_eq(NEW(to, y, SEL_I64, other), y);
  ASSERT_OK(sel_copy_(x, NEW(transpose, y, 0, 1)));
  ASSERT_TENSOR(x, "f32[2, 3]", 0, 1, 2, 3, 4, 5);
  ASSERT_OK(sel_copy_(y, TENSOR(SEL_F32, SHAPE(2), 7, 8)));
  ASSERT_TENSOR(y, "i64[3, 2]", 7, 8, 7, 8, 7, 8);
  ASSERT_TENSOR(NEW(to, NEW(zeros, SHAPE(0), SEL_F32, cpu), SEL_F32, other), "f32[0]");

  /* gradients come home */
  leaf(x);
  sel_tensor *moved = NEW(to, x, SEL_F32, other);
  ck_assert_str_eq(sel_grad_fn(moved), "to");
  sel_tensor *loss = NEW(sum, NEW(mul, moved, moved), 0, NULL, false);
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
  ck_assert_ptr_eq(sel_tensor_device(sel_grad_of(x)), cpu);
  ASSERT_TENSOR(sel_grad_of(x), "f32[2, 3]", 0, 2, 4, 6, 8, 10);
  sel_tensor *target = NEW(zeros, SHAPE(2, 3), SEL_F64, other);
  ASSERT_OK(sel_copy_(target, x));
  ASSERT_OK(sel_set_grad(x, NULL));
  loss = NEW(sum, target, 0, NULL, false);
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
  ASSERT_TENSOR(sel_grad_of(x), "f32[2, 3]", 1, 1, 1, 1, 1, 1);
}
END_TEST

/* Memory that the host does not see: everything passes through read and write. */
START_TEST(memory_of_its_own) {
  static sel_backend remote;
  sel_device *device;
  remote = like_cpu("remote");
  remote.host_memory = false;
  ASSERT_OK(sel_register_backend(&remote));
  ASSERT_OK(sel_device_find("remote", &device));
  sel_tensor *x = NEW(to, sequence(SEL_F32, 0, 1, SHAPE(2, 3)), SEL_F32, device);
  ck_assert_ptr_null(sel_data(x));
  ASSERT_TENSOR(x, "f32[2, 3]", 0, 1, 2, 3, 4, 5);
  ASSERT_TENSOR(NEW(add, x, x), "f32[2, 3]", 0, 2, 4, 6, 8, 10);
  sel_tensor *home = NEW(to, NEW(transpose, x, 0, 1), SEL_F32, sel_default_device());
  ASSERT_TENSOR(home, "f32[3, 2]", 0, 3, 1, 4, 2, 5);
  sel_tensor *away = NEW(to, NEW(transpose, home, 0, 1), SEL_F64, device);
  ASSERT_TENSOR(away, "f64[2, 3]", 0, 1, 2, 3, 4, 5);
  sel_tensor *next = NEW(to, away, SEL_F64, fake_device()); /* from one to the other */
  ASSERT_TENSOR(next, "f64[2, 3]", 0, 1, 2, 3, 4, 5);
  ASSERT_TENSOR(NEW(to, NEW(transpose, next, 0, 1), SEL_F64, device), "f64[3, 2]", 0, 3, 1, 4, 2,
                5);
  ASSERT_OK(sel_set(away, 2, (int64_t[]){0, 0}, 9));
  ck_assert_double_eq(element_of(away, 0), 9);
}
END_TEST

START_TEST(summary) {
  const char *text = sel_device_summary(sel_default_device());
  ck_assert_uint_gt(strlen(text), 0);
  ck_assert_ptr_null(strchr(text, '\n'));
  ck_assert_str_eq(sel_device_summary(NULL), "");
}
END_TEST

static sel_device *attached;
static void attach(sel_backend_device device, sel_device *as) {
  (void)device;
  attached = as;
}
static void count(sel_backend_device device, sel_counters *out) {
  (void)device;
  *out = (sel_counters){.launches = 3, .waits = 1};
}

static const void *ability(const char *name) {
  static const sel_device_ability about = {
      .size = sizeof about, .attach = attach, .counters = count};
  return strcmp(name, "device") == 0 ? &about : NULL;
}

/* What a backend may leave out: being told who its device is, counting, knowing its memory. */
START_TEST(optional_abilities) {
  static sel_backend able;
  sel_device *device;
  sel_counters counters = {.waits = 9};
  able = like_cpu("able");
  able.ability = ability;
  ASSERT_OK(sel_register_backend(&able));
  ASSERT_OK(sel_device_find("able", &device));
  ck_assert_ptr_eq(attached, device);
  ck_assert(sel_device_counters(device, &counters));
  ck_assert_double_eq(counters.launches, 3);
  ck_assert_double_eq(sel_device_memory(device), 0);
  ck_assert(!sel_device_counters(sel_default_device(), &counters));
  ck_assert_double_eq(counters.launches + counters.waits, 0);
  ck_assert(!sel_device_counters(NULL, &counters));
}
END_TEST

TENSOR_SUITE("device", names, default_device, refused_tables, devices_that_are_not_there,
             missing_kernels, failing_kernels, mixed_devices, moves, memory_of_its_own, summary,
             optional_abilities)
