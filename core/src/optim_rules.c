/* The optimizers: settings, states and what the scalars s0...s7 of SEL_UPDATES (pointwise.h) mean.
 *
 * Names, defaults and formulas are torch.optim's. In all rows p is the parameter, g its gradient,
 * s1 the weight decay that is added to the gradient, s2 is -1 to maximise and 1 else. Factors that
 * belong to running averages are passed as 1 - beta, because 1 - 0.999 loses four digits in f32. */
#include <math.h>

#include "core.h"
#include "optim.h"

static double sign_of(double maximize) { return maximize != 0 ? -1 : 1; }

/* ---- sgd: Robbins and Monro 1951; momentum as in Sutskever et al. 2013 ----
 * m: momentum_buffer, which starts as the first gradient, undamped.
 * s0 lr, s3 momentum, s4 factor of the gradient in m, s5 nesterov */

enum { SGD_LR, SGD_MOMENTUM, SGD_DAMPENING, SGD_DECAY, SGD_NESTEROV, SGD_MAXIMIZE };

static sel_status sgd_rule(const double *x, int64_t step, bool fresh, sel__rule *out) {
  (void)step;
  SEL_CHECK(x[SGD_NESTEROV] == 0 || (x[SGD_MOMENTUM] > 0 && x[SGD_DAMPENING] == 0), SEL_E_ARGUMENT,
            "sgd: nesterov needs a momentum above 0 and dampening 0, got momentum %g, dampening %g",
            x[SGD_MOMENTUM], x[SGD_DAMPENING]);
  bool momentum = x[SGD_MOMENTUM] != 0;
  *out = (sel__rule){.op = momentum ? SEL_UPDATE_sgd_momentum : SEL_UPDATE_sgd,
                     .states = momentum,
                     .scalar = {x[SGD_LR], x[SGD_DECAY], sign_of(x[SGD_MAXIMIZE]), x[SGD_MOMENTUM],
                                fresh ? 1 : 1 - x[SGD_DAMPENING], x[SGD_NESTEROV]}};
  return SEL_OK;
}

/* ---- adam: Kingma and Ba 2015; amsgrad: Reddi et al. 2018 ----
 * m: exp_avg, v: exp_avg_sq, w: max_exp_avg_sq (amsgrad)
 * s0 lr / (1 - beta1^t), s3 1 - beta1, s4 1 - beta2, s5 eps, s6 1 / sqrt(1 - beta2^t),
 * s7 decoupled weight decay, already times lr */

enum { ADAM_LR, ADAM_BETA1, ADAM_BETA2, ADAM_EPS, ADAM_DECAY, ADAM_AMSGRAD, ADAM_MAXIMIZE };

static sel_status adam_rule(const double *x, int64_t step, bool fresh, sel__rule *out) {
  (void)fresh;
  double beta1 = x[ADAM_BETA1], beta2 = x[ADAM_BETA2], t = (double)step;
  bool amsgrad = x[ADAM_AMSGRAD] != 0;
  *out = (sel__rule){
      .op = amsgrad ? SEL_UPDATE_adam_amsgrad : SEL_UPDATE_adam,
      .states = amsgrad ? 3 : 2,
      .scalar = {x[ADAM_LR] / (1 - pow(beta1, t)), x[ADAM_DECAY], sign_of(x[ADAM_MAXIMIZE]),
                 1 - beta1, 1 - beta2, x[ADAM_EPS], 1 / sqrt(1 - pow(beta2, t)), 0}};
  return SEL_OK;
}

/* ---- adamw: Loshchilov and Hutter 2019: the decay acts on the parameter, not on the gradient ----
 */

static sel_status adamw_rule(const double *x, int64_t step, bool fresh, sel__rule *out) {
  SEL_TRY(adam_rule(x, step, fresh, out));
  out->scalar[1] = 0;
  out->scalar[7] = x[ADAM_LR] * x[ADAM_DECAY];
  return SEL_OK;
}

/* ---- rmsprop: Hinton, lecture 6e of "Neural networks for machine learning"; centered: Graves 2013
 * m: square_avg, v: momentum_buffer, w: grad_avg (centered)
 * s0 lr, s3 1 - alpha, s4 eps, s5 momentum */

enum { RMS_LR, RMS_ALPHA, RMS_EPS, RMS_DECAY, RMS_MOMENTUM, RMS_CENTERED, RMS_MAXIMIZE };

