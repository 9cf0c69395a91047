/* Random fills, by the backend's kernel from the thread's generator. They are no operations of the
 * tape: what they write depends on nothing. */
#include "random.h"

#include <math.h>

#include "profile.h"
#include "selenite/autograd.h"
#include "tape.h"

/* Elements a counter gives: 4 of one word, 2 of two words; a pair of f64 normals takes 2 counters.
 */
static int64_t elements_a_counter(sel_random_op op, sel_dtype dtype) {
  bool wide = dtype == SEL_F64;
  switch (op) {
    case SEL_RANDOM_BERNOULLI:
      return 4;
    case SEL_RANDOM_INTEGER:
      return 2;
    case SEL_RANDOM_NORMAL:
      return wide ? 1 : 4;
    default:
      return wide ? 2 : 4;
  }
}

void sel__take_counters(sel_random_op op, sel_dtype dtype, int64_t n, sel_generator *out) {
  int64_t each = elements_a_counter(op, dtype);
  if (op == SEL_RANDOM_NORMAL && dtype == SEL_F64) n += n & 1; /* pairs */
  sel_generator_get(out);
  sel_generator next = *out;
  next.offset += (uint64_t)((n + each - 1) / each);
  sel_generator_set(&next);
}

/* ---- drawing into a tensor ---- */

static sel_status check_writable(const char *what, const sel_tensor *t) {
  char text[SEL_TEXT];
  SEL_CHECK(t && t->storage, SEL_E_ARGUMENT, "%s_: expected a tensor to write into, got %s", what,
            sel_describe(t, text, sizeof text));
  SEL_CHECK(!t->requires_grad || !sel_grad_enabled(), SEL_E_AUTOGRAD,
            "%s_: a leaf that requires a gradient can't be changed in place while gradients are "
            "recorded; do it under no_grad",
            what);
  SEL_CHECK(!sel__self_overlaps(t), SEL_E_ARGUMENT,
            "%s_: elements of %s share memory (an expanded view); write to a clone", what,
            sel_describe(t, text, sizeof text));
  return SEL_OK;
}

static sel_status run_kernel(const char *what, sel_tensor *t, sel_random_op op, double p0,
                             double p1) {
  sel_device *device = sel__device(t);
  SEL_KERNEL(device, random, what);
  sel_generator at;
  sel__take_counters(op, (sel_dtype)t->dtype, t->numel, &at);
  sel_random_args args = {.op = op,
                          .out = sel__operand(t),
                          .numel = t->numel,
                          .seed = at.seed,
                          .offset = at.offset,
                          .p0 = p0,
                          .p1 = p1};
  const sel_span span = sel__span_open(SEL_PROFILE_OPERATION, what);
  sel_status status = device->k.random(device->handle, &args);
  if (span) sel__span_worked(device, sel__bytes_of(t));
  sel__span_close(span);
  return status;
}

/* Replaces by `low` what rounding to t's dtype has brought up to `high`. */
static sel_status keep_below(sel_tensor *t, double low, double high) {
  SEL_SCOPE(s);
  sel_tensor *kept = NULL, *reached = x_ge_scalar(&s, t, high);
  if (s.status == SEL_OK) kept = sel__hold(&s, sel_scalar_where(reached, low, t, &kept), &kept);
  if (s.status == SEL_OK) s.status = sel__copy(t, kept);
  sel__scope_drop(&s);
  return s.status;
}

/* What the kernel writes is of `dtype` and contiguous; a t that is neither, or whose change the
 * tape has to know of, gets it from a temporary. */
