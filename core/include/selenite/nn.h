/* The operations that layer types are made of: normalisation, recurrence. All are recorded on the
 * tape; conventions as in ops.h.
 */
#ifndef SELENITE_NN_H
#define SELENITE_NN_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- normalisation ---- weight, bias: NULL for 1 and 0. */

/* x [n, channels, ...]. training: statistics of the batch, and running_mean, running_var (NULL:
 * none kept) move towards them by `momentum` (the variance unbiased); else the running ones are
 * used. */
SEL_API sel_status sel_batch_norm(sel_tensor *x, sel_tensor *running_mean, sel_tensor *running_var,
                                  sel_tensor *weight, sel_tensor *bias, bool training,
                                  double momentum, double eps, sel_tensor **out);
/* Over the last `ndims` dims, whose shape weight and bias have. */
SEL_API sel_status sel_layer_norm(sel_tensor *x, int ndims, sel_tensor *weight, sel_tensor *bias,
                                  double eps, sel_tensor **out);
/* x / sqrt(mean(x^2) + eps) * weight over the last `ndims` dims (Zhang and Sennrich 2019). */
SEL_API sel_status sel_rms_norm(sel_tensor *x, int ndims, sel_tensor *weight, double eps,
                                sel_tensor **out);
/* x [n, channels, ...], each sample's channels in `groups` groups (Wu and He 2018); groups =
 * channels is instance norm. */
SEL_API sel_status sel_group_norm(sel_tensor *x, int64_t groups, sel_tensor *weight,
                                  sel_tensor *bias, double eps, sel_tensor **out);

/* ---- recurrence ---- */

typedef enum sel_cell { SEL_CELL_TANH = 0, SEL_CELL_RELU, SEL_CELL_LSTM, SEL_CELL_GRU } sel_cell;
/* Gates a cell has: 1, 1, 4 (i, f, g, o), 3 (r, z, n). */
SEL_API int sel_cell_gates(sel_cell cell);
/* One direction of one layer over a whole sequence, formulas and weight layout as torch.nn's.
 * inputs: x W_ih^T + b_ih of all steps at once, [steps, n, gates * size]; weight [gates * size,
 * size] (W_hh); bias [gates * size] (b_hh) or NULL; h0, c0 [n, size] or NULL for zeros (c0 for LSTM
 * only). lengths: i64 [n] steps of each row or NULL for all; behind its length a row's output is 0
 * and its final state is the one at its length. reverse: from the last step (of each row) to the
 * first. out [steps, n, size]; h, c (NULL: not wanted): final states [n, size], *c NULL unless
 * LSTM. The backward pass makes the weight's gradient in one product over all steps; it has no
 * gradient itself. */
SEL_API sel_status sel_recurrence(sel_cell cell, sel_tensor *inputs, sel_tensor *weight,
                                  sel_tensor *bias, sel_tensor *h0, sel_tensor *c0,
                                  sel_tensor *lengths, bool reverse, sel_tensor **out,
                                  sel_tensor **h, sel_tensor **c);

#ifdef __cplusplus
}
#endif
#endif
