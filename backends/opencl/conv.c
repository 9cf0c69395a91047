/* Convolution as products of matrices, but for what conv_host.c does on the host's own cores: the
 * input's windows are copied into the columns of a matrix, some images at a time, which CLBlast
 * multiplies (k = channels of a group * taps, p = positions):
 *
 *   forward      y       [out channels, p] = weight [out channels, k] * columns [k, p]
 *   grad input   columns [k, p] = weight^T * dy, added to where they came from
 *   grad weight  dweight [out channels, k] = dy [out channels, images * p] * columns^T
 *
 * Where a window is one element (1x1, stride 1) the input is the columns. Groups go one by one.
 */
#include <stdio.h>

#include "conv_host.h"
#include "kernels.h"
#include "launch.h"
#include "map.h"
#include "scratch.h"
#include "texts.h"
#include "window.h"

enum { COLUMN_BYTES = 64 << 20 }; /* of columns at a time, at most, but for a single image's */

/* As conv.cl has it. */
typedef struct columns {
  cl_long by_k, by_image, channels, first_channel, images, taps;
} columns;

typedef struct job {
  opencl_device *device;
  const sel_conv_args *args;
  opencl_window window;
  bool direct;                 /* the input is the columns */
  int64_t group_in, group_out; /* channels of a group */
  int64_t k, positions, in_size;
  int64_t images;     /* at a time */
  cl_mem columns, dy; /* scratch; dy: [group_out, images, positions] */
} job;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static sel_operand at(const job *j, cl_mem memory, int64_t offset) {
  return (sel_operand){.data = memory, .offset = offset, .dtype = j->args->dtype};
}

static sel_operand moved(const sel_operand *operand, int64_t elements) {
  sel_operand result = *operand;
  result.offset += elements;
  return result;
}

/* Images [first, first + count) of x, y, group g. */
static sel_operand x_of(const job *j, int64_t g, int64_t first) {
  return moved(&j->args->x, (first * j->args->channels + g * j->group_in) * j->in_size);
}
static sel_operand y_of(const job *j, int64_t g, int64_t first) {
  return moved(&j->args->y, (first * j->args->out_channels + g * j->group_out) * j->positions);
}
static sel_operand weight_of(const job *j, int64_t g) {
  return moved(&j->args->weight, g * j->group_out * j->k);
}

/* Moves between x and columns whose strides are by_k and by_image. */
static sel_status move(const job *j, const char *kernel, int64_t g, int64_t first, int64_t count,
                       int64_t by_k, int64_t by_image) {
  const bool gather = kernel[0] == 'g';
  const columns m = {.by_k = by_k,
                     .by_image = by_image,
                     .channels = j->args->channels,
                     .first_channel = g * j->group_in,
                     .images = count,
                     .taps = j->k / j->group_in};
  char defines[96];
  snprintf(defines, sizeof defines, "#define T %s\n#define SUM %s\n",
           j->args->dtype == SEL_F64 ? "double" : "float", j->device->f64 ? "double" : "float");
  const sel_operand x = moved(&j->args->x, first * j->args->channels * j->in_size);
  opencl_launch l;
  opencl_begin(&l, j->device, "conv", "conv.cl", opencl_text_conv, defines, kernel);
  opencl_value(&l, &j->window, sizeof j->window);
  opencl_value(&l, &m, sizeof m);
  opencl_long(&l, gather ? j->k : j->group_in);
  opencl_operand(&l, &x);
  opencl_buffer(&l, j->columns);
  const int64_t items[3] = {gather ? j->positions : j->in_size, gather ? j->k : j->group_in, count};
  const size_t group[3] = {j->device->group < 64 ? j->device->group : 64, 1, 1};
  return opencl_run(&l, 3, items, group);
}

