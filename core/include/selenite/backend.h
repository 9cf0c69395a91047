/* What a backend gives to core: device memory and kernels by family.
 *
 * Core checks shapes, dtypes and devices, broadcasts, and allocates results before it calls a
 * kernel; a kernel only computes. A kernel left NULL is composed by core from others where a
 * composition exists, else using it is an error that names operation, dtype and backend. Kernels
 * report failure through sel_fail and leave results unspecified then.
 *
 * Threads: core may call from several threads at once. A kernel may still be running when it
 * returns, as long as later calls on the same device see its results (an in-order queue).
 *
 * ABI: structs begin with their size; fields are only appended within one ABI major version. Fields
 * are visible here, unlike a tensor's, because kernels read them once an operation.
 */
#ifndef SELENITE_BACKEND_H
#define SELENITE_BACKEND_H

#include "nn.h"
#include "ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Memory of one device as the backend sees it: for cpu a host pointer, else a buffer object. */
typedef void *sel_buffer;

/* A tensor operand as kernels see it. */
typedef struct sel_operand {
  sel_buffer data; /* NULL: the operand is the number `value` */
  int64_t offset;  /* of the first element, in elements */
  sel_dtype dtype;
  double value;
} sel_operand;

enum { SEL_MAX_OPERANDS = 8, SEL_MAX_SCALARS = 8 };

/* Pointwise: for each position of `shape`, outputs = row `op` of SEL_POINTWISE applied to inputs.
 * Operand k's element sits at data[offset + sum_d position[d] * stride[k][d]]; inputs first, then
 * outputs; stride 0 broadcasts. Inputs may be of another dtype than `compute` (a mask, a bool
 * result): load and store convert. Dims are merged, extents > 1 (a single element: ndim 0). An
 * output may be exactly an input (in place), never overlap it otherwise. */
typedef struct sel_pointwise_args {
  int op;            /* sel_pointwise_op */
  sel_dtype compute; /* f32, f64, i64, i32 or u8 */
  int inputs, outputs;
  sel_operand operand[SEL_MAX_OPERANDS];
  int ndim;
  int64_t numel;
  int64_t shape[SEL_MAX_DIMS];
  int64_t stride[SEL_MAX_OPERANDS][SEL_MAX_DIMS];
  double scalar[SEL_MAX_SCALARS];
} sel_pointwise_args;

/* Copy with conversion of dtype, on one device: operand 0 into operand 1. Float to integer
 * truncates towards zero; to bool is != 0. Strides of the source may be negative (flip). */
typedef struct sel_copy_args {
  sel_operand source, destination;
  int ndim;
  int64_t numel;
  int64_t shape[SEL_MAX_DIMS];
  int64_t stride[2][SEL_MAX_DIMS];
} sel_copy_args;

/* Optimizer update: row `op` of SEL_UPDATES over `count` contiguous tensors at once. */
typedef struct sel_update_item {
  sel_operand parameter, gradient, state[3]; /* all contiguous, of one dtype (f32 or f64) */
  int64_t numel;
} sel_update_item;
typedef struct sel_update_args {
  int op; /* sel_update_op */
  sel_dtype dtype;
  int count;
  const sel_update_item *items;
  double scalar[SEL_MAX_SCALARS];
} sel_update_args;

typedef enum sel_reduce_op {
  SEL_REDUCE_OP_SUM = 0,
  SEL_REDUCE_OP_PROD,
  SEL_REDUCE_OP_MAX, /* NaN wins */
  SEL_REDUCE_OP_MIN,
  SEL_REDUCE_OP_ARGMAX, /* i64 position in the reduced dims, C order; first of ties; NaN wins */
  SEL_REDUCE_OP_ARGMIN,
  SEL_REDUCE_OP_ANY, /* bool */
  SEL_REDUCE_OP_ALL,
  SEL_REDUCE_OP_SUM_ABS,
  SEL_REDUCE_OP_SUM_SQUARE,
  SEL_REDUCE_OP_VAR /* divisor: number reduced - scalar (correction), 0 or less gives NaN */
} sel_reduce_op;

/* Reduces the inner dims of `input`, laid out as kept dims first, then reduced ones, each group
 * merged and in C order. The output is contiguous over the kept dims. A result is multiplied by
 * `scale` (sums only; mean = sum scaled by 1/n). Nothing to reduce gives the identity of the op (0,
 * 1, -inf, +inf, false, true, NaN for var). Low precision accumulates in f32 or wider, f32 with an
 * error that does not grow linearly with n. */
