/* Division rounded towards minus infinity and its remainder for the float type T, as Python's //
 * and % (and PyTorch's floor_divide and remainder): exact, because fmod is. */

/* remainder is fmod(a, b); dividing by 0 gives what a / b gives. */
CPU_INLINE T floor_divide(T a, T b, T remainder) {
  const T quotient = (a - remainder) / b - (T)(remainder != 0 && (remainder < 0) != (b < 0));
  const T whole = RINT(quotient); /* a whole number but for rounding */
  return b == 0 ? a / b : whole == 0 ? 0 * (a / b) : whole;
}

/* remainder is fmod(a, b); the result takes the sign of b. */
CPU_INLINE T floor_mod(T b, T remainder) {
  return (remainder != 0 && (remainder < 0) != (b < 0)) ? remainder + b : remainder;
}
