/* Layers: making them, what they hold, running them with the path in errors, moving them. */
#include <stdio.h>

#include "expect.h"

/* ---- layer types to test with ---- */

static int finished; /* calls of finish_factor */

static sel_status init_factor(sel_layer *self, const sel_options *options) {
  sel_tensor *weight = NULL, *count = NULL, *scratch = NULL;
  if (sel_options_bool(options, "fail"))
    return sel_fail(SEL_E_UNSUPPORTED, "asked to fail in init");
  sel_status status =
      sel_full(1, (int64_t[]){2}, sel_options_number(options, "value"), SEL_F32, NULL, &weight);
  if (status == SEL_OK) status = sel_layer_add_parameter(self, "weight", weight);
  if (status == SEL_OK) status = sel_layer_add_parameter(self, "bias", NULL);
  if (status == SEL_OK) status = sel_zeros(0, NULL, SEL_I64, NULL, &count);
  if (status == SEL_OK) status = sel_layer_add_buffer(self, "count", count, true);
  if (status == SEL_OK) status = sel_ones(1, (int64_t[]){3}, SEL_F64, NULL, &scratch);
  if (status == SEL_OK) status = sel_layer_add_buffer(self, "scratch", scratch, false);
  return status;
}

static void finish_factor(sel_layer *self) {
  (void)self;
  finished++;
}

static sel_status forward_factor(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  if (sel_ndim(inputs[0]) == 0) return sel_fail(SEL_E_SHAPE, "a vector is expected");
  return sel_mul(inputs[0], sel_layer_tensor(self, "weight"), &outputs[0]);
}

static const sel_option factor_options[] = {
    {.name = "value", .kind = SEL_OPTION_NUMBER, .default_text = "2", .doc = "factor"},
    {.name = "fail", .kind = SEL_OPTION_BOOL, .default_text = "false", .doc = "fail in init"}};
static const sel_port x_port = {"x", "[2]", false}, y_port = {"y", "[2]", false};

static const sel_layer_type factor = {.size = sizeof(sel_layer_type),
                                      .name = "factor",
                                      .summary = "x * weight",
                                      .example = "nn.factor()",
                                      .n_options = 2,
                                      .options = factor_options,
                                      .n_inputs = 1,
                                      .inputs = &x_port,
                                      .n_outputs = 1,
                                      .outputs = &y_port,
                                      .init = init_factor,
                                      .finish = finish_factor,
                                      .forward = forward_factor};

/* A chain of two children of a type that an option names. */
static sel_status init_chain(sel_layer *self, const sel_options *options) {
  const char *type = sel_options_string(options, "of");
  const char *names[] = {"0", "factor"};
  for (int i = 0; i < 2; i++) {
    sel_layer *child = NULL;
    sel_status status = sel_layer_make(type, NULL, &child);
    if (status == SEL_OK) status = sel_layer_add_child(self, names[i], child);
    if (status != SEL_OK) return status;
  }
  *(int *)sel_layer_state(self) = 42;
  return SEL_OK;
}

static sel_status forward_chain(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  if (sel_ndim(inputs[0]) == 2) return sel_fail(SEL_E_SHAPE, "0 matrices are expected");
  sel_tensor *middle = NULL;
  sel_status status = sel_layer_apply(sel_layer_child(self, 0), inputs[0], &middle);
  if (status == SEL_OK) status = sel_layer_apply(sel_layer_child(self, 1), middle, outputs);
  sel_release(middle);
  return status;
}

static void describe_chain(const sel_layer *self, char *text, size_t size) {
  snprintf(text, size, "%d children", sel_layer_child_count(self));
}

static const sel_option chain_options[] = {
    {.name = "of", .kind = SEL_OPTION_STRING, .default_text = "factor", .doc = "type"}};

