/* The thread's random generator: a seed and how many counters were used. Draws are made by the
 * backends' random kernels (random.c); here are the state and the host's own choices. */
#include "core.h"
#include "philox.h"
#include "selenite/tensor.h"

/* A fixed default, so that a script without manual_seed repeats itself. */
static _Thread_local sel_generator generator = {.seed = 5489, .offset = 0};

void sel_manual_seed(uint64_t seed) { generator = (sel_generator){.seed = seed, .offset = 0}; }
void sel_generator_get(sel_generator *out) { *out = generator; }
void sel_generator_set(const sel_generator *state) { generator = *state; }

void sel__philox(uint64_t seed, uint64_t counter, uint32_t words[4]) {
  uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32), c2 = 0, c3 = 0;
  uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

uint64_t sel__philox_below(uint64_t seed, uint64_t *counter, uint64_t n) {
  uint64_t limit = UINT64_MAX - UINT64_MAX % n; /* values from here on would favour small results */
  for (;;) {
    uint32_t words[4];
    sel__philox(seed, (*counter)++, words);
    for (int i = 0; i < 4; i += 2) {
      uint64_t value = (uint64_t)words[i + 1] << 32 | words[i];
      if (value < limit) return value % n;
    }
  }
}

void sel__philox_shuffle(uint64_t seed, uint64_t *counter, int64_t n, int64_t *order) {
  for (int64_t i = 0; i < n; i++) order[i] = i;
  for (int64_t i = n - 1; i > 0; i--) {
    int64_t j = (int64_t)sel__philox_below(seed, counter, (uint64_t)i + 1);
    int64_t swap = order[i];
    order[i] = order[j];
    order[j] = swap;
  }
}

uint64_t sel_random_below(uint64_t n) {
  return n ? sel__philox_below(generator.seed, &generator.offset, n) : 0;
}
