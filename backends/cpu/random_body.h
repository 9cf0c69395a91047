/* Draws that are the same in each type: included by random.c with VALUE and TYPED(name). */

/* low + u (high - low), each step rounded in the element's type; low where that gives high. */
static void TYPED(uniform)(const sel_random_args *args, const void *units, int64_t first,
                           int64_t n) {
  const VALUE low = (VALUE)args->p0, high = (VALUE)args->p1, range = high - low;
  const VALUE *u = units;
  VALUE *out = OUT(VALUE);
  for (int64_t i = 0; i < n; i++) {
    const VALUE x = low + u[i] * range;
    out[i] = x < high ? x : low;
  }
}

/* One word an element in both types: f32 and f64 get the same draw. */
static void TYPED(bernoulli)(const sel_random_args *args, const void *units, int64_t first,
                             int64_t n) {
  const float p = (float)args->p0;
  const float *u = units;
  VALUE *out = OUT(VALUE);
  for (int64_t i = 0; i < n; i++) out[i] = u[i] < p ? 1 : 0;
}

static void TYPED(dropout)(const sel_random_args *args, const void *units, int64_t first,
                           int64_t n) {
  const VALUE p = (VALUE)args->p0, scale = (VALUE)args->p1;
  const VALUE *u = units, *x = (const VALUE *)cpu_at(&args->x) + first;
  VALUE *out = OUT(VALUE);
  for (int64_t i = 0; i < n; i++) out[i] = u[i] < p ? 0 : x[i] * scale;
}

#undef VALUE
#undef TYPED
