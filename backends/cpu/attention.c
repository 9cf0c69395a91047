/* Attention, forward and backward, tile by tile: a block of queries against one block of keys after
 * the other, so that no more than a tile of scores exists at a time.
 *
 * Forward keeps a running softmax (Milakov and Gimelshein, "Online normalizer calculation for
 * softmax", 2018): with the largest score m and the sum l of exp(score - m) so far, a new tile that
 * raises m to m' scales l and the output so far by exp(m - m'). Backward computes the probabilities
 * again from the log sums (Dao et al., "FlashAttention", 2022):
 *
 *   P = exp(S - log_sum)    D = sum_d grad out    dS = P (keep (grad v^T) - D)
 *   dv = (keep P)^T grad    dq = scale dS k       dk = scale dS^T q
 *
 * where keep is dropout's factor, 0 or 1 / (1 - p). Threads share out blocks of queries going
 * forward, kv heads going backward; a block's products run on its thread alone.
 */
#include <math.h>
#include <string.h>

#include "blas.h"
#include "kernels.h"
#include "math_f32.h"
#include "philox.h"
#include "threads.h"

enum { QUERIES = 64, KEYS = 128 }; /* of a tile: it and its operands share the second-level cache */

/* One score, with its share of the softmax; one multiplication and addition of a product. */
static const double NANOSECONDS = 1.5, PRODUCT_NANOSECONDS = 0.03;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* The query heads are numbered through the batch, and so are the kv heads. */
static int64_t kv_of(const sel_attention_args *args, int64_t head) {
  return head / args->heads * args->kv_heads + head % args->heads * args->kv_heads / args->heads;
}

/* How many keys, from the first, query i sees. */
static int64_t keys_seen(const sel_attention_args *args, int64_t i) {
  if (!args->causal) return args->k_length;
  const int64_t seen = i + 1 + args->k_length - args->q_length;
  return seen < 0 ? 0 : smaller(seen, args->k_length);
}

/* A tile: `rows` queries from `query` on, `columns` keys from `key` on, of query head `head`. */
typedef struct tile {
  int64_t head, query, rows, key, columns;
} tile;

#define VALUE float
#define TYPED(name) CPU_JOIN(name, f32)
#define EXP cpu_expf
#define LOG logf
#define GEMM cblas_sgemm
#include "attention_body.h"
#define VALUE double
#define TYPED(name) CPU_JOIN(name, f64)
#define EXP exp
#define LOG log
#define GEMM cblas_dgemm
#include "attention_body.h"

sel_status CPU_NAME(cpu_attention)(sel_backend_device device, const sel_attention_args *args) {
  (void)device;
  const bool f32 = args->dtype == SEL_F32;
  const double scores = (double)args->batch * (double)args->heads * (double)args->q_length *
                        (double)args->k_length * (args->causal ? 0.5 : 1);
  const double sizes = (double)(args->head_size + args->value_size);
  const double work = scores * (NANOSECONDS + sizes * PRODUCT_NANOSECONDS) * (f32 ? 1 : 3);
  if (args->backward) {
    cpu_parallel(args->batch * args->kv_heads, 2.5 * work, f32 ? backward_f32 : backward_f64, args);
  } else {
    const int64_t blocks = (args->q_length + QUERIES - 1) / QUERIES;
    cpu_parallel(args->batch * args->heads * blocks, work, f32 ? forward_f32 : forward_f64, args);
  }
  return SEL_OK;
}
