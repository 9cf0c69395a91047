/* See batch_rows.h.
 *
 * What networks are fed with (u8 images to floats, u8 labels to class ids, f32 as it is) is
 * converted as the rows are copied. Other conversions copy the rows as they are; the backend's copy
 * kernel converts in `finish`.
 */
#include "batch_rows.h"

#include <stdio.h>
#include <string.h>

#include "element.h"
#include "row_convert.h"
#include "row_origin.h"
#include "selenite/autograd.h"
#include "selenite/ops.h"
#include "transform.h"

struct sel__rows {
  sel__origin origin;
  sel__transforms *transforms;         /* or NULL */
  sel_dtype from, staged, compute, to; /* rows; as filled; as normalised; as handed out */
  int channels;                        /* at least 1; with their mean and std */
  double scale, *mean, *std;
  bool normalised;              /* not all of scale 1, mean 0, std 1 */
  char padding[sizeof(double)]; /* with offsets: one element of the staged dtype */
};

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
  r->staged = sel__row_converter(r->from, r->compute) ? r->compute : r->from;
}

/* What workers don't convert, they can't erase or fill up either. */
static sel_status keep_transforms(const sel_loader_field *field, sel__rows *r) {
  if (field->n_transforms == 0) return SEL_OK;
  sel_dtype values = r->staged == r->compute ? r->staged : SEL_DTYPE_COUNT;
  return sel__transforms_new(field, values, &r->transforms);
}

static sel_status keep_padding(int i, const sel_loader_field *field, sel__rows *r) {
  char name[32];
  snprintf(name, sizeof name, "field %d", i);
  if (!r->origin.offsets) return SEL_OK;
  SEL_CHECK(field->n_transforms == 0 && field->channels <= 1, SEL_E_ARGUMENT,
            "loader: expected no transforms and one mean and std for field %d, whose rows have "
            "different lengths",
            i);
  SEL_CHECK(r->staged == r->compute, SEL_E_DTYPE,
            "loader: field %d: workers can't convert %s to %s as they fill up rows; convert the "
            "rows before",
            i, sel_dtype_name(r->from), sel_dtype_name(r->to));
  SEL_CHECK(sel_ndim(field->rows) < SEL_MAX_DIMS, SEL_E_SHAPE,
            "loader: field %d: batches of rows of different lengths would have %d dims, the most "
            "is %d",
            i, SEL_MAX_DIMS + 1, SEL_MAX_DIMS);
  sel_device *cpu = sel_tensor_device(field->rows);
  return sel__element(name, "padding", field->padding, r->staged, cpu, r->padding);
}

/* field: its rows are those of r->origin. */
static sel_status keep(int i, const sel_loader_field *field, sel__rows *r) {
  SEL_TRY(check_normalisation(i, field));
  r->from = sel_tensor_dtype(field->rows);
  r->to = field->dtype;
  SEL_TRY(keep_normalisation(field, r));
  plan(r);
  SEL_TRY(keep_transforms(field, r));
  return keep_padding(i, field, r);
}

sel_status sel__rows_new(int i, const sel_loader_field *field, sel__rows **out) {
  sel__rows *r = sel__zalloc(sizeof *r);
  if (!r) return SEL_E_MEMORY;
  sel_loader_field own = *field;
  sel_status status = sel__origin_init(i, field, &r->origin);
  own.rows = r->origin.rows;
  if (status == SEL_OK) status = keep(i, &own, r);
  if (status != SEL_OK) {
    sel__rows_release(r);
    return status;
  }
  *out = r;
  return SEL_OK;
}

void sel__rows_release(sel__rows *r) {
  if (!r) return;
  sel__origin_release(&r->origin);
  sel__transforms_release(r->transforms);
  sel__free(r->mean);
  sel__free(r->std);
  sel__free(r);
}

int64_t sel__rows_count(const sel__rows *r) { return r->origin.count; }
bool sel__rows_can_fail(const sel__rows *r) { return r->origin.source.read != NULL; }

static int64_t row_of(const sel__batch *which, int64_t k) {
  return which->index ? which->index[k] : which->first + k;
}

/* ---- a batch ---- */

static int64_t longest(const sel__rows *r, const sel__batch *which) {
  int64_t most = 0;
  for (int64_t k = 0; k < which->n; k++) {
    int64_t length = sel__origin_length(&r->origin, row_of(which, k));
    if (length > most) most = length;
  }
  return most;
}

sel_status sel__rows_batch(const sel__rows *r, const sel__batch *which, sel_tensor **out) {
  int64_t shape[SEL_MAX_DIMS];
  const sel_tensor *rows = r->origin.rows;
  int ndim = sel_ndim(rows), extra = r->origin.offsets != NULL;
  memcpy(shape + extra, sel_shape(rows), (size_t)ndim * sizeof *shape);
  shape[0] = which->n;
  if (extra) shape[1] = longest(r, which);
  if (r->transforms) memcpy(shape + ndim - 2, &r->transforms->to[1], 2 * sizeof *shape);
  return sel_empty(ndim + extra, shape, r->staged, sel_tensor_device(rows), out);
}

