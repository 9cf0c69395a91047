/* Pooling for one type: included by pool.c with VALUE, TYPED(name). */

/* ---- max ---- */

/* The first largest element of one window; NaN wins. */
static void TYPED(window_max)(const job *j, const VALUE *x, const range *r, VALUE *value,
                              int64_t *index) {
  const cpu_window *w = &j->window;
  int64_t best = (r[0].first * w->in[1] + r[1].first) * w->in[2] + r[2].first;
  VALUE top = x[best];
  for (int64_t i0 = r[0].first; i0 < r[0].end; i0 += r[0].step)
    for (int64_t i1 = r[1].first; i1 < r[1].end; i1 += r[1].step) {
      const int64_t row = (i0 * w->in[1] + i1) * w->in[2];
      for (int64_t i2 = r[2].first; i2 < r[2].end; i2 += r[2].step) {
        const VALUE v = x[row + i2];
        if (v > top || (v != v && top == top)) top = v, best = row + i2;
      }
    }
  *value = top;
  *index = best;
}

/* `count` elements of x, `step` apart, side by side. */
static void TYPED(gather)(const VALUE *x, int64_t step, int64_t count, VALUE *out) {
  if (step == 1)
    for (int64_t i = 0; i < count; i++) out[i] = x[i];
  else if (step == 2)
    for (int64_t i = 0; i < count; i++) out[i] = x[2 * i];
  else
    for (int64_t i = 0; i < count; i++) out[i] = x[i * step];
}

/* The inner outputs of one row, from the `n` rows of the input that its windows see. The taps of a
 * strip are first laid side by side; then they are compared at full length, whatever lies behind
 * `count`, with numbers of taps in place of indices: compilers make good vector code of that. */
static void TYPED(row_max)(const job *j, const VALUE *x, const int64_t *rows, int64_t n,
                           VALUE *values, int64_t *index) {
  const cpu_window *w = &j->window;
  const int64_t step = w->stride[2];
  VALUE taps[MOST_TAPS][STRIP];
  int64_t offsets[MOST_TAPS];
  int count_taps = 0;
  for (int64_t row = 0; row < n; row++)
    for (int64_t c = 0; c < w->kernel[2]; c++)
      offsets[count_taps++] = rows[row] + c * w->dilation[2];
  for (int t = 0; t < count_taps; t++) memset(taps[t], 0, sizeof taps[t]);
  for (int64_t start = j->inner; start < j->inner_end; start += STRIP) {
    const int64_t left = j->inner_end - start, count = left < STRIP ? left : STRIP;
    const int64_t at = cpu_window_at(w, 2, start, 0);
    for (int t = 0; t < count_taps; t++) TYPED(gather)(x + offsets[t] + at, step, count, taps[t]);
    VALUE top[STRIP];
    int32_t best[STRIP] = {0};
    memcpy(top, taps[0], sizeof top);
    for (int32_t t = 1; t < count_taps; t++)
#pragma omp simd
      for (int i = 0; i < STRIP; i++) {
        const VALUE v = taps[t][i];
        const bool wins = (v > top[i]) | ((v != v) & (top[i] == top[i]));
        top[i] = wins ? v : top[i];
        best[i] = wins ? t : best[i];
      }
    for (int64_t i = 0; i < count; i++) {
      values[start + i] = top[i];
      index[start + i] = offsets[best[i]] + at + i * step;
    }
  }
}

/* `n` outputs of 2x2 windows side by side, from two rows of the input; `at` is where the first
 * window lies in its plane, whose rows are `width` long. */
CPU_INLINE void TYPED(square_max)(const VALUE *x, int64_t at, int64_t width, int n, VALUE *values,
                                  int64_t *index) {
  const VALUE *above = x + at, *below = above + width;
  VALUE taps[4][WIDE], top[WIDE];
  int32_t best[WIDE] = {0};
  for (int i = 0; i < n; i++) {
    taps[0][i] = above[2 * i], taps[1][i] = above[2 * i + 1];
    taps[2][i] = below[2 * i], taps[3][i] = below[2 * i + 1];
  }
  memcpy(top, taps[0], (size_t)n * sizeof *top);
  for (int32_t t = 1; t < 4; t++)
#pragma omp simd
    for (int i = 0; i < n; i++) {
      const VALUE v = taps[t][i];
      const bool wins = (v > top[i]) | ((v != v) & (top[i] == top[i]));
      top[i] = wins ? v : top[i];
      best[i] = wins ? t : best[i];
    }
  memcpy(values, top, (size_t)n * sizeof *top);
  for (int i = 0; i < n; i++) index[i] = at + 2 * i + (best[i] & 1) + (best[i] >> 1) * width;
}