/* y = columns weight, with bias put there before. */
static sel_status put_bias(const job *j) {
  const sel_conv_args *args = j->args;
  const char *dtype = sel_dtype_name(args->dtype);
  opencl_map map = {
      .what = "conv",
      .expression = "a",
      .compute = dtype,
      .dtype = {dtype, NULL, NULL, dtype},
      .operand = {args->bias, {0}, {0}, args->y},
      .inputs = 1,
      .ndim = 3,
      .shape = {args->n, args->out_channels, j->positions},
      .stride = {{0, 1, 0}, {0}, {0}, {args->out_channels * j->positions, j->positions, 1}},
      .numel = args->n * args->out_channels * j->positions};
  return opencl_map_run(j->device, &map);
}

static sel_status forward(const job *j, int64_t g, int64_t first, int64_t count) {
  const int64_t image = j->k * j->positions;
  sel_status status = SEL_OK;
  if (!j->direct) status = move(j, "gather", g, first, count, j->positions, image);
  if (status != SEL_OK) return status;
  const sel_gemm_args product = {
      .dtype = j->args->dtype,
      .m = j->group_out,
      .n = j->positions,
      .k = j->k,
      .alpha = 1,
      .beta = j->args->bias.data ? 1 : 0,
      .a = weight_of(j, g),
      .b = j->direct ? x_of(j, g, first) : at(j, j->columns, 0),
      .c = y_of(j, g, first),
      .lda = j->k,
      .ldb = j->positions,
      .ldc = j->positions,
      .batch = count,
      .batch_stride_b = j->direct ? j->args->channels * j->in_size : image,
      .batch_stride_c = j->args->out_channels * j->positions};
  return opencl_gemm(j->device, &product);
}

static sel_status grad_input(const job *j, int64_t g, int64_t first, int64_t count) {
  const int64_t image = j->k * j->positions;
  const sel_gemm_args product = {
      .dtype = j->args->dtype,
      .transpose_a = true,
      .m = j->k,
      .n = j->positions,
      .k = j->group_out,
      .alpha = 1,
      .a = weight_of(j, g),
      .b = y_of(j, g, first),
      .c = j->direct ? x_of(j, g, first) : at(j, j->columns, 0),
      .lda = j->k,
      .ldb = j->positions,
      .ldc = j->positions,
      .batch = count,
      .batch_stride_b = j->args->out_channels * j->positions,
      .batch_stride_c = j->direct ? j->args->channels * j->in_size : image};
  const sel_status status = opencl_gemm(j->device, &product);
  if (status != SEL_OK || j->direct) return status;
  return move(j, "scatter", g, first, count, j->positions, image);
}

/* dy of some images, channels outermost. */
static sel_status turn_dy(const job *j, int64_t g, int64_t first, int64_t count) {
  const int64_t p = j->positions;
  const sel_copy_args copy = {.source = y_of(j, g, first),
                              .destination = at(j, j->dy, 0),
                              .ndim = 3,
                              .numel = j->group_out * count * p,
                              .shape = {j->group_out, count, p},
                              .stride = {{p, j->args->out_channels * p, 1}, {count * p, p, 1}}};
  return opencl_copy(j->device, &copy);
}

static sel_status grad_weight(const job *j, int64_t g, int64_t first, int64_t count) {
  const int64_t width = count * j->positions;
  sel_status status = move(j, "gather", g, first, count, width, j->positions);
  if (status == SEL_OK) status = turn_dy(j, g, first, count);
  if (status != SEL_OK) return status;
  const sel_gemm_args product = {.dtype = j->args->dtype,
                                 .transpose_b = true,
                                 .m = j->group_out,
                                 .n = j->k,
                                 .k = width,
                                 .alpha = 1,
                                 .beta = first > 0 ? 1 : 0,
                                 .a = at(j, j->dy, 0),
                                 .b = at(j, j->columns, 0),
                                 .c = weight_of(j, g),
                                 .lda = width,
                                 .ldb = width,
                                 .ldc = j->k,
                                 .batch = 1};
  return opencl_gemm(j->device, &product);
}

