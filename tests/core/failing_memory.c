/* Host allocations failed in turn in what is no single operation's: making tensors, the tape with
 * hooks, functions, checkpoints and a host's events, writes in place, and results that are
 * integers. Operations and their gradients: gradients/failing_memory.c. */
#include "failing_memory.h"

#include "fake_backend.h"

/* Runs steps until one fails: MAKE(exp, x) is sel_exp(x, &t), t then being last(&s). What was made
 * is released at the end. */
enum { MADE_MAX = 64 };
typedef struct steps {
  sel_status status;
  int n;
  sel_tensor *made[MADE_MAX];
} steps;

static sel_tensor *last(const steps *s) { return s->n > 0 ? s->made[s->n - 1] : NULL; }
#define TRY(call) \
  if (s.status == SEL_OK) s.status = (call)
#define MAKE(name, ...)                         \
  do {                                          \
    ck_assert_int_lt(s.n, MADE_MAX);            \
    TRY(sel_##name(__VA_ARGS__, &s.made[s.n])); \
    if (s.status == SEL_OK) s.n++;              \
  } while (0)
static sel_status end(steps *s) {
  for (int i = 0; i < s->n; i++) sel_release(s->made[i]);
  return s->status;
}

static sel_tensor *parameter; /* a leaf that outlives the attempts */

/* ---- tensors without a tape ---- */

static sel_status make_tensors(void *context) {
  (void)context;
  steps s = {0};
  static const float data[] = {1, 2, 3, 4, 5, 6};
  MAKE(from_data, SHAPE(2, 3), SEL_F32, NULL, data, sizeof data);
  TRY(sel_write(last(&s), data, sizeof data));
  MAKE(transpose, last(&s), 0, 1);
  sel_tensor *turned = last(&s);
  float back[6];
  TRY(sel_read(turned, back, sizeof back));
  TRY(sel_write(turned, data, sizeof data));
  TRY(sel_set(turned, 2, (int64_t[]){0, 1}, 7));
  TRY(sel_fill_(turned, 3));
  MAKE(full, SHAPE(3), 2, SEL_F16, NULL);
  MAKE(to, last(&s), SEL_I64, NULL);
  MAKE(arange, 0, 5, 1, SEL_BF16, NULL);
  MAKE(linspace, 0, 5, 7, SEL_F32, NULL);
  MAKE(eye, 2, 3, SEL_U8, NULL);
  MAKE(empty_like, last(&s));
  TRY(sel_copy_(last(&s), s.made[s.n - 2]));
  MAKE(scalar, 3);
  return end(&s);
}

static sel_status integer_results(void *context) {
  (void)context;
  steps s = {0};
  sel_tensor *x = NULL, *outs[3] = {NULL};
  MAKE(arange, 0, 12, 1, SEL_F32, NULL);
  MAKE(reshape, last(&s), SHAPE(3, 4));
  x = last(&s);
  MAKE(argmax, x, 0, false);
  TRY(sel_max(x, 0, false, &outs[0], &outs[1]));
  sel_release(outs[0]);
  sel_release(outs[1]);
  outs[0] = outs[1] = NULL;
  TRY(sel_sort(x, 1, true, &outs[0], &outs[1]));
  sel_release(outs[0]);
  sel_release(outs[1]);
  outs[0] = outs[1] = NULL;
  MAKE(argsort, x, 0, false);
  MAKE(gt_scalar, x, 5);
  MAKE(masked_select, x, last(&s));
  MAKE(nonzero, x);
  MAKE(any, x, DIMS(0), true);
  MAKE(all, x, 0, NULL, false);
  MAKE(norm, x, 0, 0, NULL, false);
  MAKE(norm, x, 3, DIMS(1), true);
  MAKE(std, x, DIMS(1), 1, true);
  MAKE(logsumexp, x, DIMS(1), false);
  MAKE(to, x, SEL_I64, NULL);
  MAKE(select, last(&s), 0, 0);
  MAKE(one_hot, last(&s), 5);
  TRY(sel_split(x, 3, (int64_t[]){1, 1, 2}, 1, outs));
  for (int i = 0; i < 3; i++) sel_release(outs[i]);
  MAKE(tril, x, 1);
  MAKE(roll, x, 2, 1);
  MAKE(repeat, x, SHAPE(2, 2, 2));
  MAKE(randperm, 7, NULL);
  MAKE(softmax, x, 1);
  MAKE(multinomial, last(&s), 3);
  MAKE(to, x, SEL_F16, NULL);
  TRY(sel_uniform_(last(&s), 0, 1));
  MAKE(softmax, last(&s), 0);
  return end(&s);
}

static sel_status between_devices(void *context) {
  (void)context;
  steps s = {0};
  sel_device *other = fake_device();
  MAKE(mul_scalar, parameter, 2);
  MAKE(to, last(&s), SEL_F64, other);
  MAKE(sum, last(&s), 0, NULL, false);
  TRY(sel_backward(1, &s.made[s.n - 1], NULL, false, false));
  MAKE(empty_like, parameter);
  TRY(sel_copy_(last(&s), s.made[1]));
  ASSERT_OK(sel_set_grad(parameter, NULL));
  end(&s);
  sel_memory_release_cache(other);
  return s.status;
}

START_TEST(two_devices) {
  fake_device();
  parameter = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(3)));
  expect_each_failure("two devices", between_devices, NULL);
  drop(parameter);
}
END_TEST