/* A plane of them. The last outputs of a row are taken together even if some were before. */
static void TYPED(max_squares)(const cpu_window *w, const VALUE *x, VALUE *values, int64_t *index) {
  const int64_t count = w->out[2], width = w->in[2], n = count < WIDE ? NARROW : WIDE;
  for (int64_t o0 = 0; o0 < w->out[0]; o0++)
    for (int64_t o1 = 0; o1 < w->out[1]; o1++, values += count, index += count) {
      const int64_t row = (o0 * w->in[1] + 2 * o1) * width;
      for (int64_t start = 0; start < count; start += n) {
        const int64_t o = start < count - n ? start : count - n;
        if (n == WIDE)
          TYPED(square_max)(x, row + 2 * o, width, WIDE, values + o, index + o);
        else
          TYPED(square_max)(x, row + 2 * o, width, NARROW, values + o, index + o);
      }
    }
}

static void TYPED(max_plane)(const job *j, const VALUE *x, VALUE *values, int64_t *index) {
  const cpu_window *w = &j->window;
  int64_t rows[MOST_TAPS];
  for (int64_t o0 = 0; o0 < w->out[0]; o0++)
    for (int64_t o1 = 0; o1 < w->out[1]; o1++, values += w->out[2], index += w->out[2]) {
      range r[3] = {j->ranges[0][o0], j->ranges[1][o1], {0}};
      if (j->inner < j->inner_end)
        TYPED(row_max)(j, x, rows, rows_of(w, &r[0], &r[1], rows), values, index);
      for (int64_t o2 = 0; o2 < w->out[2]; o2++) {
        if (o2 == j->inner && j->inner < j->inner_end) o2 = j->inner_end;
        if (o2 == w->out[2]) break;
        r[2] = j->ranges[2][o2];
        TYPED(window_max)(j, x, r, &values[o2], &index[o2]);
      }
    }
}

static void TYPED(max)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int64_t in = j->window.in_size, out = j->window.out_size;
  for (int64_t p = begin; p < end; p++) {
    const VALUE *x = (const VALUE *)cpu_at(&j->args->x) + p * in;
    VALUE *values = (VALUE *)cpu_at(&j->args->y) + p * out;
    int64_t *index = (int64_t *)cpu_at(&j->args->index) + p * out;
    if (j->squares)
      TYPED(max_squares)(&j->window, x, values, index);
    else
      TYPED(max_plane)(j, x, values, index);
  }
}

static void TYPED(max_grad)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  const int64_t in = j->window.in_size, out = j->window.out_size;
  for (int64_t p = begin; p < end; p++) {
    VALUE *x = (VALUE *)cpu_at(&j->args->x) + p * in;
    const VALUE *y = (const VALUE *)cpu_at(&j->args->y) + p * out;
    const int64_t *index = (const int64_t *)cpu_at(&j->args->index) + p * out;
    memset(x, 0, (size_t)in * sizeof *x);
    for (int64_t i = 0; i < out; i++) x[index[i]] += y[i];
  }
}

/* ---- average ---- */

static VALUE TYPED(window_sum)(const cpu_window *w, const VALUE *x, const range *r) {
  double sum = 0;
  for (int64_t i0 = r[0].first; i0 < r[0].end; i0++)
    for (int64_t i1 = r[1].first; i1 < r[1].end; i1++) {
      const VALUE *row = x + (i0 * w->in[1] + i1) * w->in[2];
#pragma omp simd reduction(+ : sum)
      for (int64_t i2 = r[2].first; i2 < r[2].end; i2++) sum += (double)row[i2];
    }
  return (VALUE)sum;
}

static void TYPED(window_add)(const cpu_window *w, VALUE *x, const range *r, VALUE value) {
  for (int64_t i0 = r[0].first; i0 < r[0].end; i0++)
    for (int64_t i1 = r[1].first; i1 < r[1].end; i1++) {
      VALUE *row = x + (i0 * w->in[1] + i1) * w->in[2];
      for (int64_t i2 = r[2].first; i2 < r[2].end; i2++) row[i2] += value;
    }
}

