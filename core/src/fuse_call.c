/* Applying fused functions: checks, the launch, and the record on the tape. */
#include <string.h>

#include "core.h"
#include "fuse.h"
#include "inspect.h"
#include "tape.h"
#include "walk.h"

/* ---- checks ---- */

/* The float tensor whose dtype counts; NULL where there is none. */
static const sel_tensor *typed_input(int n, sel_tensor *const *in) {
  for (int i = 0; i < n; i++)
    if (in[i] && !sel__is_scalar(in[i]) && sel_dtype_is_float((sel_dtype)in[i]->dtype))
      return in[i];
  return NULL;
}

/* What comes out, for inputs of which some are left out (NULL) in gradients. */
static sel_status infer(const char *what, int n, sel_tensor *const *in, sel_spec *out) {
  const sel_tensor *typed = typed_input(n, in);
  SEL_CHECK(typed, SEL_E_DTYPE, "%s: expected at least one tensor of a float dtype", what);
  *out = (sel_spec){.dtype = (sel_dtype)typed->dtype};
  for (int i = 0; i < n; i++) {
    if (!in[i] || sel__is_scalar(in[i])) continue;
    if (in[i]->dtype != SEL_BOOL) {
      SEL_TRY(sel__float_dtype(what, in[i]));
      SEL_TRY(sel__same_dtype(what, typed, in[i]));
    }
    SEL_TRY(sel__broadcast(what, out->ndim, out->shape, in[i]->ndim, in[i]->shape, &out->ndim,
                           out->shape));
  }
  return SEL_OK;
}

/* ---- launch ---- */

static sel_status launch(const sel_fused *f, const sel__fuse_kernel *kernel, sel_tensor *const *in,
                         sel_tensor *const *out) {
  const sel_fuse_program *p = &f->program->program;
  sel_tensor *operands[SEL__FUSE_PLACES + 1];
  sel_operand input[SEL__FUSE_PLACES], output[SEL__FUSE_PLACES];
  int64_t shape[SEL_MAX_DIMS], stride[SEL__FUSE_PLACES + 1][SEL_MAX_DIMS];
  for (int i = 0; i < p->inputs; i++) {
    operands[i] = in[f->program->place[i]];
    input[i] = sel__operand(operands[i]);
  }
  operands[p->inputs] = out[0];
  for (int k = 0; k < p->outputs; k++) output[k] = sel__operand(out[k]);
  const int ndim = sel__walk(out[0], p->inputs + 1, operands, shape, stride);
  const sel_fuse_args args = {.size = sizeof args,
                              .input = input,
                              .output = output,
                              .ndim = ndim,
                              .numel = out[0]->numel,
                              .shape = shape,
                              .stride = (const int64_t(*)[SEL_MAX_DIMS])stride};
  return kernel->ability->run(kernel->device->handle, kernel->kernel, &args);
}

/* Results of separate operations to where they belong: as they are where nobody else holds them and
 * they have the right shape. */
static sel_status place_results(int n, sel_tensor **results, sel_tensor **out) {
  sel_status status = SEL_OK;
  for (int k = 0; k < n && status == SEL_OK; k++) {
    const bool own = atomic_load(&results[k]->refs) == 1 && results[k]->contiguous &&
                     !results[k]->is_view && sel__same_shape(results[k], out[k]);
    if (own) {
      sel_tensor *unused = out[k];
      out[k] = results[k];
      results[k] = unused;
    } else {
      status = sel__copy(out[k], results[k]);
    }
  }
  for (int k = 0; k < n; k++) sel_release(results[k]);
  return status;
}

static double bytes_moved(const sel_fused *f, sel_tensor *const *in, sel_tensor *const *out) {
  double bytes = f->outputs * sel__bytes_of(out[0]);
  for (int i = 0; i < f->inputs; i++)
    if (f->used >> i & 1) bytes += sel__bytes_of(in[i]);
  return bytes;
}

static sel_status compute(sel_fused *f, sel_device *device, sel_tensor *const *in,
                          sel_tensor **out) {
  const sel__fuse_kernel *kernel;
  const sel_dtype dtype = (sel_dtype)out[0]->dtype;
  SEL_TRY(sel__fused_kernel(f, device, dtype, &kernel));
  if (out[0]->numel == 0) return SEL_OK;
  const sel_status status = kernel->ability ? launch(f, kernel, in, out) : SEL_E_UNSUPPORTED;
  if (status == SEL_E_UNSUPPORTED) {
    sel_tensor *results[SEL__FUSE_PLACES];
    SEL_TRY(sel__fuse_compose(f->program, dtype, device, in, results));
    return place_results(f->outputs, results, out);
  }
  SEL_TRY(status);
  if (sel__recording()) sel__span_worked(device, bytes_moved(f, in, out));
  return SEL_OK;
}

/* ---- the tape ---- */

/* What a node remembers beside the saved inputs. */
typedef struct record {
  sel_fused *f;
  uint64_t wanted, saved; /* bit i: input i wants a gradient; is saved */
} record;

static sel_status run(sel_fused *f, sel_tensor *const *in, sel_tensor **out);

static void release_record(void *context) {
  record *r = context;
  sel_fused_release(r->f);
  sel__free(r);
}

