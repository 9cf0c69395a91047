/* Profiles: which events a piece of work gives, how they nest, what they cost. */
#include <pthread.h>

#include "fake_backend.h"

/* ---- looking at a profile ---- */

static sel_profile *stop(void) {
  sel_profile *p = NULL;
  ASSERT_OK(sel_profile_stop(&p));
  return p;
}

/* Events lie inside their parents, in order, and have whole nanoseconds. Returns their number. */
static int check_nesting(const sel_profile *p) {
  int n = sel_profile_count(p);
  for (int i = 0; i < n; i++) {
    const sel_profile_event *e = sel_profile_event_at(p, i);
    ck_assert(e->start >= 0 && e->end >= e->start && e->end <= sel_profile_seconds(p) * 1e9 + 1);
    ck_assert(e->start == floor(e->start) && e->end == floor(e->end));
    ck_assert(e->parent >= -1 && e->parent < i && e->layer >= -1 && e->layer < i);
    if (i > 0) ck_assert_double_ge(e->start, sel_profile_event_at(p, i - 1)->start);
    if (e->parent >= 0) {
      const sel_profile_event *around = sel_profile_event_at(p, e->parent);
      ck_assert(e->start >= around->start && e->end <= around->end);
    }
    for (int k = i - 1; k > e->parent; k--) /* what began before in the same parent has ended */
      if (sel_profile_event_at(p, k)->parent == e->parent)
        ck_assert_double_le(sel_profile_event_at(p, k)->end, e->start);
  }
  ck_assert_ptr_null(sel_profile_event_at(p, n));
  ck_assert_ptr_null(sel_profile_event_at(p, -1));
  return n;
}

static int find(const sel_profile *p, sel_profile_kind kind, const char *name, int after) {
  for (int i = after + 1; i < sel_profile_count(p); i++) {
    const sel_profile_event *e = sel_profile_event_at(p, i);
    if (e->kind == kind && strcmp(e->name, name) == 0) return i;
  }
  return -1;
}

static int count(const sel_profile *p, sel_profile_kind kind, const char *name) {
  int n = 0;
  for (int i = -1; (i = find(p, kind, name, i)) >= 0;) n++;
  return n;
}

static const sel_profile_event *event(const sel_profile *p, sel_profile_kind kind,
                                      const char *name) {
  int i = find(p, kind, name, -1);
  ck_assert_msg(i >= 0, "there is no event '%s'", name);
  return sel_profile_event_at(p, i);
}

/* Bytes and flops of the first operation `name` of a profile, which is released. */
static void assert_cost(const char *name, double bytes, double flops) {
  sel_profile *p = stop();
  const sel_profile_event *e = event(p, SEL_PROFILE_OPERATION, name);
  ck_assert_msg(e->bytes == bytes && e->flops == flops,
                "%s: expected %g bytes and %g flops, got %g and %g", name, bytes, flops, e->bytes,
                e->flops);
  sel_profile_release(p);
}

static void start(void) { ASSERT_OK(sel_profile_start(true)); }

/* ---- a network ---- */

typedef struct network {
  sel_tensor *w1, *b1, *w2, *x, *target;
  sel_optimizer *optimizer;
} network;

static network make_network(void) {
  network net = {.w1 = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(5, 3))),
                 .b1 = leaf(some_tensor(SEL_F32, -1, 1, 2, SHAPE(5))),
                 .w2 = leaf(some_tensor(SEL_F32, -1, 1, 3, SHAPE(2, 5))),
                 .x = some_tensor(SEL_F32, -1, 1, 4, SHAPE(4, 3)),
                 .target = TENSOR(SEL_I64, SHAPE(4), 0, 1, 1, 0)};
  sel_tensor *parameters[] = {net.w1, net.b1, net.w2};
  ASSERT_OK(sel_optimizer_new("adam", &net.optimizer));
  ASSERT_OK(sel_optimizer_add_group(net.optimizer, 3, parameters, NULL));
  return net;
}

static void train(const network *net) {
  sel_tensor *h = NEW(relu, NEW(linear, net->x, net->w1, net->b1));
  sel_tensor *y = NEW(linear, h, net->w2, NULL);
  sel_tensor *loss = NEW(cross_entropy, y, net->target, NULL, -100, 0, SEL_REDUCE_MEAN);
  sel_optimizer_zero_grad(net->optimizer);
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
  ASSERT_OK(sel_optimizer_step(net->optimizer));
}

