/* Reductions of one compute type: included by reduce.c with VALUE, SUM (what sums are carried in),
 * FLOATS and TYPED(name). Functions that take `op` are inlined where it is a constant. */

/* Result over some of a row's elements. */
typedef struct TYPED(partial) {
  SUM value;        /* sum, product, extreme, or 0 and 1; for variance the mean */
  double deviation; /* variance: sum of squared deviations from the mean */
  int64_t position; /* argmax, argmin: of the extreme */
  int64_t count;    /* elements seen */
} TYPED(partial);
#define PARTIAL TYPED(partial)

#if FLOATS
#define LOWEST (-INFINITY)
#define HIGHEST INFINITY
#define MAGNITUDE(x) fabs((double)(x))
#else
#define LOWEST ((VALUE)-1 < (VALUE)1 ? (VALUE)(UINT64_C(1) << (8 * sizeof(VALUE) - 1)) : (VALUE)0)
#define HIGHEST ((VALUE)~LOWEST)
#define MAGNITUDE(x) ((SUM)(x) < 0 ? -(SUM)(x) : (SUM)(x))
#endif

/* ---- what each op does to one element and to two results ---- */

CPU_INLINE SUM TYPED(identity)(sel_reduce_op op) {
  switch (op) {
    case SEL_REDUCE_OP_PROD:
    case SEL_REDUCE_OP_ALL:
      return 1;
    case SEL_REDUCE_OP_MAX:
    case SEL_REDUCE_OP_ARGMAX:
      return (SUM)LOWEST;
    case SEL_REDUCE_OP_MIN:
    case SEL_REDUCE_OP_ARGMIN:
      return (SUM)HIGHEST;
    default:
      return 0;
  }
}

CPU_INLINE SUM TYPED(term)(sel_reduce_op op, VALUE x) {
  switch (op) {
    case SEL_REDUCE_OP_SUM_ABS:
      return MAGNITUDE(x);
    case SEL_REDUCE_OP_SUM_SQUARE:
      return (SUM)x * (SUM)x;
    case SEL_REDUCE_OP_ANY:
    case SEL_REDUCE_OP_ALL:
      return x != 0;
    default:
      return (SUM)x;
  }
}

CPU_INLINE SUM TYPED(join)(sel_reduce_op op, SUM a, SUM b) {
  switch (op) {
    case SEL_REDUCE_OP_PROD:
      return a * b;
    case SEL_REDUCE_OP_MAX:
    case SEL_REDUCE_OP_ARGMAX:
      return b > a || b != b ? b : a;
    case SEL_REDUCE_OP_MIN:
    case SEL_REDUCE_OP_ARGMIN:
      return b < a || b != b ? b : a;
    case SEL_REDUCE_OP_ANY:
      return a > b ? a : b;
    case SEL_REDUCE_OP_ALL:
      return a < b ? a : b;
    default:
      return a + b;
  }
}

/* The same for extremes, without leaving the element's type. */
CPU_INLINE VALUE TYPED(extreme)(bool largest, VALUE a, VALUE b) {
  return (largest ? b > a : b < a) || b != b ? b : a;
}

/* ---- blocks of contiguous elements ---- */

/* Independent accumulators, LANES of them, hide latencies and shorten each chain of roundings. */
CPU_INLINE SUM TYPED(fold)(sel_reduce_op op, const VALUE *x, int64_t n) {
  SUM lane[LANES];
  int64_t i = 0;
  if (n < LANES) {
    SUM result = TYPED(identity)(op);
    for (; i < n; i++) result = TYPED(join)(op, result, TYPED(term)(op, x[i]));
    return result;
  }
  for (int l = 0; l < LANES; l++) lane[l] = TYPED(identity)(op);
  for (; i + LANES <= n; i += LANES)
#pragma omp simd
    for (int l = 0; l < LANES; l++) lane[l] = TYPED(join)(op, lane[l], TYPED(term)(op, x[i + l]));
  for (int l = 0; i < n; i++, l++) lane[l] = TYPED(join)(op, lane[l], TYPED(term)(op, x[i]));
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int l = 0; l < width; l++) lane[l] = TYPED(join)(op, lane[l], lane[l + width]);
  return lane[0];
}

