/* How fast kernels are: prints a table, judges nothing. Built with the tests, run by hand.
 *
 * usage: backends_speed [BACKEND [WORD]]   (cpu; rows whose name contains WORD)
 * Each figure is the best of several repetitions, with one thread and with all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "selenite/plugin.h"

static const sel_backend *backend;
static sel_backend_device device;
static const char *word = "";

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* A kernel call, repeated. */
typedef sel_status call(const void *args);

static void must(sel_status status) {
  if (status == SEL_OK) return;
  fprintf(stderr, "%s\n", sel_error());
  exit(1);
}

static double seconds_of(call *kernel, const void *args) {
  int64_t repeats = 1;
  double best = 1e30;
  for (double start = now(); now() - start < 0.25;) {
    const double begin = now();
    for (int64_t i = 0; i < repeats; i++) must(kernel(args));
    must(backend->synchronize(device));
    const double each = (now() - begin) / (double)repeats;
    if (each < best) best = each;
    if (each * (double)repeats < 2e-3) repeats *= 2;
  }
  return best;
}

/* `amount` is what one call moves or computes, in `unit`s of 1e9 a second; 0: print time alone. */
static void measure(const char *name, call *kernel, const void *args, double amount,
                    const char *unit) {
  if (!strstr(name, word)) return;
  printf("%-44s", name);
  for (int threads = 1; threads >= 0; threads--) {
    if (backend->set_threads) must(backend->set_threads(device, threads));
    const double seconds = seconds_of(kernel, args);
    if (amount > 0)
      printf(" %10.3f us %8.2f %s", seconds * 1e6, amount / seconds * 1e-9, unit);
    else
      printf(" %10.1f ns", seconds * 1e9);
    fflush(stdout);
  }
  printf("\n");
}

static sel_operand operand_of(sel_dtype dtype, int64_t n) {
  const size_t size = sel_dtype_size(dtype), bytes = (size_t)n * size;
  sel_operand operand = {.dtype = dtype};
  must(backend->allocate(device, bytes, &operand.data));
  void *host = calloc((size_t)n, size);
  for (int64_t i = 0; i < n; i++) {
    const double x = (double)(i * 7919 % 2000) / 1000 - 0.9995;
    if (dtype == SEL_F32) ((float *)host)[i] = (float)x;
    if (dtype == SEL_F64) ((double *)host)[i] = x;
    if (dtype == SEL_I64) ((int64_t *)host)[i] = i * 7919 % 10;
  }
  must(backend->write(device, operand.data, 0, host, bytes));
  free(host);
  return operand;
}

/* ---- pointwise ---- */

static sel_status pointwise(const void *args) { return backend->pointwise(device, args); }

static sel_pointwise_args flat(int op, int inputs, sel_dtype dtype, int64_t n) {
  sel_pointwise_args args = {.op = op,
                             .compute = SEL_F32,
                             .inputs = inputs,
                             .outputs = 1,
                             .ndim = n > 1,
                             .numel = n,
                             .shape = {n},
                             .scalar = {0.5, 0.75}};
  if (dtype == SEL_F64) args.compute = SEL_F64;
  for (int k = 0; k <= inputs; k++) {
    args.operand[k] = operand_of(dtype, n);
    args.stride[k][0] = 1;
  }
  return args;
}

