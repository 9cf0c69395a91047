/* Fused functions as objects: reading, kernels and derivatives (fuse_function.c), calls and their
 * place on the tape (fuse_call.c). */
#ifndef SEL_FUSE_H
#define SEL_FUSE_H

#include <pthread.h>

#include "device.h"
#include "fuse_program.h"
#include "selenite/fuse.h"

typedef struct sel__fuse_kernel {
  struct sel__fuse_kernel *next;
  sel_device *device;
  sel_dtype dtype;
  const sel_fuse_ability *ability; /* NULL: separate operations */
  void *kernel;
} sel__fuse_kernel;

/* The gradients of a function, for some of its outputs having one. Input i's gradient is zero, the
 * gradient of an output as it is, or a result of `fused`, whose inputs are the function's and then
 * the gradients of its outputs. */
typedef struct sel__fuse_gradients {
  struct sel__fuse_gradients *next;
  uint64_t given, wanted;       /* bit j: output j has a gradient; bit i: input i's is asked for */
  sel_fused *fused;             /* NULL: no input needs it */
  int result[SEL__FUSE_PLACES]; /* by input: of fused, -1: none, -2 - j: output j's gradient */
} sel__fuse_gradients;

struct sel_fused {
  atomic_int refs;
  char *label; /* fuse "expression", for errors */
  bool compile;
  sel__fuse_graph graph;
  int inputs, outputs;
  int *output;   /* nodes */
  uint64_t used; /* bit i: results depend on input i */
  sel__fuse_program *program;
  pthread_mutex_t lock; /* of what follows; entries stay until the function goes */
  sel__fuse_kernel *kernels;
  sel__fuse_gradients *gradients;
};

static inline sel_fused *sel__fused_retain(sel_fused *f) {
  atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
  return f;
}

/* Made on first use. Borrowed. */
sel_status sel__fused_kernel(sel_fused *f, sel_device *device, sel_dtype dtype,
                             const sel__fuse_kernel **out);
sel_status sel__fused_gradients(sel_fused *f, uint64_t given, uint64_t wanted,
                                const sel__fuse_gradients **out);

/* results[k] = output k, computed by separate operations, for a backend without the ability: in
 * the shapes that the parts it depends on have. Without tape. in: by the function's inputs. */
sel_status sel__fuse_compose(const sel__fuse_program *p, sel_dtype compute, sel_device *device,
                             sel_tensor *const *in, sel_tensor **results);

#endif
