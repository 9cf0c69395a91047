// EXP for elements of type T. On the host's own cores that of float is the CPU backend's: without
// branches, compilers make vector code of loops over it, and with fused multiply-add it is faster
// than what drivers bring. After Norbert Juffa (published for free use). In front of this text:
// HOST.

inline float exp_on_host(float x) {
  x = x > 89.0f ? 89.0f : x < -104.0f ? -104.0f : x; // infinity and 0 from there on; NaN stays
  const float shifted = x * 1.44269502f + 0x1.8p23f, whole = shifted - 0x1.8p23f;
  const int n = as_int(shifted) - as_int(0x1.8p23f);
  const float f = (x - whole * 0x1.62e400p-1f) - whole * 0x1.7f7d1cp-20f;
  float r = 1.37805939e-3f;
  r = r * f + 8.37312452e-3f;
  r = r * f + 4.16695364e-2f;
  r = r * f + 1.66664720e-1f;
  r = r * f + 4.99999851e-1f;
  const int half_n = n >> 1; // two steps, so that overflow and subnormals come out right
  return (r * f * f + f + 1.0f) * as_float((half_n + 127) << 23) *
         as_float((n - half_n + 127) << 23);
}

#if HOST
#define EXP(x) (sizeof(T) == 4 ? (T)exp_on_host((float)(x)) : exp((T)(x)))
#else
#define EXP(x) exp((T)(x))
#endif
