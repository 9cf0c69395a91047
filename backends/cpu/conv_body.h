/* Convolution for one type: included by conv.c with VALUE, GEMM, TYPED(name). */

/* ---- columns ---- */

/* Where the output has the input's extents and windows move by 1, a row of the columns is the plane
 * itself, `shift` elements on, but for what that brings from neighbouring rows. */
typedef struct TYPED(shifted) {
  int64_t shift, low, high; /* positions [low, high) of those asked for lie inside, rows aside */
} TYPED(shifted);

static TYPED(shifted)
    TYPED(shift_of)(const cpu_window *w, int64_t b, int64_t c, int64_t first, int64_t n) {
  const int64_t down = b * w->dilation[1] - w->padding[1];
  TYPED(shifted) s = {down * w->in[2] + c * w->dilation[2] - w->padding[2], first, first + n};
  s.low = larger(s.low, larger(-down * w->in[2], -s.shift));
  s.high = smaller(s.high, smaller((w->in[1] - down) * w->in[2], w->in_size - s.shift));
  if (s.low > s.high) s.low = s.high = first;
  return s;
}

/* Zeroes what a row of columns for positions [first, first + n) has of neighbouring rows: the first
 * or last |over| of each row of the image. */
static void TYPED(cut_edges)(const cpu_window *w, int64_t c, int64_t first, int64_t n, VALUE *row) {
  const int64_t over = c * w->dilation[2] - w->padding[2], across = w->in[2];
  const int64_t from = over < 0 ? 0 : larger(0, across - over);
  const int64_t to = over < 0 ? smaller(across, -over) : across;
  if (over == 0) return;
  for (int64_t start = first - first % across; start < first + n; start += across) {
    const int64_t begin = larger(start + from, first), end = smaller(start + to, first + n);
    for (int64_t i = begin; i < end; i++) row[i - first] = 0;
  }
}

static void TYPED(take_shifted)(const cpu_window *w, const VALUE *plane, int64_t b, int64_t c,
                                int64_t first, int64_t n, VALUE *row) {
  const TYPED(shifted) s = TYPED(shift_of)(w, b, c, first, n);
  for (int64_t i = first; i < s.low; i++) row[i - first] = 0;
  if (s.high > s.low)
    memcpy(row + (s.low - first), plane + (s.low + s.shift),
           (size_t)(s.high - s.low) * sizeof *row);
  for (int64_t i = s.high; i < first + n; i++) row[i - first] = 0;
  TYPED(cut_edges)(w, c, first, n, row);
}

static void TYPED(add_shifted)(const cpu_window *w, VALUE *plane, int64_t b, int64_t c,
                               int64_t first, int64_t n, VALUE *row) {
  const TYPED(shifted) s = TYPED(shift_of)(w, b, c, first, n);
  TYPED(cut_edges)(w, c, first, n, row);
  if (s.high == s.low) return;
  VALUE *to = plane + (s.low + s.shift);
  const VALUE *from = row + (s.low - first);
#pragma omp simd
  for (int64_t i = 0; i < s.high - s.low; i++) to[i] += from[i];
}

/* One row of the columns: tap (a, b, c) of the output positions [first, first + n) in `plane`. */
static void TYPED(take_row)(const cpu_window *w, const VALUE *plane, int64_t a, int64_t b,
                            int64_t c, int64_t first, int64_t n, VALUE *row) {
  const int64_t across = w->out[2], step = w->stride[2];
  int64_t o2 = first % across, o1 = first / across % w->out[1], o0 = first / across / w->out[1];
  while (n > 0) {
    const int64_t count = smaller(n, across - o2);
    const int64_t i0 = cpu_window_at(w, 0, o0, a), i1 = cpu_window_at(w, 1, o1, b);
    int64_t from = o2, to = o2;
    if (i0 >= 0 && i0 < w->in[0] && i1 >= 0 && i1 < w->in[1])
      cpu_window_inside(w, 2, c, o2, o2 + count, &from, &to);
    for (int64_t i = o2; i < from; i++) *row++ = 0;
    if (to > from) {
      const VALUE *x = plane + (i0 * w->in[1] + i1) * w->in[2] + cpu_window_at(w, 2, from, c);
      if (step == 1)
        for (int64_t i = 0; i < to - from; i++) row[i] = x[i];
      else
        for (int64_t i = 0; i < to - from; i++) row[i] = x[i * step];
      row += to - from;
    }
    for (int64_t i = to; i < o2 + count; i++) *row++ = 0;
    n -= count;
    o2 = 0;
    if (++o1 == w->out[1]) o1 = 0, o0++;
  }
}

