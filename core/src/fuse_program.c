/* Numbering values: see fuse_program.h. */
#include "fuse_program.h"

#include <string.h>

#include "core.h"

typedef struct counts {
  int inputs, constants, steps;
} counts;

static counts count(const sel__fuse_graph *g, const bool *live) {
  counts n = {0, 0, 0};
  for (int i = 0; i < g->n; i++) {
    if (!live[i]) continue;
    if (g->node[i].op == SEL__FUSE_INPUT)
      n.inputs++;
    else if (g->node[i].op == SEL__FUSE_NUMBER)
      n.constants++;
    else
      n.steps++;
  }
  return n;
}

/* One block for the struct and its arrays, doubles first. */
static sel__fuse_program *allocate(const counts *n, int n_out) {
  const size_t constants = (size_t)n->constants * sizeof(double);
  const size_t steps = (size_t)n->steps * sizeof(sel_fuse_step);
  sel__fuse_program *p = sel__zalloc(sizeof *p + constants + steps + (size_t)n_out * sizeof(int));
  if (!p) return NULL;
  char *arrays = (char *)(p + 1);
  p->program = (sel_fuse_program){.size = sizeof p->program,
                                  .inputs = n->inputs,
                                  .constants = n->constants,
                                  .steps = n->steps,
                                  .outputs = n_out,
                                  .constant = (double *)arrays,
                                  .step = (sel_fuse_step *)(arrays + constants),
                                  .output = (int *)(arrays + constants + steps)};
  return p;
}

/* value: by node, its number in the program. */
static void fill(const sel__fuse_graph *g, const bool *live, int *value, sel__fuse_program *p) {
  double *constant = (double *)(uintptr_t)p->program.constant;
  sel_fuse_step *steps = (sel_fuse_step *)(uintptr_t)p->program.step;
  int inputs = 0, constants = p->program.inputs, results = constants + p->program.constants;
  for (int i = 0; i < g->n; i++) {
    const sel__fuse_node *node = &g->node[i];
    if (!live[i]) continue;
    if (node->op == SEL__FUSE_INPUT) {
      p->place[inputs] = node->operand[0];
      value[i] = inputs++;
    } else if (node->op == SEL__FUSE_NUMBER) {
      constant[constants - p->program.inputs] = node->number;
      value[i] = constants++;
    } else {
      sel_fuse_step *step = steps++;
      step->op = node->op;
      for (int k = 0; k < sel__fuse_arity(node->op); k++)
        step->operand[k] = value[node->operand[k]];
      value[i] = results++;
    }
  }
}

sel_status sel__fuse_program_new(const sel__fuse_graph *g, bool compile, int n_out,
                                 const int *output, sel__fuse_program **out) {
  int *value = sel__alloc((size_t)g->n * (sizeof *value + sizeof(bool)));
  if (!value) return SEL_E_MEMORY;
  bool *live = (bool *)(value + g->n);
  sel__fuse_live(g, n_out, output, live);
  const counts n = count(g, live);
  sel_status status = SEL_OK;
  sel__fuse_program *p = NULL;
  if (n.inputs > SEL__FUSE_PLACES)
    status = sel_fail(SEL_E_UNSUPPORTED,
                      "fuse: a gradient of so high an order has %d inputs, more "
                      "than %d",
                      n.inputs, SEL__FUSE_PLACES);
  else if (!(p = allocate(&n, n_out)))
    status = SEL_E_MEMORY;
  if (status == SEL_OK) {
    p->program.compile = compile;
    fill(g, live, value, p);
    int *outputs = (int *)(uintptr_t)p->program.output;
    for (int k = 0; k < n_out; k++) outputs[k] = value[output[k]];
    *out = p;
  }
  sel__free(value);
  return status;
}
