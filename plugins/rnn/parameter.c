/* Parameters of cells, and checks and views that layers and cells share. */
#include <stdio.h>

#include "rnn.h"
#include "selenite/ops.h"

static sel_status add_uniform(sel_layer *self, const char *name, int ndim, const int64_t *shape,
                              sel_dtype dtype, double bound) {
  sel_tensor *t = NULL;
  RNN_TRY(sel_empty(ndim, shape, dtype, NULL, &t));
  sel_status status = sel_uniform_(t, -bound, bound);
  if (status != SEL_OK) {
    sel_release(t);
    return status;
  }
  return sel_layer_add_parameter(self, name, t);
}

sel_status rnn_add_cell(sel_layer *self, sel_cell cell, int64_t input_size, int64_t size, bool bias,
                        sel_dtype dtype, const char *suffix) {
  static const char *const names[] = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"};
  const double bound = 1 / sqrt((double)size);
  const int64_t gates = size * sel_cell_gates(cell);
  for (int k = 0; k < RNN_PARAMETERS; k++) {
    char name[48];
    snprintf(name, sizeof name, "%s%s", names[k], suffix);
    const int64_t shape[] = {gates, k == RNN_WEIGHT_IH ? input_size : size};
    const bool is_bias = k >= RNN_BIAS_IH;
    if (is_bias && !bias)
      RNN_TRY(sel_layer_add_parameter(self, name, NULL));
    else
      RNN_TRY(add_uniform(self, name, is_bias ? 1 : 2, shape, dtype, bound));
  }
  return SEL_OK;
}

sel_cell rnn_plain_cell(const sel_options *options) {
  return sel_options_string(options, "nonlinearity")[0] == 'r' ? SEL_CELL_RELU : SEL_CELL_TANH;
}

sel_status rnn_parameter_dtype(const sel_options *options, sel_dtype *out) {
  sel_dtype dtype = sel_options_dtype(options, "dtype");
  if (!sel_dtype_is_float(dtype))
    return sel_fail(SEL_E_DTYPE, "option dtype is a float dtype, got %s", sel_dtype_name(dtype));
  *out = dtype;
  return SEL_OK;
}

sel_status rnn_expect_shape(const char *what, const sel_tensor *t, int ndim, const int64_t *shape) {
  char expected[RNN_TEXT] = "", got[RNN_TEXT];
  bool fits = sel_ndim(t) == ndim;
  size_t used = 0;
  for (int d = 0; d < ndim; d++) {
    fits = fits && (shape[d] < 0 || sel_size(t, d) == shape[d]);
    const char *between = d ? ", " : "";
    used +=
        (size_t)(shape[d] < 0 ? snprintf(expected + used, sizeof expected - used, "%s*", between)
                              : snprintf(expected + used, sizeof expected - used, "%s%lld", between,
                                         (long long)shape[d]));
  }
  if (fits) return SEL_OK;
  return sel_fail(SEL_E_SHAPE, "%s: expected [%s], got %s", what, expected,
                  sel_describe(t, got, sizeof got));
}

static sel_status replace(sel_tensor **t, int dim,
                          sel_status (*view)(sel_tensor *x, int dim, sel_tensor **out)) {
  sel_tensor *other = NULL;
  if (!*t) return SEL_OK;
  RNN_TRY(view(*t, dim, &other));
  sel_release(*t);
  *t = other;
  return SEL_OK;
}

sel_status rnn_drop_dim(sel_tensor **t, int dim) { return replace(t, dim, sel_squeeze); }
sel_status rnn_insert_dim(sel_tensor **t, int dim) { return replace(t, dim, sel_unsqueeze); }
