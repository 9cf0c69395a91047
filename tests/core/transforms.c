/* A loader's transforms: each against what it is defined to do to known images, and that batches
 * depend on seed and epoch alone. */
#include <math.h>

#include "file_fixture.h"

enum { CHANNELS = 2, HEIGHT = 6, WIDTH = 7, PIXELS = CHANNELS * HEIGHT * WIDTH };

/* ---- steps ---- */

#define STEP(...) ((sel_transform){.size = sizeof(sel_transform), __VA_ARGS__})

static sel_transform crop(int64_t height, int64_t width, int64_t padding, double fill) {
  return STEP(.kind = SEL_TRANSFORM_RANDOM_CROP, .height = height, .width = width,
              .padding = {padding, padding, padding, padding}, .fill = fill);
}
static sel_transform center(int64_t height, int64_t width) {
  return STEP(.kind = SEL_TRANSFORM_CENTER_CROP, .height = height, .width = width);
}
static sel_transform horizontal(double p) {
  return STEP(.kind = SEL_TRANSFORM_RANDOM_HORIZONTAL_FLIP, .p = p);
}
static sel_transform vertical(double p) {
  return STEP(.kind = SEL_TRANSFORM_RANDOM_VERTICAL_FLIP, .p = p);
}
static const double zero = 0;
static sel_transform erasing(double p, const double *values, int n_values) {
  return STEP(.kind = SEL_TRANSFORM_RANDOM_ERASING, .p = p, .scale = {0.02, 0.33},
              .ratio = {0.3, 3.3}, .values = values, .n_values = n_values);
}

/* ---- images and epochs ---- */

/* n images of which element i is i + 1, so that every element tells where it came from. Copied here
 * and not by an operation, whose own threads a race detector can't follow. */
static sel_tensor *numbered(sel_dtype dtype, int64_t n, int64_t channels, int64_t height,
                            int64_t width) {
  sel_tensor *line, *cast, *images;
  int64_t shape[4] = {n, channels, height, width};
  ASSERT_OK(sel_arange(1, (double)(channels * height * width) + 1, 1, SEL_F32, NULL, &line));
  ASSERT_OK(sel_to(line, dtype, NULL, &cast));
  size_t image = tensor_bytes(cast);
  char *bytes = malloc((size_t)n * image);
  for (int64_t i = 0; i < n; i++) ASSERT_OK(sel_read(cast, bytes + (size_t)i * image, image));
  ASSERT_OK(sel_from_data(4, shape, dtype, NULL, bytes, (size_t)n * image, &images));
  free(bytes);
  sel_release(line);
  sel_release(cast);
  return images;
}

static sel_loader_field field_of(sel_tensor *images, sel_dtype dtype, int n,
                                 const sel_transform *steps) {
  return (sel_loader_field){.size = sizeof(sel_loader_field),
                            .rows = images,
                            .dtype = dtype,
                            .scale = 1,
                            .n_transforms = n,
                            .transforms = steps};
}

static sel_loader *loader_of(int n_fields, const sel_loader_field *fields, int64_t batch_size,
                             int workers) {
  sel_loader_settings settings = {.size = sizeof settings,
                                  .batch_size = batch_size,
                                  .shuffle = true,
                                  .seed = 11,
                                  .workers = workers,
                                  .prefetch = 2};
  sel_loader *l;
  ASSERT_OK(sel_loader_new(&settings, n_fields, fields, &l));
  return l;
}

/* Field 0 of an epoch from batch `first` on, as one tensor. New. */
static sel_tensor *epoch_of(sel_loader *l, int64_t epoch, int64_t first) {
  sel_tensor *batch, *all;
  int64_t shape[SEL_MAX_DIMS] = {0};
  int ndim = 0;
  size_t bytes = 0;
  char *images = NULL;
  sel_dtype dtype = SEL_F32;
  bool more = true;
  ASSERT_OK(sel_loader_start(l, epoch, first));
  for (;;) {
    ASSERT_OK(sel_loader_next(l, NULL, &batch, &more));
    if (!more) break;
    int64_t before = shape[0];
    ndim = sel_ndim(batch);
    dtype = sel_tensor_dtype(batch);
    memcpy(shape, sel_shape(batch), (size_t)ndim * sizeof *shape);
    shape[0] += before;
    images = realloc(images, bytes + tensor_bytes(batch) + 1);
    ASSERT_OK(sel_read(batch, images + bytes, tensor_bytes(batch)));
    bytes += tensor_bytes(batch);
    sel_release(batch);
  }
  ASSERT_OK(sel_from_data(ndim, shape, dtype, NULL, images, bytes, &all));
  free(images);
  return all;
}

