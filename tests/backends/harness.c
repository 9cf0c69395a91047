/* Arrays on the backend under test and their comparison: see harness.h. */
#include "harness.h"

const sel_backend *backend;
sel_backend_device device;

const char *const layout_names[LAYOUTS] = {"contiguous",     "offset",       "padded",
                                           "gaps",           "transposed",   "broadcast first",
                                           "broadcast last", "broadcast all"};

enum { PATTERN = 0x5a };

void must(sel_status status, const char *what) {
  ck_assert_msg(status == SEL_OK, "%s: %s", what, sel_error());
}

sel_status settled(sel_status status) {
  return status == SEL_OK ? backend->synchronize(device) : status;
}

bool tested_dtype(sel_dtype dtype) {
  const char *all = getenv("SEL_TEST_DTYPES"), *name = sel_dtype_name(dtype);
  const size_t n = strlen(name);
  if (!all) return true;
  for (const char *at = all; (at = strstr(at, name)) != NULL; at += n)
    if ((at == all || at[-1] == ',') && (at[n] == ',' || at[n] == '\0')) return true;
  return false;
}

/* ---- arrays ---- */

static void lay_out(array *a, layout how) {
  int64_t stride = how == GAPS ? 2 : 1;
  for (int i = 0; i < a->ndim; i++) {
    const int d = how == TRANSPOSED ? i : a->ndim - 1 - i;
    a->stride[d] = stride;
    stride *= a->shape[d] ? a->shape[d] : 1;
    if (how == PADDED) stride += 3;
  }
  if (a->ndim > 0 && how == BROADCAST_FIRST) a->stride[0] = 0;
  if (a->ndim > 0 && how == BROADCAST_LAST) a->stride[a->ndim - 1] = 0;
  if (how == BROADCAST_ALL) memset(a->stride, 0, sizeof a->stride);
  a->offset = how == CONTIGUOUS ? 0 : 3;
  a->room = a->offset + stride + 5;
}

array array_new(sel_dtype dtype, int ndim, const int64_t *shape, layout how) {
  array a = {.dtype = dtype, .ndim = ndim, .numel = 1};
  for (int d = 0; d < ndim; d++) a.numel *= a.shape[d] = shape[d];
  lay_out(&a, how);
  const size_t bytes = (size_t)a.room * sel_dtype_size(dtype);
  a.host = malloc(bytes);
  ck_assert(a.host != NULL);
  memset(a.host, PATTERN, bytes);
  must(backend->allocate(device, bytes, &a.buffer), "allocate");
  return a;
}

array vector_new(sel_dtype dtype, int64_t n) { return array_new(dtype, 1, &n, CONTIGUOUS); }

void array_free(array *a) {
  backend->release(device, a->buffer, (size_t)a->room * sel_dtype_size(a->dtype));
  free(a->host);
}

void upload(array *a) {
  must(backend->write(device, a->buffer, 0, a->host, (size_t)a->room * sel_dtype_size(a->dtype)),
       "write");
}

void download(array *a) {
  const size_t size = sel_dtype_size(a->dtype), bytes = (size_t)a->room * size;
  must(backend->read(device, a->host, a->buffer, 0, bytes), "read");
  bool *inside = calloc((size_t)a->room, sizeof *inside);
  for (int64_t i = 0; i < a->numel; i++) inside[place(a, i)] = true;
  for (int64_t e = 0; e < a->room; e++)
    for (size_t b = 0; b < size && !inside[e]; b++)
      if (a->host[(size_t)e * size + b] != PATTERN)
        ck_abort_msg("wrote outside, to element %lld", (long long)e);
  free(inside);
}

sel_operand operand_of(const array *a) {
  return (sel_operand){.data = a->buffer, .offset = a->offset, .dtype = a->dtype};
}

int64_t place(const array *a, int64_t i) {
  int64_t at = a->offset;
  for (int d = a->ndim - 1; d >= 0; d--) {
    at += i % a->shape[d] * a->stride[d];
    i /= a->shape[d];
  }
  return at;
}

/* ---- elements: f16 and bf16 by arithmetic, not by bit tricks ---- */

/* A float of `fraction` stored fraction bits and an exponent of `width` bits below them. */
static double decode(uint16_t bits, int fraction, int width) {
  const int bias = (1 << (width - 1)) - 1, exponent = bits >> fraction & ((1 << width) - 1);
  const double sign = bits >> 15 ? -1 : 1, part = bits & ((1 << fraction) - 1);
  if (exponent == (1 << width) - 1) return part ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * ldexp(part, 1 - bias - fraction);
  return sign * ldexp(part + (1 << fraction), exponent - bias - fraction);
}

