/* The layers of the fc plugin: numbers against PyTorch, initial values, refusals. */
#include <math.h>

#include "expect.h"
#include "golden_fc.h"

enum { GOLDEN_COUNT = sizeof golden_layers / sizeof *golden_layers };

/* ---- tensors of given numbers ---- */

static sel_tensor *new_tensor(const golden_tensor *golden) {
  sel_tensor *t;
  int64_t shape[3], n = 1;
  for (int d = 0; d < golden->ndim; d++) n *= shape[d] = golden->shape[d];
  ASSERT_OK(sel_from_data(golden->ndim, shape, SEL_F64, NULL, golden->values,
                          (size_t)n * sizeof(double), &t));
  return t;
}

static sel_tensor *ones(int ndim, const int64_t *shape) {
  sel_tensor *t;
  ASSERT_OK(sel_ones(ndim, shape, SEL_F32, NULL, &t));
  return t;
}

static sel_layer *new_layer(const char *name, const char *options) {
  sel_layer *layer;
  ASSERT_OK(sel_layer_make(name, options, &layer));
  return layer;
}

static void assert_near(const golden_layer *golden, const char *what, sel_tensor *t,
                        const golden_tensor *expected) {
  double got[24];
  ck_assert_msg(t != NULL, "%s(%s): no %s", golden->name, golden->options, what);
  ck_assert_int_eq(sel_ndim(t), expected->ndim);
  for (int d = 0; d < expected->ndim; d++) ck_assert_int_eq(sel_size(t, d), expected->shape[d]);
  ASSERT_OK(sel_read(t, got, (size_t)sel_numel(t) * sizeof *got));
  for (int64_t i = 0; i < sel_numel(t); i++)
    ck_assert_msg(fabs(got[i] - expected->values[i]) <= 1e-13 * fmax(1, fabs(expected->values[i])),
                  "%s(%s): %s, element %d: expected %.17g, got %.17g", golden->name,
                  golden->options, what, (int)i, expected->values[i], got[i]);
}

/* ---- numbers ---- */

static void set_parameter(sel_layer *layer, int i, const golden_tensor *values) {
  ck_assert_int_eq(sel_layer_slot_kind(layer, i), SEL_SLOT_PARAMETER);
  sel_tensor *t = new_tensor(values);
  ASSERT_OK(sel_set_requires_grad(t, true));
  ASSERT_OK(sel_layer_set_slot(layer, i, t));
}

static void backward_from(sel_tensor *output, const golden_tensor *weights) {
  sel_tensor *w = new_tensor(weights);
  ASSERT_OK(sel_backward(1, &output, &w, false, false));
  sel_release(w);
}

START_TEST(numbers) {
  for (int c = 0; c < GOLDEN_COUNT; c++) {
    const golden_layer *golden = &golden_layers[c];
    sel_layer *layer = new_layer(golden->name, golden->options);
    sel_tensor *inputs[2] = {NULL}, *output;
    for (int i = 0; i < golden->n_parameters; i++) set_parameter(layer, i, &golden->parameters[i]);
    for (int i = 0; i < golden->n_inputs; i++) {
      inputs[i] = new_tensor(&golden->inputs[i]);
      ASSERT_OK(sel_set_requires_grad(inputs[i], true));
    }
    ASSERT_OK(sel_layer_forward(layer, golden->n_inputs, inputs, &output));
    assert_near(golden, "output", output, &golden->output);
    if (output != inputs[0]) { /* identity's output is its input, a leaf as in PyTorch */
      backward_from(output, &golden->weights);
      for (int i = 0; i < golden->n_inputs; i++)
        assert_near(golden, "gradient of an input", sel_grad_of(inputs[i]),
                    &golden->input_grads[i]);
      for (int i = 0; i < golden->n_parameters; i++)
        assert_near(golden, "gradient of a parameter", sel_grad_of(sel_layer_slot(layer, i)),
                    &golden->parameter_grads[i]);
    }
    sel_release(output);
    for (int i = 0; i < 2; i++) sel_release(inputs[i]);
    sel_layer_release(layer);
  }
}
END_TEST

