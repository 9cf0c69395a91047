/* Resampling against its definition, and its gradient as the transpose of the same weights. */
#include "cases.h"
#include "harness.h"

typedef struct shape {
  int dims;
  int64_t planes, in[3], out[3];
} shape;

static const shape shapes[] = {
    {1, 3, {5}, {11}},
    {1, 2, {9}, {4}},
    {1, 1, {1}, {6}},
    {2, 2, {3, 4}, {6, 8}},
    {2, 3, {7, 5}, {4, 9}},
    {2, 1, {4, 4}, {1, 1}},
    {3, 2, {2, 3, 4}, {5, 3, 6}},
    {2, 0, {3, 4}, {6, 8}},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* How much output position o takes of input position i along dim d. */
static double weight_along(const shape *s, sel_upsample_mode mode, bool corners, int d, int64_t o,
                           int64_t i) {
  const double in = (double)s->in[d], out = (double)s->out[d];
  if (mode == SEL_UPSAMPLE_NEAREST) return floor((double)o * in / out + 1e-9) == (double)i;
  double source = corners ? (s->out[d] > 1 ? (double)o * (in - 1) / (out - 1) : 0)
                          : ((double)o + 0.5) * in / out - 0.5;
  source = fmin(fmax(source, 0), in - 1);
  return fmax(0, 1 - fabs(source - (double)i));
}

static double weight_of(const shape *s, sel_upsample_mode mode, bool corners, int64_t o,
                        int64_t i) {
  double weight = 1;
  for (int d = s->dims - 1; d >= 0; d--) {
    weight *= weight_along(s, mode, corners, d, o % s->out[d], i % s->in[d]);
    o /= s->out[d], i /= s->in[d];
  }
  return weight;
}

static void check(const shape *s, sel_upsample_mode mode, bool corners, bool backward,
                  sel_dtype dtype) {
  int64_t in = 1, out = 1;
  sel_upsample_args args = {.mode = mode,
                            .backward = backward,
                            .align_corners = corners,
                            .dtype = dtype,
                            .dims = s->dims,
                            .planes = s->planes};
  for (int d = 0; d < s->dims; d++) {
    in *= args.in[d] = s->in[d];
    out *= args.out[d] = s->out[d];
    args.scale[d] = (double)s->in[d] / (double)s->out[d];
  }
  const int64_t in_all = s->planes * in, out_all = s->planes * out;
  array x = array_new(dtype, 1, &in_all, OFFSET), y = array_new(dtype, 1, &out_all, OFFSET);
  fill(&x, false), fill(&y, false);
  upload(&x), upload(&y);
  args.x = operand_of(&x), args.y = operand_of(&y);
  must(backend->upsample(device, &args), "upsample");
  array *result = backward ? &x : &y;
  const array *given = backward ? &y : &x;
  const int64_t mine = backward ? in : out, other = backward ? out : in;
  download(result);
  for (int64_t k = 0; k < result->numel; k++) {
    double sum = 0;
    for (int64_t i = 0; i < other; i++)
      sum += get(given, k / mine * other + i) *
             weight_of(s, mode, corners, backward ? i : k % mine, backward ? k % mine : i);
    expect_near(get(result, k), sum, 64 * epsilon(dtype), backward ? "upsample back" : "upsample",
                k);
  }
  array_free(&x), array_free(&y);
}

START_TEST(every_shape) {
  for (int bits = 0; bits < 8; bits++) {
    const bool backward = bits & 1, corners = bits & 4;
    const sel_dtype dtype = bits & 2 ? SEL_F64 : SEL_F32;
    seed_numbers((uint64_t)(10 * _i + bits));
    check(&shapes[_i], SEL_UPSAMPLE_LINEAR, corners, backward, dtype);
    if (!corners) check(&shapes[_i], SEL_UPSAMPLE_NEAREST, false, backward, dtype);
  }
}
END_TEST

TCase *upsample_cases(void) {
  TCase *cases = tcase_create("upsample");
  if (backend->upsample) tcase_add_loop_test(cases, every_shape, 0, SHAPES);
  return cases;
}
