/* Philox4x32-10 on the host, for choices made there; kernels have their own. See tensor.h. */
#ifndef SEL_PHILOX_H
#define SEL_PHILOX_H

#include <stdint.h>

/* The four words of counter (low, high, 0, 0) under key `seed`. */
void sel__philox(uint64_t seed, uint64_t counter, uint32_t words[4]);

/* A uniform integer in [0, n), n > 0, without bias; advances *counter by one or more. */
uint64_t sel__philox_below(uint64_t seed, uint64_t *counter, uint64_t n);

/* A random order of 0...n-1 (Fisher-Yates) from counters 0, 1, ... of `seed` on; advances *counter.
 */
void sel__philox_shuffle(uint64_t seed, uint64_t *counter, int64_t n, int64_t *order);

#endif
