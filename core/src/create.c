/* Tensors with values of their own: constants, sequences, host data. */
#include <math.h>
#include <string.h>

#include "op.h"
#include "profile.h"

static sel_status filled(int ndim, const int64_t *shape, double value, sel_dtype dtype,
                         sel_device *device, sel_tensor **out) {
  sel_tensor *t, *number;
  SEL_TRY(sel_empty(ndim, shape, dtype, device, &t));
  sel_status status = sel_scalar(value, &number);
  if (status == SEL_OK) {
    const sel_span span = sel__span_open(SEL_PROFILE_OPERATION, "full");
    status = sel__copy(t, number);
    if (span) sel__span_worked(sel__device(t), sel__bytes_of(t));
    sel__span_close(span);
    sel_release(number);
  }
  if (status != SEL_OK) {
    sel_release(t);
    return status;
  }
  *out = t;
  return SEL_OK;
}

sel_status sel_full(int ndim, const int64_t *shape, double value, sel_dtype dtype,
                    sel_device *device, sel_tensor **out) {
  return filled(ndim, shape, value, dtype, device, out);
}
sel_status sel_zeros(int ndim, const int64_t *shape, sel_dtype dtype, sel_device *device,
                     sel_tensor **out) {
  return filled(ndim, shape, 0, dtype, device, out);
}
sel_status sel_ones(int ndim, const int64_t *shape, sel_dtype dtype, sel_device *device,
                    sel_tensor **out) {
  return filled(ndim, shape, 1, dtype, device, out);
}

sel_status sel_from_data(int ndim, const int64_t *shape, sel_dtype dtype, sel_device *device,
                         const void *data, size_t bytes, sel_tensor **out) {
  sel_tensor *t;
  SEL_TRY(sel_empty(ndim, shape, dtype, device, &t));
  sel_status status = sel_write(t, data, bytes);
  if (status != SEL_OK) {
    sel_release(t);
    return status;
  }
  *out = t;
  return SEL_OK;
}

/* A vector of n doubles, converted to dtype on the device. */
static sel_status from_doubles(const double *values, int64_t n, sel_dtype dtype, sel_device *device,
                               sel_tensor **out) {
  sel_tensor *wide, *t = NULL;
  SEL_TRY(sel_from_data(1, &n, SEL_F64, device, values, (size_t)n * sizeof *values, &wide));
  sel_status status = sel__packed_as(wide, dtype, &t);
  sel_release(wide);
  if (status == SEL_OK) *out = t;
  return status;
}

sel_status sel_arange(double start, double end, double step, sel_dtype dtype, sel_device *device,
                      sel_tensor **out) {
  SEL_CHECK(step != 0 && isfinite(start) && isfinite(end) && isfinite(step), SEL_E_ARGUMENT,
            "arange: expected finite numbers and a step other than 0, got %g, %g, %g", start, end,
            step);
  double count = ceil((end - start) / step);
  int64_t n = count > 0 ? (int64_t)count : 0;
  SEL_CHECK(count < 0x1p40, SEL_E_ARGUMENT, "arange: %g elements are too many", count);
  double *values = sel__alloc((size_t)n * sizeof *values);
  if (!values) return SEL_E_MEMORY;
  for (int64_t i = 0; i < n; i++) values[i] = start + (double)i * step;
  sel_status status = from_doubles(values, n, dtype, device, out);
  sel__free(values);
  return status;
}

sel_status sel_linspace(double start, double end, int64_t n, sel_dtype dtype, sel_device *device,
                        sel_tensor **out) {
  SEL_CHECK(n >= 0 && n < (int64_t)1 << 40, SEL_E_ARGUMENT,
            "linspace: expected a number of elements of 0 or more, got %lld", (long long)n);
  double *values = sel__alloc((size_t)n * sizeof *values);
  if (!values) return SEL_E_MEMORY;
  double step = n > 1 ? (end - start) / (double)(n - 1) : 0;
  for (int64_t i = 0; i < n; i++) /* from both ends, so that both are exact */
    values[i] = i < n / 2 || n == 1 ? start + (double)i * step : end - (double)(n - 1 - i) * step;
  sel_status status = from_doubles(values, n, dtype, device, out);
  sel__free(values);
  return status;
}

sel_status sel_eye(int64_t rows, int64_t columns, sel_dtype dtype, sel_device *device,
                   sel_tensor **out) {
  int64_t shape[2] = {rows, columns};
  sel_tensor *t, *one = NULL, *diagonal = NULL;
  SEL_TRY(sel_zeros(2, shape, dtype, device, &t));
  sel_status status = sel__tensor_alias(t, &diagonal);
  if (status == SEL_OK) {
    diagonal->ndim = 1;
    diagonal->shape[0] = rows < columns ? rows : columns;
    diagonal->stride[0] = columns + 1;
    sel__tensor_settle(diagonal);
    status = sel_scalar(1, &one);
  }
  if (status == SEL_OK) status = sel__copy(diagonal, one);
  sel_release(one);
  sel_release(diagonal);
  if (status != SEL_OK) {
    sel_release(t);
    return status;
  }
  *out = t;
  return SEL_OK;
}
