// For kernels that work on lines of numbers, LANES work-items a line: a group each where LANES is
// more than 1. In front of this text: LANES, and SUM, the type sums are carried in.
//
// A work-item adds over WIDTH independent accumulators; where a line is one work-item's alone, as
// on the host's own cores, these are VECTORS vectors of 32 bytes.

// Elements of a loop may be computed in any order.
#define ANY_ORDER _Pragma("clang loop vectorize(assume_safety)")

#if LANES == 1
enum { VECTORS = 4, EACH_VECTOR = 32 / sizeof(SUM), WIDTH = VECTORS * EACH_VECTOR };
#define LINE ((long)get_global_id(0))
#define LANE 0
#define IF_NO_LINE(lines) \
  if (LINE >= (lines)) return
#define SHARED
#define OVER_LANES(value, join)
#else
enum { VECTORS = 1, EACH_VECTOR = 8, WIDTH = 8 };
#define LINE ((long)get_group_id(0))
#define LANE ((long)get_local_id(0))
#define IF_NO_LINE(lines)
#define SHARED __local SUM shared[LANES];
// Combines `value` over the lanes; all have the result then.
#define OVER_LANES(value, join)                                              \
  barrier(CLK_LOCAL_MEM_FENCE);                                                    \
  shared[LANE] = value;                                                            \
  for (int width = LANES / 2; width > 0; width /= 2) {                             \
    barrier(CLK_LOCAL_MEM_FENCE);                                                  \
    if (LANE < width) shared[LANE] = join(shared[LANE], shared[LANE + width]);     \
  }                                                                                \
  barrier(CLK_LOCAL_MEM_FENCE);                                                    \
  value = shared[0];
#endif

inline SUM plus(SUM a, SUM b) { return a + b; }
inline SUM larger(SUM a, SUM b) { return ((b > a) | (b != b)) ? b : a; }

// `result` = `joined` over TERM(i) for this lane's i below n, from `start` on.
#define OVER_LINE(result, n, start, joined, TERM)                                            \
  {                                                                                          \
    SUM part[VECTORS][EACH_VECTOR], rest = start;                                            \
    for (int v = 0; v < VECTORS; v++)                                                        \
      for (int l = 0; l < EACH_VECTOR; l++) part[v][l] = start;                              \
    long at = LANE;                                                                          \
    for (; at + (WIDTH - 1) * LANES < (n); at += WIDTH * LANES)                              \
      _Pragma("unroll") for (int v = 0; v < VECTORS; v++)                                    \
        ANY_ORDER for (int l = 0; l < EACH_VECTOR; l++)                                      \
          part[v][l] = joined(part[v][l], TERM(at + (v * EACH_VECTOR + l) * LANES));         \
    for (; at < (n); at += LANES) rest = joined(rest, TERM(at));                             \
    for (int v = 0; v < VECTORS; v++)                                                        \
      for (int l = 0; l < EACH_VECTOR; l++) rest = joined(rest, part[v][l]);                 \
    result = rest;                                                                           \
  }