/* All images of epoch 0 after these steps, in the rows' dtype. New. */
static sel_tensor *transformed(sel_tensor *images, int n, const sel_transform *steps) {
  sel_loader_field field = field_of(images, sel_tensor_dtype(images), n, steps);
  sel_loader *l = loader_of(1, &field, 50, 1);
  sel_tensor *all = epoch_of(l, 0, 0);
  sel_loader_release(l);
  return all;
}

static const uint8_t *bytes_of(const sel_tensor *t) {
  ck_assert_int_eq(sel_tensor_dtype(t), SEL_U8);
  return sel_data(t);
}

static void expect_shape(const sel_tensor *t, const char *description) {
  char text[128];
  ck_assert_str_eq(sel_describe(t, text, sizeof text), description);
}

/* k successes of n at probability p: within 5 standard deviations. */
static void expect_frequency(int64_t k, int64_t n, double p) {
  double deviation = fabs((double)k - (double)n * p) / sqrt((double)n * p * (1 - p));
  ck_assert_msg(deviation < 5, "%d of %d at p = %g: %g standard deviations off", (int)k, (int)n, p,
                deviation);
}

/* ---- crops ---- */

/* The element of numbered image at (c, y, x), `fill` outside. */
static int pixel(int c, int64_t y, int64_t x, int fill) {
  bool inside = y >= 0 && y < HEIGHT && x >= 0 && x < WIDTH;
  return inside ? (int)((c * HEIGHT + y) * WIDTH + x) + 1 : fill;
}

static bool is_window(const uint8_t *image, int64_t top, int64_t left, int64_t height,
                      int64_t width, int fill) {
  for (int c = 0; c < CHANNELS; c++)
    for (int64_t y = 0; y < height; y++)
      for (int64_t x = 0; x < width; x++)
        if (*image++ != pixel(c, top + y, left + x, fill)) return false;
  return true;
}

START_TEST(crops_are_windows_of_the_padded_image) {
  enum { N = 3200, H = 5, W = 4, FILL = 200 };
  sel_tensor *images = numbered(SEL_U8, N, CHANNELS, HEIGHT, WIDTH);
  sel_transform step = crop(H, W, 0, FILL);
  step.padding[0] = 1, step.padding[1] = 2, step.padding[2] = 3; /* left, top, right */
  sel_tensor *got = transformed(images, 1, &step);
  expect_shape(got, "u8[3200, 2, 5, 4]");
  int counts[4][8] = {{0}}; /* tops -2...1, lefts -1...6 */
  const uint8_t *image = bytes_of(got);
  for (int i = 0; i < N; i++, image += CHANNELS * H * W) {
    int found = 0;
    for (int top = -2; top <= HEIGHT - H; top++)
      for (int left = -1; left <= WIDTH + 3 - W; left++)
        if (is_window(image, top, left, H, W, FILL)) {
          found++;
          counts[top + 2][left + 1]++;
        }
    ck_assert_int_eq(found, 1);
  }
  for (int i = 0; i < 4 * 8; i++) expect_frequency(counts[i / 8][i % 8], N, 1.0 / 32);
  sel_release(got);
  sel_release(images);
}
END_TEST

