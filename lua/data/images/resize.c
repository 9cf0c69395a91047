/* Resizing as Pillow does it (Image.resize with BILINEAR, which torchvision calls antialiased), to
 * the last bit where that goes columns first, too: columns, then rows, each pixel a sum with
 * weights of 22 binary digits after the point, rounded to a byte in between. A triangle over the
 * pixels that one of the result covers, and over two where it is smaller than one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

enum { DIGITS = 22 };

/* For position i of the result: `n[i]` weights from position `first[i]` of the source on, at
 * weights + i * room. */
typedef struct axis {
  int64_t count, room;
  int64_t *first, *n;
  int32_t *weights;
} axis;

static void axis_free(axis *a) {
  free(a->first);
  free(a->n);
  free(a->weights);
}

static void weigh(axis *a, int64_t i, int64_t from, double center, double scale, double *scratch) {
  double support = scale, sum = 0;
  int64_t first = (int64_t)(center - support + 0.5), last = (int64_t)(center + support + 0.5);
  if (center - support + 0.5 < 0) first = 0;
  if (last > from) last = from;
  int64_t n = last - first;
  for (int64_t k = 0; k < n; k++) {
    double distance = fabs(((double)(k + first) - center + 0.5) * (1 / scale));
    scratch[k] = distance < 1 ? 1 - distance : 0;
    sum += scratch[k];
  }
  for (int64_t k = 0; k < n; k++) {
    double weight = sum != 0 ? scratch[k] / sum : scratch[k];
    a->weights[i * a->room + k] = (int32_t)(weight * (1 << DIGITS) + 0.5);
  }
  a->first[i] = first;
  a->n[i] = n;
}

/* Positions start...start + count - 1 of `from` pixels resized to `to`. */
static sel_status axis_init(axis *a, int64_t from, int64_t to, int64_t start, int64_t count) {
  double scale = (double)from / (double)to, wide = scale < 1 ? 1 : scale;
  *a = (axis){.count = count, .room = (int64_t)ceil(wide) * 2 + 1};
  a->first = malloc((size_t)count * sizeof *a->first);
  a->n = malloc((size_t)count * sizeof *a->n);
  a->weights = malloc((size_t)(count * a->room) * sizeof *a->weights);
  double *scratch = malloc((size_t)a->room * sizeof *scratch);
  bool enough = a->first && a->n && a->weights && scratch;
  for (int64_t i = 0; enough && i < count; i++)
    weigh(a, i, from, ((double)(start + i) + 0.5) * scale, wide, scratch);
  free(scratch);
  if (!enough) axis_free(a);
  SEL_CHECK(enough, SEL_E_MEMORY, "out of host memory for resizing an image");
  return SEL_OK;
}

static inline uint8_t rounded(int32_t sum) {
  int32_t value = sum >> DIGITS;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* One line of pixels, with a number of channels that the compiler knows. */
static inline void columns_of(const axis *a, const uint8_t *x, int64_t channels, uint8_t *y) {
  for (int64_t i = 0; i < a->count; i++) {
    const int32_t *w = a->weights + i * a->room;
    const uint8_t *from = x + a->first[i] * channels;
    for (int64_t c = 0; c < channels; c++) {
      int32_t sum = 1 << (DIGITS - 1);
      for (int64_t k = 0; k < a->n[i]; k++) sum += from[k * channels + c] * w[k];
      y[i * channels + c] = rounded(sum);
    }
  }
}

static void resize_line(const axis *a, const uint8_t *x, int64_t channels, uint8_t *y) {
  if (channels == 1)
    columns_of(a, x, 1, y);
  else if (channels == 3)
    columns_of(a, x, 3, y);
  else
    columns_of(a, x, channels, y);
}

/* Row i of the result from whole rows of `bytes` bytes; sums: room for as many. */
static void resize_row(const axis *a, int64_t i, const uint8_t *x, int64_t bytes, int32_t *sums,
                       uint8_t *y) {
  const int32_t *w = a->weights + i * a->room;
  for (int64_t b = 0; b < bytes; b++) sums[b] = 1 << (DIGITS - 1);
  for (int64_t k = 0; k < a->n[i]; k++) {
    const uint8_t *row = x + (a->first[i] + k) * bytes;
    int32_t weight = w[k];
    for (int64_t b = 0; b < bytes; b++) sums[b] += row[b] * weight;
  }
  for (int64_t b = 0; b < bytes; b++) y[b] = rounded(sums[b]);
}

/* `lines`: the lines of the source that rows need, from line `first` on, resized to columns. */
static void resize_with(const axis *rows, const axis *columns, const uint8_t *x, int64_t stride,
                        int64_t channels, uint8_t *lines, int32_t *sums, uint8_t *y) {
  int64_t first = rows->first[0], bytes = columns->count * channels;
  int64_t last = rows->first[rows->count - 1] + rows->n[rows->count - 1];
  for (int64_t i = first; i < last; i++)
    resize_line(columns, x + i * stride, channels, lines + (i - first) * bytes);
  for (int64_t i = 0; i < rows->count; i++)
    resize_row(rows, i, lines - first * bytes, bytes, sums, y + i * bytes);
}

static sel_status resample(sel_tensor *image, const axis *rows, const axis *columns,
                           sel_tensor **out) {
  int64_t channels = sel_size(image, 2), bytes = columns->count * channels;
  int64_t lines = rows->first[rows->count - 1] + rows->n[rows->count - 1] - rows->first[0];
  uint8_t *room = malloc((size_t)(lines * bytes) + 1);
  int32_t *sums = malloc((size_t)bytes * sizeof *sums + 1);
  sel_status status = room && sums
                          ? image_new(rows->count, columns->count, channels, out)
                          : sel_fail(SEL_E_MEMORY, "out of host memory for resizing an image");
  if (status == SEL_OK)
    resize_with(rows, columns, sel_data(image), sel_size(image, 1) * channels, channels, room, sums,
                sel_data(*out));
  free(room);
  free(sums);
  return status;
}

sel_status image_resample(sel_tensor *image, const int64_t size[2], int64_t top, int64_t left,
                          int64_t height, int64_t width, sel_tensor **out) {
  axis rows, columns;
  SEL_TRY(axis_init(&rows, sel_size(image, 0), size[0], top, height));
  sel_status status = axis_init(&columns, sel_size(image, 1), size[1], left, width);
  if (status == SEL_OK) {
    status = resample(image, &rows, &columns, out);
    axis_free(&columns);
  }
  axis_free(&rows);
  return status;
}

sel_status sel_image_resize(sel_tensor *image, int64_t height, int64_t width, sel_tensor **out) {
  char text[256];
  sel_describe(image, text, sizeof text);
  SEL_CHECK(sel_tensor_dtype(image) == SEL_U8 && sel_ndim(image) == 3 && sel_is_contiguous(image) &&
                sel_data(image) && sel_numel(image) > 0,
            SEL_E_SHAPE,
            "resize_image: expected a contiguous u8 image [height, width, channels] on the cpu, "
            "got %s",
            text);
  SEL_CHECK(height >= 1 && width >= 1 && height <= 1 << 20 && width <= 1 << 20, SEL_E_SHAPE,
            "resize_image: expected sizes from 1 to %d, got %lld x %lld", 1 << 20,
            (long long)height, (long long)width);
  return image_resample(image, (int64_t[]){height, width}, 0, 0, height, width, out);
}
