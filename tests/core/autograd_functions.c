/* The tape beyond the operation list: recorded functions, checkpoints, a host's events, threads. */
#include <pthread.h>

#include "tensors.h"

static void backward(sel_tensor *root) { ASSERT_OK(sel_backward(1, &root, NULL, false, false)); }
static sel_tensor *total(sel_tensor *x) { return NEW(sum, x, 0, NULL, false); }

/* ---- sel_record ---- */

typedef struct counted {
  int calls, released;
} counted;

static void release_counted(void *context) { ((counted *)context)->released++; }

/* y = a * b, z = a + b; saved: a, b */
static sel_status pair_backward(void *context, sel_tensor *const *saved, sel_tensor *const *g,
                                sel_tensor **grad_inputs) {
  ((counted *)context)->calls++;
  for (int i = 0; i < 2; i++) {
    sel_tensor *of_y = NULL, *both = NULL;
    if (g[0]) {
      sel_status status = sel_mul(g[0], saved[1 - i], &of_y);
      if (status != SEL_OK) return status;
    }
    if (g[1] && of_y) {
      sel_status status = sel_add(of_y, g[1], &both);
      sel_release(of_y);
      if (status != SEL_OK) return status;
    }
    grad_inputs[i] = both ? both : of_y ? of_y : sel_retain(g[1]);
  }
  return SEL_OK;
}
static const sel_function pair = {.size = sizeof(sel_function),
                                  .name = "pair",
                                  .backward = pair_backward,
                                  .release = release_counted};

static void run_pair(counted *c, sel_tensor *a, sel_tensor *b, sel_tensor **out) {
  sel_tensor *in[] = {a, b};
  bool previous = sel_set_grad_enabled(false);
  out[0] = NEW(mul, a, b);
  out[1] = NEW(add, a, b);
  sel_set_grad_enabled(previous);
  ASSERT_OK(sel_record(&pair, c, 2, in, 2, in, 2, out));
}

START_TEST(functions) {
  static counted c;
  sel_tensor *a = leaf(TENSOR(SEL_F64, SHAPE(2), 2, 3)), *b = leaf(TENSOR(SEL_F64, SHAPE(2), 5, 7));
  sel_tensor *out[2];
  run_pair(&c, a, b, out);
  ck_assert_str_eq(sel_grad_fn(out[0]), "pair");
  ck_assert_str_eq(sel_grad_fn(out[1]), "pair");
  backward(total(NEW(mul, out[0], out[1]))); /* a b (a + b) */
  ASSERT_TENSOR(sel_grad_of(a), "f64[2]", 5 * (2 * 2 + 5), 7 * (2 * 3 + 7));
  ASSERT_TENSOR(sel_grad_of(b), "f64[2]", 2 * (2 + 2 * 5), 3 * (3 + 2 * 7));
  ck_assert_int_eq(c.calls, 1);
  ck_assert_int_eq(c.released, 0);
  drop(out[0]);
  drop(out[1]);
  /* one output alone: the other one's gradient is NULL */
  ASSERT_OK(sel_set_grad(a, NULL));
  run_pair(&c, a, b, out);
  backward(total(out[1]));
  ASSERT_TENSOR(sel_grad_of(a), "f64[2]", 1, 1);
  release_kept(0);
  ck_assert_int_eq(c.released, 2);
}
END_TEST

START_TEST(functions_partly_wanted) { /* backward computes both gradients, one is asked for */
  static counted c;
  sel_tensor *a = leaf(TENSOR(SEL_F64, SHAPE(2), 2, 3)), *b = leaf(TENSOR(SEL_F64, SHAPE(2), 5, 7));
  sel_tensor *out[2], *g = NULL;
  run_pair(&c, a, b, out);
  sel_tensor *loss = total(out[0]);
  ASSERT_OK(sel_grad(1, &loss, NULL, 1, &b, true, false, false, &g));
  ASSERT_TENSOR(keep(g), "f64[2]", 2, 3);
  ck_assert_ptr_null(sel_grad_of(a));
}
END_TEST