START_TEST(counts) {
  network net = make_network();
  train(&net);
  start();
  for (int i = 0; i < 3; i++) train(&net);
  sel_profile *p = stop();
  check_nesting(p);
  ck_assert_int_eq(count(p, SEL_PROFILE_OPERATION, "linear"), 6);
  ck_assert_int_eq(count(p, SEL_PROFILE_OPERATION, "relu"), 3);
  ck_assert_int_eq(count(p, SEL_PROFILE_OPERATION, "cross_entropy"), 3);
  ck_assert_int_eq(count(p, SEL_PROFILE_GRADIENT, "linear"), 6);
  ck_assert_int_eq(count(p, SEL_PROFILE_GRADIENT, "relu"), 3);
  ck_assert_int_eq(count(p, SEL_PROFILE_GRADIENT, "cross_entropy"), 3);
  ck_assert_int_eq(count(p, SEL_PROFILE_UPDATE, "adam"), 3);
  /* for each: h's, w1's, w2's gradients; x wants none */
  ck_assert_int_eq(count(p, SEL_PROFILE_OPERATION, "matmul"), 9);
  /* gradients of leaves are inside those of their operations */
  for (int i = -1; (i = find(p, SEL_PROFILE_OPERATION, "matmul", i)) >= 0;) {
    const sel_profile_event *e = sel_profile_event_at(p, i);
    ck_assert_int_ge(e->parent, 0);
    ck_assert_int_eq(sel_profile_event_at(p, e->parent)->kind, SEL_PROFILE_GRADIENT);
  }
  /* parameter and two states read and written, the gradient read */
  ck_assert_double_eq(event(p, SEL_PROFILE_UPDATE, "adam")->bytes, (15 + 5 + 10) * 4 * 7);
  double roots = 0;
  for (int i = 0; i < sel_profile_count(p); i++) {
    const sel_profile_event *e = sel_profile_event_at(p, i);
    if (e->parent < 0) roots += e->end - e->start;
  }
  ck_assert_double_le(roots, sel_profile_seconds(p) * 1e9);
  sel_profile_release(p);
  sel_optimizer_release(net.optimizer);
}
END_TEST

START_TEST(nothing) {
  start();
  sel_profile *p = stop();
  ck_assert_int_eq(check_nesting(p), 0);
  ck_assert_double_ge(sel_profile_seconds(p), 0);
  sel_profile_release(p);
  sel_profile_release(NULL);
  /* what runs while nothing is recorded leaves no trace */
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(2), 1, 2);
  ck_assert_int_eq(sel_profile_enter("a", "b", NULL), 0);
  sel_profile_leave(0);
  start();
  NEW(exp, x);
  p = stop();
  ck_assert_int_eq(check_nesting(p), 1);
  sel_profile_release(p);
}
END_TEST

/* ---- costs ---- */

START_TEST(costs) {
  sel_tensor *a = some_tensor(SEL_F32, -1, 1, 1, SHAPE(7, 2, 3)),
             *b = some_tensor(SEL_F32, -1, 1, 2, SHAPE(3, 4));
  start();
  NEW(matmul, a, b);
  assert_cost("matmul", (42 + 12 + 56) * 4, 2 * 7 * 2 * 3 * 4);
  sel_tensor *row = NEW(expand, some_tensor(SEL_F64, -1, 1, 3, SHAPE(1, 3)), SHAPE(5, 3));
  start();
  NEW(exp, row); /* 3 elements read, 15 written */
  assert_cost("exp", 18 * 8, 0);
  start();
  ASSERT_OK(sel_add_scalar_(b, 1));
  assert_cost("add", 24 * 4, 0);
  start();
  NEW(transpose, a, 0, 1);
  assert_cost("permute", 0, 0);
  start();
  NEW(zeros, SHAPE(100), SEL_U8, NULL);
  assert_cost("full", 100, 0);
  start();
  ASSERT_OK(sel_uniform_(b, 0, 1));
  assert_cost("uniform", 12 * 4, 0);
  start();
  item(NEW(sum, b, 0, NULL, false));
  assert_cost("read", 4, 0);
}
END_TEST