CPU_INLINE VALUE TYPED(fold_extreme)(bool largest, const VALUE *x, int64_t n) {
  VALUE lane[LANES];
  int64_t i = 0;
  if (n < LANES) {
    VALUE result = largest ? LOWEST : HIGHEST;
    for (; i < n; i++) result = TYPED(extreme)(largest, result, x[i]);
    return result;
  }
  for (int l = 0; l < LANES; l++) lane[l] = largest ? LOWEST : HIGHEST;
  for (; i + LANES <= n; i += LANES)
#pragma omp simd
    for (int l = 0; l < LANES; l++) lane[l] = TYPED(extreme)(largest, lane[l], x[i + l]);
  for (int l = 0; i < n; i++, l++) lane[l] = TYPED(extreme)(largest, lane[l], x[i]);
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int l = 0; l < width; l++) lane[l] = TYPED(extreme)(largest, lane[l], lane[l + width]);
  return lane[0];
}

/* The first of x that equals `wanted`, a NaN the first NaN. */
static int64_t TYPED(find)(const VALUE *x, VALUE wanted) {
  int64_t i = 0;
  if (wanted != wanted)
    while (x[i] == x[i]) i++;
  else
    while (x[i] != wanted) i++;
  return i;
}

static double TYPED(deviation)(const VALUE *x, int64_t n, double mean) {
  double lane[LANES] = {0};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
#pragma omp simd
    for (int l = 0; l < LANES; l++)
      lane[l] += ((double)x[i + l] - mean) * ((double)x[i + l] - mean);
  for (; i < n; i++) lane[0] += ((double)x[i] - mean) * ((double)x[i] - mean);
  for (int l = 1; l < LANES; l++) lane[0] += lane[l];
  return lane[0];
}

/* Reduces n > 0 elements, the first of which is the row's `start`-th. */
static PARTIAL TYPED(block)(sel_reduce_op op, const VALUE *x, int64_t start, int64_t n) {
  PARTIAL p = {.position = start, .count = n};
  switch (op) {
    case SEL_REDUCE_OP_SUM:
      p.value = TYPED(fold)(SEL_REDUCE_OP_SUM, x, n);
      break;
    case SEL_REDUCE_OP_PROD:
      p.value = TYPED(fold)(SEL_REDUCE_OP_PROD, x, n);
      break;
    case SEL_REDUCE_OP_MAX:
      p.value = (SUM)TYPED(fold_extreme)(true, x, n);
      break;
    case SEL_REDUCE_OP_MIN:
      p.value = (SUM)TYPED(fold_extreme)(false, x, n);
      break;
    case SEL_REDUCE_OP_ARGMAX:
    case SEL_REDUCE_OP_ARGMIN: {
      const VALUE best = op == SEL_REDUCE_OP_ARGMAX ? TYPED(fold_extreme)(true, x, n)
                                                    : TYPED(fold_extreme)(false, x, n);
      p.value = (SUM)best;
      p.position = start + TYPED(find)(x, best);
      break;
    }
    case SEL_REDUCE_OP_ANY:
      p.value = TYPED(fold)(SEL_REDUCE_OP_ANY, x, n);
      break;
    case SEL_REDUCE_OP_ALL:
      p.value = TYPED(fold)(SEL_REDUCE_OP_ALL, x, n);
      break;
    case SEL_REDUCE_OP_SUM_ABS:
      p.value = TYPED(fold)(SEL_REDUCE_OP_SUM_ABS, x, n);
      break;
    case SEL_REDUCE_OP_SUM_SQUARE:
      p.value = TYPED(fold)(SEL_REDUCE_OP_SUM_SQUARE, x, n);
      break;
    case SEL_REDUCE_OP_VAR:
      p.value = TYPED(fold)(SEL_REDUCE_OP_SUM, x, n) / (SUM)n;
      p.deviation = TYPED(deviation)(x, n, (double)p.value);
  }
  return p;
}

