/* Depthwise convolution for one type: included by conv_depthwise.c with VALUE, TYPED(name). */

/* What one row of an output plane has to do with one tap: `count` elements of y from y_at on meet
 * those of x from x_at on, stride[2] apart. */
typedef struct TYPED(meeting) {
  int64_t x_at, y_at, count;
} TYPED(meeting);

static TYPED(meeting)
    TYPED(meet)(const cpu_window *w, int64_t o0, int64_t o1, int64_t a, int64_t b, int64_t c) {
  TYPED(meeting) m = {0};
  const int64_t i0 = cpu_window_at(w, 0, o0, a), i1 = cpu_window_at(w, 1, o1, b);
  if (i0 < 0 || i0 >= w->in[0] || i1 < 0 || i1 >= w->in[1]) return m;
  int64_t first, end;
  cpu_window_inside(w, 2, c, 0, w->out[2], &first, &end);
  if (first == end) return m;
  m.count = end - first;
  m.x_at = (i0 * w->in[1] + i1) * w->in[2] + cpu_window_at(w, 2, first, c);
  m.y_at = (o0 * w->out[1] + o1) * w->out[2] + first;
  return m;
}

/* y += weight * x, along the windows of one plane. */
static void TYPED(forward_plane)(const cpu_window *w, const VALUE *x, const VALUE *weight,
                                 VALUE *y) {
  const int64_t step = w->stride[2];
  for (int64_t o0 = 0; o0 < w->out[0]; o0++)
    for (int64_t o1 = 0; o1 < w->out[1]; o1++)
      for (int64_t tap = 0; tap < w->taps; tap++) {
        const int64_t a = tap / (w->kernel[1] * w->kernel[2]),
                      b = tap / w->kernel[2] % w->kernel[1];
        const TYPED(meeting) m = TYPED(meet)(w, o0, o1, a, b, tap % w->kernel[2]);
        const VALUE factor = weight[tap], *from = x + m.x_at;
        VALUE *to = y + m.y_at;
        if (step == 1)
#pragma omp simd
          for (int64_t i = 0; i < m.count; i++) to[i] += factor * from[i];
        else
          for (int64_t i = 0; i < m.count; i++) to[i] += factor * from[i * step];
      }
}

static void TYPED(forward)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_conv_args *args = j->args;
  const cpu_window *w = j->window;
  for (int64_t plane = begin; plane < end; plane++) {
    const int64_t o = plane % args->out_channels, image = plane / args->out_channels;
    const VALUE *x =
        (const VALUE *)cpu_at(&args->x) + (image * args->channels + o / j->share) * w->in_size;
    VALUE *y = (VALUE *)cpu_at(&args->y) + plane * w->out_size;
    const VALUE start = args->bias.data ? ((const VALUE *)cpu_at(&args->bias))[o] : 0;
    for (int64_t i = 0; i < w->out_size; i++) y[i] = start;
    TYPED(forward_plane)(w, x, (const VALUE *)cpu_at(&args->weight) + o * w->taps, y);
  }
}

/* x += weight * y, back along the windows of one plane. */
static void TYPED(backward_plane)(const cpu_window *w, VALUE *x, const VALUE *weight,
                                  const VALUE *y) {
  const int64_t step = w->stride[2];
  for (int64_t o0 = 0; o0 < w->out[0]; o0++)
    for (int64_t o1 = 0; o1 < w->out[1]; o1++)
      for (int64_t tap = 0; tap < w->taps; tap++) {
        const int64_t a = tap / (w->kernel[1] * w->kernel[2]),
                      b = tap / w->kernel[2] % w->kernel[1];
        const TYPED(meeting) m = TYPED(meet)(w, o0, o1, a, b, tap % w->kernel[2]);
        const VALUE factor = weight[tap], *from = y + m.y_at;
        VALUE *to = x + m.x_at;
        if (step == 1)
#pragma omp simd
          for (int64_t i = 0; i < m.count; i++) to[i] += factor * from[i];
        else
          for (int64_t i = 0; i < m.count; i++) to[i * step] += factor * from[i];
      }
}

static void TYPED(grad_input)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_conv_args *args = j->args;
  const cpu_window *w = j->window;
  for (int64_t plane = begin; plane < end; plane++) {
    VALUE *x = (VALUE *)cpu_at(&args->x) + plane * w->in_size;
    memset(x, 0, (size_t)w->in_size * sizeof *x);
    for (int64_t k = 0; k < j->share; k++) {
      const int64_t o = plane % args->channels * j->share + k;
      TYPED(backward_plane)
      (w, x, (const VALUE *)cpu_at(&args->weight) + o * w->taps,
       (const VALUE *)cpu_at(&args->y) + (plane * j->share + k) * w->out_size);
    }
  }
}

/* The sum of x * y over the rows that one tap sees in one plane. */
static double TYPED(product)(const cpu_window *w, const VALUE *x, const VALUE *y, int64_t tap) {
  const int64_t step = w->stride[2], c = tap % w->kernel[2];
  const int64_t a = tap / (w->kernel[1] * w->kernel[2]), b = tap / w->kernel[2] % w->kernel[1];
  double total = 0;
  for (int64_t o0 = 0; o0 < w->out[0]; o0++)
    for (int64_t o1 = 0; o1 < w->out[1]; o1++) {
      const TYPED(meeting) m = TYPED(meet)(w, o0, o1, a, b, c);
      const VALUE *from = x + m.x_at, *grad = y + m.y_at;
      VALUE sum = 0;
      if (step == 1)
#pragma omp simd reduction(+ : sum)
        for (int64_t i = 0; i < m.count; i++) sum += grad[i] * from[i];
      else
        for (int64_t i = 0; i < m.count; i++) sum += grad[i] * from[i * step];
      total += (double)sum;
    }
  return total;
}

static void TYPED(grad_weight)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_conv_args *args = j->args;
  const cpu_window *w = j->window;
  const VALUE *x = cpu_at(&args->x), *y = cpu_at(&args->y);
  for (int64_t o = begin; o < end; o++) {
    VALUE *weight = (VALUE *)cpu_at(&args->weight) + o * w->taps;
    for (int64_t tap = 0; tap < w->taps; tap++) {
      double sum = 0;
      for (int64_t image = 0; image < args->n; image++)
        sum += TYPED(product)(w, x + (image * args->channels + o / j->share) * w->in_size,
                              y + (image * args->out_channels + o) * w->out_size, tap);
      weight[tap] = (VALUE)sum;
    }
    if (!args->bias.data) continue;
    double sum = 0;
    for (int64_t image = 0; image < args->n; image++) {
      const VALUE *plane = y + (image * args->out_channels + o) * w->out_size;
#pragma omp simd reduction(+ : sum)
      for (int64_t i = 0; i < w->out_size; i++) sum += (double)plane[i];
    }
    ((VALUE *)cpu_at(&args->bias))[o] = (VALUE)sum;
  }
}

#undef VALUE
#undef TYPED
