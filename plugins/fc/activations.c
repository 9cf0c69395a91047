/* Activations that are one operation of ops.h, element by element, with up to two numbers as
 * options: a table of them. */
#include <math.h>

#include "fc.h"
#include "selenite/ops.h"

/* A layer type, and which operation it is: exactly one of the three functions. */
typedef struct activation {
  sel_layer_type type; /* first, so that a layer's type leads here */
  sel_status (*plain)(sel_tensor *x, sel_tensor **out);
  sel_status (*with_one)(sel_tensor *x, double a, sel_tensor **out);
  sel_status (*with_two)(sel_tensor *x, double a, double b, sel_tensor **out);
  bool divides; /* by the first option, which is not 0 */
} activation;

typedef struct numbers {
  double a, b; /* the options, in their order */
} numbers;

static sel_status init(sel_layer *self, const sel_options *options) {
  const sel_layer_type *type = sel_layer_get_type(self);
  numbers *state = sel_layer_state(self);
  if (type->n_options > 0) state->a = sel_options_number(options, type->options[0].name);
  if (type->n_options > 1) state->b = sel_options_number(options, type->options[1].name);
  if (((const activation *)type)->divides && state->a == 0)
    return sel_fail(SEL_E_ARGUMENT, "option %s is a divisor, got 0", type->options[0].name);
  return SEL_OK;
}

static sel_status forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const activation *row = (const activation *)sel_layer_get_type(self);
  const numbers *state = sel_layer_state(self);
  if (row->with_two) return row->with_two(inputs[0], state->a, state->b, outputs);
  if (row->with_one) return row->with_one(inputs[0], state->a, outputs);
  return row->plain(inputs[0], outputs);
}

/* ---- the two that are more than a call ---- */

static sel_status tanhshrink(sel_tensor *x, sel_tensor **out) {
  sel_tensor *squashed = NULL;
  FC_TRY(sel_tanh(x, &squashed));
  sel_status status = sel_sub(x, squashed, out);
  sel_release(squashed);
  return status;
}

/* gelu keeps in `a` whether the approximation by tanh is asked for. */
static sel_status init_gelu(sel_layer *self, const sel_options *options) {
  numbers *state = sel_layer_state(self);
  state->a = sel_options_string(options, "approximate")[0] == 't';
  return SEL_OK;
}

static sel_status gelu(sel_tensor *x, double approximate, sel_tensor **out) {
  return approximate != 0 ? sel_gelu_tanh(x, out) : sel_gelu(x, out);
}

/* ---- options ---- */

#define NUMBER(text, words) .kind = SEL_OPTION_NUMBER, .default_text = text, .doc = words
#define NOT_NEGATIVE .low = 0, .high = INFINITY

static const sel_option leaky_relu_options[] = {
    {.name = "negative_slope", NUMBER("0.01", "factor of negative inputs")}};
static const sel_option elu_options[] = {
    {.name = "alpha", NUMBER("1", "what large negative inputs approach, negated")}};
static const sel_option celu_options[] = {
    {.name = "alpha", NUMBER("1", "what large negative inputs approach, negated; not 0")}};
static const sel_option softplus_options[] = {
    {.name = "beta", NUMBER("1", "sharpness of the bend; not 0")},
    {.name = "threshold", NUMBER("20", "above threshold / beta the input itself is returned")}};
static const sel_option shrink_options[] = {
    {.name = "lambd", NUMBER("0.5", "half the width of what becomes 0"), NOT_NEGATIVE}};
static const sel_option gelu_options[] = {
    {.name = "approximate",
     .kind = SEL_OPTION_STRING,
     .default_text = "none",
     .choices = "none|tanh",
     .doc = "tanh: the faster approximation of Hendrycks and Gimpel 2016"}};

/* ---- the table ---- */

#define TYPE(type_name, words)                                                             \
  .size = sizeof(sel_layer_type), .name = type_name, .summary = words,                     \
  .example = "nn." type_name "():forward(sel.randn(2, 3))", .state_size = sizeof(numbers), \
  .forward = forward, FC_SAME_SHAPE_PORTS
#define OPTIONS(list) .n_options = FC_COUNT(list), .options = list

static const activation activations[] = {
    {{TYPE("relu", "max(0, x)"), .init = init}, .plain = sel_relu},
    {{TYPE("leaky_relu", "x above 0, negative_slope * x below"), OPTIONS(leaky_relu_options),
      .init = init},
     .with_one = sel_leaky_relu},
    {{TYPE("elu", "x above 0, alpha * (e^x - 1) below"), OPTIONS(elu_options), .init = init},
     .with_one = sel_elu},
    {{TYPE("selu", "elu with the scales that keep mean 0 and variance 1"), .init = init},
     .plain = sel_selu},
    {{TYPE("celu", "x above 0, alpha * (e^(x / alpha) - 1) below"), OPTIONS(celu_options),
      .init = init},
     .with_one = sel_celu,
     .divides = true},
    {{TYPE("gelu", "x * P(X < x) for a standard normal X"), OPTIONS(gelu_options),
      .init = init_gelu},
     .with_one = gelu},
    {{TYPE("silu", "x * sigmoid(x), also called swish"), .init = init}, .plain = sel_silu},
    {{TYPE("mish", "x * tanh(softplus(x))"), .init = init}, .plain = sel_mish},
    {{TYPE("softplus", "log(1 + e^(beta * x)) / beta, a smooth relu"), OPTIONS(softplus_options),
      .init = init},
     .with_two = sel_softplus,
     .divides = true},
    {{TYPE("softsign", "x / (1 + |x|)"), .init = init}, .plain = sel_softsign},
    {{TYPE("sigmoid", "1 / (1 + e^-x)"), .init = init}, .plain = sel_sigmoid},
    {{TYPE("log_sigmoid", "log(1 / (1 + e^-x))"), .init = init}, .plain = sel_log_sigmoid},
    {{TYPE("tanh", "hyperbolic tangent"), .init = init}, .plain = sel_tanh},
    {{TYPE("hardsigmoid", "sigmoid in three straight pieces"), .init = init},
     .plain = sel_hardsigmoid},
    {{TYPE("hardswish", "x * hardsigmoid(x)"), .init = init}, .plain = sel_hardswish},
    {{TYPE("hardshrink", "0 within lambd of 0, x outside"), OPTIONS(shrink_options), .init = init},
     .with_one = sel_hardshrink},
    {{TYPE("softshrink", "0 within lambd of 0, x moved towards 0 by lambd outside"),
      OPTIONS(shrink_options), .init = init},
     .with_one = sel_softshrink},
    {{TYPE("tanhshrink", "x - tanh(x)"), .init = init}, .plain = tanhshrink}};

const sel_layer_type *fc_activation_at(int i) {
  return i >= 0 && i < FC_COUNT(activations) ? &activations[i].type : NULL;
}