/* ---- combining: `a` comes before `b` in the row ---- */

static void TYPED(combine)(sel_reduce_op op, PARTIAL *a, const PARTIAL *b) {
  if (b->count == 0) return;
  if (a->count == 0) {
    *a = *b;
    return;
  }
  switch (op) {
    case SEL_REDUCE_OP_PROD:
      a->value *= b->value;
      break;
    case SEL_REDUCE_OP_MAX:
      a->value = TYPED(join)(SEL_REDUCE_OP_MAX, a->value, b->value);
      break;
    case SEL_REDUCE_OP_MIN:
      a->value = TYPED(join)(SEL_REDUCE_OP_MIN, a->value, b->value);
      break;
    case SEL_REDUCE_OP_ARGMAX:
    case SEL_REDUCE_OP_ARGMIN: {
      const bool beyond = op == SEL_REDUCE_OP_ARGMAX ? b->value > a->value : b->value < a->value;
      if (a->value != a->value || !(beyond || b->value != b->value)) break;
      a->value = b->value;
      a->position = b->position;
      break;
    }
    case SEL_REDUCE_OP_ANY:
      a->value = TYPED(join)(SEL_REDUCE_OP_ANY, a->value, b->value);
      break;
    case SEL_REDUCE_OP_ALL:
      a->value = TYPED(join)(SEL_REDUCE_OP_ALL, a->value, b->value);
      break;
    case SEL_REDUCE_OP_VAR: { /* Chan, Golub, LeVeque 1979 */
      const double n = (double)(a->count + b->count), share = (double)b->count / n;
      const double delta = (double)b->value - (double)a->value;
      a->value = (SUM)((double)a->value + delta * share);
      a->deviation += b->deviation + delta * delta * share * (double)a->count;
      break;
    }
    default:
      a->value += b->value;
  }
  a->count += b->count;
}

/* ---- results ---- */

static void TYPED(put)(const job *j, int64_t row, const PARTIAL *p) {
  const sel_reduce_args *args = j->args;
  char *out = j->output + row * j->output_size;
  if (args->op == SEL_REDUCE_OP_ARGMAX || args->op == SEL_REDUCE_OP_ARGMIN) {
    *(int64_t *)out = p->position;
    return;
  }
  SUM value = p->count ? p->value : TYPED(identity)(args->op);
#if FLOATS
  if (args->op == SEL_REDUCE_OP_VAR) {
    const double divisor = (double)p->count - args->scalar;
    value = divisor > 0 ? p->deviation / divisor : NAN;
  } else if (args->scale != 1 &&
             (args->op == SEL_REDUCE_OP_SUM || args->op == SEL_REDUCE_OP_SUM_ABS ||
              args->op == SEL_REDUCE_OP_SUM_SQUARE)) {
    value *= args->scale;
  }
  CPU_NAME(cpu_stores)[SEL_F64][args->output.dtype](&value, 1, 1, 0, 1, out);
#else
  CPU_NAME(cpu_stores)[SEL_I64][args->output.dtype](&value, 1, 1, 0, 1, out);
#endif
}

/* ---- along the reduced dims ---- */

/* Elements [start, end) of a row as a balanced tree over blocks. */
static PARTIAL TYPED(tree)(const job *j, const char *row, int64_t start, int64_t end) {
  if (end - start <= BLOCK) {
    _Alignas(64) VALUE tile[BLOCK];
    if (start == end) return (PARTIAL){.count = 0};
    const VALUE *x = block_of(j, row, start, end - start, tile);
    return TYPED(block)(j->args->op, x, start, end - start);
  }
  const int64_t middle = middle_of(start, end);
  PARTIAL left = TYPED(tree)(j, row, start, middle);
  const PARTIAL right = TYPED(tree)(j, row, middle, end);
  TYPED(combine)(j->args->op, &left, &right);
  return left;
}