START_TEST(functions_not_recorded) {
  static counted c;
  sel_tensor *a = TENSOR(SEL_F64, SHAPE(2), 2, 3), *out[2];
  run_pair(&c, a, a, out); /* nothing requires a gradient */
  ck_assert(!sel_requires_grad(out[0]));
  ck_assert_int_eq(c.released, 1);
  leaf(a);
  sel_set_grad_enabled(false);
  run_pair(&c, a, a, out);
  sel_set_grad_enabled(true);
  ck_assert(!sel_requires_grad(out[0]));
  ck_assert_int_eq(c.released, 2);
  sel_tensor *taken = NEW(exp, a);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_record(&pair, &c, 1, &a, 0, NULL, 1, &taken), "pair", "output 0",
               "fresh");
  ck_assert_str_eq(sel_grad_fn(taken), "exp");
  ck_assert_int_eq(c.released, 3); /* the context is taken also on failure */
}
END_TEST

START_TEST(functions_of_second_order) { /* saved inputs have their place on the tape */
  static counted c;
  sel_tensor *a = leaf(TENSOR(SEL_F64, SHAPE(1), 2)), *b = NEW(square, a), *out[2], *g = NULL;
  run_pair(&c, a, b, out); /* a^3, a + a^2 */
  sel_tensor *loss = total(NEW(add, out[0], out[1]));
  for (int order = 0; order < 3; order++) {
    ASSERT_OK(sel_grad(1, &loss, NULL, 1, &a, false, true, false, &g));
    static const double expected[] = {3 * 4 + 1 + 2 * 2, 6 * 2 + 2, 6};
    ASSERT_TENSOR(keep(g), "f64[1]", expected[order]);
    loss = total(g);
  }
  release_kept(0);
}
END_TEST

/* y = exp(x); saved: y, an output */
static sel_status exp_backward(void *context, sel_tensor *const *saved, sel_tensor *const *g,
                               sel_tensor **grad_inputs) {
  (void)context;
  return sel_mul(g[0], saved[0], &grad_inputs[0]);
}
static const sel_function own_exp = {
    .size = sizeof(sel_function), .name = "own_exp", .backward = exp_backward};

START_TEST(functions_that_save_outputs) {
  double before = live_bytes();
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(1), 1.5)), *g = NULL;
  bool previous = sel_set_grad_enabled(false);
  sel_tensor *y = NEW(exp, x);
  sel_set_grad_enabled(previous);
  ASSERT_OK(sel_record(&own_exp, NULL, 1, &x, 1, &y, 1, &y));
  sel_tensor *loss = total(y);
  for (int order = 0; order < 3; order++) {
    ASSERT_OK(sel_grad(1, &loss, NULL, 1, &x, false, true, false, &g));
    ASSERT_NEAR(keep(g), 1e-15, "f64[1]", exp(1.5));
    loss = total(g);
  }
  release_kept(0);
  ck_assert_double_eq(live_bytes(), before); /* y saved by its own node is no cycle */
}
END_TEST

START_TEST(functions_check_versions) {
  static counted c;
  sel_tensor *a = leaf(TENSOR(SEL_F64, SHAPE(2), 2, 3)), *b = NEW(mul_scalar, a, 2), *out[2];
  run_pair(&c, a, b, out);
  sel_tensor *loss = total(out[0]);
  ASSERT_OK(sel_add_scalar_(b, 1));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &loss, NULL, false, false), "'pair'", "'add_'");
  ck_assert_int_eq(c.calls, 0);
}
END_TEST

static sel_status wrong_dtype(void *context, sel_tensor *const *saved, sel_tensor *const *g,
                              sel_tensor **grad_inputs) {
  (void)context, (void)saved;
  return sel_to(g[0], SEL_F32, NULL, &grad_inputs[0]);
}
static sel_status wrong_shape(void *context, sel_tensor *const *saved, sel_tensor *const *g,
                              sel_tensor **grad_inputs) {
  (void)context, (void)saved, (void)g;
  return sel_ones(SHAPE(3), SEL_F64, NULL, &grad_inputs[0]);
}
static sel_status broadcast_shape(void *context, sel_tensor *const *saved, sel_tensor *const *g,
                                  sel_tensor **grad_inputs) {
  (void)context, (void)saved, (void)g;
  return sel_ones(SHAPE(5, 2), SEL_F64, NULL, &grad_inputs[0]); /* summed down to [2] */
}
static sel_status failure(void *context, sel_tensor *const *saved, sel_tensor *const *g,
                          sel_tensor **grad_inputs) {
  (void)context, (void)saved;
  grad_inputs[0] = sel_retain(g[0]); /* what was written before a failure is not lost */
  return sel_fail(SEL_E_ARGUMENT, "no way back");
}
static sel_status nothing(void *context, sel_tensor *const *saved, sel_tensor *const *g,
                          sel_tensor **grad_inputs) {
  (void)context, (void)saved, (void)g, (void)grad_inputs;
  return SEL_OK;
}