static void pointwise_rows(void) {
  static const struct {
    const char *name;
    int op, inputs;
  } rows[] = {{"add", SEL_PW_add, 2},
              {"exp", SEL_PW_exp, 1},
              {"log", SEL_PW_log, 1},
              {"tanh", SEL_PW_tanh, 1},
              {"sigmoid", SEL_PW_sigmoid, 1},
              {"gelu", SEL_PW_gelu, 1},
              {"gelu_grad", SEL_PW_gelu_grad, 2},
              {"sin", SEL_PW_sin, 1},
              {"relu", SEL_PW_relu, 1}};
  char name[64];
  for (int64_t n = 1; n <= 64; n *= 8) {
    const sel_pointwise_args args = flat(SEL_PW_add, 2, SEL_F32, n);
    snprintf(name, sizeof name, "add f32 [%lld]", (long long)n);
    measure(name, pointwise, &args, 0, "");
  }
  sel_pointwise_args args = flat(SEL_PW_mul, 2, SEL_F32, 16);
  args.operand[1] = (sel_operand){.value = 2};
  measure("mul f32 [16] by a number", pointwise, &args, 0, "");
  args = flat(SEL_PW_add, 2, SEL_F32, 64);
  args.ndim = 2, args.shape[0] = 4, args.shape[1] = 16;
  for (int k = 0; k < 3; k++) args.stride[k][0] = k == 1 ? 0 : 16, args.stride[k][1] = 1;
  measure("add f32 [4,16] + [16]", pointwise, &args, 0, "");
  args = flat(SEL_PW_lt, 2, SEL_F32, 16);
  args.operand[2].dtype = SEL_BOOL;
  measure("lt f32 [16] to bool", pointwise, &args, 0, "");
  const int64_t n = 1 << 20;
  for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
    args = flat(rows[r].op, rows[r].inputs, SEL_F32, n);
    snprintf(name, sizeof name, "%s f32 [1M]", rows[r].name);
    measure(name, pointwise, &args, (double)n * 4 * (rows[r].inputs + 1), "GB/s");
  }
  args = flat(SEL_PW_exp, 1, SEL_F64, n);
  measure("exp f64 [1M]", pointwise, &args, (double)n * 16, "GB/s");
  args = flat(SEL_PW_add, 2, SEL_F16, n);
  measure("add f16 [1M]", pointwise, &args, (double)n * 6, "GB/s");
  args = flat(SEL_PW_add, 2, SEL_BF16, n);
  measure("add bf16 [1M]", pointwise, &args, (double)n * 6, "GB/s");
  args = flat(SEL_PW_mul, 2, SEL_F32, n);
  args.operand[1] = (sel_operand){.value = 2};
  measure("mul f32 [1M] by a number", pointwise, &args, (double)n * 8, "GB/s");
  args = flat(SEL_PW_add, 2, SEL_F32, n);
  args.ndim = 2, args.shape[0] = 1024, args.shape[1] = 1024;
  for (int k = 0; k < 3; k++) args.stride[k][0] = k == 1 ? 0 : 1024, args.stride[k][1] = 1;
  measure("add f32 [1024,1024] + [1024]", pointwise, &args, (double)n * 8, "GB/s");
  args.stride[1][0] = 1, args.stride[1][1] = 0;
  measure("add f32 [1024,1024] + [1024,1]", pointwise, &args, (double)n * 8, "GB/s");
  args.stride[1][1] = 1024;
  measure("add f32 [1024,1024] + transposed", pointwise, &args, (double)n * 12, "GB/s");
  args.shape[0] = 65536, args.shape[1] = 16;
  for (int k = 0; k < 3; k++) args.stride[k][0] = k == 1 ? 0 : 16, args.stride[k][1] = 1;
  measure("add f32 [65536,16] + [16]", pointwise, &args, (double)n * 8, "GB/s");
  args.shape[0] = 1 << 18, args.shape[1] = 3;
  for (int k = 0; k < 3; k++) args.stride[k][0] = k == 1 ? 4 : 3, args.stride[k][1] = 1;
  args.numel = 3 << 18;
  measure("add f32 [262144,3] + padded", pointwise, &args, (double)args.numel * 12, "GB/s");
}

/* ---- copies ---- */

static sel_status copy(const void *args) { return backend->copy(device, args); }

static void copies(void) {
  const int64_t n = 1 << 20;
  sel_copy_args args = {.source = operand_of(SEL_F32, n),
                        .destination = operand_of(SEL_F32, n),
                        .ndim = 1,
                        .numel = n,
                        .shape = {n},
                        .stride = {{1}, {1}}};
  measure("copy f32 [1M]", copy, &args, (double)n * 8, "GB/s");
  sel_copy_args transposed = args;
  transposed.ndim = 2, transposed.shape[0] = transposed.shape[1] = 1024;
  transposed.stride[0][0] = 1, transposed.stride[0][1] = 1024;
  transposed.stride[1][0] = 1024, transposed.stride[1][1] = 1;
  measure("copy f32 [1024,1024] transposed", copy, &transposed, (double)n * 8, "GB/s");
  args.destination = operand_of(SEL_BF16, n);
  measure("copy f32 to bf16 [1M]", copy, &args, (double)n * 6, "GB/s");
  args.destination = operand_of(SEL_F16, n);
  measure("copy f32 to f16 [1M]", copy, &args, (double)n * 6, "GB/s");
  args.numel = args.shape[0] = 16, args.destination = operand_of(SEL_F32, n);
  measure("copy f32 [16]", copy, &args, 0, "");
}