/* Sums of dy by channel. */
static sel_status grad_bias(const job *j) {
  const sel_conv_args *args = j->args;
  const sel_reduce_args sums = {.op = SEL_REDUCE_OP_SUM,
                                .input = args->y,
                                .output = args->bias,
                                .kept = 1,
                                .reduced = 2,
                                .shape = {args->out_channels, args->n, j->positions},
                                .stride = {j->positions, args->out_channels * j->positions, 1},
                                .rows = args->out_channels,
                                .columns = args->n * j->positions,
                                .scale = 1};
  return opencl_reduce(j->device, &sums);
}

static sel_status open_job(opencl_device *device, const sel_conv_args *args, job *j) {
  *j = (job){.device = device, .args = args};
  const sel_status status =
      opencl_window_of("conv", args->dims, args->in, args->out, args->kernel, args->stride,
                       args->padding, args->dilation, &j->window);
  if (status != SEL_OK) return status;
  j->group_in = args->channels / args->groups;
  j->group_out = args->out_channels / args->groups;
  j->positions = opencl_volume(j->window.out);
  j->in_size = opencl_volume(j->window.in);
  j->k = j->group_in * opencl_volume(j->window.taps);
  j->direct = args->op != SEL_CONV_GRAD_WEIGHT && j->k == j->group_in && j->positions == j->in_size;
  for (int d = 0; d < 3; d++)
    j->direct = j->direct && j->window.stride[d] == 1 && j->window.padding[d] == 0;
  const int64_t size = (int64_t)sel_dtype_size(args->dtype), image = j->k * j->positions * size;
  j->images = image > 0 ? COLUMN_BYTES / image : args->n;
  j->images = smaller(j->images, args->n);
  if (j->images < 1) j->images = 1;
  return SEL_OK;
}

static sel_status allocate(job *j) {
  const size_t size = sel_dtype_size(j->args->dtype);
  const size_t width = (size_t)(j->images * j->positions) * size;
  sel_status status = SEL_OK;
  if (!j->direct) status = opencl_scratch(j->device, (size_t)j->k * width, "conv", &j->columns);
  if (status == SEL_OK && j->args->op == SEL_CONV_GRAD_WEIGHT)
    status = opencl_scratch(j->device, (size_t)j->group_out * width, "conv", &j->dy);
  return status;
}

static sel_status run(const job *j) {
  sel_status status = SEL_OK;
  if (j->args->bias.data && j->args->op == SEL_CONV_FORWARD) status = put_bias(j);
  for (int64_t g = 0; g < j->args->groups; g++)
    for (int64_t first = 0; status == SEL_OK && (first == 0 || first < j->args->n);
         first += j->images) { /* once even where there are no images: a gradient of zeros */
      const int64_t count = smaller(j->images, j->args->n - first);
      status = j->args->op == SEL_CONV_FORWARD      ? forward(j, g, first, count)
               : j->args->op == SEL_CONV_GRAD_INPUT ? grad_input(j, g, first, count)
                                                    : grad_weight(j, g, first, count);
    }
  return status;
}

sel_status opencl_conv(sel_backend_device handle, const sel_conv_args *args) {
  job j;
  sel_status status = opencl_check_dtype(handle, args->dtype, "conv");
  if (status == SEL_OK) status = open_job(handle, args, &j);
  if (status != SEL_OK) return status;
  const bool bias_too = args->bias.data && args->op == SEL_CONV_GRAD_WEIGHT;
  if (j.device->host && !j.direct && opencl_conv_host_fits(args, &j.window)) {
    status = opencl_conv_host(j.device, args, &j.window);
  } else {
    status = allocate(&j);
    if (status == SEL_OK) status = run(&j);
    opencl_scratch_done(j.device, j.columns);
    opencl_scratch_done(j.device, j.dy);
  }
  return status == SEL_OK && bias_too ? grad_bias(&j) : status;
}
