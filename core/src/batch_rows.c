/* See batch_rows.h.
 *
 * What networks are fed with (u8 images to floats, u8 labels to class ids, f32 as it is) is
 * converted as the rows are copied. Other conversions copy the rows as they are; the backend's copy
 * kernel converts in `finish`.
 */
#include "batch_rows.h"

#include <string.h>

#include "selenite/autograd.h"
#include "selenite/ops.h"
#include "transform.h"

/* y = (x * scale - mean) / std for float y, y = x otherwise. */
typedef void (*convert_fn)(const void *x, void *y, int64_t n, double scale, double mean,
                           double std);

#define TO_FLOAT(name, from, to)                                                     \
  static void name(const void *x_, void *y_, int64_t n, double scale_, double mean_, \
                   double std_) {                                                    \
    const from *x = x_;                                                              \
    to *y = y_;                                                                      \
    to scale = (to)scale_, mean = (to)mean_, std = (to)std_;                         \
    for (int64_t i = 0; i < n; i++) y[i] = ((to)x[i] * scale - mean) / std;          \
  }
#define TO_INTEGER(name, from, to)                                                               \
  static void name(const void *x_, void *y_, int64_t n, double scale, double mean, double std) { \
    const from *x = x_;                                                                          \
    to *y = y_;                                                                                  \
    (void)scale, (void)mean, (void)std;                                                          \
    for (int64_t i = 0; i < n; i++) y[i] = (to)x[i];                                             \
  }

/* Conversions made as rows are copied: X(kind, from dtype, C type, to dtype, C type). */
#define DIRECT(X)                            \
  X(TO_FLOAT, U8, uint8_t, F32, float)       \
  X(TO_FLOAT, BOOL, uint8_t, F32, float)     \
  X(TO_FLOAT, I32, int32_t, F32, float)      \
  X(TO_FLOAT, I64, int64_t, F32, float)      \
  X(TO_FLOAT, F32, float, F32, float)        \
  X(TO_FLOAT, F64, double, F32, float)       \
  X(TO_FLOAT, U8, uint8_t, F64, double)      \
  X(TO_FLOAT, BOOL, uint8_t, F64, double)    \
  X(TO_FLOAT, I32, int32_t, F64, double)     \
  X(TO_FLOAT, I64, int64_t, F64, double)     \
  X(TO_FLOAT, F32, float, F64, double)       \
  X(TO_FLOAT, F64, double, F64, double)      \
  X(TO_INTEGER, U8, uint8_t, I32, int32_t)   \
  X(TO_INTEGER, U8, uint8_t, I64, int64_t)   \
  X(TO_INTEGER, BOOL, uint8_t, I32, int32_t) \
  X(TO_INTEGER, BOOL, uint8_t, I64, int64_t) \
  X(TO_INTEGER, I32, int32_t, I64, int64_t)  \
  X(TO_INTEGER, I64, int64_t, I32, int32_t)

#define DEFINE(kind, from, from_type, to, to_type) kind(from##_to_##to, from_type, to_type)
DIRECT(DEFINE)
#undef DEFINE

#define ENTRY(kind, from, from_type, to, to_type) [SEL_##from][SEL_##to] = from##_to_##to,
static const convert_fn direct[SEL_DTYPE_COUNT][SEL_DTYPE_COUNT] = {DIRECT(ENTRY)};
#undef ENTRY

struct sel__rows {
  sel_tensor
      *source; /* a tensor of our own on the memory, which stays when the user frees theirs */
  const char *data;
  int64_t count, row_elements, batch_elements; /* of one row in the source, in a batch */
  sel__transforms *transforms;                 /* or NULL */
  sel_dtype from, staged, compute, to;         /* rows; as filled; as normalised; as handed out */
  int channels;                                /* at least 1; with their mean and std */
  double scale, *mean, *std;
  bool normalised; /* not all of scale 1, mean 0, std 1 */
};

static sel_status check_rows(int i, const sel_tensor *t) {
  char text[256];
  SEL_CHECK(t, SEL_E_ARGUMENT, "loader: field %d has no rows", i);
  sel_describe(t, text, sizeof text);
  SEL_CHECK(sel_ndim(t) >= 1, SEL_E_SHAPE,
            "loader: expected one example a row in field %d, got %s, which has no dimensions", i,
            text);
  SEL_CHECK(sel_is_contiguous(t), SEL_E_ARGUMENT,
            "loader: expected field %d to be contiguous, got a view %s; pass a contiguous copy", i,
            text);
  SEL_CHECK(sel_data(t) || sel_numel(t) == 0, SEL_E_DEVICE,
            "loader: expected field %d on the cpu, got %s on another device", i, text);
  return SEL_OK;
}