START_TEST(costs_of_indexing) { /* what is taken, not what it is taken from */
  sel_tensor *table = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(1000, 8)));
  sel_tensor *ids = TENSOR(SEL_I64, SHAPE(3), 5, 6, 7);
  start();
  sel_tensor *rows = NEW(embedding, table, ids);
  assert_cost("embedding", 3 * 8 + 2 * 24 * 4, 0);
  start();
  sel_tensor *one = NEW(sum, rows, 0, NULL, false);
  ASSERT_OK(sel_backward(1, &one, NULL, false, false));
  assert_cost("index_add", 3 * 8 + 4 + 2 * 24 * 4, 0); /* the sum's gradient is one number */
  start();
  NEW(index_add, table, 0, ids, rows);
  assert_cost("index_add", 3 * 8 + 3 * 24 * 4 + 2 * 8000 * 4, 0);
  ASSERT_OK(sel_set_grad(table, NULL));
}
END_TEST

START_TEST(costs_of_convolution) {
  sel_tensor *x = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(2, 4, 9, 9))),
             *w = leaf(some_tensor(SEL_F32, -1, 1, 2, SHAPE(6, 2, 3, 3)));
  const int64_t one[] = {1, 1}, two[] = {2, 2};
  const double products = 2. * 2 * 6 * 5 * 5 * 2 * 3 * 3;
  start();
  sel_tensor *y = NEW(conv, 2, x, w, NULL, two, one, one, one, 2);
  assert_cost("conv", (2 * 4 * 81 + 108 + 2 * 6 * 25) * 4, products);
  sel_tensor *loss = NEW(sum, y, 0, NULL, false);
  start();
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
  sel_profile *p = stop();
  ck_assert_double_eq(event(p, SEL_PROFILE_OPERATION, "conv_transpose")->flops, products);
  ck_assert_double_eq(event(p, SEL_PROFILE_OPERATION, "conv_weight")->flops, products);
  sel_profile_release(p);
  ASSERT_OK(sel_set_grad(x, NULL));
  ASSERT_OK(sel_set_grad(w, NULL));
}
END_TEST

/* Flops of one kind of event, after a step forward and backward. */
static double flops_of(const sel_profile *p, const char *name) {
  return event(p, SEL_PROFILE_OPERATION, name)->flops;
}

START_TEST(costs_of_attention) {
  const int queries[] = {5, 3, 6}, pairs[] = {15, 12, 15}; /* causal, 5 keys */
  for (int i = 0; i < 3; i++) {
    sel_tensor *q = leaf(some_tensor(SEL_F32, -1, 1, 1, SHAPE(2, 4, queries[i], 8))),
               *k = some_tensor(SEL_F32, -1, 1, 2, SHAPE(2, 2, 5, 8)),
               *v = some_tensor(SEL_F32, -1, 1, 3, SHAPE(2, 2, 5, 16));
    start();
    sel_tensor *y = NEW(attention, q, k, v, NULL, true, 0, 0);
    sel_tensor *loss = NEW(sum, y, 0, NULL, false);
    ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
    sel_profile *p = stop();
    ck_assert_double_eq(flops_of(p, "attention"), 2. * 8 * pairs[i] * (8 + 16));
    ck_assert_double_eq(flops_of(p, "attention_grad"), 2. * 8 * pairs[i] * (3 * 8 + 2 * 16));
    sel_profile_release(p);
    ASSERT_OK(sel_set_grad(q, NULL));
  }
}
END_TEST

START_TEST(costs_of_recurrence) {
  sel_tensor *inputs = some_tensor(SEL_F32, -1, 1, 1, SHAPE(7, 3, 20)),
             *w = leaf(some_tensor(SEL_F32, -1, 1, 2, SHAPE(20, 5)));
  sel_tensor *y = NULL;
  const double product = 2. * 3 * 20 * 5;
  start();
  ASSERT_OK(
      sel_recurrence(SEL_CELL_LSTM, inputs, w, NULL, NULL, NULL, NULL, false, &y, NULL, NULL));
  sel_tensor *loss = NEW(sum, keep(y), 0, NULL, false);
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
  sel_profile *p = stop();
  ck_assert_double_eq(flops_of(p, "recurrence"), 7 * product);
  ck_assert_double_eq(flops_of(p, "recurrence_grad"), (6 + 6) * product);
  sel_profile_release(p);
  ASSERT_OK(sel_set_grad(w, NULL));
}
END_TEST

/* ---- layers ---- */

