// Convolution on the host's own cores: windows go straight into the panels of tile.cl, from planes
// laid out anew with zeros around them, so that no window looks past an edge. In front of this
// text: what tile.cl needs.
//
// k counts channels of a group and taps, in C order; positions count outputs of all images.
#include "tile.cl"

// Planes with zeros around them and windows over them; always three dims, outermost first.
typedef struct windows {
  int padded[3], out[3], taps[3], stride[3], dilation[3];
  long images, groups, group_in, group_out, k;
  long share; // forward: output channels that a work-item takes; gradient: parts of the batch
} windows;

inline long volume(const int *extent) { return (long)extent[0] * extent[1] * extent[2]; }
inline long place(const windows *z, int i0, int i1, int i2) {
  return ((long)i0 * z->padded[1] + i1) * z->padded[2] + i2;
}

// Advances a position in C order; true where it begins anew.
inline bool next(const int *extent, int *at) {
  if (++at[2] < extent[2]) return false;
  at[2] = 0;
  if (++at[1] < extent[1]) return false;
  at[1] = 0;
  if (++at[0] < extent[0]) return false;
  at[0] = 0;
  return true;
}

// The position of `index` in a volume of these extents.
inline void position(const int *extent, long index, int *at) {
  at[2] = (int)(index % extent[2]);
  index /= extent[2];
  at[1] = (int)(index % extent[1]);
  at[0] = (int)(index / extent[1]);
}

typedef struct spread {
  int in[3], padded[3], front[3], apart[3];
} spread;

// Element i of a dim goes to front + i * apart; where nothing goes there is 0. A plane a work-item.
__kernel void pad(spread s, long planes, __global const T *x, long x_first, __global T *out) {
  const long plane = get_global_id(0);
  x += x_first + plane * volume(s.in);
  out += plane * volume(s.padded);
  for (int i0 = 0; i0 < s.padded[0]; i0++)
    for (int i1 = 0; i1 < s.padded[1]; i1++, out += s.padded[2]) {
      for (int i2 = 0; i2 < s.padded[2]; i2++) out[i2] = 0;
      const int from0 = (i0 - s.front[0]) / s.apart[0], from1 = (i1 - s.front[1]) / s.apart[1];
      if (i0 != s.front[0] + from0 * s.apart[0] || from0 < 0 || from0 >= s.in[0]) continue;
      if (i1 != s.front[1] + from1 * s.apart[1] || from1 < 0 || from1 >= s.in[1]) continue;
      __global const T *row = x + ((long)from0 * s.in[1] + from1) * s.in[2];
      const int begin = max(0, s.front[2] < 0 ? (s.apart[2] - 1 - s.front[2]) / s.apart[2] : 0);
      const int end = min(s.in[2], (s.padded[2] - s.front[2] + s.apart[2] - 1) / s.apart[2]);
      __global T *to = out + s.front[2];
      if (s.apart[2] == 1)
        for (int i = begin; i < end; i++) to[i] = row[i];
      else
        for (int i = begin; i < end; i++) to[(long)i * s.apart[2]] = row[i];
    }
}

// The weight of the convolution that computes the gradient of the input: [groups * group_in,
// group_out, taps] from [groups * group_out, group_in, taps], taps backwards. Dims: taps, channels
// in, channels out.
__kernel void turn(long taps, long group_in, long group_out, __global const T *weight,
                   long weight_first, __global T *out) {
  const long tap = get_global_id(0), c = get_global_id(1), o = get_global_id(2);
  const long group = o / group_out;
  out[((group * group_in + c) * group_out + o % group_out) * taps + taps - 1 - tap] =
      weight[weight_first + (o * group_in + c) * taps + tap];
}

// Neighbouring positions of one row of the output, among a panel's columns.
typedef struct run {
  int column, length;
  long from; // in the padded planes
} run;