START_TEST(padding_modes) {
  static const int places[][7] = {[SEL_PADDING_EDGE] = {0, 0, 0, 1, 2, 2, 2},
                                  [SEL_PADDING_REFLECT] = {2, 1, 0, 1, 2, 1, 0},
                                  [SEL_PADDING_SYMMETRIC] = {1, 0, 0, 1, 2, 2, 1}};
  sel_tensor *images = numbered(SEL_U8, 1, 1, 3, 3);
  for (int mode = SEL_PADDING_EDGE; mode <= SEL_PADDING_SYMMETRIC; mode++) {
    sel_transform step = crop(7, 7, 2, 9); /* one window: the whole */
    step.padding_mode = (sel_padding_mode)mode;
    sel_tensor *got = transformed(images, 1, &step);
    for (int i = 0; i < 49; i++)
      ck_assert_int_eq(bytes_of(got)[i], 1 + 3 * places[mode][i / 7] + places[mode][i % 7]);
    sel_release(got);
  }
  sel_release(images);
}
END_TEST

/* Offsets are those of Python's round((extent - size) / 2). */
START_TEST(center_crops) {
  static const struct {
    int64_t rest, offset;
  } cases[] = {{0, 0}, {1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 2}, {7, 4}, {9, 4}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    int64_t width = cases[k].rest + 3;
    sel_tensor *images = numbered(SEL_U8, 2, 1, 2, width);
    sel_transform step = center(1, 3);
    sel_tensor *got = transformed(images, 1, &step);
    expect_shape(got, "u8[2, 1, 1, 3]");
    for (int i = 0; i < 6; i++)
      ck_assert_int_eq(bytes_of(got)[i], 1 + cases[k].offset + i % 3); /* row 0 of 2: round(0.5) */
    sel_release(got);
    sel_release(images);
  }
}
END_TEST

/* Fills go around the image in the order of the list, and a flip turns all before it. */
START_TEST(steps_are_done_in_order) {
  static const uint8_t expected[5 * 6] = {
      /* 1 2 / 3 4, with 100 at the left, mirrored, with 200 all around */
      200, 200, 200, 200, 200, 200, /**/
      200, 2,   1,   100, 200, 200, /**/
      200, 4,   3,   100, 200, 200, /**/
      200, 200, 200, 200, 200, 200, /**/
      200, 200, 200, 200, 200, 200};
  sel_tensor *images = numbered(SEL_U8, 1, 1, 2, 2);
  sel_transform steps[] = {crop(2, 3, 0, 100), horizontal(1), crop(5, 6, 1, 200)};
  steps[0].padding[0] = 1;
  steps[2].padding[2] = steps[2].padding[3] = 2;
  sel_tensor *got = transformed(images, 3, steps);
  expect_shape(got, "u8[1, 1, 5, 6]");
  ck_assert_int_eq(memcmp(bytes_of(got), expected, sizeof expected), 0);
  sel_release(got);
  sel_release(images);
}
END_TEST

/* ---- flips ---- */

START_TEST(flips_are_mirror_images) {
  enum { N = 4000 };
  const double p = 0.3, q = 0.6;
  sel_tensor *images = numbered(SEL_U8, N, CHANNELS, HEIGHT, WIDTH);
  sel_transform steps[] = {horizontal(p), vertical(q), horizontal(0), vertical(0)};
  sel_tensor *got = transformed(images, 4, steps);
  int64_t across = 0, down = 0, both = 0;
  const uint8_t *image = bytes_of(got);
  for (int i = 0; i < N; i++, image += PIXELS) {
    bool h = image[0] % WIDTH == 0, v = (image[0] - 1) / WIDTH > 0; /* pixel of the corner */
    across += h;
    down += v;
    both += h && v;
    for (int k = 0; k < PIXELS; k++) {
      int y = k / WIDTH % HEIGHT, x = k % WIDTH;
      int want = pixel(k / (HEIGHT * WIDTH), v ? HEIGHT - 1 - y : y, h ? WIDTH - 1 - x : x, 0);
      ck_assert_int_eq(image[k], want);
    }
  }
  expect_frequency(across, N, p);
  expect_frequency(down, N, q);
  expect_frequency(both, N, p * q); /* independent of each other */
  sel_release(got);
  sel_release(images);
}
END_TEST

/* ---- erasing ---- */

typedef struct box {
  int64_t top, left, bottom, right; /* the last two not in it */
} box;

