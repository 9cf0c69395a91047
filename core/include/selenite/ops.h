/* Operations on tensors: one function each, all recorded on the tape where a gradient exists.
 *
 * Unless said otherwise: inputs are borrowed; `out` receives a new reference; inputs share dtype
 * and device; shapes broadcast as in NumPy; dims count from 0, negative from the end. A name with
 * an underscore behind it writes in place into its first input, which keeps shape and dtype.
 */
#ifndef SELENITE_OPS_H
#define SELENITE_OPS_H

#include "pointwise.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the operation list ---- */

typedef enum sel_op_flags {
  SEL_OP_DIFFERENTIABLE = 1, /* has a backward rule */
  SEL_OP_VIEW = 2            /* the result shares the input's storage */
} sel_op_flags;

SEL_API int sel_op_count(void);
SEL_API const char *sel_op_name(int i); /* NULL past the end; borrowed, static */
SEL_API int sel_op_flags_of(int i);     /* sel_op_flags, or-ed */

/* ---- pointwise: sel_add(a, b, &out), sel_add_(a, b), sel_relu(x, &out), sel_clamp(x, lo, hi,
 * &out) and so on for each row of SEL_POINTWISE (pointwise.h). Two-input rows also take a number on
 * either side: sel_add_scalar(a, 2.0, &out) is a + 2, sel_scalar_sub(1.0, a, &out) is 1 - a,
 * sel_mul_scalar_(a, 0.5) scales in place. */

#define SEL_FN_U(name)                                            \
  SEL_API sel_status sel_##name(sel_tensor *x, sel_tensor **out); \
  SEL_API sel_status sel_##name##_(sel_tensor *x);
#define SEL_FN_U1(name)                                                      \
  SEL_API sel_status sel_##name(sel_tensor *x, double s0, sel_tensor **out); \
  SEL_API sel_status sel_##name##_(sel_tensor *x, double s0);
#define SEL_FN_U2(name)                                                                 \
  SEL_API sel_status sel_##name(sel_tensor *x, double s0, double s1, sel_tensor **out); \
  SEL_API sel_status sel_##name##_(sel_tensor *x, double s0, double s1);
#define SEL_FN_B(name)                                                               \
  SEL_API sel_status sel_##name(sel_tensor *a, sel_tensor *b, sel_tensor **out);     \
  SEL_API sel_status sel_##name##_scalar(sel_tensor *a, double b, sel_tensor **out); \
  SEL_API sel_status sel_scalar_##name(double a, sel_tensor *b, sel_tensor **out);   \
  SEL_API sel_status sel_##name##_(sel_tensor *a, sel_tensor *b);                    \
  SEL_API sel_status sel_##name##_scalar_(sel_tensor *a, double b);
#define SEL_FN_B1(name)                                                                     \
  SEL_API sel_status sel_##name(sel_tensor *a, sel_tensor *b, double s0, sel_tensor **out); \
  SEL_API sel_status sel_##name##_(sel_tensor *a, sel_tensor *b, double s0);
#define SEL_FN_T(name)                                                                          \
  SEL_API sel_status sel_##name(sel_tensor *a, sel_tensor *b, sel_tensor *c, sel_tensor **out); \
  SEL_API sel_status sel_##name##_(sel_tensor *a, sel_tensor *b, sel_tensor *c);
#define SEL_FN_T1(name)                                                                 \
  SEL_API sel_status sel_##name(sel_tensor *a, sel_tensor *b, sel_tensor *c, double s0, \
                                sel_tensor **out);                                      \
  SEL_API sel_status sel_##name##_(sel_tensor *a, sel_tensor *b, sel_tensor *c, double s0);
#define SEL_FN_GB(name) \
  SEL_API sel_status sel_##name(sel_tensor *g, sel_tensor *b, sel_tensor **out);
#define SEL_FN_GB1(name) \
  SEL_API sel_status sel_##name(sel_tensor *g, sel_tensor *b, double s0, sel_tensor **out);