/* ---- reductions ---- */

static sel_status reduce(const void *args) { return backend->reduce(device, args); }

static void reduction(const char *name, sel_reduce_op op, int64_t rows, int64_t columns,
                      bool inner) {
  const bool position = op == SEL_REDUCE_OP_ARGMAX;
  sel_reduce_args args = {.op = op,
                          .input = operand_of(SEL_F32, rows * columns),
                          .output = operand_of(position ? SEL_I64 : SEL_F32, rows),
                          .kept = rows > 1,
                          .reduced = 1,
                          .rows = rows,
                          .columns = columns,
                          .scale = 1,
                          .scalar = 1};
  if (rows > 1) args.shape[0] = rows, args.stride[0] = inner ? columns : 1;
  args.shape[args.kept] = columns, args.stride[args.kept] = inner ? 1 : rows;
  const double bytes = (double)(rows * columns) * 4;
  measure(name, reduce, &args, bytes > 4096 ? bytes : 0, "GB/s");
}

static void reductions(void) {
  reduction("sum f32 [16]", SEL_REDUCE_OP_SUM, 1, 16, true);
  reduction("sum f32 [1M]", SEL_REDUCE_OP_SUM, 1, 1 << 20, true);
  reduction("sum f32 [16M]", SEL_REDUCE_OP_SUM, 1, 1 << 24, true);
  reduction("sum f32 [1024,1024] over columns", SEL_REDUCE_OP_SUM, 1024, 1024, true);
  reduction("sum f32 [1024,1024] over rows", SEL_REDUCE_OP_SUM, 1024, 1024, false);
  reduction("sum f32 [65536,10] over rows", SEL_REDUCE_OP_SUM, 10, 65536, false);
  reduction("sum f32 [64,16] over rows", SEL_REDUCE_OP_SUM, 16, 64, false);
  reduction("max f32 [1M]", SEL_REDUCE_OP_MAX, 1, 1 << 20, true);
  reduction("argmax f32 [65536,10] over columns", SEL_REDUCE_OP_ARGMAX, 65536, 10, true);
  reduction("argmax f32 [1024,1024] over columns", SEL_REDUCE_OP_ARGMAX, 1024, 1024, true);
  reduction("var f32 [1024,1024] over columns", SEL_REDUCE_OP_VAR, 1024, 1024, true);
  reduction("var f32 [1024,1024] over rows", SEL_REDUCE_OP_VAR, 1024, 1024, false);
}

/* ---- softmax and cross-entropy ---- */

static sel_status softmax(const void *args) { return backend->softmax(device, args); }
static sel_status cross_entropy(const void *args) { return backend->cross_entropy(device, args); }

static void softmaxes(void) {
  const int64_t n = 1 << 20;
  sel_softmax_args args = {.x = operand_of(SEL_F32, n),
                           .grad = operand_of(SEL_F32, n),
                           .out = operand_of(SEL_F32, n),
                           .outer = 1024,
                           .extent = 1024,
                           .inner = 1};
  measure("softmax f32 [1024,1024]", softmax, &args, (double)n * 8, "GB/s");
  args.log = true;
  measure("log_softmax f32 [1024,1024]", softmax, &args, (double)n * 8, "GB/s");
  args.backward = true;
  measure("log_softmax backward f32 [1024,1024]", softmax, &args, (double)n * 12, "GB/s");
  args.backward = args.log = false;
  args.outer = 1, args.inner = 1024;
  measure("softmax f32 [1024,1024] along the first", softmax, &args, (double)n * 8, "GB/s");
  args.inner = 1, args.outer = 65536, args.extent = 16;
  measure("softmax f32 [65536,16]", softmax, &args, (double)n * 8, "GB/s");
  sel_cross_entropy_args loss = {.logits = args.x,
                                 .target = operand_of(SEL_I64, 65536),
                                 .losses = operand_of(SEL_F32, 65536),
                                 .log_sums = operand_of(SEL_F32, 65536),
                                 .grad_losses = operand_of(SEL_F32, 65536),
                                 .grad_logits = args.grad,
                                 .rows = 65536,
                                 .classes = 10,
                                 .ignore_index = -100};
  measure("cross_entropy f32 [65536,10]", cross_entropy, &loss, 65536.0 * 40, "GB/s");
  loss.backward = true;
  measure("cross_entropy backward f32 [65536,10]", cross_entropy, &loss, 65536.0 * 80, "GB/s");
}

