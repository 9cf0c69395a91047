// Reductions. In front of this text stand T (the type elements are computed in), SUM (what sums are
// carried in; T where an element is picked), IS_REAL (1 for float types), OP (an id from below), IN
// and OUT (stored dtypes), LANES (work-items that share a result), DENSE (1 where elements lie
// together along the last of the reduced dims), BLOCKS (1 for the kernel that takes blocks of
// results) and BESIDE (results of a block).
//
// A result is the combination of `parts` partial results, each over a stretch of its elements in C
// order; with one part it is finished at once, else `finish` combines them. Where LANES is 1 a
// work-item reduces its stretch alone, over WIDTH independent accumulators; else a work-group does,
// its items taking turns, so that neighbours read neighbouring elements.

#define SUM_ 0
#define PROD 1
#define MAX 2
#define MIN 3
#define ARGMAX 4
#define ARGMIN 5
#define ANY 6
#define ALL 7
#define SUM_ABS 8
#define SUM_SQUARE 9
#define VAR 10

#ifdef HAS_F64
typedef double real;
#else
typedef float real;
#endif

// Independent accumulators: where a work-item is alone, VECTORS vectors of 32 bytes.
enum {
  VECTORS = LANES == 1 ? 4 : 1,
  EACH_VECTOR = LANES == 1 ? 32 / sizeof(SUM) : 4,
  WIDTH = VECTORS * EACH_VECTOR,
  BLOCK = 16 * WIDTH
};

typedef struct partial {
  SUM value;       // sum, product, extreme, 0 or 1; for the variance the mean
  real deviation;  // variance: sum of squared deviations from the mean
  long position;   // argmax, argmin
  long count;      // elements seen
} partial;

typedef struct layout {
  long shape[16], stride[16];  // kept dims, then reduced ones
  long kept, reduced;
} layout;

#if IS_REAL
#define LOWEST (-INFINITY)
#define HIGHEST INFINITY
#else
#define LOWEST ((T)-1 < (T)1 ? (T)(1ul << (8 * sizeof(T) - 1)) : (T)0)
#define HIGHEST ((T)~LOWEST)
#endif

inline SUM identity(void) {
  if (OP == PROD || OP == ALL) return 1;
  if (OP == MAX || OP == ARGMAX) return (SUM)LOWEST;
  if (OP == MIN || OP == ARGMIN) return (SUM)HIGHEST;
  return 0;
}

inline SUM term(T x) {
  if (OP == SUM_ABS) return (SUM)x < 0 ? -(SUM)x : (SUM)x;
  if (OP == SUM_SQUARE) return (SUM)x * (SUM)x;
  if (OP == ANY || OP == ALL) return x != 0;
  return (SUM)x;
}

inline SUM join(SUM a, SUM b) {
  if (OP == PROD) return a * b;
  if (OP == MAX || OP == ARGMAX) return ((b > a) | (b != b)) ? b : a;
  if (OP == MIN || OP == ARGMIN) return ((b < a) | (b != b)) ? b : a;
  if (OP == ANY) return a > b ? a : b;
  if (OP == ALL) return a < b ? a : b;
  return a + b;
}

// Whether extreme b at position q replaces a at p: NaN wins, then the extreme, then the first.
inline bool replaces(SUM a, long p, SUM b, long q) {
  if (a != a || b != b) return b != b && (a == a || q < p);
  if (a == b) return q < p;
  return OP == ARGMAX ? b > a : b < a;
}

inline partial combine(partial a, partial b) {
  if (b.count == 0) return a;
  if (a.count == 0) return b;
  if (OP == ARGMAX || OP == ARGMIN) {
    if (replaces(a.value, a.position, b.value, b.position))
      a.value = b.value, a.position = b.position;
  } else if (OP == VAR) {  // Chan, Golub, LeVeque 1979
    const real share = (real)b.count / (real)(a.count + b.count);
    const real delta = (real)b.value - (real)a.value;
    a.value = (SUM)((real)a.value + delta * share);
    a.deviation += b.deviation + delta * delta * share * (real)a.count;
  } else {
    a.value = join(a.value, b.value);
  }
  a.count += b.count;
  return a;
}