typedef struct sel_reduce_args {
  sel_reduce_op op;
  sel_operand input, output;
  int kept, reduced;                                         /* how many dims of each */
  int64_t shape[2 * SEL_MAX_DIMS], stride[2 * SEL_MAX_DIMS]; /* kept dims, then reduced dims */
  int64_t rows, columns; /* product of kept extents, of reduced extents */
  double scale, scalar;
} sel_reduce_args;

/* Running sum along the last of `ndim` dims (not merged; extents may be 0 or 1). */
typedef struct sel_scan_args {
  sel_operand input, output; /* output contiguous */
  int ndim;
  int64_t shape[SEL_MAX_DIMS], stride[SEL_MAX_DIMS];
} sel_scan_args;

/* C = alpha * op(A) op(B) + beta * C, row-major; op(A) is m x k, op(B) k x n. `batch` products,
 * whose operands lie batch_stride elements apart (0: shared; never for C). f32 or f64. C is not
 * read when beta is 0. m, n, k or batch may be 0. With `bias`, beta is 0 and the n numbers of bias
 * are added to each row of C. */
typedef struct sel_gemm_args {
  sel_dtype dtype;
  bool transpose_a, transpose_b;
  int64_t m, n, k;
  double alpha, beta;
  sel_operand a, b, c, bias; /* bias.data NULL: none */
  int64_t lda, ldb, ldc;
  int64_t batch, batch_stride_a, batch_stride_b, batch_stride_c;
} sel_gemm_args;

/* Indexing along one dim of contiguous tensors seen as [outer, extent, inner]; index i64 or i32,
 * contiguous. A value outside [0, extent) makes the kernel fail with SEL_E_ARGUMENT and name it, or
 * the next read or synchronize where the kernel returns before it is done (negative values are not
 * wrapped). Any dtype; add: number dtypes. Duplicate targets: the last in
 * C order wins for set, sums in C order for add. */
typedef enum sel_index_op {
  SEL_INDEX_SELECT = 0, /* out[o][j][i] = x[o][index[j]][i]; index [count] */
  SEL_INDEX_ADD,        /* out[o][index[j]][i] += x[o][j][i]; index [count]; out holds the base */
  SEL_INDEX_GATHER,     /* out[o][j][i] = x[o][index[o][j][i]][i]; index [outer,count,inner] */
  SEL_INDEX_SCATTER,    /* out[o][index[o][j][i]][i] = x[o][j][i]; out holds the base */
  SEL_INDEX_SCATTER_ADD
} sel_index_op;
typedef struct sel_index_args {
  sel_index_op op;
  sel_operand x, index, out;
  int64_t outer, extent, count, inner;
  const char *operation; /* whose indices they are, for a failure reported later; static */
} sel_index_args;

/* Stable sort of each row of a contiguous [rows, columns]; NaN counts as largest. values and
 * indices are [rows, k], k <= columns. */
typedef struct sel_sort_args {
  sel_operand input, values, indices;
  int64_t rows, columns, k;
  bool descending;
} sel_sort_args;

/* Softmax (or its logarithm) along the middle of contiguous [outer, extent, inner]; f32, f64. */
typedef struct sel_softmax_args {
  bool log, backward;
  sel_operand x;    /* forward: input; backward: the forward's output */
  sel_operand grad; /* backward: gradient of the output */
  sel_operand out;
  int64_t outer, extent, inner;
} sel_softmax_args;

/* Cross-entropy from logits [rows, classes], contiguous, with class ids [rows] (i64 or i32).
 * Forward: losses[row] = w[id] * (smoothed -log softmax), log_sums[row] = log sum exp (both f of
 * logits' dtype); 0 where id = ignore_index. Backward: grad_logits from grad_losses [rows] and
 * log_sums. With smoothing e, target probabilities are (1-e) at id plus e/classes everywhere, each
 * class term weighted by its w. An id outside [0, classes) fails and is named, as in
 * sel_index_args. */
typedef struct sel_cross_entropy_args {
  bool backward;
  sel_operand logits, target, weight; /* weight.data NULL: all 1 */
  sel_operand losses, log_sums;       /* forward: written; backward: losses unused */
  sel_operand grad_losses, grad_logits;
  int64_t rows, classes, ignore_index;
  double label_smoothing;
} sel_cross_entropy_args;

