/* Depthwise convolution by shifted vectors, for one type: included by conv_flat.c with VALUE,
 * TYPED(name). */

static VALUE *TYPED(lane)(const job *j) {
  return (VALUE *)(void *)(j->scratch + (size_t)atomic_fetch_add(j->lanes, 1) * j->lane);
}

/* Copies a plane of `extents` into the frame, its first element at `at`; what lies outside is cut,
 * what is not covered is 0. */
static void TYPED(put)(const frame *f, const VALUE *plane, const int64_t *extents,
                       const int64_t *at, VALUE *out) {
  memset(out, 0, (size_t)f->size * sizeof *out);
  const int64_t skip = at[2] < 0 ? -at[2] : 0;
  const int64_t room = f->extent[2] - at[2], end = extents[2] < room ? extents[2] : room;
  if (end <= skip) return;
  for (int64_t i0 = 0; i0 < extents[0]; i0++)
    for (int64_t i1 = 0; i1 < extents[1]; i1++) {
      const int64_t o0 = i0 + at[0], o1 = i1 + at[1];
      if (o0 < 0 || o0 >= f->extent[0] || o1 < 0 || o1 >= f->extent[1]) continue;
      memcpy(out + (o0 * f->extent[1] + o1) * f->extent[2] + at[2] + skip,
             plane + (i0 * extents[1] + i1) * extents[2] + skip,
             (size_t)(end - skip) * sizeof *out);
    }
}

/* sums[p] = sum of weight[t] * x[p + offset[t]]. */
static void TYPED(sum_taps)(const frame *f, const VALUE *x, const VALUE *weight, VALUE *sums) {
  for (int64_t start = 0; start < f->length; start += BLOCK) {
    const int64_t count = f->length - start < BLOCK ? f->length - start : BLOCK;
    VALUE sum[BLOCK] = {0};
    for (int64_t t = 0; t < f->taps; t++) {
      const VALUE factor = weight[t], *from = x + start + f->offset[t];
      if (count == BLOCK)
#pragma omp simd
        for (int i = 0; i < BLOCK; i++) sum[i] += factor * from[i];
      else
        for (int64_t i = 0; i < count; i++) sum[i] += factor * from[i];
    }
    for (int64_t i = 0; i < count; i++) sums[start + i] = sum[i];
  }
}

/* Adds the positions of a result to their plane. */
static void TYPED(add_rows)(const frame *f, const VALUE *sums, VALUE *plane) {
  for (int64_t o0 = 0; o0 < f->to[0]; o0++)
    for (int64_t o1 = 0; o1 < f->to[1]; o1++, plane += f->to[2]) {
      const VALUE *row = sums + (o0 * f->extent[1] + o1) * f->extent[2];
      for (int64_t i = 0; i < f->to[2]; i++) plane[i] += row[i];
    }
}

static void TYPED(forward)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_conv_args *args = j->args;
  const cpu_window *w = j->window;
  VALUE *x = TYPED(lane)(j), *sums = x + j->frame.size;
  for (int64_t plane = begin; plane < end; plane++) {
    const int64_t o = plane % args->out_channels, image = plane / args->out_channels;
    const int64_t from = image * args->channels + o / j->share;
    VALUE *y = (VALUE *)cpu_at(&args->y) + plane * w->out_size;
    const VALUE start = args->bias.data ? ((const VALUE *)cpu_at(&args->bias))[o] : 0;
    TYPED(put)
    (&j->frame, (const VALUE *)cpu_at(&args->x) + from * w->in_size, w->in, w->padding, x);
    TYPED(sum_taps)(&j->frame, x, (const VALUE *)cpu_at(&args->weight) + o * w->taps, sums);
    for (int64_t i = 0; i < w->out_size; i++) y[i] = start;
    TYPED(add_rows)(&j->frame, sums, y);
  }
}

static void TYPED(grad_input)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_conv_args *args = j->args;
  const cpu_window *w = j->window;
  VALUE *y = TYPED(lane)(j), *sums = y + j->frame.size, reversed[MOST_TAPS];
  for (int64_t plane = begin; plane < end; plane++) {
    VALUE *x = (VALUE *)cpu_at(&args->x) + plane * w->in_size;
    memset(x, 0, (size_t)w->in_size * sizeof *x);
    for (int64_t k = 0; k < j->share; k++) {
      const int64_t o = plane % args->channels * j->share + k;
      const VALUE *weight = (const VALUE *)cpu_at(&args->weight) + o * w->taps;
      for (int64_t t = 0; t < w->taps; t++) reversed[t] = weight[w->taps - 1 - t];
      TYPED(put)
      (&j->frame, (const VALUE *)cpu_at(&args->y) + (plane * j->share + k) * w->out_size, w->out,
       j->frame.padding, y);
      TYPED(sum_taps)(&j->frame, y, reversed, sums);
      TYPED(add_rows)(&j->frame, sums, x);
    }
  }
}

static VALUE TYPED(product)(const VALUE *a, const VALUE *b, int64_t n) {
  VALUE sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* Both planes lie in frames of one width, y at its corner: what is between y's rows is 0. */
static void TYPED(grad_weight)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_conv_args *args = j->args;
  const cpu_window *w = j->window;
  static const int64_t corner[3] = {0, 0, 0};
  VALUE *x = TYPED(lane)(j), *y = x + j->frame.size;
  for (int64_t o = begin; o < end; o++) {
    double sums[MOST_TAPS] = {0}, bias = 0;
    for (int64_t image = 0; image < args->n; image++) {
      const int64_t from = image * args->channels + o / j->share;
      const VALUE *grad =
          (const VALUE *)cpu_at(&args->y) + (image * args->out_channels + o) * w->out_size;
      TYPED(put)
      (&j->frame, (const VALUE *)cpu_at(&args->x) + from * w->in_size, w->in, w->padding, x);
      TYPED(put)(&j->frame, grad, w->out, corner, y);
      for (int64_t t = 0; t < w->taps; t++)
        sums[t] += (double)TYPED(product)(y, x + j->frame.offset[t], j->frame.length);
      if (!args->bias.data) continue;
#pragma omp simd reduction(+ : bias)
      for (int64_t i = 0; i < w->out_size; i++) bias += (double)grad[i];
    }
    VALUE *weight = (VALUE *)cpu_at(&args->weight) + o * w->taps;
    for (int64_t t = 0; t < w->taps; t++) weight[t] = (VALUE)sums[t];
    if (args->bias.data) ((VALUE *)cpu_at(&args->bias))[o] = (VALUE)bias;
  }
}

#undef VALUE
#undef TYPED