static sel_status backward(void *context, sel_tensor *const *saved, sel_tensor *const *grad_outputs,
                           sel_tensor **grad_inputs) {
  const record *r = context;
  const sel_fused *f = r->f;
  sel_tensor *in[SEL__FUSE_PLACES] = {NULL}, *results[SEL__FUSE_PLACES];
  uint64_t given = 0;
  for (int i = 0; i < f->inputs; i++)
    if (r->saved >> i & 1) in[i] = *saved++;
  for (int j = 0; j < f->outputs; j++)
    if ((in[f->inputs + j] = grad_outputs[j])) given |= UINT64_C(1) << j;
  const sel__fuse_gradients *gradients;
  SEL_TRY(sel__fused_gradients(r->f, given, r->wanted, &gradients));
  if (gradients->fused) SEL_TRY(run(gradients->fused, in, results));
  for (int i = 0; i < f->inputs; i++) {
    const int result = gradients->result[i];
    if (result >= 0)
      grad_inputs[i] = results[result];
    else if (result < -1)
      grad_inputs[i] = sel_retain(grad_outputs[-2 - result]);
  }
  return SEL_OK;
}

static const sel_function function = {
    .size = sizeof function, .name = "fuse", .backward = backward, .release = release_record};

static sel_status put_on_tape(sel_fused *f, sel_tensor *const *in, sel_tensor *const *out) {
  uint64_t wanted = 0;
  for (int i = 0; i < f->inputs; i++)
    if (sel__wants_grad(in[i]) && f->used >> i & 1) wanted |= UINT64_C(1) << i;
  if (!wanted || sel__grad_mode_off) return SEL_OK;
  const uint64_t all = f->outputs < 64 ? (UINT64_C(1) << f->outputs) - 1 : ~UINT64_C(0);
  const sel__fuse_gradients *gradients;
  SEL_TRY(sel__fused_gradients(f, all, wanted, &gradients));
  record *r = sel__alloc(sizeof *r);
  if (!r) return SEL_E_MEMORY;
  *r = (record){.f = sel__fused_retain(f), .wanted = wanted};
  sel_tensor *saved[SEL__FUSE_PLACES];
  int n = 0;
  for (int i = 0; i < f->inputs && gradients->fused; i++)
    if (gradients->fused->used >> i & 1) {
      saved[n++] = in[i];
      r->saved |= UINT64_C(1) << i;
    }
  return sel_record(&function, r, f->inputs, in, n, saved, f->outputs, out);
}

/* ---- calls ---- */

/* in: by the function's inputs; NULL where results don't depend on one. */
static sel_status run(sel_fused *f, sel_tensor *const *in, sel_tensor **out) {
  SEL_CHECK(!sel_interrupted(), SEL_E_INTERRUPTED, "interrupted");
  sel_device *device;
  sel_spec spec;
  SEL_TRY(sel__check_inputs(f->label, f->inputs, in, &device));
  SEL_TRY(infer(f->label, f->inputs, in, &spec));
  for (int i = 0; i < f->inputs; i++)
    SEL_CHECK(in[i] || !(f->used >> i & 1), SEL_E_INTERNAL, "%s: input %d was not kept", f->label,
              i);
  sel_tensor *made[SEL__FUSE_PLACES] = {NULL};
  sel_status status = SEL_OK;
  for (int k = 0; k < f->outputs && status == SEL_OK; k++)
    status = sel__tensor_new(&spec, device, &made[k]);
  const sel_span span = sel__span_open(SEL_PROFILE_OPERATION, "fuse");
  const bool inspects = span && sel__inspecting();
  sel__sight inputs;
  if (inspects) inputs = sel__look_at_inputs(f->inputs, in);
  if (status == SEL_OK) status = compute(f, device, in, made);
  sel__span_close(span);
  if (inspects && status == SEL_OK) sel__look_at_results(span, &inputs, f->outputs, made, true);
  if (status == SEL_OK) status = put_on_tape(f, in, made);
  for (int k = 0; k < f->outputs; k++) {
    if (status == SEL_OK)
      out[k] = made[k];
    else
      sel_release(made[k]);
  }
  return status;
}

/* f16 and bf16 are computed in f32. */
static sel_status run_wide(sel_fused *f, sel_dtype dtype, sel_tensor *const *in, sel_tensor **out) {
  sel_tensor *wide[SEL_FUSE_INPUTS] = {NULL}, *made[SEL_FUSE_OUTPUTS] = {NULL};
  sel_status status = SEL_OK;
  for (int i = 0; i < f->inputs && status == SEL_OK; i++) {
    if (sel__is_scalar(in[i]) || in[i]->dtype == SEL_BOOL)
      wide[i] = sel_retain(in[i]);
    else
      status = sel_to(in[i], SEL_F32, NULL, &wide[i]);
  }
  if (status == SEL_OK) status = run(f, wide, made);
  sel_tensor *narrow[SEL_FUSE_OUTPUTS] = {NULL};
  for (int k = 0; k < f->outputs && status == SEL_OK; k++)
    status = sel_to(made[k], dtype, NULL, &narrow[k]);
  for (int i = 0; i < f->inputs; i++) sel_release(wide[i]);
  for (int k = 0; k < f->outputs; k++) {
    sel_release(made[k]);
    if (status == SEL_OK)
      out[k] = narrow[k];
    else
      sel_release(narrow[k]);
  }
  return status;
}

sel_status sel_fused_call(sel_fused *f, int n, sel_tensor *const *inputs, sel_tensor **outputs) {
  SEL_CHECK(n == f->inputs, SEL_E_ARGUMENT, "%s: expected %d inputs, got %d", f->label, f->inputs,
            n);
  for (int i = 0; i < n; i++)
    SEL_CHECK(inputs[i], SEL_E_ARGUMENT, "%s: input %d is missing", f->label, i + 1);
  const sel_tensor *typed = typed_input(n, inputs);
  const sel_dtype dtype = typed ? (sel_dtype)typed->dtype : SEL_F32;
  if (sel__compute_dtype(dtype) == dtype) return run(f, inputs, outputs);
  sel_spec spec;
  SEL_TRY(infer(f->label, n, inputs, &spec)); /* dtypes are checked before they change */
  return run_wide(f, dtype, inputs, outputs);
}
