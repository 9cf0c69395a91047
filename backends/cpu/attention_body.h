/* Attention for one type: included by attention.c with VALUE, TYPED(name), EXP, LOG, GEMM. Tiles of
 * scores have rows KEYS apart. */

#define ROWS(operand, row, size) ((VALUE *)cpu_at(&args->operand) + (row) * (size))

/* C = alpha op(A) op(B) + beta C; C is m x n. */
static void TYPED(product)(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int64_t m, int64_t n, int64_t k,
                           double alpha, const VALUE *a, int64_t lda, const VALUE *b, int64_t ldb,
                           double beta, VALUE *c, int64_t ldc) {
  GEMM(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, (VALUE)alpha, a, (blasint)lda, b,
       (blasint)ldb, (VALUE)beta, c, (blasint)ldc);
}

/* s = q k^T scale + mask, -inf where causality excludes. */
static void TYPED(scores)(const sel_attention_args *args, const tile *t, VALUE *s) {
  const int64_t size = args->head_size, *stride = args->mask_stride;
  const VALUE *q = ROWS(q, t->head * args->q_length + t->query, size);
  const VALUE *k = ROWS(k, kv_of(args, t->head) * args->k_length + t->key, size);
  TYPED(product)
  (CblasNoTrans, CblasTrans, t->rows, t->columns, size, args->scale, q, size, k, size, 0, s, KEYS);
  for (int64_t r = 0; r < t->rows; r++) {
    VALUE *row = s + r * KEYS;
    if (args->mask.data) {
      const VALUE *mask = (const VALUE *)cpu_at(&args->mask) + t->head / args->heads * stride[0] +
                          t->head % args->heads * stride[1] + (t->query + r) * stride[2] +
                          t->key * stride[3];
      if (stride[3] == 1)
        for (int64_t c = 0; c < t->columns; c++) row[c] += mask[c];
      else
        for (int64_t c = 0; c < t->columns; c++) row[c] += mask[c * stride[3]];
    }
    int64_t seen = keys_seen(args, t->query + r) - t->key;
    for (int64_t c = seen < 0 ? 0 : seen; c < t->columns; c++) row[c] = -INFINITY;
  }
}

/* Dropout's factors of row r of a tile. */
static void TYPED(keep_row)(const sel_attention_args *args, const tile *t, int64_t r, VALUE *keep) {
  enum { EACH = 16 / sizeof(VALUE) }; /* elements a counter: one word or two each */
  const int64_t element = (t->head * args->q_length + t->query + r) * args->k_length + t->key;
  const uint64_t counter = args->offset + (uint64_t)(element / EACH);
  const VALUE p = (VALUE)args->dropout, kept = p < 1 ? 1 / (1 - p) : 0;
  const int64_t lead = element % EACH;
  VALUE unit[KEYS + 2 * EACH];
  for (int64_t i = 0; i * EACH < lead + t->columns; i++) {
    const cpu_words four = cpu_philox(args->seed, counter + (uint64_t)i);
    for (int e = 0; e < EACH; e++)
      unit[i * EACH + e] = EACH == 4 ? (VALUE)cpu_unit_f32(four.w[e])
                                     : (VALUE)cpu_unit_f64(four.w[2 * e], four.w[2 * e + 1]);
  }
  for (int64_t c = 0; c < t->columns; c++) keep[c] = unit[lead + c] < p ? 0 : kept;
}

/* ---- forward ---- */

/* Takes one tile's row of scores into the running softmax: scores become exp(score - top), and
 * what was summed up so far is scaled to the new top. */
static void TYPED(step)(VALUE *s, int64_t n, VALUE *top, VALUE *sum, VALUE *out, int64_t width) {
  VALUE most = *top, total = 0;
#pragma omp simd reduction(max : most)
  for (int64_t c = 0; c < n; c++) most = s[c] > most ? s[c] : most;
  const VALUE shift = most == -INFINITY ? 0 : most; /* nothing seen so far: all terms are 0 */
  const VALUE scale = EXP(*top - shift);
#pragma omp simd reduction(+ : total)
  for (int64_t c = 0; c < n; c++) total += s[c] = EXP(s[c] - shift);
  if (most != *top)
    for (int64_t c = 0; c < width; c++) out[c] *= scale;
  *sum = *sum * scale + total;
  *top = most;
}

static void TYPED(forward_block)(const sel_attention_args *args, int64_t head, int64_t query) {
  VALUE p[QUERIES * KEYS], keep[KEYS], top[QUERIES], sum[QUERIES];
  const int64_t rows = smaller(QUERIES, args->q_length - query), width = args->value_size;
  const int64_t first = head * args->q_length + query, seen = keys_seen(args, query + rows - 1);
  VALUE *out = ROWS(out, first, width), *log_sums = ROWS(log_sums, first, 1);
  memset(out, 0, (size_t)(rows * width) * sizeof *out);
  for (int64_t r = 0; r < rows; r++) top[r] = -INFINITY, sum[r] = 0;
  for (int64_t key = 0; key < seen; key += KEYS) {
    const tile t = {head, query, rows, key, smaller(KEYS, seen - key)};
    TYPED(scores)(args, &t, p);
    for (int64_t r = 0; r < rows; r++) {
      VALUE *row = p + r * KEYS;
      TYPED(step)(row, t.columns, &top[r], &sum[r], out + r * width, width);
      if (args->dropout == 0) continue;
      TYPED(keep_row)(args, &t, r, keep);
      for (int64_t c = 0; c < t.columns; c++) row[c] *= keep[c];
    }
    const VALUE *v = ROWS(v, kv_of(args, head) * args->k_length + key, width);
    TYPED(product)
    (CblasNoTrans, CblasNoTrans, rows, width, t.columns, 1, p, KEYS, v, width, 1, out, width);
  }
  for (int64_t r = 0; r < rows; r++) {
    const bool nothing = sum[r] == 0;
    log_sums[r] = nothing ? -INFINITY : top[r] + LOG(sum[r]);
    for (int64_t c = 0; c < width; c++)
      out[r * width + c] = nothing ? 0 : out[r * width + c] / sum[r];
  }
}

