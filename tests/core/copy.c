/* Copies and casts: every pair of dtypes, rounding to low precision bit by bit, overlaps. */
#include "tensors.h"

/* ---- rounding to f16 and bf16 ----
 * Every pair of neighbours of the small type is met at its two values, at the middle between them,
 * and at the floats next to the middle; what must come out follows from the definition of rounding
 * to nearest, ties to even. */

typedef struct small_float {
  sel_dtype dtype;
  int exponent_bits, fraction_bits;
} small_float;

static const small_float f16 = {SEL_F16, 5, 10}, bf16 = {SEL_BF16, 8, 7};

static double value_of(const small_float *f, unsigned bits) {
  int bias = (1 << (f->exponent_bits - 1)) - 1;
  int exponent = (int)(bits >> f->fraction_bits) & ((1 << f->exponent_bits) - 1);
  double fraction = bits & ((1u << f->fraction_bits) - 1);
  double sign = bits >> 15 & 1 ? -1 : 1, unit = ldexp(1, -f->fraction_bits);
  if (exponent == 0) return sign * ldexp(fraction * unit, 1 - bias);
  if (exponent == (1 << f->exponent_bits) - 1) return fraction != 0 ? NAN : sign * INFINITY;
  return sign * ldexp(1 + fraction * unit, exponent - bias);
}

static void check_widening(const small_float *f) {
  static uint16_t bits[1 << 16];
  static float expected[1 << 16], got[1 << 16];
  for (int i = 0; i < 1 << 16; i++) {
    bits[i] = (uint16_t)i;
    expected[i] = (float)value_of(f, (unsigned)i);
  }
  sel_tensor *x = NEW(from_data, SHAPE(1 << 16), f->dtype, NULL, bits, sizeof bits);
  ASSERT_OK(sel_read(NEW(to, x, SEL_F32, NULL), got, sizeof got));
  for (int i = 0; i < 1 << 16; i++)
    ck_assert_msg(isnan(expected[i]) ? isnan(got[i]) : memcmp(&expected[i], &got[i], 4) == 0,
                  "%s 0x%04x: expected %.9g, got %.9g", sel_dtype_name(f->dtype), i, expected[i],
                  got[i]);
  for (int i = 0; i < 1 << 16; i += 77) { /* the same through sel_get */
    double value = element_of(x, i);
    ck_assert(isnan(expected[i]) ? isnan(value) : value == (double)expected[i]);
  }
}

static void check_rounding(const small_float *f) {
  enum { PER = 4 };
  int highest = (1 << f->exponent_bits) - 1; /* infinity's exponent */
  int count = highest << f->fraction_bits;   /* finite values of one sign */
  float *values = malloc((size_t)count * 2 * PER * sizeof *values);
  uint16_t *expected = malloc((size_t)count * 2 * PER * sizeof *expected), *got;
  size_t n = 0;
  for (int sign = 0; sign < 2; sign++)
    for (int i = 0; i < count; i++) {
      unsigned low = (unsigned)(sign << 15 | i), high = low + 1; /* high may be infinity */
      double a = value_of(f, low), b = value_of(f, high);
      if (isinf(b)) b = 2 * a - value_of(f, low - 1); /* where the next value would be */
      float middle = (float)((a + b) / 2);            /* exact: f32 has more digits */
      float outwards = sign ? -INFINITY : INFINITY;
      values[n] = (float)a, expected[n++] = (uint16_t)low;
      values[n] = middle, expected[n++] = (uint16_t)(low & 1 ? high : low);
      values[n] = nextafterf(middle, 0), expected[n++] = (uint16_t)low;
      values[n] = nextafterf(middle, outwards), expected[n++] = (uint16_t)high;
    }
  got = malloc(n * sizeof *got);
  sel_tensor *x = NEW(from_data, SHAPE((int64_t)n), SEL_F32, NULL, values, n * sizeof *values);
  ASSERT_OK(sel_read(NEW(to, x, f->dtype, NULL), got, n * sizeof *got));
  for (size_t i = 0; i < n; i++)
    ck_assert_msg(got[i] == expected[i], "%.9g to %s: expected 0x%04x, got 0x%04x", values[i],
                  sel_dtype_name(f->dtype), expected[i], got[i]);
  free(values);
  free(expected);
  free(got);
}