START_TEST(without_tape) {
  expect_each_failure("making tensors", make_tensors, NULL);
  expect_each_failure("integer results", integer_results, NULL);
}
END_TEST

/* ---- the tape ---- */

static sel_status ten_times(void *context, sel_tensor *grad, sel_tensor **out) {
  (void)context;
  return sel_mul_scalar(grad, 10, out);
}
static int contexts_alive;
static void release_context(void *context) {
  (void)context;
  contexts_alive--;
}

/* A leaf with a hook of its own, its gradient from two paths. */
static sel_status hooked_leaf(void *context) {
  (void)context;
  steps s = {0};
  sel_tensor *x = NULL;
  MAKE(ones, SHAPE(2), SEL_F32, NULL);
  x = last(&s);
  TRY(sel_set_requires_grad(x, true));
  contexts_alive++;
  if (s.status == SEL_OK)
    s.status = sel_register_hook(x, ten_times, NULL, release_context);
  else
    release_context(NULL);
  MAKE(exp, x);
  MAKE(add, last(&s), x);
  MAKE(sum, last(&s), 0, NULL, false);
  TRY(sel_backward(1, &s.made[s.n - 1], NULL, false, false));
  end(&s);
  ck_assert_int_eq(contexts_alive, 0);
  return s.status;
}

static sel_status train_step(void *context) {
  (void)context;
  steps s = {0};
  sel_tensor *y = NULL;
  MAKE(mul, parameter, parameter);
  y = last(&s);
  TRY(sel_retain_grad(y));
  contexts_alive++;
  if (s.status == SEL_OK)
    s.status = sel_register_hook(y, ten_times, NULL, release_context);
  else
    release_context(NULL);
  MAKE(exp, y);
  MAKE(sum, last(&s), 0, NULL, false);
  TRY(sel_backward(1, &s.made[s.n - 1], NULL, true, false));
  TRY(sel_backward(1, &s.made[s.n - 1], NULL, false, true));
  MAKE(detach, y);
  /* recorded gradients hold the tensors they are gradients of */
  if (y) ASSERT_OK(sel_set_grad(y, NULL));
  ASSERT_OK(sel_set_grad(parameter, NULL));
  end(&s);
  ck_assert_int_eq(contexts_alive, 0);
  return s.status;
}

START_TEST(backward_with_hooks) {
  parameter = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(3)));
  expect_each_failure("backward", train_step, NULL);
  expect_each_failure("a leaf with a hook", hooked_leaf, NULL);
  drop(parameter);
}
END_TEST

/* More inputs than what fits the walk's own arrays. */
static sel_status wide_node(void *context) {
  (void)context;
  steps s = {0};
  sel_tensor *inputs[20], *g = NULL;
  for (int i = 0; i < 20; i++) {
    MAKE(mul_scalar, parameter, i);
    inputs[i] = last(&s);
  }
  MAKE(cat, 20, inputs, 0);
  MAKE(sum, last(&s), 0, NULL, false);
  TRY(sel_grad(1, &s.made[s.n - 1], NULL, 1, &parameter, false, false, false, &g));
  sel_release(g);
  return end(&s);
}

