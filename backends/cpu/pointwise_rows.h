/* Loops of all rows for one compute type. The including file defines the type T (a typedef: T is
 * also a kind in the list), the functions rows use, CPU_FLOATS (1 when T is a float type) and
 * CPU_ROWS (the table's name). */

typedef T expression(T a, T b, T c, T s0, T s1);

CPU_INLINE void unary(int64_t n, const T *a, T *out, const T *s, expression *f) {
  const T s0 = s[0], s1 = s[1];
#pragma omp simd
  for (int64_t i = 0; i < n; i++) out[i] = f(a[i], 0, 0, s0, s1);
}

CPU_INLINE void binary(int64_t n, const T *a, const T *b, T *out, const T *s, expression *f) {
  const T s0 = s[0], s1 = s[1];
#pragma omp simd
  for (int64_t i = 0; i < n; i++) out[i] = f(a[i], b[i], 0, s0, s1);
}

CPU_INLINE void ternary(int64_t n, const T *a, const T *b, const T *c, T *out, const T *s,
                        expression *f) {
  const T s0 = s[0], s1 = s[1];
#pragma omp simd
  for (int64_t i = 0; i < n; i++) out[i] = f(a[i], b[i], c[i], s0, s1);
}

#define LOOP_U(f) unary(n, a, out, s, f)
#define LOOP_U1(f) LOOP_U(f)
#define LOOP_U2(f) LOOP_U(f)
#define LOOP_B(f) binary(n, a, b, out, s, f)
#define LOOP_B1(f) LOOP_B(f)
#define LOOP_GB(f) LOOP_B(f)
#define LOOP_GB1(f) LOOP_B(f)
#define LOOP_GB2(f) LOOP_B(f)
#define LOOP_T(f) ternary(n, a, b, c, out, s, f)
#define LOOP_T1(f) LOOP_T(f)
#define LOOP_GT(f) LOOP_T(f)
#define LOOP_GT1(f) LOOP_T(f)

#define ROW(kind, name, ...)                                                                \
  CPU_INLINE T value_##name(T a, T b, T c, T s0, T s1) {                                    \
    (void)a, (void)b, (void)c, (void)s0, (void)s1;                                          \
    return (T)(__VA_ARGS__);                                                                \
  }                                                                                         \
  static void row_##name(int64_t n, const void *a, const void *b, const void *c, void *out, \
                         const void *s) {                                                   \
    (void)a, (void)b, (void)c;                                                              \
    LOOP_##kind(value_##name);                                                              \
  }
#define ENTRY(name) [SEL_PW_##name] = row_##name,

#define ROW_N(...) ROW(__VA_ARGS__)
#define ROW_A(...) ROW(__VA_ARGS__)
#define ROW_W(...) ROW(__VA_ARGS__)
#define ROW_C(...) ROW(__VA_ARGS__)
#define ENTRY_N(name) ENTRY(name)
#define ENTRY_A(name) ENTRY(name)
#define ENTRY_W(name) ENTRY(name)
#define ENTRY_C(name) ENTRY(name)
#if CPU_FLOATS
#define ROW_F(...) ROW(__VA_ARGS__)
#define ROW_P(...) ROW(__VA_ARGS__)
#define ENTRY_F(name) ENTRY(name)
#define ENTRY_P(name) ENTRY(name)
#else
#define ROW_F(...)
#define ROW_P(...)
#define ENTRY_F(name)
#define ENTRY_P(name)
#endif

#define DEFINE(kind, name, types, ...) ROW_##types(kind, name, __VA_ARGS__)
SEL_POINTWISE(DEFINE)

#define LIST(kind, name, types, ...) ENTRY_##types(name)
cpu_row *const CPU_ROWS[SEL_PW_COUNT] = {SEL_POINTWISE(LIST)};
