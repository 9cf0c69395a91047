/* Copies: clone, contiguous, casts, fills, writes into a tensor, and moves between devices. */
#include <string.h>

#include "op.h"
#include "selenite/autograd.h"
#include "walk.h"

/* ---- the kernel ---- */

static sel_status launch_copy(const char *what, sel_tensor *dst, sel_tensor *src) {
  if (dst->numel == 0) return SEL_OK;
  sel_device *device = sel__device(dst);
  SEL_KERNEL(device, copy, what);
  sel_copy_args args;
  sel_tensor *operands[2] = {src, dst};
  args.source = sel__operand(src);
  args.destination = sel__operand(dst);
  args.numel = dst->numel;
  args.ndim = sel__walk(dst, 2, operands, args.shape, args.stride);
  return device->k.copy(device->handle, &args);
}

sel_status sel__copy(sel_tensor *dst, sel_tensor *src) { return launch_copy("copy", dst, src); }

sel_status sel__packed_as(sel_tensor *x, sel_dtype dtype, sel_tensor **out) {
  if (x->contiguous && (sel_dtype)x->dtype == dtype) {
    *out = sel_retain(x);
    return SEL_OK;
  }
  sel_spec spec = sel__spec_of(x);
  spec.dtype = dtype;
  sel_tensor *copy;
  SEL_TRY(sel__tensor_new(&spec, sel__device(x), &copy));
  sel_status status = sel__copy(copy, x);
  if (status != SEL_OK) {
    sel_release(copy);
    return status;
  }
  *out = copy;
  return SEL_OK;
}

sel_status sel__packed(sel_tensor *x, sel_tensor **out) {
  return sel__packed_as(x, (sel_dtype)x->dtype, out);
}

/* ---- cast: a copy of another dtype (clone: of the same) ---- */

static sel_status cast_infer(const sel_call *call, sel_spec *out) {
  *out = sel__spec_of(call->in[0]);
  out->dtype = *(const sel_dtype *)call->attrs;
  SEL_CHECK((unsigned)out->dtype < SEL_DTYPE_COUNT, SEL_E_DTYPE, "to: %d is no dtype",
            (int)out->dtype);
  return SEL_OK;
}
static sel_status cast_launch(sel_call *call) {
  return launch_copy(call->op->name, call->out[0], call->in[0]);
}
static sel_status cast_backward(sel_vjp *v) {
  if (!v->needs[0]) return SEL_OK;
  return sel_to(v->g[0], v->in_spec[0].dtype, NULL, &v->grad[0]);
}
const sel_op sel__op_cast = {.name = "to",
                             .n_out = 1,
                             .attrs_size = sizeof(sel_dtype),
                             .infer = cast_infer,
                             .launch = cast_launch,
                             .backward = cast_backward};

static sel_status cast(sel_tensor *x, sel_dtype dtype, sel_tensor **out) {
  return sel__run1(&sel__op_cast, 1, &x, &dtype, out);
}

sel_status sel_clone(sel_tensor *x, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("clone", "input", x));
  return cast(x, (sel_dtype)x->dtype, out);
}

sel_status sel_contiguous(sel_tensor *x, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("contiguous", "input", x));
  if (!x->contiguous) return sel_clone(x, out);
  *out = sel_retain(x);
  return SEL_OK;
}

/* ---- between devices: through host memory ---- */

static sel_status transfer(sel_tensor *x, sel_device *device, sel_tensor **out) {
  sel_spec spec = sel__spec_of(x);
  size_t bytes = (size_t)x->numel * sel_dtype_size(spec.dtype);
  sel_tensor *moved = NULL;
  SEL_TRY(sel__tensor_new(&spec, device, &moved));
  sel_status status;
  if (device->k.host_memory) {
    status = sel_read(x, sel_data(moved), bytes);
  } else if (sel__device(x)->k.host_memory && x->contiguous) {
    status = sel_write(moved, sel_data(x), bytes);
  } else {
    void *buffer = sel__alloc(bytes);
    status = buffer ? sel_read(x, buffer, bytes) : SEL_E_MEMORY;
    if (status == SEL_OK) status = sel_write(moved, buffer, bytes);
    sel__free(buffer);
  }
  if (status != SEL_OK) {
    sel_release(moved);
    return status;
  }
  *out = moved;
  return SEL_OK;
}

