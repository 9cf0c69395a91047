/* Profiles: what a thread did between start and stop, as events with times, bytes and
 * floating-point operations.
 *
 * Each thread records for itself; the threads inside a kernel and a loader's workers are part of
 * the event that waits for them. Events nest: one lies wholly inside its parent, and parents come
 * first. Sums by operation or layer, and what is shown of them, are the reader's.
 */
#ifndef SELENITE_PROFILE_H
#define SELENITE_PROFILE_H

#include "layer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sel_profile sel_profile;

typedef enum sel_profile_kind {
  SEL_PROFILE_OPERATION = 0, /* also fills, random draws, and `read` and `write` of host memory */
  SEL_PROFILE_GRADIENT,      /* backward of operation `name`: its rule, and passing gradients on */
  SEL_PROFILE_LAYER,         /* forward of a layer */
  SEL_PROFILE_UPDATE,        /* a step of optimizer `name` */
  SEL_PROFILE_DATA           /* a loader's batch: waiting for it and moving it to the device */
} sel_profile_kind;

typedef struct sel_profile_event {
  sel_profile_kind kind;
  const char *name; /* of a layer: its name in the layer around it; its type where none is */
  const char *type; /* of a layer; NULL else */
  int parent;       /* the event around it, -1: none */
  /* The event of the layer it belongs to, -1: none. For a gradient, and all inside it, the layer
   * that ran the operation forward, if that was recorded too. */
  int layer;
  double start, end; /* whole nanoseconds since the recording began */
  /* From shapes, of this event without those inside it: inputs read once and results written once;
   * 2 for each multiplication and addition of products, convolutions, attention and recurrences,
   * 0 for all else. */
  double bytes, flops;
} sel_profile_event;

/* Records what this thread does from now on; an error while it is recorded already. synchronize:
 * wait for the device after each operation, so that times are those of computing; else, on a device
 * that works asynchronously, those of handing the work over. Results are the same. */
SEL_API sel_status sel_profile_start(bool synchronize);
/* Ends the recording; events that are open end here. New. A thread that records stops before it
 * ends. Fails with SEL_E_MEMORY, and has ended, when the events did not fit into memory. */
SEL_API sel_status sel_profile_stop(sel_profile **out);
SEL_API void sel_profile_release(sel_profile *profile);

SEL_API double sel_profile_seconds(const sel_profile *profile); /* from start to stop */
SEL_API int sel_profile_count(const sel_profile *profile);
/* The i-th event, in the order they began; NULL past the last. Borrowed. */
SEL_API const sel_profile_event *sel_profile_event_at(const sel_profile *profile, int i);

/* ---- results ----
 * A recording may look at what operations and layers give, to find where NaN and infinity come
 * from, or to list shapes. */

typedef enum sel_finiteness {
  SEL_FINITE = 0,
  SEL_INFINITE, /* an infinity is among the elements, and no NaN */
  SEL_NAN
} sel_finiteness;

typedef struct sel_profile_result {
  const char *text;     /* "f32[2, 3]", the first result; NULL: the event gave none */
  sel_finiteness given; /* of an operation: the worst of its inputs, */
  sel_finiteness made;  /* and of its results */
  int source; /* the event that left what isn't finite in the input; -1: it was there before */
} sel_profile_result;

/* From now on this thread's recording also looks at results. All of them are read: slow. */
SEL_API sel_status sel_profile_inspect(void);
/* What the i-th event gave; NULL past the last, and in a recording that didn't look. Borrowed. */
SEL_API const sel_profile_result *sel_profile_result_at(const sel_profile *profile, int i);
/* While this thread is recorded: the event that left what isn't finite in t; -1 where all is, or
 * where it was before. */
SEL_API int sel_profile_maker(const sel_tensor *t);

/* For a host language with layers of its own: begins a layer's event; returns a number for leave,
 * whose lower 32 bits are the event's, or 0 where this thread is not recorded. Events inside that
 * are still open end with it. `layer` (NULL: none) is the one the host is about to run: it gets no
 * event beside this one. */
SEL_API int64_t sel_profile_enter(const char *name, const char *type, const sel_layer *layer);
SEL_API void sel_profile_leave(int64_t event);
/* What the innermost layer gives, before it is left. */
SEL_API void sel_profile_gave(const sel_tensor *t);

#ifdef __cplusplus
}
#endif
#endif