typedef enum sel_random_op {
  SEL_RANDOM_UNIFORM = 0, /* [p0, p1): p0 + u * (p1 - p0), or p0 where that rounds up to p1 */
  SEL_RANDOM_NORMAL,      /* mean p0, standard deviation p1: Box-Muller on words (0,1) and (2,3) */
  SEL_RANDOM_BERNOULLI,   /* u < p0 ? 1 : 0, p0 rounded to f32, also where out is f64 */
  SEL_RANDOM_INTEGER,     /* [p0, p1): p0 + floor(u * (p1 - p0)), u from 2 words (53 bits) */
  SEL_RANDOM_DROPOUT      /* out = u < p0 ? 0 : x * p1 */
} sel_random_op;

/* Fills contiguous `out`. Philox4x32-10 with key (seed low, seed high). Element i of a draw that
 * uses one word an element takes word i%4 of counter (offset + i/4, 0): as four 32-bit counter
 * words (low, high, 0, 0). u = (word >> 8) * 2^-24. Draws that use two words an element (f64
 * uniform and dropout on f64, normal f64, integer) take words 2*(i%2), 2*(i%2)+1 of counter offset
 * + i/2; u = ((w0 >> 5) * 2^26 + (w1 >> 6)) * 2^-53. Normal f32: words (0,1) of the counter give
 * elements 4c and 4c+1, words (2,3) give 4c+2 and 4c+3: r = sqrt(-2 ln(1 - u0)), elements r cos(2
 * pi u1) and r sin(2 pi u1). Normal f64: counters offset + i/2 * 2 and + 1 give u0, u1 (from words
 * 0,1 of each; 53 bits) for elements i and i+1. */
typedef struct sel_random_args {
  sel_random_op op;
  sel_operand out; /* uniform, normal, bernoulli: f32, f64 (others through core); integer: i64 */
  sel_operand x;   /* dropout: contiguous, of out's dtype */
  int64_t numel;
  uint64_t seed, offset;
  double p0, p1; /* uniform, dropout: these and each step are rounded to out's dtype */
} sel_random_args;

/* ---- families of the layer plugins ---- all tensors contiguous, f32 or f64, results fresh memory.
 * Spatial arrays have `dims` entries (1, 2 or 3), outermost first. */

typedef enum sel_conv_op {
  SEL_CONV_FORWARD = 0, /* y from x, weight (and bias) */
  SEL_CONV_GRAD_INPUT,  /* x from y (its gradient) and weight; also the forward of conv_transpose */
  SEL_CONV_GRAD_WEIGHT /* weight from x and y (its gradient); with bias.data: bias too, sums of y */
} sel_conv_op;

/* Cross-correlation as in torch.nn.functional.conv: x [n, channels, in...], weight [out_channels,
 * channels / groups, kernel...], y [n, out_channels, out...]. y[o] sums x[o * stride - padding + k
 * * dilation] weight[k]; positions outside x count as 0. Padding may differ in front and behind:
 * only the front is given, `out` says how far the windows go. */
typedef struct sel_conv_args {
  sel_conv_op op;
  sel_dtype dtype;
  int dims;
  sel_operand x, weight, bias, y; /* bias.data NULL: none */
  int64_t n, channels, out_channels, groups;
  int64_t in[3], out[3], kernel[3], stride[3], padding[3], dilation[3];
} sel_conv_args;

typedef enum sel_pool_op {
  SEL_POOL_MAX = 0,  /* y and index (i64: position in the plane of the first maximum; NaN wins) */
  SEL_POOL_MAX_GRAD, /* x from y (its gradient) and index */
  SEL_POOL_AVG,
  SEL_POOL_AVG_GRAD /* x from y (its gradient) */
} sel_pool_op;

/* Pooling over `planes` = n * channels planes of extents `in`. Windows as in conv; adaptive: window
 * o of a dim is [floor(o in / out), ceil((o + 1) in / out)), kernel, stride, padding unused. AVG
 * divides by the window's size, cut to the padded plane when count_padding, to the plane itself
 * otherwise; by `divisor` when it is not 0. */
