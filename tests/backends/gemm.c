/* Matrix products: every transpose, shape class, alpha and beta, bias, leading dimensions, batches;
 * empty ones; the same from several host threads and thread counts. */
#include <pthread.h>

#include "cases.h"
#include "harness.h"

typedef struct product {
  sel_dtype dtype;
  bool transpose_a, transpose_b, bias;
  int64_t m, n, k, batch;
  int shared; /* 1: one A for the whole batch, 2: one B */
  double alpha, beta;
  int64_t pad; /* added to each leading dimension */
} product;

typedef struct operands {
  array a, b, c, bias;
  sel_gemm_args args;
} operands;

static operands operands_new(const product *p) {
  operands o;
  const int64_t lda = (p->transpose_a ? p->m : p->k) + p->pad;
  const int64_t ldb = (p->transpose_b ? p->k : p->n) + p->pad, ldc = p->n + p->pad;
  const int64_t size_a = lda * (p->transpose_a ? p->k : p->m);
  const int64_t size_b = ldb * (p->transpose_b ? p->n : p->k), size_c = ldc * p->m;
  const int64_t total_a = p->shared == 1 ? size_a : size_a * p->batch;
  const int64_t total_b = p->shared == 2 ? size_b : size_b * p->batch;
  const int64_t total_c = size_c * p->batch;
  o.a = array_new(p->dtype, 1, &total_a, OFFSET);
  o.b = array_new(p->dtype, 1, &total_b, OFFSET);
  o.c = array_new(p->dtype, 1, &total_c, OFFSET);
  o.bias = array_new(p->dtype, 1, &p->n, OFFSET);
  fill(&o.a, false), fill(&o.b, false), fill(&o.c, false), fill(&o.bias, false);
  if (p->beta == 0) /* what is in C must not matter */
    for (int64_t i = 0; i < total_c; i++) set(&o.c, i, NAN);
  upload(&o.a), upload(&o.b), upload(&o.c), upload(&o.bias);
  o.args = (sel_gemm_args){.dtype = p->dtype,
                           .transpose_a = p->transpose_a,
                           .transpose_b = p->transpose_b,
                           .m = p->m,
                           .n = p->n,
                           .k = p->k,
                           .alpha = p->alpha,
                           .beta = p->beta,
                           .a = operand_of(&o.a),
                           .b = operand_of(&o.b),
                           .c = operand_of(&o.c),
                           .lda = lda,
                           .ldb = ldb,
                           .ldc = ldc,
                           .batch = p->batch,
                           .batch_stride_a = p->shared == 1 ? 0 : size_a,
                           .batch_stride_b = p->shared == 2 ? 0 : size_b,
                           .batch_stride_c = size_c};
  if (p->bias) o.args.bias = operand_of(&o.bias);
  return o;
}

static void operands_free(operands *o) {
  array_free(&o->a), array_free(&o->b), array_free(&o->c), array_free(&o->bias);
}

static double entry(const operands *o, int64_t batch, int64_t i, int64_t j, double before,
                    double *magnitude) {
  const sel_gemm_args *g = &o->args;
  double sum = 0;
  *magnitude = 0;
  for (int64_t p = 0; p < g->k; p++) {
    const int64_t at_a =
        batch * g->batch_stride_a + (g->transpose_a ? p * g->lda + i : i * g->lda + p);
    const int64_t at_b =
        batch * g->batch_stride_b + (g->transpose_b ? j * g->ldb + p : p * g->ldb + j);
    const double term = get(&o->a, at_a) * get(&o->b, at_b);
    sum += term;
    *magnitude += fabs(term);
  }
  sum *= g->alpha;
  if (g->beta != 0) sum += g->beta * before;
  return g->bias.data ? sum + get(&o->bias, j) : sum;
}

static void product_case(const product *p) {
  char what[160];
  snprintf(what, sizeof what, "gemm %s%s %s m %lld n %lld k %lld batch %lld beta %g bias %d",
           p->transpose_a ? "T" : "N", p->transpose_b ? "T" : "N", sel_dtype_name(p->dtype),
           (long long)p->m, (long long)p->n, (long long)p->k, (long long)p->batch, p->beta,
           p->bias);
  operands o = operands_new(p);
  array before = o.c;
  const size_t bytes = (size_t)o.c.room * sel_dtype_size(p->dtype);
  before.host = malloc(bytes);
  memcpy(before.host, o.c.host, bytes);
  must(backend->gemm(device, &o.args), what);
  download(&o.c);
  for (int64_t batch = 0; batch < p->batch; batch++)
    for (int64_t i = 0; i < p->m; i++)
      for (int64_t j = 0; j < o.args.ldc; j++) {
        const int64_t at = batch * o.args.batch_stride_c + i * o.args.ldc + j;
        double magnitude = 0;
        const double wanted =
            j < p->n ? entry(&o, batch, i, j, get(&before, at), &magnitude) : get(&before, at);
        /* The bound of a sum of k products: each term is rounded at most k times. */
        const double tolerance =
            j < p->n ? epsilon(p->dtype) * (2 + magnitude * sqrt((double)p->k)) : 0;
        expect_near(get(&o.c, at), wanted, tolerance, what, at);
      }
  free(before.host);
  operands_free(&o);
}

