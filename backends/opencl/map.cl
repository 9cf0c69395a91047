// An expression applied to each element of up to three operands. In front of this text stand
//
//   T             the type to compute in                  IN_FLOATS   1 where T is a float type
//   EXPRESSION    in a, b, c and the parameters s0, s1    INPUTS      how many of a, b, c there are
//   A, B, C, OUT  the dtypes the operands are stored as   NUMBERS     bit k: operand k is a number
//   HOST          1 on the host's own cores               SPAN        elements of a work-item there
//   STILL         bit k: operand k stands still along rows, there
//
// Rows run along the work-items of dim 0, and are counted along dim 1.

#include "functions.cl"

inline T value(T a, T b, T c, T s0, T s1) { return (T)(EXPRESSION); }

// The element of operand k at `i`: from memory, the number it is, or nothing.
#define ELEMENT(k, dtype, memory, number, i) \
  ((NUMBERS >> k & 1) || k >= INPUTS ? (number) : LOAD(dtype, (memory)[i]))

#define PARAMETERS                                                                              \
  T s0, T s1, T number_a, T number_b, T number_c, __global const STORED(A) *a, long a_first,    \
      __global const STORED(B) *b, long b_first, __global const STORED(C) *c, long c_first,     \
      __global STORED(OUT) *out, long out_first

#define APPLY(at_a, at_b, at_c, at_out)                               \
  out[out_first + (at_out)] =                                         \
      STORE(OUT, value(ELEMENT(0, A, a, number_a, a_first + (at_a)),  \
                       ELEMENT(1, B, b, number_b, b_first + (at_b)),  \
                       ELEMENT(2, C, c, number_c, c_first + (at_c)), s0, s1))

typedef struct walk {
  long shape[8];
  long stride[4][8]; // of a, b, c, out
  long dims;         // of which the last is a row; the others are counted together
  long rows;
  long each;  // rows of a work-item, where it takes more than an element
  long dense; // 1: steps along a row are as STILL says
} walk;

// Where row `row` begins in each operand.
#define BEGIN_OF_ROW(at, row)                                                        \
  {                                                                                  \
    long rest = row;                                                                 \
    for (int k = 0; k < 4; k++) at[k] = 0;                                           \
    for (int d = (int)w.dims - 2; d >= 0; d--) {                                     \
      const long position = d == 0 ? rest : (long)((ulong)rest % (ulong)w.shape[d]); \
      rest = d == 0 ? 0 : (long)((ulong)rest / (ulong)w.shape[d]);                   \
      for (int k = 0; k < 4; k++) at[k] += position * w.stride[k][d];                \
    }                                                                                \
  }

#if HOST

// On the host's own cores a work-item takes a stretch of SPAN elements, or of some rows, in a loop
// that compilers make vector code of where steps are known: elements may be computed in any order,
// also in place.
#define STEP(k) (STILL >> k & 1 ? 0 : i)

__kernel void map(PARAMETERS, walk w) {
  const int last = (int)w.dims - 1;
  const long begin = get_global_id(0) * SPAN, end = min(begin + SPAN, w.shape[last]);
  const long first = get_global_id(1) * w.each, after = min(first + w.each, w.rows);
  for (long row = first; row < after; row++) {
    long at[4];
    BEGIN_OF_ROW(at, row)
    if (w.dense) {
      _Pragma("clang loop vectorize(assume_safety)")
      for (long i = begin; i < end; i++)
        APPLY(at[0] + STEP(0), at[1] + STEP(1), at[2] + STEP(2), at[3] + i);
    } else {
      _Pragma("clang loop vectorize(disable) unroll(disable)")
      for (long i = begin; i < end; i++)
        APPLY(at[0] + i * w.stride[0][last], at[1] + i * w.stride[1][last],
              at[2] + i * w.stride[2][last], at[3] + i * w.stride[3][last]);
    }
  }
}

#else

__kernel void map(PARAMETERS, walk w) {
  const int last = (int)w.dims - 1;
  const long column = get_global_id(0);
  if (column >= w.shape[last] || (long)get_global_id(1) >= w.rows) return;
  long at[4];
  BEGIN_OF_ROW(at, (long)get_global_id(1))
  for (int k = 0; k < 4; k++) at[k] += column * w.stride[k][last];
  APPLY(at[0], at[1], at[2], at[3]);
}

#endif