typedef struct sel_pool_args {
  sel_pool_op op;
  sel_dtype dtype;
  int dims;
  sel_operand x, y, index;
  int64_t planes;
  int64_t in[3], out[3], kernel[3], stride[3], padding[3], dilation[3];
  bool adaptive, count_padding;
  int64_t divisor;
} sel_pool_args;

/* Resampling planes from `in` to `out` as torch.nn.functional.interpolate; backward: x from y.
 * scale: input positions an output position, in/out or 1/scale_factor; align_corners for linear
 * only. */
typedef struct sel_upsample_args {
  sel_upsample_mode mode;
  bool backward, align_corners;
  sel_dtype dtype;
  int dims;
  sel_operand x, y;
  int64_t planes;
  int64_t in[3], out[3];
  double scale[3];
} sel_upsample_args;

typedef enum sel_norm_kind {
  SEL_NORM_LAYER = 0, /* statistics over each row of [rows, columns]; affine by column */
  SEL_NORM_RMS,       /* the same without mean and shift */
  SEL_NORM_GROUP,     /* [n, channels, inner]: over each of n * groups groups; affine by channel */
  SEL_NORM_BATCH      /* [n, channels, inner]: over n and inner; affine by channel */
} sel_norm_kind;

/* y = (x - mean) * rstd * weight + bias, rstd = 1 / sqrt(var + eps), var with divisor n; for RMS
 * var is the mean of x^2 and mean is not touched. Forward writes y, mean, rstd ([rows],
 * [n * groups] or [channels]) and, for BATCH where its data is given, var [channels]; with
 * fixed_statistics (batch norm in eval) mean and rstd are read. Backward reads x, grad (of y),
 * mean, rstd, weight and writes grad_x, grad_weight, grad_bias; a result whose data is NULL is not
 * wanted; with fixed_statistics, mean and rstd count as constants. LAYER, RMS: rows in n, columns
 * in inner, channels 1. No extent is 0. */
typedef struct sel_norm_args {
  sel_norm_kind kind;
  bool backward, fixed_statistics;
  sel_dtype dtype;
  sel_operand x, y, mean, rstd, var, weight, bias; /* weight, bias .data NULL: 1, 0 */
  sel_operand grad, grad_x, grad_weight, grad_bias;
  int64_t n, channels, inner, groups;
  double eps;
} sel_norm_args;

/* One step of a recurrent cell after the products, formulas as in torch.nn. gates_x [n, G * size]
 * (input part, biases included), gates_h [n, G * size] (state part, biases included), G = 1, 4 (i,
 * f, g, o) or 3 (r, z, n). mask: n bytes, or NULL: rows with 0 keep their state.
 * Forward: h (and c) from h_prev, c_prev, whose memory they may take. saved [n, S * size] keeps the
 * activations for backward, S = 0 for the plain cells, 4 for LSTM, 4 for GRU (r, z, n and the state
 * part of n); NULL: not wanted.
 * Backward: the gradient of h is grad_h plus grad_out (NULL: 0), that of c grad_c (NULL: 0). From
 * these, saved, h, c, c_prev, h_prev come grad_gates_x and, for GRU, grad_gates_h (for the others
 * it would be the same), grad_c_prev (which may be grad_c), and grad_h_prev: what reaches the
 * previous state beside the gates (a masked row's gradient, GRU's z * h); may be grad_h, NULL where
 * it is nothing: no mask and not GRU. */
typedef struct sel_cell_args {
  sel_cell kind;
  bool backward;
  sel_dtype dtype;
  sel_operand gates_x, gates_h, h_prev, c_prev, h, c, saved, mask;
  sel_operand grad_h, grad_out, grad_c, grad_gates_x, grad_gates_h, grad_h_prev, grad_c_prev;
  int64_t n, size;
} sel_cell_args;

/* Steps of a recurrence: `products[i]`, then `cells[i]`; backward the cell comes first, and a
 * product whose m is 0 is left out. Each reads what earlier ones wrote, but row r of a step only
 * row r of others. The products have B, bias, extents (but for that m), leading dimensions, alpha
 * and beta in common, and batch 1; the cells what is not an operand. */
typedef struct sel_recurrence_args {
  int64_t steps; /* 1 or more */
  const sel_gemm_args *products;
  const sel_cell_args *cells;
} sel_recurrence_args;