inline long offset_of(const layout *in, int first, int count, long index) {
  long offset = 0;
  for (int d = first + count - 1; d > first; d--) {
    offset += (long)((ulong)index % (ulong)in->shape[d]) * in->stride[d];
    index = (long)((ulong)index / (ulong)in->shape[d]);
  }
  return count > 0 ? offset + index * in->stride[first] : 0;
}

#if LANES == 1

// A row is walked over in runs, along the last of the reduced dims.
#define LAST (in->kept + in->reduced - 1)
#define EACH_RUN(...)                                                                       \
  for (long i = begin, n; i < end; i += n) {                                                \
    const long length = in->shape[LAST], column = i % length;                               \
    n = min(length - column, end - i);                                                      \
    __global const STORED(IN) *run =                                                        \
        x + column * STEP + offset_of(in, (int)in->kept, (int)in->reduced - 1, i / length); \
    __VA_ARGS__                                                                             \
  }
#define STEP (DENSE ? 1 : in->stride[LAST])
#define X(i) LOAD(IN, run[(i)*STEP])

// Elements of a loop may be computed in any order.
#define ANY_ORDER _Pragma("clang loop vectorize(assume_safety)")

// joined = `join`ed over `term(i)`, i < n, over WIDTH accumulators that begin as `start`.
#define OVER_RUN(type, joined, start, join, term)                    \
  type joined = start, lane[VECTORS][EACH_VECTOR];                   \
  for (int v = 0; v < VECTORS; v++)                                  \
    for (int l = 0; l < EACH_VECTOR; l++) lane[v][l] = start;        \
  long i = 0;                                                        \
  for (; i + WIDTH <= n; i += WIDTH)                                 \
    _Pragma("unroll") for (int v = 0; v < VECTORS; v++)              \
        ANY_ORDER for (int l = 0; l < EACH_VECTOR; l++) lane[v][l] = \
            join(lane[v][l], term(i + v * EACH_VECTOR + l));         \
  for (; i < n; i++) joined = join(joined, term(i));                 \
  for (int v = 0; v < VECTORS; v++)                                  \
    for (int l = 0; l < EACH_VECTOR; l++) joined = join(joined, lane[v][l]);

inline SUM block_of(const layout *in, __global const STORED(IN) * run, long n) {
#define TERM(i) term(X(i))
  OVER_RUN(SUM, value, identity(), join, TERM)
  return value;
}

inline real add(real a, real b) { return a + b; }

inline real squares_of(const layout *in, __global const STORED(IN) * run, long n, real mean) {
#define SQUARE(i) (((real)X(i) - mean) * ((real)X(i) - mean))
  OVER_RUN(real, sum, 0, add, SQUARE)
  return sum;
}

// Elements begin to end of a row at x.
inline partial stretch(const layout *in, __global const STORED(IN) * x, long begin, long end) {
  partial p;
  p.deviation = 0, p.position = begin, p.value = identity();
  p.count = max(end - begin, 0l);
  if (p.count == 0) return p;
  EACH_RUN({
    for (long first = 0; first < n; first += BLOCK) {
      const long count = min(n - first, (long)BLOCK);
      const SUM value = block_of(in, run + first * STEP, count);
      if (OP != ARGMAX && OP != ARGMIN) {
        p.value = join(p.value, value);
      } else if (replaces(p.value, 0, value, 1)) {
        long k = first;
        while (X(k) != value && X(k) == X(k)) k++;
        p.value = value, p.position = i + k;
      }
    }
  })
  if (OP == VAR) {
    const real mean = (real)p.value / (real)p.count;
    EACH_RUN({ p.deviation += squares_of(in, run, n, mean); })
    p.value = (SUM)mean;
  }
  return p;
}

