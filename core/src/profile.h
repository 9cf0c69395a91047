/* Recording spans of time, for the doors that all work passes: run.c, backward.c, layer_forward.c,
 * optim_update.c, loader.c.
 *
 * While no thread records, a door costs one load and one branch that is never taken. A span is the
 * number of an event in one recording, 0 where there is none: it stays harmless after its recording
 * has ended, also on the tape.
 */
#ifndef SEL_PROFILE_H
#define SEL_PROFILE_H

#include <stdatomic.h>

#include "core.h"
#include "op.h"
#include "selenite/profile.h"

typedef int64_t sel_span;

extern atomic_int sel__recordings; /* threads that record */
static inline bool sel__recording(void) {
  return SEL_UNLIKELY(atomic_load_explicit(&sel__recordings, memory_order_relaxed) > 0);
}

/* Begins an event of this thread inside the innermost open one. */
sel_span sel__span_begin(sel_profile_kind kind, const char *name);
/* The same for the gradient of an operation that layer `layer` ran. */
sel_span sel__span_begin_gradient(const char *name, sel_span layer);
/* The same for forward of a layer that is called `name` (NULL: its type). */
sel_span sel__span_begin_layer(const sel_layer *layer, const char *name);
/* Ends it with all that is open inside it; nothing where it has ended already. */
void sel__span_end(sel_span span);
/* The innermost open event moved `bytes` on `device`, which is waited for if that was asked for. */
void sel__span_worked(sel_device *device, double bytes);
/* The layer that what runs now belongs to. */
sel_span sel__span_layer(void);

/* ---- for inspect.c ---- */

/* Whether this thread's recording looks at results. */
bool sel__inspecting(void);
/* Reading a result is no work to record. */
void sel__recording_pause(bool on);
/* The recording is given up: stop reports that memory lacked. */
void sel__recording_fail(void);
/* The number of a span's event in this recording, -1 in others; its result, NULL for none. */
int sel__event_of(sel_span span);
sel_profile_result *sel__result_of(sel_span span);
/* "f32[2, 3]", kept by the recording. NULL without memory, and the recording is given up. */
const char *sel__description_of(const sel_tensor *t);

/* What reading or writing t moves; a dim of stride 0 repeats one element. */
double sel__bytes_of(const sel_tensor *t);

/* run(call) as an event. */
sel_status sel__record_call(sel_call *call, sel_status (*run)(sel_call *call));

static inline sel_span sel__span_open(sel_profile_kind kind, const char *name) {
  return sel__recording() ? sel__span_begin(kind, name) : 0;
}
static inline void sel__span_close(sel_span span) {
  if (SEL_UNLIKELY(span != 0)) sel__span_end(span);
}

#endif
