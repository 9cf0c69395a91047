/* The driver: every operation passes through sel__run. */
#include <string.h>

#include "op.h"
#include "profile.h"
#include "tape.h"

/* ---- what shape rules share ---- */

sel_status sel__broadcast(const char *what, int n_a, const int64_t *a, int n_b, const int64_t *b,
                          int *n_out, int64_t *out) {
  int n = n_a > n_b ? n_a : n_b;
  int64_t shape[SEL_MAX_DIMS];
  for (int d = 1; d <= n; d++) {
    int64_t x = d <= n_a ? a[n_a - d] : 1, y = d <= n_b ? b[n_b - d] : 1;
    if (x != y && x != 1 && y != 1) {
      char text_a[SEL_TEXT], text_b[SEL_TEXT];
      return sel_fail(SEL_E_SHAPE, "%s: shapes %s and %s do not broadcast", what,
                      sel__shape_text(n_a, a, text_a, sizeof text_a),
                      sel__shape_text(n_b, b, text_b, sizeof text_b));
    }
    shape[n - d] = x == 1 ? y : x;
  }
  *n_out = n;
  for (int d = 0; d < n; d++) out[d] = shape[d];
  return SEL_OK;
}

sel_status sel__expect_tensor(const char *what, const char *role, const sel_tensor *t) {
  char text[SEL_TEXT];
  SEL_CHECK(t && t->storage, SEL_E_ARGUMENT, "%s: expected a tensor as %s, got %s", what, role,
            sel_describe(t, text, sizeof text));
  return SEL_OK;
}

sel_status sel__same_dtype(const char *what, const sel_tensor *a, const sel_tensor *b) {
  if (a->dtype == b->dtype || sel__is_scalar(a) || sel__is_scalar(b)) return SEL_OK;
  const char *x = sel_dtype_name((sel_dtype)a->dtype), *y = sel_dtype_name((sel_dtype)b->dtype);
  return sel_fail(SEL_E_DTYPE, "%s: dtypes %s and %s differ; convert one, as with to(\"%s\")", what,
                  x, y, x);
}

sel_status sel__float_dtype(const char *what, const sel_tensor *t) {
  SEL_CHECK(sel_dtype_is_float((sel_dtype)t->dtype), SEL_E_DTYPE,
            "%s: expected a float dtype, got %s; convert it, as with to(\"f32\")", what,
            sel_dtype_name((sel_dtype)t->dtype));
  return SEL_OK;
}

sel_status sel__index_dtype(const char *what, const sel_tensor *index) {
  SEL_CHECK(index->dtype == SEL_I64 || index->dtype == SEL_I32, SEL_E_DTYPE,
            "%s: expected i64 or i32 indices, got %s", what,
            sel_dtype_name((sel_dtype)index->dtype));
  return SEL_OK;
}

/* ---- the driver ---- */

/* A view of a tensor without tape whose memory went onto the tape later would count as a constant.
 */
static sel_status check_view(const char *name, const sel_tensor *t) {
  if (!t->is_view || t->node || t->constant || t->requires_grad || sel__grad_mode_off)
    return SEL_OK;
  SEL_CHECK(
      t->recorded == atomic_load_explicit(&t->storage->recorded, memory_order_relaxed),
      SEL_E_AUTOGRAD,
      "%s: its input is a view taken before '%s_' changed that memory with gradients recorded; "
      "take the view again, or detach it",
      name, t->storage->writer ? t->storage->writer : "a write");
  return SEL_OK;
}

sel_status sel__check_inputs(const char *name, int n, sel_tensor *const *in, sel_device **device) {
  sel_device *found = NULL;
  for (int i = 0; i < n; i++) {
    const sel_tensor *t = in[i];
    if (!t) continue;
    if (sel__is_scalar(t)) {
      SEL_CHECK(!t->freed, SEL_E_ARGUMENT, "%s: the tensor was freed", name);
      continue;
    }
    if (!found) found = sel__device(t);
    SEL_CHECK(found == sel__device(t), SEL_E_DEVICE,
              "%s: tensors are on different devices, %s and %s; move one, as with to(\"%s\")", name,
              found->name, sel__device(t)->name, found->name);
    SEL_TRY(check_view(name, t));
  }
  SEL_CHECK(found, SEL_E_ARGUMENT, "%s: expected a tensor, got %s", name,
            n && in[0] ? "only numbers" : "none");
  *device = found;
  return SEL_OK;
}

static void drop_outputs(sel_call *call) {
  for (int k = 0; k < call->op->n_out; k++) {
    sel_release(call->out[k]);
    call->out[k] = NULL;
  }
}

static sel_status make_view(sel_call *call) {
  sel_tensor *in = call->in[0];
  char text[SEL_TEXT];
  SEL_CHECK(in && in->storage, SEL_E_ARGUMENT, "%s: expected a tensor, got %s", call->op->name,
            sel_describe(in, text, sizeof text));
  SEL_TRY(sel__tensor_alias(in, &call->out[0]));
  call->out[0]->is_view = true;
  call->out[0]->constant |= sel__grad_mode_off;
  call->out[0]->recorded = atomic_load_explicit(&in->storage->recorded, memory_order_relaxed);
  SEL_TRY(call->op->view(call, call->out[0]));
  sel__tensor_settle(call->out[0]);
  return SEL_OK;
}

/* A kernel may need memory of its own on the device: where it lacks, what the cache holds is given
 * back for it. Host memory is not asked for twice.
 */