static const sel_layer_type chain = {.size = sizeof(sel_layer_type),
                                     .name = "chain",
                                     .summary = "two layers",
                                     .example = "nn.chain()",
                                     .n_options = 1,
                                     .options = chain_options,
                                     .n_inputs = 1,
                                     .inputs = &x_port,
                                     .n_outputs = 1,
                                     .outputs = &y_port,
                                     .state_size = sizeof(int),
                                     .init = init_chain,
                                     .forward = forward_chain,
                                     .describe = describe_chain};

static sel_status init_ports(sel_layer *self, const sel_options *options) {
  (void)self, (void)options;
  return SEL_OK;
}

/* Outputs the inputs, and forgets the first output when there is a third input. */
static sel_status forward_ports(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  (void)self;
  if (!inputs[2]) outputs[0] = sel_retain(inputs[0]);
  outputs[1] = sel_retain(inputs[1]);
  return SEL_OK;
}

static const sel_port in_ports[] = {
    {"query", "[N]", false}, {"mask", "[N]", true}, {"third", "[N]", true}};
static const sel_port out_ports[] = {{"result", "[N]", false}, {"weights", "[N]", true}};

static const sel_layer_type ports = {.size = sizeof(sel_layer_type),
                                     .name = "ports",
                                     .summary = "several inputs and outputs",
                                     .example = "nn.ports()",
                                     .n_inputs = 3,
                                     .inputs = in_ports,
                                     .n_outputs = 2,
                                     .outputs = out_ports,
                                     .init = init_ports,
                                     .forward = forward_ports};

static const sel_port twin_ports[] = {{"left", "[N]", false}, {"right", "[N]", false}};

static const sel_layer_type twins_type = {.size = sizeof(sel_layer_type),
                                          .name = "twins",
                                          .summary = "two outputs, always",
                                          .n_inputs = 1,
                                          .inputs = &x_port,
                                          .n_outputs = 2,
                                          .outputs = twin_ports,
                                          .init = init_ports,
                                          .forward = forward_ports};

static void register_types(void) {
  if (sel_layer_type_find("factor")) return;
  ASSERT_OK(sel_register_layer_type(&factor));
  ASSERT_OK(sel_register_layer_type(&chain));
  ASSERT_OK(sel_register_layer_type(&ports));
}

static sel_layer *new_layer(const char *type, const char *options) {
  sel_layer *layer;
  register_types();
  ASSERT_OK(sel_layer_make(type, options, &layer));
  return layer;
}

static sel_tensor *new_tensor(int ndim) {
  sel_tensor *t;
  ASSERT_OK(sel_full(ndim, (int64_t[]){2, 2}, 1, SEL_F32, NULL, &t));
  return t;
}

/* ---- making and holding ---- */

START_TEST(making) {
  sel_layer *layer = new_layer("factor", "value=3"), *other = NULL;
  char text[64];
  ck_assert_ptr_eq(sel_layer_get_type(layer), &factor);
  ck_assert_ptr_null(sel_layer_state(layer));
  ck_assert(sel_layer_training(layer));
  ck_assert_str_eq(sel_layer_describe(layer, text, sizeof text), "value=3");
  ck_assert_str_eq(sel_layer_describe(layer, text, 4), "val");
  ck_assert_ptr_eq(sel_layer_retain(layer), layer);
  sel_layer_release(layer);
  ck_assert_int_eq(finished, 0);
  sel_layer_release(layer);
  ck_assert_int_eq(finished, 1);
  sel_layer_release(NULL);
  ck_assert_ptr_null(sel_layer_retain(NULL));

  ASSERT_FAILS(SEL_E_UNSUPPORTED, sel_layer_make("factor", "fail=true", &other),
               "factor: asked to fail in init");
  ck_assert_int_eq(finished, 2); /* also after an init that failed */
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_make("factr", "", &other),
               "there is no layer type 'factr'; did you mean 'factor'?");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_make(NULL, "", &other), "got NULL");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_new(NULL, NULL, &other), "got NULL");
  sel_options *options;
  ASSERT_OK(sel_options_new(&chain, &options));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_new(&factor, options, &other),
               "factor: the options given are those of chain");
  sel_options_release(options);
  ck_assert_ptr_null(other);
  ASSERT_OK(sel_layer_new(&factor, NULL, &other));
  ck_assert_str_eq(sel_layer_describe(other, text, sizeof text), "value=2, fail=false");
  sel_layer_release(other);
}
END_TEST

