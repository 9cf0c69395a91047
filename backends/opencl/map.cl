// An expression applied to each element of up to three operands. In front of this text stand
//
//   T             the type to compute in                  IN_FLOATS   1 where T is a float type
//   EXPRESSION    in a, b, c and the parameters s0, s1    INPUTS      how many of a, b, c there are
//   A, B, C, OUT  the dtypes the operands are stored as   NUMBERS     bit k: operand k is a number
//   HOST          1 on the host's own cores               SPAN        elements of a work-item there
//   STILL         bit k: operand k stands still along rows, there
//
// Rows run along the work-items of dim 0, and are counted along dim 1.

#define K(x) ((T)(x))

#if IN_FLOATS
#include "exp.cl"
#define EXPM1 expm1
#define LOG log
#define LOG1P log1p
#define LOG2 log2
#define LOG10 log10
#define TANH tanh_of
#define ERF erf_of
#define SIN sin
#define COS cos
#define TAN tan
#define ASIN asin
#define ACOS acos
#define ATAN atan
#define ATAN2 atan2
#define SINH sinh
#define COSH cosh
#define POW pow
#define SQRT sqrt
#define RSQRT(x) (K(1) / sqrt(x))
#define FLOOR floor
#define CEIL ceil
#define RINT rint
#define TRUNC trunc
#define FABS fabs
#define FLOOR_DIV floor_divide
#define FLOOR_MOD floor_mod

// In float the CPU backend's functions, whose limits are exact, as gradients need them; the
// drivers' tanh need not reach 1. erf is Norbert Juffa's (published for free use), tanh from Cephes.
inline T tanh_of(T x) {
  if (sizeof(T) == 8) return tanh(x);
  const T t = fabs(x), s = x * x;
  T r = K(-5.70498872745e-3f);
  r = r * s + K(2.06390887954e-2f);
  r = r * s + K(-5.37397155531e-2f);
  r = r * s + K(1.33314422036e-1f);
  r = r * s + K(-3.33332819422e-1f);
  const T near = r * s * x + x, far = K(1) - K(2) / (EXP(t + t) + K(1));
  return t < K(0.625f) ? near : copysign(far, x);
}

inline T erf_of(T x) {
  if (sizeof(T) == 8) return erf(x);
  const T t = fabs(x), s = x * x;
  T near = K(-5.96761703e-4f);
  near = near * s + K(4.99119423e-3f);
  near = near * s + K(-2.67681349e-2f);
  near = near * s + K(1.12819925e-1f);
  near = near * s + K(-3.76125336e-1f);
  near = near * s + K(1.28379166e-1f);
  near = near * x + x;
  const T b = t > K(4) ? K(4) : t, c = b * b; // 1 from 3.92 on; NaN stays
  T r = K(-1.72853470e-5f) * b + K(3.83197126e-4f);
  const T u = K(-3.88396438e-3f) * b + K(2.42546219e-2f);
  r = r * c + u;
  r = r * b + K(-1.06777877e-1f);
  r = r * b + K(-6.34846687e-1f);
  r = r * b + K(-1.28717512e-1f);
  return t > K(0.927734375f) ? copysign(K(1) - EXP(r * b - b), x) : near;
}

// Rounded towards minus infinity: exact, because fmod is. Dividing by 0 gives what a / b gives.
inline T floor_divide(T a, T b) {
  const T remainder = fmod(a, b);
  const T quotient = (a - remainder) / b - (T)(remainder != 0 && (remainder < 0) != (b < 0));
  const T whole = rint(quotient);
  return b == 0 ? a / b : whole == 0 ? 0 * (a / b) : whole;
}

inline T floor_mod(T a, T b) {
  const T remainder = fmod(a, b);
  return (remainder != 0 && (remainder < 0) != (b < 0)) ? remainder + b : remainder;
}
#else
#define FLOOR_DIV whole_divide
#define FLOOR_MOD whole_mod

// Dividing by 0 gives 0; dividing by -1 wraps around, where a processor's instruction would trap.
inline T whole_divide(T a, T b) {
  if (b == 0) return 0;
  if ((b == (T)-1) & ((T)-1 < (T)1)) return (T)(0 - a);
  return (T)(a / b - (a % b != 0 && (a % b < 0) != (b < 0)));
}