static sel_status check_normalisation(int i, const sel_loader_field *field) {
  char text[256];
  sel_describe(field->rows, text, sizeof text);
  SEL_CHECK((unsigned)field->dtype < SEL_DTYPE_COUNT, SEL_E_DTYPE, "loader: field %d: no dtype %d",
            i, (int)field->dtype);
  SEL_CHECK(field->scale != 0, SEL_E_ARGUMENT,
            "loader: expected a scale other than 0 for field %d; 1 changes nothing", i);
  SEL_CHECK(sel_dtype_is_float(field->dtype) || (field->scale == 1 && field->channels == 0),
            SEL_E_DTYPE, "loader: expected a float dtype for field %d, which is normalised, got %s",
            i, sel_dtype_name(field->dtype));
  SEL_CHECK(field->channels == 0 || field->channels == 1 ||
                (sel_ndim(field->rows) >= 2 && field->channels == sel_size(field->rows, 1)),
            SEL_E_SHAPE,
            "loader: expected 0 or 1 channels or the extent of dim 1 for field %d, %s, got %d", i,
            text, field->channels);
  SEL_CHECK(field->channels == 0 || (field->mean && field->std), SEL_E_ARGUMENT,
            "loader: field %d has channels but no mean or std", i);
  for (int c = 0; c < field->channels; c++)
    SEL_CHECK(field->std[c] != 0, SEL_E_ARGUMENT, "loader: std of channel %d of field %d is 0", c,
              i);
  return SEL_OK;
}

static sel_status keep_normalisation(const sel_loader_field *field, sel__rows *r) {
  r->scale = field->scale;
  r->channels = field->channels ? field->channels : 1;
  r->normalised = field->scale != 1;
  r->mean = sel__alloc((size_t)r->channels * sizeof *r->mean);
  r->std = sel__alloc((size_t)r->channels * sizeof *r->std);
  if (!r->mean || !r->std) return SEL_E_MEMORY;
  for (int c = 0; c < r->channels; c++) {
    r->mean[c] = field->channels ? field->mean[c] : 0;
    r->std[c] = field->channels ? field->std[c] : 1;
    r->normalised |= r->mean[c] != 0 || r->std[c] != 1;
  }
  return SEL_OK;
}

/* Float results are computed in f32 or f64; f16 and bf16 are rounded from f32 at the end. */
static void plan(sel__rows *r) {
  bool half = r->to == SEL_F16 || r->to == SEL_BF16;
  r->compute = half && (r->normalised || r->from != r->to) ? SEL_F32 : r->to;
  r->staged = direct[r->from][r->compute] ? r->compute : r->from;
}

/* What workers don't convert, they can't erase in either. */
static sel_status keep_transforms(const sel_loader_field *field, sel__rows *r) {
  r->batch_elements = r->row_elements;
  if (field->n_transforms == 0) return SEL_OK;
  sel_dtype values = r->staged == r->compute ? r->staged : SEL_DTYPE_COUNT;
  SEL_TRY(sel__transforms_new(field, values, &r->transforms));
  const int64_t *image = r->transforms->to;
  r->batch_elements = image[0] * image[1] * image[2];
  return SEL_OK;
}

sel_status sel__rows_new(int i, const sel_loader_field *field, sel__rows **out) {
  SEL_TRY(check_rows(i, field->rows));
  SEL_TRY(check_normalisation(i, field));
  sel__rows *r = sel__zalloc(sizeof *r);
  if (!r) return SEL_E_MEMORY;
  r->data = sel_data(field->rows);
  r->count = sel_size(field->rows, 0);
  r->row_elements = r->count ? sel_numel(field->rows) / r->count : 0;
  r->from = sel_tensor_dtype(field->rows);
  r->to = field->dtype;
  sel_status status = sel_detach(field->rows, &r->source);
  if (status == SEL_OK) status = keep_normalisation(field, r);
  if (status == SEL_OK) plan(r);
  if (status == SEL_OK) status = keep_transforms(field, r);
  if (status != SEL_OK) {
    sel__rows_release(r);
    return status;
  }
  *out = r;
  return SEL_OK;
}

