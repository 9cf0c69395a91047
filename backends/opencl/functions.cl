// What the texts of selenite/pointwise.h call. In front of this text: T, the type to compute in;
// IN_FLOATS, 1 where it is a float type; HOST.

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