/* The opposite: adds a row to where it was taken from. */
static void TYPED(add_row)(const cpu_window *w, VALUE *plane, int64_t a, int64_t b, int64_t c,
                           int64_t first, int64_t n, const VALUE *row) {
  const int64_t across = w->out[2], step = w->stride[2];
  int64_t o2 = first % across, o1 = first / across % w->out[1], o0 = first / across / w->out[1];
  while (n > 0) {
    const int64_t count = smaller(n, across - o2);
    const int64_t i0 = cpu_window_at(w, 0, o0, a), i1 = cpu_window_at(w, 1, o1, b);
    int64_t from = o2, to = o2;
    if (i0 >= 0 && i0 < w->in[0] && i1 >= 0 && i1 < w->in[1])
      cpu_window_inside(w, 2, c, o2, o2 + count, &from, &to);
    if (to > from) {
      VALUE *x = plane + (i0 * w->in[1] + i1) * w->in[2] + cpu_window_at(w, 2, from, c);
      const VALUE *y = row + (from - o2);
      if (step == 1)
        for (int64_t i = 0; i < to - from; i++) x[i] += y[i];
      else
        for (int64_t i = 0; i < to - from; i++) x[i * step] += y[i];
    }
    row += count;
    n -= count;
    o2 = 0;
    if (++o1 == w->out[1]) o1 = 0, o0++;
  }
}

/* Columns of `channels` planes from x on, for positions [first, first + n): [channels * taps, n].
 */
static void TYPED(take)(const cpu_window *w, const VALUE *x, int64_t channels, int64_t first,
                        int64_t n, VALUE *columns) {
  const bool shifted = keeps_extents(w);
  for (int64_t plane = 0; plane < channels; plane++, x += w->in_size)
    for (int64_t a = 0; a < w->kernel[0]; a++)
      for (int64_t b = 0; b < w->kernel[1]; b++)
        for (int64_t c = 0; c < w->kernel[2]; c++, columns += n)
          if (shifted)
            TYPED(take_shifted)(w, x, b, c, first, n, columns);
          else
            TYPED(take_row)(w, x, a, b, c, first, n, columns);
}

/* Adds them back; the columns are used up. */

static void TYPED(add)(const cpu_window *w, VALUE *x, int64_t channels, int64_t first, int64_t n,
                       VALUE *columns) {
  const bool shifted = keeps_extents(w);
  for (int64_t plane = 0; plane < channels; plane++, x += w->in_size)
    for (int64_t a = 0; a < w->kernel[0]; a++)
      for (int64_t b = 0; b < w->kernel[1]; b++)
        for (int64_t c = 0; c < w->kernel[2]; c++, columns += n)
          if (shifted)
            TYPED(add_shifted)(w, x, b, c, first, n, columns);
          else
            TYPED(add_row)(w, x, a, b, c, first, n, columns);
}

static VALUE *TYPED(lane)(const job *j) {
  return (VALUE *)(void *)(j->scratch + (size_t)atomic_fetch_add(j->lanes, 1) * j->lane);
}

/* ---- forward ---- */

/* Output channels [o, o + m) of the group, of one tile. `y` begins at channel o, tile's first. */
static void TYPED(forward_tile)(const job *j, const VALUE *columns, int64_t stride, int64_t m,
                                int64_t n, const VALUE *weight, const VALUE *bias, VALUE *y) {
  const int64_t positions = j->window.out_size;
  if (bias)
    for (int64_t o = 0; o < m; o++)
      for (int64_t i = 0; i < n; i++) y[o * positions + i] = bias[o];
  GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)m, (blasint)n, (blasint)j->k, 1, weight,
       (blasint)j->k, columns, (blasint)stride, bias ? 1 : 0, y, (blasint)positions);
}

/* An item: image, group, tile, block of output channels. Neighbouring blocks share the columns. */
static void TYPED(forward)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_conv_args *args = j->args;
  const cpu_window *w = &j->window;
  const VALUE *weight = cpu_at(&args->weight);
  const VALUE *bias = args->bias.data ? cpu_at(&args->bias) : NULL;
  VALUE *columns = j->direct ? NULL : TYPED(lane)(j);
  int64_t held = -1; /* whose columns are there */
  const int before = cpu_blas_alone();
  for (int64_t item = begin; item < end; item++) {
    const int64_t o = item % j->blocks * j->block, tile = item / j->blocks % j->tiles;
    const int64_t group = item / (j->blocks * j->tiles) % args->groups;
    const int64_t image = item / (j->blocks * j->tiles * args->groups);
    const int64_t first = tile * j->width, n = smaller(j->width, w->out_size - first);
    const int64_t channel = group * j->group_out + o, m = smaller(j->block, j->group_out - o);
    const VALUE *x = (const VALUE *)cpu_at(&args->x) +
                     (image * args->channels + group * j->group_in) * w->in_size;
    VALUE *y = (VALUE *)cpu_at(&args->y) + (image * args->out_channels + channel) * w->out_size;
    if (!j->direct && held != item / j->blocks) {
      TYPED(take)(w, x, j->group_in, first, n, columns);
      held = item / j->blocks;
    }
    TYPED(forward_tile)
    (j, j->direct ? x + first : columns, j->direct ? w->in_size : n, m, n, weight + channel * j->k,
     bias ? bias + channel : NULL, y + first);
  }
  cpu_blas_shared(before);
}

