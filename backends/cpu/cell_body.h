/* Recurrent cells for one type: included by cell.c with VALUE, TYPED(name), EXP, TANH. */

CPU_INLINE VALUE TYPED(logistic)(VALUE x) { return 1 / (1 + EXP(-x)); }

/* What one row of a step reads and writes; NULL where the cell or the caller has none. */
typedef struct TYPED(row) {
  int64_t size;
  const VALUE *x, *h_part, *h_prev, *c_prev; /* gates' input part, state part */
  VALUE *h, *c, *saved;
  const VALUE *grad_h, *grad_out, *grad_c;
  VALUE *grad_x, *grad_h_part, *grad_h_prev, *grad_c_prev;
} TYPED(row);
#define ROW TYPED(row)

static VALUE *TYPED(at)(const sel_operand *operand, int64_t elements) {
  return operand->data ? (VALUE *)cpu_at(operand) + elements : NULL;
}

static ROW TYPED(open_row)(const sel_cell_args *args, int64_t r) {
  const int64_t state = r * args->size, gates = state * sel_cell_gates(args->kind);
  return (ROW){.size = args->size,
               .x = TYPED(at)(&args->gates_x, gates),
               .h_part = TYPED(at)(&args->gates_h, gates),
               .h_prev = TYPED(at)(&args->h_prev, state),
               .c_prev = TYPED(at)(&args->c_prev, state),
               .h = TYPED(at)(&args->h, state),
               .c = TYPED(at)(&args->c, state),
               .saved = TYPED(at)(&args->saved, 4 * state),
               .grad_h = TYPED(at)(&args->grad_h, state),
               .grad_out = TYPED(at)(&args->grad_out, state),
               .grad_c = TYPED(at)(&args->grad_c, state),
               .grad_x = TYPED(at)(&args->grad_gates_x, gates),
               .grad_h_part = TYPED(at)(&args->grad_gates_h, gates),
               .grad_h_prev = TYPED(at)(&args->grad_h_prev, state),
               .grad_c_prev = TYPED(at)(&args->grad_c_prev, state)};
}

/* The gradient of h, element j. */
CPU_INLINE VALUE TYPED(grad_of_h)(const ROW *r, int64_t j) {
  return (r->grad_h ? r->grad_h[j] : 0) + (r->grad_out ? r->grad_out[j] : 0);
}

/* ---- tanh, relu: h = f(x + state part) ---- */

static void TYPED(forward_plain)(const ROW *given, bool relu) {
  const ROW r = *given;
  if (relu) {
#pragma omp simd
    for (int64_t j = 0; j < r.size; j++) {
      const VALUE a = r.x[j] + r.h_part[j];
      r.h[j] = a < 0 ? 0 : a;
    }
  } else {
#pragma omp simd
    for (int64_t j = 0; j < r.size; j++) r.h[j] = TANH(r.x[j] + r.h_part[j]);
  }
}

static void TYPED(backward_plain)(const ROW *given, bool relu) {
  const ROW r = *given;
  if (relu) {
#pragma omp simd
    for (int64_t j = 0; j < r.size; j++) r.grad_x[j] = r.h[j] > 0 ? TYPED(grad_of_h)(&r, j) : 0;
  } else {
#pragma omp simd
    for (int64_t j = 0; j < r.size; j++)
      r.grad_x[j] = TYPED(grad_of_h)(&r, j) * (1 - r.h[j] * r.h[j]);
  }
  if (r.grad_h_prev) memset(r.grad_h_prev, 0, (size_t)r.size * sizeof(VALUE));
}

/* ---- LSTM: c = f c_prev + i g, h = o tanh(c); f, i, o logistic, g tanh ---- */

CPU_INLINE void TYPED(lstm_values)(const ROW r, bool save) {
  const int64_t n = r.size;
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    const VALUE i = TYPED(logistic)(r.x[j] + r.h_part[j]);
    const VALUE f = TYPED(logistic)(r.x[n + j] + r.h_part[n + j]);
    const VALUE g = TANH(r.x[2 * n + j] + r.h_part[2 * n + j]);
    const VALUE o = TYPED(logistic)(r.x[3 * n + j] + r.h_part[3 * n + j]);
    const VALUE c = f * r.c_prev[j] + i * g;
    r.c[j] = c;
    r.h[j] = o * TANH(c);
    if (save) {
      r.saved[j] = i;
      r.saved[n + j] = f;
      r.saved[2 * n + j] = g;
      r.saved[3 * n + j] = o;
    }
  }
}

static void TYPED(forward_lstm)(const ROW *r) {
  if (r->saved)
    TYPED(lstm_values)(*r, true);
  else
    TYPED(lstm_values)(*r, false);
}

CPU_INLINE void TYPED(lstm_gradients)(const ROW r, bool has_h, bool has_out, bool has_c) {
  const int64_t n = r.size;
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    const VALUE i = r.saved[j], f = r.saved[n + j], g = r.saved[2 * n + j], o = r.saved[3 * n + j];
    const VALUE dh = (has_h ? r.grad_h[j] : 0) + (has_out ? r.grad_out[j] : 0);
    const VALUE t = TANH(r.c[j]);
    const VALUE dc = (has_c ? r.grad_c[j] : 0) + dh * o * (1 - t * t);
    r.grad_x[j] = dc * g * i * (1 - i);
    r.grad_x[n + j] = dc * r.c_prev[j] * f * (1 - f);
    r.grad_x[2 * n + j] = dc * i * (1 - g * g);
    r.grad_x[3 * n + j] = dh * t * o * (1 - o);
    r.grad_c_prev[j] = dc * f;
  }
}

