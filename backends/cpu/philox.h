/* Philox4x32-10: a counter-based generator (Salmon et al., "Parallel random numbers: as easy as 1,
 * 2, 3", SC 2011). Four random words are a pure function of a 64-bit key and a 128-bit counter,
 * whose upper half stays 0 here. */
#ifndef CPU_PHILOX_H
#define CPU_PHILOX_H

#include "kernels.h"

typedef struct cpu_words {
  uint32_t w[4];
} cpu_words;

CPU_INLINE cpu_words cpu_philox(uint64_t key, uint64_t counter) {
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32), c2 = 0, c3 = 0;
  for (int round = 0; round < 10; round++) {
    const uint64_t p0 = (uint64_t)c0 * 0xD2511F53u, p1 = (uint64_t)c2 * 0xCD9E8D57u;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return (cpu_words){{c0, c1, c2, c3}};
}

/* Uniform in [0, 1) in steps of 2^-24, and of 2^-53. */
CPU_INLINE float cpu_unit_f32(uint32_t word) { return (float)(int32_t)(word >> 8) * 0x1p-24f; }
CPU_INLINE double cpu_unit_f64(uint32_t w0, uint32_t w1) {
  return ((double)(int32_t)(w0 >> 5) * 0x1p26 + (double)(int32_t)(w1 >> 6)) * 0x1p-53;
}

#endif