/* Every layer type of the plugin is among the golden cases, but for dropout, which is random. */
START_TEST(complete) {
  const sel_layer_type *type;
  int n = 0;
  for (int i = 0; (type = sel_layer_type_at(i)); i++) {
    if (!strstr(sel_layer_type_origin(type), "/fc.so")) continue;
    bool found = strcmp(type->name, "dropout") == 0;
    for (int c = 0; c < GOLDEN_COUNT; c++)
      found = found || !strcmp(golden_layers[c].name, type->name);
    ck_assert_msg(found, "%s has no case in tests/golden/make_fc.py", type->name);
    n++;
  }
  ck_assert_int_ge(n, 29);
}
END_TEST

/* d2/dx2 of sum(relu6(x)^2): 2 inside (0, 6), 0 outside. */
START_TEST(second_gradient) {
  const golden_tensor points = {1, {4}, {-1, 2, 5, 7}};
  sel_layer *layer = new_layer("relu6", NULL);
  sel_tensor *x = new_tensor(&points), *y, *square, *sum, *first, *total, *second;
  ASSERT_OK(sel_set_requires_grad(x, true));
  ASSERT_OK(sel_layer_apply(layer, x, &y));
  ASSERT_OK(sel_square(y, &square));
  ASSERT_OK(sel_sum(square, 0, NULL, false, &sum));
  ASSERT_OK(sel_grad(1, &sum, NULL, 1, &x, true, true, false, &first));
  ASSERT_OK(sel_sum(first, 0, NULL, false, &total));
  ASSERT_OK(sel_grad(1, &total, NULL, 1, &x, false, false, false, &second));
  double got[4];
  ASSERT_OK(sel_read(second, got, sizeof got));
  ck_assert(got[0] == 0 && got[1] == 2 && got[2] == 2 && got[3] == 0);
  sel_tensor *all[] = {x, y, square, sum, first, total, second};
  for (int i = 0; i < 7; i++) sel_release(all[i]);
  sel_layer_release(layer);
}
END_TEST

/* ---- initial values ---- */

/* Mean, variance and extremes of what should be uniform in [-bound, bound]. */
static void assert_uniform(sel_tensor *t, double bound) {
  int64_t n = sel_numel(t);
  float *x = malloc((size_t)n * sizeof *x);
  double sum = 0, squares = 0, largest = 0;
  ASSERT_OK(sel_read(t, x, (size_t)n * sizeof *x));
  for (int64_t i = 0; i < n; i++) {
    sum += x[i];
    squares += (double)x[i] * x[i];
    largest = fmax(largest, fabs(x[i]));
  }
  double deviation = bound / sqrt(3.0 * (double)n); /* of the mean */
  ck_assert_double_le(fabs(sum / (double)n), 5 * deviation);
  ck_assert_double_eq_tol(squares / (double)n, bound * bound / 3, 0.03 * bound * bound);
  ck_assert(largest <= bound * 1.000001 && largest > 0.99 * bound);
  free(x);
}