static void check_specials(const small_float *f) {
  char text[16];
  snprintf(text, sizeof text, "%s[8]", sel_dtype_name(f->dtype));
  sel_tensor *x =
      TENSOR(SEL_F32, SHAPE(8), NAN, INFINITY, -INFINITY, 0.0, -0.0, 3e38, -3e38, 1e-45);
  sel_tensor *y = NEW(to, x, f->dtype, NULL);
  double largest = f->dtype == SEL_F16 ? INFINITY : value_of(f, 0x7f62); /* 3e38 fits bf16 */
  ASSERT_TENSOR(y, text, NAN, INFINITY, -INFINITY, 0, 0, largest, -largest, 0);
  uint16_t bits[8];
  ASSERT_OK(sel_read(y, bits, sizeof bits));
  ck_assert_int_eq(bits[3], 0);
  ck_assert_int_eq(bits[4], 0x8000); /* minus zero stays */
  /* a NaN whose fraction lies only in the bits that are cut off must not turn into infinity */
  uint32_t quiet = 0x7f800001;
  float odd;
  memcpy(&odd, &quiet, sizeof odd);
  sel_tensor *nan = NEW(from_data, SHAPE(1), SEL_F32, NULL, &odd, sizeof odd);
  ck_assert(isnan(item(NEW(to, nan, f->dtype, NULL))));
}

START_TEST(f16_bits) {
  check_widening(&f16);
  check_rounding(&f16);
  check_specials(&f16);
}
END_TEST

START_TEST(bf16_bits) {
  check_widening(&bf16);
  check_rounding(&bf16);
  check_specials(&bf16);
}
END_TEST

/* ---- casts ---- */

static const sel_dtype dtypes[] = {SEL_F32, SEL_F64, SEL_F16, SEL_BF16,
                                   SEL_I64, SEL_I32, SEL_U8,  SEL_BOOL};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

static double converted(double value, sel_dtype from, sel_dtype to) {
  if (from == SEL_BOOL || to == SEL_BOOL) return value != 0;
  return sel_dtype_is_float(to) ? value : trunc(value);
}

START_TEST(every_pair_of_dtypes) {
  static const double floats[] = {0, 1, 2.5, 100.5, 3, 0.5}, wholes[] = {0, 1, 2, 100, 3, 255};
  for (int i = 0; i < DTYPES; i++)
    for (int j = 0; j < DTYPES; j++) {
      sel_dtype from = dtypes[i], to = dtypes[j];
      const double *source = sel_dtype_is_float(from) ? floats : wholes;
      sel_tensor *x = tensor_of(from, SHAPE(2, 3), 6, source);
      sel_tensor *turned = NEW(to, NEW(transpose, x, 0, 1), to, NULL), *y = NEW(to, x, to, NULL);
      for (int k = 0; k < 6; k++) {
        double value = from == SEL_BOOL ? source[k] != 0 : source[k];
        double expected = converted(value, from, to), got = element_of(y, k);
        ck_assert_msg(got == expected, "%g of %s to %s: expected %g, got %g", value,
                      sel_dtype_name(from), sel_dtype_name(to), expected, got);
        ck_assert_double_eq(element_of(turned, k / 3 + 2 * (k % 3)), got);
      }
      ck_assert_int_eq(sel_tensor_dtype(y), to);
      ck_assert(from == to ? y == x : !sel_shares_storage(x, y));
    }
  sel_tensor *t = NULL, *x = TENSOR(SEL_F32, SHAPE(1), 1);
  ASSERT_FAILS(SEL_E_DTYPE, sel_to(x, (sel_dtype)42, NULL, &t), "42");
  ck_assert_ptr_null(t);
}
END_TEST

