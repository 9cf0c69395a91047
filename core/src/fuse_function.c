/* Making fused functions, their kernels and their derivatives: see fuse.h. */
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "fuse.h"
#include "fuse_gradient.h"
#include "fuse_parse.h"

enum { QUOTED = 120, LABEL = QUOTED + 16 };

/* ---- making ---- */

static uint64_t used_inputs(const sel__fuse_program *p) {
  uint64_t used = 0;
  for (int i = 0; i < p->program.inputs; i++) used |= UINT64_C(1) << p->place[i];
  return used;
}

/* A function of a graph, which is taken. */
static sel_status make(const char *label, bool compile, sel__fuse_graph *graph, int inputs,
                       int outputs, const int *output, sel_fused **out) {
  sel_fused *f = sel__zalloc(sizeof *f + (size_t)outputs * sizeof *output);
  if (!f) {
    sel__fuse_graph_free(graph);
    return SEL_E_MEMORY;
  }
  atomic_init(&f->refs, 1);
  pthread_mutex_init(&f->lock, NULL);
  f->graph = *graph;
  f->compile = compile;
  f->inputs = inputs;
  f->outputs = outputs;
  f->output = memcpy(f + 1, output, (size_t)outputs * sizeof *output);
  f->label = sel__strdup(label);
  sel_status status = f->label ? SEL_OK : SEL_E_MEMORY;
  if (status == SEL_OK)
    status = sel__fuse_program_new(&f->graph, compile, outputs, f->output, &f->program);
  if (status != SEL_OK) {
    sel_fused_release(f);
    return status;
  }
  f->used = used_inputs(f->program);
  *out = f;
  return SEL_OK;
}

sel_status sel_fuse(const char *expression, bool compile, sel_fused **out) {
  SEL_CHECK(expression, SEL_E_ARGUMENT, "fuse: expected an expression, got NULL");
  sel__fuse_parsed parsed = {.inputs = 0};
  sel_status status = sel__fuse_parse(expression, &parsed);
  char label[LABEL];
  snprintf(label, sizeof label, "fuse \"%.*s%s\"", QUOTED, expression,
           strlen(expression) > QUOTED ? "..." : "");
  bool live[SEL__FUSE_NODES];
  int operations = 0;
  if (status == SEL_OK)
    operations = sel__fuse_live(&parsed.graph, parsed.outputs, parsed.output, live);
  if (operations > SEL_FUSE_OPERATIONS)
    status = sel_fail(SEL_E_ARGUMENT, "%s: at most %d operations, this has %d", label,
                      SEL_FUSE_OPERATIONS, operations);
  if (status != SEL_OK) {
    sel__fuse_graph_free(&parsed.graph);
    return status;
  }
  return make(label, compile, &parsed.graph, parsed.inputs, parsed.outputs, parsed.output, out);
}

void sel_fused_release(sel_fused *f) {
  if (!f || atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) != 1) return;
  for (sel__fuse_kernel *kernel = f->kernels, *next; kernel; kernel = next) {
    next = kernel->next;
    if (kernel->ability) kernel->ability->release(kernel->kernel);
    sel__free(kernel);
  }
  for (sel__fuse_gradients *gradients = f->gradients, *next; gradients; gradients = next) {
    next = gradients->next;
    sel_fused_release(gradients->fused);
    sel__free(gradients);
  }
  pthread_mutex_destroy(&f->lock);
  sel__fuse_graph_free(&f->graph);
  sel__free(f->program);
  sel__free(f->label);
  sel__free(f);
}

int sel_fused_inputs(const sel_fused *f) { return f->inputs; }
int sel_fused_outputs(const sel_fused *f) { return f->outputs; }

/* ---- kernels ---- */

static sel_status prepare(sel_fused *f, sel__fuse_kernel *kernel) {
  sel_device *device = kernel->device;
  kernel->ability = device->k.ability ? device->k.ability("fuse") : NULL;
  if (!kernel->ability) return SEL_OK;
  const sel_status status = kernel->ability->prepare(device->handle, &f->program->program,
                                                     kernel->dtype, &kernel->kernel);
  if (status == SEL_E_UNSUPPORTED) kernel->ability = NULL; /* separate operations, then */
  return status == SEL_E_UNSUPPORTED ? SEL_OK : status;
}

static sel_status add_kernel(sel_fused *f, sel_device *device, sel_dtype dtype,
                             sel__fuse_kernel **out) {
  sel__fuse_kernel *kernel = sel__zalloc(sizeof *kernel);
  if (!kernel) return SEL_E_MEMORY;
  kernel->device = device;
  kernel->dtype = dtype;
  sel_status status = prepare(f, kernel);
  if (status != SEL_OK) {
    sel__free(kernel);
    return status;
  }
  kernel->next = f->kernels;
  *out = f->kernels = kernel;
  return SEL_OK;
}