START_TEST(gradients_of_functions_are_checked) {
  static sel_function f = {.size = sizeof f, .name = "odd"};
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(2), 2, 3));
#define RECORDED(rule)                                    \
  f.backward = rule;                                      \
  y = TENSOR(SEL_F64, SHAPE(2), 1, 1);                    \
  ASSERT_OK(sel_record(&f, NULL, 1, &x, 0, NULL, 1, &y)); \
  loss = total(y)
  sel_tensor *y, *loss;
  RECORDED(wrong_dtype);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &loss, NULL, false, false), "'odd'", "f32[2]",
               "f64[2]");
  RECORDED(wrong_shape);
  ASSERT_FAILS(SEL_E_SHAPE, sel_backward(1, &loss, NULL, false, false), "'odd'", "f64[3]", "[2]");
  RECORDED(failure);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_backward(1, &loss, NULL, false, false), "no way back");
  ck_assert_ptr_null(sel_grad_of(x));
  RECORDED(nothing);
  backward(loss);
  ck_assert_ptr_null(sel_grad_of(x));
  RECORDED(broadcast_shape);
  backward(loss);
  ASSERT_TENSOR(sel_grad_of(x), "f64[2]", 5, 5);
#undef RECORDED
}
END_TEST

/* ---- checkpoints ---- */

/* in: x, w. A stretch with noise drawn inside, so that only the same generator state repeats it. */
static sel_status stretch(void *context, sel_tensor *const *in, sel_tensor **out) {
  int *runs = context;
  (*runs)++;
  sel_tensor *y = NULL, *noise = NULL, *z = NULL;
  sel_status status = sel_mul(in[0], in[1], &y);
  if (status == SEL_OK) status = sel_empty_like(y, &noise);
  if (status == SEL_OK) status = sel_bernoulli_(noise, 0.5);
  if (status == SEL_OK) status = sel_mul(y, noise, &z);
  if (status == SEL_OK) status = sel_sin(z, &out[0]);
  if (status == SEL_OK) {
    status = sel_exp(y, &out[1]);
    if (status != SEL_OK) sel_release(out[0]);
  }
  sel_release(y);
  sel_release(noise);
  sel_release(z);
  return status;
}

START_TEST(checkpoints) {
  sel_tensor *grads[2][2], *values[2];
  sel_generator ends[2];
  double live[2];
  for (int checkpointed = 0; checkpointed < 2; checkpointed++) {
    int runs = 0;
    sel_tensor *in[] = {leaf(some_tensor(SEL_F64, -1, 1, 1, SHAPE(1000))),
                        leaf(some_tensor(SEL_F64, -1, 1, 2, SHAPE(1000)))};
    sel_manual_seed(7);
    double before = live_bytes();
    sel_tensor *out[2];
    if (checkpointed)
      ASSERT_OK(sel_checkpoint(stretch, &runs, NULL, 2, in, 2, out));
    else
      ASSERT_OK(stretch(&runs, in, out));
    keep(out[0]);
    keep(out[1]);
    live[checkpointed] = live_bytes() - before;
    sel_generator_get(&ends[checkpointed]);
    if (checkpointed) ck_assert_str_eq(sel_grad_fn(out[0]), "checkpoint");
    sel_tensor *loss = NEW(add, total(NEW(mul, out[0], out[1])), total(out[1]));
    sel_manual_seed(99); /* backward restores the state of the forward pass, and puts this back */
    backward(loss);
    sel_generator now;
    sel_generator_get(&now);
    ck_assert_uint_eq(now.seed, 99);
    ck_assert_uint_eq(now.offset, 0);
    ck_assert_int_eq(runs, 1 + checkpointed);
    values[checkpointed] = loss;
    for (int i = 0; i < 2; i++) grads[checkpointed][i] = sel_grad_of(in[i]);
  }
  ASSERT_SAME(values[0], values[1]);
  ASSERT_SAME(grads[0][0], grads[1][0]);
  ASSERT_SAME(grads[0][1], grads[1][1]);
  ck_assert_uint_eq(ends[0].offset, ends[1].offset);
  ck_assert_double_lt(live[1], live[0]);
}
END_TEST

