/* Pointwise operations as functions of the interface: shapes, dtypes, numbers, in place, the odd
 * values. What each row computes is compared with PyTorch in golden.c and across kernels in
 * tests/backends. */
#include "tensors.h"

START_TEST(broadcasting) {
  sel_tensor *column = TENSOR(SEL_F32, SHAPE(2, 1), 10, 20),
             *row = TENSOR(SEL_F32, SHAPE(3), 1, 2, 3);
  ASSERT_TENSOR(NEW(add, column, row), "f32[2, 3]", 11, 12, 13, 21, 22, 23);
  ASSERT_TENSOR(NEW(add, row, column), "f32[2, 3]", 11, 12, 13, 21, 22, 23);
  sel_tensor *number = TENSOR(SEL_F32, SHAPE(), 5), *one = TENSOR(SEL_F32, SHAPE(1, 1, 1), 7);
  ASSERT_TENSOR(NEW(mul, number, row), "f32[3]", 5, 10, 15);
  ASSERT_TENSOR(NEW(add, number, number), "f32[]", 10);
  ASSERT_TENSOR(NEW(sub, row, one), "f32[1, 1, 3]", -6, -5, -4);
  sel_tensor *none = NEW(zeros, SHAPE(2, 0), SEL_F32, NULL);
  ASSERT_TENSOR(NEW(add, none, column), "f32[2, 0]");
  ASSERT_TENSOR(NEW(add, none, number), "f32[2, 0]");
  ASSERT_TENSOR(NEW(exp, none), "f32[2, 0]");
  ASSERT_TENSOR(NEW(lerp, column, row, number), "f32[2, 3]", 10 - 45, 10 - 40, 10 - 35, 20 - 95,
                20 - 90, 20 - 85);
  sel_tensor *t = NULL;
  ASSERT_FAILS(SEL_E_SHAPE, sel_add(row, TENSOR(SEL_F32, SHAPE(2), 1, 2), &t), "add", "[3]", "[2]");
  ASSERT_FAILS(SEL_E_SHAPE, sel_add(none, row, &t), "add", "[2, 0]", "[3]");
  ASSERT_FAILS(
      SEL_E_SHAPE,
      sel_addcmul(row, column, TENSOR(SEL_F32, SHAPE(3, 3), 1, 2, 3, 4, 5, 6, 7, 8, 9), 1, &t),
      "addcmul");
  ck_assert_ptr_null(t);
}
END_TEST

/* Every pair of layouts of small matrices gives what element-wise access gives. */
START_TEST(layouts) {
  sel_tensor *base = sequence(SEL_F32, 1, 1, SHAPE(6, 6)),
             *other = sequence(SEL_F32, 50, -1, SHAPE(6, 6));
  sel_tensor *of[2][7];
  for (int i = 0; i < 2; i++) {
    sel_tensor *x = i ? other : base;
    of[i][0] = NEW(narrow, x, 1, 0, 3);
    of[i][1] = NEW(narrow, NEW(transpose, x, 0, 1), 1, 3, 3);
    of[i][2] = NEW(slice, x, 1, 1, 6, 2);
    of[i][3] = NEW(clone, of[i][2]);
    of[i][4] = NEW(expand, NEW(narrow, NEW(narrow, x, 0, 2, 1), 1, 2, 3), SHAPE(6, 3));
    of[i][5] = NEW(expand, NEW(narrow, x, 1, 4, 1), SHAPE(6, 3));
    of[i][6] = NEW(flip, of[i][0], DIMS(0, 1));
  }
  for (int a = 0; a < 7; a++)
    for (int b = 0; b < 7; b++) {
      sel_tensor *sum = NEW(sub, of[0][a], of[1][b]);
      ck_assert(sel_is_contiguous(sum));
      for (int i = 0; i < 18; i++)
        ck_assert_double_eq(element_of(sum, i), element_of(of[0][a], i) - element_of(of[1][b], i));
      sel_tensor *written = NEW(clone, base);
      sel_tensor *part = NEW(slice, written, 1, 1, 6, 2);
      ASSERT_OK(sel_mul_(part, of[1][b]));
      for (int i = 0; i < 18; i++)
        ck_assert_double_eq(element_of(part, i), element_of(of[0][2], i) * element_of(of[1][b], i));
      ck_assert_double_eq(element_of(written, 0), 1);
      release_kept(n_kept - 3);
    }
}
END_TEST

