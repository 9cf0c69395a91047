/* A layer's fields, for core's layer*.c. */
#ifndef SEL_LAYER_H
#define SEL_LAYER_H

#include <stdatomic.h>

#include "selenite/layer.h"

typedef struct sel__slot {
  char *name;
  sel_tensor *tensor; /* NULL: a name without tensor */
  sel_slot_kind kind;
} sel__slot;

typedef struct sel__child {
  char *name;
  sel_layer *layer;
} sel__child;

/* Invariant: slots and children have distinct names; no layer is its own descendant. */
struct sel_layer {
  atomic_int refs;
  const sel_layer_type *type;
  bool begun; /* init was called: finish is due */
  bool training;
  char *options; /* as text, for layer types that don't describe themselves */
  int n_slots, n_children;
  sel__slot *slots;
  sel__child *children;
  void *state; /* type->state_size bytes */
};

#endif