#define SEL_FN_GB2(name)                                                            \
  SEL_API sel_status sel_##name(sel_tensor *g, sel_tensor *b, double s0, double s1, \
                                sel_tensor **out);
#define SEL_FN_GT(name) \
  SEL_API sel_status sel_##name(sel_tensor *g, sel_tensor *b, sel_tensor *c, sel_tensor **out);
#define SEL_FN_GT1(name)                                                                \
  SEL_API sel_status sel_##name(sel_tensor *g, sel_tensor *b, sel_tensor *c, double s0, \
                                sel_tensor **out);
#define SEL_FN(kind, name, types, ...) SEL_FN_##kind(name)
SEL_POINTWISE(SEL_FN)
#undef SEL_FN

/* where with numbers for either side: cond ? a : b. */
SEL_API sel_status sel_where_scalar(sel_tensor *cond, sel_tensor *a, double b, sel_tensor **out);
SEL_API sel_status sel_scalar_where(sel_tensor *cond, double a, sel_tensor *b, sel_tensor **out);

/* ---- copies and casts ---- */

/* Writes value into every element. */
SEL_API sel_status sel_fill_(sel_tensor *t, double value);
/* Copies src into dst, converting dtype and device; src broadcasts to dst's shape. */
SEL_API sel_status sel_copy_(sel_tensor *dst, sel_tensor *src);
/* A contiguous copy; contiguous: x itself (one reference more) where it is so already. */
SEL_API sel_status sel_clone(sel_tensor *x, sel_tensor **out);
SEL_API sel_status sel_contiguous(sel_tensor *x, sel_tensor **out);
/* Another dtype and/or device (NULL: x's); x itself, one reference more, where nothing changes. */
SEL_API sel_status sel_to(sel_tensor *x, sel_dtype dtype, sel_device *device, sel_tensor **out);

/* ---- reductions ----
 * dims: ndims dimensions to reduce; ndims 0 reduces all. keepdim keeps reduced dims with extent 1.
 * sum and mean accumulate f32 in blocks so that the error stays near one rounding (and f16, bf16 in
 * f32); integer sums and products come out as i64. mean, var, std, norm take float dtypes only. */
/* The sum over dims. */
SEL_API sel_status sel_sum(sel_tensor *x, int ndims, const int *dims, bool keepdim,
                           sel_tensor **out);
/* The mean over dims. */
SEL_API sel_status sel_mean(sel_tensor *x, int ndims, const int *dims, bool keepdim,
                            sel_tensor **out);
/* The product over dims. */
SEL_API sel_status sel_prod(sel_tensor *x, int ndims, const int *dims, bool keepdim,
                            sel_tensor **out);
/* Extremes over dims (PyTorch's amax, amin): NaN wins; the gradient is shared evenly by ties. */
SEL_API sel_status sel_amax(sel_tensor *x, int ndims, const int *dims, bool keepdim,
                            sel_tensor **out);
SEL_API sel_status sel_amin(sel_tensor *x, int ndims, const int *dims, bool keepdim,
                            sel_tensor **out);
/* Extremes along one dim with their first position (i64, from 0): values get the gradient. */
SEL_API sel_status sel_max(sel_tensor *x, int dim, bool keepdim, sel_tensor **values,
                           sel_tensor **indices);
SEL_API sel_status sel_min(sel_tensor *x, int dim, bool keepdim, sel_tensor **values,
                           sel_tensor **indices);
/* Position (i64, from 0) of the first extreme along dim. */
SEL_API sel_status sel_argmax(sel_tensor *x, int dim, bool keepdim, sel_tensor **out);
SEL_API sel_status sel_argmin(sel_tensor *x, int dim, bool keepdim, sel_tensor **out);
/* Variance / standard deviation with divisor n - correction (1 is the unbiased estimate). */
SEL_API sel_status sel_var(sel_tensor *x, int ndims, const int *dims, double correction,
                           bool keepdim, sel_tensor **out);
SEL_API sel_status sel_std(sel_tensor *x, int ndims, const int *dims, double correction,
                           bool keepdim, sel_tensor **out);