static sel_status failing_stretch(void *context, sel_tensor *const *in, sel_tensor **out) {
  int *runs = context;
  if ((*runs)++ > 0) return sel_fail(SEL_E_ARGUMENT, "not again");
  return sel_exp(in[0], &out[0]);
}
static void release_runs(void *context) { *(int *)context += 100; }

START_TEST(checkpoints_and_failures) {
  int runs = 0;
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(1), 2)), *y = NULL, *g = NULL;
  ASSERT_OK(sel_checkpoint(failing_stretch, &runs, release_runs, 1, &x, 1, &y));
  sel_tensor *loss = total(keep(y));
  ASSERT_FAILS(SEL_E_UNSUPPORTED, sel_grad(1, &loss, NULL, 1, &x, false, true, false, &g),
               "checkpoint", "gradients of gradients");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_backward(1, &loss, NULL, false, false), "not again");
  ck_assert_ptr_null(sel_grad_of(x));
  ck_assert(sel_grad_enabled());
  release_kept(0);
  ck_assert_int_eq(runs, 102);
  runs = 1; /* fails at once */
  x = leaf(TENSOR(SEL_F64, SHAPE(1), 2));
  sel_tensor *untouched = x;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_checkpoint(failing_stretch, &runs, release_runs, 1, &x, 1, &y),
               "not again");
  ck_assert_int_eq(runs, 102);
  ck_assert_ptr_eq(x, untouched);
  runs = 0; /* nothing requires a gradient: run once, plainly */
  x = TENSOR(SEL_F64, SHAPE(1), 2);
  ASSERT_OK(sel_checkpoint(failing_stretch, &runs, release_runs, 1, &x, 1, &y));
  ck_assert(!sel_requires_grad(keep(y)));
  ck_assert_int_eq(runs, 101);
}
END_TEST

/* A parameter that the segment reaches without being handed it gets its gradient too. */
static sel_tensor *hidden_weight;
static sel_status with_hidden(void *context, sel_tensor *const *in, sel_tensor **out) {
  (void)context;
  return sel_mul(in[0], hidden_weight, out);
}

START_TEST(checkpoints_with_parameters) {
  hidden_weight = leaf(TENSOR(SEL_F64, SHAPE(2), 5, 7));
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(2), 2, 3)), *y = NULL;
  ASSERT_OK(sel_checkpoint(with_hidden, NULL, NULL, 1, &x, 1, &y));
  backward(total(keep(y)));
  ASSERT_TENSOR(sel_grad_of(x), "f64[2]", 5, 7);
  ASSERT_TENSOR(sel_grad_of(hidden_weight), "f64[2]", 2, 3);
}
END_TEST

/* ---- a host's events ---- */

static int take_released(int64_t *ids) { return sel_released_host_ids(16, ids); }

