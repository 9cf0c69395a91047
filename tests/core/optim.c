/* Optimizers: trajectories against PyTorch, settings, states, and parameters that are no plain f32
 * vectors. */
#include <math.h>

#include "expect.h"
#include "golden_optim.h"

enum { GOLDEN_COUNT = sizeof golden_optimizers / sizeof *golden_optimizers };

/* ---- tensors of given numbers ---- */

static sel_tensor *new_tensor(sel_dtype dtype, int ndim, const int64_t *shape,
                              const double *values) {
  sel_tensor *wide, *t;
  size_t bytes = sizeof *values;
  for (int d = 0; d < ndim; d++) bytes *= (size_t)shape[d];
  ASSERT_OK(sel_from_data(ndim, shape, SEL_F64, NULL, values, bytes, &wide));
  ASSERT_OK(sel_to(wide, dtype, NULL, &t));
  sel_release(wide);
  return t;
}

static sel_tensor *new_vector(sel_dtype dtype, int64_t n, const double *values) {
  return new_tensor(dtype, 1, &n, values);
}

static sel_tensor *ones(int64_t n) {
  sel_tensor *t;
  ASSERT_OK(sel_ones(1, &n, SEL_F32, NULL, &t));
  ASSERT_OK(sel_set_requires_grad(t, true));
  return t;
}

static void read_values(sel_tensor *t, double *out) {
  sel_tensor *detached, *wide;
  ASSERT_OK(sel_detach(t, &detached));
  ASSERT_OK(sel_to(detached, SEL_F64, NULL, &wide));
  ASSERT_OK(sel_read(wide, out, (size_t)sel_numel(t) * sizeof *out));
  sel_release(wide);
  sel_release(detached);
}

static double first_value(sel_tensor *t) {
  double value;
  ASSERT_OK(sel_get(t, sel_ndim(t), (int64_t[]){0, 0}, &value));
  return value;
}

static void set_grad(sel_tensor *t, const double *values) {
  sel_tensor *grad = NULL;
  if (values) grad = new_tensor(sel_tensor_dtype(t), sel_ndim(t), sel_shape(t), values);
  ASSERT_OK(sel_set_grad(t, grad));
  sel_release(grad);
}

static sel_optimizer *new_optimizer(const char *kind, int n, sel_tensor *const *parameters) {
  sel_optimizer *optimizer;
  ASSERT_OK(sel_optimizer_new(kind, &optimizer));
  ASSERT_OK(sel_optimizer_add_group(optimizer, n, parameters, NULL));
  return optimizer;
}

/* ---- trajectories ---- */

typedef struct golden_run {
  sel_tensor *parameters[2];
  sel_optimizer *optimizer;
  double now[8];
} golden_run;

static golden_run start(const golden_optimizer *golden, sel_dtype dtype) {
  golden_run run;
  run.parameters[0] = new_tensor(dtype, 2, (int64_t[]){2, 3}, golden_start);
  run.parameters[1] = new_vector(dtype, 2, golden_start + 6);
  for (int i = 0; i < 2; i++) ASSERT_OK(sel_set_requires_grad(run.parameters[i], true));
  run.optimizer = new_optimizer(golden->kind, 2, run.parameters);
  for (int k = 0; golden->settings[k].name; k++)
    ASSERT_OK(
        sel_optimizer_set(run.optimizer, 0, golden->settings[k].name, golden->settings[k].value));
  return run;
}

static void take_step(golden_run *run, int step) {
  set_grad(run->parameters[0], golden_gradients[step]);
  set_grad(run->parameters[1], step == 2 || step == 3 ? NULL : golden_gradients[step] + 6);
  ASSERT_OK(sel_optimizer_step(run->optimizer));
  read_values(run->parameters[0], run->now);
  read_values(run->parameters[1], run->now + 6);
}

static void end(golden_run *run) {
  ck_assert_int_eq(sel_optimizer_steps(run->optimizer, 0), GOLDEN_STEPS);
  ck_assert_int_eq(sel_optimizer_steps(run->optimizer, 1), GOLDEN_STEPS - 2);
  sel_optimizer_release(run->optimizer);
  for (int i = 0; i < 2; i++) sel_release(run->parameters[i]);
}