static sel_status init_scale(sel_layer *self, const sel_options *options) {
  sel_tensor *weight = NULL;
  (void)options;
  sel_status status = sel_ones(1, (int64_t[]){2}, SEL_F32, NULL, &weight);
  return status == SEL_OK ? sel_layer_add_parameter(self, "weight", weight) : status;
}
static sel_status forward_scale(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  if (sel_ndim(inputs[0]) == 0) return sel_fail(SEL_E_SHAPE, "a vector is expected");
  return sel_mul(inputs[0], sel_layer_tensor(self, "weight"), &outputs[0]);
}

static sel_status init_pair(sel_layer *self, const sel_options *options) {
  const char *names[] = {"first", "second"};
  (void)options;
  for (int i = 0; i < 2; i++) {
    sel_layer *child = NULL;
    sel_status status = sel_layer_make("scale", NULL, &child);
    if (status == SEL_OK) status = sel_layer_add_child(self, names[i], child);
    if (status != SEL_OK) return status;
  }
  return SEL_OK;
}
static sel_status forward_pair(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  sel_tensor *middle = NULL;
  sel_status status = sel_layer_apply(sel_layer_child(self, 0), inputs[0], &middle);
  if (status == SEL_OK) status = sel_layer_apply(sel_layer_child(self, 1), middle, outputs);
  sel_release(middle);
  return status;
}

static const sel_port port = {"x", "[2]", false};
static const sel_layer_type scale_type = {.size = sizeof(sel_layer_type),
                                          .name = "scale",
                                          .summary = "x * weight",
                                          .example = "nn.scale()",
                                          .n_inputs = 1,
                                          .inputs = &port,
                                          .n_outputs = 1,
                                          .outputs = &port,
                                          .init = init_scale,
                                          .forward = forward_scale};
static const sel_layer_type pair_type = {.size = sizeof(sel_layer_type),
                                         .name = "pair",
                                         .summary = "two layers",
                                         .example = "nn.pair()",
                                         .n_inputs = 1,
                                         .inputs = &port,
                                         .n_outputs = 1,
                                         .outputs = &port,
                                         .init = init_pair,
                                         .forward = forward_pair};

static sel_layer *make_pair(void) {
  sel_layer *layer = NULL;
  if (!sel_layer_type_find("pair")) {
    ASSERT_OK(sel_register_layer_type(&scale_type));
    ASSERT_OK(sel_register_layer_type(&pair_type));
  }
  ASSERT_OK(sel_layer_make("pair", NULL, &layer));
  return layer;
}

START_TEST(layers) {
  sel_layer *layer = make_pair();
  sel_tensor *y = NULL, *x = TENSOR(SEL_F32, SHAPE(2), 1, 2);
  start();
  ASSERT_OK(sel_layer_apply(layer, x, &y));
  sel_tensor *loss = NEW(sum, keep(y), 0, NULL, false);
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
  sel_layer_release(layer); /* names outlive the layers */
  sel_profile *p = stop();
  check_nesting(p);
  const int outer = find(p, SEL_PROFILE_LAYER, "pair", -1),
            first = find(p, SEL_PROFILE_LAYER, "first", -1),
            second = find(p, SEL_PROFILE_LAYER, "second", -1);
  ck_assert_int_eq(outer, 0);
  ck_assert_int_eq(sel_profile_event_at(p, outer)->layer, -1);
  ck_assert_str_eq(sel_profile_event_at(p, outer)->type, "pair");
  ck_assert_int_eq(sel_profile_event_at(p, first)->layer, outer);
  ck_assert_int_eq(sel_profile_event_at(p, second)->layer, outer);
  ck_assert_str_eq(sel_profile_event_at(p, first)->type, "scale");
  int mul = find(p, SEL_PROFILE_OPERATION, "mul", -1);
  ck_assert_int_eq(sel_profile_event_at(p, mul)->layer, first);
  ck_assert_int_eq(sel_profile_event_at(p, mul)->parent, first);
  ck_assert_int_eq(event(p, SEL_PROFILE_OPERATION, "sum")->layer, -1);
  /* a gradient and what its rule computes belong to the layer that ran forward; last comes first */
  ck_assert_int_eq(event(p, SEL_PROFILE_GRADIENT, "sum")->layer, -1);
  const int of_second = find(p, SEL_PROFILE_GRADIENT, "mul", -1),
            of_first = find(p, SEL_PROFILE_GRADIENT, "mul", of_second);
  ck_assert_int_eq(sel_profile_event_at(p, of_second)->layer, second);
  ck_assert_int_eq(sel_profile_event_at(p, of_second)->parent, -1);
  ck_assert_int_eq(sel_profile_event_at(p, of_first)->layer, first);
  ck_assert_int_eq(sel_profile_event_at(p, of_second + 1)->parent, of_second);
  ck_assert_int_eq(sel_profile_event_at(p, of_second + 1)->layer, second);
  sel_profile_release(p);
}
END_TEST