START_TEST(host_functions) {
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(2), 2, 3)), *c = TENSOR(SEL_F64, SHAPE(2), 1, 1);
  sel_tensor *in[] = {x, c, NULL}, *y = TENSOR(SEL_F64, SHAPE(2), 8, 27), *z = NEW(clone, y);
  sel_tensor *out[] = {y, z};
  bool recorded = false;
  char name[] = "cube";
  ASSERT_OK(sel_record_host(name, 77, 3, in, 2, out, &recorded));
  memset(name, 'x', 4); /* the name was copied */
  ck_assert(recorded);
  ck_assert_str_eq(sel_grad_fn(y), "cube");
  sel_tensor *loss = total(NEW(mul_scalar, y, 10));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &loss, NULL, true, false), "host language");
  ck_assert_ptr_null(sel_grad_of(x));

  sel_backward_run *run = NULL;
  sel_backward_event event;
  ASSERT_OK(sel_backward_start(1, &loss, NULL, 0, NULL, true, false, &run));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward_reply(run, 0, NULL), "no event");
  ASSERT_OK(sel_backward_next(run, &event));
  ck_assert_int_eq(event.kind, SEL_BACKWARD_FUNCTION);
  ck_assert_int_eq(event.id, 77);
  ck_assert_int_eq(event.n_grads, 2);
  ck_assert_int_eq(event.n_inputs, 3);
  ASSERT_TENSOR(event.grads[0], "f64[2]", 10, 10);
  ck_assert_ptr_null(event.grads[1]); /* z leads nowhere */
  sel_tensor *reply[3] = {NEW(mul, event.grads[0], TENSOR(SEL_F64, SHAPE(2), 12, 27)), NULL, NULL};
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward_next(run, &event), "reply", "missing");
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward_reply(run, 1, reply), "'cube'", "3", "1");
  ASSERT_OK(sel_backward_reply(run, 3, reply));
  ASSERT_OK(sel_backward_next(run, &event));
  ck_assert_int_eq(event.kind, SEL_BACKWARD_DONE);
  sel_backward_finish(run);
  ASSERT_TENSOR(sel_grad_of(x), "f64[2]", 120, 270);

  /* collected like sel_grad, and given up half-way */
  ASSERT_OK(sel_backward_start(1, &loss, NULL, 1, &x, true, false, &run));
  ASSERT_OK(sel_backward_next(run, &event));
  ASSERT_OK(sel_backward_reply(run, 3, reply));
  ASSERT_OK(sel_backward_next(run, &event));
  ck_assert_int_eq(event.kind, SEL_BACKWARD_DONE);
  ASSERT_TENSOR(keep(sel_backward_result(run, 0)), "f64[2]", 120, 270);
  ck_assert_ptr_null(sel_backward_result(run, 1));
  sel_backward_finish(run);
  ASSERT_OK(sel_backward_start(1, &loss, NULL, 1, &x, true, false, &run));
  ASSERT_OK(sel_backward_next(run, &event));
  sel_backward_finish(run);
  sel_backward_finish(NULL);

  int64_t ids[16];
  ck_assert_int_eq(take_released(ids), 0);
  release_kept(0);
  ck_assert_int_eq(take_released(ids), 1);
  ck_assert_int_eq(ids[0], 77);
  ck_assert_int_eq(take_released(ids), 0);
}
END_TEST

START_TEST(host_functions_not_recorded) {
  sel_tensor *x = TENSOR(SEL_F64, SHAPE(1), 2), *y = TENSOR(SEL_F64, SHAPE(1), 8);
  bool recorded = true;
  ASSERT_OK(sel_record_host("f", 5, 1, &x, 1, &y, &recorded));
  ck_assert(!recorded);
  leaf(x);
  sel_set_grad_enabled(false);
  recorded = true;
  ASSERT_OK(sel_record_host("f", 5, 1, &x, 1, &y, &recorded));
  sel_set_grad_enabled(true);
  ck_assert(!recorded);
  sel_tensor *taken = NEW(exp, x);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_record_host("f", 5, 1, &x, 1, &taken, &recorded), "f",
               "output 0");
  ck_assert(!recorded);
  int64_t ids[16];
  ck_assert_int_eq(take_released(ids), 0);
}
END_TEST

/* Answers each hook with the gradient times ten; notes the order of events. */
static int answer_hooks(sel_backward_run *run, int64_t *seen) {
  sel_backward_event event;
  for (int n = 0;; n++) {
    ASSERT_OK(sel_backward_next(run, &event));
    if (event.kind == SEL_BACKWARD_DONE) return n;
    ck_assert_int_eq(event.kind, SEL_BACKWARD_HOOK);
    ck_assert_int_eq(event.n_grads, 1);
    seen[n] = event.id;
    sel_tensor *reply = NEW(mul_scalar, event.grads[0], 10);
    if (event.id < 100)
      ASSERT_OK(sel_backward_reply(run, 0, NULL)); /* only looks */
    else
      ASSERT_OK(sel_backward_reply(run, 1, &reply));
  }
}