#else

#define AT(i) offset_of(in, (int)in->kept, (int)in->reduced, (i))
#define X(i) LOAD(IN, x[AT(i)])

// Elements begin, begin + LANES, ... below end, of a row at x. Blocks of them keep chains of
// additions short.
inline SUM block_of(const layout *in, __global const STORED(IN) * x, long begin, long end) {
  SUM lane[WIDTH], rest = identity();
  for (int l = 0; l < WIDTH; l++) lane[l] = identity();
  long i = begin;
  for (; i + (WIDTH - 1) * LANES < end; i += WIDTH * LANES)
    for (int l = 0; l < WIDTH; l++) lane[l] = join(lane[l], term(X(i + l * LANES)));
  for (; i < end; i += LANES) rest = join(rest, term(X(i)));
  for (int width = WIDTH / 2; width > 0; width /= 2)
    for (int l = 0; l < width; l++) lane[l] = join(lane[l], lane[l + width]);
  return join(lane[0], rest);
}

// All of them, however many.
inline partial stretch(const layout *in, __global const STORED(IN) * x, long begin, long end) {
  partial p;
  p.deviation = 0, p.position = begin;
  p.count = begin < end ? (end - begin + LANES - 1) / LANES : 0;
  p.value = identity();
  if (p.count == 0) return p;
  if (OP == ARGMAX || OP == ARGMIN) {
    p.value = (SUM)X(begin);
    for (long i = begin + LANES; i < end; i += LANES) {
      const SUM v = (SUM)X(i);
      if (replaces(p.value, p.position, v, i)) p.value = v, p.position = i;
    }
    return p;
  }
  for (long block = begin; block < end; block += BLOCK * LANES)
    p.value = join(p.value, block_of(in, x, block, min(block + BLOCK * LANES, end)));
  if (OP == VAR) {
    const real mean = (real)p.value / (real)p.count;
    real square[WIDTH];
    for (int l = 0; l < WIDTH; l++) square[l] = 0;
    long i = begin;
    for (; i + (WIDTH - 1) * LANES < end; i += WIDTH * LANES)
      for (int l = 0; l < WIDTH; l++) {
        const real d = (real)X(i + l * LANES) - mean;
        square[l] += d * d;
      }
    for (; i < end; i += LANES) square[0] += ((real)X(i) - mean) * ((real)X(i) - mean);
    for (int l = 0; l < WIDTH; l++) p.deviation += square[l];
    p.value = (SUM)mean;
  }
  return p;
}

#endif

inline STORED(OUT) result(partial p, real scale, real correction) {
  if (OP == ARGMAX || OP == ARGMIN) return (STORED(OUT))p.position;
  if (OP == VAR) {
    const real divisor = (real)p.count - correction;
    const real variance = divisor > 0 ? p.deviation / divisor : (real)NAN;
    return STORE(OUT, variance);
  }
  SUM value = p.count ? p.value : identity();
#if IS_REAL
  if (OP == SUM_ || OP == SUM_ABS || OP == SUM_SQUARE) value *= scale;
#endif
  return STORE(OUT, value);
}

#if !BLOCKS

__kernel void reduce(layout shape, __global const STORED(IN) * x, long x_first,
                     __global STORED(OUT) * out, long out_first, __global partial *partials,
                     long rows, long columns, long parts, real scale, real correction) {
  const long item = (long)get_global_id(0) / LANES, row = item / parts, part = item % parts;
#if LANES == 1
  if (row >= rows) return;
  const int lane = 0;
#else
  const int lane = (int)get_local_id(0);
#endif
  const long each = (columns + parts - 1) / parts;
  const long begin = part * each, end = min(begin + each, columns);
  const layout *in = &shape;
  partial p = stretch(in, x + x_first + offset_of(in, 0, (int)in->kept, row), begin + lane, end);
#if LANES > 1
  __local partial shared[LANES];
  shared[lane] = p;
  for (int width = LANES / 2; width > 0; width /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (lane < width) shared[lane] = combine(shared[lane], shared[lane + width]);
  }
  p = shared[0];
#endif
  if (lane != 0) return;
  if (parts == 1)
    out[out_first + row] = result(p, scale, correction);
  else
    partials[item] = p;
}