static void assert_near(const golden_optimizer *golden, int step, const double *got,
                        const double *expected, double tolerance) {
  for (int k = 0; k < 8; k++)
    ck_assert_msg(fabs(got[k] - expected[k]) <= tolerance * fmax(1, fabs(expected[k])),
                  "case %d (%s), step %d, element %d: expected %.17g, got %.17g",
                  (int)(golden - golden_optimizers), golden->kind, step + 1, k, expected[k],
                  got[k]);
}

START_TEST(trajectories) {
  for (int c = 0; c < GOLDEN_COUNT; c++) {
    const golden_optimizer *golden = &golden_optimizers[c];
    golden_run f64 = start(golden, SEL_F64), f32 = start(golden, SEL_F32);
    for (int step = 0; step < GOLDEN_STEPS; step++) {
      take_step(&f64, step);
      take_step(&f32, step);
      assert_near(golden, step, f64.now, golden->f64[step], 1e-14);
    }
    assert_near(golden, GOLDEN_STEPS - 1, f32.now, golden->f32_end, 1e-6);
    end(&f64);
    end(&f32);
  }
}
END_TEST

static void copy_states(const sel_optimizer *from, sel_optimizer *to) {
  const char *name;
  for (int i = 0; i < sel_optimizer_parameter_count(from); i++) {
    ASSERT_OK(sel_optimizer_set_steps(to, i, sel_optimizer_steps(from, i)));
    for (int k = 0; (name = sel_optimizer_state_name(from, k)); k++)
      ASSERT_OK(sel_optimizer_set_state(to, i, name, sel_optimizer_state(from, i, name)));
  }
}

/* A run that goes on in a new optimizer with the saved states continues bit for bit. */
START_TEST(resumed) {
  for (int c = 0; c < GOLDEN_COUNT; c++) {
    const golden_optimizer *golden = &golden_optimizers[c];
    golden_run whole = start(golden, SEL_F32), first = start(golden, SEL_F32);
    for (int step = 0; step < GOLDEN_STEPS; step++) take_step(&whole, step);
    for (int step = 0; step < 5; step++) take_step(&first, step);
    golden_run second = start(golden, SEL_F32);
    sel_set_grad_enabled(false);
    for (int i = 0; i < 2; i++) ASSERT_OK(sel_copy_(second.parameters[i], first.parameters[i]));
    sel_set_grad_enabled(true);
    copy_states(first.optimizer, second.optimizer);
    sel_optimizer_release(first.optimizer);
    for (int i = 0; i < 2; i++) sel_release(first.parameters[i]);
    for (int step = 5; step < GOLDEN_STEPS; step++) take_step(&second, step);
    ck_assert_msg(memcmp(whole.now, second.now, sizeof whole.now) == 0, "case %d (%s) differs", c,
                  golden->kind);
    end(&whole);
    end(&second);
  }
}
END_TEST

/* ---- parameters that are no plain vectors ---- */

/* Steps two [2, 3] parameters with the same numbers by `kind` and compares them. */
static void assert_same_steps(const char *kind, sel_tensor *plain, sel_tensor *other,
                              double tolerance) {
  sel_tensor *both[] = {plain, other};
  for (int i = 0; i < 2; i++) ASSERT_OK(sel_set_requires_grad(both[i], true));
  sel_optimizer *optimizer = new_optimizer(kind, 2, both);
  ASSERT_OK(sel_optimizer_set(optimizer, 0, "lr", 0.01));
  for (int step = 0; step < 3; step++) {
    for (int i = 0; i < 2; i++) set_grad(both[i], golden_gradients[step]);
    ASSERT_OK(sel_optimizer_step(optimizer));
    double a[6], b[6];
    read_values(plain, a);
    read_values(other, b);
    for (int k = 0; k < 6; k++)
      ck_assert_msg(fabs(a[k] - b[k]) <= tolerance, "%s: %.9g and %.9g", kind, a[k], b[k]);
  }
  sel_optimizer_release(optimizer);
}

START_TEST(views) {
  sel_tensor *plain = new_tensor(SEL_F32, 2, (int64_t[]){2, 3}, golden_start), *base, *view;
  ASSERT_OK(sel_transpose(plain, 0, 1, &view));
  ASSERT_OK(sel_clone(view, &base));
  sel_release(view);
  ASSERT_OK(sel_transpose(base, 0, 1, &view));
  ck_assert(!sel_is_contiguous(view));
  assert_same_steps("adam", plain, view, 0);
  ck_assert(first_value(base) == first_value(plain)); /* the memory behind the view was written */
  sel_release(base);
  sel_release(view);
  sel_release(plain);
}
END_TEST