static sel_status launch(sel_call *call, sel_device *device) {
  sel_status status = call->op->launch(call);
  if (status != SEL_E_MEMORY || device->k.host_memory) return status;
  sel_memory_release_cache(device);
  return call->op->launch(call);
}

static sel_status compute(sel_call *call, sel_device *device) {
  sel_spec specs[SEL_MAX_OUT];
  SEL_TRY(call->op->infer(call, specs));
  for (int k = 0; k < call->op->n_out; k++)
    SEL_TRY(sel__tensor_new(&specs[k], device, &call->out[k]));
  return launch(call, device);
}

static sel_status run(sel_call *call) {
  if (SEL_UNLIKELY(sel_interrupted())) return sel_fail(SEL_E_INTERRUPTED, "interrupted");
  for (int k = 0; k < SEL_MAX_OUT; k++) call->out[k] = NULL;
  sel_device *device;
  SEL_TRY(sel__check_inputs(call->op->name, call->n_in, call->in, &device));
  sel_status status = call->op->view ? make_view(call) : compute(call, device);
  if (status == SEL_OK && sel__tape_wanted(call)) {
    sel_node *node;
    status = sel__tape_prepare(call, NULL, &node);
    if (status == SEL_OK) status = sel__tape_finish(call, node);
  }
  if (status != SEL_OK) drop_outputs(call);
  return status;
}

static sel_status run_in_place(sel_call *call) {
  if (SEL_UNLIKELY(sel_interrupted())) return sel_fail(SEL_E_INTERRUPTED, "interrupted");
  const char *name = call->op->name;
  char text[SEL_TEXT], other[SEL_TEXT];
  sel_device *device;
  SEL_TRY(sel__check_inputs(call->op->name, call->n_in, call->in, &device));
  sel_tensor *dst = call->in[0];
  SEL_CHECK(dst && dst->storage, SEL_E_ARGUMENT, "%s_: expected a tensor to write into, got %s",
            name, sel_describe(dst, text, sizeof text));
  sel_spec spec;
  SEL_TRY(call->op->infer(call, &spec));
  bool fits = spec.ndim == dst->ndim && spec.dtype == (sel_dtype)dst->dtype;
  for (int d = 0; fits && d < spec.ndim; d++) fits = spec.shape[d] == dst->shape[d];
  SEL_CHECK(fits, spec.dtype == (sel_dtype)dst->dtype ? SEL_E_SHAPE : SEL_E_DTYPE,
            "%s_: the result, %s%s, does not fit into %s", name, sel_dtype_name(spec.dtype),
            sel__shape_text(spec.ndim, spec.shape, other, sizeof other),
            sel_describe(dst, text, sizeof text));
  SEL_CHECK(!sel__self_overlaps(dst), SEL_E_ARGUMENT,
            "%s_: elements of %s share memory (an expanded view); write to a clone", name,
            sel_describe(dst, text, sizeof text));

  /* An input that shares memory with dst, but not element for element, is read from a copy. */
  sel_tensor *in[SEL_MAX_OPERANDS];
  sel_tensor *copies[SEL_MAX_OPERANDS] = {NULL};
  sel_call moved = *call;
  moved.in = in;
  sel_status status = SEL_OK;
  for (int i = 0; i < call->n_in; i++) {
    in[i] = call->in[i];
    if (i > 0 && in[i] && sel__may_overlap(dst, in[i]) && !sel__same_layout(dst, in[i])) {
      bool previous = sel_set_grad_enabled(false);
      if (status == SEL_OK) status = sel_clone(in[i], &copies[i]);
      sel_set_grad_enabled(previous);
      in[i] = copies[i];
    }
  }
  call->out[0] = moved.out[0] = dst;
  /* The record takes the inputs' place on the tape as it is before the write. */
  sel_node *node = NULL;
  if (status == SEL_OK && sel__tape_wanted(call)) status = sel__tape_prepare(call, dst, &node);
  if (status == SEL_OK) status = launch(&moved, device);
  if (status == SEL_OK) sel__written(dst, name);
  if (status == SEL_OK && node) {
    atomic_fetch_add_explicit(&dst->storage->recorded, 1, memory_order_relaxed);
    status = sel__tape_finish(call, node);
  } else if (node)
    sel__node_release(node);
  for (int i = 0; i < call->n_in; i++) sel_release(copies[i]);
  return status;
}

sel_status sel__run(sel_call *call) {
  return sel__recording() ? sel__record_call(call, run) : run(call);
}

sel_status sel__run_in_place(sel_call *call) {
  return sel__recording() ? sel__record_call(call, run_in_place) : run_in_place(call);
}

/* ---- the list ---- */

#include "oplist.h"

#define EXTERN_PW(kind, name, types, ...) extern const sel_op sel__op_##name;
#define EXTERN(name) extern const sel_op sel__op_##name;
SEL_POINTWISE(EXTERN_PW)
SEL_OPS(EXTERN)

#define ROW_PW(kind, name, types, ...) &sel__op_##name,
#define ROW(name) &sel__op_##name,
static const sel_op *const list[] = {SEL_POINTWISE(ROW_PW) SEL_OPS(ROW)};
enum { LIST_COUNT = sizeof list / sizeof *list };

int sel_op_count(void) { return LIST_COUNT; }
const char *sel_op_name(int i) { return i >= 0 && i < LIST_COUNT ? list[i]->name : NULL; }
int sel_op_flags_of(int i) {
  if (i < 0 || i >= LIST_COUNT) return 0;
  return (list[i]->backward ? SEL_OP_DIFFERENTIABLE : 0) | (list[i]->view ? SEL_OP_VIEW : 0);
}