START_TEST(dtypes_must_fit) {
  sel_tensor *t = NULL, *f = TENSOR(SEL_F32, SHAPE(2), 1, 2), *d = TENSOR(SEL_F64, SHAPE(2), 1, 2);
  sel_tensor *i = TENSOR(SEL_I64, SHAPE(2), 1, 2), *b = TENSOR(SEL_BOOL, SHAPE(2), 1, 0);
  ASSERT_FAILS(SEL_E_DTYPE, sel_add(f, d, &t), "add", "f32 and f64", "to(\"f32\")");
  ASSERT_FAILS(SEL_E_DTYPE, sel_add(i, f, &t), "add", "i64 and f32");
  ASSERT_FAILS(SEL_E_DTYPE, sel_lerp(f, f, d, &t), "lerp", "f32 and f64");
  ASSERT_FAILS(SEL_E_DTYPE, sel_eq(f, i, &t), "eq", "f32 and i64");
  ASSERT_FAILS(SEL_E_DTYPE, sel_exp(i, &t), "exp", "float", "i64");
  ASSERT_FAILS(SEL_E_DTYPE, sel_div(i, i, &t), "div", "float", "i64");
  ASSERT_FAILS(SEL_E_DTYPE, sel_add(b, b, &t), "add", "bool", "to(\"f32\")");
  ASSERT_FAILS(SEL_E_DTYPE, sel_isnan(i, &t), "isnan", "float");
  ASSERT_FAILS(SEL_E_DTYPE, sel_add_scalar(i, 0.5, &t), "add", "0.5", "i64");
  ASSERT_FAILS(SEL_E_DTYPE, sel_scalar_mul(0.5, i, &t), "mul", "0.5");
  ASSERT_FAILS(SEL_E_DTYPE, sel_where(f, f, f, &t), "where", "bool condition", "f32");
  ASSERT_FAILS(SEL_E_DTYPE, sel_where(b, f, d, &t), "where", "f64 and f32");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_add(f, NULL, &t), "add", "2 tensors", "input 1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_exp(NULL, &t), "exp");
  ck_assert_ptr_null(t);
  ASSERT_TENSOR(NEW(add_scalar, i, 3), "i64[2]", 4, 5);
  ASSERT_TENSOR(NEW(gt_scalar, i, 1.5), "bool[2]", 0, 1); /* comparing with a fraction is fine */
  ASSERT_TENSOR(NEW(eq, b, b), "bool[2]", 1, 1);
  ASSERT_TENSOR(NEW(logical_not, i), "bool[2]", 0, 0);
  ASSERT_TENSOR(NEW(logical_xor, b, TENSOR(SEL_BOOL, SHAPE(2), 1, 1)), "bool[2]", 0, 1);
  ASSERT_TENSOR(NEW(where, b, i, NEW(neg, i)), "i64[2]", 1, -2);
  ASSERT_TENSOR(NEW(where, b, b, NEW(logical_not, b)), "bool[2]", 1, 1);
  ASSERT_TENSOR(NEW(where_scalar, b, f, 9), "f32[2]", 1, 9);
  ASSERT_TENSOR(NEW(scalar_where, b, 9, f), "f32[2]", 9, 2);
}
END_TEST

START_TEST(numbers_on_both_sides) {
  sel_tensor *x = TENSOR(SEL_F64, SHAPE(3), 1, 2, 4);
  ASSERT_TENSOR(NEW(sub_scalar, x, 1), "f64[3]", 0, 1, 3);
  ASSERT_TENSOR(NEW(scalar_sub, 1, x), "f64[3]", 0, -1, -3);
  ASSERT_TENSOR(NEW(scalar_div, 8, x), "f64[3]", 8, 4, 2);
  ASSERT_TENSOR(NEW(pow_scalar, x, 2), "f64[3]", 1, 4, 16);
  ASSERT_TENSOR(NEW(scalar_pow, 2, x), "f64[3]", 2, 4, 16);
  ASSERT_TENSOR(NEW(scalar_lt, 2, x), "bool[3]", 0, 0, 1);
  ASSERT_OK(sel_sub_scalar_(x, 1));
  ASSERT_TENSOR(x, "f64[3]", 0, 1, 3);
  /* a double meets f32 as the nearest f32 */
  ASSERT_TENSOR(NEW(add_scalar, TENSOR(SEL_F32, SHAPE(1), 0), 0.1), "f32[1]", 0.1f);
}
END_TEST

