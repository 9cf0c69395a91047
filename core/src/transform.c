/* Checks a field's list of transforms and keeps it with the values it writes, encoded. */
#include "transform.h"

#include <string.h>

#include "element.h"

static const char *const names[] = {
    [SEL_TRANSFORM_RANDOM_CROP] = "random_crop",
    [SEL_TRANSFORM_CENTER_CROP] = "center_crop",
    [SEL_TRANSFORM_RANDOM_HORIZONTAL_FLIP] = "random_horizontal_flip",
    [SEL_TRANSFORM_RANDOM_VERTICAL_FLIP] = "random_vertical_flip",
    [SEL_TRANSFORM_RANDOM_ERASING] = "random_erasing",
    [SEL_TRANSFORM_CUSTOM] = "custom transform",
};

static bool moves(const sel_transform *s) { return s->kind < SEL_TRANSFORM_RANDOM_ERASING; }

/* ---- crops: `image` is the height and width before the step, and after it ---- */

static sel_status check_padding(const sel_transform *s, const int64_t image[2]) {
  static const char *const modes[] = {"constant", "edge", "reflect", "symmetric"};
  SEL_CHECK(s->padding_mode >= SEL_PADDING_CONSTANT && s->padding_mode <= SEL_PADDING_SYMMETRIC,
            SEL_E_ARGUMENT, "loader: random_crop: there is no padding mode %d",
            (int)s->padding_mode);
  for (int side = 0; side < 4; side++) {
    int64_t extent = image[side % 2 == 0], amount = s->padding[side], most = INT32_MAX;
    if (s->padding_mode == SEL_PADDING_EDGE && extent == 0) most = 0;
    if (s->padding_mode == SEL_PADDING_REFLECT) most = extent > 0 ? extent - 1 : 0;
    if (s->padding_mode == SEL_PADDING_SYMMETRIC) most = extent;
    SEL_CHECK(amount >= 0 && amount <= most, SEL_E_ARGUMENT,
              "loader: random_crop: expected %s padding from 0 to %lld for an image of %lldx%lld, "
              "got %lld",
              modes[s->padding_mode], (long long)most, (long long)image[0], (long long)image[1],
              (long long)amount);
  }
  return SEL_OK;
}

static sel_status check_crop(const sel_transform *s, int64_t image[2]) {
  int64_t height = image[0], width = image[1];
  if (s->kind == SEL_TRANSFORM_RANDOM_CROP) {
    SEL_TRY(check_padding(s, image));
    height += s->padding[1] + s->padding[3];
    width += s->padding[0] + s->padding[2];
  }
  SEL_CHECK(s->height >= 1 && s->width >= 1, SEL_E_SHAPE,
            "loader: %s: expected a size of 1x1 or more, got %lldx%lld", names[s->kind],
            (long long)s->height, (long long)s->width);
  SEL_CHECK(s->height <= height && s->width <= width, SEL_E_SHAPE,
            "loader: %s: %lldx%lld can't be cut out of an image of %lldx%lld, %lldx%lld with its "
            "padding",
            names[s->kind], (long long)s->height, (long long)s->width, (long long)image[0],
            (long long)image[1], (long long)height, (long long)width);
  image[0] = s->height;
  image[1] = s->width;
  return SEL_OK;
}

/* ---- erasing ---- */

static sel_status check_erasing(const sel_transform *s, int64_t channels) {
  SEL_CHECK(s->scale[0] >= 0 && s->scale[0] <= s->scale[1] && s->scale[1] <= 1, SEL_E_ARGUMENT,
            "loader: random_erasing: expected a scale of two rising numbers from 0 to 1, got %g "
            "and %g",
            s->scale[0], s->scale[1]);
  SEL_CHECK(s->ratio[0] > 0 && s->ratio[0] <= s->ratio[1] && s->ratio[1] <= 1e9, SEL_E_ARGUMENT,
            "loader: random_erasing: expected a ratio of two rising numbers above 0, got %g and %g",
            s->ratio[0], s->ratio[1]);
  SEL_CHECK(s->values && (s->n_values == 1 || s->n_values == channels), SEL_E_ARGUMENT,
            "loader: random_erasing: expected 1 value or %lld, one a channel, got %d",
            (long long)channels, s->n_values);
  return SEL_OK;
}

/* ---- the list ---- */

static sel_status check_step(const sel__transforms *t, int k, int64_t image[2]) {
  const sel_transform *s = &t->steps[k];
  SEL_CHECK((unsigned)s->kind < sizeof names / sizeof *names, SEL_E_ARGUMENT,
            "loader: there is no transform of kind %d", (int)s->kind);
  SEL_CHECK(!moves(s) || k == 0 || moves(s - 1), SEL_E_ARGUMENT,
            "loader: %s is behind %s; crops and flips come before what changes values",
            names[s->kind], names[s[-1].kind]);
  switch (s->kind) {
    case SEL_TRANSFORM_RANDOM_CROP:
    case SEL_TRANSFORM_CENTER_CROP:
      return check_crop(s, image);
    case SEL_TRANSFORM_CUSTOM:
      SEL_CHECK(s->fn, SEL_E_ARGUMENT, "loader: custom transform: expected a function, got NULL");
      return SEL_OK;
    default:
      SEL_CHECK(s->p >= 0 && s->p <= 1, SEL_E_ARGUMENT,
                "loader: %s: expected a probability from 0 to 1, got %g", names[s->kind], s->p);
      return s->kind == SEL_TRANSFORM_RANDOM_ERASING ? check_erasing(s, t->from[0]) : SEL_OK;
  }
}