static void TYPED(backward_lstm)(const ROW *r) {
  if (r->grad_h && r->grad_out && r->grad_c)
    TYPED(lstm_gradients)(*r, true, true, true); /* all steps but the last */
  else
    TYPED(lstm_gradients)(*r, r->grad_h != NULL, r->grad_out != NULL, r->grad_c != NULL);
  if (r->grad_h_prev) memset(r->grad_h_prev, 0, (size_t)r->size * sizeof(VALUE));
}

/* ---- GRU: n = tanh(x_n + r state_n), h = (1 - z) n + z h_prev ---- */

CPU_INLINE void TYPED(gru_values)(const ROW r, bool save) {
  const int64_t n = r.size;
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    const VALUE reset = TYPED(logistic)(r.x[j] + r.h_part[j]);
    const VALUE z = TYPED(logistic)(r.x[n + j] + r.h_part[n + j]);
    const VALUE state = r.h_part[2 * n + j];
    const VALUE fresh = TANH(r.x[2 * n + j] + reset * state);
    r.h[j] = fresh + z * (r.h_prev[j] - fresh);
    if (save) {
      r.saved[j] = reset;
      r.saved[n + j] = z;
      r.saved[2 * n + j] = fresh;
      r.saved[3 * n + j] = state;
    }
  }
}

static void TYPED(forward_gru)(const ROW *r) {
  if (r->saved)
    TYPED(gru_values)(*r, true);
  else
    TYPED(gru_values)(*r, false);
}

static void TYPED(backward_gru)(const ROW *given) {
  const ROW r = *given;
  const int64_t n = r.size;
#pragma omp simd
  for (int64_t j = 0; j < n; j++) {
    const VALUE reset = r.saved[j], z = r.saved[n + j], fresh = r.saved[2 * n + j];
    const VALUE dh = TYPED(grad_of_h)(&r, j);
    const VALUE dn = dh * (1 - z) * (1 - fresh * fresh);
    const VALUE dz = dh * (r.h_prev[j] - fresh) * z * (1 - z);
    const VALUE dr = dn * r.saved[3 * n + j] * reset * (1 - reset);
    r.grad_x[j] = r.grad_h_part[j] = dr;
    r.grad_x[n + j] = r.grad_h_part[n + j] = dz;
    r.grad_x[2 * n + j] = dn;
    r.grad_h_part[2 * n + j] = dn * reset;
    r.grad_h_prev[j] = dh * z;
  }
}

/* ---- rows that keep their state ---- */

static void TYPED(keep)(const ROW *r) {
  const size_t bytes = (size_t)r->size * sizeof(VALUE);
  memmove(r->h, r->h_prev, bytes);
  if (r->c) memmove(r->c, r->c_prev, bytes);
}

static void TYPED(pass)(const ROW *r, int gates) {
  const size_t bytes = (size_t)r->size * sizeof(VALUE);
  for (int64_t j = 0; j < r->size; j++) r->grad_h_prev[j] = TYPED(grad_of_h)(r, j);
  memset(r->grad_x, 0, (size_t)gates * bytes);
  if (r->grad_h_part) memset(r->grad_h_part, 0, (size_t)gates * bytes);
  if (!r->grad_c_prev) return;
  if (r->grad_c)
    memmove(r->grad_c_prev, r->grad_c, bytes);
  else
    memset(r->grad_c_prev, 0, bytes);
}

/* ---- all rows ---- */

static bool TYPED(masked)(const sel_cell_args *args, int64_t r) {
  return args->mask.data && !((const uint8_t *)cpu_at(&args->mask))[r];
}

static void TYPED(forward_rows)(const void *context, int64_t begin, int64_t end) {
  const sel_cell_args *args = context;
  for (int64_t i = begin; i < end; i++) {
    const ROW r = TYPED(open_row)(args, i);
    if (TYPED(masked)(args, i))
      TYPED(keep)(&r);
    else if (args->kind == SEL_CELL_LSTM)
      TYPED(forward_lstm)(&r);
    else if (args->kind == SEL_CELL_GRU)
      TYPED(forward_gru)(&r);
    else
      TYPED(forward_plain)(&r, args->kind == SEL_CELL_RELU);
  }
}

static void TYPED(backward_rows)(const void *context, int64_t begin, int64_t end) {
  const sel_cell_args *args = context;
  for (int64_t i = begin; i < end; i++) {
    const ROW r = TYPED(open_row)(args, i);
    if (TYPED(masked)(args, i))
      TYPED(pass)(&r, sel_cell_gates(args->kind));
    else if (args->kind == SEL_CELL_LSTM)
      TYPED(backward_lstm)(&r);
    else if (args->kind == SEL_CELL_GRU)
      TYPED(backward_gru)(&r);
    else
      TYPED(backward_plain)(&r, args->kind == SEL_CELL_RELU);
  }
}

#undef ROW
#undef VALUE
#undef TYPED
#undef EXP
#undef TANH
