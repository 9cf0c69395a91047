/* Operations: what one is, and the driver that all of them pass through.
 *
 * An operation is a constant `sel_op` in its family's file, with its shape rule (infer), its launch
 * and its backward rule side by side, and one row in oplist.h. Its C function (ops.h) fills a
 * sel_call on the stack and hands it to sel__run, which checks, allocates, launches and records;
 * the rules never do each other's work.
 */
#ifndef SEL_OP_H
#define SEL_OP_H

#include "scope.h"
#include "selenite/ops.h"
#include "tensor_impl.h"

enum { SEL_MAX_OUT = 5, SEL_MAX_SAVE_RULES = 4 };

typedef struct sel_op sel_op;

/* One application of an operation, going forward. */
typedef struct sel_call {
  const sel_op *op;
  int n_in;
  sel_tensor *const *in; /* NULL entries where an input is optional */
  const void *attrs;     /* the operation's own struct of op->attrs_size bytes */
  sel_tensor *out[SEL_MAX_OUT];
} sel_call;

/* One application of a backward rule. Gradients of inputs may come out in any shape that broadcasts
 * against the input: the walker sums them down. */
typedef struct sel_vjp {
  const sel_op *op;
  const void *attrs;
  int n_in, n_out;
  const bool *needs;      /* by input: is its gradient wanted */
  sel_tensor *const *in;  /* saved inputs, NULL where not saved */
  sel_tensor *const *out; /* saved outputs, NULL where not saved */
  sel_tensor *const *g;   /* gradients of the outputs; NULL: zero */
  const sel_spec *in_spec, *out_spec;
  sel_scope *scope;  /* holds what the rule makes on its way */
  sel_tensor **grad; /* to be filled, new references; NULL stays zero */
} sel_vjp;

/* What a call moved and computed, for profiles (profile.h). */
typedef struct sel_cost {
  double bytes, flops;
} sel_cost;

/* Bits of `save_for`: which tensors the gradient of an input is computed from. */
#define SEL_IN(i) (1u << (i))
#define SEL_OUT(k) (1u << (16 + (k)))

struct sel_op {
  const char *name;
  const void *row; /* constant data of the family, such as a pointwise row's id */
  int n_out;
  size_t attrs_size;
  /* Checks the call and says what comes out (n_out specs). Not for views. */
  sel_status (*infer)(const sel_call *call, sel_spec *out);
  /* Computes into call->out, which are contiguous and of the inferred specs. */
  sel_status (*launch)(sel_call *call);
  /* For views instead of both: checks, then changes shape, stride, offset of `out`, an alias of
   * input 0. */
  sel_status (*view)(const sel_call *call, sel_tensor *out);
  /* Gradients of the inputs that v->needs; NULL: there is none (results are integers), or, for
   * float results, asking for it is an error that names the operation. */
  sel_status (*backward)(sel_vjp *v);
  /* For operations of one input and one result whose gradient is mostly zeros: adds it to `total`,
   * which is in C order. Does the same as backward and adding, with less work. NULL: no such rule.
   */
  sel_status (*add_gradient)(const void *attrs, sel_tensor *total, sel_tensor *g);
  /* save_for[i]: tensors that the gradient of input i needs. Inputs past the table use its last
   * entry. Only what a wanted gradient needs is kept. */
  unsigned save_for[SEL_MAX_SAVE_RULES];
  /* For profiles, after a launch: sets flops where the call is made of products, and bytes where
   * they are not all inputs once and all results once, as they come in. NULL: no such thing. */
  void (*cost)(const sel_call *call, sel_cost *cost);
};

/* Runs an operation: results in call->out (new references). */
sel_status sel__run(sel_call *call);
/* The same with result 0 written into input 0, which keeps its shape and dtype. The operation must
 * allow its launch to write into its own input (pointwise does). */
sel_status sel__run_in_place(sel_call *call);

/* Runs an operation of one output into *out. */
static inline sel_status sel__run1(const sel_op *op, int n_in, sel_tensor *const *in,
                                   const void *attrs, sel_tensor **out) {
  sel_call call = {.op = op, .n_in = n_in, .in = in, .attrs = attrs};
  sel_status status = sel__run(&call);
  if (status == SEL_OK) *out = call.out[0];
  return status;
}

/* ---- what checks and shape rules share ---- */

/* Fails unless all inputs (NULLs are skipped) can be used and lie on one device, which goes to
 * *device. */
sel_status sel__check_inputs(const char *what, int n, sel_tensor *const *in, sel_device **device);
/* Shape that a and b broadcast to; error names the operation. */
sel_status sel__broadcast(const char *what, int n_a, const int64_t *a, int n_b, const int64_t *b,
                          int *n_out, int64_t *out);
/* Fails unless t is a tensor with memory, not NULL or a number; `role`: which input it is. */
sel_status sel__expect_tensor(const char *what, const char *role, const sel_tensor *t);
/* Fails unless both have one dtype (scalars fit all). */
sel_status sel__same_dtype(const char *what, const sel_tensor *a, const sel_tensor *b);
sel_status sel__float_dtype(const char *what, const sel_tensor *t);
/* Integer index tensor: i64 or i32. */
sel_status sel__index_dtype(const char *what, const sel_tensor *index);
/* Fails with SEL_E_UNSUPPORTED unless the backend has the kernel. */
#define SEL_KERNEL(device, family, what)                                                      \
  SEL_CHECK((device)->k.family, SEL_E_UNSUPPORTED, "%s: backend '%s' has no %s kernel", what, \
            (device)->k.name, #family)

/* x itself (one reference more) where it is contiguous, else a copy without tape. For launches. */
sel_status sel__packed(sel_tensor *x, sel_tensor **out);
/* The same, converted to `dtype` where it differs. */
sel_status sel__packed_as(sel_tensor *x, sel_dtype dtype, sel_tensor **out);
/* Copies src into dst with conversion; no checks, no tape. Shapes are equal or src broadcasts. */
sel_status sel__copy(sel_tensor *dst, sel_tensor *src);
/* f32 for f16 and bf16, the dtype itself else: what low precision is computed in. */
static inline sel_dtype sel__compute_dtype(sel_dtype d) {
  return d == SEL_F16 || d == SEL_BF16 ? SEL_F32 : d;
}

#endif
