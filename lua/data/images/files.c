/* A list of image files as rows of a loader: decoded, given their channels and their size. Any
 * number of threads may read rows at once: nothing here changes but the count of holders. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"

struct sel_image_files {
  atomic_int holders;
  sel_image_settings settings;
  int64_t n;
  char **paths;
};

static const char operation[] = "image_folder";

/* ---- one row ---- */

static sel_status check_size(const sel_image_settings *s, const sel_tensor *image) {
  int64_t height = sel_size(image, 0), width = sel_size(image, 1);
  SEL_CHECK(height == s->height && width == s->width, SEL_E_FILE,
            "expected %lld x %lld pixels (height x width) as the others have, got %lld x %lld; the "
            "option 'size' makes them alike",
            (long long)s->height, (long long)s->width, (long long)height, (long long)width);
  return SEL_OK;
}

/* Half of `rest`, a half rounded to even, as Python's round does for torchvision's CenterCrop. */
static int64_t middle(int64_t rest) { return rest / 2 + (rest & (rest / 2) & 1); }

static sel_status to_size(const sel_image_settings *s, sel_tensor *image, sel_tensor **out) {
  int64_t size[2], height = sel_size(image, 0), width = sel_size(image, 1);
  if (s->fit == SEL_IMAGE_EXACT) {
    SEL_TRY(check_size(s, image));
    *out = sel_retain(image);
    return SEL_OK;
  }
  image_fit(s, height, width, size);
  return image_resample(image, size, middle(size[0] - s->height), middle(size[1] - s->width),
                        s->height, s->width, out);
}

/* [height, width, channels] to [channels, height, width]. */
static void write_planes(const sel_tensor *image, uint8_t *out) {
  int64_t channels = sel_size(image, 2), pixels = sel_size(image, 0) * sel_size(image, 1);
  const uint8_t *x = sel_data(image);
  for (int64_t c = 0; c < channels; c++)
    for (int64_t i = 0; i < pixels; i++) *out++ = x[i * channels + c];
}

static sel_status make_row(const sel_image_settings *s, const char *path, uint8_t *out) {
  sel_tensor *decoded = NULL, *coloured = NULL, *sized = NULL;
  sel_status status = image_decode(path, s, &decoded);
  if (status == SEL_OK) status = image_to_channels(decoded, s->channels, &coloured);
  if (status == SEL_OK) status = to_size(s, coloured, &sized);
  if (status == SEL_OK) write_planes(sized, out);
  sel_release(decoded);
  sel_release(coloured);
  sel_release(sized);
  return status;
}

static sel_status read_row(void *context, int64_t row, void *out) {
  sel_image_files *f = context;
  return image_name_file(make_row(&f->settings, f->paths[row], out), operation, f->paths[row]);
}

/* ---- the list ---- */

static void retain(void *context) { atomic_fetch_add(&((sel_image_files *)context)->holders, 1); }

static void release(void *context) {
  sel_image_files *f = context;
  if (!f || atomic_fetch_sub(&f->holders, 1) > 1) return;
  for (int64_t i = 0; f->paths && i < f->n; i++) free(f->paths[i]);
  free(f->paths);
  free(f);
}

void sel_image_files_release(sel_image_files *files) { release(files); }

/* The size of the first file that can be read; that of the last failure where none can. */
static sel_status first_size(sel_image_files *f) {
  sel_status status = sel_fail(SEL_E_FILE, "%s: there are no files", operation);
  for (int64_t i = 0; i < f->n; i++) {
    sel_tensor *image;
    status = image_name_file(image_decode(f->paths[i], NULL, &image), operation, f->paths[i]);
    if (status != SEL_OK) continue;
    f->settings.height = sel_size(image, 0);
    f->settings.width = sel_size(image, 1);
    sel_release(image);
    return SEL_OK;
  }
  return status;
}

static sel_status check_settings(const sel_image_settings *s) {
  SEL_CHECK(s->channels == 1 || s->channels == 3, SEL_E_ARGUMENT,
            "%s: expected 1 or 3 channels, got %d", operation, s->channels);
  bool asked = s->height != 0 || s->width != 0 || s->fit != SEL_IMAGE_EXACT;
  SEL_CHECK(
      !asked || (s->height >= 1 && s->width >= 1 && s->height <= 1 << 16 && s->width <= 1 << 16),
      SEL_E_ARGUMENT, "%s: expected sizes from 1 to %d, got %lld x %lld", operation, 1 << 16,
      (long long)s->height, (long long)s->width);
  return SEL_OK;
}

static sel_status fill(sel_image_files *f, const char *const *paths) {
  f->paths = calloc((size_t)f->n + 1, sizeof *f->paths);
  bool enough = f->paths != NULL;
  for (int64_t i = 0; enough && i < f->n; i++) enough = (f->paths[i] = strdup(paths[i])) != NULL;
  SEL_CHECK(enough, SEL_E_MEMORY, "%s: out of host memory for %lld names", operation,
            (long long)f->n);
  return f->settings.height == 0 ? first_size(f) : SEL_OK;
}

sel_status sel_image_files_new(int64_t n, const char *const *paths,
                               const sel_image_settings *settings, sel_image_files **out) {
  SEL_TRY(check_settings(settings));
  sel_image_files *f = calloc(1, sizeof *f);
  SEL_CHECK(f, SEL_E_MEMORY, "%s: out of host memory", operation);
  atomic_init(&f->holders, 1);
  f->settings = *settings;
  f->n = n;
  sel_status status = fill(f, paths);
  if (status != SEL_OK) {
    release(f);
    return status;
  }
  *out = f;
  return SEL_OK;
}

void sel_image_files_source(sel_image_files *f, sel_row_source *out) {
  *out = (sel_row_source){.size = sizeof *out,
                          .count = f->n,
                          .dtype = SEL_U8,
                          .ndim = 3,
                          .shape = {f->settings.channels, f->settings.height, f->settings.width},
                          .read = read_row,
                          .retain = retain,
                          .release = release,
                          .context = f};
}