START_TEST(whole_division) {
  sel_tensor *a = TENSOR(SEL_I64, SHAPE(8), 7, -7, 7, -7, 6, -6, 0, 5);
  sel_tensor *b = TENSOR(SEL_I64, SHAPE(8), 2, 2, -2, -2, 3, 3, 5, -7);
  static const double quotients[] = {3, -4, -4, 3, 2, -2, 0, -1},
                      rests[] = {1, 1, -1, -1, 0, 0, 0, -2};
  static const sel_dtype dtypes[] = {SEL_I64, SEL_I32, SEL_F32, SEL_F64, SEL_F16};
  for (int i = 0; i < 5; i++) {
    sel_tensor *x = NEW(to, a, dtypes[i], NULL), *y = NEW(to, b, dtypes[i], NULL);
    sel_tensor *q = NEW(floor_divide, x, y), *r = NEW(remainder, x, y);
    for (int k = 0; k < 8; k++) {
      ck_assert_double_eq(element_of(q, k), quotients[k]);
      ck_assert_double_eq(element_of(r, k), rests[k]);
    }
  }
  /* by zero: whole numbers give 0, others follow IEEE */
  static const sel_dtype wholes[] = {SEL_I64, SEL_I32, SEL_U8};
  for (int i = 0; i < 3; i++) {
    sel_tensor *x = TENSOR(wholes[i], SHAPE(3), 5, 0, 255);
    char text[16];
    snprintf(text, sizeof text, "%s[3]", sel_dtype_name(wholes[i]));
    ASSERT_TENSOR(NEW(floor_divide_scalar, x, 0), text, 0, 0, 0);
    ASSERT_TENSOR(NEW(remainder_scalar, x, 0), text, 0, 0, 0);
  }
  ASSERT_TENSOR(NEW(div_scalar, TENSOR(SEL_F32, SHAPE(3), 1, -1, 0), 0), "f32[3]", INFINITY,
                -INFINITY, NAN);
  ASSERT_TENSOR(NEW(floor_divide_scalar, TENSOR(SEL_F32, SHAPE(1), 1), 0), "f32[1]", INFINITY);
  ASSERT_TENSOR(NEW(remainder_scalar, TENSOR(SEL_F32, SHAPE(1), 1), 0), "f32[1]", NAN);
  /* the one quotient that does not fit wraps around instead of trapping */
  const int64_t lowest[] = {INT64_MIN};
  sel_tensor *least = NEW(from_data, SHAPE(1), SEL_I64, NULL, lowest, sizeof lowest);
  ASSERT_TENSOR(NEW(floor_divide_scalar, least, -1), "i64[1]", -0x1p63);
  ASSERT_TENSOR(NEW(remainder_scalar, least, -1), "i64[1]", 0);
  ASSERT_TENSOR(NEW(neg, least), "i64[1]", -0x1p63);
  ASSERT_TENSOR(NEW(floor_divide_scalar, NEW(full, SHAPE(1), -0x1p31, SEL_I32, NULL), -1), "i32[1]",
                -0x1p31);
}
END_TEST

START_TEST(wrap_around) {
  ASSERT_TENSOR(NEW(add_scalar, TENSOR(SEL_U8, SHAPE(2), 250, 5), 10), "u8[2]", 4, 15);
  ASSERT_TENSOR(NEW(sub_scalar, TENSOR(SEL_U8, SHAPE(1), 5), 10), "u8[1]", 251);
  ASSERT_TENSOR(NEW(mul_scalar, NEW(full, SHAPE(1), 0x7fffffff, SEL_I32, NULL), 2), "i32[1]", -2);
}
END_TEST

