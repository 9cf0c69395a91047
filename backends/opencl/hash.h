/* FNV-1a, 64 bits (Fowler, Noll, Vo): names of programs and of their files. */
#ifndef OPENCL_HASH_H
#define OPENCL_HASH_H

#include <stddef.h>
#include <stdint.h>

#define OPENCL_HASH_START UINT64_C(0xcbf29ce484222325)

/* Goes on from `start`, so that parts hash as their whole. */
static inline uint64_t opencl_hash(uint64_t start, const void *bytes, size_t size) {
  const unsigned char *byte = bytes;
  for (size_t i = 0; i < size; i++) start = (start ^ byte[i]) * UINT64_C(0x100000001b3);
  return start;
}

#endif
