/* Normalisation for one type: included by norm.c with VALUE and TYPED(name). */

/* ---- sums over a segment ---- */

static double TYPED(sum)(const VALUE *x, int64_t n) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; i++) sum += (double)x[i];
  return sum;
}

static double TYPED(squares)(const VALUE *x, int64_t n, double mean) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; i++) {
    const double d = (double)x[i] - mean;
    sum += d * d;
  }
  return sum;
}

/* Adds sums of g and of g (x - mean) to *s and *sx. */
static void TYPED(products)(const VALUE *g, const VALUE *x, int64_t n, double mean, double *s,
                            double *sx) {
  double sum = 0, with_x = 0;
#pragma omp simd reduction(+ : sum, with_x)
  for (int64_t i = 0; i < n; i++) {
    const double d = (double)x[i] - mean;
    sum += (double)g[i];
    with_x += (double)g[i] * d;
  }
  *s += sum, *sx += with_x;
}

/* The same with a weight for each element. */
static void TYPED(weighted_products)(const VALUE *g, const VALUE *x, const VALUE *w, int64_t n,
                                     double mean, double *s, double *sx) {
  double sum = 0, with_x = 0;
#pragma omp simd reduction(+ : sum, with_x)
  for (int64_t i = 0; i < n; i++) {
    const double gw = (double)g[i] * (double)w[i];
    sum += gw;
    with_x += gw * ((double)x[i] - mean);
  }
  *s += sum, *sx += with_x;
}

/* ---- writing a segment ---- */

static void TYPED(apply)(const VALUE *x, VALUE *y, int64_t n, VALUE mean, VALUE scale,
                         VALUE shift) {
#pragma omp simd
  for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * scale + shift;
}

/* w, b: one an element, or NULL. */
static void TYPED(apply_columns)(const VALUE *x, VALUE *y, int64_t n, VALUE mean, VALUE rstd,
                                 const VALUE *w, const VALUE *b) {
  if (w && b) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd * w[i] + b[i];
  } else if (w) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd * w[i];
  } else if (b) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = (x[i] - mean) * rstd + b[i];
  } else {
    TYPED(apply)(x, y, n, mean, rstd, 0);
  }
}

/* out = scale g - a - b (x - mean) */
static void TYPED(pull)(const VALUE *g, const VALUE *x, VALUE *out, int64_t n, VALUE scale, VALUE a,
                        VALUE mean, VALUE b) {
#pragma omp simd
  for (int64_t i = 0; i < n; i++) out[i] = scale * g[i] - a - b * (x[i] - mean);
}

static void TYPED(pull_columns)(const VALUE *g, const VALUE *x, const VALUE *w, VALUE *out,
                                int64_t n, VALUE scale, VALUE a, VALUE mean, VALUE b) {
#pragma omp simd
  for (int64_t i = 0; i < n; i++) out[i] = scale * g[i] * w[i] - a - b * (x[i] - mean);
}

/* ---- the operands ---- */

typedef struct TYPED(job) {
  const sel_norm_args *args;
  int64_t per_statistic; /* elements */
  const VALUE *x, *weight, *bias, *grad;
  VALUE *y, *mean, *rstd, *var, *grad_x, *grad_weight, *grad_bias;
} TYPED(job);
#define JOB TYPED(job)

static void *TYPED(pointer)(const sel_operand *operand) {
  return operand->data ? cpu_at(operand) : NULL;
}

static JOB TYPED(open)(const sel_norm_args *args) {
  return (JOB){.args = args,
               .per_statistic = population(args),
               .x = TYPED(pointer)(&args->x),
               .weight = TYPED(pointer)(&args->weight),
               .bias = TYPED(pointer)(&args->bias),
               .grad = TYPED(pointer)(&args->grad),
               .y = TYPED(pointer)(&args->y),
               .mean = TYPED(pointer)(&args->mean),
               .rstd = TYPED(pointer)(&args->rstd),
               .var = TYPED(pointer)(&args->var),
               .grad_x = TYPED(pointer)(&args->grad_x),
               .grad_weight = TYPED(pointer)(&args->grad_weight),
               .grad_bias = TYPED(pointer)(&args->grad_bias)};
}