static void TYPED(forward)(const void *context, int64_t begin, int64_t end) {
  const sel_attention_args *args = context;
  const int64_t blocks = (args->q_length + QUERIES - 1) / QUERIES;
  const int before = cpu_blas_alone();
  for (int64_t i = begin; i < end; i++)
    TYPED(forward_block)(args, i / blocks, i % blocks * QUERIES);
  cpu_blas_shared(before);
}

/* ---- backward ---- */

/* Adds a tile's share to the three gradients. d: sum of grad out, a query. */
static void TYPED(backward_tile)(const sel_attention_args *args, const tile *t, const VALUE *d) {
  VALUE p[QUERIES * KEYS], ds[QUERIES * KEYS], keep[KEYS];
  const int64_t size = args->head_size, width = args->value_size;
  const int64_t query = t->head * args->q_length + t->query;
  const int64_t key = kv_of(args, t->head) * args->k_length + t->key;
  const VALUE *grad = ROWS(grad, query, width), *log_sums = ROWS(log_sums, query, 1);
  TYPED(scores)(args, t, p);
  TYPED(product)
  (CblasNoTrans, CblasTrans, t->rows, t->columns, width, 1, grad, width, ROWS(v, key, width), width,
   0, ds, KEYS);
  for (int64_t c = 0; c < t->columns; c++) keep[c] = 1;
  for (int64_t r = 0; r < t->rows; r++) {
    VALUE *pr = p + r * KEYS, *dsr = ds + r * KEYS;
    /* Where nothing is seen every score is -inf, and any finite shift gives 0. */
    const VALUE shift = log_sums[r] == -INFINITY ? 0 : log_sums[r], dr = d[r];
    if (args->dropout != 0) TYPED(keep_row)(args, t, r, keep);
#pragma omp simd
    for (int64_t c = 0; c < t->columns; c++) {
      const VALUE probability = EXP(pr[c] - shift);
      dsr[c] = probability * (dsr[c] * keep[c] - dr);
      pr[c] = probability * keep[c];
    }
  }
  TYPED(product)
  (CblasTrans, CblasNoTrans, t->columns, width, t->rows, 1, p, KEYS, grad, width, 1,
   ROWS(grad_v, key, width), width);
  TYPED(product)
  (CblasNoTrans, CblasNoTrans, t->rows, size, t->columns, args->scale, ds, KEYS, ROWS(k, key, size),
   size, 1, ROWS(grad_q, query, size), size);
  TYPED(product)
  (CblasTrans, CblasNoTrans, t->columns, size, t->rows, args->scale, ds, KEYS, ROWS(q, query, size),
   size, 1, ROWS(grad_k, key, size), size);
}

static void TYPED(backward_head)(const sel_attention_args *args, int64_t head) {
  const int64_t width = args->value_size, first = head * args->q_length;
  VALUE d[QUERIES];
  for (int64_t query = 0; query < args->q_length; query += QUERIES) {
    const int64_t rows = smaller(QUERIES, args->q_length - query);
    const VALUE *grad = ROWS(grad, first + query, width), *out = ROWS(out, first + query, width);
    for (int64_t r = 0; r < rows; r++) {
      VALUE sum = 0;
#pragma omp simd reduction(+ : sum)
      for (int64_t c = 0; c < width; c++) sum += grad[r * width + c] * out[r * width + c];
      d[r] = sum;
    }
    const int64_t seen = keys_seen(args, query + rows - 1);
    for (int64_t key = 0; key < seen; key += KEYS) {
      const tile t = {head, query, rows, key, smaller(KEYS, seen - key)};
      TYPED(backward_tile)(args, &t, d);
    }
  }
}

/* Item = a kv head: the query heads that share it add to its gradients one after the other. */
static void TYPED(backward)(const void *context, int64_t begin, int64_t end) {
  const sel_attention_args *args = context;
  const int64_t size = args->head_size, width = args->value_size;
  const int64_t group = args->heads / args->kv_heads;
  const int before = cpu_blas_alone();
  for (int64_t kv = begin; kv < end; kv++) {
    const int64_t keys = args->k_length, queries = group * args->q_length;
    memset(ROWS(grad_k, kv * keys, size), 0, (size_t)(keys * size) * sizeof(VALUE));
    memset(ROWS(grad_v, kv * keys, width), 0, (size_t)(keys * width) * sizeof(VALUE));
    memset(ROWS(grad_q, kv * queries, size), 0, (size_t)(queries * size) * sizeof(VALUE));
    for (int64_t head = kv * group; head < (kv + 1) * group; head++)
      TYPED(backward_head)(args, head);
  }
  cpu_blas_shared(before);
}

#undef ROWS
#undef VALUE
#undef TYPED
#undef EXP
#undef LOG
#undef GEMM
