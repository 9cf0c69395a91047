/* The batch loader: an order of rows, a ring of batches in the making, threads that fill them.
 *
 * Batch b of the epoch lives in slot b % slots. The caller's thread allocates a slot's tensors and
 * schedules it, a worker fills it, the caller takes it and schedules the next one into its place. A
 * worker only copies, transforms and converts host memory, and has sources make rows; what these
 * can't make it notes for the caller. Which worker does it changes nothing.
 *
 * Invariant, under the lock: delivered <= taken <= scheduled <= delivered + slots, all batch
 * numbers. Workers read epoch, order, rows and the slots of batches they took; the caller changes
 * these only when no worker holds one.
 */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "batch_rows.h"
#include "profile.h"
#include "row_order.h"
#include "selenite/ops.h"

typedef struct slot {
  bool done;
  sel_tensor **batch; /* n_fields tensors, all or none */
  void *scratch;      /* what one field after the other needs to be filled */
  sel__failures failures;
} slot;

struct sel_loader {
  sel_loader_settings settings;
  int n_fields;
  sel__rows **fields;
  int64_t count; /* rows of the fields */
  sel__order order;
  int64_t batches, epoch; /* batches of one epoch */
  bool started, can_fail;
  sel__skipped skipped;
  double waited;
  int n_slots, n_threads;
  slot *slots;
  sel_tensor **finished, **refill; /* n_fields each, while next works; else NULLs */
  pthread_t *threads;
  pthread_mutex_t lock; /* of what follows, and of slot.done */
  pthread_cond_t scheduled_more, filled_one;
  int64_t delivered, taken, scheduled;
  int busy; /* workers that fill a slot */
  bool stop;
};

/* ---- filling ---- */

static int64_t batch_rows(const sel_loader *l, int64_t b) {
  int64_t left = l->order.rows - b * l->settings.batch_size;
  return left < l->settings.batch_size ? left : l->settings.batch_size;
}

static slot *slot_of(const sel_loader *l, int64_t b) { return &l->slots[b % l->n_slots]; }

/* Each epoch has 2^40 counters of a stream to itself, for as many rows. */
static uint64_t first_counter(int64_t epoch) { return (uint64_t)epoch << 40; }

/* The constants here and in sel_loader_start keep transforms, order, and draws that a generator of
 * the same seed makes independent of each other. */
static sel__batch which_rows(const sel_loader *l, int64_t b) {
  int64_t first = b * l->settings.batch_size;
  const int64_t *order = sel__order_index(&l->order);
  return (sel__batch){.index = order ? order + first : NULL,
                      .first = first,
                      .n = batch_rows(l, b),
                      .seed = l->settings.seed ^ 0x7472616e73666f72u,
                      .counter = first_counter(l->epoch) + (uint64_t)first};
}

static void fill(const sel_loader *l, int64_t b) {
  sel__batch which = which_rows(l, b);
  slot *s = slot_of(l, b);
  sel__failures_clear(&s->failures);
  for (int f = 0; f < l->n_fields; f++)
    sel__rows_fill(l->fields[f], &which, s->scratch, s->batch[f], &s->failures);
  if (s->failures.n == 0) return;
  for (int f = 0; f < l->n_fields; f++) sel__rows_close_gaps(&s->failures, which.n, s->batch[f]);
}

static void *work(void *context) {
  sel_loader *l = context;
  pthread_mutex_lock(&l->lock);
  for (;;) {
    while (!l->stop && l->taken == l->scheduled) pthread_cond_wait(&l->scheduled_more, &l->lock);
    if (l->stop) break;
    int64_t b = l->taken++;
    l->busy++;
    pthread_mutex_unlock(&l->lock);
    fill(l, b);
    pthread_mutex_lock(&l->lock);
    l->busy--;
    slot_of(l, b)->done = true;
    pthread_cond_signal(&l->filled_one); /* only the caller waits for it */
  }
  pthread_mutex_unlock(&l->lock);
  return NULL;
}