/* Attention over queries [batch, heads, q_length, head_size], keys and values [batch, kv_heads,
 * k_length, head_size or value_size]; query head h uses kv head h * kv_heads / heads. out =
 * softmax(q k^T * scale + mask) v. causal: query i sees keys up to i + k_length - q_length. mask:
 * added to the scores (-inf excludes); the element of (b, h, i, j) is sum of position *
 * mask_stride, 0 where it broadcasts, any layout. Dropout on the probabilities from the
 * counter-based stream of sel_random_args' dropout, element ((b * heads + h) * q_length + i) *
 * k_length + j. A query that sees no key gives 0. Memory must not grow with q_length * k_length.
 * Forward writes out and log_sums [batch, heads, q_length] (log sum exp of the scores; -inf where
 * nothing is seen); backward reads out, log_sums, grad (of out) and writes grad_q, grad_k, grad_v.
 * heads, kv_heads and sizes are positive, lengths and batch may be 0. */
typedef struct sel_attention_args {
  bool backward, causal;
  sel_dtype dtype;
  sel_operand q, k, v, mask, out, log_sums; /* mask.data NULL: none */
  sel_operand grad, grad_q, grad_k, grad_v;
  int64_t batch, heads, kv_heads, q_length, k_length, head_size, value_size;
  int64_t mask_stride[4];
  double scale, dropout;
  uint64_t seed, offset;
} sel_attention_args;

typedef struct sel_backend sel_backend;

/* A backend's own handle for one device: passed back to each of its functions. */
typedef void *sel_backend_device;

enum { SEL_FUSE_OPERANDS = 64 }; /* inputs, and outputs, of a fused function at most */

/* A fused function as data. Values are numbered: inputs, then constants, then the results of steps
 * in their order. A step applies a row of SEL_POINTWISE without parameters (kinds U, B, T) to
 * earlier values. Everything is computed in one float type; comparisons give 1 or 0. */
typedef struct sel_fuse_step {
  int op;         /* sel_pointwise_op */
  int operand[3]; /* values; those past the row's inputs are 0 and not read */
} sel_fuse_step;
typedef struct sel_fuse_program {
  size_t size;
  bool compile; /* machine code is wanted, where it can be made */
  int inputs, constants, steps, outputs;
  const double *constant;
  const sel_fuse_step *step;
  const int *output; /* values; not always results of steps, nor different ones */
} sel_fuse_program;

/* For each position of `shape`: outputs = program(inputs). Inputs (f32, f64 or bool; converted to
 * the compute type; data NULL: a number) lie as in sel_pointwise_args; outputs are of the compute
 * type, contiguous, and overlap nothing. */
typedef struct sel_fuse_args {
  size_t size;
  const sel_operand *input, *output;
  int ndim; /* merged, extents > 1, as in sel_pointwise_args */
  int64_t numel;
  const int64_t *shape;
  const int64_t (*stride)[SEL_MAX_DIMS]; /* of inputs, then of any output */
} sel_fuse_args;

/* The ability "fuse". A kernel belongs to the device it was made for; several threads may run one
 * at once. Where prepare or run return SEL_E_UNSUPPORTED, core runs separate operations. */
typedef struct sel_fuse_ability {
  size_t size;
  /* Makes a kernel of a program, which is borrowed by the call; compute is f32 or f64. */
  sel_status (*prepare)(sel_backend_device device, const sel_fuse_program *program,
                        sel_dtype compute, void **kernel);
  /* How it runs: "compiled", or "interpreted" and why. Borrowed until release. */
  const char *(*describe)(const void *kernel);
  sel_status (*run)(sel_backend_device device, const void *kernel, const sel_fuse_args *args);
  void (*release)(void *kernel);
} sel_fuse_ability;

/* The ability "device": what a device tells core, and core it. NULL: left out. */
typedef struct sel_device_ability {
  size_t size;
  double (*memory)(sel_backend_device device); /* bytes it has in all */
  /* Called once, after device_open: what this device is to core, for sel_scratch_take. */
  void (*attach)(sel_backend_device device, sel_device *as);
  /* Totals since device_open. */
  void (*counters)(sel_backend_device device, sel_counters *out);
} sel_device_ability;

/* The ability "source": kernels that plugins bring as text. Parameters as selenite/source.h says.
 */
