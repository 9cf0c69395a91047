/* The layer types of this plugin, and how they compose operations. */
#ifndef TRANSFORMER_H
#define TRANSFORMER_H

#include <math.h>
#include <stdio.h>

#include "selenite/layer.h"
#include "selenite/nn.h"
#include "selenite/ops.h"

extern const sel_layer_type transformer_multihead_attention;

#define TF_TRY(expr)                       \
  do {                                     \
    sel_status tf_try_ = (expr);           \
    if (tf_try_ != SEL_OK) return tf_try_; \
  } while (0)

#define TF_COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* A composition keeps its first failure and every tensor made in it. TF(c, add, a, b) is sel_add(a,
 * b, &t): t, held by c, or NULL after a failure, from which on nothing is done. Calls don't nest.
 */
enum { TF_HELD = 48 };
typedef struct tf_composition {
  sel_status status;
  int n;
  sel_tensor *held[TF_HELD];
} tf_composition;

static inline sel_tensor *tf_hold(tf_composition *c, sel_status status) {
  c->status = status;
  return status == SEL_OK ? c->held[c->n++] : NULL;
}
#define TF(c, name, ...) \
  ((c)->status != SEL_OK ? NULL : tf_hold((c), sel_##name(__VA_ARGS__, &(c)->held[(c)->n])))

/* Drops what was made; `result`, held or not, goes to *out as a new reference. */
static inline sel_status tf_end(tf_composition *c, sel_tensor *result, sel_tensor **out) {
  if (c->status == SEL_OK) *out = sel_retain(result);
  while (c->n > 0) sel_release(c->held[--c->n]);
  return c->status;
}

#endif