/* (sum |x|^p)^(1/p); p may be infinity, minus infinity and 0 (count of non-zeros) as well. */
SEL_API sel_status sel_norm(sel_tensor *x, double p, int ndims, const int *dims, bool keepdim,
                            sel_tensor **out);
/* log(sum(exp(x))) over dims, without overflow. */
SEL_API sel_status sel_logsumexp(sel_tensor *x, int ndims, const int *dims, bool keepdim,
                                 sel_tensor **out);
/* Whether any element over dims differs from 0; bool. */
SEL_API sel_status sel_any(sel_tensor *x, int ndims, const int *dims, bool keepdim,
                           sel_tensor **out);
/* Whether all elements over dims differ from 0; bool. */
SEL_API sel_status sel_all(sel_tensor *x, int ndims, const int *dims, bool keepdim,
                           sel_tensor **out);
/* Sums along dim from its beginning up to each position. */
SEL_API sel_status sel_cumsum(sel_tensor *x, int dim, sel_tensor **out);
/* Sums x down to `shape`, to which x's shape must be a broadcast. The inverse of expand. */
SEL_API sel_status sel_sum_to(sel_tensor *x, int ndim, const int64_t *shape, sel_tensor **out);

/* ---- products ---- */

/* As torch.matmul: [n,k]x[k,m], vectors on either side, leading dims batch and broadcast. */
SEL_API sel_status sel_matmul(sel_tensor *a, sel_tensor *b, sel_tensor **out);
/* x [..., in] times weight [out, in] transposed, plus bias [out] (NULL for none). */
SEL_API sel_status sel_linear(sel_tensor *x, sel_tensor *weight, sel_tensor *bias,
                              sel_tensor **out);
/* y[..., o] = sum_ij a[..., i] weight[o, i, j] b[..., j] + bias[o] (NULL for none). */
SEL_API sel_status sel_bilinear(sel_tensor *a, sel_tensor *b, sel_tensor *weight, sel_tensor *bias,
                                sel_tensor **out);

/* ---- shape: views wherever strides allow ---- */

/* One extent may be -1. reshape copies where no view is possible, view fails there. */
SEL_API sel_status sel_reshape(sel_tensor *x, int ndim, const int64_t *shape, sel_tensor **out);
SEL_API sel_status sel_view(sel_tensor *x, int ndim, const int64_t *shape, sel_tensor **out);
/* The dims from first_dim to last_dim as one. */
SEL_API sel_status sel_flatten(sel_tensor *x, int first_dim, int last_dim, sel_tensor **out);
/* Dim i of the result is dim dims[i] of x. */
SEL_API sel_status sel_permute(sel_tensor *x, int ndims, const int *dims, sel_tensor **out);
/* Two dims change places. */
SEL_API sel_status sel_transpose(sel_tensor *x, int dim0, int dim1, sel_tensor **out);
/* Extent -1 keeps the present one. */
SEL_API sel_status sel_expand(sel_tensor *x, int ndim, const int64_t *shape, sel_tensor **out);
SEL_API sel_status sel_squeeze(sel_tensor *x, int dim, sel_tensor **out); /* dim of extent 1 */
/* Without all dims of extent 1. */
SEL_API sel_status sel_squeeze_all(sel_tensor *x, sel_tensor **out);
/* With a dim of extent 1 more, at dim. */
SEL_API sel_status sel_unsqueeze(sel_tensor *x, int dim, sel_tensor **out);
/* The part of dim that begins at start and is length long. */
SEL_API sel_status sel_narrow(sel_tensor *x, int dim, int64_t start, int64_t length,
                              sel_tensor **out);
/* x at one index of dim, which is gone. */
SEL_API sel_status sel_select(sel_tensor *x, int dim, int64_t index, sel_tensor **out);
/* start, start+step, ... below end, as Python's x[start:end:step]; step > 0. */
SEL_API sel_status sel_slice(sel_tensor *x, int dim, int64_t start, int64_t end, int64_t step,
                             sel_tensor **out);
