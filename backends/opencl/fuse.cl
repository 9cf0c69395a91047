// A fused function: all its steps over one element, then the next element. In front of this text
// stand, made by fuse_source.c,
//
//   T, IN_FLOATS, HOST  as in functions.cl
//   ROWS          a function row_<name>(a, b, c) for each pointwise operation that is used
//   STEPS         const T v<n> = row_<name>(v<a>, v<b>, v<c>); for each step
//   OUTPUTS(DO)   DO(k, v<n>) for each result, which goes to out<k>
//   SPAN          elements of a work-item: a stretch on the host's own cores, else 1
//
// and, as a call has them, made by fuse.c,
//
//   INPUTS(DO)    DO(i, m, dtype, step) for each input in memory, v<i>: it is the walk's operand m,
//                 and `step` is its stride along rows
//   NUMBERS(DO)   DO(i) for each input that is a number
//   MEMORIES      how many inputs are in memory
//   DIMS          0 where inputs are contiguous from their offsets on, as results always are; else
//                 2, 4 or 8 dims of the walk, of which the last, a row, runs along the work-items
//                 of dim 0 and the others, counted together, along dim 1
//   STRIDE        the type of strides: int, or long for huge tensors

#include "functions.cl"

ROWS

#define MEMORY(i, m, dtype, step) __global const STORED(dtype) *in##i, long first##i,
#define NUMBER(i) const T v##i,
#define RESULT(k, v) , __global T *out##k, long out_first##k
#define STORE_RESULT(k, v) out##k[out_first##k + to] = v;

#if HOST // elements may be computed in any order
#define LOOP _Pragma("clang loop vectorize(assume_safety)") for
#else
#define LOOP for
#endif

#if DIMS == 0

#define LOAD_INPUT(i, m, dtype, step) const T v##i = LOAD(dtype, in##i[first##i + to]);

__kernel void fused(INPUTS(MEMORY) NUMBERS(NUMBER) const long n OUTPUTS(RESULT)) {
  const long begin = get_global_id(0) * SPAN, end = min(begin + SPAN, n);
  LOOP(long to = begin; to < end; to++) {
    INPUTS(LOAD_INPUT)
    STEPS
    OUTPUTS(STORE_RESULT)
  }
}

#else

typedef struct walk {
  long shape[DIMS];
  long rows, each; // rows: product of all extents but the last; each: how many a work-item takes
  STRIDE stride[MEMORIES][DIMS];
} walk;

#define BEGIN_INPUT(i, m, dtype, step) long begin##i = first##i;
#define MOVE_INPUT(i, m, dtype, step) begin##i += position * w.stride[m][d];
#define LOAD_INPUT(i, m, dtype, step) \
  const T v##i = LOAD(dtype, in##i[begin##i + column * (step)]);

__kernel void fused(INPUTS(MEMORY) NUMBERS(NUMBER) const walk w OUTPUTS(RESULT)) {
  const long columns = w.shape[DIMS - 1];
  const long begin = get_global_id(0) * SPAN, end = min(begin + SPAN, columns);
  const long first = get_global_id(1) * w.each, last = min(first + w.each, w.rows);
  for (long row = first; row < last; row++) {
    INPUTS(BEGIN_INPUT)
    long rest = row;
    for (int d = DIMS - 2; d >= 0; d--) {
      const long position = d == 0 ? rest : (long)((ulong)rest % (ulong)w.shape[d]);
      rest = d == 0 ? 0 : (long)((ulong)rest / (ulong)w.shape[d]);
      INPUTS(MOVE_INPUT)
    }
    LOOP(long column = begin; column < end; column++) {
      const long to = row * columns + column;
      INPUTS(LOAD_INPUT)
      STEPS
      OUTPUTS(STORE_RESULT)
    }
  }
}

#endif
