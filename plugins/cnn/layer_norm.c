/* layer_norm (Ba et al. 2016) and rms_norm (Zhang and Sennrich 2019): over the last dims of each
 * row. Other plugins make them by name. */
#include <float.h>
#include <stdio.h>

#include "norm.h"

typedef struct row_norm {
  int ndims;
  int64_t shape[SEL_MAX_DIMS];
  double eps; /* negative: the smallest that counts in the input's dtype */
} row_norm;

static sel_status read_shape(const sel_options *options, row_norm *n) {
  n->ndims = sel_options_count(options, "normalized_shape");
  return sel_options_ints(options, "normalized_shape", n->ndims, n->shape);
}

static sel_status init_rms(sel_layer *self, const sel_options *options) {
  row_norm *n = sel_layer_state(self);
  sel_dtype dtype = SEL_F32;
  const bool affine = sel_options_bool(options, "elementwise_affine");
  n->eps = sel_options_number(options, "eps");
  CNN_TRY(read_shape(options, n));
  CNN_TRY(cnn_parameter_dtype(options, &dtype));
  return cnn_add_constant(self, "weight", n->ndims, n->shape, dtype, 1, affine);
}

static sel_status init_layer(sel_layer *self, const sel_options *options) {
  row_norm *n = sel_layer_state(self);
  const bool affine = sel_options_bool(options, "elementwise_affine");
  sel_dtype dtype = sel_options_dtype(options, "dtype");
  CNN_TRY(init_rms(self, options));
  return cnn_add_constant(self, "bias", n->ndims, n->shape, dtype, 0,
                          affine && sel_options_bool(options, "bias"));
}

static sel_status check(const row_norm *n, const sel_tensor *x) {
  char expected[CNN_TEXT] = "", got[CNN_TEXT];
  bool fits = sel_ndim(x) >= n->ndims;
  for (int d = 0; fits && d < n->ndims; d++) fits = sel_size(x, d - n->ndims) == n->shape[d];
  if (fits) return SEL_OK;
  size_t used = 0;
  for (int d = 0; d < n->ndims; d++)
    used +=
        (size_t)snprintf(expected + used, sizeof expected - used, ", %lld", (long long)n->shape[d]);
  return sel_fail(SEL_E_SHAPE, "an input [*%s] is expected, got %s", expected,
                  sel_describe(x, got, sizeof got));
}

static sel_status forward_layer(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const row_norm *n = sel_layer_state(self);
  CNN_TRY(check(n, inputs[0]));
  return sel_layer_norm(inputs[0], n->ndims, sel_layer_slot(self, 0), sel_layer_slot(self, 1),
                        n->eps, outputs);
}

/* The distance from 1 to the next number, as PyTorch's finfo(dtype).eps. */
static double resolution(sel_dtype dtype) {
  switch (dtype) {
    case SEL_F64:
      return DBL_EPSILON;
    case SEL_F16:
      return 0x1p-10;
    case SEL_BF16:
      return 0x1p-7;
    default:
      return FLT_EPSILON;
  }
}

static sel_status forward_rms(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs) {
  const row_norm *n = sel_layer_state(self);
  CNN_TRY(check(n, inputs[0]));
  const double eps = n->eps < 0 ? resolution(sel_tensor_dtype(inputs[0])) : n->eps;
  return sel_rms_norm(inputs[0], n->ndims, sel_layer_slot(self, 0), eps, outputs);
}

#define NORMALIZED_SHAPE                                                             \
  {                                                                                  \
    .name = "normalized_shape", .kind = SEL_OPTION_INTS, .required = true, .low = 1, \
    .high = INFINITY, .max_count = SEL_MAX_DIMS,                                     \
    .doc =                                                                           \
        "extents of the input's last dims, over which"                               \
        " it is normalised"                                                          \
  }
#define AFFINE CNN_BOOL("elementwise_affine", "true", "whether there are parameters")

static const sel_option layer_options[] = {
    NORMALIZED_SHAPE,
    {.name = "eps",
     .kind = SEL_OPTION_NUMBER,
     .default_text = "1e-5",
     .low = 0,
     .high = INFINITY,
     .doc = "added to the variance"},
    AFFINE,
    CNN_BOOL("bias", "true", "whether one of the parameters is a bias"),
    CNN_DTYPE_OPTION};
static const sel_option rms_options[] = {
    NORMALIZED_SHAPE,
    {.name = "eps",
     .kind = SEL_OPTION_NUMBER,
     .default_text = "-1",
     .low = -1,
     .high = INFINITY,
     .doc = "added to the mean square; negative: the input dtype's resolution"},
    AFFINE,
    CNN_DTYPE_OPTION};
static const sel_port input = {"input", "[*, normalized_shape]", false};
static const sel_port output = {"output", "the input's shape", false};

static const sel_layer_type layer_type = {
    .size = sizeof(sel_layer_type),
    .name = "layer_norm",
    .summary = "each row less its mean, divided by its standard deviation",
    .example = "nn.layer_norm(8):forward(sel.randn(2, 5, 8))",
    .n_options = CNN_COUNT(layer_options),
    .options = layer_options,
    CNN_PORTS(input, output),
    .state_size = sizeof(row_norm),
    .init = init_layer,
    .forward = forward_layer};
static const sel_layer_type rms_type = {
    .size = sizeof(sel_layer_type),
    .name = "rms_norm",
    .summary = "each row divided by the root of its mean square",
    .example = "nn.rms_norm(8):forward(sel.randn(2, 5, 8))",
    .n_options = CNN_COUNT(rms_options),
    .options = rms_options,
    CNN_PORTS(input, output),
    .state_size = sizeof(row_norm),
    .init = init_rms,
    .forward = forward_rms};

const sel_layer_type *const cnn_layer_norm_types[] = {&layer_type, &rms_type, NULL};