START_TEST(slots) {
  sel_layer *layer = new_layer("factor", NULL);
  const char *names[] = {"weight", "bias", "count", "scratch"};
  sel_slot_kind kinds[] = {SEL_SLOT_PARAMETER, SEL_SLOT_PARAMETER, SEL_SLOT_BUFFER,
                           SEL_SLOT_SCRATCH};
  ck_assert_int_eq(sel_layer_slot_count(layer), 4);
  for (int i = 0; i < 4; i++) {
    ck_assert_str_eq(sel_layer_slot_name(layer, i), names[i]);
    ck_assert_int_eq(sel_layer_slot_kind(layer, i), kinds[i]);
    ck_assert_ptr_eq(sel_layer_slot(layer, i), sel_layer_tensor(layer, names[i]));
    ck_assert((sel_layer_slot(layer, i) == NULL) == (i == 1));
  }
  ck_assert(sel_requires_grad(sel_layer_slot(layer, 0)));
  ck_assert(!sel_requires_grad(sel_layer_slot(layer, 3)));
  ck_assert_ptr_null(sel_layer_slot(layer, 4));
  ck_assert_ptr_null(sel_layer_slot_name(layer, -1));
  ck_assert_ptr_null(sel_layer_tensor(layer, "wait"));

  sel_tensor *t = new_tensor(1);
  ASSERT_OK(sel_layer_set_slot(layer, 0, sel_retain(t)));
  ck_assert_ptr_eq(sel_layer_slot(layer, 0), t);
  ASSERT_OK(sel_layer_set_slot(layer, 0, NULL));
  ck_assert_ptr_null(sel_layer_slot(layer, 0));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_set_slot(layer, 4, sel_retain(t)),
               "factor: slot 4 is out of range, there are 4");

  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_add_parameter(layer, "weight", sel_retain(t)),
               "factor: the name 'weight' is taken twice");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_add_buffer(layer, "a.b", sel_retain(t), true),
               "the name of a buffer is a text without '.', got 'a.b'");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_add_buffer(layer, "", NULL, true), "got ''");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_add_parameter(layer, NULL, NULL), "got 'NULL'");
  sel_tensor *whole;
  ASSERT_OK(sel_zeros(0, NULL, SEL_I64, NULL, &whole));
  ck_assert_int_ne(sel_layer_add_parameter(layer, "whole", whole), SEL_OK); /* takes no gradient */
  ck_assert_int_eq(sel_layer_slot_count(layer), 4);
  sel_release(t);
  sel_layer_release(layer);
}
END_TEST