static VALUE TYPED(weight_of)(const JOB *j, int64_t channel) {
  return j->weight ? j->weight[channel] : 1;
}
static VALUE TYPED(bias_of)(const JOB *j, int64_t channel) {
  return j->bias ? j->bias[channel] : 0;
}

static void TYPED(put_statistics)(const JOB *j, int64_t i, double mean, double var) {
  if (j->args->kind != SEL_NORM_RMS) j->mean[i] = (VALUE)mean;
  j->rstd[i] = (VALUE)(1 / sqrt(var + j->args->eps));
  if (j->var) j->var[i] = (VALUE)var;
}

/* ---- one contiguous segment a statistic: layer, rms, group ---- */

static void TYPED(forward_segments)(const void *context, int64_t begin, int64_t end) {
  const JOB *j = context;
  const sel_norm_args *args = j->args;
  const int64_t n = j->per_statistic, inner = args->inner;
  for (int64_t i = begin; i < end; i++) {
    const VALUE *x = j->x + i * n;
    VALUE *y = j->y + i * n;
    const double mean = args->kind == SEL_NORM_RMS ? 0 : TYPED(sum)(x, n) / (double)n;
    TYPED(put_statistics)(j, i, mean, TYPED(squares)(x, n, mean) / (double)n);
    if (args->kind != SEL_NORM_GROUP) {
      TYPED(apply_columns)(x, y, n, (VALUE)mean, j->rstd[i], j->weight, j->bias);
      continue;
    }
    const int64_t channels = args->channels / args->groups, first = i % args->groups * channels;
    for (int64_t c = 0; c < channels; c++) TYPED(apply)
    (x + c * inner, y + c * inner, inner, (VALUE)mean, j->rstd[i] * TYPED(weight_of)(j, first + c),
     TYPED(bias_of)(j, first + c));
  }
}

static void TYPED(backward_segments)(const void *context, int64_t begin, int64_t end) {
  const JOB *j = context;
  const sel_norm_args *args = j->args;
  const int64_t n = j->per_statistic, inner = args->inner;
  const bool group = args->kind == SEL_NORM_GROUP, rms = args->kind == SEL_NORM_RMS;
  const int64_t channels = group ? args->channels / args->groups : 1;
  for (int64_t i = begin; i < end; i++) {
    const VALUE *x = j->x + i * n, *g = j->grad + i * n;
    VALUE *out = j->grad_x + i * n;
    const int64_t first = group ? i % args->groups * channels : 0;
    const double mean = rms ? 0 : (double)j->mean[i], rstd = (double)j->rstd[i];
    double s = 0, sx = 0;
    if (group) {
      for (int64_t c = 0; c < channels; c++) {
        const double w = (double)TYPED(weight_of)(j, first + c);
        double part = 0, part_x = 0;
        TYPED(products)(g + c * inner, x + c * inner, inner, mean, &part, &part_x);
        s += w * part, sx += w * part_x;
      }
    } else if (j->weight) {
      TYPED(weighted_products)(g, x, j->weight, n, mean, &s, &sx);
    } else {
      TYPED(products)(g, x, n, mean, &s, &sx);
    }
    const VALUE a = rms ? 0 : (VALUE)(rstd * s / (double)n);
    const VALUE b = (VALUE)(rstd * rstd * rstd * sx / (double)n);
    if (!group && j->weight) {
      TYPED(pull_columns)(g, x, j->weight, out, n, (VALUE)rstd, a, (VALUE)mean, b);
      continue;
    }
    for (int64_t c = 0; c < channels; c++) TYPED(pull)
    (g + c * inner, x + c * inner, out + c * inner, inner,
     (VALUE)rstd * (group ? TYPED(weight_of)(j, first + c) : 1), a, (VALUE)mean, b);
  }
}

