/* Optimizer updates: one pass over all parameters, each rule of SEL_UPDATES a loop per type.
 *
 * The items are seen as one long vector, which threads share evenly whatever the tensors' sizes.
 */
#include <math.h>

#include "kernels.h"
#include "threads.h"

enum { STATES = 3 };
static const double NANOSECONDS = 0.7; /* an element: up to seven streams of memory */

/* Applies a rule to n elements; s: the scalars in the rule's type. */
typedef void rule(int64_t n, void *parameter, const void *gradient, void *const *state,
                  const double *scalar);

#define SCALARS(T)                                                                    \
  const T s0 = (T)scalar[0], s1 = (T)scalar[1], s2 = (T)scalar[2], s3 = (T)scalar[3], \
          s4 = (T)scalar[4], s5 = (T)scalar[5], s6 = (T)scalar[6], s7 = (T)scalar[7]; \
  (void)s0, (void)s1, (void)s2, (void)s3, (void)s4, (void)s5, (void)s6, (void)s7

/* State the rule does not have is a local that nobody reads. */
#define RULE(name, type, states, ...)                                                             \
  static void name(int64_t n, void *parameter, const void *gradient, void *const *state,          \
                   const double *scalar) {                                                        \
    typedef type T;                                                                               \
    SCALARS(T);                                                                                   \
    T *ps = parameter, *ms = state[0], *vs = state[1], *ws = state[2];                            \
    const T *gs = gradient;                                                                       \
    _Pragma("omp simd") for (int64_t i = 0; i < n; i++) {                                         \
      T p = ps[i], g = gs[i];                                                                     \
      T m = (states) > 0 ? ms[i] : 0, v = (states) > 1 ? vs[i] : 0, w = (states) > 2 ? ws[i] : 0; \
      __VA_ARGS__                                                                                 \
      ps[i] = p;                                                                                  \
      if ((states) > 0) ms[i] = m;                                                                \
      if ((states) > 1) vs[i] = v;                                                                \
      if ((states) > 2) ws[i] = w;                                                                \
    }                                                                                             \
  }

#define K(x) ((T)(x))
#define SQRT sqrtf
#define RULE_F32(name, states, ...) RULE(name##_f32, float, states, __VA_ARGS__)
SEL_UPDATES(RULE_F32)
#undef SQRT
#define SQRT sqrt
#define RULE_F64(name, states, ...) RULE(name##_f64, double, states, __VA_ARGS__)
SEL_UPDATES(RULE_F64)

#define ENTRY_F32(name, states, ...) [SEL_UPDATE_##name] = name##_f32,
#define ENTRY_F64(name, states, ...) [SEL_UPDATE_##name] = name##_f64,
#define STATES_OF(name, states, ...) [SEL_UPDATE_##name] = states,
static rule *const rules_f32[SEL_UPDATE_COUNT] = {SEL_UPDATES(ENTRY_F32)};
static rule *const rules_f64[SEL_UPDATE_COUNT] = {SEL_UPDATES(ENTRY_F64)};
static const int states_of[SEL_UPDATE_COUNT] = {SEL_UPDATES(STATES_OF)};

static void run_item(const sel_update_args *args, const sel_update_item *item, int64_t begin,
                     int64_t end) {
  const int64_t at = begin * (int64_t)sel_dtype_size(args->dtype);
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
