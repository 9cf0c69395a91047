// Philox4x32-10 (Salmon et al. 2011): four random words are a pure function of key and counter,
// whose upper half is 0 here. sel_random_args says which words make which element.
inline uint4 philox(ulong key, ulong counter) {
  uint k0 = (uint)key, k1 = (uint)(key >> 32);
  uint4 c = (uint4)((uint)counter, (uint)(counter >> 32), 0, 0);
  for (int round = 0; round < 10; round++) {
    const uint high0 = mul_hi(c.x, 0xD2511F53u), low0 = c.x * 0xD2511F53u;
    const uint high1 = mul_hi(c.z, 0xCD9E8D57u), low1 = c.z * 0xCD9E8D57u;
    c = (uint4)(high1 ^ c.y ^ k0, low1, high0 ^ c.w ^ k1, low0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return c;
}

// Uniform in [0, 1) in steps of 2^-24, and of 2^-53.
inline float narrow_unit(uint word) { return (float)(int)(word >> 8) * 0x1p-24f; }
#ifdef HAS_F64
inline double wide_unit(uint w0, uint w1) {
  return ((double)(int)(w0 >> 5) * 0x1p26 + (double)(int)(w1 >> 6)) * 0x1p-53;
}
#endif
