/* Attention against plain loops in f64: forward and backward, causal, masked, dropped, grouped
 * queries, lengths on both sides of a tile, queries that see nothing. */
#include "cases.h"
#include "harness.h"

static const double SCALE = 0.4;
enum { NO_MASK, FULL_MASK, KEY_MASK, SHUT_MASK };

typedef struct attention_case {
  int64_t batch, heads, kv_heads, q_length, k_length, size, width;
  bool causal;
  int mask;
  double dropout;
} attention_case;

static const attention_case shapes[] = {
    {1, 1, 1, 1, 1, 1, 1, false, NO_MASK, 0},       {2, 3, 3, 5, 7, 4, 3, false, NO_MASK, 0},
    {2, 4, 2, 9, 9, 8, 8, true, NO_MASK, 0},        {1, 2, 1, 3, 11, 5, 2, true, FULL_MASK, 0},
    {1, 2, 2, 11, 3, 5, 6, true, NO_MASK, 0}, /* the first queries see nothing */
    {2, 2, 2, 6, 10, 4, 4, false, KEY_MASK, 0},     {2, 2, 1, 6, 10, 4, 4, false, SHUT_MASK, 0},
    {1, 2, 2, 70, 140, 16, 8, false, FULL_MASK, 0}, {1, 3, 1, 130, 130, 6, 16, true, NO_MASK, 0},
    {1, 1, 1, 1, 300, 32, 32, true, NO_MASK, 0},    {1, 2, 1, 67, 131, 3, 5, false, NO_MASK, 0.3},
    {2, 2, 2, 5, 9, 3, 5, true, NO_MASK, 0.5},      {1, 1, 1, 4, 4, 2, 2, false, NO_MASK, 1},
    {0, 2, 1, 4, 4, 2, 2, false, NO_MASK, 0},       {2, 2, 1, 0, 4, 2, 2, false, NO_MASK, 0},
    {2, 2, 1, 4, 0, 2, 2, false, NO_MASK, 0},
};

typedef struct operands {
  array q, k, v, mask, out, log_sums, grad, grad_q, grad_k, grad_v, keep;
} operands;

/* ---- the plain twin: probabilities of one query, then whatever needs them ---- */

/* p[j], and their log sum; dropout is not in them. */
static double probabilities(const attention_case *c, const sel_attention_args *args,
                            const operands *o, int64_t head, int64_t i, double *p) {
  const int64_t b = head / c->heads, h = head % c->heads;
  const int64_t kv = b * c->kv_heads + h * c->kv_heads / c->heads;
  double top = -INFINITY, sum = 0;
  for (int64_t j = 0; j < c->k_length; j++) {
    double s = 0;
    for (int64_t d = 0; d < c->size; d++)
      s += get(&o->q, (head * c->q_length + i) * c->size + d) *
           get(&o->k, (kv * c->k_length + j) * c->size + d);
    s *= args->scale;
    if (c->mask != NO_MASK)
      s += get(&o->mask, ((b % o->mask.shape[0] * o->mask.shape[1] + h % o->mask.shape[1]) *
                              o->mask.shape[2] +
                          i % o->mask.shape[2]) *
                                 c->k_length +
                             j);
    if (c->causal && j > i + c->k_length - c->q_length) s = -INFINITY;
    p[j] = s;
    top = fmax(top, s);
  }
  for (int64_t j = 0; j < c->k_length; j++) sum += p[j] = top == -INFINITY ? 0 : exp(p[j] - top);
  for (int64_t j = 0; j < c->k_length; j++) p[j] = sum == 0 ? 0 : p[j] / sum;
  return sum == 0 ? -INFINITY : top + log(sum);
}

typedef struct results {
  double *out, *log_sums, *grad_q, *grad_k, *grad_v;
} results;