static void TYPED(rows)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  for (int64_t row = begin; row < end; row++) {
    const char *x = j->input + offset_of(j->args, 0, j->args->kept, row) * j->input_size;
    const PARTIAL p = TYPED(tree)(j, x, 0, j->args->columns);
    TYPED(put)(j, row, &p);
  }
}

/* One row whose subtrees, PARTS of them, are computed in parallel. */
typedef struct TYPED(long_row) {
  const job *job;
  const char *x;
  int64_t start[PARTS + 1];
  PARTIAL *parts;
} TYPED(long_row);

static void TYPED(subtrees)(const void *context, int64_t begin, int64_t end) {
  const TYPED(long_row) *row = context;
  for (int64_t i = begin; i < end; i++)
    row->parts[i] = TYPED(tree)(row->job, row->x, row->start[i], row->start[i + 1]);
}

static void TYPED(long_row_of)(const job *j, int64_t row) {
  PARTIAL parts[PARTS];
  TYPED(long_row) r = {.job = j, .parts = parts};
  const int64_t n = j->args->columns;
  r.x = j->input + offset_of(j->args, 0, j->args->kept, row) * j->input_size;
  cut(0, n, 0, PARTS, r.start);
  cpu_parallel(PARTS, (double)n * NANOSECONDS, TYPED(subtrees), &r);
  for (int step = 1; step < PARTS; step *= 2)
    for (int i = 0; i < PARTS; i += 2 * step)
      TYPED(combine)(j->args->op, &parts[i], &parts[i + step]);
  TYPED(put)(j, row, &parts[0]);
}

/* ---- along the kept dims ---- */

/* Accumulators of a strip, column by column. */
typedef struct TYPED(strip) {
  SUM value[STRIP];
  double deviation[STRIP];
  int64_t position[STRIP];
  int64_t count;
} TYPED(strip);

CPU_INLINE void TYPED(fold_rows)(sel_reduce_op op, const VALUE *const *row, int64_t rows,
                                 int64_t width, SUM *value) {
  for (int64_t w = 0; w < width; w++) value[w] = TYPED(identity)(op);
  for (int64_t r = 0; r < rows; r++) {
    const VALUE *x = row[r];
#pragma omp simd
    for (int64_t w = 0; w < width; w++) value[w] = TYPED(join)(op, value[w], TYPED(term)(op, x[w]));
  }
}

CPU_INLINE void TYPED(find_rows)(bool largest, const VALUE *const *row, int64_t start, int64_t rows,
                                 int64_t width, SUM *value, int64_t *position) {
  for (int64_t w = 0; w < width; w++) value[w] = (SUM)row[0][w], position[w] = start;
  for (int64_t r = 1; r < rows; r++) {
    const VALUE *x = row[r];
#pragma omp simd
    for (int64_t w = 0; w < width; w++) {
      const SUM v = (SUM)x[w], best = value[w];
      const bool better = ((largest ? v > best : v < best) || v != v) && best == best;
      value[w] = better ? v : best;
      position[w] = better ? start + r : position[w];
    }
  }
}

static void TYPED(deviate_rows)(const VALUE *const *row, int64_t rows, int64_t width,
                                TYPED(strip) * out) {
  for (int64_t w = 0; w < width; w++) out->value[w] /= (SUM)rows, out->deviation[w] = 0;
  for (int64_t r = 0; r < rows; r++)
#pragma omp simd
    for (int64_t w = 0; w < width; w++) {
      const double d = (double)row[r][w] - (double)out->value[w];
      out->deviation[w] += d * d;
    }
}