static const int64_t sizes[][3] = {
    {1, 1, 1},    {1, 16, 2},   {1, 16, 16},     {16, 1, 1},    {1, 1, 16},    {2, 3, 4},
    {5, 7, 3},    {16, 16, 16}, {17, 33, 9},     {1, 300, 200}, {300, 1, 200}, {64, 10, 128},
    {65, 67, 63}, {3, 500, 2},  {200, 3, 129},   {1, 5000, 1},  {5000, 2, 1},  {0, 4, 3},
    {4, 0, 3},    {4, 5, 0},    {130, 120, 110}, {46, 62, 400}, {203, 62, 90}, {31, 1050, 40},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

START_TEST(every_shape) {
  const int64_t *s = sizes[_i];
  seed_numbers((uint64_t)_i);
  for (int bits = 0; bits < 16; bits++) {
    product p = {.dtype = bits & 1 ? SEL_F64 : SEL_F32,
                 .transpose_a = bits & 2,
                 .transpose_b = bits & 4,
                 .pad = bits & 8 ? 5 : 0,
                 .m = s[0],
                 .n = s[1],
                 .k = s[2],
                 .batch = 1,
                 .alpha = 1};
    if (!tested_dtype(p.dtype)) continue;
    product_case(&p);
    p.bias = true;
    product_case(&p);
    p.alpha = 0.5;
    product_case(&p);
    p.bias = false, p.beta = 1;
    product_case(&p);
    p.beta = -0.25;
    product_case(&p);
  }
}
END_TEST

START_TEST(batches) {
  static const int64_t small[][3] = {{1, 4, 3}, {8, 8, 8}, {40, 30, 20}, {2, 2, 0}, {70, 1, 90}};
  seed_numbers((uint64_t)_i);
  for (int shared = 0; shared < 3; shared++)
    for (int bits = 0; bits < 8; bits++) {
      product p = {.dtype = bits & 1 ? SEL_F64 : SEL_F32,
                   .transpose_a = bits & 2,
                   .transpose_b = bits & 4,
                   .m = small[_i][0],
                   .n = small[_i][1],
                   .k = small[_i][2],
                   .batch = 7,
                   .shared = shared,
                   .alpha = 1};
      if (!tested_dtype(p.dtype)) continue;
      product_case(&p);
      p.bias = true;
      product_case(&p);
      p.batch = 0;
      product_case(&p);
    }
}
END_TEST

/* A product large enough for several threads has the same bits for every number of them. */
START_TEST(same_for_every_thread_count) {
  const product p = {.dtype = SEL_F32,
                     .transpose_b = true,
                     .bias = true,
                     .m = 512,
                     .n = 300,
                     .k = 200,
                     .batch = 1,
                     .alpha = 1};
  if (!backend->set_threads) return;
  operands o = operands_new(&p);
  const size_t bytes = (size_t)o.c.room * sizeof(float);
  void *first = malloc(bytes);
  for (int threads = 1; threads <= 5; threads++) {
    must(backend->set_threads(device, threads), "set_threads");
    must(backend->gemm(device, &o.args), "gemm");
    download(&o.c);
    if (threads == 1) memcpy(first, o.c.host, bytes);
    ck_assert_msg(memcmp(first, o.c.host, bytes) == 0, "differs with %d threads", threads);
  }
  free(first);
  operands_free(&o);
}
END_TEST

/* ---- several host threads at once ---- */

enum { REPEATS = 20 };

static void *repeat_product(void *argument) {
  const sel_gemm_args *args = argument;
  for (int i = 0; i < REPEATS; i++)
    if (backend->gemm(device, args) != SEL_OK) return argument;
  return NULL;
}

START_TEST(two_host_threads) {
  const product p = {.dtype = SEL_F32, .m = 256, .n = 256, .k = 256, .batch = 1, .alpha = 1};
  operands o[2];
  void *alone[2];
  pthread_t threads[2];
  const size_t bytes = (size_t)(256 * 256 + 8) * sizeof(float);
  for (int t = 0; t < 2; t++) {
    seed_numbers((uint64_t)t);
    o[t] = operands_new(&p);
    must(backend->gemm(device, &o[t].args), "gemm alone");
    download(&o[t].c);
    alone[t] = malloc(bytes);
    memcpy(alone[t], o[t].c.host, bytes);
  }
  for (int t = 0; t < 2; t++)
    ck_assert(pthread_create(&threads[t], NULL, repeat_product, &o[t].args) == 0);
  for (int t = 0; t < 2; t++) {
    void *failed;
    pthread_join(threads[t], &failed);
    ck_assert_ptr_null(failed);
  }
  for (int t = 0; t < 2; t++) {
    download(&o[t].c);
    ck_assert_mem_eq(alone[t], o[t].c.host, bytes);
    free(alone[t]);
    operands_free(&o[t]);
  }
}
END_TEST

TCase *gemm_cases(void) {
  TCase *cases = tcase_create("gemm");
  tcase_add_loop_test(cases, every_shape, 0, SIZES);
  tcase_add_loop_test(cases, batches, 0, 5);
  tcase_add_test(cases, same_for_every_thread_count);
  tcase_add_test(cases, two_host_threads);
  return cases;
}
