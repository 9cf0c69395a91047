/* Random choices made on the host, then moved to the device: an order, and draws by weight. Both
 * wait for the device: multinomial reads its weights. */
#include <math.h>

#include "philox.h"
#include "random.h"

sel_status sel_randperm(int64_t n, sel_device *device, sel_tensor **out) {
  SEL_TRY(sel__check_shape("randperm", 1, &n));
  int64_t *order = sel__alloc((size_t)n * sizeof *order + 1);
  if (!order) return SEL_E_MEMORY;
  sel_generator generator;
  sel_generator_get(&generator);
  sel__philox_shuffle(generator.seed, &generator.offset, n, order);
  sel_status status = sel_from_data(1, &n, SEL_I64, device, order, (size_t)n * sizeof *order, out);
  if (status == SEL_OK) sel_generator_set(&generator);
  sel__free(order);
  return status;
}

/* ---- multinomial ---- */

/* Turns a row of weights into running sums. */
static sel_status accumulate_row(double *weights, int64_t classes, int64_t row) {
  double sum = 0;
  for (int64_t c = 0; c < classes; c++) {
    SEL_CHECK(
        weights[c] >= 0 && isfinite(weights[c]), SEL_E_ARGUMENT,
        "multinomial: expected finite weights of at least 0, got %g for class %lld of row %lld",
        weights[c], (long long)c, (long long)row);
    weights[c] = sum += weights[c];
  }
  SEL_CHECK(sum > 0 && isfinite(sum), SEL_E_ARGUMENT,
            "multinomial: the weights of row %lld sum to %g, so there is nothing to draw",
            (long long)row, sum);
  return SEL_OK;
}

/* The first class whose running sum exceeds `at`: never one of weight 0. */
static int64_t find_class(const double *sums, int64_t classes, double at) {
  int64_t first = 0, last = classes - 1;
  while (first < last) {
    int64_t middle = first + (last - first) / 2;
    if (sums[middle] > at)
      last = middle;
    else
      first = middle + 1;
  }
  return first;
}

/* Draw i of all: words 2(i%2), 2(i%2)+1 of counter offset + i/2, as an integer draw of a kernel. */
static double unit(const sel_generator *at, int64_t i) {
  uint32_t words[4];
  sel__philox(at->seed, at->offset + (uint64_t)i / 2, words);
  const uint32_t *w = words + 2 * (i % 2);
  return ((double)(w[0] >> 5) * 0x1p26 + (double)(w[1] >> 6)) * 0x1p-53;
}

static sel_status draw_rows(double *weights, int64_t rows, int64_t classes, int64_t n,
                            int64_t *ids) {
  for (int64_t r = 0; r < rows; r++) SEL_TRY(accumulate_row(weights + r * classes, classes, r));
  sel_generator at;
  sel__take_counters(SEL_RANDOM_INTEGER, SEL_I64, rows * n, &at);
  for (int64_t i = 0; i < rows * n; i++) {
    const double *sums = weights + i / n * classes;
    ids[i] = find_class(sums, classes, unit(&at, i) * sums[classes - 1]);
  }
  return SEL_OK;
}

static sel_status read_f64(sel_tensor *t, double *out) {
  sel_tensor *wide;
  SEL_TRY(sel__packed_as(t, SEL_F64, &wide));
  sel_status status = sel_read(wide, out, (size_t)wide->numel * sizeof *out);
  sel_release(wide);
  return status;
}

sel_status sel_multinomial(sel_tensor *weights, int64_t n, sel_tensor **out) {
  char text[SEL_TEXT];
  SEL_TRY(sel__expect_tensor("multinomial", "weights", weights));
  SEL_TRY(sel__float_dtype("multinomial", weights));
  SEL_CHECK(weights->ndim == 1 || weights->ndim == 2, SEL_E_SHAPE,
            "multinomial: expected weights [classes] or [rows, classes], got %s",
            sel_describe(weights, text, sizeof text));
  int64_t rows = weights->ndim == 2 ? weights->shape[0] : 1;
  int64_t classes = weights->shape[weights->ndim - 1];
  int64_t shape[2] = {rows, n};
  SEL_TRY(sel__check_shape("multinomial", 2, shape));
  double *sums = sel__alloc((size_t)weights->numel * sizeof *sums + 1);
  int64_t *ids = sel__alloc((size_t)(rows * n) * sizeof *ids + 1);
  sel_status status = sums && ids ? read_f64(weights, sums) : SEL_E_MEMORY;
  if (status == SEL_OK) status = draw_rows(sums, rows, classes, n, ids);
  if (status == SEL_OK)
    status = sel_from_data(weights->ndim, shape + 2 - weights->ndim, SEL_I64, sel__device(weights),
                           ids, (size_t)(rows * n) * sizeof *ids, out);
  sel__free(ids);
  sel__free(sums);
  return status;
}