START_TEST(children) {
  sel_layer *outer = new_layer("chain", "of=chain"), *leaf = new_layer("factor", NULL);
  char text[64];
  ck_assert_int_eq(*(int *)sel_layer_state(outer), 42);
  ck_assert_str_eq(sel_layer_describe(outer, text, sizeof text), "2 children");
  ck_assert_int_eq(sel_layer_child_count(outer), 2);
  ck_assert_str_eq(sel_layer_child_name(outer, 0), "0");
  ck_assert_ptr_null(sel_layer_child(outer, 2));
  ck_assert_ptr_null(sel_layer_child_name(outer, -1));

  sel_layer *inner = sel_layer_child(outer, 0);
  sel_layer_set_training(outer, false);
  ck_assert(!sel_layer_training(sel_layer_child(inner, 1)));
  sel_layer_set_training(inner, true);
  ck_assert(sel_layer_training(sel_layer_child(inner, 1)) && !sel_layer_training(outer));

  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_add_child(outer, "self", sel_layer_retain(outer)),
               "chain: child 'self' would make the layer a part of itself");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_add_child(inner, "up", sel_layer_retain(outer)),
               "a part of itself");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_add_child(outer, "0", sel_layer_retain(leaf)),
               "the name '0' is taken twice");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_add_child(outer, "none", NULL), "child 'none' is NULL");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_add_child(leaf, "weight", sel_layer_retain(inner)),
               "the name 'weight' is taken twice");
  ck_assert_int_eq(sel_layer_child_count(outer), 2);

  finished = 0;
  ASSERT_OK(sel_layer_add_child(outer, "shared", sel_layer_retain(leaf)));
  ASSERT_OK(sel_layer_add_child(inner, "shared", leaf));
  sel_layer_release(outer);
  ck_assert_int_eq(finished, 5);
}
END_TEST

/* ---- running ---- */

START_TEST(running) {
  sel_layer *layer = new_layer("chain", NULL);
  sel_tensor *x = new_tensor(1), *y;
  double value;
  ASSERT_OK(sel_layer_apply(layer, x, &y));
  ASSERT_OK(sel_get(y, 1, (int64_t[]){1}, &value));
  ck_assert_double_eq(value, 4);
  ck_assert(sel_requires_grad(y) || sel_grad_fn(y));
  sel_tensor *sum, *weight = sel_layer_tensor(sel_layer_child(layer, 0), "weight");
  ASSERT_OK(sel_sum(y, 0, NULL, false, &sum));
  ASSERT_OK(sel_backward(1, &sum, NULL, false, false));
  ASSERT_OK(sel_get(sel_grad_of(weight), 1, (int64_t[]){0}, &value));
  ck_assert_double_eq(value, 2);
  sel_release(sum);
  sel_release(y);
  sel_release(x);
  sel_layer_release(layer);
}
END_TEST

START_TEST(port_checks) {
  sel_layer *layer = new_layer("ports", NULL), *single = new_layer("factor", NULL), *twins;
  ASSERT_OK(sel_layer_new(&twins_type, NULL, &twins));
  sel_tensor *x = new_tensor(1), *untouched = x, *out[] = {untouched, untouched};
  sel_tensor *none[] = {NULL, x, NULL}, *all[] = {x, x, x, x};
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_forward(layer, 0, NULL, out),
               "ports: input 1 (query, [N]) is missing");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_forward(layer, 3, none, out),
               "ports: input 1 (query, [N]) is missing");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_forward(layer, 4, all, out),
               "ports takes up to 3 inputs, got 4");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_forward(layer, -1, all, out), "got -1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_forward(single, 2, all, out),
               "factor takes up to 1 input, got 2");
  ASSERT_FAILS(SEL_E_INTERNAL, sel_layer_forward(layer, 3, all, out),
               "ports: the layer type forgot to write its output 'result'");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_apply(twins, x, out), "twins has 2 outputs");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_apply(single, NULL, out), "input 1 (x, [2]) is missing");
  ck_assert(out[0] == untouched && out[1] == untouched);

  ASSERT_OK(sel_layer_forward(layer, 1, all, out));
  ck_assert(out[0] == x && out[1] == NULL);
  sel_release(out[0]);
  ASSERT_OK(sel_layer_forward(layer, 2, all, out));
  ck_assert(out[0] == x && out[1] == x);
  sel_release(out[0]);
  sel_release(out[1]);
  ASSERT_OK(sel_layer_apply(layer, x, out));
  ck_assert(out[0] == x);
  sel_release(out[0]);
  sel_release(x);
  sel_layer_release(layer);
  sel_layer_release(single);
  sel_layer_release(twins);
}
END_TEST