static sel_status draw(const char *what, sel_tensor *t, sel_random_op op, sel_dtype dtype,
                       double p0, double p1) {
  if (t->numel == 0) return SEL_OK;
  bool recorded = t->node && sel_grad_enabled();
  if (t->contiguous && (sel_dtype)t->dtype == dtype && !recorded) {
    SEL_TRY(run_kernel(what, t, op, p0, p1));
    sel__written(t, what);
    return SEL_OK;
  }
  sel_spec spec = sel__spec_of(t);
  spec.dtype = dtype;
  sel_tensor *drawn, *narrow = NULL;
  SEL_TRY(sel__tensor_new(&spec, sel__device(t), &drawn));
  sel_status status = run_kernel(what, drawn, op, p0, p1);
  if (status == SEL_OK) status = sel__packed_as(drawn, (sel_dtype)t->dtype, &narrow);
  if (status == SEL_OK && op == SEL_RANDOM_UNIFORM && narrow != drawn)
    status = keep_below(narrow, p0, p1);
  if (status == SEL_OK && recorded) {
    status = sel_copy_(t, narrow);
  } else if (status == SEL_OK) {
    status = sel__copy(t, narrow);
    if (status == SEL_OK) sel__written(t, what);
  }
  sel_release(narrow);
  sel_release(drawn);
  return status;
}

/* ---- the C functions ---- */

sel_status sel_uniform_(sel_tensor *t, double low, double high) {
  SEL_TRY(check_writable("uniform", t));
  SEL_TRY(sel__float_dtype("uniform_", t));
  SEL_CHECK(low <= high && isfinite(high - low), SEL_E_ARGUMENT,
            "uniform_: expected finite bounds, low <= high, got %g and %g", low, high);
  return draw("uniform", t, SEL_RANDOM_UNIFORM, sel__compute_dtype((sel_dtype)t->dtype), low, high);
}

sel_status sel_normal_(sel_tensor *t, double mean, double std) {
  SEL_TRY(check_writable("normal", t));
  SEL_TRY(sel__float_dtype("normal_", t));
  SEL_CHECK(std >= 0, SEL_E_ARGUMENT,
            "normal_: expected a standard deviation of at least 0, got %g", std);
  return draw("normal", t, SEL_RANDOM_NORMAL, sel__compute_dtype((sel_dtype)t->dtype), mean, std);
}

sel_status sel_bernoulli_(sel_tensor *t, double p) {
  SEL_TRY(check_writable("bernoulli", t));
  SEL_CHECK(p >= 0 && p <= 1, SEL_E_ARGUMENT,
            "bernoulli_: expected a probability from 0 to 1, got %g", p);
  sel_dtype dtype = t->dtype == SEL_F64 ? SEL_F64 : SEL_F32;
  return draw("bernoulli", t, SEL_RANDOM_BERNOULLI, dtype, p, 0);
}

/* The integers that `dtype` holds exactly: from *low to *high. */
static void integers_of(sel_dtype dtype, double *low, double *high) {
  static const double limit[SEL_DTYPE_COUNT] = {
      [SEL_F32] = 0x1p24, [SEL_F64] = 0x1p53, [SEL_F16] = 0x1p11, [SEL_BF16] = 0x1p8,
      [SEL_I64] = 0x1p53, [SEL_I32] = 0x1p31, [SEL_U8] = 255,     [SEL_BOOL] = 1};
  *high = dtype == SEL_I32 ? limit[dtype] - 1 : limit[dtype];
  *low = dtype == SEL_U8 || dtype == SEL_BOOL ? 0 : -limit[dtype];
}

sel_status sel_randint_(sel_tensor *t, int64_t low, int64_t high) {
  SEL_TRY(check_writable("randint", t));
  SEL_CHECK(low < high, SEL_E_ARGUMENT,
            "randint_: expected low < high (which is left out), got %lld and %lld", (long long)low,
            (long long)high);
  double smallest, largest;
  integers_of((sel_dtype)t->dtype, &smallest, &largest);
  SEL_CHECK((double)low >= smallest && (double)(high - 1) <= largest, SEL_E_ARGUMENT,
            "randint_: %lld to %lld is not within %.0f to %.0f, which %s holds exactly",
            (long long)low, (long long)(high - 1), smallest, largest,
            sel_dtype_name((sel_dtype)t->dtype));
  return draw("randint", t, SEL_RANDOM_INTEGER, SEL_I64, (double)low, (double)high);
}
