/* Looking at the tape without walking it backwards: what drawings of it are made from. */
#include <stdio.h>

#include "tape.h"

sel_node *sel_node_of(const sel_tensor *t) { return t->node; }

const char *sel_node_name(const sel_node *node) { return node->name; }
int64_t sel_node_sequence(const sel_node *node) { return (int64_t)node->sequence; }
bool sel_node_released(const sel_node *node) { return node->released; }
int sel_node_inputs(const sel_node *node) { return node->n_in; }
int sel_node_results(const sel_node *node) { return node->n_out; }

sel_node *sel_node_input(const sel_node *node, int i, int *result) {
  if (i < 0 || i >= node->n_in || !node->edges[i].node) return NULL;
  *result = node->edges[i].output;
  return node->edges[i].node;
}

sel_tensor *sel_node_leaf(const sel_node *node, int i) {
  return i >= 0 && i < node->n_in ? node->edges[i].leaf : NULL;
}

const char *sel_node_describe(const sel_node *node, int k, char *buffer, size_t size) {
  if (k < 0 || k >= node->n_out) {
    snprintf(buffer, size, "no result %d", k);
    return buffer;
  }
  const sel_spec *spec = &node->out_spec[k];
  char shape[SEL_TEXT];
  snprintf(buffer, size, "%s%s", sel_dtype_name(spec->dtype),
           sel__shape_text(spec->ndim, spec->shape, shape, sizeof shape));
  return buffer;
}