/* Where a channel differs from `plain`; false when nowhere. */
static bool changed_box(const float *channel, const float *plain, int64_t height, int64_t width,
                        box *out) {
  *out = (box){height, width, 0, 0};
  for (int64_t i = 0; i < height * width; i++) {
    int64_t y = i / width, x = i % width;
    if (channel[i] == plain[i]) continue;
    out->top = y < out->top ? y : out->top;
    out->left = x < out->left ? x : out->left;
    out->bottom = y + 1 > out->bottom ? y + 1 : out->bottom;
    out->right = x + 1 > out->right ? x + 1 : out->right;
  }
  return out->bottom > 0;
}

/* Height and width were rounded from numbers within the ranges. */
static void expect_allowed(const sel_transform *s, const box *b, int64_t height, int64_t width) {
  double h = (double)(b->bottom - b->top), w = (double)(b->right - b->left);
  double area = (double)(height * width);
  ck_assert_double_lt(h, (double)height);
  ck_assert_double_lt(w, (double)width);
  ck_assert_double_le((h - 0.5) * (w - 0.5), area * s->scale[1]);
  ck_assert_double_ge((h + 0.5) * (w + 0.5), area * s->scale[0]);
  ck_assert_double_le((h - 0.5) / (w + 0.5), s->ratio[1]);
  ck_assert_double_ge((h + 0.5) / (w - 0.5), s->ratio[0]);
}

START_TEST(erases_rectangles_after_normalisation) {
  enum { N = 2000, H = 30, W = 41 };
  const double mean[] = {100, 900}, std[] = {50, 70}, values[] = {-77, 55};
  sel_tensor *images = numbered(SEL_F32, N, 2, H, W);
  sel_transform step = erasing(0.25, values, 2);
  sel_loader_field field = field_of(images, SEL_F32, 1, &step);
  field.channels = 2, field.mean = mean, field.std = std;
  sel_loader *l = loader_of(1, &field, 64, 1);
  sel_tensor *all = epoch_of(l, 0, 0);
  const float *channel = sel_data(all);
  float plain[2][H * W];
  for (int i = 0; i < 2 * H * W; i++)
    plain[i / (H * W)][i % (H * W)] = (float)(i + 1 - mean[i / (H * W)]) / (float)std[i / (H * W)];
  int erased = 0;
  double least = 1, most = 0, tall = 0;
  for (int i = 0; i < N; i++) {
    box boxes[2];
    bool changed[2];
    for (int c = 0; c < 2; c++, channel += H * W) {
      const box *b = &boxes[c];
      changed[c] = changed_box(channel, plain[c], H, W, &boxes[c]);
      if (!changed[c]) continue;
      expect_allowed(&step, b, H, W);
      for (int64_t y = b->top; y < b->bottom; y++)
        for (int64_t x = b->left; x < b->right; x++)
          ck_assert_float_eq(channel[y * W + x], (float)values[c]);
    }
    ck_assert_int_eq(changed[0], changed[1]);
    ck_assert(!changed[0] || memcmp(&boxes[0], &boxes[1], sizeof(box)) == 0);
    if (!changed[0]) continue;
    int64_t h = boxes[0].bottom - boxes[0].top, w = boxes[0].right - boxes[0].left;
    double part = (double)(h * w) / (H * W);
    erased++;
    least = part < least ? part : least;
    most = part > most ? part : most;
    tall += h > w;
  }
  expect_frequency(erased, N, 0.25);
  ck_assert_double_lt(least, 0.04); /* the range is used */
  ck_assert_double_gt(most, 0.29);
  ck_assert(tall > 0.3 * erased && tall < 0.7 * erased);
  sel_release(all);
  sel_loader_release(l);
  sel_release(images);
}
END_TEST

/* Padding is put around the raw rows, so it is normalised with them. */
START_TEST(fills_in_the_units_of_the_rows) {
  const double mean = 0.5, std = 0.25;
  sel_tensor *images = numbered(SEL_U8, 1, 1, 1, 1);
  sel_transform step = crop(3, 3, 1, 255);
  for (int to = 0; to < SEL_DTYPE_COUNT; to++) {
    if (!sel_dtype_is_float((sel_dtype)to)) continue;
    sel_loader_field field = field_of(images, (sel_dtype)to, 1, &step);
    field.scale = 1.0 / 255, field.channels = 1, field.mean = &mean, field.std = &std;
    sel_loader *l = loader_of(1, &field, 1, 0);
    sel_tensor *all = epoch_of(l, 0, 0);
    for (int64_t i = 0; i < 9; i++) {
      double value, want = i == 4 ? (1.0 / 255 - 0.5) / 0.25 : 2;
      ASSERT_OK(sel_get(all, 4, (int64_t[]){0, 0, i / 3, i % 3}, &value));
      ck_assert_double_eq_tol(value, want, to == SEL_F32 || to == SEL_F64 ? 1e-6 : 0.02);
    }
    sel_release(all);
    sel_loader_release(l);
  }
  sel_release(images);
}
END_TEST

