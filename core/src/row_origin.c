/* See row_origin.h. */
#include "row_origin.h"

#include <stdint.h>
#include <string.h>

#include "host_bytes.h"
#include "selenite/autograd.h"
#include "selenite/ops.h"

static sel_status check_memory(int i, const char *what, const sel_tensor *t) {
  char text[256];
  sel_describe(t, text, sizeof text);
  SEL_CHECK(sel_is_contiguous(t), SEL_E_ARGUMENT,
            "loader: expected %s %d to be contiguous, got a view %s; pass a contiguous copy", what,
            i, text);
  SEL_CHECK(sel_data(t) || sel_numel(t) == 0, SEL_E_DEVICE,
            "loader: expected %s %d on the cpu, got %s on another device", what, i, text);
  return SEL_OK;
}

static sel_status check_rows(int i, const sel_tensor *t) {
  char text[256];
  SEL_CHECK(t, SEL_E_ARGUMENT, "loader: field %d has no rows", i);
  sel_describe(t, text, sizeof text);
  SEL_CHECK(sel_ndim(t) >= 1, SEL_E_SHAPE,
            "loader: expected one example a row in field %d, got %s, which has no dimensions", i,
            text);
  return check_memory(i, "field", t);
}

/* ---- rows of different lengths ---- */

static sel_status check_offsets(int i, const sel_loader_field *field) {
  char text[256];
  const sel_tensor *t = field->offsets;
  sel_describe(t, text, sizeof text);
  SEL_CHECK(sel_ndim(t) == 1 && sel_tensor_dtype(t) == SEL_I64 && sel_numel(t) >= 1, SEL_E_SHAPE,
            "loader: expected offsets i64[rows + 1] for field %d, got %s", i, text);
  SEL_TRY(check_memory(i, "the offsets of field", t));
  const int64_t *offsets = sel_data(t);
  int64_t n = sel_numel(t), total = sel_size(field->rows, 0);
  SEL_CHECK(offsets[0] == 0 && offsets[n - 1] == total, SEL_E_ARGUMENT,
            "loader: expected offsets from 0 to %lld for field %d, got %lld to %lld",
            (long long)total, i, (long long)offsets[0], (long long)offsets[n - 1]);
  for (int64_t k = 1; k < n; k++)
    SEL_CHECK(offsets[k] >= offsets[k - 1], SEL_E_ARGUMENT,
              "loader: expected rising offsets for field %d, got %lld behind %lld", i,
              (long long)offsets[k], (long long)offsets[k - 1]);
  return SEL_OK;
}

static sel_status keep_tensor(int i, const sel_loader_field *field, sel__origin *o) {
  SEL_TRY(check_rows(i, field->rows));
  if (field->offsets) SEL_TRY(check_offsets(i, field));
  SEL_TRY(sel_detach(field->rows, &o->rows));
  if (field->offsets) SEL_TRY(sel_detach(field->offsets, &o->offsets));
  o->count = field->offsets ? sel_numel(field->offsets) - 1 : sel_size(field->rows, 0);
  return SEL_OK;
}

/* ---- sources ---- */

static sel_status keep_source(int i, const sel_row_source *s, sel__origin *o) {
  int64_t shape[SEL_MAX_DIMS] = {0};
  SEL_CHECK(s->size == sizeof *s, SEL_E_ARGUMENT, "loader: expected a source of %zu bytes, got %zu",
            sizeof *s, s->size);
  SEL_CHECK(s->read && s->count >= 0 && s->ndim >= 0 && s->ndim < SEL_MAX_DIMS, SEL_E_ARGUMENT,
            "loader: expected a source with a function, a count and at most %d dims for field %d",
            SEL_MAX_DIMS - 1, i);
  memcpy(shape + 1, s->shape, (size_t)s->ndim * sizeof *shape);
  void *data;
  SEL_TRY(sel__host_tensor(s->ndim + 1, shape, s->dtype, &o->rows, &data));
  o->count = s->count;
  o->source = *s;
  if (s->retain) s->retain(s->context);
  return SEL_OK;
}

/* ---- all of them ---- */

sel_status sel__origin_init(int i, const sel_loader_field *field, sel__origin *out) {
  sel__origin o = {0};
  sel_status status = field->source ? keep_source(i, field->source, &o) : keep_tensor(i, field, &o);
  if (status != SEL_OK) {
    sel__origin_release(&o);
    return status;
  }
  o.elements = 1;
  for (int d = 1; d < sel_ndim(o.rows); d++) o.elements *= sel_size(o.rows, d);
  *out = o;
  return SEL_OK;
}

void sel__origin_release(sel__origin *o) {
  sel_release(o->rows);
  sel_release(o->offsets);
  if (o->source.release) o->source.release(o->source.context);
  *o = (sel__origin){0};
}

int64_t sel__origin_length(const sel__origin *o, int64_t row) {
  if (!o->offsets) return 1;
  const int64_t *offsets = sel_data(o->offsets);
  return offsets[row + 1] - offsets[row];
}

size_t sel__origin_room(const sel__origin *o) {
  return o->source.read ? (size_t)o->elements * sel_dtype_size(sel_tensor_dtype(o->rows)) : 0;
}

sel_status sel__origin_row(const sel__origin *o, int64_t row, void *room, const char **out) {
  if (o->source.read) {
    SEL_TRY(o->source.read(o->source.context, row, room));
    *out = room;
    return SEL_OK;
  }
  const int64_t *offsets = o->offsets ? sel_data(o->offsets) : NULL;
  size_t size = (size_t)o->elements * sel_dtype_size(sel_tensor_dtype(o->rows));
  *out = (const char *)sel_data(o->rows) + (size_t)(offsets ? offsets[row] : row) * size;
  return SEL_OK;
}
