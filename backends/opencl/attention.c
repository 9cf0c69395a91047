/* Attention: kernels in attention.cl, or on the host's own cores in attention_host.cl, which have
 * the same names and parameters. */
#include <stdio.h>

#include "kernels.h"
#include "launch.h"
#include "scratch.h"
#include "texts.h"
#include "tile.h"

/* As attention.cl has it. */
typedef struct attention {
  cl_long batch, heads, kv_heads, q_length, k_length;
  cl_long mask_first, mask_stride[4];
  cl_ulong seed, offset;
  cl_int causal;
} attention;

enum { LOCAL_BYTES = 24 << 10, MOST_KEYS = 32 };

/* Work-items of a group: also where a processor has no use for more. */
static size_t rows_of(const opencl_device *device) {
  return device->group < 64 ? device->group : 64;
}

/* Heads, and what the scores are made of. */
static void define_scores(const sel_attention_args *args, char *out, size_t size) {
  snprintf(out, size,
           "#define HEAD %lld\n#define VALUE %lld\n#define MASKED %d\n#define DROPPED %d\n"
           "#define WIDE %d\n",
           (long long)args->head_size, (long long)args->value_size, args->mask.data != NULL,
           args->dropout > 0, args->dtype == SEL_F64);
}

static void begin(opencl_launch *l, opencl_device *device, const sel_attention_args *args,
                  const char *kernel) {
  char scores[160], defines[320];
  const int64_t row = (args->head_size + args->value_size) * (int64_t)sel_dtype_size(args->dtype);
  int64_t keys = MOST_KEYS;
  while (keys > 1 && keys * row > LOCAL_BYTES) keys /= 2;
  define_scores(args, scores, sizeof scores);
  snprintf(defines, sizeof defines, "%s#define T %s\n#define ROWS %zu\n#define KEYS %lld\n", scores,
           args->dtype == SEL_F64 ? "double" : "float", rows_of(device), (long long)keys);
  opencl_begin(l, device, "attention", "attention.cl", opencl_text_attention, defines, kernel);
}

/* What all kernels over scores begin with. */
static void scores(opencl_launch *l, const sel_attention_args *args) {
  attention a = {.batch = args->batch,
                 .heads = args->heads,
                 .kv_heads = args->kv_heads,
                 .q_length = args->q_length,
                 .k_length = args->k_length,
                 .mask_first = args->mask.offset,
                 .seed = args->seed,
                 .offset = args->offset,
                 .causal = args->causal};
  for (int d = 0; d < 4; d++) a.mask_stride[d] = args->mask_stride[d];
  opencl_value(l, &a, sizeof a);
  opencl_real(l, args->dtype, args->scale);
  opencl_real(l, args->dtype, args->dropout);
  opencl_operand(l, &args->q);
  opencl_operand(l, &args->k);
  opencl_operand(l, &args->v);
  opencl_buffer(l, args->mask.data);
}

/* Runs kernel `name` over scores; `rows`: queries or keys, of `heads` heads. `more` are the
 * operands behind what all begin with, and d, if there is one, behind the second. */
static sel_status run(opencl_device *device, const sel_attention_args *args, const char *name,
                      int64_t rows, int64_t heads, const sel_operand *const *more, cl_mem d) {
  const opencl_tile tile = opencl_tile_of(device, args->dtype, rows);
  opencl_launch l;
  if (device->host) {
    char wanted[160], defines[320];
    define_scores(args, wanted, sizeof wanted);
    snprintf(defines, sizeof defines, "%s%s#define HOST 1\n", wanted, tile.defines);
    opencl_begin(&l, device, "attention", "attention_host.cl", opencl_text_attention_host, defines,
                 name);
  } else {
    begin(&l, device, args, name);
  }
  scores(&l, args);
  for (int i = 0; more[i]; i++) {
    opencl_operand(&l, more[i]);
    if (i == 1 && d) opencl_buffer(&l, d);
  }
  const int64_t items[2] = {device->host ? opencl_pieces(rows, tile.columns) : rows, heads};
  const size_t group[2] = {device->host ? 1 : rows_of(device), 1};
  return opencl_run(&l, 2, items, group);
}

static sel_status forward(opencl_device *device, const sel_attention_args *args) {
  const sel_operand *const more[] = {&args->out, &args->log_sums, NULL};
  return run(device, args, "forward", args->q_length, args->batch * args->heads, more, NULL);
}

static sel_status row_sums(opencl_device *device, const sel_attention_args *args, cl_mem d) {
  const int64_t rows = args->batch * args->heads * args->q_length;
  opencl_launch l;
  begin(&l, device, args, "row_sums");
  opencl_long(&l, rows);
  opencl_operand(&l, &args->out);
  opencl_operand(&l, &args->grad);
  opencl_buffer(&l, d);
  return opencl_run(&l, 1, &rows, NULL);
}

static sel_status grad_queries(opencl_device *device, const sel_attention_args *args, cl_mem d) {
  const sel_operand *const more[] = {&args->log_sums, &args->grad, &args->grad_q, NULL};
  return run(device, args, "grad_queries", args->q_length, args->batch * args->heads, more, d);
}

static sel_status grad_keys(opencl_device *device, const sel_attention_args *args, cl_mem d) {
  const sel_operand *const more[] = {&args->log_sums, &args->grad, &args->grad_k, &args->grad_v,
                                     NULL};
  return run(device, args, "grad_keys", args->k_length, args->batch * args->kv_heads, more, d);
}

sel_status opencl_attention(sel_backend_device handle, const sel_attention_args *args) {
  opencl_device *device = handle;
  sel_status status = opencl_check_dtype(device, args->dtype, "attention");
  if (status != SEL_OK) return status;
  if (!args->backward) return forward(device, args);
  const size_t rows = (size_t)(args->batch * args->heads * args->q_length);
  cl_mem d;
  status = opencl_scratch(device, rows * sel_dtype_size(args->dtype), "attention", &d);
  if (status != SEL_OK) return status;
  status = row_sums(device, args, d);
  if (status == SEL_OK) status = grad_queries(device, args, d);
  if (status == SEL_OK) status = grad_keys(device, args, d);
  opencl_scratch_done(device, d);
  return status;
}