/* ---- what the batches depend on ---- */

/* A custom step: adds 1000 times a number drawn from the seed. */
static void add_noise(void *context, void *values, sel_dtype dtype, const int64_t shape[3],
                      uint64_t seed) {
  float *v = values;
  ck_assert_int_eq(dtype, SEL_F32);
  __atomic_fetch_add((int64_t *)context, 1, __ATOMIC_RELAXED);
  for (int64_t i = 0; i < shape[0] * shape[1] * shape[2]; i++) v[i] += 1000 * (float)(seed % 64);
}

static int64_t noise_calls;
static void all_steps(sel_transform steps[6]) {
  steps[0] = crop(HEIGHT, WIDTH, 2, 0);
  steps[1] = horizontal(0.5);
  steps[2] = crop(4, 5, 1, 0);
  steps[2].padding_mode = SEL_PADDING_REFLECT;
  steps[3] = vertical(0.5);
  steps[4] = erasing(0.5, &zero, 1);
  steps[5] = STEP(.kind = SEL_TRANSFORM_CUSTOM, .fn = add_noise, .context = &noise_calls);
}

START_TEST(depends_on_seed_and_epoch_alone) {
  enum { N = 103 };
  sel_tensor *images = numbered(SEL_U8, N, CHANNELS, HEIGHT, WIDTH);
  sel_transform steps[6];
  all_steps(steps);
  sel_loader_field field = field_of(images, SEL_F32, 6, steps);
  sel_loader *alone = loader_of(1, &field, N, 0);
  sel_tensor *before = NULL;
  for (int64_t epoch = 0; epoch < 3; epoch++) {
    sel_tensor *expected = epoch_of(alone, epoch, 0);
    expect_shape(expected, "f32[103, 2, 4, 5]");
    for (int workers = 0; workers <= 3; workers++)
      for (int64_t batch_size = 1; batch_size <= 50; batch_size += 7) {
        sel_loader *l = loader_of(1, &field, batch_size, workers);
        sel_tensor *got = epoch_of(l, epoch, 0);
        assert_same_tensor(expected, got);
        sel_release(got);
        sel_loader_release(l);
      }
    if (before) {
      ck_assert_int_ne(memcmp(sel_data(before), sel_data(expected), tensor_bytes(before)), 0);
      sel_release(before);
    }
    before = expected;
  }
  sel_release(before);
  noise_calls = 0;
  sel_release(epoch_of(alone, 0, 0));
  ck_assert_int_eq(noise_calls, N); /* once an image */
  sel_loader_release(alone);
  sel_release(images);
}
END_TEST

START_TEST(resumes_with_the_same_images) {
  sel_tensor *images = numbered(SEL_U8, 103, CHANNELS, HEIGHT, WIDTH);
  sel_transform steps[6];
  all_steps(steps);
  sel_loader_field field = field_of(images, SEL_F32, 6, steps);
  for (int workers = 0; workers <= 3; workers += 3) {
    sel_loader *l = loader_of(1, &field, 10, workers);
    sel_tensor *whole = epoch_of(l, 2, 0);
    for (int64_t first = 0; first < 11; first++) {
      sel_tensor *tail = epoch_of(l, 2, first), *expected, *copy;
      ASSERT_OK(sel_narrow(whole, 0, first * 10, 103 - first * 10, &expected));
      ASSERT_OK(sel_contiguous(expected, &copy));
      assert_same_tensor(copy, tail);
      sel_release(copy);
      sel_release(expected);
      sel_release(tail);
    }
    sel_release(whole);
    sel_loader_release(l);
  }
  sel_release(images);
}
END_TEST

