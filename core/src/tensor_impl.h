/* The tensor's fields, for core's own files.
 *
 * Invariant: numel, contiguous follow from shape and stride; a tensor without storage is a scalar
 * (sel_scalar) unless it was freed. The tape's fields belong to tape.c and backward.c.
 */
#ifndef SEL_TENSOR_IMPL_H
#define SEL_TENSOR_IMPL_H

#include "core.h"
#include "device.h"
#include "selenite/tensor.h"

typedef struct sel_node sel_node;
typedef struct sel_grad_extra sel_grad_extra;

struct sel_tensor {
  atomic_int refs;
  uint8_t dtype; /* sel_dtype */
  uint8_t ndim;
  bool contiguous;
  bool is_view;       /* made as a view of another tensor */
  bool constant;      /* a view that is meant to have no gradient: detached, or made in no_grad */
  bool requires_grad; /* a leaf that asks for its gradient */
  bool freed;         /* by sel_tensor_free: without storage, but no scalar either */
  int64_t numel;
  int64_t offset; /* elements */
  int recorded;   /* of a view: its storage's count when it was made */
  sel_storage *storage;
  double value; /* of a scalar */
  /* tape */
  sel_node *node;       /* operation that made it; NULL for a leaf */
  int node_output;      /* which of its outputs */
  int64_t node_version; /* storage version when node was set */
  sel_tensor *grad;
  sel_grad_extra *extra; /* hooks, retained gradient; NULL for most */
  int64_t shape[SEL_MAX_DIMS], stride[SEL_MAX_DIMS];
};

/* What an operation's result will be. */
typedef struct sel_spec {
  sel_dtype dtype;
  int ndim;
  int64_t shape[SEL_MAX_DIMS];
} sel_spec;

/* New tensor for `spec` on `device`, contiguous, uninitialised. */
sel_status sel__tensor_new(const sel_spec *spec, sel_device *device, sel_tensor **out);
/* New tensor that shares t's storage: same shape, no tape. The caller may change shape, stride and
 * offset and then calls sel__tensor_settle. */
sel_status sel__tensor_alias(const sel_tensor *t, sel_tensor **out);
/* Recomputes numel and contiguous. */
void sel__tensor_settle(sel_tensor *t);
/* Checks a shape a caller gave: dims, extents, product. `what` names the operation. */
sel_status sel__check_shape(const char *what, int ndim, const int64_t *shape);
/* Wraps a negative dim and checks it. */
sel_status sel__dim(const char *what, const sel_tensor *t, int dim, int *out);

/* Writes "[2, 3]" into buffer; returns buffer. */
const char *sel__shape_text(int ndim, const int64_t *shape, char *buffer, size_t size);
enum { SEL_TEXT = 160 };

static inline bool sel__is_scalar(const sel_tensor *t) { return t->storage == NULL; }
static inline sel_device *sel__device(const sel_tensor *t) { return t->storage->device; }
static inline sel_spec sel__spec_of(const sel_tensor *t) {
  sel_spec s = {.dtype = (sel_dtype)t->dtype, .ndim = t->ndim};
  for (int d = 0; d < t->ndim; d++) s.shape[d] = t->shape[d];
  return s;
}
static inline sel_operand sel__operand(const sel_tensor *t) {
  if (sel__is_scalar(t)) return (sel_operand){.dtype = (sel_dtype)t->dtype, .value = t->value};
  return (sel_operand){
      .data = t->storage->buffer, .offset = t->offset, .dtype = (sel_dtype)t->dtype};
}
bool sel__same_shape(const sel_tensor *a, const sel_tensor *b);
/* Whether two positions of t share an element (a dim of stride 0, or worse). Exact for strides that
 * nest, cautious (true) otherwise. */
bool sel__self_overlaps(const sel_tensor *t);
/* Whether memory of a and b may meet; exact layouts count as meeting. */
bool sel__may_overlap(const sel_tensor *a, const sel_tensor *b);
bool sel__same_layout(const sel_tensor *a, const sel_tensor *b); /* same elements, same order */
/* Marks an in-place write by operation `writer` (static text). */
void sel__written(sel_tensor *t, const char *writer);

#endif