static sel_status transfer_backward(void *context, sel_tensor *const *saved,
                                    sel_tensor *const *grad_outputs, sel_tensor **grad_inputs) {
  (void)saved;
  sel_device *home = context;
  if (!grad_outputs[0]) return SEL_OK;
  return sel_to(grad_outputs[0], (sel_dtype)grad_outputs[0]->dtype, home, &grad_inputs[0]);
}
static const sel_function transfer_function = {
    .size = sizeof(sel_function), .name = "to", .backward = transfer_backward};

static sel_status move(sel_tensor *x, sel_device *device, sel_tensor **out) {
  sel_tensor *moved;
  SEL_TRY(transfer(x, device, &moved));
  sel_status status = sel_record(&transfer_function, sel__device(x), 1, &x, 0, NULL, 1, &moved);
  if (status != SEL_OK) {
    sel_release(moved);
    return status;
  }
  *out = moved;
  return SEL_OK;
}

sel_status sel_to(sel_tensor *x, sel_dtype dtype, sel_device *device, sel_tensor **out) {
  SEL_TRY(sel__expect_tensor("to", "input", x));
  sel_tensor *cast_result = NULL;
  if ((sel_dtype)x->dtype != dtype)
    SEL_TRY(cast(x, dtype, &cast_result));
  else
    cast_result = sel_retain(x);
  if (!device || device == sel__device(x)) {
    *out = cast_result;
    return SEL_OK;
  }
  sel_status status = move(cast_result, device, out);
  sel_release(cast_result);
  return status;
}

/* ---- writes into a tensor ---- */

/* In place: input 0 is overwritten by input 1, which broadcasts to it. */
static sel_status copy_infer(const sel_call *call, sel_spec *out) {
  const sel_tensor *dst = call->in[0], *src = call->in[1];
  *out = sel__spec_of(dst);
  int n;
  int64_t shape[SEL_MAX_DIMS];
  SEL_TRY(sel__broadcast("copy_", dst->ndim, dst->shape, src->ndim, src->shape, &n, shape));
  bool fits = n == dst->ndim;
  for (int d = 0; fits && d < n; d++) fits = shape[d] == dst->shape[d];
  char a[SEL_TEXT], b[SEL_TEXT];
  SEL_CHECK(fits, SEL_E_SHAPE, "copy_: %s does not broadcast to %s", sel_describe(src, b, sizeof b),
            sel_describe(dst, a, sizeof a));
  return SEL_OK;
}
static sel_status copy_launch(sel_call *call) {
  return launch_copy("copy_", call->out[0], call->in[1]);
}
static sel_status copy_backward(sel_vjp *v) {
  if (!v->needs[1]) return SEL_OK; /* what was overwritten has no influence: no gradient */
  return sel_to(v->g[0], v->in_spec[1].dtype, NULL, &v->grad[1]);
}
const sel_op sel__op_copy = {.name = "copy",
                             .n_out = 1,
                             .infer = copy_infer,
                             .launch = copy_launch,
                             .backward = copy_backward};

static sel_status copy_into(sel_tensor *dst, sel_tensor *src) {
  sel_call call = {.op = &sel__op_copy, .n_in = 2, .in = (sel_tensor *[]){dst, src}};
  return sel__run_in_place(&call);
}

sel_status sel_copy_(sel_tensor *dst, sel_tensor *src) {
  SEL_TRY(sel__expect_tensor("copy_", "destination", dst));
  SEL_TRY(sel__expect_tensor("copy_", "source", src));
  if (sel__device(dst) == sel__device(src)) return copy_into(dst, src);
  sel_tensor *moved;
  SEL_TRY(move(src, sel__device(dst), &moved));
  sel_status status = copy_into(dst, moved);
  sel_release(moved);
  return status;
}

sel_status sel_fill_(sel_tensor *t, double value) {
  SEL_TRY(sel__expect_tensor("fill_", "input", t));
  sel_tensor *number;
  SEL_TRY(sel_scalar(value, &number));
  sel_status status = copy_into(t, number);
  sel_release(number);
  return status;
}
