/* From strides to gemm arguments.
 *
 * A matrix goes in as it lies where one of its two dims has stride 1 and the other strides over it:
 * transposed, narrowed and permuted views need no copy; the rest is packed. Batch dims are merged;
 * where b is shared by a whole batch of a's rows, the rows become one tall product. Batch dims that
 * don't merge into one stride are walked here.
 */
#include "gemm.h"

#include "precision.h"

typedef struct matrix {
  sel_tensor *t;
  bool transpose;
  int64_t ld;
} matrix;

static int64_t at_least_one(int64_t x) { return x > 1 ? x : 1; }

static bool lay_out(const sel_tensor *t, matrix *out) {
  int last = t->ndim - 1;
  int64_t rows = last > 0 ? t->shape[last - 1] : 1, columns = t->shape[last];
  int64_t row_stride = last > 0 ? t->stride[last - 1] : 0, column_stride = t->stride[last];
  if ((columns == 1 || column_stride == 1) && (rows == 1 || row_stride >= at_least_one(columns))) {
    out->transpose = false;
    out->ld = rows == 1 ? at_least_one(columns) : row_stride;
    return true;
  }
  if ((rows == 1 || row_stride == 1) && (columns == 1 || column_stride >= at_least_one(rows))) {
    out->transpose = true;
    out->ld = columns == 1 ? at_least_one(rows) : column_stride;
    return true;
  }
  return false;
}

static matrix read_matrix(sel_scope *s, sel_tensor *t, sel_dtype dtype) {
  matrix m = {.t = t};
  if ((sel_dtype)t->dtype == dtype && lay_out(t, &m)) return m;
  m.t = sel__operand_as(s, t, dtype);
  m.transpose = false;
  m.ld = at_least_one(t->shape[t->ndim - 1]);
  return m;
}

/* ---- batches ---- */

typedef struct batches {
  int n;
  int64_t extent[SEL_MAX_DIMS], a[SEL_MAX_DIMS], b[SEL_MAX_DIMS], c[SEL_MAX_DIMS];
} batches;

/* Stride of t along dim d of a result of ndim dims; 0 where t is broadcast. */
static int64_t stride_along(const sel_tensor *t, int ndim, int d) {
  int own = d - (ndim - t->ndim);
  return own < 0 || t->shape[own] == 1 ? 0 : t->stride[own];
}

/* c is contiguous, so that what merges in a and b merges in c. */
static void merge_batches(const sel_tensor *a, const sel_tensor *b, const sel_tensor *c,
                          batches *out) {
  int n = 0;
  for (int d = 0; d < c->ndim - 2; d++) {
    int64_t extent = c->shape[d];
    if (extent == 1) continue;
    int64_t step_a = stride_along(a, c->ndim, d), step_b = stride_along(b, c->ndim, d);
    bool merge = n > 0 && out->a[n - 1] == step_a * extent && out->b[n - 1] == step_b * extent;
    if (merge) {
      out->extent[--n] *= extent;
    } else {
      out->extent[n] = extent;
    }
    out->a[n] = step_a;
    out->b[n] = step_b;
    out->c[n++] = c->stride[d];
  }
  out->n = n;
}

/* Makes rows of the innermost batch dim where b does not change along it and the rows of a go on at
 * one distance. */
static void fold_batch(batches *batch, sel_gemm_args *args) {
  if (batch->n == 0 || args->transpose_a) return;
  int d = batch->n - 1;
  bool one_row = args->m == 1;
  if (batch->b[d] != 0) return;
  if (one_row ? batch->a[d] < at_least_one(args->k) : batch->a[d] != args->m * args->lda) return;
  if (one_row) args->lda = batch->a[d];
  args->m *= batch->extent[d];
  batch->n--;
}

static sel_status run_batches(sel_device *device, const batches *batch, sel_gemm_args *args) {
  int last = batch->n - 1;
  int64_t a = args->a.offset, b = args->b.offset, c = args->c.offset, outer = 1;
  args->batch = 1;
  if (batch->n > 0) {
    args->batch = batch->extent[last];
    args->batch_stride_a = batch->a[last];
    args->batch_stride_b = batch->b[last];
    args->batch_stride_c = batch->c[last];
  }
  for (int d = 0; d < last; d++) outer *= batch->extent[d];
  for (int64_t i = 0; i < outer; i++) {
    args->a.offset = a;
    args->b.offset = b;
    args->c.offset = c;
    int64_t rest = i;
    for (int d = last - 1; d >= 0; d--) {
      int64_t at = rest % batch->extent[d];
      rest /= batch->extent[d];
      args->a.offset += at * batch->a[d];
      args->b.offset += at * batch->b[d];
      args->c.offset += at * batch->c[d];
    }
    SEL_TRY(device->k.gemm(device->handle, args));
  }
  return SEL_OK;
}

/* ---- the launch ---- */

static sel_status multiply(sel_device *device, const matrix *a, const matrix *b, bool transposed_b,
                           const sel_tensor *bias, const sel_tensor *c) {
  int last = c->ndim - 1;
  sel_gemm_args args = {.dtype = (sel_dtype)c->dtype,
                        .transpose_a = a->transpose,
                        .transpose_b = b->transpose != transposed_b,
                        .m = last > 0 ? c->shape[last - 1] : 1,
                        .n = c->shape[last],
                        .k = a->t->shape[a->t->ndim - 1],
                        .alpha = 1,
                        .a = sel__operand(a->t),
                        .b = sel__operand(b->t),
                        .c = sel__operand(c),
                        .lda = a->ld,
                        .ldb = b->ld,
                        .ldc = c->shape[last]};
  if (bias) args.bias = sel__operand(bias);
  batches batch;
  merge_batches(a->t, b->t, c, &batch);
  fold_batch(&batch, &args);
  return run_batches(device, &batch, &args);
}

sel_status sel__gemm(sel_call *call, sel_tensor *a, sel_tensor *b, bool transposed_b,
                     sel_tensor *bias) {
  sel_tensor *out = call->out[0];
  if (out->numel == 0) return SEL_OK;
  sel_device *device = sel__device(out);
  SEL_KERNEL(device, gemm, call->op->name);
  sel_dtype dtype = sel__compute_dtype((sel_dtype)out->dtype);
  SEL_SCOPE(s);
  matrix left = read_matrix(&s, a, dtype), right = read_matrix(&s, b, dtype);
  if (bias) bias = sel__operand_as(&s, bias, dtype);
  sel_tensor *result = sel__result_as(&s, out, dtype);
  if (s.status == SEL_OK) s.status = multiply(device, &left, &right, transposed_b, bias, result);
  return sel__launch_end(&s, result, out);
}

void sel__gemm_cost(const sel_call *call, sel_cost *cost) {
  const sel_tensor *a = call->in[0];
  cost->flops = 2 * (double)call->out[0]->numel * (double)a->shape[a->ndim - 1];
}