/* ---- batches in the making ---- */

static void release_batch(const sel_loader *l, sel_tensor **batch) {
  for (int f = 0; f < l->n_fields; f++) {
    sel_release(batch[f]);
    batch[f] = NULL;
  }
}

/* Room for batch b: tensors, all or none, in `batch`, which holds NULLs before. */
static sel_status allocate_batch(const sel_loader *l, int64_t b, sel_tensor **batch) {
  sel_status status = SEL_OK;
  sel__batch which = which_rows(l, b);
  if (l->can_fail) status = sel__failures_reserve(&slot_of(l, b)->failures, which.n);
  for (int f = 0; f < l->n_fields && status == SEL_OK; f++)
    status = sel__rows_batch(l->fields[f], &which, &batch[f]);
  if (status != SEL_OK) release_batch(l, batch);
  return status;
}

/* Lets workers take batch l->scheduled, whose tensors are in its slot. */
static void schedule(sel_loader *l) {
  pthread_mutex_lock(&l->lock);
  slot_of(l, l->scheduled)->done = false;
  l->scheduled++;
  pthread_cond_signal(&l->scheduled_more);
  pthread_mutex_unlock(&l->lock);
}

/* Takes back what no worker began and waits for the others. */
static void quiesce(sel_loader *l) {
  pthread_mutex_lock(&l->lock);
  l->scheduled = l->taken;
  while (l->busy > 0) pthread_cond_wait(&l->filled_one, &l->lock);
  pthread_mutex_unlock(&l->lock);
  for (int s = 0; s < l->n_slots; s++) release_batch(l, l->slots[s].batch);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Waits until batch l->delivered is filled, or fills it where there are no workers. */
static void wait_for_batch(sel_loader *l) {
  slot *s = slot_of(l, l->delivered);
  double start = now();
  pthread_mutex_lock(&l->lock);
  if (l->n_threads == 0 && !s->done) {
    fill(l, l->taken++);
    s->done = true;
  }
  while (!s->done) pthread_cond_wait(&l->filled_one, &l->lock);
  pthread_mutex_unlock(&l->lock);
  l->waited += now() - start;
}

/* ---- making and releasing ---- */

static sel_status check_settings(const sel_loader_settings *s, int n_fields) {
  SEL_CHECK(s->size == sizeof *s || s->size == offsetof(sel_loader_settings, skip_failures),
            SEL_E_ARGUMENT, "loader: expected settings of %zu bytes, got %zu", sizeof *s, s->size);
  SEL_CHECK(n_fields >= 1, SEL_E_ARGUMENT, "loader: expected at least one field, got %d", n_fields);
  SEL_CHECK(s->batch_size >= 1, SEL_E_ARGUMENT,
            "loader: expected a batch size of 1 or more, got %lld", (long long)s->batch_size);
  SEL_CHECK(s->workers >= 0 && s->workers <= 1024, SEL_E_ARGUMENT,
            "loader: expected 0 to 1024 workers, got %d", s->workers);
  SEL_CHECK(s->prefetch >= 1 && s->prefetch <= 1 << 20, SEL_E_ARGUMENT,
            "loader: expected a prefetch of 1 to %d batches, got %d", 1 << 20, s->prefetch);
  return SEL_OK;
}

/* Field number f as this library knows it, from callers of the ABI's earlier minor versions too. */
static sel_status read_field(const sel_loader_field *fields, int f, sel_loader_field *out) {
  size_t smallest = offsetof(sel_loader_field, n_transforms), step = fields->size;
  const sel_loader_field *field = (const void *)((const char *)fields + (size_t)f * step);
  SEL_CHECK(step >= smallest && step <= sizeof *out && field->size == step, SEL_E_ARGUMENT,
            "loader: expected descriptions of %zu to %zu bytes, all of one size, got %zu for field "
            "%d",
            smallest, sizeof *out, f == 0 ? step : field->size, f);
  memset(out, 0, sizeof *out);
  memcpy(out, field, step);
  return SEL_OK;
}

static sel_status make_fields(sel_loader *l, const sel_loader_field *fields) {
  sel_loader_field field;
  l->fields = sel__zalloc((size_t)l->n_fields * sizeof *l->fields);
  l->finished = sel__zalloc((size_t)l->n_fields * sizeof *l->finished);
  l->refill = sel__zalloc((size_t)l->n_fields * sizeof *l->refill);
  if (!l->fields || !l->finished || !l->refill) return SEL_E_MEMORY;
  for (int f = 0; f < l->n_fields; f++) {
    SEL_TRY(read_field(fields, f, &field));
    SEL_TRY(sel__rows_new(f, &field, &l->fields[f]));
    int64_t rows = sel__rows_count(l->fields[f]);
    if (f == 0) l->count = rows;
    SEL_CHECK(rows == l->count, SEL_E_SHAPE,
              "loader: expected %lld rows in field %d, as in field 0, got %lld",
              (long long)l->count, f, (long long)rows);
    l->can_fail |= sel__rows_can_fail(l->fields[f]);
  }
  return SEL_OK;
}

/* Epochs of n rows: these, or all where `rows` is NULL. */
static sel_status choose_rows(sel_loader *l, int64_t n, const int64_t *rows) {
  SEL_TRY(sel__order_choose(&l->order, l->count, l->settings.shuffle, n, rows));
  int64_t size = l->settings.batch_size;
  l->batches = n / size + (n % size != 0 && !l->settings.drop_last);
  return SEL_OK;
}

/* As many slots as finished batches are wanted, and one at least for each worker. */
static sel_status make_slots(sel_loader *l) {
  const sel_loader_settings *s = &l->settings;
  l->n_slots = s->workers == 0 ? 1 : s->prefetch > s->workers ? s->prefetch : s->workers;
  l->slots = sel__zalloc((size_t)l->n_slots * sizeof *l->slots);
  if (!l->slots) return SEL_E_MEMORY;
  size_t scratch = 0;
  for (int f = 0; f < l->n_fields; f++) {
    size_t bytes = sel__rows_scratch(l->fields[f]);
    if (bytes > scratch) scratch = bytes;
  }
  for (int i = 0; i < l->n_slots; i++) {
    l->slots[i].batch = sel__zalloc((size_t)l->n_fields * sizeof(sel_tensor *));
    if (scratch) l->slots[i].scratch = sel__alloc(scratch);
    if (!l->slots[i].batch || (scratch && !l->slots[i].scratch)) return SEL_E_MEMORY;
  }
  return SEL_OK;
}

/* Signals stay with the caller's threads. */
static sel_status start_threads(sel_loader *l) {
  sigset_t all, before;
  if (l->settings.workers == 0) return SEL_OK;
  l->threads = sel__alloc((size_t)l->settings.workers * sizeof *l->threads);
  if (!l->threads) return SEL_E_MEMORY;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = 0;
  while (l->n_threads < l->settings.workers && error == 0) {
    error = pthread_create(&l->threads[l->n_threads], NULL, work, l);
    if (error == 0) l->n_threads++;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  SEL_CHECK(error == 0, SEL_E_MEMORY, "loader: worker thread %d of %d can't be started: %s",
            l->n_threads + 1, l->settings.workers, strerror(error));
  return SEL_OK;
}

sel_status sel_loader_new(const sel_loader_settings *settings, int n_fields,
                          const sel_loader_field *fields, sel_loader **out) {
  SEL_TRY(check_settings(settings, n_fields));
  sel_loader *l = sel__zalloc(sizeof *l);
  if (!l) return SEL_E_MEMORY;
  memcpy(&l->settings, settings, settings->size);
  l->n_fields = n_fields;
  pthread_mutex_init(&l->lock, NULL);
  pthread_cond_init(&l->scheduled_more, NULL);
  pthread_cond_init(&l->filled_one, NULL);
  sel_status status = make_fields(l, fields);
  if (status == SEL_OK) status = choose_rows(l, l->count, NULL);
  if (status == SEL_OK) status = make_slots(l);
  if (status == SEL_OK) status = start_threads(l);
  if (status != SEL_OK) {
    sel_loader_release(l);
    return status;
  }
  *out = l;
  return SEL_OK;
}

void sel_loader_release(sel_loader *l) {
  if (!l) return;
  pthread_mutex_lock(&l->lock);
  l->stop = true;
  pthread_cond_broadcast(&l->scheduled_more);
  pthread_mutex_unlock(&l->lock);
  for (int i = 0; i < l->n_threads; i++) pthread_join(l->threads[i], NULL);
  for (int s = 0; l->slots && s < l->n_slots; s++) {
    if (l->slots[s].batch) release_batch(l, l->slots[s].batch);
    sel__free(l->slots[s].batch);
    sel__free(l->slots[s].scratch);
    sel__failures_release(&l->slots[s].failures);
  }
  for (int f = 0; l->fields && f < l->n_fields; f++) sel__rows_release(l->fields[f]);
  pthread_mutex_destroy(&l->lock);
  pthread_cond_destroy(&l->scheduled_more);
  pthread_cond_destroy(&l->filled_one);
  sel__free(l->slots);
  sel__free(l->fields);
  sel__free(l->finished);
  sel__free(l->refill);
  sel__order_release(&l->order);
  sel__skipped_release(&l->skipped);
  sel__free(l->threads);
  sel__free(l);
}

int64_t sel_loader_batches(const sel_loader *l) { return l->batches; }
int64_t sel_loader_rows(const sel_loader *l) { return l->order.rows; }
double sel_loader_waited(const sel_loader *l) { return l->waited; }

/* ---- an epoch ---- */

sel_status sel_loader_select(sel_loader *l, int64_t n, const int64_t *rows) {
  static const int64_t none;
  SEL_CHECK(rows || n <= 0, SEL_E_ARGUMENT, "loader: expected %lld rows to select, got NULL",
            (long long)n);
  quiesce(l);
  l->started = false;
  return choose_rows(l, n, rows ? rows : &none);
}

sel_status sel_loader_start(sel_loader *l, int64_t epoch, int64_t first) {
  SEL_CHECK(epoch >= 0, SEL_E_ARGUMENT, "loader: expected an epoch from 0, got %lld",
            (long long)epoch);
  SEL_CHECK(first >= 0 && first <= l->batches, SEL_E_ARGUMENT,
            "loader: expected a first batch from 0 to %lld, got %lld", (long long)l->batches,
            (long long)first);
  quiesce(l);
  l->started = false;
  pthread_mutex_lock(&l->lock);
  l->delivered = l->taken = l->scheduled = first;
  pthread_mutex_unlock(&l->lock);
  l->epoch = epoch;
  sel__order_shuffle(&l->order, l->settings.seed ^ 0x6c6f61646572u, first_counter(epoch));
  while (l->scheduled < l->batches && l->scheduled < first + l->n_slots) {
    sel_status status = allocate_batch(l, l->scheduled, slot_of(l, l->scheduled)->batch);
    if (status != SEL_OK) {
      quiesce(l);
      return status;
    }
    schedule(l);
  }
  l->started = true;
  return SEL_OK;
}

void sel_loader_reseed(sel_loader *l, uint64_t seed) {
  quiesce(l);
  l->started = false;
  l->settings.seed = seed;
}

/* ---- delivering ---- */

/* What comes of the rows of batch l->delivered that failed. */
static sel_status judge_failures(sel_loader *l) {
  const sel__failures *failures = &slot_of(l, l->delivered)->failures;
  if (failures->n == 0) return SEL_OK;
  sel_status bearable = l->settings.skip_failures ? SEL_E_FILE : SEL_OK;
  const sel__failure *first = sel__failures_first(failures, bearable);
  if (first) return sel_fail(first->status, "%s", first->text);
  sel__batch which = which_rows(l, l->delivered);
  for (int64_t k = 0; k < which.n; k++) {
    int64_t row = which.index ? which.index[k] : which.first + k;
    if (failures->rows[k].text) SEL_TRY(sel__skipped_add(&l->skipped, row, failures->rows[k].text));
  }
  return SEL_OK;
}

int64_t sel_loader_skipped(const sel_loader *l) { return l->skipped.n; }
const char *sel_loader_skipped_text(const sel_loader *l, int64_t i) {
  return i >= 0 && i < l->skipped.n ? l->skipped.rows[i].text : NULL;
}

static sel_status finish_field(const sel_loader *l, int f, int64_t kept, sel_device *device,
                               sel_tensor **out) {
  sel_tensor *batch = slot_of(l, l->delivered)->batch[f], *part = NULL;
  if (kept == sel_size(batch, 0)) return sel__rows_finish(l->fields[f], batch, device, out);
  SEL_TRY(sel_narrow(batch, 0, 0, kept, &part));
  sel_status status = sel__rows_finish(l->fields[f], part, device, out);
  sel_release(part);
  return status;
}

/* The fields of batch l->delivered as they are handed out, all or none. */
static sel_status finish_batch(sel_loader *l, int64_t kept, sel_device *device) {
  sel_status status = SEL_OK;
  for (int f = 0; f < l->n_fields && status == SEL_OK; f++)
    status = finish_field(l, f, kept, device, &l->finished[f]);
  if (status != SEL_OK) release_batch(l, l->finished);
  return status;
}

static void move_batch(const sel_loader *l, sel_tensor **from, sel_tensor **to) {
  memcpy(to, from, (size_t)l->n_fields * sizeof *to);
  memset(from, 0, (size_t)l->n_fields * sizeof *from);
}

/* Nothing changes before all that can fail has succeeded, so that a caller who frees memory after a
 * failure gets this batch when asking again. *kept: rows it has, which are none where all failed.
 */
static sel_status deliver(sel_loader *l, sel_device *device, sel_tensor **fields, int64_t *kept) {
  bool refills = l->scheduled < l->batches; /* only this thread changes it */
  wait_for_batch(l);
  SEL_TRY(judge_failures(l));
  *kept = batch_rows(l, l->delivered) - slot_of(l, l->delivered)->failures.n;
  if (refills) SEL_TRY(allocate_batch(l, l->scheduled, l->refill));
  sel_status status = SEL_OK;
  if (*kept > 0) status = finish_batch(l, *kept, device ? device : sel_default_device());
  if (status != SEL_OK) {
    release_batch(l, l->refill);
    return status;
  }
  slot *s = slot_of(l, l->delivered); /* batch l->scheduled goes there too */
  release_batch(l, s->batch);
  move_batch(l, l->refill, s->batch);
  if (*kept > 0) move_batch(l, l->finished, fields);
  l->delivered++;
  if (refills) schedule(l);
  return SEL_OK;
}

sel_status sel_loader_next(sel_loader *l, sel_device *device, sel_tensor **fields, bool *more) {
  SEL_CHECK(l->started, SEL_E_ARGUMENT, "loader: expected sel_loader_start before next");
  SEL_CHECK(!sel_interrupted(), SEL_E_INTERRUPTED, "interrupted");
  int64_t kept = 0;
  while (kept == 0 && l->delivered < l->batches) {
    const sel_span span = sel__span_open(SEL_PROFILE_DATA, "batch");
    sel_status status = deliver(l, device, fields, &kept);
    sel__span_close(span);
    SEL_TRY(status);
  }
  *more = kept > 0;
  return SEL_OK;
}