START_TEST(many_inputs) {
  parameter = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(3)));
  expect_each_failure("cat of 20", wide_node, NULL);
  drop(parameter);
}
END_TEST

static sel_status square_backward(void *context, sel_tensor *const *saved, sel_tensor *const *g,
                                  sel_tensor **grads) {
  (void)context;
  sel_tensor *twice;
  sel_status status = sel_mul_scalar(saved[0], 2, &twice);
  if (status != SEL_OK) return status;
  status = sel_mul(g[0], twice, &grads[0]);
  sel_release(twice);
  return status;
}
static const sel_function square_function = {.size = sizeof(sel_function),
                                             .name = "own_square",
                                             .backward = square_backward,
                                             .release = release_context};

static sel_status recorded_function(void *context) {
  (void)context;
  steps s = {0};
  sel_tensor *saved[9], *g = NULL, *gg = NULL, *y = NULL;
  for (int i = 0; i < 9; i++) saved[i] = parameter; /* more than the walk's own array holds */
  bool previous = sel_set_grad_enabled(false);
  MAKE(square, parameter);
  sel_set_grad_enabled(previous);
  if (s.status == SEL_OK) {
    y = last(&s);
    contexts_alive++;
    s.status = sel_record(&square_function, NULL, 1, &parameter, 9, saved, 1, &y);
  }
  MAKE(sum, y, 0, NULL, false);
  TRY(sel_grad(1, &s.made[s.n - 1], NULL, 1, &parameter, false, true, false, &g));
  MAKE(sum, g, 0, NULL, false);
  TRY(sel_grad(1, &s.made[s.n - 1], NULL, 1, &parameter, false, false, false, &gg));
  sel_release(g);
  sel_release(gg);
  end(&s);
  ck_assert_int_eq(contexts_alive, 0);
  return s.status;
}

START_TEST(functions) {
  parameter = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(3)));
  expect_each_failure("a recorded function", recorded_function, NULL);
  drop(parameter);
}
END_TEST

static sel_status segment(void *context, sel_tensor *const *in, sel_tensor **out) {
  (void)context;
  sel_tensor *noisy;
  sel_status status = sel_dropout(in[0], 0.5, &noisy);
  if (status != SEL_OK) return status;
  status = sel_sin(noisy, out);
  sel_release(noisy);
  return status;
}

static sel_status checkpointed(void *context) {
  (void)context;
  steps s = {0};
  contexts_alive++;
  MAKE(checkpoint, segment, NULL, release_context, 1, &parameter, 1);
  MAKE(sum, last(&s), 0, NULL, false);
  TRY(sel_backward(1, &s.made[s.n - 1], NULL, false, false));
  ASSERT_OK(sel_set_grad(parameter, NULL));
  end(&s);
  ck_assert_int_eq(contexts_alive, 0);
  return s.status;
}

START_TEST(checkpoints) {
  parameter = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(3)));
  expect_each_failure("a checkpoint", checkpointed, NULL);
  drop(parameter);
}
END_TEST

static sel_status host_walk(sel_tensor *root) {
  sel_backward_run *run;
  sel_backward_event event;
  sel_status status = sel_backward_start(1, &root, NULL, 1, &parameter, false, true, &run);
  if (status != SEL_OK) return status;
  while ((status = sel_backward_next(run, &event)) == SEL_OK && event.kind != SEL_BACKWARD_DONE) {
    sel_tensor *reply = NULL;
    status = sel_mul_scalar(event.grads[0], 3, &reply);
    if (status == SEL_OK) status = sel_backward_reply(run, 1, &reply);
    sel_release(reply);
    if (status != SEL_OK) break;
  }
  if (status == SEL_OK) sel_release(sel_backward_result(run, 0));
  sel_backward_finish(run);
  return status;
}

static sel_status host_events(void *context) {
  (void)context;
  steps s = {0};
  sel_tensor *y = NULL;
  bool recorded = false;
  MAKE(full, SHAPE(3), 1, SEL_F32, NULL);
  y = last(&s);
  TRY(sel_record_host("host", 1, 1, &parameter, 1, &y, &recorded));
  TRY(sel_register_host_hook(y, 2));
  MAKE(sum, y, 0, NULL, false);
  TRY(host_walk(last(&s)));
  end(&s);
  int64_t ids[8]; /* the list of released ids may have had no memory: then it is short */
  ck_assert_int_le(sel_released_host_ids(8, ids), 2);
  return s.status;
}