/* The stream is part of what a seed promises: the same in every version and on every machine. */
START_TEST(the_stream_is_pinned) {
  sel_tensor *images = numbered(SEL_U8, 24, 1, 1, 2);
  sel_transform step = horizontal(0.5);
  sel_tensor *got = transformed(images, 1, &step);
  char flips[25] = "";
  for (int i = 0; i < 24; i++) flips[i] = bytes_of(got)[2 * i] == 2 ? '1' : '0';
  ck_assert_str_eq(flips, "100010000001001111101011");
  sel_release(got);
  sel_release(images);
}
END_TEST

START_TEST(fields_with_the_same_list_stay_together) {
  enum { N = 40 };
  sel_tensor *images = numbered(SEL_U8, N, 1, HEIGHT, WIDTH), *masks, *flat, *fields[2];
  ASSERT_OK(sel_to(images, SEL_I64, NULL, &flat)); /* other dtype, no channels */
  ASSERT_OK(sel_reshape(flat, 3, (int64_t[]){N, HEIGHT, WIDTH}, &masks));
  sel_transform steps[] = {crop(HEIGHT, WIDTH, 2, 0), horizontal(0.5), vertical(0.5)};
  sel_loader_field both[] = {field_of(images, SEL_F32, 3, steps),
                             field_of(masks, SEL_I64, 3, steps)};
  sel_loader *l = loader_of(2, both, N, 1);
  bool more;
  ASSERT_OK(sel_loader_start(l, 0, 0));
  ASSERT_OK(sel_loader_next(l, NULL, fields, &more));
  expect_shape(fields[1], "i64[40, 6, 7]");
  const float *image = sel_data(fields[0]);
  const int64_t *mask = sel_data(fields[1]);
  for (int i = 0; i < N * HEIGHT * WIDTH; i++) ck_assert_int_eq((int64_t)image[i], mask[i]);
  sel_release(fields[0]);
  sel_release(fields[1]);
  sel_loader_release(l);
  sel_release(images);
  sel_release(masks);
  sel_release(flat);
}
END_TEST

/* ---- dtypes, extents ---- */

/* Elements of every size are moved, whether workers or the backend convert them. */
START_TEST(moves_every_dtype) {
  sel_transform steps[] = {crop(3, 3, 1, 1), horizontal(1)};
  steps[0].padding[2] = steps[0].padding[3] = 0; /* 1 at the left and on top, then mirrored */
  static const double want[9] = {1, 1, 1, 2, 1, 1, 4, 3, 1};
  for (int from = 0; from < SEL_DTYPE_COUNT; from++)
    for (int to = 0; to < SEL_DTYPE_COUNT; to++) {
      sel_tensor *images = numbered((sel_dtype)from, 2, 1, 2, 2);
      sel_loader_field field = field_of(images, (sel_dtype)to, 2, steps);
      sel_loader *l = loader_of(1, &field, 2, 1);
      sel_tensor *all = epoch_of(l, 0, 0);
      for (int64_t i = 0; i < 18; i++) {
        double value, expected = from == SEL_BOOL || to == SEL_BOOL ? 1 : want[i % 9];
        ASSERT_OK(sel_get(all, 4, (int64_t[]){i / 9, 0, i % 9 / 3, i % 3}, &value));
        ck_assert_msg(value == expected, "%s to %s: element %d is %g",
                      sel_dtype_name((sel_dtype)from), sel_dtype_name((sel_dtype)to), (int)i,
                      value);
      }
      sel_release(all);
      sel_loader_release(l);
      sel_release(images);
    }
}
END_TEST

START_TEST(one_pixel) {
  sel_tensor *images = numbered(SEL_U8, 30, 1, 1, 1);
  sel_transform steps[] = {crop(1, 1, 0, 0), horizontal(0.5), vertical(0.5), center(1, 1),
                           erasing(1, &zero, 1)}; /* no rectangle is smaller */
  sel_tensor *got = transformed(images, 5, steps);
  for (int i = 0; i < 30; i++) ck_assert_int_eq(bytes_of(got)[i], 1);
  sel_release(got);
  steps[0] = crop(1, 1, 1, 0); /* the pixel, or one of the 8 around it */
  got = transformed(images, 1, steps);
  int kept = 0;
  for (int i = 0; i < 30; i++) kept += bytes_of(got)[i];
  ck_assert(kept > 0 && kept < 15);
  sel_release(got);
  sel_release(images);
}
END_TEST