/* Affine gradients of layer and rms norm: COLUMNS columns over all rows. */
static void TYPED(affine_columns)(const void *context, int64_t begin, int64_t end) {
  const JOB *j = context;
  const sel_norm_args *args = j->args;
  const int64_t columns = args->inner;
  for (int64_t item = begin; item < end; item++) {
    const int64_t first = item * COLUMNS;
    const int64_t width = columns - first < COLUMNS ? columns - first : COLUMNS;
    double s[COLUMNS] = {0}, sx[COLUMNS] = {0};
    for (int64_t r = 0; r < args->n; r++) {
      const VALUE *x = j->x + r * columns + first, *g = j->grad + r * columns + first;
      const VALUE mean = args->kind == SEL_NORM_RMS ? 0 : j->mean[r], rstd = j->rstd[r];
#pragma omp simd
      for (int64_t w = 0; w < width; w++) {
        s[w] += (double)g[w];
        sx[w] += (double)(g[w] * ((x[w] - mean) * rstd));
      }
    }
    for (int64_t w = 0; w < width; w++) {
      if (j->grad_weight) j->grad_weight[first + w] = (VALUE)sx[w];
      if (j->grad_bias) j->grad_bias[first + w] = (VALUE)s[w];
    }
  }
}

/* Affine gradients of group norm: a channel over all samples. */
static void TYPED(affine_channels)(const void *context, int64_t begin, int64_t end) {
  const JOB *j = context;
  const sel_norm_args *args = j->args;
  const int64_t inner = args->inner, of_group = args->channels / args->groups;
  for (int64_t c = begin; c < end; c++) {
    double s = 0, sx = 0;
    for (int64_t i = 0; i < args->n; i++) {
      const int64_t at = (i * args->channels + c) * inner, k = i * args->groups + c / of_group;
      double part_x = 0;
      TYPED(products)(j->grad + at, j->x + at, inner, (double)j->mean[k], &s, &part_x);
      sx += part_x * (double)j->rstd[k];
    }
    if (j->grad_weight) j->grad_weight[c] = (VALUE)sx;
    if (j->grad_bias) j->grad_bias[c] = (VALUE)s;
  }
}

/* ---- batch norm ---- */

/* Writes y of one channel's segment. */
static void TYPED(apply_channel)(const JOB *j, int64_t c, int64_t at, int64_t n) {
  TYPED(apply)
  (j->x + at, j->y + at, n, j->mean[c], j->rstd[c] * TYPED(weight_of)(j, c), TYPED(bias_of)(j, c));
}

static void TYPED(forward_channels)(const void *context, int64_t begin, int64_t end) {
  const JOB *j = context;
  const sel_norm_args *args = j->args;
  const int64_t inner = args->inner, step = args->channels * inner;
  for (int64_t c = begin; c < end; c++) {
    if (!args->fixed_statistics) {
      double mean = 0, var = 0;
      for (int64_t i = 0; i < args->n; i++) mean += TYPED(sum)(j->x + i * step + c * inner, inner);
      mean /= (double)j->per_statistic;
      for (int64_t i = 0; i < args->n; i++)
        var += TYPED(squares)(j->x + i * step + c * inner, inner, mean);
      TYPED(put_statistics)(j, c, mean, var / (double)j->per_statistic);
    }
    for (int64_t i = 0; i < args->n; i++) TYPED(apply_channel)(j, c, i * step + c * inner, inner);
  }
}

/* grad_x = scale g - a - b (x - mean) for channel c, from the sums of g and g (x - mean). */
typedef struct TYPED(pulling) {
  VALUE scale, a, b;
} TYPED(pulling);

static TYPED(pulling) TYPED(settle)(const JOB *j, int64_t c, double s, double sx) {
  const double rstd = (double)j->rstd[c], scale = rstd * (double)TYPED(weight_of)(j, c);
  const double n = (double)j->per_statistic;
  if (j->grad_weight) j->grad_weight[c] = (VALUE)(sx * rstd);
  if (j->grad_bias) j->grad_bias[c] = (VALUE)s;
  if (j->args->fixed_statistics) return (TYPED(pulling)){(VALUE)scale, 0, 0};
  return (TYPED(pulling)){(VALUE)scale, (VALUE)(scale * s / n),
                          (VALUE)(scale * rstd * rstd * sx / n)};
}

