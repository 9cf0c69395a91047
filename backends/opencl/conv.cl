// What a convolution needs beside matrix products: windows as the columns of a matrix, and back. In
// front of this text: T and SUM.
//
// Columns: number k of a group counts its channels and taps, in C order; a position p counts
// outputs.
#include "window.cl"

typedef struct columns {
  long by_k, by_image; // strides of a matrix of columns; positions lie together
  long channels;       // of the input in all
  long first_channel;  // of the group
  long images, taps;
} columns;

// columns[k][p] = x where tap and position look, 0 beside the plane. Dims of the launch: p, k,
// image.
__kernel void gather(window w, columns m, long ks, __global const T *x, long x_first,
                     __global T *out) {
  const int p = (int)get_global_id(0);
  const long k = get_global_id(1), image = get_global_id(2);
  if (p >= w.out[0] * w.out[1] * w.out[2] || k >= ks || image >= m.images) return;
  int o[3], tap[3];
  position(w.out, p, o);
  position(w.taps, (int)(k % m.taps), tap);
  const long plane = image * m.channels + m.first_channel + k / m.taps;
  bool inside = true;
  long at = plane;
  for (int d = 0; d < 3; d++) {
    const int i = o[d] * w.stride[d] - w.padding[d] + tap[d] * w.dilation[d];
    inside = inside && i >= 0 && i < w.in[d];
    at = at * w.in[d] + i;
  }
  out[k * m.by_k + image * m.by_image + p] = inside ? x[x_first + at] : 0;
}

// x = the sum of all columns that came from there: a work-item an element, taps in C order. Dims:
// the element of the plane, the channel of the group, the image.
__kernel void scatter(window w, columns m, long channels, __global T *x, long x_first,
                      __global const T *in) {
  const int here = (int)get_global_id(0);
  const long channel = get_global_id(1), image = get_global_id(2);
  const int in_size = w.in[0] * w.in[1] * w.in[2];
  if (here >= in_size || channel >= channels || image >= m.images) return;
  int i[3];
  position(w.in, here, i);
  SUM sum = 0;
  for (int k0 = 0; k0 < w.taps[0]; k0++)
    for (int k1 = 0; k1 < w.taps[1]; k1++)
      for (int k2 = 0; k2 < w.taps[2]; k2++) {
        const int tap[3] = {k0, k1, k2};
        bool met = true;
        int p = 0;
        for (int d = 0; d < 3; d++) {
          const int from = i[d] + w.padding[d] - tap[d] * w.dilation[d], o = from / w.stride[d];
          met = met && from >= 0 && from % w.stride[d] == 0 && o < w.out[d];
          p = p * w.out[d] + o;
        }
        const long k = channel * m.taps + (k0 * w.taps[1] + k1) * w.taps[2] + k2;
        if (met) sum += in[k * m.by_k + image * m.by_image + p];
      }
  x[x_first + (image * m.channels + m.first_channel + channel) * in_size + here] = (T)sum;
}