START_TEST(error_paths) {
  sel_layer *outer = new_layer("chain", "of=chain"), *inner = sel_layer_child(outer, 1);
  sel_tensor *scalar = new_tensor(0), *matrix = new_tensor(2), *out = NULL;
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_apply(sel_layer_child(inner, 0), scalar, &out), "");
  ck_assert_str_eq(sel_error(), "factor: a vector is expected");
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_apply(inner, scalar, &out), "");
  ck_assert_str_eq(sel_error(), "chain.0.factor: a vector is expected");
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_apply(outer, scalar, &out), "");
  ck_assert_str_eq(sel_error(), "chain.0.0.factor: a vector is expected");
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_apply(inner, matrix, &out), "");
  ck_assert_str_eq(sel_error(), "chain: 0 matrices are expected");
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_apply(outer, matrix, &out), "");
  ck_assert_str_eq(sel_error(), "chain: 0 matrices are expected");
  ck_assert_ptr_null(out);
  sel_release(scalar);
  sel_release(matrix);
  sel_layer_release(outer);
}
END_TEST

/* ---- moving ---- */

START_TEST(moving) {
  sel_layer *outer = new_layer("chain", NULL);
  sel_layer *first = sel_layer_child(outer, 0), *second = sel_layer_child(outer, 1);
  sel_tensor *tied = sel_layer_slot(first, 0);
  ASSERT_OK(sel_layer_set_slot(second, 0, sel_retain(tied)));
  ASSERT_OK(sel_layer_add_child(outer, "again", sel_layer_retain(first)));
  sel_tensor *grad;
  ASSERT_OK(sel_ones(1, (int64_t[]){2}, SEL_F32, NULL, &grad));
  ASSERT_OK(sel_set_grad(tied, grad));
  sel_release(grad);
  ASSERT_OK(sel_set_requires_grad(sel_layer_slot(second, 3), true));

  ASSERT_OK(sel_layer_to(outer, SEL_DTYPE_COUNT, NULL));
  ck_assert_ptr_eq(sel_layer_slot(first, 0), tied);
  ASSERT_OK(sel_layer_to(outer, SEL_F64, NULL));
  sel_tensor *moved = sel_layer_slot(first, 0);
  ck_assert_int_eq(sel_tensor_dtype(moved), SEL_F64);
  ck_assert(sel_is_leaf(moved) && sel_requires_grad(moved));
  ck_assert_ptr_eq(sel_layer_slot(second, 0), moved);
  ck_assert_ptr_nonnull(sel_grad_of(moved));
  ck_assert_int_eq(sel_tensor_dtype(sel_grad_of(moved)), SEL_F64);
  ck_assert_int_eq(sel_tensor_dtype(sel_layer_slot(first, 2)), SEL_I64);
  ck_assert_ptr_null(sel_layer_slot(first, 1));
  ck_assert(sel_requires_grad(sel_layer_slot(second, 3)));
  ck_assert(sel_grad_enabled());
  ASSERT_FAILS(SEL_E_DTYPE, sel_layer_to(outer, SEL_I32, NULL),
               "chain: a layer converts to a float dtype, got i32");
  sel_layer_release(outer);
}
END_TEST

static sel_status whole_life(void *context) {
  (void)context;
  sel_layer *layer = NULL;
  sel_tensor *x = NULL, *y = NULL;
  sel_status status = sel_layer_make("chain", "of=chain", &layer);
  if (status == SEL_OK) status = sel_ones(1, (int64_t[]){2}, SEL_F32, NULL, &x);
  if (status == SEL_OK) status = sel_layer_apply(layer, x, &y);
  if (status == SEL_OK) status = sel_layer_to(layer, SEL_F64, NULL);
  sel_release(x);
  sel_release(y);
  sel_layer_release(layer);
  return status;
}

START_TEST(out_of_memory) {
  register_types();
  expect_memory_errors(whole_life, NULL);
}
END_TEST

RUN_SUITE("layer", making, slots, children, running, port_checks, error_paths, moving,
          out_of_memory)