/* Tensors joined along dim; stack: along a new one. */
SEL_API sel_status sel_cat(int n, sel_tensor *const *tensors, int dim, sel_tensor **out);
SEL_API sel_status sel_stack(int n, sel_tensor *const *tensors, int dim, sel_tensor **out);
/* n views of the given lengths along dim into outs[0..n-1], each new. */
SEL_API sel_status sel_split(sel_tensor *x, int n, const int64_t *lengths, int dim,
                             sel_tensor **outs);
/* Constant padding; pads: (before, after) pairs, last dim first, npads of them in all, negative
 * crops. As torch.nn.functional.pad. */
SEL_API sel_status sel_pad(sel_tensor *x, int npads, const int64_t *pads, double value,
                           sel_tensor **out);
/* The order along dims reversed. */
SEL_API sel_status sel_flip(sel_tensor *x, int ndims, const int *dims, sel_tensor **out);
/* Moved along dim by shift; what leaves at the end comes in at the beginning. */
SEL_API sel_status sel_roll(sel_tensor *x, int64_t shift, int dim, sel_tensor **out);
/* Copies along each dim, as torch.Tensor.repeat. */
SEL_API sel_status sel_repeat(sel_tensor *x, int ndim, const int64_t *times, sel_tensor **out);
/* Lower / upper triangle of the last two dims, zeros elsewhere. */
SEL_API sel_status sel_tril(sel_tensor *x, int64_t diagonal, sel_tensor **out);
SEL_API sel_status sel_triu(sel_tensor *x, int64_t diagonal, sel_tensor **out);

/* ---- indexing: index tensors are i64 or i32, values from 0; out of range is an error that names
 * the value ---- */

/* The slices of x along dim that index, a vector, names, in its order. */
SEL_API sel_status sel_index_select(sel_tensor *x, int dim, sel_tensor *index, sel_tensor **out);
/* out = x with rows of src added at index along dim. */
SEL_API sel_status sel_index_add(sel_tensor *x, int dim, sel_tensor *index, sel_tensor *src,
                                 sel_tensor **out);
/* out[i][j] = x[i][index[i][j]] for dim 1, as torch.gather. */
SEL_API sel_status sel_gather(sel_tensor *x, int dim, sel_tensor *index, sel_tensor **out);
/* x with src written (scatter) or added (scatter_add) at index. Duplicates: the last one in C order
 * wins; sums are taken in C order, so both are deterministic. */
SEL_API sel_status sel_scatter(sel_tensor *x, int dim, sel_tensor *index, sel_tensor *src,
                               sel_tensor **out);
SEL_API sel_status sel_scatter_add(sel_tensor *x, int dim, sel_tensor *index, sel_tensor *src,
                                   sel_tensor **out);
/* weight[index]: index of any shape, out [..., weight columns]. */
SEL_API sel_status sel_embedding(sel_tensor *weight, sel_tensor *index, sel_tensor **out);
/* 1 at the position that index holds and 0 elsewhere, along a last dim of `classes`; i64. */
SEL_API sel_status sel_one_hot(sel_tensor *index, int64_t classes, sel_tensor **out);
/* x with value where mask, which broadcasts to x, is true. */
SEL_API sel_status sel_masked_fill(sel_tensor *x, sel_tensor *mask, double value, sel_tensor **out);
/* Elements where mask is true, in C order, as a vector. */
SEL_API sel_status sel_masked_select(sel_tensor *x, sel_tensor *mask, sel_tensor **out);
/* i64 [count, ndim]: positions of non-zero elements in C order. */
SEL_API sel_status sel_nonzero(sel_tensor *x, sel_tensor **out);

/* ---- order ---- */

/* Stable sort along dim; NaN counts as largest. indices: i64. */
SEL_API sel_status sel_sort(sel_tensor *x, int dim, bool descending, sel_tensor **values,
                            sel_tensor **indices);
/* The indices of sort alone. */
SEL_API sel_status sel_argsort(sel_tensor *x, int dim, bool descending, sel_tensor **indices);
/* The k largest (smallest) along dim, in order. */
SEL_API sel_status sel_topk(sel_tensor *x, int64_t k, int dim, bool largest, sel_tensor **values,
                            sel_tensor **indices);

