/* Composing operations without a status check a line.
 *
 * A scope keeps the first failure and every tensor made in it. After a failure the x_ functions do
 * nothing and return NULL, so an expression such as
 *
 *     sel_tensor *y = x_mul(s, g, x_exp(s, x));
 *
 * is safe as it stands; sel__scope_end releases what was made and hands out the one result.
 */
#ifndef SEL_SCOPE_H
#define SEL_SCOPE_H

#include "core.h"
#include "selenite/ops.h"

enum { SEL_SCOPE_HELD = 48 };

typedef struct sel_scope {
  sel_status status;
  int n;
  sel_tensor *held[SEL_SCOPE_HELD];
} sel_scope;

/* A scope is started by zeroing status and n: held needs no initial value. */
#define SEL_SCOPE(name) \
  sel_scope name;       \
  name.status = SEL_OK; \
  name.n = 0

/* Keeps *made, made with `status`, in the scope; returns it, or NULL after a failure:
 * sel__hold(s, sel_eye(..., &t), &t). */
static inline sel_tensor *sel__hold(sel_scope *s, sel_status status, sel_tensor **made) {
  if (status != SEL_OK) {
    s->status = status;
    return NULL;
  }
  if (s->n == SEL_SCOPE_HELD) {
    sel_release(*made);
    s->status =
        sel_fail(SEL_E_INTERNAL, "a composition holds more than %d tensors", SEL_SCOPE_HELD);
    return NULL;
  }
  return s->held[s->n++] = *made;
}

static inline void sel__scope_drop(sel_scope *s) {
  while (s->n > 0) sel_release(s->held[--s->n]);
}

/* Ends the scope: `result` (held, or borrowed from elsewhere) goes to *out as a new reference. */
static inline sel_status sel__scope_end(sel_scope *s, sel_tensor *result, sel_tensor **out) {
  if (s->status == SEL_OK) *out = sel_retain(result);
  sel__scope_drop(s);
  return s->status;
}

/* SEL_X(name, parameters, arguments): x_name(scope, ...) for sel_name(..., &out). */
#define SEL_X(name, parameters, ...)                      \
  static inline sel_tensor *x_##name parameters {         \
    sel_tensor *t = NULL;                                 \
    if (s->status != SEL_OK) return NULL;                 \
    return sel__hold(s, sel_##name(__VA_ARGS__, &t), &t); \
  }

#define SEL_X_U(name) SEL_X(name, (sel_scope * s, sel_tensor * a), a)
#define SEL_X_U1(name) SEL_X(name, (sel_scope * s, sel_tensor * a, double p), a, p)
#define SEL_X_U2(name) SEL_X(name, (sel_scope * s, sel_tensor * a, double p, double q), a, p, q)
#define SEL_X_B(name)                                                   \
  SEL_X(name, (sel_scope * s, sel_tensor * a, sel_tensor * b), a, b)    \
  SEL_X(name##_scalar, (sel_scope * s, sel_tensor * a, double b), a, b) \
  SEL_X(scalar_##name, (sel_scope * s, double a, sel_tensor *b), a, b)
#define SEL_X_B1(name) \
  SEL_X(name, (sel_scope * s, sel_tensor * a, sel_tensor * b, double p), a, b, p)
#define SEL_X_T(name) \
  SEL_X(name, (sel_scope * s, sel_tensor * a, sel_tensor * b, sel_tensor * c), a, b, c)
#define SEL_X_T1(name) \
  SEL_X(name, (sel_scope * s, sel_tensor * a, sel_tensor * b, sel_tensor * c, double p), a, b, c, p)
#define SEL_X_GB(name) SEL_X(name, (sel_scope * s, sel_tensor * a, sel_tensor * b), a, b)
#define SEL_X_GB1(name) SEL_X_B1(name)
#define SEL_X_GB2(name) \
  SEL_X(name, (sel_scope * s, sel_tensor * a, sel_tensor * b, double p, double q), a, b, p, q)
#define SEL_X_GT(name) SEL_X_T(name)
#define SEL_X_GT1(name) SEL_X_T1(name)
#define SEL_X_ROW(kind, name, types, ...) SEL_X_##kind(name)
SEL_POINTWISE(SEL_X_ROW)
#undef SEL_X_ROW

SEL_X(to, (sel_scope * s, sel_tensor *x, sel_dtype dtype), x, dtype, NULL)
SEL_X(clone, (sel_scope * s, sel_tensor *x), x)
SEL_X(contiguous, (sel_scope * s, sel_tensor *x), x)
SEL_X(sum, (sel_scope * s, sel_tensor *x, int n, const int *dims, bool keep), x, n, dims, keep)
SEL_X(mean, (sel_scope * s, sel_tensor *x, int n, const int *dims, bool keep), x, n, dims, keep)
SEL_X(amax, (sel_scope * s, sel_tensor *x, int n, const int *dims, bool keep), x, n, dims, keep)
SEL_X(cumsum, (sel_scope * s, sel_tensor *x, int dim), x, dim)
SEL_X(flip, (sel_scope * s, sel_tensor *x, int n, const int *dims), x, n, dims)
SEL_X(matmul, (sel_scope * s, sel_tensor *a, sel_tensor *b), a, b)
SEL_X(reshape, (sel_scope * s, sel_tensor *x, int n, const int64_t *shape), x, n, shape)
SEL_X(expand, (sel_scope * s, sel_tensor *x, int n, const int64_t *shape), x, n, shape)
SEL_X(permute, (sel_scope * s, sel_tensor *x, int n, const int *dims), x, n, dims)
SEL_X(transpose, (sel_scope * s, sel_tensor *x, int a, int b), x, a, b)
SEL_X(unsqueeze, (sel_scope * s, sel_tensor *x, int dim), x, dim)
SEL_X(squeeze, (sel_scope * s, sel_tensor *x, int dim), x, dim)
SEL_X(narrow, (sel_scope * s, sel_tensor *x, int dim, int64_t start, int64_t n), x, dim, start, n)
SEL_X(gather, (sel_scope * s, sel_tensor *x, int dim, sel_tensor *index), x, dim, index)
SEL_X(index_select, (sel_scope * s, sel_tensor *x, int dim, sel_tensor *index), x, dim, index)
SEL_X(softmax, (sel_scope * s, sel_tensor *x, int dim), x, dim)
SEL_X(masked_fill, (sel_scope * s, sel_tensor *x, sel_tensor *mask, double v), x, mask, v)

#endif
