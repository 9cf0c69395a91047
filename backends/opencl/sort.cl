// Stable sort of rows by merging. Elements become pairs of an unsigned key, whose order is the
// wanted one, and a position; all pairs differ, so the order is one. In front of this text: IN, the
// dtype.
//
// A pair's place among two sorted runs is its place in its own plus the number of pairs in the
// other that come before it, which a binary search finds: each pass has a work-item a pair, and
// none waits.

typedef ulong2 pair; // key, position

// Order of IEEE numbers of `width` bits: NaN above all, -0 beside 0.
inline ulong float_key(ulong bits, int width, ulong infinite) {
  const ulong sign = 1ul << (width - 1), all = sign | (sign - 1), magnitude = bits & (sign - 1);
  if (magnitude > infinite) return all;
  if (magnitude == 0) return sign;
  return bits & sign ? ~bits & all : bits | sign;
}

#define KEY(x) JOIN(KEY_, IN)(x)
#define KEY_f32(x) float_key(as_uint(x), 32, 0x7f800000ul)
#define KEY_f64(x) float_key(as_ulong(x), 64, 0x7ff0000000000000ul)
#define KEY_f16(x) float_key(x, 16, 0x7c00ul)
#define KEY_bf16(x) float_key(x, 16, 0x7f80ul)
#define KEY_i64(x) ((ulong)(x) ^ (1ul << 63))
#define KEY_i32(x) (ulong)((uint)(x) ^ 0x80000000u)
#define KEY_u8(x) (ulong)(x)
#define KEY_bool(x) (ulong)(x)

inline bool before(pair a, pair b) { return a.x < b.x || (a.x == b.x && a.y < b.y); }

__kernel void make_pairs(__global const STORED(IN) *x, long x_first, long n, long columns,
                         ulong flip, __global pair *out) {
  const long i = get_global_id(0);
  if (i < n) out[i] = (pair)(KEY(x[x_first + i]) ^ flip, (ulong)(i % columns));
}

// Runs of `run` pairs, sorted, become runs of twice as many.
__kernel void merge(__global const pair *from, __global pair *to, long n, long columns, long run) {
  const long i = get_global_id(0);
  if (i >= n) return;
  const long row = i / columns * columns, column = i - row;
  const long both = column / (2 * run) * (2 * run), middle = min(both + run, columns);
  const bool second = column >= middle;
  long low = second ? both : middle, high = second ? middle : min(both + 2 * run, columns);
  const long other = low;
  const pair mine = from[i];
  while (low < high) {
    const long probe = (low + high) / 2;
    if (before(from[row + probe], mine))
      low = probe + 1;
    else
      high = probe;
  }
  const long place = second ? column - middle + (low - other) : column - both + (low - other);
  to[row + both + place] = mine;
}

// The first k pairs of each row, as values and positions.
__kernel void take(__global const pair *sorted, __global const STORED(IN) *x, long x_first, long n,
                   long columns, long k, __global STORED(IN) *values, long values_first,
                   __global long *indices, long indices_first) {
  const long i = get_global_id(0);
  if (i >= n) return;
  const long row = i / k, position = (long)sorted[row * columns + i % k].y;
  values[values_first + i] = x[x_first + row * columns + position];
  indices[indices_first + i] = position;
}
