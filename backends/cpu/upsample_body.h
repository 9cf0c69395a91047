/* Resampling for one type: included by upsample.c with VALUE, TYPED(name). */

static void TYPED(nearest_row)(const look *columns, int64_t n, const VALUE *x, VALUE *y) {
  for (int64_t o = 0; o < n; o++) y[o] = x[columns[o].low];
}

static void TYPED(nearest_row_back)(const look *columns, int64_t n, VALUE *x, const VALUE *y) {
  for (int64_t o = 0; o < n; o++) x[columns[o].low] += y[o];
}

/* Adds to y what it sees of the row x, which counts `share`. */
static void TYPED(linear_row)(const look *columns, int64_t n, VALUE share, const VALUE *x,
                              VALUE *y) {
  for (int64_t o = 0; o < n; o++) {
    const VALUE t = (VALUE)columns[o].t;
    y[o] += share * ((1 - t) * x[columns[o].low] + t * x[columns[o].high]);
  }
}

static void TYPED(linear_row_back)(const look *columns, int64_t n, VALUE share, VALUE *x,
                                   const VALUE *y) {
  for (int64_t o = 0; o < n; o++) {
    const VALUE t = (VALUE)columns[o].t;
    x[columns[o].low] += share * (1 - t) * y[o];
    x[columns[o].high] += share * t * y[o];
  }
}

/* One row of the output, from or to the rows it looks at. */
static void TYPED(row)(const job *j, const look *a, const look *b, VALUE *x, VALUE *y) {
  const sel_upsample_args *args = j->args;
  const int64_t n = j->out[2];
  if (args->mode == SEL_UPSAMPLE_NEAREST) {
    VALUE *from = x + (a->low * j->in[1] + b->low) * j->in[2];
    if (args->backward)
      TYPED(nearest_row_back)(j->looks[2], n, from, y);
    else
      TYPED(nearest_row)(j->looks[2], n, from, y);
    return;
  }
  if (!args->backward) memset(y, 0, (size_t)n * sizeof *y);
  for (int corner = 0; corner < 4; corner++) {
    const bool far = corner & 2, low = corner & 1;
    const VALUE share = (VALUE)((far ? a->t : 1 - a->t) * (low ? b->t : 1 - b->t));
    if (share == 0) continue;
    VALUE *from = x + ((far ? a->high : a->low) * j->in[1] + (low ? b->high : b->low)) * j->in[2];
    if (args->backward)
      TYPED(linear_row_back)(j->looks[2], n, share, from, y);
    else
      TYPED(linear_row)(j->looks[2], n, share, from, y);
  }
}

static void TYPED(planes)(const void *context, int64_t begin, int64_t end) {
  const job *j = context;
  for (int64_t p = begin; p < end; p++) {
    VALUE *x = (VALUE *)cpu_at(&j->args->x) + p * j->in_size;
    VALUE *y = (VALUE *)cpu_at(&j->args->y) + p * j->out_size;
    if (j->args->backward) memset(x, 0, (size_t)j->in_size * sizeof *x);
    for (int64_t o0 = 0; o0 < j->out[0]; o0++)
      for (int64_t o1 = 0; o1 < j->out[1]; o1++, y += j->out[2])
        TYPED(row)(j, &j->looks[0][o0], &j->looks[1][o1], x, y);
  }
}

#undef VALUE
#undef TYPED
