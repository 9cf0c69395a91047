/* Stores that go past the caches, for results too large to be found there again.
 *
 * An ordinary store first reads the line that it will overwrite; a streaming one doesn't, which
 * saves a third of a large result's traffic. Processors other than x86 notice by themselves when
 * whole lines are written in order, so that there a plain copy is enough.
 */
#ifndef CPU_STREAM_H
#define CPU_STREAM_H

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Results of more bytes than this together are streamed: most last-level caches hold less. */
enum { CPU_STREAM_BYTES = 32 << 20 };

/* Copies a tile that lies in the first-level cache. cpu_stream_end must follow before another
 * thread may read. */
static inline void cpu_stream(void *to, const void *from, int64_t bytes) {
#ifdef __SSE2__
  enum { LINE = 64, PART = 16 };
  char *destination = to;
  const char *source = from;
  const int64_t lines = (uintptr_t)to % PART ? 0 : bytes / LINE * LINE;
  for (int64_t i = 0; i < lines; i += LINE)
    for (int part = 0; part < LINE; part += PART)
      _mm_stream_si128((__m128i *)(destination + i + part),
                       _mm_loadu_si128((const __m128i *)(source + i + part)));
  memcpy(destination + lines, source + lines, (size_t)(bytes - lines));
#else
  memcpy(to, from, (size_t)bytes);
#endif
}

static inline void cpu_stream_end(void) {
#ifdef __SSE2__
  _mm_sfence();
#endif
}

#endif