sel_status sel__fused_kernel(sel_fused *f, sel_device *device, sel_dtype dtype,
                             const sel__fuse_kernel **out) {
  pthread_mutex_lock(&f->lock);
  sel__fuse_kernel *kernel = f->kernels;
  while (kernel && (kernel->device != device || kernel->dtype != dtype)) kernel = kernel->next;
  sel_status status = kernel ? SEL_OK : add_kernel(f, device, dtype, &kernel);
  pthread_mutex_unlock(&f->lock);
  if (status == SEL_OK) *out = kernel;
  return status;
}

sel_status sel_fused_kernel(sel_fused *f, sel_dtype dtype, sel_device *device, const char **out) {
  if (!device) device = sel_default_device();
  SEL_CHECK(device, SEL_E_DEVICE, "fuse: no backend is loaded");
  SEL_CHECK(dtype == SEL_F32 || dtype == SEL_F64, SEL_E_DTYPE,
            "%s: kernels compute in f32 or f64, not in %s", f->label, sel_dtype_name(dtype));
  const sel__fuse_kernel *kernel;
  SEL_TRY(sel__fused_kernel(f, device, dtype, &kernel));
  *out = kernel->ability ? kernel->ability->describe(kernel->kernel) : "separate operations";
  return SEL_OK;
}

/* ---- derivatives ---- */

/* Sorts the gradients of inputs into results of a function, gradients passed on, and zeros; returns
 * how many results there are, their nodes in output. */
static int sort_gradients(const sel_fused *f, const sel__fuse_graph *g, const int *grad,
                          uint64_t wanted, int *result, int *output) {
  int n = 0;
  for (int i = 0; i < f->inputs; i++) {
    result[i] = -1;
    if (grad[i] < 0 || !(wanted >> i & 1)) continue;
    const sel__fuse_node *node = &g->node[grad[i]];
    if (node->op == SEL__FUSE_INPUT && node->operand[0] >= f->inputs) {
      result[i] = -2 - (node->operand[0] - f->inputs);
    } else {
      result[i] = n;
      output[n++] = grad[i];
    }
  }
  return n;
}

static sel_status derive(sel_fused *f, sel__fuse_gradients *gradients) {
  sel__fuse_graph g;
  SEL_TRY(sel__fuse_graph_copy(&f->graph, &g));
  int seed[SEL__FUSE_PLACES], grad[SEL__FUSE_PLACES], output[SEL__FUSE_PLACES];
  for (int j = 0; j < f->outputs; j++)
    seed[j] = gradients->given >> j & 1 ? sel__fuse_input(&g, f->inputs + j) : -1;
  sel_status status = sel__fuse_gradient(&g, f->outputs, f->output, seed, f->inputs, grad);
  int n = 0;
  if (status == SEL_OK)
    n = sort_gradients(f, &g, grad, gradients->wanted, gradients->result, output);
  if (status != SEL_OK || n == 0) {
    sel__fuse_graph_free(&g);
    return status;
  }
  return make(f->label, f->compile, &g, f->inputs + f->outputs, n, output, &gradients->fused);
}

static sel_status add_gradients(sel_fused *f, uint64_t given, uint64_t wanted,
                                sel__fuse_gradients **out) {
  SEL_CHECK(f->inputs + f->outputs <= SEL__FUSE_PLACES, SEL_E_UNSUPPORTED,
            "%s: a gradient of so high an order has %d inputs, more than %d", f->label,
            f->inputs + f->outputs, SEL__FUSE_PLACES);
  sel__fuse_gradients *gradients = sel__zalloc(sizeof *gradients);
  if (!gradients) return SEL_E_MEMORY;
  gradients->given = given;
  gradients->wanted = wanted;
  sel_status status = derive(f, gradients);
  if (status != SEL_OK) {
    sel__free(gradients);
    return status;
  }
  gradients->next = f->gradients;
  *out = f->gradients = gradients;
  return SEL_OK;
}

sel_status sel__fused_gradients(sel_fused *f, uint64_t given, uint64_t wanted,
                                const sel__fuse_gradients **out) {
  pthread_mutex_lock(&f->lock);
  sel__fuse_gradients *gradients = f->gradients;
  while (gradients && (gradients->given != given || gradients->wanted != wanted))
    gradients = gradients->next;
  sel_status status = gradients ? SEL_OK : add_gradients(f, given, wanted, &gradients);
  pthread_mutex_unlock(&f->lock);
  if (status == SEL_OK) *out = gradients;
  return status;
}
