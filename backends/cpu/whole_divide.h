/* Division rounded towards minus infinity and its remainder for the integer type T. Dividing by 0
 * gives 0; dividing by -1 wraps around, where the processor's instruction would trap. */

CPU_INLINE T whole_divide(T a, T b) {
  if (b == 0) return 0;
  if (b == (T)-1 && (T)-1 < (T)1) return (T)-a;
  return (T)(a / b - (a % b != 0 && (a % b < 0) != (b < 0)));
}

CPU_INLINE T whole_mod(T a, T b) {
  if (b == 0 || (b == (T)-1 && (T)-1 < (T)1)) return 0;
  const T remainder = (T)(a % b);
  return (T)(remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder);
}
