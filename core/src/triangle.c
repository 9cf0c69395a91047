/* Triangles of matrices: tril and triu keep element (i, j) where j - i is at most, or at least, the
 * number of the diagonal, and put zero elsewhere. */
#include "op.h"

SEL_X(arange, (sel_scope * s, double start, double end, sel_device *d), start, end, 1, SEL_I64, d)
SEL_X(where_scalar, (sel_scope * s, sel_tensor *cond, sel_tensor *a, double b), cond, a, b)

static sel_status triangle(const char *what, bool lower, sel_tensor *x, int64_t diagonal,
                           sel_tensor **out) {
  char text[SEL_TEXT];
  SEL_TRY(sel__expect_tensor(what, "input", x));
  SEL_CHECK(x->ndim >= 2, SEL_E_SHAPE, "%s: expected a matrix or a batch of them, got %s", what,
            sel_describe(x, text, sizeof text));
  int64_t rows = x->shape[x->ndim - 2], columns = x->shape[x->ndim - 1];
  if (diagonal < -rows) diagonal = -rows;
  if (diagonal > columns) diagonal = columns;
  SEL_SCOPE(s);
  sel_device *device = sel__device(x);
  sel_tensor *i = x_arange(&s, (double)diagonal, (double)(diagonal + rows), device);
  sel_tensor *bound = x_unsqueeze(&s, i, 1); /* i + diagonal */
  sel_tensor *j = x_arange(&s, 0, (double)columns, device);
  sel_tensor *keep = lower ? x_le(&s, j, bound) : x_ge(&s, j, bound);
  return sel__scope_end(&s, x_where_scalar(&s, keep, x, 0), out);
}

sel_status sel_tril(sel_tensor *x, int64_t diagonal, sel_tensor **out) {
  return triangle("tril", true, x, diagonal, out);
}
sel_status sel_triu(sel_tensor *x, int64_t diagonal, sel_tensor **out) {
  return triangle("triu", false, x, diagonal, out);
}