/* A row that a source makes, behind it what transforms need. */
static size_t aligned_room(const sel__rows *r) {
  return (sel__origin_room(&r->origin) + 15) / 16 * 16;
}

size_t sel__rows_scratch(const sel__rows *r) {
  return aligned_room(r) + (r->transforms ? sel__transforms_scratch(r->transforms) : 0);
}

/* n elements to as many of the staged dtype. */
static void convert_row(const sel__rows *r, const char *from, int64_t n, char *to) {
  sel__convert_fn convert = sel__row_converter(r->from, r->staged);
  size_t from_size = sel_dtype_size(r->from), to_size = sel_dtype_size(r->staged);
  n /= r->channels;
  for (int c = 0; c < r->channels; c++, from += (size_t)n * from_size, to += (size_t)n * to_size)
    convert(from, to, n, r->scale, r->mean[c], r->std[c]);
}

/* Rows are copied as they are. */
static bool is_plain(const sel__rows *r) {
  return r->from == r->staged && !(r->normalised && sel__row_converter(r->from, r->staged));
}

/* A number for all draws that row k of the batch makes. */
static uint64_t seed_of(const sel__batch *which, int64_t k) {
  sel__draws draws = {.seed = which->seed, .counter = which->counter + (uint64_t)k};
  return sel__draw_word(&draws);
}

/* Row k of a batch, which has room for `room` elements a row. */
static sel_status fill_row(const sel__rows *r, const sel__batch *which, int64_t k, char *scratch,
                           int64_t room, char *to) {
  int64_t row = row_of(which, k), n = room;
  size_t size = sel_dtype_size(r->staged);
  const char *from = NULL;
  SEL_TRY(sel__origin_row(&r->origin, row, scratch, &from));
  if (r->origin.offsets) n = sel__origin_length(&r->origin, row) * r->origin.elements;
  uint64_t seed = r->transforms ? seed_of(which, k) : 0;
  if (r->transforms)
    from = sel__transforms_move(r->transforms, seed, from, scratch + aligned_room(r));
  if (is_plain(r))
    memcpy(to, from, (size_t)n * size);
  else
    convert_row(r, from, n, to);
  if (r->transforms) sel__transforms_change(r->transforms, seed, to);
  for (int64_t i = n; i < room; i++) memcpy(to + (size_t)i * size, r->padding, size);
  return SEL_OK;
}

/* Whether a batch is a piece of the rows' memory. */
static bool is_copy(const sel__rows *r, const sel__batch *which) {
  return is_plain(r) && !which->index && !r->transforms && !r->origin.offsets &&
         !r->origin.source.read;
}

void sel__rows_fill(const sel__rows *r, const sel__batch *which, void *scratch, sel_tensor *batch,
                    sel__failures *failures) {
  char *to = sel_data(batch);
  int64_t all = sel_numel(batch), room = which->n > 0 ? all / which->n : 0;
  size_t size = sel_dtype_size(r->staged);
  const char *from = NULL;
  if (all == 0) return;
  if (is_copy(r, which)) {
    sel__origin_row(&r->origin, which->first, NULL, &from);
    memcpy(to, from, (size_t)all * size);
    return;
  }
  for (int64_t k = 0; k < which->n; k++, to += (size_t)room * size) {
    sel_status status = fill_row(r, which, k, scratch, room, to);
    if (status != SEL_OK) sel__failures_note(failures, k, status);
  }
}

void sel__rows_close_gaps(const sel__failures *failures, int64_t n, sel_tensor *batch) {
  if (sel_numel(batch) == 0) return;
  size_t bytes = (size_t)(sel_numel(batch) / n) * sel_dtype_size(sel_tensor_dtype(batch));
  char *data = sel_data(batch), *to = data;
  for (int64_t k = 0; k < n; k++) {
    if (failures->rows[k].text) continue;
    if (to != data + (size_t)k * bytes) memcpy(to, data + (size_t)k * bytes, bytes);
    to += bytes;
  }
}

/* What `fill` could not: to r->compute by the backend, then normalised in place. */
static sel_status compute_staged(const sel__rows *r, sel_tensor *batch, sel_tensor **out) {
  sel_tensor *t;
  SEL_TRY(sel_to(batch, r->compute, NULL, &t));
  if (r->normalised) {
    char *data = sel_data(t);
    sel__convert_fn convert = sel__row_converter(r->compute, r->compute);
    int64_t rows = sel_size(t, 0), n = rows > 0 ? sel_numel(t) / rows / r->channels : 0;
    size_t step = (size_t)n * sel_dtype_size(r->compute);
    for (int64_t k = 0; k < rows && n > 0; k++)
      for (int c = 0; c < r->channels; c++, data += step)
        convert(data, data, n, r->scale, r->mean[c], r->std[c]);
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