/* The update is computed in f32; only the parameter is rounded. */
START_TEST(half_precision) {
  const sel_dtype halves[] = {SEL_F16, SEL_BF16};
  const double rounding[] = {0x1p-10, 0x1p-7}; /* a unit in the last place of numbers below 4 */
  for (int h = 0; h < 2; h++) {
    sel_tensor *half = new_tensor(halves[h], 2, (int64_t[]){2, 3}, golden_start), *plain;
    ASSERT_OK(sel_to(half, SEL_F32, NULL, &plain));
    assert_same_steps("adamw", plain, half, 4 * rounding[h]);
    sel_optimizer *optimizer = new_optimizer("sgd", 1, &half);
    ASSERT_OK(sel_optimizer_set(optimizer, 0, "momentum", 0.9));
    set_grad(half, golden_gradients[0]);
    ASSERT_OK(sel_optimizer_step(optimizer));
    sel_tensor *state = sel_optimizer_state(optimizer, 0, "momentum_buffer");
    ck_assert_int_eq(sel_tensor_dtype(state), SEL_F32);
    ck_assert_int_eq(sel_tensor_dtype(half), halves[h]);
    sel_optimizer_release(optimizer);
    sel_release(half);
    sel_release(plain);
  }
}
END_TEST

/* One group over two devices and three dtypes, with an empty parameter among them. */
START_TEST(mixed_group) {
  static sel_backend twin;
  sel_device *device;
  twin = *sel_backend_at(0);
  twin.name = "twin";
  ASSERT_OK(sel_register_backend(&twin));
  ASSERT_OK(sel_device_find("twin", &device));
  sel_tensor *t[5];
  for (int i = 0; i < 4; i++) {
    sel_dtype dtype = i % 2 ? SEL_F64 : SEL_F32;
    int64_t n = 3 + i;
    ASSERT_OK(sel_full(1, &n, 1, dtype, i < 2 ? NULL : device, &t[i]));
  }
  ASSERT_OK(sel_zeros(2, (int64_t[]){0, 4}, SEL_BF16, NULL, &t[4]));
  sel_optimizer *optimizer = new_optimizer("adagrad", 5, t);
  for (int step = 0; step < 2; step++) {
    for (int i = 0; i < 5; i++) {
      sel_tensor *grad;
      ASSERT_OK(sel_full(sel_ndim(t[i]), sel_shape(t[i]), 2, sel_tensor_dtype(t[i]),
                         sel_tensor_device(t[i]), &grad));
      ASSERT_OK(sel_set_grad(t[i], grad));
      sel_release(grad);
    }
    ASSERT_OK(sel_optimizer_step(optimizer));
  }
  for (int i = 0; i < 4; i++)
    ck_assert_double_eq_tol(first_value(t[i]), 1 - 0.01 - 0.01 / sqrt(2), 1e-6);
  for (int i = 0; i < 5; i++) {
    ck_assert_int_eq(sel_optimizer_steps(optimizer, i), 2);
    sel_release(t[i]);
  }
  sel_optimizer_release(optimizer);
}
END_TEST

START_TEST(without_kernel) {
  static sel_backend lame;
  sel_device *device;
  sel_tensor *t, *grad;
  lame = *sel_backend_at(0);
  lame.name = "lame";
  lame.update = NULL;
  ASSERT_OK(sel_register_backend(&lame));
  ASSERT_OK(sel_device_find("lame", &device));
  ASSERT_OK(sel_ones(1, (int64_t[]){2}, SEL_F32, device, &t));
  ASSERT_OK(sel_clone(t, &grad));
  ASSERT_OK(sel_set_grad(t, grad));
  sel_release(grad);
  sel_optimizer *optimizer = new_optimizer("adam", 1, &t);
  ASSERT_FAILS(SEL_E_UNSUPPORTED, sel_optimizer_step(optimizer), "adam", "'lame'", "update");
  ck_assert_int_eq(sel_optimizer_steps(optimizer, 0), 0);
  sel_optimizer_release(optimizer);
  sel_release(t);
}
END_TEST