static void TYPED(backward_channels)(const void *context, int64_t begin, int64_t end) {
  const JOB *j = context;
  const sel_norm_args *args = j->args;
  const int64_t inner = args->inner, step = args->channels * inner;
  for (int64_t c = begin; c < end; c++) {
    double s = 0, sx = 0;
    for (int64_t i = 0; i < args->n; i++) {
      const int64_t at = i * step + c * inner;
      TYPED(products)(j->grad + at, j->x + at, inner, (double)j->mean[c], &s, &sx);
    }
    const TYPED(pulling) p = TYPED(settle)(j, c, s, sx);
    if (!j->grad_x) continue;
    for (int64_t i = 0; i < args->n; i++) {
      const int64_t at = i * step + c * inner;
      TYPED(pull)(j->grad + at, j->x + at, j->grad_x + at, inner, p.scale, p.a, j->mean[c], p.b);
    }
  }
}

/* ---- batch norm by strips: whole channels of up to STRIP positions in all ---- */

typedef struct TYPED(strip) {
  int64_t first, count; /* channels */
  int64_t at, width;    /* first position in a sample, positions */
} TYPED(strip);

static TYPED(strip) TYPED(find_strip)(const sel_norm_args *args, int64_t item) {
  TYPED(strip) s;
  const int64_t most = STRIP / args->inner;
  s.first = item * most;
  s.count = args->channels - s.first < most ? args->channels - s.first : most;
  s.at = s.first * args->inner;
  s.width = s.count * args->inner;
  return s;
}

/* Sum of the `inner` positions of the strip's k-th channel. */
static double TYPED(gather)(const double *positions, int64_t inner, int64_t k) {
  double sum = 0;
  for (int64_t p = 0; p < inner; p++) sum += positions[k * inner + p];
  return sum;
}

static void TYPED(strip_statistics)(const JOB *j, const TYPED(strip) * s) {
  const sel_norm_args *args = j->args;
  const int64_t step = args->channels * args->inner;
  double sum[STRIP] = {0}, mean[STRIP], square[STRIP] = {0};
  for (int64_t i = 0; i < args->n; i++) {
    const VALUE *x = j->x + i * step + s->at;
#pragma omp simd
    for (int64_t w = 0; w < s->width; w++) sum[w] += (double)x[w];
  }
  for (int64_t k = 0; k < s->count; k++) {
    const double m = TYPED(gather)(sum, args->inner, k) / (double)j->per_statistic;
    for (int64_t p = 0; p < args->inner; p++) mean[k * args->inner + p] = m;
  }
  for (int64_t i = 0; i < args->n; i++) {
    const VALUE *x = j->x + i * step + s->at;
#pragma omp simd
    for (int64_t w = 0; w < s->width; w++) {
      const double d = (double)x[w] - mean[w];
      square[w] += d * d;
    }
  }
  for (int64_t k = 0; k < s->count; k++) TYPED(put_statistics)
  (j, s->first + k, mean[k * args->inner],
   TYPED(gather)(square, args->inner, k) / (double)j->per_statistic);
}

static void TYPED(forward_strips)(const void *context, int64_t begin, int64_t end) {
  const JOB *j = context;
  const sel_norm_args *args = j->args;
  const int64_t step = args->channels * args->inner;
  for (int64_t item = begin; item < end; item++) {
    const TYPED(strip) s = TYPED(find_strip)(args, item);
    if (!args->fixed_statistics) TYPED(strip_statistics)(j, &s);
    VALUE mean[STRIP], scale[STRIP], shift[STRIP];
    for (int64_t w = 0; w < s.width; w++) {
      const int64_t c = s.first + w / args->inner;
      mean[w] = j->mean[c];
      scale[w] = j->rstd[c] * TYPED(weight_of)(j, c);
      shift[w] = TYPED(bias_of)(j, c);
    }
    for (int64_t i = 0; i < args->n; i++) {
      const VALUE *x = j->x + i * step + s.at;
      VALUE *y = j->y + i * step + s.at;
#pragma omp simd
      for (int64_t w = 0; w < s.width; w++) y[w] = (x[w] - mean[w]) * scale[w] + shift[w];
    }
  }
}