START_TEST(initial_values) {
  sel_manual_seed(5);
  sel_layer *layer = new_layer("linear", "in_features=100, out_features=400");
  ck_assert_int_eq(sel_size(sel_layer_tensor(layer, "weight"), 0), 400);
  ck_assert_int_eq(sel_size(sel_layer_tensor(layer, "weight"), 1), 100);
  ck_assert(sel_requires_grad(sel_layer_tensor(layer, "weight")));
  assert_uniform(sel_layer_tensor(layer, "weight"), 0.1);
  assert_uniform(sel_layer_tensor(layer, "bias"), 0.1);
  sel_layer_release(layer);

  layer = new_layer("bilinear", "in1_features=25, in2_features=20, out_features=300");
  ck_assert_int_eq(sel_size(sel_layer_tensor(layer, "weight"), 2), 20);
  assert_uniform(sel_layer_tensor(layer, "weight"), 0.2);
  assert_uniform(sel_layer_tensor(layer, "bias"), 0.2);
  sel_layer_release(layer);

  double value;
  layer = new_layer("prelu", "num_parameters=3, dtype=f64");
  ASSERT_OK(sel_get(sel_layer_tensor(layer, "weight"), 1, (int64_t[]){2}, &value));
  ck_assert_double_eq(value, 0.25);
  ck_assert_int_eq(sel_tensor_dtype(sel_layer_tensor(layer, "weight")), SEL_F64);
  sel_layer_release(layer);

  layer = new_layer("linear", "in_features=3, out_features=2, bias=false");
  ck_assert_str_eq(sel_layer_slot_name(layer, 1), "bias");
  ck_assert_ptr_null(sel_layer_slot(layer, 1));
  char text[100];
  ck_assert_str_eq(sel_layer_describe(layer, text, sizeof text),
                   "in_features=3, out_features=2, bias=false");
  sel_layer_release(layer);
}
END_TEST

START_TEST(dropout) {
  int64_t n = 20000;
  sel_layer *layer = new_layer("dropout", "p=0.25"), *all = new_layer("dropout", "p=1");
  sel_tensor *x = ones(1, &n), *y;
  float *values = malloc((size_t)n * sizeof *values);
  sel_manual_seed(1);
  ASSERT_OK(sel_layer_apply(layer, x, &y));
  ASSERT_OK(sel_read(y, values, (size_t)n * sizeof *values));
  int zeros = 0;
  for (int64_t i = 0; i < n; i++) {
    ck_assert(values[i] == 0 || fabsf(values[i] - 1 / 0.75F) < 1e-6F);
    zeros += values[i] == 0;
  }
  ck_assert_int_le(abs(zeros - 5000), 250);
  sel_release(y);

  ASSERT_OK(sel_layer_apply(all, x, &y));
  ASSERT_OK(sel_read(y, values, (size_t)n * sizeof *values));
  for (int64_t i = 0; i < n; i++) ck_assert(values[i] == 0);
  sel_release(y);

  sel_layer_set_training(layer, false);
  ASSERT_OK(sel_layer_apply(layer, x, &y));
  ck_assert_ptr_eq(y, x);
  sel_release(y);
  free(values);
  sel_release(x);
  sel_layer_release(layer);
  sel_layer_release(all);
}
END_TEST

/* ---- refusals ---- */

START_TEST(wrong_options) {
  const struct {
    const char *name, *options, *message;
  } wrong[] = {
      {"linear", "in_features=3", "linear: option out_features is a whole number, at least 1"},
      {"linear", "in_features=0, out_features=1", "got 0"},
      {"linear", "in_features=3, out_features=1, dtype=i64", "dtype is a float dtype, got i64"},
      {"linear", "in_feature=3", "did you mean 'in_features'?"},
      {"dropout", "p=1.5", "dropout: option p is a number, from 0 to 1, got 1.5"},
      {"gelu", "approximate=yes", "one of none, tanh, got 'yes'"},
      {"softmax", "dim=0", "softmax: option dim counts dimensions from 1"},
      {"flatten", "start_dim=9", "flatten: option start_dim counts dimensions from 1"},
      {"hardtanh", "min_val=1, max_val=1", "hardtanh: min_val is below max_val, got 1 and 1"},
      {"softplus", "beta=0", "softplus: option beta is a divisor, got 0"},
      {"celu", "alpha=0", "celu: option alpha is a divisor, got 0"},
      {"hardshrink", "lambd=-1", "at least 0, got -1"},
      {"relu", "inplace=true", "relu has no option 'inplace'; its options: none"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    sel_layer *layer = NULL;
    int status = sel_layer_make(wrong[i].name, wrong[i].options, &layer);
    ck_assert_msg(status != SEL_OK && strstr(sel_error(), wrong[i].message),
                  "expected \"%s\" in \"%s\"", wrong[i].message, sel_error());
    ck_assert_ptr_null(layer);
  }
}
END_TEST

/* The layer refuses an input of f32 ones in this shape. */
static void refuse(const char *name, const char *options, int ndim, const int64_t *shape,
                   const char *message) {
  sel_layer *layer = new_layer(name, options);
  sel_tensor *x = ones(ndim, shape), *y = NULL;
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_apply(layer, x, &y), message);
  ck_assert_ptr_null(y);
  sel_release(x);
  sel_layer_release(layer);
}