START_TEST(layers_of_a_host) {
  sel_layer *layer = make_pair();
  sel_tensor *y = NULL, *x = TENSOR(SEL_F32, SHAPE(2), 1, 2);
  start();
  int64_t net = sel_profile_enter("net", "Net", NULL);
  int64_t lost = sel_profile_enter("lost", "Lost", NULL);
  NEW(exp, x);
  sel_profile_leave(net); /* and with it `lost` */
  sel_profile_leave(lost);
  int64_t announced = sel_profile_enter("encoder", "pair", layer);
  ASSERT_OK(sel_layer_apply(layer, x, &y));
  sel_profile_leave(announced);
  sel_profile *p = stop();
  check_nesting(p);
  ck_assert_int_eq(find(p, SEL_PROFILE_LAYER, "net", -1), 0);
  ck_assert_int_eq(event(p, SEL_PROFILE_LAYER, "lost")->parent, 0);
  ck_assert_int_eq(event(p, SEL_PROFILE_LAYER, "encoder")->parent, -1);
  ck_assert_int_eq(count(p, SEL_PROFILE_LAYER, "pair"), 0);
  ck_assert_int_eq(event(p, SEL_PROFILE_LAYER, "first")->parent,
                   find(p, SEL_PROFILE_LAYER, "encoder", -1));
  sel_profile_release(p);
  sel_release(y);
  sel_layer_release(layer);
}
END_TEST

/* ---- results ---- */

static void inspect(void) {
  start();
  ASSERT_OK(sel_profile_inspect());
}

/* What the first operation `name` was given and made, and the operation behind its inputs. */
static void assert_result(const sel_profile *p, const char *name, sel_finiteness given,
                          sel_finiteness made, const char *source) {
  const int i = find(p, SEL_PROFILE_OPERATION, name, -1);
  const sel_profile_result *r = sel_profile_result_at(p, i);
  ck_assert_msg(r && r->given == given && r->made == made, "%s: given %d, made %d", name,
                r ? (int)r->given : -1, r ? (int)r->made : -1);
  const sel_profile_event *maker = sel_profile_event_at(p, r->source);
  if (source)
    ck_assert_str_eq(maker ? maker->name : "", source);
  else
    ck_assert_int_eq(r->source, -1);
}

START_TEST(results) {
  for (int d = SEL_F32; d <= SEL_BF16; d++) {
    sel_tensor *x = TENSOR((sel_dtype)d, SHAPE(3), 0, 1, 2);
    inspect();
    sel_tensor *y = NEW(log, x);                  /* -inf, 0, .. */
    sel_tensor *part = NEW(slice, y, 0, 0, 2, 1); /* -inf, 0: as `log` left it */
    sel_tensor *z = NEW(mul_scalar, part, 0);     /* nan, 0 */
    ck_assert_int_eq(sel_profile_maker(x), -1);
    const int maker = sel_profile_maker(z);
    NEW(exp, z);
    NEW(abs, NEW(slice, y, 0, 1, 3, 1)); /* of the elements that are finite */
    sel_profile *p = stop();
    ck_assert_int_eq(maker, find(p, SEL_PROFILE_OPERATION, "mul", -1));
    assert_result(p, "log", SEL_FINITE, SEL_INFINITE, NULL);
    assert_result(p, "mul", SEL_INFINITE, SEL_NAN, "log");
    assert_result(p, "exp", SEL_NAN, SEL_NAN, "mul");
    assert_result(p, "abs", SEL_FINITE, SEL_FINITE, NULL);
    ck_assert_ptr_null(sel_profile_result_at(p, sel_profile_count(p)));
    sel_profile_release(p);
  }
}
END_TEST

