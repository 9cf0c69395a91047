/* Convolution on the host's own cores: kernels in conv_host.cl. Three products, of which the second
 * is the first again:
 *
 *   forward      over x with zeros around it
 *   grad input   a forward by 1 over dy, whose elements lie `stride` apart among zeros, with the
 *                weight turned: taps backwards, channels in and out exchanged
 *   grad weight  dy times windows of x, by parts of the batch, which are added up then
 */
#include "conv_host.h"

#include "kernels.h"
#include "launch.h"
#include "scratch.h"
#include "texts.h"
#include "tile.h"

enum { ITEMS = 16 }; /* work-items of a gradient of the weight that keep some cores busy */

/* As conv_host.cl has them. */
typedef struct windows {
  cl_int padded[3], out[3], taps[3], stride[3], dilation[3];
  cl_long images, groups, group_in, group_out, k, share;
} windows;
typedef struct spread {
  cl_int in[3], padded[3], front[3], apart[3];
} spread;

static windows windows_of(const sel_conv_args *args, const opencl_window *w) {
  const bool back = args->op == SEL_CONV_GRAD_INPUT;
  const int64_t in = args->channels / args->groups, out = args->out_channels / args->groups;
  windows z = {.images = args->n,
               .groups = args->groups,
               .group_in = back ? out : in,
               .group_out = back ? in : out};
  for (int d = 0; d < 3; d++) {
    z.out[d] = back ? w->in[d] : w->out[d];
    z.taps[d] = w->taps[d];
    z.stride[d] = back ? 1 : w->stride[d];
    z.dilation[d] = w->dilation[d];
    z.padded[d] = (z.out[d] - 1) * z.stride[d] + (z.taps[d] - 1) * z.dilation[d] + 1;
  }
  z.k = z.group_in * opencl_volume(z.taps);
  return z;
}

bool opencl_conv_host_fits(const sel_conv_args *args, const opencl_window *window) {
  const windows z = windows_of(args, window);
  double elements = (double)z.group_in;
  for (int d = 0; d < 3; d++)
    elements *= (double)(z.out[d] - 1) * z.stride[d] + (double)(z.taps[d] - 1) * z.dilation[d] + 1;
  return elements < INT32_MAX && args->n * z.k * z.group_out * opencl_volume(window->out) > 0;
}

typedef struct job {
  opencl_device *device;
  const sel_conv_args *args;
  const opencl_window *window;
  windows z;
  opencl_tile tile;
  cl_mem padded, weight, sums; /* scratch */
} job;

static sel_status scratch(const job *j, int64_t elements, cl_mem *out) {
  return opencl_scratch(j->device, (size_t)elements * sel_dtype_size(j->args->dtype), "conv", out);
}

static void begin(opencl_launch *l, const job *j, const char *kernel) {
  opencl_begin(l, j->device, "conv", "conv_host.cl", opencl_text_conv_host, j->tile.defines,
               kernel);
}

static sel_status run(opencl_launch *l, int64_t a, int64_t b, int64_t c) {
  const int64_t items[3] = {a, b, c};
  const size_t alone[3] = {1, 1, 1};
  return opencl_run(l, 3, items, alone);
}

/* x, or for the gradient of the input dy, with zeros around. */
static sel_status pad(job *j) {
  const windows *z = &j->z;
  const opencl_window *w = j->window;
  const bool back = j->args->op == SEL_CONV_GRAD_INPUT;
  const int64_t planes = z->images * z->groups * z->group_in;
  spread s;
  for (int d = 0; d < 3; d++) {
    s.in[d] = back ? w->out[d] : w->in[d];
    s.padded[d] = z->padded[d];
    s.front[d] = back ? (w->taps[d] - 1) * w->dilation[d] - w->padding[d] : w->padding[d];
    s.apart[d] = back ? w->stride[d] : 1;
  }
  /* Kernels read whole vectors. */
  sel_status status = scratch(j, planes * opencl_volume(z->padded) + j->tile.columns, &j->padded);
  if (status != SEL_OK) return status;
  opencl_launch l;
  begin(&l, j, "pad");
  opencl_value(&l, &s, sizeof s);
  opencl_long(&l, planes);
  opencl_operand(&l, back ? &j->args->y : &j->args->x);
  opencl_buffer(&l, j->padded);
  return run(&l, planes, 1, 1);
}