#else

// For results that lie beside one another in memory, as their elements do: a work-item takes BESIDE
// of them at a time and goes from row to row of the memory. Dims: blocks of results, parts.
enum { CHAIN = 64 };

#define EACH_ELEMENT(...)                                                                    \
  for (long i = begin; i < end; i++) {                                                       \
    __global const STORED(IN) *here = x + offset_of(in, (int)in->kept, (int)in->reduced, i); \
    ANY_ORDER for (int l = 0; l < width; l++) {                                              \
      const T v = LOAD(IN, here[l]);                                                         \
      __VA_ARGS__                                                                            \
    }                                                                                        \
  }

inline void stretches(const layout *in, __global const STORED(IN) * x, long first, long last,
                      int width, SUM *value, real *deviation, long *position) {
  SUM chain[BESIDE];
  for (int l = 0; l < width; l++) value[l] = identity(), deviation[l] = 0, position[l] = first;
  for (long begin = first; begin < last; begin += CHAIN) {
    const long end = min(begin + CHAIN, last);
    if (OP == ARGMAX || OP == ARGMIN) {
      EACH_ELEMENT({
        const bool wins = i == first || replaces(value[l], position[l], (SUM)v, i);
        value[l] = wins ? (SUM)v : value[l];
        position[l] = wins ? i : position[l];
      })
    } else {
      for (int l = 0; l < width; l++) chain[l] = identity();
      EACH_ELEMENT({ chain[l] = join(chain[l], term(v)); })
      for (int l = 0; l < width; l++) value[l] = join(value[l], chain[l]);
    }
  }
  if (OP != VAR) return;
  for (int l = 0; l < width; l++) value[l] = (SUM)((real)value[l] / (real)(last - first));
  const long begin = first, end = last;
  EACH_ELEMENT({
    const real d = (real)v - (real)value[l];
    deviation[l] += d * d;
  })
}

__kernel void reduce_beside(layout shape, __global const STORED(IN) * x, long x_first,
                            __global STORED(OUT) * out, long out_first, __global partial *partials,
                            long rows, long columns, long parts, real scale, real correction) {
  const layout *in = &shape;
  const long extent = in->shape[in->kept - 1], blocks = (extent + BESIDE - 1) / BESIDE;
  const long block = get_global_id(0) % blocks, part = get_global_id(1);
  const long row = get_global_id(0) / blocks * extent + block * BESIDE;
  const int width = (int)min(extent - block * BESIDE, (long)BESIDE);
  const long each = (columns + parts - 1) / parts;
  const long begin = min(part * each, columns), end = min(begin + each, columns);
  SUM value[BESIDE];
  real deviation[BESIDE];
  long position[BESIDE];
  x += x_first + offset_of(in, 0, (int)in->kept, row);
  if (width == BESIDE)  // a loop of known length is better code
    stretches(in, x, begin, end, BESIDE, value, deviation, position);
  else
    stretches(in, x, begin, end, width, value, deviation, position);
  for (int l = 0; l < width; l++) {
    partial p;
    p.value = value[l], p.deviation = deviation[l], p.position = position[l], p.count = end - begin;
    if (parts == 1)
      out[out_first + row + l] = result(p, scale, correction);
    else
      partials[(row + l) * parts + part] = p;
  }
}

#endif

__kernel void finish(__global const partial *partials, __global STORED(OUT) * out, long out_first,
                     long rows, long parts, real scale, real correction) {
  const long row = get_global_id(0);
  if (row >= rows) return;
  partial p = partials[row * parts];
  for (long i = 1; i < parts; i++) p = combine(p, partials[row * parts + i]);
  out[out_first + row] = result(p, scale, correction);
}