START_TEST(not_a_number) {
  sel_tensor *x = TENSOR(SEL_F32, SHAPE(4), NAN, 1, NAN, -1),
             *y = TENSOR(SEL_F32, SHAPE(4), 1, NAN, NAN, 0);
  ASSERT_TENSOR(NEW(maximum, x, y), "f32[4]", NAN, NAN, NAN, 0);
  ASSERT_TENSOR(NEW(minimum, x, y), "f32[4]", NAN, NAN, NAN, -1);
  ASSERT_TENSOR(NEW(clamp, x, -0.5, 0.5), "f32[4]", NAN, 0.5, NAN, -0.5);
  ASSERT_TENSOR(NEW(relu, x), "f32[4]", NAN, 1, NAN, 0);
  ASSERT_TENSOR(NEW(abs, x), "f32[4]", NAN, 1, NAN, 1);
  ASSERT_TENSOR(NEW(isnan, x), "bool[4]", 1, 0, 1, 0);
  ASSERT_TENSOR(NEW(eq, x, x), "bool[4]", 0, 1, 0, 1);
  ASSERT_TENSOR(NEW(ne, x, x), "bool[4]", 1, 0, 1, 0);
  ASSERT_TENSOR(NEW(le, x, y), "bool[4]", 0, 0, 0, 1);
  ASSERT_TENSOR(NEW(logical_not, x), "bool[4]", 0, 0, 0, 0);
  sel_tensor *odd = TENSOR(SEL_F16, SHAPE(4), INFINITY, -INFINITY, NAN, 65504);
  ASSERT_TENSOR(NEW(isinf, odd), "bool[4]", 1, 1, 0, 0);
  ASSERT_TENSOR(NEW(isfinite, odd), "bool[4]", 0, 0, 0, 1);
  /* where does not let through what it does not choose */
  ASSERT_TENSOR(NEW(where, TENSOR(SEL_BOOL, SHAPE(2), 1, 0), TENSOR(SEL_F32, SHAPE(2), 1, NAN),
                    TENSOR(SEL_F32, SHAPE(2), NAN, 2)),
                "f32[2]", 1, 2);
}
END_TEST

START_TEST(clamp) {
  sel_tensor *x = TENSOR(SEL_I32, SHAPE(4), -5, 0, 5, 100);
  ASSERT_TENSOR(NEW(clamp, x, -1, 7), "i32[4]", -1, 0, 5, 7);
  ASSERT_TENSOR(NEW(clamp, x, -INFINITY, 7), "i32[4]", -5, 0, 5, 7);
  ASSERT_TENSOR(NEW(clamp, x, 3, INFINITY), "i32[4]", 3, 3, 5, 100);
  ASSERT_TENSOR(NEW(clamp, TENSOR(SEL_U8, SHAPE(2), 0, 255), -10, 1e9), "u8[2]", 0, 255);
  const int64_t ends[] = {INT64_MIN, INT64_MAX - 1023}; /* what a double holds */
  sel_tensor *wide = NEW(from_data, SHAPE(2), SEL_I64, NULL, ends, sizeof ends);
  ASSERT_SAME(NEW(clamp, wide, -INFINITY, INFINITY), wide);
  ASSERT_TENSOR(NEW(clamp, TENSOR(SEL_F32, SHAPE(2), 1, 9), -INFINITY, 4), "f32[2]", 1, 4);
}
END_TEST

/* Low precision is computed in f32 and rounded once. */
START_TEST(low_precision) {
  sel_tensor *x = TENSOR(SEL_F16, SHAPE(1), 1), *tiny = TENSOR(SEL_F16, SHAPE(1), 0x1p-11);
  ASSERT_TENSOR(NEW(addcmul, x, tiny, x, 1.5), "f16[1]", 1 + 0x1p-10);
  ASSERT_TENSOR(
      NEW(mul, NEW(full, SHAPE(1), 300, SEL_F16, NULL), NEW(full, SHAPE(1), 300, SEL_F16, NULL)),
      "f16[1]", INFINITY);
  ASSERT_TENSOR(NEW(add_scalar, TENSOR(SEL_BF16, SHAPE(1), 256), 1), "bf16[1]", 256); /* a tie */
  ASSERT_TENSOR(NEW(add_scalar, TENSOR(SEL_BF16, SHAPE(1), 256), 1.01), "bf16[1]", 258);
}
END_TEST

