/* The recorder: a list of events, the innermost open one, and a copy of each name.
 *
 * Invariant: `top` and its chain of parents are the open events; all others have ended. An event
 * that finds no memory ends the recording of further ones, and stop reports it: work that is
 * watched never fails for being watched. */
#include "profile.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "inspect.h"

struct sel_profile {
  bool synchronize, failed, paused;
  sel_status lost; /* the first failure of waiting for a device, and its text */
  char lost_text[512];
  int64_t number; /* of the recording, from 1 */
  int64_t began;  /* nanoseconds of the monotonic clock */
  double duration;
  int n, capacity, top;
  sel_profile_event *events;
  sel_profile_result *results; /* one an event; NULL: they are not looked at */
  int announced;               /* event that stands for forward of announced_layer, too */
  const sel_layer *announced_layer;
  size_t n_names, name_slots; /* a hash table with open addressing; slots: a power of two */
  char **names;
};

atomic_int sel__recordings;
static atomic_llong last_number;
static _Thread_local sel_profile *recording;

static int64_t clock_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double elapsed(const sel_profile *p) { return (double)(clock_now() - p->began); }

/* ---- names: copied, because a layer or a node may be gone when the profile is read ---- */

static size_t slot_of(const sel_profile *p, const char *name) {
  size_t hash = 14695981039346656037u; /* FNV-1a */
  for (const char *c = name; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211u;
  size_t i = hash & (p->name_slots - 1);
  while (p->names[i] && strcmp(p->names[i], name) != 0) i = (i + 1) & (p->name_slots - 1);
  return i;
}

static bool grow_names(sel_profile *p) {
  size_t before = p->name_slots, slots = before ? 2 * before : 64;
  char **old = p->names, **names = sel__zalloc(slots * sizeof *names);
  if (!names) return false;
  p->names = names;
  p->name_slots = slots;
  for (size_t i = 0; i < before; i++)
    if (old[i]) names[slot_of(p, old[i])] = old[i];
  sel__free(old);
  return true;
}

/* The recording's copy of a name; NULL without memory. */
static const char *copy_of(sel_profile *p, const char *name) {
  if (2 * p->n_names >= p->name_slots && !grow_names(p)) return NULL;
  size_t i = slot_of(p, name);
  if (!p->names[i]) {
    if (!(p->names[i] = sel__strdup(name))) return NULL;
    p->n_names++;
  }
  return p->names[i];
}

/* ---- events ---- */

static bool make_results(sel_profile *p, int capacity) {
  sel_profile_result *results = sel__resize(p->results, (size_t)capacity * sizeof *results);
  if (results) p->results = results;
  return results != NULL;
}

static bool make_room(sel_profile *p) {
  if (p->n < p->capacity) return true;
  if (p->capacity > INT32_MAX / 2) return false;
  int capacity = p->capacity ? 2 * p->capacity : 256;
  sel_profile_event *events = sel__resize(p->events, (size_t)capacity * sizeof *events);
  if (!events) return false;
  p->events = events;
  if (p->results && !make_results(p, capacity)) return false;
  p->capacity = capacity;
  return true;
}

/* The layer that what happens inside event i belongs to. */
static int layer_within(const sel_profile *p, int i) {
  if (i < 0) return -1;
  return p->events[i].kind == SEL_PROFILE_LAYER ? i : p->events[i].layer;
}

static sel_span begin(sel_profile_kind kind, const char *name, const char *type) {
  sel_profile *p = recording;
  if (!p || p->failed || p->paused) return 0;
  sel_profile_event event = {.kind = kind, .parent = p->top, .end = -1};
  event.layer = layer_within(p, p->top);
  event.name = copy_of(p, name);
  if (type) event.type = copy_of(p, type);
  p->failed = !event.name || (type && !event.type) || !make_room(p);
  if (p->failed) return 0;
  event.start = elapsed(p);
  p->events[p->n] = event;
  if (p->results) p->results[p->n] = (sel_profile_result){.source = -1};
  p->top = p->n++;
  return p->number << 32 | p->top;
}

int sel__event_of(sel_span span) {
  return recording && span >> 32 == recording->number ? (int)(span & INT32_MAX) : -1;
}

static void end_all_in(sel_profile *p, int event, double time) {
  for (int above = p->events[event].parent; p->top != above; p->top = p->events[p->top].parent)
    p->events[p->top].end = time;
}

void sel__span_end(sel_span span) {
  int event = sel__event_of(span);
  if (event < 0) return;
  double time = elapsed(recording);
  if (recording->events[event].end < 0) end_all_in(recording, event, time);
}

sel_span sel__span_begin(sel_profile_kind kind, const char *name) {
  return begin(kind, name, NULL);
}

sel_span sel__span_begin_gradient(const char *name, sel_span layer) {
  sel_span span = begin(SEL_PROFILE_GRADIENT, name, NULL);
  if (span) recording->events[sel__event_of(span)].layer = sel__event_of(layer);
  return span;
}

sel_span sel__span_begin_layer(const sel_layer *layer, const char *name) {
  sel_profile *p = recording;
  const char *type = sel_layer_get_type(layer)->name;
  if (p && p->announced_layer == layer && p->announced == p->top) return 0;
  return begin(SEL_PROFILE_LAYER, name ? name : type, type);
}

sel_span sel__span_layer(void) {
  sel_profile *p = recording;
  int layer = p ? layer_within(p, p->top) : -1;
  return layer < 0 ? 0 : p->number << 32 | layer;
}

/* A device reports a failure once: it becomes that of the recording. */
static void wait_for(sel_device *device) {
  sel_profile *p = recording;
  if (!p->synchronize) return;
  sel_status status = device->k.synchronize(device->handle);
  if (status == SEL_OK || p->lost != SEL_OK) return;
  p->lost = status;
  snprintf(p->lost_text, sizeof p->lost_text, "%s", sel_error());
}

void sel__span_worked(sel_device *device, double bytes) {
  sel_profile *p = recording;
  if (!p || p->paused) return;
  wait_for(device);
  if (p->top >= 0) p->events[p->top].bytes += bytes;
}

int64_t sel_profile_enter(const char *name, const char *type, const sel_layer *layer) {
  sel_span span = begin(SEL_PROFILE_LAYER, name, type);
  if (span) {
    recording->announced = recording->top;
    recording->announced_layer = layer;
  }
  return span;
}

void sel_profile_leave(int64_t event) { sel__span_close(event); }

/* ---- operations ---- */

double sel__bytes_of(const sel_tensor *t) {
  if (!t || sel__is_scalar(t)) return 0;
  double bytes = (double)sel_dtype_size((sel_dtype)t->dtype);
  for (int d = 0; d < t->ndim; d++)
    if (t->stride[d] != 0 || t->shape[d] == 0) bytes *= (double)t->shape[d];
  return bytes;
}

static sel_cost cost_of(const sel_call *call) {
  sel_cost cost = {0};
  if (call->op->view) return cost;
  for (int i = 0; i < call->n_in; i++) cost.bytes += sel__bytes_of(call->in[i]);
  for (int k = 0; k < call->op->n_out; k++) cost.bytes += sel__bytes_of(call->out[k]);
  if (call->op->cost) call->op->cost(call, &cost);
  return cost;
}

sel_status sel__record_call(sel_call *call, sel_status (*run)(sel_call *call)) {
  sel_span span = sel__span_begin(SEL_PROFILE_OPERATION, call->op->name);
  const bool inspects = span && sel__inspecting();
  sel__sight inputs;
  if (inspects) inputs = sel__look_at_inputs(call->n_in, call->in);
  sel_status status = run(call);
  if (!span) return status;
  if (status == SEL_OK && !call->op->view) wait_for(sel__device(call->out[0]));
  sel__span_end(span);
  if (status == SEL_OK) {
    sel_cost cost = cost_of(call);
    sel_profile_event *event = &recording->events[sel__event_of(span)];
    event->bytes = cost.bytes;
    event->flops = cost.flops;
    if (inspects) sel__look_at_results(span, &inputs, call->op->n_out, call->out, !call->op->view);
  }
  return status;
}

/* ---- results ---- */

sel_status sel_profile_inspect(void) {
  sel_profile *p = recording;
  SEL_CHECK(p, SEL_E_ARGUMENT, "profile: this thread is not being recorded");
  if (p->results) return SEL_OK;
  if (!make_results(p, p->capacity ? p->capacity : 1)) return SEL_E_MEMORY;
  for (int i = 0; i < p->n; i++) p->results[i] = (sel_profile_result){.source = -1};
  return SEL_OK;
}

bool sel__inspecting(void) { return recording && recording->results && !recording->failed; }

void sel__recording_pause(bool on) {
  if (recording) recording->paused = on;
}

void sel__recording_fail(void) {
  if (recording) recording->failed = true;
}

sel_profile_result *sel__result_of(sel_span span) {
  int event = sel__event_of(span);
  return event >= 0 && recording->results ? &recording->results[event] : NULL;
}

const char *sel__description_of(const sel_tensor *t) {
  char text[SEL_TEXT];
  const char *copy = copy_of(recording, sel_describe(t, text, sizeof text));
  if (!copy) sel__recording_fail();
  return copy;
}

const sel_profile_result *sel_profile_result_at(const sel_profile *p, int i) {
  return p->results && i >= 0 && i < p->n ? &p->results[i] : NULL;
}

/* ---- a recording ---- */

sel_status sel_profile_start(bool synchronize) {
  SEL_CHECK(!recording, SEL_E_ARGUMENT,
            "profile: this thread is being recorded already; recordings don't nest");
  sel_profile *p = sel__zalloc(sizeof *p);
  if (!p) return SEL_E_MEMORY;
  p->synchronize = synchronize;
  p->number = atomic_fetch_add(&last_number, 1) + 1;
  p->top = p->announced = -1;
  recording = p;
  atomic_fetch_add(&sel__recordings, 1);
  p->began = clock_now();
  return SEL_OK;
}

sel_status sel_profile_stop(sel_profile **out) {
  sel_profile *p = recording;
  SEL_CHECK(p, SEL_E_ARGUMENT, "profile: this thread is not being recorded");
  p->duration = elapsed(p);
  for (; p->top >= 0; p->top = p->events[p->top].parent) p->events[p->top].end = p->duration;
  recording = NULL;
  atomic_fetch_sub(&sel__recordings, 1);
  if (p->lost != SEL_OK) {
    sel_fail(p->lost, "%s", p->lost_text);
    sel_status status = p->lost;
    sel_profile_release(p);
    return status;
  }
  if (p->failed) {
    int n = p->n;
    sel_profile_release(p);
    return sel_fail(SEL_E_MEMORY, "profile: no memory for more than %d events; record less", n);
  }
  *out = p;
  return SEL_OK;
}

void sel_profile_release(sel_profile *p) {
  if (!p) return;
  for (size_t i = 0; i < p->name_slots; i++) sel__free(p->names[i]);
  sel__free(p->names);
  sel__free(p->events);
  sel__free(p->results);
  sel__free(p);
}

double sel_profile_seconds(const sel_profile *p) { return p->duration * 1e-9; }
int sel_profile_count(const sel_profile *p) { return p->n; }
const sel_profile_event *sel_profile_event_at(const sel_profile *p, int i) {
  return i >= 0 && i < p->n ? &p->events[i] : NULL;
}
