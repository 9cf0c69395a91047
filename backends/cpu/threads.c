/* The thread pool (OpenMP's) behind cpu_parallel.
 *
 * The count is given to each parallel region, never to omp_set_num_threads: the host program's own
 * OpenMP settings stay as they are, and all host threads obey one knob.
 */
#include "threads.h"

#include <omp.h>
#include <stdatomic.h>

/* A thread joins for each so many nanoseconds of work. A region costs 1 to 2 microseconds when its
 * threads are awake and 5 to 50 when they sleep (measured on two cores with libgomp). */
static const double GRAIN = 12000;

static atomic_int threads; /* 0: one a core */

sel_status cpu_set_threads(sel_backend_device device, int n) {
  (void)device;
  if (n < 0) return sel_fail(SEL_E_ARGUMENT, "set_num_threads: expected 0 or more, got %d", n);
  atomic_store_explicit(&threads, n, memory_order_relaxed);
  return SEL_OK;
}

int cpu_threads(sel_backend_device device) {
  (void)device;
  const int n = atomic_load_explicit(&threads, memory_order_relaxed);
  return n ? n : omp_get_num_procs();
}

int cpu_team(int64_t count, double nanoseconds) {
  if (nanoseconds < 2 * GRAIN || count < 2) return 1;
  int64_t team = cpu_threads(NULL);
  if (team > count) team = count;
  if ((double)team * GRAIN > nanoseconds) team = (int64_t)(nanoseconds / GRAIN);
  return (int)team;
}

void cpu_parallel(int64_t count, double nanoseconds, cpu_body *body, const void *context) {
  const int team = cpu_team(count, nanoseconds);
  if (team <= 1) {
    body(context, 0, count);
    return;
  }
#pragma omp parallel num_threads(team)
  {
    const int64_t n = omp_get_num_threads(), me = omp_get_thread_num();
    const int64_t share = count / n, rest = count % n;
    const int64_t begin = me * share + (me < rest ? me : rest);
    body(context, begin, begin + share + (me < rest));
  }
}

void cpu_meet(void) {
#pragma omp barrier
}