static void plain(const attention_case *c, const sel_attention_args *args, const operands *o,
                  results *r) {
  double *p = calloc((size_t)c->k_length + 1, sizeof *p);
  double *ds = calloc((size_t)c->k_length + 1, sizeof *ds);
  for (int64_t head = 0; head < c->batch * c->heads; head++)
    for (int64_t i = 0; i < c->q_length; i++) {
      const int64_t query = head * c->q_length + i;
      const int64_t kv = head / c->heads * c->kv_heads + head % c->heads * c->kv_heads / c->heads;
      double d = 0;
      r->log_sums[query] = probabilities(c, args, o, head, i, p);
      for (int64_t j = 0; j < c->k_length; j++) {
        const double keep = c->dropout > 0 ? get(&o->keep, query * c->k_length + j) : 1;
        ds[j] = 0;
        for (int64_t e = 0; e < c->width; e++) {
          const int64_t at = (kv * c->k_length + j) * c->width + e;
          const double g = get(&o->grad, query * c->width + e);
          r->out[query * c->width + e] += p[j] * keep * get(&o->v, at);
          r->grad_v[at] += p[j] * keep * g;
          ds[j] += keep * g * get(&o->v, at);
        }
        d += p[j] * ds[j];
      }
      for (int64_t j = 0; j < c->k_length; j++)
        for (int64_t e = 0; e < c->size; e++) {
          const int64_t a = query * c->size + e, b = (kv * c->k_length + j) * c->size + e;
          const double s = args->scale * p[j] * (ds[j] - d);
          r->grad_q[a] += s * get(&o->k, b);
          r->grad_k[b] += s * get(&o->q, a);
        }
    }
  free(p), free(ds);
}

/* ---- making a case ---- */

static array filled(sel_dtype dtype, int64_t a, int64_t b, int64_t c, int64_t d, layout how) {
  array x = array_new(dtype, 4, (int64_t[]){a, b, c, d}, how);
  fill(&x, false);
  return x;
}

static void fill_mask(const attention_case *c, array *mask) {
  for (int64_t i = 0; i < mask->numel; i++) {
    if (c->mask == FULL_MASK && i % 3 == 0) set(mask, i, -INFINITY);
    if (c->mask == KEY_MASK) set(mask, i, i % c->k_length < c->k_length - 3 ? 0 : -INFINITY);
    if (c->mask == SHUT_MASK) set(mask, i, i / c->k_length % 2 ? 0.5 : -INFINITY);
  }
}

static operands make(const attention_case *c, sel_dtype dtype) {
  const int64_t b = c->batch, h = c->heads, g = c->kv_heads, n = c->q_length, m = c->k_length;
  const bool by_key = c->mask == KEY_MASK;
  operands o = {
      .q = filled(dtype, b, h, n, c->size, OFFSET),
      .k = filled(dtype, b, g, m, c->size, OFFSET),
      .v = filled(dtype, b, g, m, c->width, OFFSET),
      .mask = filled(dtype, by_key ? b : 1, by_key ? 1 : h, by_key ? 1 : n, m, GAPS),
      .out = filled(dtype, b, h, n, c->width, OFFSET),
      .log_sums = filled(dtype, b, h, n, 1, OFFSET),
      .grad = filled(dtype, b, h, n, c->width, OFFSET),
      .grad_q = filled(dtype, b, h, n, c->size, OFFSET),
      .grad_k = filled(dtype, b, g, m, c->size, OFFSET),
      .grad_v = filled(dtype, b, g, m, c->width, OFFSET),
      .keep = filled(dtype, b, h, n, m, CONTIGUOUS),
  };
  fill_mask(c, &o.mask);
  for (int64_t i = 0; i < o.keep.numel; i++) set(&o.keep, i, 1);
  array *all = &o.q;
  for (size_t i = 0; i < sizeof o / sizeof *all; i++) upload(&all[i]);
  return o;
}

