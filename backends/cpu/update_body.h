/* Update rules of one type: included by update.c with T, TYPED(name), SQRT. */

#define K(x) ((T)(x))

/* What a rule sees of one element; state it does not have is 0. */
typedef struct TYPED(element) {
  T p, g, m, v, w;
} TYPED(element);
#define ELEMENT TYPED(element)

typedef ELEMENT TYPED(statements)(ELEMENT e, const T *s);

CPU_INLINE void TYPED(loop)(int states, int64_t n, T *p, const T *g, void *const *state,
                            const double *scalar, TYPED(statements) * apply) {
  T s[SEL_MAX_SCALARS], *m = state[0], *v = state[1], *w = state[2];
  for (int i = 0; i < SEL_MAX_SCALARS; i++) s[i] = (T)scalar[i];
#pragma omp simd
  for (int64_t i = 0; i < n; i++) {
    const T mi = states > 0 ? m[i] : 0, vi = states > 1 ? v[i] : 0, wi = states > 2 ? w[i] : 0;
    const ELEMENT e = apply((ELEMENT){p[i], g[i], mi, vi, wi}, s);
    p[i] = e.p;
    if (states > 0) m[i] = e.m;
    if (states > 1) v[i] = e.v;
    if (states > 2) w[i] = e.w;
  }
}

#define RULE(name, states, ...)                                                          \
  CPU_INLINE ELEMENT TYPED(step_##name)(ELEMENT e, const T *s) {                         \
    const T s0 = s[0], s1 = s[1], s2 = s[2], s3 = s[3], s4 = s[4], s5 = s[5], s6 = s[6], \
            s7 = s[7];                                                                   \
    (void)s0, (void)s1, (void)s2, (void)s3, (void)s4, (void)s5, (void)s6, (void)s7;      \
    T p = e.p, g = e.g, m = e.m, v = e.v, w = e.w;                                       \
    __VA_ARGS__                                                                          \
    return (ELEMENT){p, g, m, v, w};                                                     \
  }                                                                                      \
  static void TYPED(rule_##name)(int64_t n, void *p, const void *g, void *const *state,  \
                                 const double *scalar) {                                 \
    TYPED(loop)(states, n, p, g, state, scalar, TYPED(step_##name));                     \
  }
SEL_UPDATES(RULE)

#define ENTRY(name, states, ...) [SEL_UPDATE_##name] = TYPED(rule_##name),
static rule *const TYPED(rules)[SEL_UPDATE_COUNT] = {SEL_UPDATES(ENTRY)};

#undef ELEMENT
#undef ENTRY
#undef RULE
#undef SQRT
#undef K
#undef T
#undef TYPED
