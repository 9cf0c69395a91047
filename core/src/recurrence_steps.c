/* Steps of a recurrence on their way to the backend: kept until there are so many that handing them
 * over together pays, then given to its `recurrence` kernel, or one by one to gemm and cell where
 * it has none.
 */
#include "recurrence.h"

enum { TOGETHER = 64 };

struct sel__steps {
  sel_device *device;
  int64_t count;
  sel_gemm_args product[TOGETHER];
  sel_cell_args cell[TOGETHER];
};

sel_status sel__steps_new(sel_device *device, sel__steps **out) {
  sel__steps *steps = sel__alloc(sizeof *steps);
  if (!steps) return SEL_E_MEMORY;
  steps->device = device;
  steps->count = 0;
  *out = steps;
  return SEL_OK;
}

static sel_status one_by_one(const sel__steps *steps) {
  const sel_backend *k = &steps->device->k;
  void *handle = steps->device->handle;
  for (int64_t i = 0; i < steps->count; i++) {
    const sel_gemm_args *product = &steps->product[i];
    const bool backward = steps->cell[i].backward;
    if (!backward) SEL_TRY(k->gemm(handle, product));
    SEL_TRY(k->cell(handle, &steps->cell[i]));
    if (backward && product->m > 0) SEL_TRY(k->gemm(handle, product));
  }
  return SEL_OK;
}

static sel_status flush(sel__steps *steps) {
  if (steps->count == 0) return SEL_OK;
  const sel_recurrence_args args = {
      .steps = steps->count, .products = steps->product, .cells = steps->cell};
  sel_device *device = steps->device;
  sel_status status =
      device->k.recurrence ? device->k.recurrence(device->handle, &args) : one_by_one(steps);
  steps->count = 0;
  return status;
}

sel_status sel__steps_add(sel__steps *steps, const sel_gemm_args *product,
                          const sel_cell_args *cell) {
  steps->product[steps->count] = *product;
  steps->cell[steps->count++] = *cell;
  return steps->count == TOGETHER ? flush(steps) : SEL_OK;
}

sel_status sel__steps_end(sel__steps *steps, sel_status status) {
  if (status == SEL_OK) status = flush(steps);
  sel__free(steps);
  return status;
}