/* ---- grad input ---- */

/* An item: image, group, block of its input channels, tile after tile. */
static void TYPED(grad_input)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_conv_args *args = j->args;
  const cpu_window *w = &j->window;
  VALUE *columns = j->direct ? NULL : TYPED(lane)(j);
  const int before = cpu_blas_alone();
  for (int64_t item = begin; item < end; item++) {
    const int64_t c = item % j->blocks * j->block, channels = smaller(j->block, j->group_in - c);
    const int64_t group = item / j->blocks % args->groups;
    const int64_t image = item / (j->blocks * args->groups);
    const VALUE *weight =
        (const VALUE *)cpu_at(&args->weight) + group * j->group_out * j->k + c * w->taps;
    const VALUE *y = (const VALUE *)cpu_at(&args->y) +
                     (image * args->out_channels + group * j->group_out) * w->out_size;
    VALUE *x =
        (VALUE *)cpu_at(&args->x) + (image * args->channels + group * j->group_in + c) * w->in_size;
    if (!j->direct) memset(x, 0, (size_t)(channels * w->in_size) * sizeof *x);
    for (int64_t first = 0; first < w->out_size; first += j->width) {
      const int64_t n = smaller(j->width, w->out_size - first);
      GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)(channels * w->taps), (blasint)n,
           (blasint)j->group_out, 1, weight, (blasint)j->k, y + first, (blasint)w->out_size, 0,
           j->direct ? x + first : columns, (blasint)(j->direct ? w->in_size : n));
      if (!j->direct) TYPED(add)(w, x, channels, first, n, columns);
    }
  }
  cpu_blas_shared(before);
}

/* ---- grad weight ---- */

/* Adds the sums of rows of dy to `sums`. */
static void TYPED(sum_rows)(const VALUE *y, int64_t rows, int64_t n, double *sums) {
  for (int64_t o = 0; o < rows; o++) {
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++) sum += (double)y[o * n + i];
    sums[o] += sum;
  }
}

/* An item: part of the batch, group, block of input channels. */
static void TYPED(grad_weight)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const sel_conv_args *args = j->args;
  const cpu_window *w = &j->window;
  VALUE *columns = j->direct ? NULL : TYPED(lane)(j);
  const int before = cpu_blas_alone();
  for (int64_t item = begin; item < end; item++) {
    const int64_t c = item % j->blocks * j->block, channels = smaller(j->block, j->group_in - c);
    const int64_t group = item / j->blocks % args->groups;
    const int64_t part = item / (j->blocks * args->groups);
    VALUE *sums = part == 0 ? cpu_at(&args->weight)
                            : (VALUE *)(void *)j->sums + (part - 1) * args->out_channels * j->k;
    sums += group * j->group_out * j->k + c * w->taps;
    double *bias = c == 0 && j->bias_sums
                       ? j->bias_sums + part * args->out_channels + group * j->group_out
                       : NULL;
    if (bias) memset(bias, 0, (size_t)j->group_out * sizeof *bias);
    for (int64_t image = part_begin(j, part); image < part_begin(j, part + 1); image++) {
      const VALUE *x = (const VALUE *)cpu_at(&args->x) +
                       (image * args->channels + group * j->group_in + c) * w->in_size;
      const VALUE *y = (const VALUE *)cpu_at(&args->y) +
                       (image * args->out_channels + group * j->group_out) * w->out_size;
      for (int64_t first = 0; first < w->out_size; first += j->width) {
        const int64_t n = smaller(j->width, w->out_size - first);
        const bool start = image == part_begin(j, part) && first == 0;
        if (!j->direct) TYPED(take)(w, x, channels, first, n, columns);
        GEMM(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)j->group_out,
             (blasint)(channels * w->taps), (blasint)n, 1, y + first, (blasint)w->out_size,
             j->direct ? x + first : columns, (blasint)(j->direct ? w->in_size : n), start ? 0 : 1,
             sums, (blasint)j->k);
      }
      if (bias) TYPED(sum_rows)(y, j->group_out, w->out_size, bias);
    }
  }
  cpu_blas_shared(before);
}

/* Elements [begin, end) of the weight's gradient: the parts, in order. */
static void TYPED(add_parts)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  VALUE *total = cpu_at(&j->args->weight);
  for (int64_t part = 1; part < j->parts; part++) {
    const VALUE *sums = (const VALUE *)(void *)j->sums + (part - 1) * j->args->out_channels * j->k;
    for (int64_t i = begin; i < end; i++) total[i] += sums[i];
  }
}

static void TYPED(add_bias)(const job *j) {
  const int64_t channels = j->args->out_channels;
  VALUE *bias = cpu_at(&j->args->bias);
  for (int64_t o = 0; o < channels; o++) {
    double sum = 0;
    for (int64_t part = 0; part < j->parts; part++) sum += j->bias_sums[part * channels + o];
    bias[o] = (VALUE)sum;
  }
}

#undef VALUE
#undef GEMM
#undef TYPED