START_TEST(wrong_shapes) {
  const int64_t shape[] = {2, 3, 5};
  refuse("linear", "in_features=4, out_features=2", 2, shape,
         "linear: an input of 4 features in its last dim is expected, got f32[2, 3]");
  refuse("linear", "in_features=4, out_features=2", 0, shape, "got f32[]");
  refuse("softmax", "dim=3", 2, shape,
         "softmax: option dim is 3, but the input f32[2, 3] has 2 dimensions");
  refuse("softmax", "dim=-3", 2, shape, "option dim is -3");
  refuse("log_softmax", "", 0, shape, "log_softmax: option dim is -1");
  refuse("flatten", "", 1, shape, "flatten: option start_dim is 2, but the input f32[2] has 1");
  refuse("flatten", "start_dim=3, end_dim=2", 3, shape, "start_dim 3 comes after end_dim 2");
  refuse("glu", "", 2, shape, "glu: an even extent of dim 2 is expected, got f32[2, 3]");
  refuse("prelu", "num_parameters=4", 3, shape, "prelu: an input [N, 4, *] is expected");
  refuse("prelu", "num_parameters=2", 1, shape, "got f32[2]");

  sel_layer *layer = new_layer("bilinear", "in1_features=3, in2_features=4, out_features=1");
  sel_tensor *x = ones(2, shape), *both[] = {x, x}, *y;
  ASSERT_FAILS(SEL_E_SHAPE, sel_layer_forward(layer, 2, both, &y),
               "bilinear: an input2 of 4 features in its last dim is expected, got f32[2, 3]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_layer_forward(layer, 1, both, &y),
               "bilinear: input 2 (input2, [*, in2_features]) is missing");
  sel_release(x);
  sel_layer_release(layer);
}
END_TEST

/* ---- memory ---- */

static sel_status use_all(void *context) {
  (void)context;
  sel_status status = SEL_OK;
  for (int c = 0; c < GOLDEN_COUNT && status == SEL_OK; c++) {
    const golden_layer *golden = &golden_layers[c];
    sel_layer *layer = NULL;
    sel_tensor *inputs[2] = {NULL}, *output = NULL;
    status = sel_layer_make(golden->name, golden->options, &layer);
    if (status == SEL_OK) status = sel_layer_to(layer, SEL_F64, NULL);
    for (int i = 0; i < golden->n_inputs && status == SEL_OK; i++) {
      int64_t shape[3];
      for (int d = 0; d < 3; d++) shape[d] = golden->inputs[i].shape[d];
      status = sel_ones(golden->inputs[i].ndim, shape, SEL_F64, NULL, &inputs[i]);
      if (status == SEL_OK) status = sel_set_requires_grad(inputs[i], true);
    }
    if (status == SEL_OK) status = sel_layer_forward(layer, golden->n_inputs, inputs, &output);
    sel_release(output);
    for (int i = 0; i < 2; i++) sel_release(inputs[i]);
    sel_layer_release(layer);
  }
  return status;
}

START_TEST(out_of_memory) { expect_memory_errors(use_all, NULL); }
END_TEST

RUN_SUITE("fc", numbers, complete, second_gradient, initial_values, dropout, wrong_options,
          wrong_shapes, out_of_memory)
