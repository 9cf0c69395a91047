/* Masks: filling where one is true, choosing where it is, finding where a tensor is not zero.
 *
 * masked_select and nonzero must know how many elements are true before their result can be
 * allocated, so they wait for the device and read the mask, a byte an element. The positions are
 * found on the host. */
#include "op.h"

/* Checks both and writes the shape they broadcast to. */
static sel_status check_mask(const char *what, const sel_tensor *x, const sel_tensor *mask,
                             int *ndim, int64_t *shape) {
  SEL_TRY(sel__expect_tensor(what, "input", x));
  SEL_TRY(sel__expect_tensor(what, "mask", mask));
  SEL_CHECK(mask->dtype == SEL_BOOL, SEL_E_DTYPE,
            "%s: expected a bool mask, got %s; compare, as with x:ne(0)", what,
            sel_dtype_name((sel_dtype)mask->dtype));
  return sel__broadcast(what, x->ndim, x->shape, mask->ndim, mask->shape, ndim, shape);
}

sel_status sel_masked_fill(sel_tensor *x, sel_tensor *mask, double value, sel_tensor **out) {
  int ndim;
  int64_t shape[SEL_MAX_DIMS];
  SEL_TRY(check_mask("masked_fill", x, mask, &ndim, shape));
  return sel_scalar_where(mask, value, x, out);
}

/* ---- positions ---- */

/* The elements of a bool tensor, in C order, in host memory to be freed, and how many are true. */
static sel_status read_mask(sel_tensor *mask, uint8_t **flags, int64_t *count) {
  size_t bytes = (size_t)mask->numel;
  uint8_t *read = sel__alloc(bytes);
  if (!read) return SEL_E_MEMORY;
  sel_status status = sel_read(mask, read, bytes);
  if (status != SEL_OK) {
    sel__free(read);
    return status;
  }
  int64_t n = 0;
  for (size_t i = 0; i < bytes; i++) n += read[i] != 0;
  *flags = read;
  *count = n;
  return SEL_OK;
}

/* Writes what stands for the true element at C position `flat`: `width` numbers. */
typedef void (*write_position)(int64_t flat, const sel_tensor *mask, int64_t *row);

static void write_flat(int64_t flat, const sel_tensor *mask, int64_t *row) {
  (void)mask;
  *row = flat;
}
static void write_coordinates(int64_t flat, const sel_tensor *mask, int64_t *row) {
  for (int d = mask->ndim - 1; d >= 0; d--) {
    row[d] = flat % mask->shape[d];
    flat /= mask->shape[d];
  }
}

/* i64 [count, width], or [count] where width is not given (-1). */
static sel_status positions(sel_tensor *mask, write_position write, int width, sel_tensor **out) {
  uint8_t *flags;
  int64_t shape[2] = {0, width};
  int64_t step = width < 0 ? 1 : width;
  SEL_TRY(read_mask(mask, &flags, &shape[0]));
  size_t bytes = (size_t)(shape[0] * step) * sizeof(int64_t);
  int64_t *rows = sel__alloc(bytes);
  if (!rows) {
    sel__free(flags);
    return SEL_E_MEMORY;
  }
  int64_t *row = rows;
  for (int64_t i = 0; i < mask->numel; i++) {
    if (!flags[i]) continue;
    write(i, mask, row);
    row += step;
  }
  sel_status status =
      sel_from_data(width < 0 ? 1 : 2, shape, SEL_I64, sel__device(mask), rows, bytes, out);
  sel__free(rows);
  sel__free(flags);
  return status;
}

/* ---- masked_select: index_select of the flat tensor ---- */

sel_status sel_masked_select(sel_tensor *x, sel_tensor *mask, sel_tensor **out) {
  int ndim;
  int64_t shape[SEL_MAX_DIMS], flat = -1;
  SEL_TRY(check_mask("masked_select", x, mask, &ndim, shape));
  SEL_TRY(sel__check_shape("masked_select", ndim, shape));
  SEL_SCOPE(s);
  sel_tensor *wide_mask = x_expand(&s, mask, ndim, shape);
  sel_tensor *index = NULL;
  if (s.status == SEL_OK)
    index = sel__hold(&s, positions(wide_mask, write_flat, -1, &index), &index);
  flat = 1;
  for (int d = 0; d < ndim; d++) flat *= shape[d];
  sel_tensor *row = x_reshape(&s, x_expand(&s, x, ndim, shape), 1, &flat);
  return sel__scope_end(&s, x_index_select(&s, row, 0, index), out);
}

sel_status sel_nonzero(sel_tensor *x, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("nonzero", "input", x));
  SEL_SCOPE(s);
  sel_tensor *mask = x->dtype == SEL_BOOL ? x : x_ne_scalar(&s, x, 0);
  sel_tensor *found = NULL;
  if (s.status == SEL_OK)
    found = sel__hold(&s, positions(mask, write_coordinates, x->ndim, &found), &found);
  return sel__scope_end(&s, found, out);
}