/* A chunk of rows, the first of which is the `start`-th, of a strip. */
static void TYPED(chunk)(sel_reduce_op op, const VALUE *const *row, int64_t start, int64_t rows,
                         int64_t width, TYPED(strip) * out) {
  SUM *value = out->value;
  out->count = rows;
  switch (op) {
    case SEL_REDUCE_OP_PROD:
      TYPED(fold_rows)(SEL_REDUCE_OP_PROD, row, rows, width, value);
      break;
    case SEL_REDUCE_OP_MAX:
      TYPED(fold_rows)(SEL_REDUCE_OP_MAX, row, rows, width, value);
      break;
    case SEL_REDUCE_OP_MIN:
      TYPED(fold_rows)(SEL_REDUCE_OP_MIN, row, rows, width, value);
      break;
    case SEL_REDUCE_OP_ARGMAX:
      TYPED(find_rows)(true, row, start, rows, width, value, out->position);
      break;
    case SEL_REDUCE_OP_ARGMIN:
      TYPED(find_rows)(false, row, start, rows, width, value, out->position);
      break;
    case SEL_REDUCE_OP_ANY:
      TYPED(fold_rows)(SEL_REDUCE_OP_ANY, row, rows, width, value);
      break;
    case SEL_REDUCE_OP_ALL:
      TYPED(fold_rows)(SEL_REDUCE_OP_ALL, row, rows, width, value);
      break;
    case SEL_REDUCE_OP_SUM_ABS:
      TYPED(fold_rows)(SEL_REDUCE_OP_SUM_ABS, row, rows, width, value);
      break;
    case SEL_REDUCE_OP_SUM_SQUARE:
      TYPED(fold_rows)(SEL_REDUCE_OP_SUM_SQUARE, row, rows, width, value);
      break;
    default:
      TYPED(fold_rows)(SEL_REDUCE_OP_SUM, row, rows, width, value);
  }
  if (op == SEL_REDUCE_OP_VAR) TYPED(deviate_rows)(row, rows, width, out);
}

static PARTIAL TYPED(column)(const TYPED(strip) * s, int64_t w) {
  return (PARTIAL){s->value[w], s->deviation[w], s->position[w], s->count};
}

static void TYPED(combine_strips)(sel_reduce_op op, TYPED(strip) * a, const TYPED(strip) * b,
                                  int64_t width) {
  for (int64_t w = 0; w < width; w++) {
    PARTIAL p = TYPED(column)(a, w);
    const PARTIAL q = TYPED(column)(b, w);
    TYPED(combine)(op, &p, &q);
    a->value[w] = p.value, a->deviation[w] = p.deviation, a->position[w] = p.position;
  }
  a->count += b->count;
}

/* Rows [start, end) of the strip whose first column is at x. */
static void TYPED(strip_of)(const job *j, const char *x, int64_t width, int64_t start, int64_t end,
                            TYPED(strip) * out) {
  const sel_reduce_args *args = j->args;
  const bool direct = args->input.dtype == j->compute;
  VALUE tile[CHUNK_TILE / sizeof(VALUE)];
  const int64_t capacity =
      direct ? CHUNK : smaller(CHUNK, CHUNK_TILE / (int64_t)sizeof(VALUE) / width);
  TYPED(strip) next;
  const VALUE *row[CHUNK];
  out->count = 0;
  for (int64_t r = start; r < end; r += capacity) {
    const int64_t rows = smaller(capacity, end - r);
    for (int64_t i = 0; i < rows; i++) {
      const char *from = x + offset_of(args, args->kept, args->reduced, r + i) * j->input_size;
      if (!direct) j->load(from, 1, width, 0, 1, tile + i * width);
      row[i] = direct ? (const void *)from : tile + i * width;
    }
    TYPED(chunk)(args->op, row, r, rows, width, r == start ? out : &next);
    if (r > start) TYPED(combine_strips)(args->op, out, &next, width);
  }
}

/* All strips of the result, each over all rows in `parts` pieces. */
typedef struct TYPED(columns) {
  const job *job;
  int64_t inner, strips; /* neighbouring columns, and strips they make */
  int64_t parts;
  int64_t only; /* one strip alone, its parts in parallel: into `pieces`; else -1 */
  TYPED(strip) * pieces;
} TYPED(columns);

