// Running sums along the last dim, a row a work-item, carried in SUM. In front of this text stand T
// and SUM, and IN and OUT, the dtypes of both sides.

typedef struct layout {
  long shape[8], stride[8];
  long ndim;
} layout;

__kernel void scan(layout in, long rows, long length, __global const STORED(IN) *x, long x_first,
                   __global STORED(OUT) *y, long y_first) {
  const long row = get_global_id(0);
  if (row >= rows) return;
  long rest = row, at = x_first;
  for (int d = (int)in.ndim - 2; d >= 0; d--) {
    at += rest % in.shape[d] * in.stride[d];
    rest /= in.shape[d];
  }
  const long step = in.ndim ? in.stride[in.ndim - 1] : 1;
  SUM sum = 0;
  for (long i = 0; i < length; i++) {
    sum += (SUM)LOAD(IN, x[at + i * step]);
    y[y_first + row * length + i] = STORE(OUT, sum);
  }
}