/* An id that finds no place in the list is a leak of the host, not an error; every other failure
 * is one. */
START_TEST(host_walks) {
  parameter = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(3)));
  ASSERT_OK(host_events(NULL));
  for (long n = 0; n < 10000; n++) {
    failing_allocator f = {.fail_at = n};
    sel_memory_release_cache(sel_default_device());
    sel_set_allocator(allocate_or_fail, &f);
    sel_status status = host_events(NULL);
    sel_memory_release_cache(sel_default_device());
    sel_set_allocator(NULL, NULL);
    ck_assert_int_eq(f.live, 0);
    ck_assert_msg(status == SEL_OK || status == SEL_E_MEMORY, "%s", sel_error());
    if (f.made <= n) {
      ck_assert_int_gt(n, 10);
      break;
    }
  }
  drop(parameter);
}
END_TEST

/* ---- in place: written, or not at all ---- */

typedef sel_status (*in_place_call)(sel_tensor *x, sel_tensor *y);
static sel_status exp_call(sel_tensor *x, sel_tensor *y) {
  (void)y;
  return sel_exp_(x);
}
static sel_status sin_call(sel_tensor *x, sel_tensor *y) {
  (void)y;
  return sel_sin_(x);
}
static sel_status add_scalar_call(sel_tensor *x, sel_tensor *y) {
  (void)y;
  return sel_add_scalar_(x, 5);
}
static sel_status fill_call(sel_tensor *x, sel_tensor *y) {
  (void)y;
  return sel_fill_(x, 5);
}
static sel_status write_call(sel_tensor *x, sel_tensor *y) {
  (void)y;
  sel_tensor *turned;
  sel_status status = sel_transpose(x, 0, 1, &turned);
  if (status != SEL_OK) return status;
  bool previous = sel_set_grad_enabled(false);
  status = sel_write(turned, (double[]){1, 2, 3, 4, 5, 6}, 6 * sizeof(double));
  sel_set_grad_enabled(previous);
  sel_release(turned);
  return status;
}
/* from a part of itself, so that a copy is needed */
static sel_status overlapping_call(sel_tensor *x, sel_tensor *y) {
  (void)y;
  sel_tensor *row;
  sel_status status = sel_select(x, 0, 1, &row);
  if (status != SEL_OK) return status;
  status = sel_mul_(x, row);
  sel_release(row);
  return status;
}

START_TEST(in_place_writes_once) {
  static const in_place_call calls[] = {exp_call,   sin_call,         add_scalar_call, fill_call,
                                        write_call, overlapping_call, sel_mul_,        sel_copy_};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    for (int recorded = 0; recorded < 2; recorded++) {
      sel_tensor *x = some_tensor(SEL_F64, -1, 1, 1, SHAPE(2, 3)),
                 *y = some_tensor(SEL_F64, 1, 2, 2, SHAPE(2, 3));
      sel_tensor *expected = NEW(clone, x), *source = NEW(clone, x);
      ASSERT_OK(calls[i](expected, y));
      if (recorded) leaf(source);
      long n = 0;
      for (bool failed = true; failed; n++) {
        sel_tensor *t = recorded ? NEW(mul_scalar, source, 1) : NEW(clone, source);
        failing_allocator f = {.fail_at = n};
        sel_memory_release_cache(sel_default_device());
        sel_set_allocator(allocate_or_fail, &f);
        sel_status status = calls[i](t, y);
        sel_set_allocator(NULL, NULL);
        failed = status != SEL_OK;
        if (failed) {
          ck_assert_int_eq(status, SEL_E_MEMORY);
          ASSERT_SAME(t, source); /* untouched */
          ASSERT_OK(calls[i](t, y));
        }
        ASSERT_SAME(t, expected);
        ck_assert_int_lt(n, 1000);
      }
      release_kept(0);
    }
}
END_TEST

TENSOR_SUITE("failing_memory", without_tape, two_devices, backward_with_hooks, many_inputs,
             functions, checkpoints, host_walks, in_place_writes_once)
