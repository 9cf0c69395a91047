/* Rotary position embedding, composed: each pair of features turns by its position's angle. The
 * angles' cosines and sines are made on the host in f64, as angles of late positions have few
 * correct digits in f32. */
#include <math.h>

#include "op.h"
#include "selenite/nn.h"

/* cos and sin of (offset + position) base^(-2j/size), [length, size / 2] each. */
static void make_tables(int64_t length, int64_t half, int64_t offset, double base, double *cosine,
                        double *sine) {
  for (int64_t j = 0; j < half; j++) {
    double frequency = pow(base, -(double)j / (double)half);
    for (int64_t i = 0; i < length; i++) {
      double angle = (double)(offset + i) * frequency;
      cosine[i * half + j] = cos(angle);
      sine[i * half + j] = sin(angle);
    }
  }
}

/* A table as a tensor of x's dtype on x's device, [length, half] or [length, half, 1]. */
static sel_tensor *as_tensor(sel_scope *s, const double *table, int ndim, const int64_t *shape,
                             sel_tensor *x) {
  sel_tensor *t = NULL;
  size_t bytes = (size_t)(shape[0] * shape[1]) * sizeof *table;
  if (s->status != SEL_OK) return NULL;
  t = sel__hold(s, sel_empty(ndim, shape, SEL_F64, sel__device(x), &t), &t);
  if (s->status == SEL_OK) s->status = sel_write(t, table, bytes);
  return x_to(s, t, (sel_dtype)x->dtype);
}

static sel_tensor *joined(sel_scope *s, sel_tensor *a, sel_tensor *b) {
  sel_tensor *out = NULL;
  if (s->status != SEL_OK) return NULL;
  return sel__hold(s, sel_cat(2, (sel_tensor *[]){a, b}, -1, &out), &out);
}

/* x's last dim is pairs: its halves, or, interleaved, neighbours, seen as [..., half, 2]. */
static sel_tensor *turned(sel_scope *s, sel_tensor *x, sel_tensor *cosine, sel_tensor *sine,
                          bool interleaved, int64_t half) {
  int64_t shape[SEL_MAX_DIMS], n = interleaved ? 1 : half;
  for (int d = 0; d < x->ndim; d++) shape[d] = x->shape[d];
  shape[x->ndim - 1] = half;
  shape[x->ndim] = 2;
  sel_tensor *pairs = interleaved ? x_reshape(s, x, x->ndim + 1, shape) : x;
  sel_tensor *a = x_narrow(s, pairs, -1, 0, n), *b = x_narrow(s, pairs, -1, n, n);
  sel_tensor *left = x_sub(s, x_mul(s, a, cosine), x_mul(s, b, sine));
  sel_tensor *right = x_add(s, x_mul(s, b, cosine), x_mul(s, a, sine));
  sel_tensor *out = joined(s, left, right);
  return interleaved ? x_reshape(s, out, x->ndim, x->shape) : out;
}

sel_status sel_rotary(sel_tensor *x, int64_t offset, double base, bool interleaved,
                      sel_tensor **out) {
  char text[SEL_TEXT];
  SEL_TRY(sel__expect_tensor("rotary", "input", x));
  SEL_TRY(sel__float_dtype("rotary", x));
  int most = interleaved ? SEL_MAX_DIMS - 1 : SEL_MAX_DIMS;
  SEL_CHECK(x->ndim >= 2 && x->ndim <= most && x->shape[x->ndim - 1] % 2 == 0, SEL_E_SHAPE,
            "rotary: expected [..., length, size] of at most %d dims, size even, got %s", most,
            sel_describe(x, text, sizeof text));
  SEL_CHECK(base > 0 && isfinite(base), SEL_E_ARGUMENT, "rotary: expected a positive base, got %g",
            base);
  int64_t length = x->shape[x->ndim - 2], half = x->shape[x->ndim - 1] / 2;
  if (x->numel == 0) {
    *out = sel_retain(x);
    return SEL_OK;
  }
  double *tables = sel__alloc((size_t)(2 * length * half) * sizeof *tables);
  if (!tables) return SEL_E_MEMORY;
  double *cosines = tables, *sines = tables + length * half;
  make_tables(length, half, offset, base, cosines, sines);
  SEL_SCOPE(s);
  int64_t shape[3] = {length, half, 1};
  int ndim = interleaved ? 3 : 2;
  sel_tensor *cosine = as_tensor(&s, cosines, ndim, shape, x);
  sel_tensor *sine = as_tensor(&s, sines, ndim, shape, x);
  sel__free(tables);
  return sel__scope_end(&s, turned(&s, x, cosine, sine, interleaved, half), out);
}
