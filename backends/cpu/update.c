/* Optimizer updates: one pass over all parameters, each rule of SEL_UPDATES a loop per type.
 *
 * The items are seen as one long vector, which threads share evenly whatever the tensors' sizes.
 */
#include <math.h>

#include "kernels.h"
#include "threads.h"

enum { STATES = 3 };
static const double NANOSECONDS = 0.7; /* an element: up to seven streams of memory */

/* Applies a rule to n elements. */
typedef void rule(int64_t n, void *parameter, const void *gradient, void *const *state,
                  const double *scalar);

#define T float
#define TYPED(name) CPU_JOIN(name, f32)
#define SQRT sqrtf
#include "update_body.h"
#define T double
#define TYPED(name) CPU_JOIN(name, f64)
#define SQRT sqrt
#include "update_body.h"

#define STATES_OF(name, states, ...) [SEL_UPDATE_##name] = states,
static const int states_of[SEL_UPDATE_COUNT] = {SEL_UPDATES(STATES_OF)};

static void run_item(const sel_update_args *args, const sel_update_item *item, int64_t begin,
                     int64_t end) {
  const int64_t at = begin * cpu_size(args->dtype);
  void *state[STATES] = {NULL, NULL, NULL};
  for (int k = 0; k < states_of[args->op]; k++) state[k] = (char *)cpu_at(&item->state[k]) + at;
  rule *const apply = args->dtype == SEL_F32 ? rules_f32[args->op] : rules_f64[args->op];
  apply(end - begin, (char *)cpu_at(&item->parameter) + at,
        (const char *)cpu_at(&item->gradient) + at, state, args->scalar);
}

static void run(const void *context, int64_t begin, int64_t end) {
  const sel_update_args *args = context;
  int64_t first = 0; /* the item's place in the long vector */
  for (int i = 0; i < args->count && first < end; i++) {
    const int64_t n = args->items[i].numel;
    const int64_t from = begin > first ? begin - first : 0;
    const int64_t to = end - first < n ? end - first : n;
    if (from < to) run_item(args, &args->items[i], from, to);
    first += n;
  }
}

sel_status CPU_NAME(cpu_update)(sel_backend_device device, const sel_update_args *args) {
  (void)device;
  int64_t total = 0;
  for (int i = 0; i < args->count; i++) total += args->items[i].numel;
  cpu_parallel(total, (double)total * NANOSECONDS, run, args);
  return SEL_OK;
}