START_TEST(nothing_to_transform) {
  sel_transform steps[] = {crop(4, 4, 2, 7), horizontal(0.5), erasing(1, &zero, 1)};
  sel_tensor *none = make_tensor(SEL_U8, 4, (int64_t[]){0, 3, 5, 5}), *t;
  sel_loader_field field = field_of(none, SEL_F32, 3, steps);
  sel_loader *l = loader_of(1, &field, 4, 2);
  bool more = true;
  ck_assert_int_eq(sel_loader_batches(l), 0);
  ASSERT_OK(sel_loader_start(l, 0, 0));
  ASSERT_OK(sel_loader_next(l, NULL, &t, &more));
  ck_assert(!more);
  sel_loader_release(l);
  sel_release(none);

  sel_tensor *no_channels = make_tensor(SEL_U8, 4, (int64_t[]){3, 0, 5, 5});
  sel_tensor *got = transformed(no_channels, 3, steps);
  expect_shape(got, "u8[3, 0, 4, 4]");
  sel_release(got);
  sel_release(no_channels);

  sel_tensor *no_pixels = make_tensor(SEL_U8, 3, (int64_t[]){3, 0, 5});
  got = transformed(no_pixels, 2, steps); /* padding alone */
  expect_shape(got, "u8[3, 4, 4]");
  for (int i = 0; i < 48; i++) ck_assert_int_eq(bytes_of(got)[i], 7);
  sel_release(got);
  sel_release(no_pixels);
}
END_TEST

/* ---- mistakes ---- */

START_TEST(refuses_mistakes) {
  sel_tensor *images = numbered(SEL_U8, 4, 2, 28, 20), *half, *flat = NULL;
  ASSERT_OK(sel_to(images, SEL_F16, NULL, &half));
  ASSERT_OK(sel_reshape(images, 2, (int64_t[]){8, 560}, &flat));
  const sel_loader_settings settings = {
      .size = sizeof settings, .batch_size = 4, .workers = 1, .prefetch = 1};
  const double huge = 300, three[3] = {0};
  sel_loader *l = NULL;
#define REFUSED(status, rows, dtype, step, ...)                                              \
  do {                                                                                       \
    sel_transform wrong = step;                                                              \
    sel_loader_field field = field_of(rows, dtype, 1, &wrong);                               \
    ASSERT_FAILS(status, sel_loader_new(&settings, 1, &field, &l), "loader: ", __VA_ARGS__); \
  } while (0)
  REFUSED(SEL_E_SHAPE, images, SEL_F32, crop(40, 24, 2, 0), "random_crop", "40x24", "28x20",
          "32x24");
  REFUSED(SEL_E_SHAPE, images, SEL_F32, crop(0, 4, 2, 0), "random_crop", "0x4");
  REFUSED(SEL_E_SHAPE, images, SEL_F32, center(28, 21), "center_crop", "28x21", "28x20");
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, crop(28, 20, -1, 0), "random_crop", "padding", "-1");
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, crop(28, 20, 1, 256), "fill", "u8", "256");
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, crop(28, 20, 1, 0.5), "fill", "u8", "0.5");
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, crop(28, 20, 1, NAN), "fill", "u8", "nan");
  REFUSED(SEL_E_ARGUMENT, images, SEL_U8, erasing(1, &huge, 1), "value", "u8", "300");
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, erasing(1, three, 3), "1 value or 2", "3");
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, erasing(1, NULL, 1), "value");
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, horizontal(1.5), "random_horizontal_flip", "1.5");
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, vertical(-0.5), "random_vertical_flip", "-0.5");
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, erasing(NAN, &zero, 1), "random_erasing", "nan");
  REFUSED(SEL_E_DTYPE, half, SEL_F32, erasing(1, &zero, 1), "random_erasing", "f16", "f32");
  REFUSED(SEL_E_SHAPE, flat, SEL_F32, horizontal(0.5), "images", "u8[8, 560]");
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, STEP(.kind = SEL_TRANSFORM_CUSTOM), "function");
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, STEP(.kind = (sel_transform_kind)77), "77");
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, ((sel_transform){.size = 3}), "3");
  sel_transform reflect = crop(28, 20, 20, 0), scale = erasing(1, &zero, 1), ratio = scale;
  reflect.padding_mode = SEL_PADDING_REFLECT;
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, reflect, "reflect", "19", "28x20", "got 20");
  reflect.padding_mode = (sel_padding_mode)9;
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, reflect, "padding mode 9");
  scale.scale[1] = 1.5;
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, scale, "scale", "1.5");
  ratio.ratio[0] = 0;
  REFUSED(SEL_E_ARGUMENT, images, SEL_F32, ratio, "ratio");
  sel_transform late[] = {erasing(1, &zero, 1), horizontal(1)};
  sel_loader_field field = field_of(images, SEL_F32, 2, late);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_new(&settings, 1, &field, &l), "random_horizontal_flip",
               "behind random_erasing");
  field.n_transforms = -1;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_new(&settings, 1, &field, &l), "transforms", "-1");
  field.size = 3;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_new(&settings, 1, &field, &l), "3");
  ck_assert_ptr_null(l);
  sel_release(images);
  sel_release(half);
  sel_release(flat);
}
END_TEST