static sel_status turn_weight(job *j) {
  const windows *z = &j->z; /* whose channels are turned already */
  const int64_t taps = opencl_volume(z->taps), inputs = z->groups * z->group_in;
  sel_status status = scratch(j, inputs * z->group_out * taps, &j->weight);
  if (status != SEL_OK) return status;
  opencl_launch l;
  begin(&l, j, "turn");
  opencl_long(&l, taps);
  opencl_long(&l, z->group_out);
  opencl_long(&l, z->group_in);
  opencl_operand(&l, &j->args->weight);
  opencl_buffer(&l, j->weight);
  return run(&l, taps, z->group_out, inputs);
}

static sel_status slide(job *j, const sel_operand *weight, const sel_operand *bias,
                        const sel_operand *to) {
  windows *z = &j->z;
  const int64_t tiles = opencl_pieces(z->images * opencl_volume(z->out), j->tile.columns);
  z->share = opencl_tile_share(j->device, &j->tile, z->group_out, tiles * z->groups);
  opencl_launch l;
  begin(&l, j, "forward");
  opencl_value(&l, z, sizeof *z);
  opencl_buffer(&l, j->padded);
  opencl_operand(&l, weight);
  opencl_operand(&l, bias);
  opencl_operand(&l, to);
  return run(&l, tiles, z->groups, opencl_pieces(z->group_out, z->share));
}

static sel_status grad_input(job *j) {
  static const sel_operand none;
  const sel_status status = turn_weight(j);
  const sel_operand weight = {.data = j->weight, .dtype = j->args->dtype};
  return status == SEL_OK ? slide(j, &weight, &none, &j->args->x) : status;
}

static sel_status add_parts(const job *j, int64_t n) {
  const sel_reduce_args sums = {.op = SEL_REDUCE_OP_SUM,
                                .input = {.data = j->sums, .dtype = j->args->dtype},
                                .output = j->args->weight,
                                .kept = 1,
                                .reduced = 1,
                                .shape = {n, j->z.share},
                                .stride = {1, n},
                                .rows = n,
                                .columns = j->z.share,
                                .scale = 1};
  return opencl_reduce(j->device, &sums);
}

static sel_status grad_weight(job *j) {
  windows *z = &j->z;
  const int64_t blocks = opencl_pieces(z->k, j->tile.columns);
  const int64_t n = z->groups * z->group_out * z->k;
  z->share = opencl_pieces(ITEMS, blocks * z->groups);
  if (z->share > z->images) z->share = z->images;
  sel_operand to = j->args->weight;
  if (z->share > 1) {
    const sel_status status = scratch(j, n * z->share, &j->sums);
    if (status != SEL_OK) return status;
    to = (sel_operand){.data = j->sums, .dtype = j->args->dtype};
  }
  opencl_launch l;
  begin(&l, j, "grad_weight");
  opencl_value(&l, z, sizeof *z);
  opencl_buffer(&l, j->padded);
  opencl_operand(&l, &j->args->y);
  opencl_operand(&l, &to);
  const sel_status status = run(&l, blocks, z->groups, z->share);
  return status == SEL_OK && z->share > 1 ? add_parts(j, n) : status;
}

sel_status opencl_conv_host(opencl_device *device, const sel_conv_args *args,
                            const opencl_window *window) {
  const bool weight = args->op == SEL_CONV_GRAD_WEIGHT;
  job j = {.device = device, .args = args, .window = window, .z = windows_of(args, window)};
  j.tile =
      opencl_tile_of(device, args->dtype, weight ? j.z.k : j.z.images * opencl_volume(j.z.out));
  sel_status status = pad(&j);
  if (status == SEL_OK)
    status = weight                            ? grad_weight(&j)
             : args->op == SEL_CONV_GRAD_INPUT ? grad_input(&j)
                                               : slide(&j, &args->weight, &args->bias, &args->y);
  opencl_scratch_done(device, j.padded);
  opencl_scratch_done(device, j.weight);
  opencl_scratch_done(device, j.sums);
  return status;
}