START_TEST(host_hooks) {
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(2), 2, 3)), *y = NEW(mul, x, x);
  sel_tensor *parts[2];
  ASSERT_OK(sel_split(y, 2, (int64_t[]){1, 1}, 0, parts));
  keep(parts[0]);
  keep(parts[1]);
  ASSERT_OK(sel_register_host_hook(x, 1));
  ASSERT_OK(sel_register_host_hook(x, 101));
  ASSERT_OK(sel_register_host_hook(y, 102));
  ASSERT_OK(sel_register_host_hook(y, 2));
  ASSERT_OK(sel_register_host_hook(parts[1], 103));
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_register_host_hook(TENSOR(SEL_F64, SHAPE(1), 1), 9),
               "does not require");
  sel_tensor *loss = total(NEW(add, parts[0], parts[1]));
  sel_backward_run *run;
  ASSERT_OK(sel_backward_start(1, &loss, NULL, 0, NULL, true, false, &run));
  int64_t seen[16];
  int n = answer_hooks(run, seen);
  sel_backward_finish(run);
  /* y's gradient is 1, 10; its hook makes that 10, 100; x's path gives each factor of the square */
  ck_assert_int_eq(seen[0], 103);
  ck_assert_int_eq(seen[1], 102);
  ck_assert_int_eq(seen[2], 2);
  ck_assert_int_eq(n, 3 + 2 * 2);
  ck_assert_int_eq(seen[3], 1);
  ck_assert_int_eq(seen[4], 101);
  ASSERT_TENSOR(sel_grad_of(x), "f64[2]", 4 * 100, 6 * 1000);

  /* a reply must be a gradient of the same kind */
  ASSERT_OK(sel_backward_start(1, &loss, NULL, 0, NULL, true, false, &run));
  sel_backward_event event;
  ASSERT_OK(sel_backward_next(run, &event));
  sel_tensor *wrong = TENSOR(SEL_F32, SHAPE(1), 1);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward_reply(run, 1, &wrong), "hook", "f64[1]", "f32[1]");
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward_reply(run, 2, &wrong), "hook", "2");
  ASSERT_OK(sel_backward_reply(run, 0, NULL));
  sel_backward_finish(run);
  ASSERT_FAILS(SEL_E_AUTOGRAD, sel_backward(1, &loss, NULL, false, false), "host language");

  release_kept(0);
  int64_t ids[16];
  ck_assert_int_eq(take_released(ids), 5);
}
END_TEST

/* Hooks of both outputs of one node: each sees its own gradient, and the walk waits in between. */
START_TEST(host_hooks_of_several_outputs) {
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(1), 2)),
             *out[] = {TENSOR(SEL_F64, SHAPE(1), 4), TENSOR(SEL_F64, SHAPE(1), 6)};
  bool recorded = false;
  ASSERT_OK(sel_record_host("two", 50, 1, &x, 2, out, &recorded));
  ASSERT_OK(sel_register_host_hook(out[0], 101));
  ASSERT_OK(sel_register_host_hook(out[1], 102));
  ASSERT_OK(sel_register_host_hook(out[0], 103));
  sel_tensor *loss = total(NEW(add, out[0], NEW(mul_scalar, out[1], 3)));
  sel_backward_run *run;
  sel_backward_event event;
  ASSERT_OK(sel_backward_start(1, &loss, NULL, 0, NULL, false, false, &run));
  static const struct {
    int64_t id;
    double grad;
  } expected[] = {{101, 1}, {103, 10}, {102, 3}};
  for (int i = 0; i < 3; i++) {
    ASSERT_OK(sel_backward_next(run, &event));
    ck_assert_int_eq(event.kind, SEL_BACKWARD_HOOK);
    ck_assert_int_eq(event.id, expected[i].id);
    ck_assert_double_eq(item(event.grads[0]), expected[i].grad);
    sel_tensor *reply = NEW(mul_scalar, event.grads[0], 10);
    ASSERT_OK(sel_backward_reply(run, 1, &reply));
  }
  ASSERT_OK(sel_backward_next(run, &event));
  ck_assert_int_eq(event.kind, SEL_BACKWARD_FUNCTION);
  ck_assert_double_eq(item(event.grads[0]), 100);
  ck_assert_double_eq(item(event.grads[1]), 30);
  ASSERT_OK(sel_backward_reply(run, 1, event.grads));
  ASSERT_OK(sel_backward_next(run, &event));
  ck_assert_int_eq(event.kind, SEL_BACKWARD_DONE);
  sel_backward_finish(run);
  ASSERT_TENSOR(sel_grad_of(x), "f64[1]", 100);
  release_kept(0);
  int64_t ids[16];
  ck_assert_int_eq(take_released(ids), 4);
}
END_TEST

/* ---- interleaved walks ---- */