inline T whole_mod(T a, T b) {
  if (b == 0 || ((b == (T)-1) & ((T)-1 < (T)1))) return 0;
  const T remainder = (T)(a % b);
  return (T)(remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder);
}
#endif

inline T value(T a, T b, T c, T s0, T s1) { return (T)(EXPRESSION); }

// The element of operand k at `i`: from memory, the number it is, or nothing.
#define ELEMENT(k, dtype, memory, number, i) \
  ((NUMBERS >> k & 1) || k >= INPUTS ? (number) : LOAD(dtype, (memory)[i]))

#define PARAMETERS                                                                              \
  T s0, T s1, T number_a, T number_b, T number_c, __global const STORED(A) *a, long a_first,    \
      __global const STORED(B) *b, long b_first, __global const STORED(C) *c, long c_first,     \
      __global STORED(OUT) *out, long out_first

#define APPLY(at_a, at_b, at_c, at_out)                               \
  out[out_first + (at_out)] =                                         \
      STORE(OUT, value(ELEMENT(0, A, a, number_a, a_first + (at_a)),  \
                       ELEMENT(1, B, b, number_b, b_first + (at_b)),  \
                       ELEMENT(2, C, c, number_c, c_first + (at_c)), s0, s1))

typedef struct walk {
  long shape[8];
  long stride[4][8]; // of a, b, c, out
  long dims;         // of which the last is a row; the others are counted together
  long rows;
  long each;  // rows of a work-item, where it takes more than an element
  long dense; // 1: steps along a row are as STILL says
} walk;

// Where row `row` begins in each operand.
#define BEGIN_OF_ROW(at, row)                                                        \
  {                                                                                  \
    long rest = row;                                                                 \
    for (int k = 0; k < 4; k++) at[k] = 0;                                           \
    for (int d = (int)w.dims - 2; d >= 0; d--) {                                     \
      const long position = d == 0 ? rest : (long)((ulong)rest % (ulong)w.shape[d]); \
      rest = d == 0 ? 0 : (long)((ulong)rest / (ulong)w.shape[d]);                   \
      for (int k = 0; k < 4; k++) at[k] += position * w.stride[k][d];                \
    }                                                                                \
  }

#if HOST

// On the host's own cores a work-item takes a stretch of SPAN elements, or of some rows, in a loop
// that compilers make vector code of where steps are known: elements may be computed in any order,
// also in place.
#define STEP(k) (STILL >> k & 1 ? 0 : i)

__kernel void map(PARAMETERS, walk w) {
  const int last = (int)w.dims - 1;
  const long begin = get_global_id(0) * SPAN, end = min(begin + SPAN, w.shape[last]);
  const long first = get_global_id(1) * w.each, after = min(first + w.each, w.rows);
  for (long row = first; row < after; row++) {
    long at[4];
    BEGIN_OF_ROW(at, row)
    if (w.dense) {
      _Pragma("clang loop vectorize(assume_safety)")
      for (long i = begin; i < end; i++)
        APPLY(at[0] + STEP(0), at[1] + STEP(1), at[2] + STEP(2), at[3] + i);
    } else {
      _Pragma("clang loop vectorize(disable) unroll(disable)")
      for (long i = begin; i < end; i++)
        APPLY(at[0] + i * w.stride[0][last], at[1] + i * w.stride[1][last],
              at[2] + i * w.stride[2][last], at[3] + i * w.stride[3][last]);
    }
  }
}

#else

__kernel void map(PARAMETERS, walk w) {
  const int last = (int)w.dims - 1;
  const long column = get_global_id(0);
  if (column >= w.shape[last] || (long)get_global_id(1) >= w.rows) return;
  long at[4];
  BEGIN_OF_ROW(at, (long)get_global_id(1))
  for (int k = 0; k < 4; k++) at[k] += column * w.stride[k][last];
  APPLY(at[0], at[1], at[2], at[3]);
}

#endif
