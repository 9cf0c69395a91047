/* How kernels use several cores: one function, one knob.
 *
 * Kernels cut their work into items whose results don't depend on who computes them; cpu_parallel
 * hands ranges of items to threads. Results are therefore the same for every thread count.
 */
#ifndef CPU_THREADS_H
#define CPU_THREADS_H

#include "selenite/backend.h"

sel_status cpu_set_threads(sel_backend_device device, int n);
int cpu_threads(sel_backend_device device);

/* Computes items [begin, end). */
typedef void cpu_body(const void *context, int64_t begin, int64_t end);

/* Calls body on ranges that cover [0, count) once, from one or more threads, each of which calls it
 * once: not more than cpu_team of them. `nanoseconds` estimates the whole work on one thread: too
 * little for a second thread to pay stays in the caller's. */
void cpu_parallel(int64_t count, double nanoseconds, cpu_body *body, const void *context);

/* Within a body that cpu_parallel runs on several threads, called by all of them: each goes on when
 * all have come here. */
void cpu_meet(void);

/* How many threads cpu_parallel would use. */
int cpu_team(int64_t count, double nanoseconds);

#endif