START_TEST(two_walks_of_one_graph) {
  sel_tensor *x = leaf(TENSOR(SEL_F64, SHAPE(2), 2, 3)), *y = NEW(mul, x, x), *loss = total(y);
  ASSERT_OK(sel_register_host_hook(y, 1));
  sel_backward_run *run;
  sel_backward_event event;
  ASSERT_OK(sel_backward_start(1, &loss, NULL, 0, NULL, true, false, &run));
  ASSERT_OK(sel_backward_next(run, &event));
  ck_assert_int_eq(event.kind, SEL_BACKWARD_HOOK);
  /* inside the hook another graph may be walked */
  sel_tensor *w = leaf(TENSOR(SEL_F64, SHAPE(1), 1));
  backward(total(NEW(exp, w)));
  /* and this one too, from above the hook */
  sel_tensor *g = NULL;
  ASSERT_OK(sel_grad(1, &loss, NULL, 1, &loss, true, false, false, &g));
  keep(g);
  sel_status status = sel_backward_reply(run, 0, NULL);
  if (status == SEL_OK) status = sel_backward_next(run, &event);
  ck_assert_msg(status == SEL_OK || status == SEL_E_AUTOGRAD, "%s", sel_error());
  if (status == SEL_OK) ASSERT_TENSOR(sel_grad_of(x), "f64[2]", 4, 6);
  sel_backward_finish(run);
}
END_TEST

/* ---- threads ---- */

typedef struct training {
  uint64_t seed;
  double loss;
} training;

/* A little net fitted to a function, all alone. Called from threads, so without the kept list. */
static sel_status train(training *t) {
  enum { N = 64 };
  sel_tensor *w = NULL, *x = NULL, *y = NULL;
  sel_manual_seed(t->seed);
  sel_status status = sel_empty(SHAPE(N, 1), SEL_F32, NULL, &x);
  if (status == SEL_OK) status = sel_uniform_(x, -1, 1);
  if (status == SEL_OK) status = sel_sin(x, &y);
  if (status == SEL_OK) status = sel_empty(SHAPE(1, 8), SEL_F32, NULL, &w);
  if (status == SEL_OK) status = sel_normal_(w, 0, 1);
  if (status == SEL_OK) status = sel_set_requires_grad(w, true);
  for (int step = 0; step < 300 && status == SEL_OK; step++) {
    sel_tensor *h = NULL, *a = NULL, *p = NULL, *d = NULL, *l = NULL;
    status = sel_mul(x, w, &h);
    if (status == SEL_OK) status = sel_tanh(h, &a);
    if (status == SEL_OK) status = sel_mean(a, 1, (int[]){1}, true, &p);
    if (status == SEL_OK) status = sel_sub(p, y, &d);
    if (status == SEL_OK) status = sel_norm(d, 2, 0, NULL, false, &l);
    if (status == SEL_OK) status = sel_backward(1, &l, NULL, false, false);
    if (status == SEL_OK) {
      sel_set_grad_enabled(false);
      sel_tensor *g = sel_grad_of(w);
      status = sel_mul_scalar_(g, 0.1);
      if (status == SEL_OK) status = sel_sub_(w, g);
      if (status == SEL_OK) status = sel_set_grad(w, NULL);
      sel_set_grad_enabled(true);
    }
    if (status == SEL_OK) status = sel_item(l, &t->loss);
    sel_tensor *made[] = {h, a, p, d, l};
    for (int i = 0; i < 5; i++) sel_release(made[i]);
  }
  sel_release(w);
  sel_release(x);
  sel_release(y);
  return status;
}

static void *train_in_thread(void *context) { return train(context) == SEL_OK ? context : NULL; }

START_TEST(two_threads) {
  training alone[2] = {{.seed = 1}, {.seed = 2}}, together[2] = {{.seed = 1}, {.seed = 2}};
  for (int i = 0; i < 2; i++) ASSERT_OK(train(&alone[i]));
  pthread_t thread[2];
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(pthread_create(&thread[i], NULL, train_in_thread, &together[i]), 0);
  for (int i = 0; i < 2; i++) {
    void *result;
    pthread_join(thread[i], &result);
    ck_assert_ptr_nonnull(result);
    ck_assert_double_eq(together[i].loss, alone[i].loss);
  }
  ck_assert_double_ne(alone[0].loss, alone[1].loss);
}
END_TEST

TENSOR_SUITE("autograd_functions", functions, functions_partly_wanted, functions_not_recorded,
             functions_of_second_order, functions_that_save_outputs, functions_check_versions,
             gradients_of_functions_are_checked, checkpoints, checkpoints_and_failures,
             checkpoints_with_parameters, host_functions, host_functions_not_recorded, host_hooks,
             host_hooks_of_several_outputs, two_walks_of_one_graph, two_threads)
