/* The operations that layer types are made of: convolution, pooling, resampling, borders,
 * normalisation, recurrence, attention. All are recorded on the tape; conventions as in ops.h.
 *
 * Spatial arrays have `dims` entries, 1 to 3, outermost first; images are [n, channels,
 * extents...].
 */
#ifndef SELENITE_NN_H
#define SELENITE_NN_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- convolution ---- */

/* Cross-correlation, as torch.nn.functional.conv1d/2d/3d: x [n, channels, in...], weight
 * [out_channels, channels / groups, kernel...], bias [out_channels] or NULL. Zeros in front and
 * behind may differ. out = floor((in + before + after - dilation (kernel - 1) - 1) / stride) + 1.
 */
SEL_API sel_status sel_conv(int dims, sel_tensor *x, sel_tensor *weight, sel_tensor *bias,
                            const int64_t *stride, const int64_t *padding_before,
                            const int64_t *padding_after, const int64_t *dilation, int64_t groups,
                            sel_tensor **out);
/* Its transpose, as torch.nn.functional.conv_transpose: weight [channels, out_channels / groups,
 * kernel...]; out = (in - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1. */
SEL_API sel_status sel_conv_transpose(int dims, sel_tensor *x, sel_tensor *weight, sel_tensor *bias,
                                      const int64_t *stride, const int64_t *padding,
                                      const int64_t *output_padding, const int64_t *dilation,
                                      int64_t groups, sel_tensor **out);

/* ---- pooling ---- over the last `dims` dims. ceil_mode: a last window that starts inside the
 * input or its front padding counts, as in PyTorch. indices (i64, NULL if unwanted): position of
 * the maximum in its plane, from 0. */

SEL_API sel_status sel_max_pool(int dims, sel_tensor *x, const int64_t *kernel,
                                const int64_t *stride, const int64_t *padding,
                                const int64_t *dilation, bool ceil_mode, sel_tensor **values,
                                sel_tensor **indices);
/* divisor 0: the window's size, with or without padding as count_include_pad says. */
SEL_API sel_status sel_avg_pool(int dims, sel_tensor *x, const int64_t *kernel,
                                const int64_t *stride, const int64_t *padding, bool ceil_mode,
                                bool count_include_pad, int64_t divisor, sel_tensor **out);
SEL_API sel_status sel_adaptive_max_pool(int dims, sel_tensor *x, const int64_t *size,
                                         sel_tensor **values, sel_tensor **indices);
SEL_API sel_status sel_adaptive_avg_pool(int dims, sel_tensor *x, const int64_t *size,
                                         sel_tensor **out);

/* ---- resampling and borders ---- */

typedef enum sel_upsample_mode { SEL_UPSAMPLE_NEAREST = 0, SEL_UPSAMPLE_LINEAR } sel_upsample_mode;
/* torch.nn.functional.interpolate (linear, bilinear, trilinear by dims). scale: output extents per
 * input extent as the user gave them, or NULL to take them from the sizes. */
SEL_API sel_status sel_upsample(int dims, sel_tensor *x, const int64_t *size, const double *scale,
                                sel_upsample_mode mode, bool align_corners, sel_tensor **out);
/* [n, channels r^2, h, w] to [n, channels, h r, w r], and back (r in unshuffle). */
SEL_API sel_status sel_pixel_shuffle(sel_tensor *x, int64_t r, sel_tensor **out);
SEL_API sel_status sel_pixel_unshuffle(sel_tensor *x, int64_t r, sel_tensor **out);
typedef enum sel_border {
  SEL_BORDER_REFLECT = 0,
  SEL_BORDER_REPLICATE,
  SEL_BORDER_CIRCULAR
} sel_border;
/* pads: (before, after) pairs, last dim first, as sel_pad; reflect needs pads below the extent. */
SEL_API sel_status sel_pad_border(sel_tensor *x, int npads, const int64_t *pads, sel_border border,
                                  sel_tensor **out);

/* ---- normalisation ---- weight, bias: NULL for 1 and 0. */

/* (x - mean) / sqrt(variance + eps) * weight + bias, channel by channel, of x [n, channels, ...].
 * training: statistics of the batch, and running_mean, running_var (NULL:
 * none kept) move towards them by `momentum` (the variance unbiased); else the running ones are
 * used. */
SEL_API sel_status sel_batch_norm(sel_tensor *x, sel_tensor *running_mean, sel_tensor *running_var,
                                  sel_tensor *weight, sel_tensor *bias, bool training,
                                  double momentum, double eps, sel_tensor **out);
/* (x - mean) / sqrt(variance + eps) * weight + bias over the last `ndims` dims, whose shape weight
 * and bias have. */
SEL_API sel_status sel_layer_norm(sel_tensor *x, int ndims, sel_tensor *weight, sel_tensor *bias,
                                  double eps, sel_tensor **out);
/* x / sqrt(mean(x^2) + eps) * weight over the last `ndims` dims (Zhang and Sennrich 2019). */
SEL_API sel_status sel_rms_norm(sel_tensor *x, int ndims, sel_tensor *weight, double eps,
                                sel_tensor **out);
/* The same of x [n, channels, ...], each sample's channels in `groups` groups (Wu and He 2018);
 * groups = channels is instance norm. */
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

/* ---- attention ---- */

/* softmax(q k^T scale + mask) v for q [batch, heads, q_length, size], k [batch, kv_heads, k_length,
 * size], v [batch, kv_heads, k_length, value_size]; heads is a multiple of kv_heads (grouped
 * queries). mask: NULL, float (added) or bool (true: may be seen), broadcasting to [batch, heads,
 * q_length, k_length]; it takes no gradient. causal: query i sees keys up to i + k_length -
 * q_length. scale 0: 1 / sqrt(size). Computed tile by tile with a running softmax (Milakov and
 * Gimelshein 2018; Dao et al. 2022), so memory does not grow with q_length * k_length. A query that
 * may see nothing gives 0. */
SEL_API sel_status sel_attention(sel_tensor *q, sel_tensor *k, sel_tensor *v, sel_tensor *mask,
                                 bool causal, double dropout, double scale, sel_tensor **out);
/* Rotary position embedding (Su et al. 2021) of x [..., length, size]: the pairs (x_j,
 * x_{j+size/2}) (interleaved: (x_{2j}, x_{2j+1})) turn by (offset + position) * base^(-2j/size).
 * size is even. */
SEL_API sel_status sel_rotary(sel_tensor *x, int64_t offset, double base, bool interleaved,
                              sel_tensor **out);

#ifdef __cplusplus
}
#endif
#endif