/* ---- gradients and the tape ---- */

START_TEST(without_gradient) {
  sel_tensor *t = ones(3);
  sel_optimizer *optimizer = new_optimizer("sgd", 1, &t);
  ASSERT_OK(sel_optimizer_step(optimizer));
  ck_assert_int_eq(sel_optimizer_steps(optimizer, 0), 0);
  ck_assert_double_eq(first_value(t), 1);
  ck_assert_int_eq(sel_tensor_version(t), 0);
  set_grad(t, (double[]){1, 2, 3});
  sel_optimizer_zero_grad(optimizer);
  ck_assert_ptr_null(sel_grad_of(t));
  sel_optimizer_release(optimizer);
  sel_release(t);
}
END_TEST

/* A gradient that is a view of stride 0, as that of a sum may be. */
START_TEST(expanded_gradient) {
  sel_tensor *t = ones(3), *one, *grad;
  ASSERT_OK(sel_ones(1, (int64_t[]){1}, SEL_F32, NULL, &one));
  ASSERT_OK(sel_expand(one, 1, (int64_t[]){3}, &grad));
  sel_optimizer *optimizer = new_optimizer("sgd", 1, &t);
  ASSERT_OK(sel_optimizer_set(optimizer, 0, "lr", 0.25));
  ASSERT_OK(sel_set_grad(t, grad));
  ASSERT_OK(sel_optimizer_step(optimizer));
  double values[3];
  read_values(t, values);
  ck_assert(values[0] == 0.75 && values[1] == 0.75 && values[2] == 0.75);
  sel_optimizer_release(optimizer);
  sel_release(one);
  sel_release(grad);
  sel_release(t);
}
END_TEST

START_TEST(written_in_place) {
  sel_tensor *t = ones(3), *square, *sum;
  ASSERT_OK(sel_mul(t, t, &square));
  ASSERT_OK(sel_sum(square, 0, NULL, false, &sum));
  sel_optimizer *optimizer = new_optimizer("adam", 1, &t);
  set_grad(t, (double[]){1, 2, 3});
  ASSERT_OK(sel_optimizer_step(optimizer));
  ck_assert_int_eq(sel_tensor_version(t), 1);
  ck_assert(sel_is_leaf(t) && sel_requires_grad(t));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &sum, NULL, false, false), "mul", "adam");
  sel_optimizer_release(optimizer);
  sel_release(square);
  sel_release(sum);
  sel_release(t);
}
END_TEST

START_TEST(interrupted) {
  sel_tensor *t = ones(3);
  sel_optimizer *optimizer = new_optimizer("sgd", 1, &t);
  set_grad(t, (double[]){1, 2, 3});
  sel_interrupt();
  ck_assert_int_eq(sel_optimizer_step(optimizer), SEL_E_INTERRUPTED);
  sel_interrupt_clear();
  ck_assert_double_eq(first_value(t), 1);
  sel_optimizer_release(optimizer);
  sel_release(t);
}
END_TEST

/* ---- settings and groups ---- */

START_TEST(settings) {
  const struct {
    const char *kind, *settings, *states;
  } kinds[] = {
      {"sgd", "lr momentum dampening weight_decay nesterov maximize ", "momentum_buffer "},
      {"adam", "lr beta1 beta2 eps weight_decay amsgrad maximize ",
       "exp_avg exp_avg_sq max_exp_avg_sq "},
      {"adamw", "lr beta1 beta2 eps weight_decay amsgrad maximize ",
       "exp_avg exp_avg_sq max_exp_avg_sq "},
      {"rmsprop", "lr alpha eps weight_decay momentum centered maximize ",
       "square_avg momentum_buffer grad_avg "},
      {"adagrad", "lr lr_decay eps weight_decay initial_accumulator_value maximize ", "sum "}};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    sel_optimizer *optimizer;
    char text[200] = "";
    const char *name;
    ASSERT_OK(sel_optimizer_new(kinds[k].kind, &optimizer));
    for (int i = 0; (name = sel_optimizer_setting_at(optimizer, i)); i++)
      strcat(strcat(text, name), " ");
    ck_assert_str_eq(text, kinds[k].settings);
    text[0] = '\0';
    for (int i = 0; (name = sel_optimizer_state_name(optimizer, i)); i++)
      strcat(strcat(text, name), " ");
    ck_assert_str_eq(text, kinds[k].states);
    ck_assert_ptr_null(sel_optimizer_setting_at(optimizer, -1));
    sel_optimizer_release(optimizer);
  }
  sel_optimizer_release(NULL);
}
END_TEST