START_TEST(writing_in_place) {
  sel_tensor *x = sequence(SEL_F32, 0, 1, SHAPE(2, 3));
  ASSERT_OK(sel_add_(x, TENSOR(SEL_F32, SHAPE(3), 10, 20, 30)));
  ASSERT_TENSOR(x, "f32[2, 3]", 10, 21, 32, 13, 24, 35);
  ASSERT_OK(sel_sub_(x, x));
  ASSERT_TENSOR(x, "f32[2, 3]", 0, 0, 0, 0, 0, 0);
  ck_assert_int_eq(sel_tensor_version(x), 2);
  ASSERT_FAILS(SEL_E_SHAPE, sel_add_(TENSOR(SEL_F32, SHAPE(3), 1, 2, 3), x), "add_", "f32[2, 3]",
               "does not fit into f32[3]");
  ASSERT_FAILS(SEL_E_DTYPE, sel_gt_scalar_(x, 0), "gt_", "bool[2, 3]", "f32[2, 3]");
  ASSERT_FAILS(SEL_E_DTYPE, sel_isnan_(x), "isnan_");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_add_(NEW(scalar, 1), x), "add_");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_exp_(NULL), "exp");
  sel_tensor *wide = NEW(expand, TENSOR(SEL_F32, SHAPE(1), 1), SHAPE(3));
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_exp_(wide), "exp_", "share memory", "clone");
  ck_assert_int_eq(sel_tensor_version(x), 2);
  sel_tensor *b = TENSOR(SEL_BOOL, SHAPE(3), 1, 0, 1);
  ASSERT_OK(sel_logical_not_(b));
  ASSERT_TENSOR(b, "bool[3]", 0, 1, 0);
  ASSERT_OK(sel_add_(NEW(expand, TENSOR(SEL_F32, SHAPE(1, 1), 1), SHAPE(1, 1)),
                     TENSOR(SEL_F32, SHAPE(1), 1)));
}
END_TEST

START_TEST(in_place_with_overlap) { /* as if the source had been copied first */
  sel_tensor *x = sequence(SEL_F32, 1, 1, SHAPE(6));
  ASSERT_OK(sel_add_(NEW(narrow, x, 0, 1, 5), NEW(narrow, x, 0, 0, 5)));
  ASSERT_TENSOR(x, "f32[6]", 1, 3, 5, 7, 9, 11);
  ASSERT_OK(sel_sub_(NEW(narrow, x, 0, 0, 5), NEW(narrow, x, 0, 1, 5)));
  ASSERT_TENSOR(x, "f32[6]", -2, -2, -2, -2, -2, 11);
  sel_tensor *square = sequence(SEL_F32, 0, 1, SHAPE(3, 3));
  ASSERT_OK(sel_add_(square, NEW(transpose, square, 0, 1)));
  ASSERT_TENSOR(square, "f32[3, 3]", 0, 4, 8, 4, 8, 12, 8, 12, 16);
  ASSERT_OK(sel_mul_(square, NEW(select, square, 0, 1)));
  ASSERT_TENSOR(square, "f32[3, 3]", 0, 32, 96, 16, 64, 144, 32, 96, 192);
  ASSERT_OK(sel_lerp_(NEW(narrow, x, 0, 0, 3), NEW(narrow, x, 0, 3, 3), NEW(narrow, x, 0, 2, 3)));
  ASSERT_TENSOR(x, "f32[6]", -2, -2, -28, -2, -2, 11);
}
END_TEST

/* ---- all forms of a row ----
 * A number on either side, plain and in place, is a tensor full of it; in place is the plain
 * result, unless that has another dtype. */

typedef struct number_forms {
  const char *name;
  sel_status (*plain)(sel_tensor *, sel_tensor *, sel_tensor **);
  sel_status (*right)(sel_tensor *, double, sel_tensor **);
  sel_status (*left)(double, sel_tensor *, sel_tensor **);
  sel_status (*right_in_place)(sel_tensor *, double);
} number_forms;

