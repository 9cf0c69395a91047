// What kernels over the scores of attention have in common: the job, which keys a query sees, what
// is added to scores and multiplied to probabilities. In front of this text: T, MASKED, DROPPED,
// WIDE (T is double).
#include "philox.cl"

typedef struct attention {
  long batch, heads, kv_heads, q_length, k_length;
  long mask_first, mask_stride[4];
  ulong seed, offset;
  int causal;
} attention;

// How many keys query i sees.
inline long keys_seen(const attention *a, long i) {
  if (!a->causal) return a->k_length;
  return clamp(i + a->k_length - a->q_length + 1, 0l, a->k_length);
}

inline T keep_of(const attention *a, T rate, long head, long i, long j) {
  if (!DROPPED) return 1;
  const ulong e = (ulong)((head * a->q_length + i) * a->k_length + j);
#if WIDE
  const uint4 w = philox(a->seed, a->offset + e / 2);
  const T u = e % 2 ? wide_unit(w.z, w.w) : wide_unit(w.x, w.y);
#else
  const uint4 w = philox(a->seed, a->offset + e / 4);
  const uint word = e % 4 == 0 ? w.x : e % 4 == 1 ? w.y : e % 4 == 2 ? w.z : w.w;
  const T u = narrow_unit(word);
#endif
  return u < rate || rate >= 1 ? 0 : 1 / (1 - rate);
}

inline T mask_of(const attention *a, __global const T *mask, long head, long i, long j) {
  if (!MASKED) return 0;
  return mask[a->mask_first + head / a->heads * a->mask_stride[0] +
              head % a->heads * a->mask_stride[1] + i * a->mask_stride[2] + j * a->mask_stride[3]];
}

// The head of the keys and values that `head` looks at.
#define KV_HEAD(a, head) \
  ((head) / (a).heads * (a).kv_heads + (head) % (a).heads * (a).kv_heads / (a).heads)