START_TEST(results_in_place) { /* and of values that were there before */
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(2), INFINITY, 1), *y = TENSOR(SEL_F32, SHAPE(2), 1, 0);
  inspect();
  ASSERT_OK(sel_sub_(x, x));
  ASSERT_OK(sel_reciprocal_(y));
  ASSERT_OK(sel_mul_(y, x)); /* a NaN goes before an infinity */
  sel_profile *p = stop();
  assert_result(p, "sub", SEL_INFINITE, SEL_NAN, NULL);
  assert_result(p, "reciprocal", SEL_FINITE, SEL_INFINITE, NULL);
  assert_result(p, "mul", SEL_NAN, SEL_NAN, "sub");
  ck_assert_int_eq(count(p, SEL_PROFILE_OPERATION, "read"), 0); /* looking is no event */
  sel_profile_release(p);
}
END_TEST

START_TEST(results_of_layers) {
  sel_layer *layer = make_pair();
  sel_tensor *y = NULL, *x = TENSOR(SEL_F32, SHAPE(3, 2), 1, 2, 3, 4, 5, 6);
  inspect();
  const int64_t net = sel_profile_enter("net", "Net", NULL);
  const int64_t announced = sel_profile_enter("encoder", "pair", layer);
  ASSERT_OK(sel_layer_apply(layer, x, &y));
  sel_profile_leave(announced);
  sel_profile_gave(NEW(sum, keep(y), 0, NULL, false));
  sel_profile_leave(net);
  sel_profile *p = stop();
  const char *names[] = {"net", "encoder", "first", "second"};
  for (int i = 0; i < 4; i++)
    ck_assert_str_eq(sel_profile_result_at(p, find(p, SEL_PROFILE_LAYER, names[i], -1))->text,
                     i == 0 ? "f32[]" : "f32[3, 2]");
  sel_profile_release(p);
  sel_layer_release(layer);
}
END_TEST

START_TEST(results_are_not_looked_at_unless_asked_for) {
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(1), 0);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_profile_inspect(), "profile: ", "is not being recorded");
  start();
  NEW(exp, x);
  ck_assert_int_eq(sel_profile_maker(x), -1);
  sel_profile_gave(x);
  sel_profile *p = stop();
  ck_assert_ptr_null(sel_profile_result_at(p, 0));
  sel_profile_release(p);
  start(); /* what ran before asking has no result */
  NEW(exp, x);
  ASSERT_OK(sel_profile_inspect());
  NEW(log, x);
  for (int i = 0; i < 300; i++) NEW(abs, x); /* the list grows */
  p = stop();
  ck_assert_ptr_null(sel_profile_result_at(p, 0)->text);
  assert_result(p, "log", SEL_FINITE, SEL_INFINITE, NULL);
  ck_assert_str_eq(sel_profile_result_at(p, 301)->text, "f32[1]");
  sel_profile_release(p);
  sel_profile_gave(x);
}
END_TEST

/* ---- from one recording to the next ---- */

START_TEST(recordings_do_not_mix) {
  sel_layer *layer = make_pair();
  sel_tensor *y = NULL, *x = TENSOR(SEL_F32, SHAPE(2), 1, 2);
  start();
  int64_t open = sel_profile_enter("net", "Net", NULL);
  ASSERT_OK(sel_layer_apply(layer, x, &y));
  sel_profile *p = stop();
  check_nesting(p); /* `net` ended with the recording */
  sel_profile_release(p);
  start();
  sel_profile_enter("other", "Other", NULL);
  sel_profile_leave(open); /* is no number of this recording */
  sel_tensor *loss = NEW(sum, keep(y), 0, NULL, false);
  ASSERT_OK(sel_backward(1, &loss, NULL, false, false));
  p = stop();
  check_nesting(p);
  ck_assert_int_eq(event(p, SEL_PROFILE_OPERATION, "sum")->parent, 0);
  ck_assert_int_eq(event(p, SEL_PROFILE_GRADIENT, "mul")->layer, -1);
  sel_profile_release(p);
  sel_layer_release(layer);
}
END_TEST

START_TEST(mistakes) {
  sel_profile *p = NULL;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_profile_stop(&p), "profile: ", "is not being recorded");
  ck_assert_ptr_null(p);
  start();
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_profile_start(false), "profile: ", "don't nest");
  sel_layer *layer = make_pair();
  sel_tensor *y = NULL, *number = TENSOR(SEL_F32, SHAPE(), 1), *x = TENSOR(SEL_F32, SHAPE(2), 1, 2);
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_apply(layer, number, &y), "a vector is expected");
  ASSERT_FAILS(SEL_E_SHAPE, sel_matmul(x, TENSOR(SEL_F32, SHAPE(3), 1, 2, 3), &y), "matmul");
  NEW(exp, x);
  p = stop();
  check_nesting(p);
  ck_assert_int_eq(event(p, SEL_PROFILE_OPERATION, "exp")->parent, -1);
  sel_profile_release(p);
  sel_layer_release(layer);
}
END_TEST