static const char *TYPED(find_strip)(const TYPED(columns) * c, int64_t item, int64_t *width,
                                     int64_t *row) {
  const job *j = c->job;
  const int64_t outer = item / c->strips, first = item % c->strips * STRIP;
  *width = smaller(STRIP, c->inner - first);
  *row = outer * c->inner + first;
  return j->input + (offset_of(j->args, 0, j->args->kept - 1, outer) + first) * j->input_size;
}

static void TYPED(pieces)(const void *context, int64_t begin, int64_t end) {
  const TYPED(columns) *c = context;
  const int64_t n = c->job->args->columns;
  int64_t width, row;
  const char *x = TYPED(find_strip)(c, c->only, &width, &row);
  for (int64_t i = begin; i < end; i++)
    TYPED(strip_of)(c->job, x, width, n * i / c->parts, n * (i + 1) / c->parts, &c->pieces[i]);
}

static void TYPED(put_strip)(const TYPED(columns) * c, int64_t item, TYPED(strip) * total) {
  int64_t width, row;
  TYPED(find_strip)(c, item, &width, &row);
  for (int64_t w = 0; w < width; w++) {
    const PARTIAL p = TYPED(column)(total, w);
    TYPED(put)(c->job, row + w, &p);
  }
}

static void TYPED(strips)(const void *context, int64_t begin, int64_t end) {
  const TYPED(columns) *c = context;
  const int64_t n = c->job->args->columns;
  for (int64_t item = begin; item < end; item++) {
    int64_t width, row;
    const char *x = TYPED(find_strip)(c, item, &width, &row);
    TYPED(strip) total, piece;
    TYPED(strip_of)(c->job, x, width, 0, n / c->parts, &total);
    for (int64_t i = 1; i < c->parts; i++) {
      TYPED(strip_of)(c->job, x, width, n * i / c->parts, n * (i + 1) / c->parts, &piece);
      TYPED(combine_strips)(c->job->args->op, &total, &piece, width);
    }
    TYPED(put_strip)(c, item, &total);
  }
}

static void TYPED(reduce_strips)(const job *j) {
  const sel_reduce_args *args = j->args;
  TYPED(columns) c = {.job = j, .inner = args->shape[args->kept - 1], .only = -1};
  c.strips = (c.inner + STRIP - 1) / STRIP;
  const int64_t items = args->rows / c.inner * c.strips;
  const int64_t width = smaller(STRIP, c.inner);
  c.parts = smaller(PARTS, 1 + args->columns * width / PART_WORK);
  const double work = (double)(args->rows * args->columns) * NANOSECONDS;
  if (items >= 2 * cpu_team(PARTS, work) || c.parts == 1) {
    cpu_parallel(items, work, TYPED(strips), &c);
    return;
  }
  TYPED(strip) pieces[PARTS];
  c.pieces = pieces;
  for (c.only = 0; c.only < items; c.only++) {
    cpu_parallel(c.parts, work / (double)items, TYPED(pieces), &c);
    for (int64_t i = 1; i < c.parts; i++)
      TYPED(combine_strips)(args->op, &pieces[0], &pieces[i], width);
    TYPED(put_strip)(&c, c.only, &pieces[0]);
  }
}

static void TYPED(reduce)(const job *j) {
  const sel_reduce_args *args = j->args;
  const double work = (double)(args->rows * args->columns) * NANOSECONDS;
  if (args->columns > 0 && by_strips(args)) {
    TYPED(reduce_strips)(j);
  } else if (args->columns >= PARTS * BLOCK && args->rows < 2 * cpu_team(PARTS, work)) {
    for (int64_t row = 0; row < args->rows; row++) TYPED(long_row_of)(j, row);
  } else {
    cpu_parallel(args->rows, work, TYPED(rows), j);
  }
}

#undef PARTIAL
#undef LOWEST
#undef HIGHEST
#undef MAGNITUDE
#undef VALUE
#undef SUM
#undef FLOATS
#undef TYPED