/* A program built before there were transforms passes descriptions that end earlier. */
START_TEST(takes_shorter_descriptions) {
  struct {
    size_t size;
    sel_tensor *rows;
    sel_dtype dtype;
    double scale;
    int channels;
    const double *mean, *std;
  } fields[2];
  memset(fields, 0, sizeof fields);
  for (int f = 0; f < 2; f++) {
    fields[f].size = sizeof *fields;
    fields[f].dtype = SEL_U8;
    fields[f].scale = 1;
    fields[f].rows = numbered(SEL_U8, 3, 1, f + 1, 2);
  }
  sel_loader *l = loader_of(2, (const sel_loader_field *)(const void *)fields, 3, 1);
  sel_tensor *batch[2];
  bool more;
  ASSERT_OK(sel_loader_start(l, 0, 0));
  ASSERT_OK(sel_loader_next(l, NULL, batch, &more));
  for (int f = 0; f < 2; f++) {
    assert_same_tensor(fields[f].rows, batch[f]);
    sel_release(batch[f]);
    sel_release(fields[f].rows);
  }
  sel_loader_release(l);
}
END_TEST

static sel_status run_an_epoch(void *context) {
  sel_transform steps[6];
  all_steps(steps);
  sel_loader_field field = field_of(context, SEL_F32, 6, steps);
  sel_loader_settings settings = {
      .size = sizeof settings, .batch_size = 4, .workers = 1, .prefetch = 2};
  sel_loader *l = NULL;
  sel_tensor *batch;
  bool more = true;
  sel_status status = sel_loader_new(&settings, 1, &field, &l);
  if (status == SEL_OK) status = sel_loader_start(l, 0, 0);
  while (status == SEL_OK && more) {
    status = sel_loader_next(l, NULL, &batch, &more);
    if (status == SEL_OK && more) sel_release(batch);
  }
  sel_loader_release(l);
  return status;
}

START_TEST(survives_failing_allocations) {
  sel_tensor *images = numbered(SEL_U8, 10, CHANNELS, HEIGHT, WIDTH);
  expect_memory_errors(run_an_epoch, images);
  sel_release(images);
}
END_TEST

RUN_SUITE("transforms", crops_are_windows_of_the_padded_image, padding_modes, center_crops,
          steps_are_done_in_order, flips_are_mirror_images, erases_rectangles_after_normalisation,
          fills_in_the_units_of_the_rows, depends_on_seed_and_epoch_alone,
          resumes_with_the_same_images, the_stream_is_pinned,
          fields_with_the_same_list_stay_together, moves_every_dtype, one_pixel,
          nothing_to_transform, refuses_mistakes, takes_shorter_descriptions,
          survives_failing_allocations)