void sel__rows_release(sel__rows *r) {
  if (!r) return;
  sel_release(r->source);
  sel__transforms_release(r->transforms);
  sel__free(r->mean);
  sel__free(r->std);
  sel__free(r);
}

int64_t sel__rows_count(const sel__rows *r) { return r->count; }

sel_status sel__rows_batch(const sel__rows *r, int64_t n, sel_tensor **out) {
  int64_t shape[SEL_MAX_DIMS];
  int ndim = sel_ndim(r->source);
  memcpy(shape, sel_shape(r->source), (size_t)ndim * sizeof *shape);
  shape[0] = n;
  if (r->transforms) memcpy(shape + ndim - 2, &r->transforms->to[1], 2 * sizeof *shape);
  sel_device *cpu = sel_tensor_device(r->source);
  return sel_empty(ndim, shape, r->staged, cpu, out);
}

size_t sel__rows_scratch(const sel__rows *r) {
  return r->transforms ? sel__transforms_scratch(r->transforms) : 0;
}

static void convert_row(const sel__rows *r, convert_fn convert, const char *from, char *to) {
  size_t from_size = sel_dtype_size(r->from), to_size = sel_dtype_size(r->staged);
  int64_t n = r->batch_elements / r->channels;
  for (int c = 0; c < r->channels; c++, from += (size_t)n * from_size, to += (size_t)n * to_size)
    convert(from, to, n, r->scale, r->mean[c], r->std[c]);
}

/* A number for all draws that row k of the batch makes. */
static uint64_t seed_of(const sel__batch *which, int64_t k) {
  sel__draws draws = {.seed = which->seed, .counter = which->counter + (uint64_t)k};
  return sel__draw_word(&draws);
}

void sel__rows_fill(const sel__rows *r, const sel__batch *which, void *scratch, sel_tensor *batch) {
  size_t from_bytes = (size_t)r->row_elements * sel_dtype_size(r->from);
  size_t to_bytes = (size_t)r->batch_elements * sel_dtype_size(r->staged);
  bool plain = r->from == r->staged && !(r->normalised && direct[r->from][r->staged]);
  char *to = sel_data(batch);
  if (r->batch_elements == 0) return;
  if (plain && !which->index && !r->transforms) {
    memcpy(to, r->data + (size_t)which->first * from_bytes, (size_t)which->n * from_bytes);
    return;
  }
  for (int64_t k = 0; k < which->n; k++, to += to_bytes) {
    int64_t row = which->index ? which->index[k] : which->first + k;
    const char *from = r->data + (size_t)row * from_bytes;
    uint64_t seed = r->transforms ? seed_of(which, k) : 0;
    if (r->transforms) from = sel__transforms_move(r->transforms, seed, from, scratch);
    if (plain)
      memcpy(to, from, to_bytes);
    else
      convert_row(r, direct[r->from][r->staged], from, to);
    if (r->transforms) sel__transforms_change(r->transforms, seed, to);
  }
}

/* What `fill` could not: to r->compute by the backend, then normalised in place. */
static sel_status compute_staged(const sel__rows *r, sel_tensor *batch, sel_tensor **out) {
  sel_tensor *t;
  SEL_TRY(sel_to(batch, r->compute, NULL, &t));
  if (r->normalised) {
    char *data = sel_data(t);
    int64_t n = r->batch_elements / r->channels;
    size_t step = (size_t)n * sel_dtype_size(r->compute);
    for (int64_t k = 0, rows = sel_size(t, 0); k < rows && n > 0; k++)
      for (int c = 0; c < r->channels; c++, data += step)
        direct[r->compute][r->compute](data, data, n, r->scale, r->mean[c], r->std[c]);
  }
  *out = t;
  return SEL_OK;
}

sel_status sel__rows_finish(const sel__rows *r, sel_tensor *batch, sel_device *device,
                            sel_tensor **out) {
  sel_tensor *computed;
  if (r->staged != r->compute)
    SEL_TRY(compute_staged(r, batch, &computed));
  else
    computed = sel_retain(batch);
  sel_status status = sel_to(computed, r->to, device, out);
  sel_release(computed);
  return status;
}