// Dims: positions / COLUMNS, groups, channels out / z.share.
__kernel void forward(windows z, __global const T *x, __global const T *weight, long weight_first,
                      __global const T *bias, long bias_first, __global T *y, long y_first) {
  PANEL(panel);
  const long outs = volume(z.out), plane = volume(z.padded), first = get_global_id(0) * COLUMNS;
  const long group = get_global_id(1);
  const int width = (int)min(z.images * outs - first, (long)COLUMNS);
  const long channel = get_global_id(2) * z.share;
  const long end = min(channel + z.share, z.group_out);
  run runs[COLUMNS];
  long to[COLUMNS]; // where a column goes in y, for the group's first channel
  int count = 0;
  for (int j = 0; j < width;) {
    const long image = (first + j) / outs, o = (first + j) % outs;
    int at[3];
    position(z.out, o, at);
    const int length = min(z.out[2] - at[2], width - j);
    runs[count].column = j;
    runs[count].length = length;
    runs[count++].from = (image * z.groups + group) * z.group_in * plane +
                         place(&z, at[0] * z.stride[0], at[1] * z.stride[1], at[2] * z.stride[2]);
    for (int l = 0; l < length; l++)
      to[j + l] = (image * z.groups + group) * z.group_out * outs + o + l;
    j += length;
  }
  const bool together = width == COLUMNS && to[COLUMNS - 1] == to[0] + COLUMNS - 1;
  weight += weight_first + group * z.group_out * z.k;
  y += y_first;
  int tap[3] = {0, 0, 0};
  long in_channel = 0;
  for (long k = 0; k < z.k; k += DEPTH) {
    const int depth = (int)min(z.k - k, (long)DEPTH);
    for (int p = 0; p < depth; p++) {
      __global const T *from = x + in_channel * plane + place(&z, tap[0] * z.dilation[0],
                                                              tap[1] * z.dilation[1],
                                                              tap[2] * z.dilation[2]);
      for (int r = 0; r < count; r++) {
        T *line = panel + p * COLUMNS + runs[r].column;
        __global const T *source = from + runs[r].from;
        if (z.stride[2] == 1) // whole vectors: the next run or row overwrites what is too much
          for (int l = 0; l < runs[r].length; l += W)
            STORE_VECTOR(LOAD_VECTOR(0, source + l), 0, line + l);
        else
          for (int l = 0; l < runs[r].length; l++) line[l] = source[l * z.stride[2]];
      }
      if (next(z.taps, tap)) in_channel++;
    }
    for (long o = channel; o < end; o += ROWS) {
      __global const T *row[ROWS];
      rows_from(weight + k, o, end - 1, z.k, row);
      const tile sum = product_of(row, 1, panel, depth);
      for (int r = 0; r < ROWS && o + r < end; r++) {
        __global T *line = y + (o + r) * outs;
        const T level = bias && k == 0 ? bias[bias_first + group * z.group_out + o + r] : 0;
        if (together) {
#pragma unroll
          for (int v = 0; v < VECTORS; v++) {
            const VECTOR before = k == 0 ? (VECTOR)level : LOAD_VECTOR(v, line + to[0]);
            STORE_VECTOR(sum.at[r][v] + before, v, line + to[0]);
          }
        } else {
          T part[COLUMNS];
#pragma unroll
          for (int v = 0; v < VECTORS; v++) STORE_VECTOR(sum.at[r][v], v, part);
          for (int j = 0; j < width; j++)
            line[to[j]] = part[j] + (k == 0 ? level : line[to[j]]);
        }
      }
    }
  }
}

// Sums over part after part of the batch: out [parts, groups * group_out, k]. Dims: k / COLUMNS,
// groups, parts.
__kernel void grad_weight(windows z, __global const T *x, __global const T *dy, long dy_first,
                          __global T *out, long out_first) {
  PANEL(panel);
  const long outs = volume(z.out), plane = volume(z.padded), first = get_global_id(0) * COLUMNS;
  const long group = get_global_id(1), part = get_global_id(2);
  const int width = (int)min(z.k - first, (long)COLUMNS), taps = (int)volume(z.taps);
  int from[COLUMNS]; // of the columns, in an image's planes of the group
  for (int j = 0; j < COLUMNS; j++) {
    const long k = min(first + j, z.k - 1);
    int tap[3];
    position(z.taps, k % taps, tap);
    from[j] = (int)(k / taps * plane + place(&z, tap[0] * z.dilation[0], tap[1] * z.dilation[1],
                                             tap[2] * z.dilation[2]));
  }
  out += out_first + (part * z.groups + group) * z.group_out * z.k + first;
  const long begin = z.images * part / z.share, end = z.images * (part + 1) / z.share;
  for (long image = begin; image < end; image++) {
    __global const T *planes = x + (image * z.groups + group) * z.group_in * plane;
    __global const T *pulls = dy + dy_first + (image * z.groups + group) * z.group_out * outs;
    int at[3] = {0, 0, 0};
    for (long o = 0; o < outs; o += DEPTH) {
      const int depth = (int)min(outs - o, (long)DEPTH);
      for (int p = 0; p < depth; p++) {
        __global const T *here = planes + place(&z, at[0] * z.stride[0], at[1] * z.stride[1],
                                                at[2] * z.stride[2]);
#pragma unroll
        for (int j = 0; j < COLUMNS; j++) panel[p * COLUMNS + j] = here[from[j]];
        next(z.out, at);
      }
      for (long c = 0; c < z.group_out; c += ROWS) {
        __global const T *row[ROWS];
        rows_from(pulls + o, c, z.group_out - 1, outs, row);
        const tile sum = product_of(row, 1, panel, depth);
        put(&sum, 1, image > begin || o > 0 ? 1 : 0, out + c * z.k, z.k,
            (int)min(z.group_out - c, (long)ROWS), width);
      }
    }
  }
}