/* The inner outputs of one row, from `n` rows of the input. */
static void TYPED(row_mean)(const job *j, const VALUE *x, const int64_t *rows, int64_t n,
                            VALUE divisor, VALUE *y) {
  const cpu_window *w = &j->window;
  for (int64_t start = j->inner; start < j->inner_end; start += STRIP) {
    const int64_t left = j->inner_end - start, count = left < STRIP ? left : STRIP;
    const int64_t step = w->stride[2], at = cpu_window_at(w, 2, start, 0);
    VALUE sum[STRIP] = {0};
    for (int64_t row = 0; row < n; row++)
      for (int64_t c = 0; c < w->kernel[2]; c++) {
        const VALUE *from = x + rows[row] + at + c;
        if (step == 1)
          for (int64_t i = 0; i < count; i++) sum[i] += from[i];
        else
          for (int64_t i = 0; i < count; i++) sum[i] += from[i * step];
      }
    for (int64_t i = 0; i < count; i++) y[start + i] = sum[i] / divisor;
  }
}

/* The way back: x receives what y brings. */
static void TYPED(row_mean_back)(const job *j, VALUE *x, const int64_t *rows, int64_t n,
                                 VALUE divisor, const VALUE *y) {
  const cpu_window *w = &j->window;
  for (int64_t start = j->inner; start < j->inner_end; start += STRIP) {
    const int64_t left = j->inner_end - start, count = left < STRIP ? left : STRIP;
    const int64_t step = w->stride[2], at = cpu_window_at(w, 2, start, 0);
    VALUE share[STRIP];
    for (int64_t i = 0; i < count; i++) share[i] = y[start + i] / divisor;
    for (int64_t row = 0; row < n; row++)
      for (int64_t c = 0; c < w->kernel[2]; c++) {
        VALUE *to = x + rows[row] + at + c;
        for (int64_t i = 0; i < count; i++) to[i * step] += share[i];
      }
  }
}

/* Forward writes y, else x receives what y brings. */
static void TYPED(average_plane)(const job *j, VALUE *x, VALUE *y, bool forward) {
  const cpu_window *w = &j->window;
  int64_t rows[MOST_TAPS];
  for (int64_t o0 = 0; o0 < w->out[0]; o0++)
    for (int64_t o1 = 0; o1 < w->out[1]; o1++, y += w->out[2]) {
      range r[3] = {j->ranges[0][o0], j->ranges[1][o1], {0}};
      if (j->inner < j->inner_end) {
        const int64_t n = rows_of(w, &r[0], &r[1], rows);
        const VALUE divisor = (VALUE)divisor_of(j, &r[0], &r[1], &j->ranges[2][j->inner]);
        if (forward)
          TYPED(row_mean)(j, x, rows, n, divisor, y);
        else
          TYPED(row_mean_back)(j, x, rows, n, divisor, y);
      }
      for (int64_t o2 = 0; o2 < w->out[2]; o2++) {
        if (o2 == j->inner && j->inner < j->inner_end) o2 = j->inner_end;
        if (o2 == w->out[2]) break;
        r[2] = j->ranges[2][o2];
        const VALUE divisor = (VALUE)divisor_of(j, &r[0], &r[1], &r[2]);
        if (forward)
          y[o2] = TYPED(window_sum)(w, x, r) / divisor;
        else
          TYPED(window_add)(w, x, r, y[o2] / divisor);
      }
    }
}

static void TYPED(average)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  for (int64_t p = begin; p < end; p++) TYPED(average_plane)
  (j, (VALUE *)cpu_at(&j->args->x) + p * j->window.in_size,
   (VALUE *)cpu_at(&j->args->y) + p * j->window.out_size, true);
}

static void TYPED(average_grad)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  for (int64_t p = begin; p < end; p++) {
    VALUE *x = (VALUE *)cpu_at(&j->args->x) + p * j->window.in_size;
    memset(x, 0, (size_t)j->window.in_size * sizeof *x);
    TYPED(average_plane)(j, x, (VALUE *)cpu_at(&j->args->y) + p * j->window.out_size, false);
  }
}

#undef VALUE
#undef TYPED