#define NUMBERS_U(name)
#define NUMBERS_U1(name)
#define NUMBERS_U2(name)
#define NUMBERS_B(name) \
  {#name, sel_##name, sel_##name##_scalar, sel_scalar_##name, sel_##name##_scalar_},
#define NUMBERS_B1(name)
#define NUMBERS_T(name)
#define NUMBERS_T1(name)
#define NUMBERS_GB(name)
#define NUMBERS_GB1(name)
#define NUMBERS_GB2(name)
#define NUMBERS_GT(name)
#define NUMBERS_GT1(name)
#define NUMBERS_OF(kind, name, types, ...) NUMBERS_##kind(name)
static const number_forms with_numbers[] = {SEL_POINTWISE(NUMBERS_OF)};

START_TEST(number_forms_agree) {
  sel_tensor *x = some_tensor(SEL_F64, 0.1, 0.9, 1, SHAPE(2, 3)), *out = NULL;
  sel_tensor *half = NEW(full, SHAPE(2, 3), 0.5, SEL_F64, NULL);
  for (size_t i = 0; i < sizeof with_numbers / sizeof *with_numbers; i++) {
    const number_forms *f = &with_numbers[i];
    sel_tensor *placed = NEW(clone, x), *right = NULL, *left = NULL;
    ASSERT_OK(f->plain(x, half, &right));
    keep(right);
    ASSERT_OK(f->right(x, 0.5, &out));
    assert_same(keep(out), right, f->name, __LINE__);
    ASSERT_OK(f->plain(half, x, &left));
    keep(left);
    ASSERT_OK(f->left(0.5, x, &out));
    assert_same(keep(out), left, f->name, __LINE__);
    sel_status status = f->right_in_place(placed, 0.5);
    if (sel_tensor_dtype(right) == SEL_F64) {
      ASSERT_OK(status);
      assert_same(placed, right, f->name, __LINE__);
    } else {
      ck_assert_int_eq(status, SEL_E_DTYPE);
      assert_same(placed, x, f->name, __LINE__);
    }
  }
}
END_TEST

/* ---- in place on the tape ----
 * For every row with an in-place form: its gradients are those of the plain form. */

typedef sel_status (*in_place_call)(sel_tensor *const *x);
typedef sel_status (*plain_call)(sel_tensor *const *x, sel_tensor **out);
typedef struct both_forms {
  const char *name;
  int inputs;
  in_place_call in_place;
  plain_call plain;
} both_forms;

#define FORMS(name, place, plain)                                                      \
  static sel_status place_##name(sel_tensor *const *x) { return sel_##name##_ place; } \
  static sel_status plain_##name(sel_tensor *const *x, sel_tensor **out) {             \
    return sel_##name plain;                                                           \
  }
#define FORMS_U(name) FORMS(name, (x[0]), (x[0], out))
#define FORMS_U1(name) FORMS(name, (x[0], 0.6), (x[0], 0.6, out))
#define FORMS_U2(name) FORMS(name, (x[0], 0.3, 0.7), (x[0], 0.3, 0.7, out))
#define FORMS_B(name) FORMS(name, (x[0], x[1]), (x[0], x[1], out))
#define FORMS_B1(name) FORMS(name, (x[0], x[1], 0.6), (x[0], x[1], 0.6, out))
#define FORMS_T(name) FORMS(name, (x[0], x[1], x[2]), (x[0], x[1], x[2], out))
#define FORMS_T1(name) FORMS(name, (x[0], x[1], x[2], 0.6), (x[0], x[1], x[2], 0.6, out))
#define FORMS_GB(name)
#define FORMS_GB1(name)
#define FORMS_GB2(name)
#define FORMS_GT(name)
#define FORMS_GT1(name)
#define FORMS_OF(kind, name, types, ...) FORMS_##kind(name)
SEL_POINTWISE(FORMS_OF)

