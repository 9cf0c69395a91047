/* Optimizers: one fused pass over all parameters, as a backend kernel (SEL_UPDATES in pointwise.h).
 *
 * Names, defaults and formulas are torch.optim's. Learning rate and other settings are plain
 * doubles that a schedule may change between steps.
 */
#ifndef SELENITE_OPTIM_H
#define SELENITE_OPTIM_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sel_optimizer sel_optimizer;

/* kind: "sgd" (lr, momentum, dampening, weight_decay, nesterov, maximize),
 *       "adam", "adamw" (lr, beta1, beta2, eps, weight_decay, amsgrad, maximize),
 *       "rmsprop" (lr, alpha, eps, weight_decay, momentum, centered, maximize),
 *       "adagrad" (lr, lr_decay, eps, weight_decay, initial_accumulator_value, maximize). New. */
SEL_API sel_status sel_optimizer_new(const char *kind, sel_optimizer **out);
SEL_API void sel_optimizer_release(sel_optimizer *optimizer);
/* Adds a group of parameters with settings of its own, which start as PyTorch's defaults; returns
 * its number, counted from 0, through `group` (NULL allowed). The tensors, float leaves in no other
 * group, are kept (a reference each). */
SEL_API sel_status sel_optimizer_add_group(sel_optimizer *optimizer, int n,
                                           sel_tensor *const *parameters, int *group);
/* Switches (nesterov, amsgrad, ...) are 0 or 1. */
SEL_API sel_status sel_optimizer_set(sel_optimizer *optimizer, int group, const char *setting,
                                     double value);
SEL_API sel_status sel_optimizer_get(const sel_optimizer *optimizer, int group, const char *setting,
                                     double *out);
/* Names of the settings of this kind, NULL past the last. Borrowed. */
SEL_API const char *sel_optimizer_setting_at(const sel_optimizer *optimizer, int i);
SEL_API int sel_optimizer_group_count(const sel_optimizer *optimizer);

/* Updates every parameter that has a gradient, in place and off the tape. f16 and bf16 parameters
 * are updated in f32, with f32 states, and rounded. Settings that exclude each other (nesterov
 * without momentum) are an error here. */
SEL_API sel_status sel_optimizer_step(sel_optimizer *optimizer);
/* Clears gradients: they are written, not added to, by the next backward. */
SEL_API void sel_optimizer_zero_grad(sel_optimizer *optimizer);

/* State for checkpoints: tensor `name` ("momentum_buffer", "exp_avg", ...) of parameter i (counted
 * over all groups); NULL where it has none yet. Borrowed. Setting takes a copy; NULL drops it. */
SEL_API int sel_optimizer_parameter_count(const sel_optimizer *optimizer);
SEL_API const char *sel_optimizer_state_name(const sel_optimizer *optimizer, int k); /* NULL: end */
SEL_API sel_tensor *sel_optimizer_state(const sel_optimizer *optimizer, int i, const char *name);
SEL_API sel_status sel_optimizer_set_state(sel_optimizer *optimizer, int i, const char *name,
                                           sel_tensor *value);
/* Steps taken by parameter i (bias correction counts from it). */
SEL_API int64_t sel_optimizer_steps(const sel_optimizer *optimizer, int i);
SEL_API sel_status sel_optimizer_set_steps(sel_optimizer *optimizer, int i, int64_t steps);

/* Scales all gradients so that their joint p-norm is at most max_norm; the norm before goes to
 * total_norm (NULL allowed). Parameters without gradient don't count. */
SEL_API sel_status sel_clip_grad_norm_(int n, sel_tensor *const *parameters, double max_norm,
                                       double p, double *total_norm);
SEL_API sel_status sel_clip_grad_value_(int n, sel_tensor *const *parameters, double clip_value);

/* ---- initialisers (torch.nn.init) ---- in place, not recorded, from the thread's generator. */

typedef enum sel_fan_mode { SEL_FAN_IN = 0, SEL_FAN_OUT } sel_fan_mode;
/* Gain of "linear", "sigmoid", "tanh", "relu", "leaky_relu" (with its slope), "selu". */
SEL_API sel_status sel_init_gain(const char *nonlinearity, double slope, double *out);
/* He et al. 2015. bound = gain(nonlinearity, a) * sqrt(3 / fan). */
SEL_API sel_status sel_init_kaiming_uniform_(sel_tensor *t, double a, sel_fan_mode mode,
                                             const char *nonlinearity);
SEL_API sel_status sel_init_kaiming_normal_(sel_tensor *t, double a, sel_fan_mode mode,
                                            const char *nonlinearity);
/* Glorot and Bengio 2010. */
SEL_API sel_status sel_init_xavier_uniform_(sel_tensor *t, double gain);
SEL_API sel_status sel_init_xavier_normal_(sel_tensor *t, double gain);
/* Saxe et al. 2013: rows (columns, where there are more rows) orthonormal, times gain. */
SEL_API sel_status sel_init_orthogonal_(sel_tensor *t, double gain);
/* Normal, conditioned on [low, high]: one uniform draw an element, through the inverse distribution
 * function. */
SEL_API sel_status sel_init_trunc_normal_(sel_tensor *t, double mean, double std, double low,
                                          double high);

#ifdef __cplusplus
}
#endif
#endif