START_TEST(casts_of_the_odd) {
  sel_tensor *x = TENSOR(SEL_F64, SHAPE(5), -2.9, -0.9, 0.9, 2.9, -0.0);
  ASSERT_TENSOR(NEW(to, x, SEL_I64, NULL), "i64[5]", -2, 0, 0, 2, 0);
  ASSERT_TENSOR(NEW(to, x, SEL_BOOL, NULL), "bool[5]", 1, 1, 1, 1, 0);
  ASSERT_TENSOR(NEW(to, TENSOR(SEL_F32, SHAPE(2), NAN, INFINITY), SEL_BOOL, NULL), "bool[2]", 1, 1);
  const int64_t large[] = {INT64_MAX, INT64_MIN, (1 << 24) + 1};
  sel_tensor *i = NEW(from_data, SHAPE(3), SEL_I64, NULL, large, sizeof large);
  ASSERT_TENSOR(NEW(to, i, SEL_F64, NULL), "f64[3]", 0x1p63, -0x1p63, 16777217);
  ASSERT_TENSOR(NEW(to, i, SEL_F32, NULL), "f32[3]", 0x1p63, -0x1p63, 16777216);
  sel_tensor *wide = TENSOR(SEL_F64, SHAPE(3), 1 + 0x1p-24, 1 + 0x1p-23, 1e300);
  ASSERT_TENSOR(NEW(to, wide, SEL_F32, NULL), "f32[3]", 1, 1 + 0x1p-23, INFINITY);
  const int64_t exact[] = {(int64_t)1 << 62, -((int64_t)1 << 62) - 1};
  sel_tensor *e = NEW(from_data, SHAPE(2), SEL_I64, NULL, exact, sizeof exact);
  int64_t back[2];
  ASSERT_OK(sel_read(NEW(clone, e), back, sizeof back)); /* 64 bits stay 64 bits */
  ck_assert_int_eq(back[0], exact[0]);
  ck_assert_int_eq(back[1], exact[1]);
}
END_TEST

START_TEST(clone_and_contiguous) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3)), *turned = NEW(transpose, x, 0, 1),
             *t = NULL;
  sel_tensor *copy = NEW(clone, turned);
  ASSERT_TENSOR(copy, "f32[3, 2]", 0, 3, 1, 4, 2, 5);
  ck_assert(sel_is_contiguous(copy));
  ck_assert(!sel_shares_storage(copy, x));
  ck_assert_ptr_eq(NEW(contiguous, x), x);
  ASSERT_SAME(NEW(contiguous, turned), copy);
  ck_assert_ptr_ne(NEW(clone, x), x);
  ck_assert_ptr_eq(NEW(to, x, SEL_F32, NULL), x);
  ASSERT_TENSOR(NEW(clone, NEW(zeros, SHAPE(0, 3), SEL_U8, NULL)), "u8[0, 3]");
  ASSERT_TENSOR(NEW(clone, NEW(expand, TENSOR(SEL_F16, SHAPE(1), 3), SHAPE(3))), "f16[3]", 3, 3, 3);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_clone(NULL, &t), "clone", "NULL");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_to(NULL, SEL_F32, NULL, &t), "to", "NULL");
}
END_TEST

/* ---- into a tensor ---- */

START_TEST(copy_into) {
  sel_tensor *x = NEW(zeros, SHAPE(2, 3), SEL_F32, NULL);
  ASSERT_OK(sel_copy_(x, sequence(SEL_I64, 1, 1, SHAPE(2, 3))));
  ASSERT_TENSOR(x, "f32[2, 3]", 1, 2, 3, 4, 5, 6);
  ASSERT_OK(sel_copy_(x, TENSOR(SEL_F64, SHAPE(3), 7, 8, 9)));
  ASSERT_TENSOR(x, "f32[2, 3]", 7, 8, 9, 7, 8, 9);
  ASSERT_OK(sel_copy_(NEW(transpose, x, 0, 1), sequence(SEL_F32, 0, 1, SHAPE(3, 2))));
  ASSERT_TENSOR(x, "f32[2, 3]", 0, 2, 4, 1, 3, 5);
  ASSERT_OK(sel_copy_(NEW(select, x, 1, 2), TENSOR(SEL_F32, SHAPE(1), -1)));
  ASSERT_TENSOR(x, "f32[2, 3]", 0, 2, -1, 1, 3, -1);
  ck_assert_int_eq(sel_tensor_version(x), 4);
  ASSERT_FAILS(SEL_E_SHAPE, sel_copy_(x, TENSOR(SEL_F32, SHAPE(2), 1, 2)), "copy", "[2]", "[2, 3]");
  sel_tensor *larger = sequence(SEL_F32, 0, 1, SHAPE(2, 2, 3));
  ASSERT_FAILS(SEL_E_SHAPE, sel_copy_(x, larger), "copy_", "f32[2, 2, 3]", "f32[2, 3]");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_copy_(NEW(scalar, 1), x), "copy_", "number");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_copy_(x, NULL), "copy_", "NULL");
  sel_tensor *wide = NEW(expand, TENSOR(SEL_F32, SHAPE(1), 1), SHAPE(3));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_copy_(wide, TENSOR(SEL_F32, SHAPE(3), 1, 2, 3)), "share memory",
               "clone");
  ck_assert_int_eq(sel_tensor_version(x), 4);
  ASSERT_OK(sel_copy_(NEW(zeros, SHAPE(0), SEL_F32, NULL), TENSOR(SEL_F32, SHAPE(1), 1)));
}
END_TEST