#define ENTRY(name, inputs) {#name, inputs, place_##name, plain_##name},
#define ENTRY_U(name) ENTRY(name, 1)
#define ENTRY_U1(name) ENTRY(name, 1)
#define ENTRY_U2(name) ENTRY(name, 1)
#define ENTRY_B(name) ENTRY(name, 2)
#define ENTRY_B1(name) ENTRY(name, 2)
#define ENTRY_T(name) ENTRY(name, 3)
#define ENTRY_T1(name) ENTRY(name, 3)
#define ENTRY_GB(name)
#define ENTRY_GB1(name)
#define ENTRY_GB2(name)
#define ENTRY_GT(name)
#define ENTRY_GT1(name)
#define ENTRY_OF(kind, name, types, ...) ENTRY_##kind(name)
static const both_forms forms[] = {SEL_POINTWISE(ENTRY_OF)};

static void gradients_of(const both_forms *f, bool in_place, sel_tensor **grads) {
  sel_tensor *x[3], *leaves[3];
  for (int i = 0; i < 3; i++) {
    leaves[i] = leaf(some_tensor(SEL_F64, 0.1, 0.9, (uint64_t)i, SHAPE(2, 3)));
    x[i] = NEW(mul_scalar, leaves[i], 1);
  }
  sel_tensor *out = x[0];
  if (in_place) {
    ASSERT_OK(f->in_place(x));
  } else {
    ASSERT_OK(f->plain(x, &out));
    keep(out);
  }
  sel_tensor *w = some_tensor(SEL_F64, 1, 2, 9, SHAPE(2, 3));
  sel_status status = sel_grad(1, &out, &w, f->inputs, leaves, false, false, true, grads);
  ck_assert_msg(status == SEL_OK, "%s%s: %s", f->name, in_place ? "_" : "", sel_error());
}

START_TEST(in_place_values) {
  static const sel_dtype tried[] = {SEL_F64, SEL_I32, SEL_BOOL};
  int compared = 0;
  for (int d = 0; d < 3; d++)
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
      sel_tensor *x[3], *plain = NULL;
      for (int k = 0; k < 3; k++)
        x[k] = NEW(to, some_tensor(SEL_F64, 0.1, 0.9, (uint64_t)k, SHAPE(2, 3)), tried[d], NULL);
      sel_tensor *before = NEW(clone, x[0]);
      if (forms[i].plain(x, &plain) != SEL_OK) { /* not for this dtype: neither in place */
        ck_assert_int_ne(forms[i].in_place(x), SEL_OK);
        ASSERT_SAME(x[0], before);
      } else if (sel_tensor_dtype(keep(plain)) != tried[d]) {
        ck_assert_int_eq(forms[i].in_place(x), SEL_E_DTYPE);
        ASSERT_SAME(x[0], before);
      } else {
        ASSERT_OK(forms[i].in_place(x));
        assert_same(x[0], plain, forms[i].name, __LINE__);
        compared++;
      }
      release_kept(0);
    }
  ck_assert_int_gt(compared, 80);
}
END_TEST

START_TEST(in_place_gradients) {
  int compared = 0;
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    sel_tensor *x[3], *probe = NULL, *plain[3] = {NULL}, *placed[3] = {NULL};
    for (int k = 0; k < 3; k++) x[k] = some_tensor(SEL_F64, 0.1, 0.9, (uint64_t)k, SHAPE(2, 3));
    if (forms[i].plain(x, &probe) != SEL_OK) continue; /* where: its condition is no number */
    if (sel_tensor_dtype(keep(probe)) != SEL_F64) continue;
    gradients_of(&forms[i], false, plain);
    gradients_of(&forms[i], true, placed);
    for (int k = 0; k < forms[i].inputs; k++) {
      ck_assert_msg(!plain[k] == !placed[k], "%s_: gradient %d", forms[i].name, k);
      if (!plain[k]) continue;
      assert_same(keep(placed[k]), keep(plain[k]), forms[i].name, __LINE__);
      compared++;
    }
  }
  ck_assert_int_gt(compared, 60);
}
END_TEST

TENSOR_SUITE("pointwise", broadcasting, layouts, dtypes_must_fit, numbers_on_both_sides,
             whole_division, wrap_around, not_a_number, clamp, low_precision, writing_in_place,
             in_place_with_overlap, number_forms_agree, in_place_values, in_place_gradients)