static sel_status rmsprop_rule(const double *x, int64_t step, bool fresh, sel__rule *out) {
  (void)step, (void)fresh;
  *out = (sel__rule){.op = SEL_UPDATE_rmsprop,
                     .states = 1,
                     .scalar = {x[RMS_LR], x[RMS_DECAY], sign_of(x[RMS_MAXIMIZE]), 1 - x[RMS_ALPHA],
                                x[RMS_EPS], x[RMS_MOMENTUM]}};
  if (x[RMS_CENTERED] != 0) {
    out->op = SEL_UPDATE_rmsprop_centered;
    out->states = 3;
  } else if (x[RMS_MOMENTUM] != 0) {
    out->op = SEL_UPDATE_rmsprop_momentum;
    out->states = 2;
  }
  return SEL_OK;
}

/* ---- adagrad: Duchi, Hazan and Singer 2011 ----
 * m: sum of squared gradients
 * s0 lr / (1 + (t - 1) lr_decay), s3 eps */

enum {
  ADAGRAD_LR,
  ADAGRAD_LR_DECAY,
  ADAGRAD_EPS,
  ADAGRAD_DECAY,
  ADAGRAD_INITIAL,
  ADAGRAD_MAXIMIZE
};

static sel_status adagrad_rule(const double *x, int64_t step, bool fresh, sel__rule *out) {
  (void)fresh;
  *out = (sel__rule){.op = SEL_UPDATE_adagrad,
                     .states = 1,
                     .initial = x[ADAGRAD_INITIAL],
                     .scalar = {x[ADAGRAD_LR] / (1 + (double)(step - 1) * x[ADAGRAD_LR_DECAY]),
                                x[ADAGRAD_DECAY], sign_of(x[ADAGRAD_MAXIMIZE]), x[ADAGRAD_EPS]}};
  return SEL_OK;
}

/* ---- the list; settings in the order of the enums above ---- */

/* clang-format off */
static const sel__optim_kind kinds[] = {
    {"sgd",
     {{"lr", 1e-3, SEL__NOT_NEGATIVE}, {"momentum", 0, SEL__NOT_NEGATIVE},
      {"dampening", 0, SEL__ANY_NUMBER}, {"weight_decay", 0, SEL__NOT_NEGATIVE},
      {"nesterov", 0, SEL__FLAG}, {"maximize", 0, SEL__FLAG}},
     {"momentum_buffer"},
     sgd_rule},
    {"adam",
     {{"lr", 1e-3, SEL__NOT_NEGATIVE}, {"beta1", 0.9, SEL__BELOW_ONE},
      {"beta2", 0.999, SEL__BELOW_ONE}, {"eps", 1e-8, SEL__NOT_NEGATIVE},
      {"weight_decay", 0, SEL__NOT_NEGATIVE}, {"amsgrad", 0, SEL__FLAG},
      {"maximize", 0, SEL__FLAG}},
     {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
     adam_rule},
    {"adamw",
     {{"lr", 1e-3, SEL__NOT_NEGATIVE}, {"beta1", 0.9, SEL__BELOW_ONE},
      {"beta2", 0.999, SEL__BELOW_ONE}, {"eps", 1e-8, SEL__NOT_NEGATIVE},
      {"weight_decay", 1e-2, SEL__NOT_NEGATIVE}, {"amsgrad", 0, SEL__FLAG},
      {"maximize", 0, SEL__FLAG}},
     {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"},
     adamw_rule},
    {"rmsprop",
     {{"lr", 1e-2, SEL__NOT_NEGATIVE}, {"alpha", 0.99, SEL__NOT_NEGATIVE},
      {"eps", 1e-8, SEL__NOT_NEGATIVE}, {"weight_decay", 0, SEL__NOT_NEGATIVE},
      {"momentum", 0, SEL__NOT_NEGATIVE}, {"centered", 0, SEL__FLAG},
      {"maximize", 0, SEL__FLAG}},
     {"square_avg", "momentum_buffer", "grad_avg"},
     rmsprop_rule},
    {"adagrad",
     {{"lr", 1e-2, SEL__NOT_NEGATIVE}, {"lr_decay", 0, SEL__NOT_NEGATIVE},
      {"eps", 1e-10, SEL__NOT_NEGATIVE}, {"weight_decay", 0, SEL__NOT_NEGATIVE},
      {"initial_accumulator_value", 0, SEL__NOT_NEGATIVE}, {"maximize", 0, SEL__FLAG}},
     {"sum"},
     adagrad_rule}};
/* clang-format on */

const sel__optim_kind *sel__optim_kind_at(int i) {
  return i >= 0 && i < (int)(sizeof kinds / sizeof *kinds) ? &kinds[i] : NULL;
}