START_TEST(fill) {
  for (int i = 0; i < DTYPES; i++) {
    sel_tensor *x = NEW(zeros, SHAPE(2, 3), dtypes[i], NULL);
    ASSERT_OK(sel_fill_(NEW(slice, x, 1, 0, 3, 2), 1));
    char text[32];
    snprintf(text, sizeof text, "%s[2, 3]", sel_dtype_name(dtypes[i]));
    ASSERT_TENSOR(x, text, 1, 0, 1, 1, 0, 1);
    ck_assert_int_eq(sel_tensor_version(x), 1);
  }
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_fill_(NULL, 1), "fill_", "NULL");
}
END_TEST

/* Source and destination in one memory: as if the source had been copied first. */
START_TEST(overlaps) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(8));
  ASSERT_OK(sel_copy_(NEW(narrow, x, 0, 1, 7), NEW(narrow, x, 0, 0, 7))); /* up */
  ASSERT_TENSOR(x, "f32[8]", 0, 0, 1, 2, 3, 4, 5, 6);
  ASSERT_OK(sel_copy_(NEW(narrow, x, 0, 0, 7), NEW(narrow, x, 0, 1, 7))); /* down */
  ASSERT_TENSOR(x, "f32[8]", 0, 1, 2, 3, 4, 5, 6, 6);
  ASSERT_OK(sel_copy_(NEW(slice, x, 0, 0, 8, 2), NEW(narrow, x, 0, 4, 4)));
  ASSERT_TENSOR(x, "f32[8]", 4, 1, 5, 3, 6, 5, 6, 6);
  sel_tensor *square = sequence(SEL_F32, 0, 1, SHAPE(3, 3));
  ASSERT_OK(sel_copy_(square, NEW(transpose, square, 0, 1)));
  ASSERT_TENSOR(square, "f32[3, 3]", 0, 3, 6, 1, 4, 7, 2, 5, 8);
  ASSERT_OK(sel_copy_(square, NEW(select, square, 0, 1))); /* broadcast from itself */
  ASSERT_TENSOR(square, "f32[3, 3]", 1, 4, 7, 1, 4, 7, 1, 4, 7);
  ASSERT_OK(sel_copy_(square, square));
  ASSERT_TENSOR(square, "f32[3, 3]", 1, 4, 7, 1, 4, 7, 1, 4, 7);
}
END_TEST

/* Between any two layouts, at sizes around those where kernels switch. */
START_TEST(layouts) {
  static const int64_t extents[] = {1, 2, 7, 16, 33};
  for (int i = 0; i < DTYPES; i++)
    for (int a = 0; a < 5; a++)
      for (int b = 0; b < 5; b++) {
        int mark = n_kept;
        int64_t rows = extents[a], columns = extents[b];
        sel_tensor *source = sequence(SEL_I64, 0, 1, SHAPE(rows, columns));
        sel_tensor *x = NEW(to, source, dtypes[i], NULL); /* u8 wraps, bool is 0 or 1 */
        sel_tensor *room = NEW(zeros, SHAPE(columns + 1, 2 * rows), dtypes[i], NULL);
        sel_tensor *part =
            NEW(narrow, NEW(slice, NEW(transpose, room, 0, 1), 0, 1, 2 * rows, 2), 1, 1, columns);
        ASSERT_OK(sel_copy_(part, x));
        ASSERT_SAME(NEW(clone, part), x);
        ck_assert_double_eq(element_of(room, 0), 0);
        ck_assert_double_eq(element_of(room, 2 * rows), 0);
        release_kept(mark);
      }
}
END_TEST

TENSOR_SUITE("copy", f16_bits, bf16_bits, every_pair_of_dtypes, casts_of_the_odd,
             clone_and_contiguous, copy_into, fill, overlaps, layouts)