static uint16_t encode(double x, int fraction, int width) {
  const int bias = (1 << (width - 1)) - 1, infinite = (1 << width) - 1;
  const uint16_t sign = signbit(x) ? 0x8000 : 0;
  if (x != x) return (uint16_t)(infinite << fraction | 1 << (fraction - 1));
  if (x == 0) return sign;
  int exponent;
  frexp(x, &exponent); /* |x| in [2^(exponent-1), 2^exponent) */
  if (exponent - 1 < 1 - bias) exponent = 2 - bias;
  /* In units of the last place; the carry of rounding up runs into the exponent as it should. */
  const double units = isinf(x) ? 0 : nearbyint(ldexp(fabs(x), fraction + 1 - exponent));
  const int64_t all =
      isinf(x) ? INT64_MAX : (int64_t)units + ((int64_t)(exponent - 2 + bias) << fraction);
  const int64_t top = (int64_t)infinite << fraction;
  return (uint16_t)(sign | (all > top ? top : all));
}

double get(const array *a, int64_t i) {
  const int64_t at = place(a, i);
  const void *host = a->host;
  switch (a->dtype) {
    case SEL_F32:
      return ((const float *)host)[at];
    case SEL_F64:
      return ((const double *)host)[at];
    case SEL_F16:
      return decode(((const uint16_t *)host)[at], 10, 5);
    case SEL_BF16:
      return decode(((const uint16_t *)host)[at], 7, 8);
    default:
      return (double)get_whole(a, i);
  }
}

int64_t get_whole(const array *a, int64_t i) {
  const int64_t at = place(a, i);
  const void *host = a->host;
  switch (a->dtype) {
    case SEL_I64:
      return ((const int64_t *)host)[at];
    case SEL_I32:
      return ((const int32_t *)host)[at];
    default:
      return ((const uint8_t *)host)[at];
  }
}

void set(array *a, int64_t i, double value) {
  const int64_t at = place(a, i);
  void *host = a->host;
  switch (a->dtype) {
    case SEL_F32:
      ((float *)host)[at] = (float)value;
      break;
    case SEL_F64:
      ((double *)host)[at] = value;
      break;
    case SEL_F16:
      ((uint16_t *)host)[at] = encode((float)value, 10, 5);
      break;
    case SEL_BF16:
      ((uint16_t *)host)[at] = encode((float)value, 7, 8);
      break;
    default:
      set_whole(a, i, (int64_t)value);
  }
}

void set_whole(array *a, int64_t i, int64_t value) {
  const int64_t at = place(a, i);
  void *host = a->host;
  switch (a->dtype) {
    case SEL_I64:
      ((int64_t *)host)[at] = value;
      break;
    case SEL_I32:
      ((int32_t *)host)[at] = (int32_t)value;
      break;
    case SEL_BOOL:
      ((uint8_t *)host)[at] = value != 0;
      break;
    default:
      ((uint8_t *)host)[at] = (uint8_t)value;
  }
}

/* ---- numbers: xorshift64* ---- */

static uint64_t state = 1;

void seed_numbers(uint64_t seed) { state = seed * 0x9E3779B97F4A7C15u + 1; }

static uint64_t next(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545F4914F6CDD1Du;
}

double number(void) { return (double)(next() >> 11) * 0x1p-53; }
int64_t below(int64_t n) { return (int64_t)(number() * (double)n); }

void fill(array *a, bool special) {
  static const double specials[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e-30};
  for (int64_t i = 0; i < a->numel; i++) {
    if (a->dtype == SEL_BOOL)
      set_whole(a, i, below(2));
    else if (a->dtype == SEL_U8)
      set_whole(a, i, below(9));
    else if (!sel_dtype_is_float(a->dtype))
      set_whole(a, i, below(13) - 6);
    else if (special && below(16) == 0)
      set(a, i, specials[below(6)]);
    else
      set(a, i, below(3) ? number() * 6 - 3 : (double)(below(13) - 6) / 2);
  }
}

double rounded(sel_dtype dtype, double x) {
  switch (dtype) {
    case SEL_F32:
      return (float)x;
    case SEL_F16:
      return decode(encode((float)x, 10, 5), 10, 5);
    case SEL_BF16:
      return decode(encode((float)x, 7, 8), 7, 8);
    default:
      return x;
  }
}

double epsilon(sel_dtype dtype) {
  switch (dtype) {
    case SEL_F32:
      return 0x1p-23;
    case SEL_F64:
      return 0x1p-52;
    case SEL_F16:
      return 0x1p-10;
    case SEL_BF16:
      return 0x1p-7;
    default:
      return 0;
  }
}

void expect_near(double got, double wanted, double tolerance, const char *what, int64_t position) {
  const double scale = fabs(wanted) > 1 ? fabs(wanted) : 1;
  const bool good = wanted != wanted ? got != got
                    : isinf(wanted)  ? got == wanted
                                     : fabs(got - wanted) <= tolerance * scale;
  if (!good) /* Check reports each assertion through a pipe: too slow for each element */
    ck_abort_msg("%s: element %lld: expected %.9g, got %.9g", what, (long long)position, wanted,
                 got);
}

void expect_whole(int64_t got, int64_t wanted, const char *what, int64_t position) {
  if (got != wanted)
    ck_abort_msg("%s: element %lld: expected %lld, got %lld", what, (long long)position,
                 (long long)wanted, (long long)got);
}