static sel_status encode_step(sel__transforms *t, int k, const sel_loader_field *field) {
  const sel_transform *s = &t->steps[k];
  const char *name = names[s->kind];
  sel_device *cpu = sel_tensor_device(field->rows);
  if (s->kind == SEL_TRANSFORM_RANDOM_CROP && s->padding_mode == SEL_PADDING_CONSTANT)
    return sel__element(name, "fill", s->fill, t->rows, cpu,
                        t->fills + (size_t)k * sel_dtype_size(t->rows));
  if (moves(s)) return SEL_OK;
  SEL_CHECK(t->values != SEL_DTYPE_COUNT, SEL_E_DTYPE,
            "loader: %s: workers can't convert %s to %s; convert the rows before", name,
            sel_dtype_name(t->rows), sel_dtype_name(field->dtype));
  if (s->kind == SEL_TRANSFORM_CUSTOM) return SEL_OK;
  size_t size = sel_dtype_size(t->values);
  char *to = t->erased + (size_t)(k * t->to[0]) * size;
  for (int64_t c = 0; c < t->to[0]; c++, to += size)
    SEL_TRY(sel__element(name, "value", s->values[s->n_values == 1 ? 0 : c], t->values, cpu, to));
  return SEL_OK;
}

static sel_status check_images(const sel_loader_field *field, int64_t image[3]) {
  char text[256];
  int ndim = sel_ndim(field->rows);
  sel_describe(field->rows, text, sizeof text);
  SEL_CHECK(ndim == 3 || ndim == 4, SEL_E_SHAPE,
            "loader: transforms: expected images, [N, height, width] or [N, channels, height, "
            "width], got %s",
            text);
  SEL_CHECK(ndim == 4 || field->channels <= 1, SEL_E_SHAPE,
            "loader: transforms: expected one mean and std for images without channels, %s, got %d",
            text, field->channels);
  const int64_t *shape = sel_shape(field->rows);
  image[0] = ndim == 4 ? shape[1] : 1;
  image[1] = shape[ndim - 2];
  image[2] = shape[ndim - 1];
  SEL_CHECK(image[0] <= INT32_MAX && image[1] <= INT32_MAX && image[2] <= INT32_MAX, SEL_E_SHAPE,
            "loader: transforms: the images of %s are too large", text);
  return SEL_OK;
}

static sel_status keep(const sel_loader_field *field, sel__transforms *t) {
  int64_t *image = &t->to[1];
  SEL_TRY(check_images(field, t->from));
  memcpy(t->to, t->from, sizeof t->to);
  memcpy(t->room, image, sizeof t->room);
  t->n = field->n_transforms;
  t->rows = sel_tensor_dtype(field->rows);
  size_t n = (size_t)t->n;
  t->steps = sel__alloc(n * sizeof *t->steps);
  t->fills = sel__zalloc(n * sel_dtype_size(t->rows));
  t->erased = sel__zalloc(n * (size_t)t->from[0] * sizeof(double) + 1);
  if (!t->steps || !t->fills || !t->erased) return SEL_E_MEMORY;
  for (int k = 0; k < t->n; k++) {
    SEL_CHECK(field->transforms[k].size == sizeof *t->steps, SEL_E_ARGUMENT,
              "loader: expected a transform of %zu bytes, got %zu", sizeof *t->steps,
              field->transforms[k].size);
    t->steps[k] = field->transforms[k];
    SEL_TRY(check_step(t, k, image));
    SEL_TRY(encode_step(t, k, field));
    t->n_moves += moves(&t->steps[k]);
    for (int d = 0; d < 2; d++)
      if (image[d] > t->room[d]) t->room[d] = image[d];
  }
  SEL_CHECK((double)t->to[0] * (double)image[0] * (double)image[1] < 0x1p53, SEL_E_SHAPE,
            "loader: transforms: a result of %lldx%lldx%lld is too large", (long long)t->to[0],
            (long long)image[0], (long long)image[1]);
  return SEL_OK;
}

sel_status sel__transforms_new(const sel_loader_field *field, sel_dtype values,
                               sel__transforms **out) {
  SEL_CHECK(field->n_transforms > 0 && field->transforms, SEL_E_ARGUMENT,
            "loader: expected a list of transforms, got %d at %p", field->n_transforms,
            (const void *)field->transforms);
  sel__transforms *t = sel__zalloc(sizeof *t);
  if (!t) return SEL_E_MEMORY;
  t->values = values;
  sel_status status = keep(field, t);
  if (status != SEL_OK) {
    sel__transforms_release(t);
    return status;
  }
  *out = t;
  return SEL_OK;
}

void sel__transforms_release(sel__transforms *t) {
  if (!t) return;
  sel__free(t->steps);
  sel__free(t->fills);
  sel__free(t->erased);
  sel__free(t);
}