static sel_attention_args args_of(const attention_case *c, const operands *o, sel_dtype dtype) {
  sel_attention_args args = {.causal = c->causal,
                             .dtype = dtype,
                             .q = operand_of(&o->q),
                             .k = operand_of(&o->k),
                             .v = operand_of(&o->v),
                             .out = operand_of(&o->out),
                             .log_sums = operand_of(&o->log_sums),
                             .grad = operand_of(&o->grad),
                             .grad_q = operand_of(&o->grad_q),
                             .grad_k = operand_of(&o->grad_k),
                             .grad_v = operand_of(&o->grad_v),
                             .batch = c->batch,
                             .heads = c->heads,
                             .kv_heads = c->kv_heads,
                             .q_length = c->q_length,
                             .k_length = c->k_length,
                             .head_size = c->size,
                             .value_size = c->width,
                             .scale = SCALE,
                             .dropout = c->dropout,
                             .seed = 77,
                             .offset = 5};
  if (c->mask == NO_MASK) return args;
  args.mask = operand_of(&o->mask);
  for (int d = 0; d < 4; d++) args.mask_stride[d] = o->mask.shape[d] == 1 ? 0 : o->mask.stride[d];
  return args;
}

/* keep: what dropout makes of a tensor of ones in the probabilities' shape. */
static void draw_keep(const attention_case *c, operands *o) {
  if (c->dropout == 0 || o->keep.numel == 0) return;
  const sel_random_args args = {.op = SEL_RANDOM_DROPOUT,
                                .out = operand_of(&o->keep),
                                .x = operand_of(&o->keep),
                                .numel = o->keep.numel,
                                .seed = 77,
                                .offset = 5,
                                .p0 = c->dropout,
                                .p1 = c->dropout < 1 ? 1 / (1 - c->dropout) : 0};
  must(backend->random(device, &args), "dropout");
  download(&o->keep);
}

static void compare(array *got, const double *wanted, double tolerance, const char *what) {
  download(got);
  for (int64_t i = 0; i < got->numel; i++) expect_near(get(got, i), wanted[i], tolerance, what, i);
}

START_TEST(every_case) {
  const attention_case *c = &shapes[_i];
  if (!backend->attention) return;
  for (int wide = 0; wide < 2; wide++) {
    const sel_dtype dtype = wide ? SEL_F64 : SEL_F32;
    if (!tested_dtype(dtype)) continue;
    /* Scores reach 9 scale size; their rounding is the probabilities' relative error. */
    const double tolerance = 8 * (1 + 9 * SCALE * (double)c->size) * epsilon(dtype);
    seed_numbers((uint64_t)_i);
    operands o = make(c, dtype);
    sel_attention_args args = args_of(c, &o, dtype);
    draw_keep(c, &o);
    array *const got[] = {&o.out, &o.log_sums, &o.grad_q, &o.grad_k, &o.grad_v};
    results wanted;
    double **const lists[] = {&wanted.out, &wanted.log_sums, &wanted.grad_q, &wanted.grad_k,
                              &wanted.grad_v};
    static const char *const names[] = {"out", "log_sums", "grad_q", "grad_k", "grad_v"};
    for (int i = 0; i < 5; i++) *lists[i] = calloc((size_t)got[i]->numel + 1, sizeof(double));
    plain(c, &args, &o, &wanted);
    must(backend->attention(device, &args), "attention");
    args.backward = true;
    must(backend->attention(device, &args), "attention backward");
    for (int i = 0; i < 5; i++) {
      char what[64];
      snprintf(what, sizeof what, "attention %d, %s, %s", _i, names[i], sel_dtype_name(dtype));
      compare(got[i], *lists[i], tolerance, what);
      free(*lists[i]);
    }
    array *all = &o.q;
    for (size_t i = 0; i < sizeof o / sizeof *all; i++) array_free(&all[i]);
  }
}
END_TEST

TCase *attention_cases(void) {
  TCase *cases = tcase_create("attention");
  tcase_add_loop_test(cases, every_case, 0, sizeof shapes / sizeof *shapes);
  return cases;
}