/* ---- products ---- */

static sel_status gemm(const void *args) { return backend->gemm(device, args); }

static void product(int64_t m, int64_t n, int64_t k, bool ta, bool tb, int64_t batch) {
  sel_gemm_args args = {.dtype = SEL_F32,
                        .transpose_a = ta,
                        .transpose_b = tb,
                        .m = m,
                        .n = n,
                        .k = k,
                        .alpha = 1,
                        .a = operand_of(SEL_F32, m * k * batch),
                        .b = operand_of(SEL_F32, k * n * batch),
                        .c = operand_of(SEL_F32, m * n * batch),
                        .lda = ta ? m : k,
                        .ldb = tb ? k : n,
                        .ldc = n,
                        .batch = batch,
                        .batch_stride_a = m * k,
                        .batch_stride_b = k * n,
                        .batch_stride_c = m * n};
  char name[64];
  snprintf(name, sizeof name, "gemm %c%c m %lld n %lld k %lld batch %lld", ta ? 'T' : 'N',
           tb ? 'T' : 'N', (long long)m, (long long)n, (long long)k, (long long)batch);
  const double work = 2.0 * (double)(m * n * k * batch);
  measure(name, gemm, &args, work < 20000 ? 0 : work, "GFLOP/s");
  backend->release(device, args.a.data, 0);
  backend->release(device, args.b.data, 0);
  backend->release(device, args.c.data, 0);
}

static void products(void) {
  product(1, 16, 2, false, true, 1);
  product(1, 16, 16, false, true, 1);
  product(1, 16, 16, false, false, 1);
  product(16, 16, 1, true, false, 1);
  product(1, 1, 16, false, true, 1);
  product(4, 16, 16, false, true, 1);
  product(8, 8, 8, false, false, 1);
  product(16, 16, 16, false, false, 1);
  product(16, 16, 16, false, true, 1);
  product(32, 32, 32, false, true, 1);
  product(1, 256, 784, false, true, 1);
  product(128, 256, 784, false, true, 1);
  product(256, 784, 128, true, false, 1);
  product(128, 784, 256, false, false, 1);
  product(128, 10, 100, false, true, 1);
  product(256, 256, 256, false, false, 1);
  product(512, 512, 512, false, true, 1);
  product(1024, 1024, 1024, false, false, 1);
  product(2048, 2048, 2048, false, true, 1);
  product(64, 64, 64, false, true, 64);
  product(128, 128, 64, false, true, 96);
}

/* ---- convolution, normalisation, pooling ---- */

static sel_status conv(const void *args) { return backend->conv(device, args); }
static sel_status norm(const void *args) { return backend->norm(device, args); }