enum { SEL_SOURCE_OPERANDS = 16 }; /* and numbers, at most */
typedef struct sel_source_args {
  size_t size;
  const char *text, *kernel;
  sel_dtype dtype; /* T: f32 or f64 */
  int64_t items;   /* 1 or more */
  int operands;
  const sel_operand *operand; /* contiguous */
  int numbers;
  const double *number; /* passed as T */
} sel_source_args;
typedef struct sel_source_ability {
  size_t size;
  const char *language; /* "OpenCL C" */
  sel_status (*run)(sel_backend_device device, const sel_source_args *args);
} sel_source_ability;

struct sel_backend {
  size_t size;      /* sizeof(sel_backend) the plugin was built with */
  const char *name; /* "cpu"; what users write in front of ":1" */

  /* Number of devices; with 0, `reason` (static or thread-local text) says why. */
  int (*device_count)(const char **reason);
  sel_status (*device_open)(int index, sel_backend_device *out);
  /* One line about the device: maker, model, instruction set. */
  const char *(*device_summary)(sel_backend_device device);
  bool host_memory; /* buffers are host pointers */

  /* Uncached memory; core keeps the cache. allocate gives at least 64-byte alignment and fails with
   * SEL_E_MEMORY. */
  sel_status (*allocate)(sel_backend_device device, size_t bytes, sel_buffer *out);
  void (*release)(sel_backend_device device, sel_buffer buffer, size_t bytes);
  /* Contiguous bytes between host and device, complete on return for read. */
  sel_status (*read)(sel_backend_device device, void *destination, sel_buffer source,
                     size_t source_byte, size_t bytes);
  sel_status (*write)(sel_backend_device device, sel_buffer destination, size_t destination_byte,
                      const void *source, size_t bytes);
  sel_status (*synchronize)(sel_backend_device device);
  sel_status (*set_threads)(sel_backend_device device, int n); /* NULL: meaningless here */
  int (*threads)(sel_backend_device device);

  /* Kernels. `supports` may be NULL: all families present support all their dtypes. */
  sel_status (*copy)(sel_backend_device device, const sel_copy_args *args);
  sel_status (*pointwise)(sel_backend_device device, const sel_pointwise_args *args);
  sel_status (*update)(sel_backend_device device, const sel_update_args *args);
  sel_status (*reduce)(sel_backend_device device, const sel_reduce_args *args);
  sel_status (*scan)(sel_backend_device device, const sel_scan_args *args);
  sel_status (*gemm)(sel_backend_device device, const sel_gemm_args *args);
  sel_status (*index)(sel_backend_device device, const sel_index_args *args);
  sel_status (*sort)(sel_backend_device device, const sel_sort_args *args);
  sel_status (*softmax)(sel_backend_device device, const sel_softmax_args *args);
  sel_status (*cross_entropy)(sel_backend_device device, const sel_cross_entropy_args *args);
  sel_status (*random)(sel_backend_device device, const sel_random_args *args);
  sel_status (*conv)(sel_backend_device device, const sel_conv_args *args);
  sel_status (*pool)(sel_backend_device device, const sel_pool_args *args);
  sel_status (*upsample)(sel_backend_device device, const sel_upsample_args *args);
  sel_status (*norm)(sel_backend_device device, const sel_norm_args *args);
  sel_status (*cell)(sel_backend_device device, const sel_cell_args *args);
  sel_status (*attention)(sel_backend_device device, const sel_attention_args *args);
  /* appended by later minor versions below this line; 1.1: */
  sel_status (*recurrence)(sel_backend_device device, const sel_recurrence_args *args);
  /* What it can do beyond the kernels, by name; NULL for a name it doesn't know. What is returned
   * is a constant, of the type said at the ability's struct. */
  const void *(*ability)(const char *name);
};

/* Called from a backend plugin's init. The table is borrowed and lives as long as the plugin. */
SEL_API sel_status sel_register_backend(const sel_backend *backend);
/* The i-th registered backend, NULL past the last. Borrowed. */
SEL_API const sel_backend *sel_backend_at(int i);

/* Memory for a kernel's own use, from the cache that tensors take theirs from, and counted with it
 * in sel_memory. `device` is what attach told. It may be given back while commands that use it are
 * still queued, where what is queued later runs later. */
SEL_API sel_status sel_scratch_take(sel_device *device, size_t bytes, sel_buffer *out);
SEL_API void sel_scratch_give(sel_device *device, sel_buffer buffer);

#ifdef __cplusplus
}
#endif
#endif
