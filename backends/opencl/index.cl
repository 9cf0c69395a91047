// Indexing along one dim of [outer, extent, inner]. In front of this text: X, the stored dtype; ID,
// the type of the indices; T, the type sums are made in.
//
// Writes that may meet in one place are one work-item's, in C order: add takes the pairs of sorted
// indices and positions (sort.cl), where equal targets lie together; scatters go along lines.
//
// An index outside [0, extent) reads as 0 and writes nothing, and is reported.
#include "report.cl"

#define SIZE_OUT(o, j) (((o)*count + (j)) * inner)
#define SIZE_IN(o, j) (((o)*extent + (j)) * inner)

__kernel void pick(__global const STORED(X) *x, long x_first, __global const ID *index,
                   long index_first, __global STORED(X) *out, long out_first, long extent,
                   long count, long inner, long n, REPORT) {
  const long i = get_global_id(0);
  if (i >= n) return;
  const long within = i % inner, j = i / inner % count, o = i / inner / count;
  const long id = index[index_first + j];
  out[out_first + i] = VALID(id, j, extent) ? x[x_first + SIZE_IN(o, id) + within] : 0;
}

// A work-item an element of x in the order of `sorted`; the first of a run of equal targets adds
// all.
__kernel void add(__global const STORED(X) *x, long x_first, __global const ulong2 *sorted,
                  __global const ID *index, long index_first, __global STORED(X) *out,
                  long out_first, long extent, long count, long inner, long n, REPORT) {
  const long i = get_global_id(0);
  if (i >= n) return;
  const long within = i % inner, o = i / inner / count;
  long j = i / inner % count;
  const ulong key = sorted[j].x;
  if (j > 0 && sorted[j - 1].x == key) return;
  const long position = sorted[j].y, target = index[index_first + position];
  if (!VALID(target, position, extent)) return;
  __global STORED(X) *to = out + out_first + SIZE_IN(o, target) + within;
  STORED(X) sum = *to;
  for (; j < count && sorted[j].x == key; j++) {
    const long from = SIZE_OUT(o, (long)sorted[j].y) + within;
    sum = STORE(X, LOAD(X, sum) + LOAD(X, x[x_first + from]));
  }
  *to = sum;
}

__kernel void gather(__global const STORED(X) *x, long x_first, __global const ID *index,
                     long index_first, __global STORED(X) *out, long out_first, long extent,
                     long count, long inner, long n, REPORT) {
  const long i = get_global_id(0);
  if (i >= n) return;
  const long within = i % inner, o = i / inner / count, id = index[index_first + i];
  out[out_first + i] = VALID(id, i, extent) ? x[x_first + SIZE_IN(o, id) + within] : 0;
}

// A work-item a line: all j of one outer and inner position.
__kernel void scatter(__global const STORED(X) *x, long x_first, __global const ID *index,
                      long index_first, __global STORED(X) *out, long out_first, long extent,
                      long count, long inner, long lines, int add_up, REPORT) {
  const long line = get_global_id(0);
  if (line >= lines) return;
  const long within = line % inner, o = line / inner;
  for (long j = 0; j < count; j++) {
    const long i = SIZE_OUT(o, j) + within, id = index[index_first + i];
    if (!VALID(id, i, extent)) continue;
    __global STORED(X) *to = out + out_first + SIZE_IN(o, id) + within;
    *to = add_up ? STORE(X, LOAD(X, *to) + LOAD(X, x[x_first + i])) : x[x_first + i];
  }
}