/* Square images and windows, with the padding that keeps the extents at stride 1. */
static void convolution(int64_t n, int64_t channels, int64_t out_channels, int64_t extent,
                        int64_t kernel, int64_t stride) {
  static const char *const names[] = {"forward", "grad input", "grad weight"};
  const int64_t out = (extent - 1) / stride + 1;
  sel_conv_args args = {.dtype = SEL_F32,
                        .dims = 2,
                        .x = operand_of(SEL_F32, n * channels * extent * extent),
                        .weight = operand_of(SEL_F32, out_channels * channels * kernel * kernel),
                        .y = operand_of(SEL_F32, n * out_channels * out * out),
                        .n = n,
                        .channels = channels,
                        .out_channels = out_channels,
                        .groups = 1};
  for (int d = 0; d < 2; d++) {
    args.in[d] = extent, args.out[d] = out, args.kernel[d] = kernel;
    args.stride[d] = stride, args.padding[d] = kernel / 2, args.dilation[d] = 1;
  }
  for (int op = 0; op < 3; op++) {
    char name[80];
    args.op = (sel_conv_op)op;
    snprintf(name, sizeof name, "conv %lldx%lld/%lld [%lld,%lld,%lld] to %lld %s",
             (long long)kernel, (long long)kernel, (long long)stride, (long long)n,
             (long long)channels, (long long)extent, (long long)out_channels, names[op]);
    measure(name, conv, &args,
            2 * (double)(n * channels * out_channels) * (double)(out * out * kernel * kernel),
            "GFLOP/s");
  }
  backend->release(device, args.x.data, 0);
  backend->release(device, args.weight.data, 0);
  backend->release(device, args.y.data, 0);
}

static void convolutions(void) {
  convolution(8, 64, 64, 32, 3, 1);
  convolution(8, 128, 128, 16, 3, 1);
  convolution(8, 256, 256, 8, 3, 1);
  convolution(8, 512, 512, 4, 3, 1);
  convolution(8, 64, 128, 32, 3, 2);
  convolution(8, 256, 512, 8, 3, 2);
  convolution(8, 3, 64, 32, 3, 1);
  convolution(8, 64, 128, 32, 1, 2);
  convolution(32, 16, 16, 32, 3, 1);
  convolution(32, 32, 32, 16, 3, 1);
  convolution(32, 64, 64, 8, 3, 1);
  convolution(32, 16, 32, 32, 3, 2);
  convolution(32, 3, 16, 32, 3, 1);
  convolution(64, 1, 32, 28, 3, 1);
  convolution(64, 32, 64, 14, 3, 1);
}

static void batch_norm(int64_t n, int64_t channels, int64_t inner) {
  const int64_t numel = n * channels * inner;
  char name[64];
  sel_norm_args args = {.kind = SEL_NORM_BATCH,
                        .dtype = SEL_F32,
                        .x = operand_of(SEL_F32, numel),
                        .y = operand_of(SEL_F32, numel),
                        .mean = operand_of(SEL_F32, channels),
                        .rstd = operand_of(SEL_F32, channels),
                        .var = operand_of(SEL_F32, channels),
                        .weight = operand_of(SEL_F32, channels),
                        .bias = operand_of(SEL_F32, channels),
                        .grad = operand_of(SEL_F32, numel),
                        .grad_weight = operand_of(SEL_F32, channels),
                        .grad_bias = operand_of(SEL_F32, channels),
                        .n = n,
                        .channels = channels,
                        .inner = inner,
                        .groups = 1,
                        .eps = 1e-5};
  args.grad_x = args.y;
  for (int backward = 0; backward < 2; backward++) {
    args.backward = backward;
    snprintf(name, sizeof name, "batch_norm%s f32 [%lld,%lld,%lld]", backward ? " backward" : "",
             (long long)n, (long long)channels, (long long)inner);
    measure(name, norm, &args, (double)numel * (backward ? 12 : 8), "GB/s");
  }
}

static sel_status pool(const void *args) { return backend->pool(device, args); }

static void max_pool(int64_t planes, int64_t extent) {
  char name[64];
  const int64_t in = planes * extent * extent, out = planes * (extent / 2) * (extent / 2);
  sel_pool_args args = {.op = SEL_POOL_MAX,
                        .dtype = SEL_F32,
                        .dims = 2,
                        .x = operand_of(SEL_F32, in),
                        .y = operand_of(SEL_F32, out),
                        .index = operand_of(SEL_I64, out),
                        .planes = planes};
  for (int d = 0; d < 2; d++) {
    args.in[d] = extent, args.out[d] = extent / 2;
    args.kernel[d] = args.stride[d] = 2, args.dilation[d] = 1;
  }
  snprintf(name, sizeof name, "max_pool 2x2 f32 [%lld,%lld,%lld]", (long long)planes,
           (long long)extent, (long long)extent);
  measure(name, pool, &args, (double)in * 4 + (double)out * 12, "GB/s");
}