START_TEST(wrong_settings) {
  sel_tensor *t = ones(3);
  sel_optimizer *o = new_optimizer("sgd", 1, &t), *other = NULL;
  double value = -7;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_new("adm", &other), "did you mean 'adam'?");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_new("lbfgs", &other), "there is no kind 'lbfgs'");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_new(NULL, &other), "got NULL");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_set(o, 0, "momentun", 1),
               "sgd has no setting 'momentun'; did you mean 'momentum'?");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_set(o, 1, "lr", 1), "group 1 is out of range");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_set(o, 0, "lr", -1),
               "sgd: lr is a number of at least 0, got -1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_set(o, 0, "lr", NAN), "got nan");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_set(o, 0, "lr", INFINITY), "got inf");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_set(o, 0, "nesterov", 2), "is 0 or 1, got 2");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_get(o, 0, "eps", &value), "no setting 'eps'");
  ck_assert_double_eq(value, -7);
  ASSERT_OK(sel_optimizer_set(o, 0, "nesterov", 1));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_step(o), "nesterov needs a momentum above 0");
  ASSERT_OK(sel_optimizer_set(o, 0, "lr", 0.5));
  ASSERT_OK(sel_optimizer_get(o, 0, "lr", &value));
  ck_assert_double_eq(value, 0.5);
  ASSERT_OK(sel_optimizer_new("adam", &other));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_set(other, 0, "beta1", 0.5), "there are 0");
  ASSERT_OK(sel_optimizer_add_group(other, 1, &t, NULL));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_set(other, 0, "beta2", 1),
               "adam: beta2 is at least 0 and below 1, got 1");
  sel_optimizer_release(other);
  sel_optimizer_release(o);
  sel_release(t);
}
END_TEST

START_TEST(groups) {
  sel_tensor *a = ones(2), *b = ones(3), *whole, *result, *expanded, *list[3];
  sel_optimizer *o = new_optimizer("sgd", 1, &a);
  int group = -1;
  ASSERT_OK(sel_optimizer_add_group(o, 1, &b, &group));
  ck_assert_int_eq(group, 1);
  ck_assert_int_eq(sel_optimizer_group_count(o), 2);
  ck_assert_int_eq(sel_optimizer_parameter_count(o), 2);
  ASSERT_OK(sel_optimizer_set(o, 0, "lr", 0.5));
  ASSERT_OK(sel_optimizer_set(o, 1, "lr", 0.25));
  set_grad(a, (double[]){1, 1});
  set_grad(b, (double[]){1, 1, 1});
  ASSERT_OK(sel_optimizer_step(o));
  ck_assert_double_eq(first_value(a), 0.5);
  ck_assert_double_eq(first_value(b), 0.75);

  int64_t two = 2;
  ASSERT_OK(sel_zeros(1, &two, SEL_I64, NULL, &whole));
  ASSERT_OK(sel_add(a, a, &result));
  sel_tensor *one;
  ASSERT_OK(sel_ones(1, (int64_t[]){1}, SEL_F32, NULL, &one));
  ASSERT_OK(sel_expand(one, 1, &two, &expanded));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_add_group(o, 1, &a, &group),
               "sgd: parameter 1 is in an earlier group already");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_add_group(o, 0, NULL, &group), "got 0");
  list[0] = one, list[1] = whole, list[2] = one;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_add_group(o, 3, list, &group),
               "parameters 1 and 3 are the same tensor");
  ASSERT_FAILS(SEL_E_DTYPE, sel_optimizer_add_group(o, 2, list, &group),
               "sgd: parameter 2 is i64[2], expected a float tensor");
  list[1] = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_add_group(o, 2, list, &group), "2 is NULL");
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_optimizer_add_group(o, 1, &result, &group),
               "parameter 1 is the result of add");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_add_group(o, 1, &expanded, &group), "share memory");
  ck_assert_int_eq(group, 1);
  ck_assert_int_eq(sel_optimizer_group_count(o), 2);
  sel_optimizer_release(o);
  sel_tensor *all[] = {a, b, whole, result, expanded, one};
  for (int i = 0; i < 6; i++) sel_release(all[i]);
}
END_TEST

