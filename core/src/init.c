/* Initialisers of torch.nn.init that scale with a layer's width. Orthogonal and truncated normal:
 * init_orthogonal.c, init_trunc_normal.c. Nothing here is recorded on the tape. */
#include <math.h>
#include <string.h>

#include "core.h"
#include "selenite/autograd.h"
#include "selenite/ops.h"
#include "selenite/optim.h"
#include "suggest.h"
#include "tensor_impl.h"

/* ---- widths ---- */

typedef struct fans {
  double in, out;
} fans;

/* A weight [out, in, *kernel] has fans in * kernel and out * kernel. */
static sel_status find_fans(const char *what, const sel_tensor *t, fans *out) {
  char text[SEL_TEXT];
  SEL_CHECK(sel_dtype_is_float(sel_tensor_dtype(t)), SEL_E_DTYPE,
            "%s: a float tensor is expected, got %s", what, sel_describe(t, text, sizeof text));
  SEL_CHECK(sel_ndim(t) >= 2, SEL_E_SHAPE,
            "%s: fans need a tensor of at least 2 dims, [out, in, ...], got %s", what,
            sel_describe(t, text, sizeof text));
  double kernel = 1;
  for (int d = 2; d < sel_ndim(t); d++) kernel *= (double)sel_size(t, d);
  out->in = (double)sel_size(t, 1) * kernel;
  out->out = (double)sel_size(t, 0) * kernel;
  return SEL_OK;
}

sel_status sel_init_gain(const char *nonlinearity, double slope, double *out) {
  const struct {
    const char *name;
    double gain;
  } gains[] = {{"linear", 1},
               {"sigmoid", 1},
               {"tanh", 5.0 / 3},
               {"relu", sqrt(2)},
               {"leaky_relu", sqrt(2 / (1 + slope * slope))},
               {"selu", 0.75}};
  SEL_CHECK(nonlinearity, SEL_E_ARGUMENT,
            "init_gain: the name of a nonlinearity is expected, got NULL");
  sel__suggestion suggestion = {.wanted = nonlinearity};
  for (size_t i = 0; i < sizeof gains / sizeof *gains; i++) {
    sel__suggest(&suggestion, gains[i].name);
    if (strcmp(gains[i].name, nonlinearity) != 0) continue;
    *out = gains[i].gain;
    return SEL_OK;
  }
  return sel_fail(SEL_E_ARGUMENT,
                  "init_gain: linear, sigmoid, tanh, relu, leaky_relu or selu is expected, got "
                  "'%.100s'%s",
                  nonlinearity, sel__suggestion_hint(&suggestion));
}

/* ---- filling ---- */

static sel_status fill_uniform(sel_tensor *t, double bound) {
  bool grad_was_on = sel_set_grad_enabled(false);
  sel_status status = sel_uniform_(t, -bound, bound);
  sel_set_grad_enabled(grad_was_on);
  return status;
}

static sel_status fill_normal(sel_tensor *t, double std) {
  bool grad_was_on = sel_set_grad_enabled(false);
  sel_status status = sel_normal_(t, 0, std);
  sel_set_grad_enabled(grad_was_on);
  return status;
}

/* gain / sqrt(fan): the standard deviation that keeps a signal's size. 0 for an empty tensor. */
static sel_status kaiming_std(const char *what, const sel_tensor *t, double a, sel_fan_mode mode,
                              const char *nonlinearity, double *out) {
  fans f = {0};
  double gain = 0;
  SEL_TRY(find_fans(what, t, &f));
  SEL_TRY(sel_init_gain(nonlinearity, a, &gain));
  SEL_CHECK(mode == SEL_FAN_IN || mode == SEL_FAN_OUT, SEL_E_ARGUMENT,
            "%s: fan_in or fan_out is expected, got mode %d", what, (int)mode);
  double fan = mode == SEL_FAN_IN ? f.in : f.out;
  *out = fan > 0 ? gain / sqrt(fan) : 0;
  return SEL_OK;
}

sel_status sel_init_kaiming_uniform_(sel_tensor *t, double a, sel_fan_mode mode,
                                     const char *nonlinearity) {
  double std = 0;
  SEL_TRY(kaiming_std("kaiming_uniform", t, a, mode, nonlinearity, &std));
  return fill_uniform(t, sqrt(3) * std);
}

sel_status sel_init_kaiming_normal_(sel_tensor *t, double a, sel_fan_mode mode,
                                    const char *nonlinearity) {
  double std = 0;
  SEL_TRY(kaiming_std("kaiming_normal", t, a, mode, nonlinearity, &std));
  return fill_normal(t, std);
}

static sel_status xavier_std(const char *what, const sel_tensor *t, double gain, double *out) {
  fans f = {0};
  SEL_TRY(find_fans(what, t, &f));
  *out = f.in + f.out > 0 ? gain * sqrt(2 / (f.in + f.out)) : 0;
  return SEL_OK;
}

sel_status sel_init_xavier_uniform_(sel_tensor *t, double gain) {
  double std = 0;
  SEL_TRY(xavier_std("xavier_uniform", t, gain, &std));
  return fill_uniform(t, sqrt(3) * std);
}

sel_status sel_init_xavier_normal_(sel_tensor *t, double gain) {
  double std = 0;
  SEL_TRY(xavier_std("xavier_normal", t, gain, &std));
  return fill_normal(t, std);
}