static sel_status record_little(void *context) {
  sel_layer *layer = context;
  sel_tensor *x = NULL, *y = NULL;
  sel_profile *p = NULL;
  sel_status status = sel_profile_start(true);
  if (status != SEL_OK) return status;
  status = sel_profile_inspect();
  if (status == SEL_OK) status = sel_ones(1, (int64_t[]){2}, SEL_F32, NULL, &x);
  if (status == SEL_OK) status = sel_layer_apply(layer, x, &y);
  sel_release(x);
  sel_release(y);
  sel_status stopped = sel_profile_stop(&p);
  sel_profile_release(p);
  return status == SEL_OK ? stopped : status;
}

START_TEST(without_memory) {
  sel_layer *layer = make_pair();
  expect_memory_errors(record_little, layer);
  sel_layer_release(layer);
}
END_TEST

/* ---- other doors ---- */

static void fill_rows(sel_loader **out) {
  sel_tensor *rows = sequence(SEL_F32, 0, 1, SHAPE(10, 2));
  sel_loader_settings settings = {
      .size = sizeof settings, .batch_size = 4, .workers = 1, .prefetch = 2};
  sel_loader_field field = {.size = sizeof field, .rows = rows, .dtype = SEL_F32, .scale = 1};
  ASSERT_OK(sel_loader_new(&settings, 1, &field, out));
}

START_TEST(batches) {
  sel_loader *loader = NULL;
  fill_rows(&loader);
  start();
  ASSERT_OK(sel_loader_start(loader, 0, 0));
  for (bool more = true; more;) {
    sel_tensor *batch = NULL;
    ASSERT_OK(sel_loader_next(loader, NULL, &batch, &more));
    sel_release(batch);
  }
  sel_profile *p = stop();
  check_nesting(p);
  ck_assert_int_eq(count(p, SEL_PROFILE_DATA, "batch"), 3);
  sel_profile_release(p);
  sel_loader_release(loader);
}
END_TEST

START_TEST(function_of_a_host) { /* what the host computes lies inside the function's gradient */
  sel_tensor *x = leaf(TENSOR(SEL_F32, SHAPE(2), 1, 2)), *y = TENSOR(SEL_F32, SHAPE(2), 1, 4);
  bool recorded = false;
  ASSERT_OK(sel_record_host("square", 7, 1, &x, 1, &y, &recorded));
  ck_assert(recorded);
  sel_tensor *loss = NEW(sum, y, 0, NULL, false);
  start();
  sel_backward_run *run = NULL;
  sel_backward_event todo;
  ASSERT_OK(sel_backward_start(1, &loss, NULL, 0, NULL, false, false, &run));
  ASSERT_OK(sel_backward_next(run, &todo));
  ck_assert_int_eq(todo.kind, SEL_BACKWARD_FUNCTION);
  sel_tensor *grad = NEW(exp, todo.grads[0]);
  ASSERT_OK(sel_backward_reply(run, 1, &grad));
  ASSERT_OK(sel_backward_next(run, &todo));
  ck_assert_int_eq(todo.kind, SEL_BACKWARD_DONE);
  sel_backward_finish(run);
  NEW(relu, x);
  /* a walk that is given up ends its gradient, too */
  y = TENSOR(SEL_F32, SHAPE(2), 1, 4);
  ASSERT_OK(sel_record_host("square", 8, 1, &x, 1, &y, &recorded));
  sel_tensor *ones = TENSOR(SEL_F32, SHAPE(2), 1, 1);
  ASSERT_OK(sel_backward_start(1, &y, &ones, 0, NULL, false, false, &run));
  ASSERT_OK(sel_backward_next(run, &todo));
  sel_backward_finish(run);
  NEW(tanh, x);
  sel_profile *p = stop();
  check_nesting(p);
  ck_assert_int_eq(count(p, SEL_PROFILE_GRADIENT, "square"), 2);
  ck_assert_int_eq(event(p, SEL_PROFILE_OPERATION, "exp")->parent,
                   find(p, SEL_PROFILE_GRADIENT, "square", -1));
  ck_assert_int_eq(event(p, SEL_PROFILE_OPERATION, "relu")->parent, -1);
  ck_assert_int_eq(event(p, SEL_PROFILE_OPERATION, "tanh")->parent, -1);
  sel_profile_release(p);
  ASSERT_OK(sel_set_grad(x, NULL));
  int64_t ids[2];
  sel_released_host_ids(2, ids);
}
END_TEST