static void TYPED(backward_strips)(const void *context, int64_t begin, int64_t end) {
  const JOB *j = context;
  const sel_norm_args *args = j->args;
  const int64_t inner = args->inner, step = args->channels * inner;
  for (int64_t item = begin; item < end; item++) {
    const TYPED(strip) s = TYPED(find_strip)(args, item);
    double sum[STRIP] = {0}, with_x[STRIP] = {0};
    VALUE mean[STRIP], scale[STRIP], a[STRIP], b[STRIP];
    for (int64_t w = 0; w < s.width; w++) mean[w] = j->mean[s.first + w / inner];
    for (int64_t i = 0; i < args->n; i++) {
      const VALUE *x = j->x + i * step + s.at, *g = j->grad + i * step + s.at;
#pragma omp simd
      for (int64_t w = 0; w < s.width; w++) {
        sum[w] += (double)g[w];
        with_x[w] += (double)g[w] * ((double)x[w] - (double)mean[w]);
      }
    }
    for (int64_t k = 0; k < s.count; k++) {
      const TYPED(pulling) p = TYPED(settle)(j, s.first + k, TYPED(gather)(sum, inner, k),
                                             TYPED(gather)(with_x, inner, k));
      for (int64_t q = k * inner; q < (k + 1) * inner; q++)
        scale[q] = p.scale, a[q] = p.a, b[q] = p.b;
    }
    if (!j->grad_x) continue;
    for (int64_t i = 0; i < args->n; i++) {
      const VALUE *x = j->x + i * step + s.at, *g = j->grad + i * step + s.at;
      VALUE *out = j->grad_x + i * step + s.at;
#pragma omp simd
      for (int64_t w = 0; w < s.width; w++)
        out[w] = scale[w] * g[w] - a[w] - b[w] * (x[w] - mean[w]);
    }
  }
}

/* ---- which walk ---- */

static void TYPED(run_batch)(const JOB *j, double work) {
  const sel_norm_args *args = j->args;
  if (args->inner > SHORT_SEGMENT) {
    cpu_parallel(args->channels, work,
                 args->backward ? TYPED(backward_channels) : TYPED(forward_channels), j);
    return;
  }
  const int64_t most = STRIP / args->inner;
  cpu_parallel((args->channels + most - 1) / most, work,
               args->backward ? TYPED(backward_strips) : TYPED(forward_strips), j);
}

static void TYPED(run_segments)(const JOB *j, double work) {
  const sel_norm_args *args = j->args;
  const bool group = args->kind == SEL_NORM_GROUP;
  const int64_t statistics = group ? args->n * args->groups : args->n;
  if (!args->backward) {
    cpu_parallel(statistics, work, TYPED(forward_segments), j);
    return;
  }
  if (j->grad_x) cpu_parallel(statistics, work, TYPED(backward_segments), j);
  if (!j->grad_weight && !j->grad_bias) return;
  if (group)
    cpu_parallel(args->channels, work / 2, TYPED(affine_channels), j);
  else
    cpu_parallel((args->inner + COLUMNS - 1) / COLUMNS, work / 2, TYPED(affine_columns), j);
}

static void TYPED(run)(const sel_norm_args *args) {
  const JOB j = TYPED(open)(args);
  const double work = (double)(args->n * args->channels * args->inner) * 3 * NANOSECONDS;
  if (args->kind == SEL_NORM_BATCH)
    TYPED(run_batch)(&j, work);
  else
    TYPED(run_segments)(&j, work);
}

#undef JOB
#undef VALUE
#undef TYPED