/* ---- softmax and losses ---- */

/* exp(x) / sum(exp(x)) along dim, without overflow. */
SEL_API sel_status sel_softmax(sel_tensor *x, int dim, sel_tensor **out);
/* The logarithm of softmax, computed as x - logsumexp(x). */
SEL_API sel_status sel_log_softmax(sel_tensor *x, int dim, sel_tensor **out);

typedef enum sel_reduction { SEL_REDUCE_MEAN = 0, SEL_REDUCE_SUM, SEL_REDUCE_NONE } sel_reduction;

/* logits [n, classes, ...], target i64/i32 class ids [n, ...], or float probabilities of logits'
 * shape. weight [classes] or NULL. Positions whose id is ignore_index count for nothing. */
SEL_API sel_status sel_cross_entropy(sel_tensor *logits, sel_tensor *target, sel_tensor *weight,
                                     int64_t ignore_index, double label_smoothing,
                                     sel_reduction reduction, sel_tensor **out);
/* The same from log-probabilities. */
SEL_API sel_status sel_nll_loss(sel_tensor *log_probabilities, sel_tensor *target,
                                sel_tensor *weight, int64_t ignore_index, sel_reduction reduction,
                                sel_tensor **out);
/* Element by element: x and target have one shape (no broadcasting) and one float dtype. */
SEL_API sel_status sel_mse_loss(sel_tensor *x, sel_tensor *target, sel_reduction reduction,
                                sel_tensor **out);
SEL_API sel_status sel_l1_loss(sel_tensor *x, sel_tensor *target, sel_reduction reduction,
                               sel_tensor **out);
SEL_API sel_status sel_smooth_l1_loss(sel_tensor *x, sel_tensor *target, double beta,
                                      sel_reduction reduction, sel_tensor **out);
SEL_API sel_status sel_huber_loss(sel_tensor *x, sel_tensor *target, double delta,
                                  sel_reduction reduction, sel_tensor **out);
SEL_API sel_status sel_bce_loss(sel_tensor *x, sel_tensor *target, sel_reduction reduction,
                                sel_tensor **out);
/* pos_weight broadcasts to x, or NULL. */
SEL_API sel_status sel_bce_with_logits_loss(sel_tensor *x, sel_tensor *target,
                                            sel_tensor *pos_weight, sel_reduction reduction,
                                            sel_tensor **out);
/* x: log-probabilities; target: probabilities. batch_mean divides the sum by x's first extent. */
SEL_API sel_status sel_kl_div_loss(sel_tensor *x, sel_tensor *target, bool batch_mean,
                                   sel_reduction reduction, sel_tensor **out);

/* ---- random: drawn from the thread's generator. uniform_, normal_ and dropout take float dtypes,
 * bernoulli_ every dtype, randint_ those that hold all of its integers exactly. randperm and
 * multinomial choose on the host: multinomial waits for its weights. ---- */

/* Evenly distributed over [low, high). */
SEL_API sel_status sel_uniform_(sel_tensor *t, double low, double high);
/* Normally distributed. */
SEL_API sel_status sel_normal_(sel_tensor *t, double mean, double std);
SEL_API sel_status sel_bernoulli_(sel_tensor *t, double p); /* 1 with probability p, else 0 */
/* Whole numbers from low to high - 1, all as likely. */
SEL_API sel_status sel_randint_(sel_tensor *t, int64_t low, int64_t high);
/* A random order of 0...n-1, i64. */
SEL_API sel_status sel_randperm(int64_t n, sel_device *device, sel_tensor **out);
/* n draws a row of class ids (i64) with probability proportional to weights [rows, classes] or
 * [classes]; with replacement. */
SEL_API sel_status sel_multinomial(sel_tensor *weights, int64_t n, sel_tensor **out);
/* Each element 0 with probability p, else divided by 1 - p. p 0 returns x itself. */
SEL_API sel_status sel_dropout(sel_tensor *x, double p, sel_tensor **out);

#ifdef __cplusplus
}
#endif
#endif