START_TEST(waits_where_asked) {
  sel_tensor *x = NEW(to, TENSOR(SEL_F32, SHAPE(2), 1, 2), SEL_F32, fake_device());
  for (int synchronize = 0; synchronize < 2; synchronize++) {
    ASSERT_OK(sel_profile_start(synchronize));
    long before = fake.synchronizations;
    NEW(exp, x);
    NEW(view, x, SHAPE(2, 1)); /* computes nothing */
    ck_assert_int_eq(fake.synchronizations - before, synchronize);
    sel_profile_release(stop());
  }
}
END_TEST

/* ---- threads ---- */

typedef struct worker {
  pthread_barrier_t *barrier;
  int n, events;
} worker;

static sel_status work(const worker *w) {
  sel_tensor *x = NULL, *y = NULL;
  sel_status status = sel_ones(1, (int64_t[]){8}, SEL_F32, NULL, &x);
  for (int i = 0; i < w->n && status == SEL_OK; i++) {
    status = sel_exp(x, &y);
    if (status == SEL_OK) sel_release(y);
  }
  sel_release(x);
  return status;
}

static void *work_recorded(void *context) {
  worker *w = context;
  sel_profile *p = NULL;
  sel_status status = sel_profile_start(true);
  pthread_barrier_wait(w->barrier); /* both record */
  if (status == SEL_OK) status = work(w);
  pthread_barrier_wait(w->barrier);
  if (sel_profile_stop(&p) != SEL_OK || status != SEL_OK) return NULL;
  w->events = sel_profile_count(p);
  sel_profile_release(p);
  return context;
}

START_TEST(two_threads) {
  pthread_barrier_t barrier;
  pthread_t thread[2];
  worker w[2] = {{.barrier = &barrier, .n = 500}, {.barrier = &barrier, .n = 700}};
  pthread_barrier_init(&barrier, NULL, 3);
  for (int i = 0; i < 2; i++)
    ck_assert_int_eq(pthread_create(&thread[i], NULL, work_recorded, &w[i]), 0);
  pthread_barrier_wait(&barrier);
  worker unwatched = {.n = 300}; /* this thread doesn't record, though others do */
  ASSERT_OK(work(&unwatched));
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 2; i++) {
    void *result;
    pthread_join(thread[i], &result);
    ck_assert_ptr_nonnull(result);
    ck_assert_int_eq(w[i].events, w[i].n + 1);
  }
  pthread_barrier_destroy(&barrier);
}
END_TEST

static sel_status failing_wait(sel_backend_device device) {
  (void)device;
  return sel_fail(SEL_E_ARGUMENT, "a kernel found a mistake");
}

/* What a device says only when it is waited for becomes the recording's failure. */
START_TEST(failures_found_late) {
  static sel_backend late;
  sel_device *device;
  sel_profile *p = NULL;
  late = *fake_cpu();
  late.name = "late";
  late.synchronize = failing_wait;
  ASSERT_OK(sel_register_backend(&late));
  ASSERT_OK(sel_device_find("late", &device));
  sel_tensor *x = NEW(to, TENSOR(SEL_F32, SHAPE(2), 1, 2), SEL_F32, device);
  ASSERT_OK(sel_profile_start(true));
  NEW(exp, x);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_profile_stop(&p), "a kernel found a mistake");
  ck_assert_ptr_null(p);
  ASSERT_OK(sel_profile_start(false));
  NEW(exp, x);
  sel_profile_release(stop());
}
END_TEST

TENSOR_SUITE("profile", counts, nothing, costs, costs_of_indexing, costs_of_convolution,
             costs_of_attention, costs_of_recurrence, layers, layers_of_a_host, results,
             results_in_place, results_of_layers, results_are_not_looked_at_unless_asked_for,
             recordings_do_not_mix, mistakes, without_memory, batches, function_of_a_host,
             waits_where_asked, failures_found_late, two_threads)