START_TEST(wrong_states) {
  sel_tensor *t = ones(3), *state = ones(3), *short_state = ones(2);
  sel_optimizer *o = new_optimizer("sgd", 1, &t);
  ck_assert_ptr_null(sel_optimizer_state(o, 0, "momentum_buffer"));
  ck_assert_ptr_null(sel_optimizer_state(o, 0, "exp_avg"));
  ck_assert_ptr_null(sel_optimizer_state(o, 1, "momentum_buffer"));
  ASSERT_OK(sel_optimizer_set_state(o, 0, "momentum_buffer", state));
  sel_tensor *kept = sel_optimizer_state(o, 0, "momentum_buffer");
  ck_assert(kept && !sel_shares_storage(kept, state) && !sel_grad_fn(kept));
  ASSERT_FAILS(SEL_E_SHAPE, sel_optimizer_set_state(o, 0, "momentum_buffer", short_state),
               "the parameter's shape (f32[3]), got f32[2]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_set_state(o, 0, "exp_avg", state), "no state");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_set_state(o, 1, "momentum_buffer", state),
               "parameter 1 is out of range");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_set_steps(o, 0, -1), "got -1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_optimizer_set_steps(o, -1, 1), "out of range");
  ck_assert_ptr_eq(sel_optimizer_state(o, 0, "momentum_buffer"), kept);
  ASSERT_OK(sel_optimizer_set_state(o, 0, "momentum_buffer", NULL));
  ck_assert_ptr_null(sel_optimizer_state(o, 0, "momentum_buffer"));
  sel_optimizer_release(o);
  sel_release(t);
  sel_release(state);
  sel_release(short_state);
}
END_TEST

/* ---- memory ---- */

START_TEST(steady_state) {
  golden_run run = start(&golden_optimizers[6], SEL_F32);
  for (int step = 0; step < 5; step++) take_step(&run, step);
  sel_memory_info before, after;
  sel_device *device = sel_tensor_device(run.parameters[0]);
  expect_allocations counts = {.fail_at = -1};
  sel_memory(device, &before);
  sel_set_allocator(expect_allocate, &counts);
  for (int step = 0; step < 100; step++) ASSERT_OK(sel_optimizer_step(run.optimizer));
  sel_set_allocator(NULL, NULL);
  sel_memory(device, &after);
  ck_assert_int_eq(counts.made, 0);
  ck_assert_double_eq(before.allocations, after.allocations);
  ck_assert_double_eq(before.live, after.live);
  sel_optimizer_release(run.optimizer);
  for (int i = 0; i < 2; i++) sel_release(run.parameters[i]);
}
END_TEST

static sel_status whole_life(void *context) {
  sel_tensor *const *parameters = context;
  sel_optimizer *optimizer = NULL;
  sel_status status = sel_optimizer_new("rmsprop", &optimizer);
  if (status == SEL_OK) status = sel_optimizer_add_group(optimizer, 2, parameters, NULL);
  if (status == SEL_OK) status = sel_optimizer_set(optimizer, 0, "centered", 1);
  if (status == SEL_OK) status = sel_optimizer_step(optimizer);
  if (status == SEL_OK) status = sel_optimizer_set_state(optimizer, 0, "grad_avg", parameters[0]);
  sel_optimizer_release(optimizer);
  return status;
}

START_TEST(out_of_memory) {
  sel_tensor *parameters[] = {ones(3), new_vector(SEL_F16, 2, golden_start)};
  set_grad(parameters[0], golden_gradients[0]);
  set_grad(parameters[1], golden_gradients[0]);
  expect_memory_errors(whole_life, parameters);
  for (int i = 0; i < 2; i++) sel_release(parameters[i]);
}
END_TEST

RUN_SUITE("optim", trajectories, resumed, views, half_precision, mixed_group, without_kernel,
          without_gradient, expanded_gradient, written_in_place, interrupted, settings,
          wrong_settings, groups, wrong_states, steady_state, out_of_memory)