static void batch_norms(void) {
  batch_norm(8, 64, 1024);
  batch_norm(8, 512, 16);
  batch_norm(32, 16, 1024);
  batch_norm(32, 64, 64);
}

/* ---- the rest ---- */

static sel_status draw(const void *args) { return backend->random(device, args); }
static sel_status sort(const void *args) { return backend->sort(device, args); }
static sel_status update(const void *args) { return backend->update(device, args); }
static sel_status indexed(const void *args) { return backend->index(device, args); }

static void rest(void) {
  const int64_t n = 1 << 20;
  sel_random_args args = {
      .op = SEL_RANDOM_UNIFORM, .out = operand_of(SEL_F32, n), .numel = n, .p1 = 1};
  measure("uniform f32 [1M]", draw, &args, (double)n, "G/s");
  args.op = SEL_RANDOM_NORMAL;
  measure("normal f32 [1M]", draw, &args, (double)n, "G/s");
  args.op = SEL_RANDOM_DROPOUT, args.x = operand_of(SEL_F32, n), args.p0 = 0.5;
  measure("dropout f32 [1M]", draw, &args, (double)n, "G/s");
  args.numel = 16;
  measure("dropout f32 [16]", draw, &args, 0, "");
  sel_sort_args order = {.input = args.x,
                         .values = args.out,
                         .indices = operand_of(SEL_I64, n),
                         .rows = 1,
                         .columns = n,
                         .k = n};
  measure("sort f32 [1M]", sort, &order, (double)n, "G/s");
  order.rows = 1024, order.columns = order.k = 1024;
  measure("sort f32 [1024,1024]", sort, &order, (double)n, "G/s");
  order.k = 10, order.descending = true;
  measure("topk 10 f32 [1024,1024]", sort, &order, (double)n, "G/s");
  sel_update_item items[7];
  for (int i = 0; i < 7; i++)
    items[i] = (sel_update_item){operand_of(SEL_F32, i ? 16 : n),
                                 operand_of(SEL_F32, i ? 16 : n),
                                 {operand_of(SEL_F32, i ? 16 : n), operand_of(SEL_F32, i ? 16 : n)},
                                 i ? 16 : n};
  sel_update_args adam = {.op = SEL_UPDATE_adam,
                          .dtype = SEL_F32,
                          .count = 1,
                          .items = items,
                          .scalar = {1e-3, 0, 1, 0.9, 0.999, 1e-8, 1, 0}};
  measure("adam f32 [1M]", update, &adam, (double)n * 28, "GB/s");
  adam.op = SEL_UPDATE_sgd, adam.count = 6, adam.items = items + 1;
  measure("sgd f32 6 x [16]", update, &adam, 0, "");
  sel_index_args pick = {.op = SEL_INDEX_SELECT,
                         .x = args.x,
                         .index = operand_of(SEL_I64, 8192),
                         .out = args.out,
                         .outer = 1,
                         .extent = 8192,
                         .count = 8192,
                         .inner = 128};
  measure("index_select f32 8192 x [128]", indexed, &pick, (double)n * 8, "GB/s");
  pick.op = SEL_INDEX_ADD;
  measure("index_add f32 8192 x [128]", indexed, &pick, (double)n * 12, "GB/s");
}

int main(int argc, char **argv) {
  const char *name = argc > 1 ? argv[1] : "cpu";
  if (argc > 2) word = argv[2];
  must(sel_init(NULL));
  for (int i = 0; (backend = sel_backend_at(i)) != NULL; i++)
    if (strcmp(backend->name, name) == 0) break;
  if (!backend) return fprintf(stderr, "no backend %s\n", name), 1;
  must(backend->device_open(0, &device));
  printf("%s\n%-44s %s\n", backend->device_summary(device), "",
         "one thread                      all threads");
  pointwise_rows();
  copies();
  reductions();
  softmaxes();
  products();
  convolutions();
  batch_norms();
  max_pool(2048, 28);
  max_pool(4096, 14);
  rest();
  return 0;
}
