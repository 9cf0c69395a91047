/* sel_loader: the order depends on seed and epoch alone, resuming, conversions, early ends. */
#include <math.h>

#include "file_fixture.h"

enum { ROWS = 103 };

typedef struct sample {
  sel_tensor *id;    /* i64 [103], 0, 1, ... */
  sel_tensor *image; /* u8 [103, 2, 5] */
} sample;

static sample make_sample(void) {
  int64_t ids[ROWS], shape[3] = {ROWS, 2, 5};
  for (int i = 0; i < ROWS; i++) ids[i] = i;
  sample s = {.image = make_tensor(SEL_U8, 3, shape)};
  ASSERT_OK(sel_from_data(1, shape, SEL_I64, NULL, ids, sizeof ids, &s.id));
  return s;
}

static void release_sample(sample *s) {
  sel_release(s->id);
  sel_release(s->image);
}

static const double mean[] = {0.25, 0.5}, std_deviation[] = {0.5, 2};

static sel_loader *make_loader(const sample *s, int64_t batch_size, bool drop_last, int workers) {
  sel_loader_settings settings = {.size = sizeof settings,
                                  .batch_size = batch_size,
                                  .shuffle = true,
                                  .drop_last = drop_last,
                                  .seed = 42,
                                  .workers = workers,
                                  .prefetch = 2};
  sel_loader_field fields[] = {
      {.size = sizeof *fields, .rows = s->id, .dtype = SEL_I64, .scale = 1},
      {.size = sizeof *fields,
       .rows = s->image,
       .dtype = SEL_F32,
       .scale = 1.0 / 255,
       .channels = 2,
       .mean = mean,
       .std = std_deviation}};
  sel_loader *l;
  ASSERT_OK(sel_loader_new(&settings, 2, fields, &l));
  return l;
}

/* Takes a batch; its ids and pixels go behind those before. Returns its rows, 0 at the end. */
static int64_t take(sel_loader *l, int64_t *ids, float *pixels) {
  sel_tensor *fields[2];
  bool more;
  ASSERT_OK(sel_loader_next(l, NULL, fields, &more));
  if (!more) return 0;
  int64_t n = sel_size(fields[0], 0);
  ck_assert_int_eq(sel_size(fields[1], 0), n);
  ck_assert_int_eq(sel_ndim(fields[1]), 3);
  ck_assert_int_eq(sel_tensor_dtype(fields[1]), SEL_F32);
  ASSERT_OK(sel_read(fields[0], ids, (size_t)n * sizeof *ids));
  ASSERT_OK(sel_read(fields[1], pixels, (size_t)n * 10 * sizeof *pixels));
  sel_release(fields[0]);
  sel_release(fields[1]);
  return n;
}

typedef struct epoch_result {
  int64_t rows, batches, last_batch;
  int64_t ids[ROWS];
  float pixels[ROWS * 10];
} epoch_result;

static void run_epoch(sel_loader *l, int64_t epoch, int64_t first, epoch_result *out) {
  memset(out, 0, sizeof *out);
  ASSERT_OK(sel_loader_start(l, epoch, first));
  for (int64_t n; (n = take(l, out->ids + out->rows, out->pixels + out->rows * 10)) > 0;) {
    out->rows += n;
    out->batches++;
    out->last_batch = n;
  }
  ck_assert_int_eq(take(l, out->ids, out->pixels), 0); /* the end stays the end */
}

START_TEST(every_row_once) {
  sample s = make_sample();
  for (int workers = 0; workers <= 3; workers++) {
    epoch_result r;
    sel_loader *l = make_loader(&s, 10, false, workers);
    ck_assert_int_eq(sel_loader_rows(l), ROWS);
    ck_assert_int_eq(sel_loader_batches(l), 11);
    run_epoch(l, 0, 0, &r);
    ck_assert_int_eq(r.rows, ROWS);
    ck_assert_int_eq(r.batches, 11);
    ck_assert_int_eq(r.last_batch, 3);
    bool seen[ROWS] = {false}, moved = false;
    for (int i = 0; i < ROWS; i++) {
      ck_assert(r.ids[i] >= 0 && r.ids[i] < ROWS && !seen[r.ids[i]]);
      seen[r.ids[i]] = true;
      moved |= r.ids[i] != i;
    }
    ck_assert(moved);
    sel_loader_release(l);

    l = make_loader(&s, 10, true, workers);
    ck_assert_int_eq(sel_loader_batches(l), 10);
    run_epoch(l, 0, 0, &r);
    ck_assert_int_eq(r.rows, 100);
    ck_assert_int_eq(r.last_batch, 10);
    sel_loader_release(l);
  }
  release_sample(&s);
}
END_TEST

START_TEST(pixels_belong_to_ids) {
  sample s = make_sample();
  uint8_t bytes[ROWS * 10];
  ASSERT_OK(sel_read(s.image, bytes, sizeof bytes));
  epoch_result r;
  sel_loader *l = make_loader(&s, 7, false, 2);
  run_epoch(l, 5, 0, &r);
  for (int i = 0; i < ROWS * 10; i++) {
    int c = i % 10 / 5;
    double x = bytes[r.ids[i / 10] * 10 + i % 10];
    double expected = (x / 255 - mean[c]) / std_deviation[c];
    ck_assert_msg(fabs(r.pixels[i] - expected) <= 1e-6, "element %d: expected %g, got %g", i,
                  expected, (double)r.pixels[i]);
  }
  sel_loader_release(l);
  release_sample(&s);
}
END_TEST

START_TEST(same_batches_for_any_workers) {
  sample s = make_sample();
  epoch_result expected, got, other;
  sel_loader *alone = make_loader(&s, 8, false, 0);
  for (int workers = 1; workers <= 3; workers++) {
    sel_loader *l = make_loader(&s, 8, false, workers);
    for (int64_t epoch = 3; epoch >= 0; epoch--) { /* epochs don't depend on those before */
      run_epoch(alone, epoch, 0, &expected);
      run_epoch(l, epoch, 0, &got);
      ck_assert_int_eq(memcmp(&expected, &got, sizeof got), 0);
    }
    sel_loader_release(l);
  }
  run_epoch(alone, 1, 0, &other);
  ck_assert_int_ne(memcmp(expected.ids, other.ids, sizeof other.ids), 0);
  sel_loader_release(alone);
  release_sample(&s);
}
END_TEST

START_TEST(resumes_in_mid_epoch) {
  sample s = make_sample();
  static epoch_result whole, tail;
  for (int workers = 0; workers <= 3; workers += 3) {
    sel_loader *l = make_loader(&s, 10, false, workers);
    run_epoch(l, 2, 0, &whole);
    for (int64_t first = 0; first <= 11; first++) {
      run_epoch(l, 2, first, &tail);
      ck_assert_int_eq(tail.batches, 11 - first);
      int64_t skipped = first < 11 ? first * 10 : ROWS;
      ck_assert_int_eq(tail.rows, ROWS - skipped);
      ck_assert_int_eq(memcmp(tail.ids, whole.ids + skipped, (size_t)tail.rows * 8), 0);
      ck_assert_int_eq(memcmp(tail.pixels, whole.pixels + skipped * 10, (size_t)tail.rows * 40), 0);
    }
    sel_loader_release(l);
  }
  release_sample(&s);
}
END_TEST

START_TEST(keeps_the_order_without_shuffle) {
  sample s = make_sample();
  sel_loader_settings settings = {
      .size = sizeof settings, .batch_size = 50, .workers = 1, .prefetch = 1};
  sel_loader_field field = {.size = sizeof field, .rows = s.id, .dtype = SEL_I32, .scale = 1};
  sel_loader *l;
  ASSERT_OK(sel_loader_new(&settings, 1, &field, &l));
  ASSERT_OK(sel_loader_start(l, 0, 1));
  sel_tensor *t;
  bool more;
  ASSERT_OK(sel_loader_next(l, NULL, &t, &more));
  assert_sequence(t, "i32[50]", 50, 1);
  sel_release(t);
  ASSERT_OK(sel_loader_next(l, NULL, &t, &more));
  assert_sequence(t, "i32[3]", 100, 1);
  sel_release(t);
  sel_loader_release(l);
  release_sample(&s);
}
END_TEST

START_TEST(ends_early) {
  sample s = make_sample();
  int64_t ids[ROWS];
  float pixels[ROWS * 10];
  for (int round = 0; round < 50; round++) {
    int workers = round % 4;
    sel_loader *l = make_loader(&s, 3, false, workers);
    for (int restart = 0; restart < round % 3; restart++) {
      ASSERT_OK(sel_loader_start(l, restart, round % 7));
      for (int k = 0; k < round % 5; k++) ck_assert_int_eq(take(l, ids, pixels), 3);
    }
    ck_assert(sel_loader_waited(l) >= 0);
    sel_loader_release(l);
  }
  sel_loader_release(NULL);
  release_sample(&s);
}
END_TEST

/* A loader keeps the memory, whatever its user does with the tensor. */
START_TEST(outlives_its_tensors) {
  sample s = make_sample();
  epoch_result expected, got;
  sel_loader *l = make_loader(&s, 10, false, 1);
  run_epoch(l, 0, 0, &expected);
  ck_assert(sel_tensor_free(s.image));
  release_sample(&s);
  run_epoch(l, 0, 0, &got);
  ck_assert_int_eq(memcmp(&expected, &got, sizeof got), 0);
  sel_loader_release(l);
}
END_TEST

/* Every pair of dtypes gives what a cast gives. */
START_TEST(converts_every_dtype) {
  sel_tensor *values, *source, *expected, *got;
  ASSERT_OK(sel_arange(0, 12, 1, SEL_F32, NULL, &values));
  for (int from = 0; from < SEL_DTYPE_COUNT; from++) {
    sel_tensor *flat;
    ASSERT_OK(sel_to(values, (sel_dtype)from, NULL, &flat));
    ASSERT_OK(sel_reshape(flat, 2, (int64_t[]){4, 3}, &source));
    sel_release(flat);
    for (int to = 0; to < SEL_DTYPE_COUNT; to++) {
      sel_loader_settings settings = {.size = sizeof settings, .batch_size = 4, .prefetch = 1};
      sel_loader_field field = {
          .size = sizeof field, .rows = source, .dtype = (sel_dtype)to, .scale = 1};
      sel_loader *l;
      bool more;
      ASSERT_OK(sel_loader_new(&settings, 1, &field, &l));
      ASSERT_OK(sel_loader_start(l, 0, 0));
      ASSERT_OK(sel_loader_next(l, NULL, &got, &more));
      ASSERT_OK(sel_to(source, (sel_dtype)to, NULL, &expected));
      assert_same_tensor(expected, got);
      sel_release(expected);
      sel_release(got);
      sel_loader_release(l);
    }
    sel_release(source);
  }
  sel_release(values);
}
END_TEST

START_TEST(normalises_every_dtype) {
  const double m = 2, d = 4;
  sel_tensor *values, *source, *got;
  ASSERT_OK(sel_arange(0, 12, 1, SEL_F32, NULL, &values));
  for (int from = 0; from < SEL_DTYPE_COUNT; from++) {
    if (from == SEL_BOOL) continue;
    ASSERT_OK(sel_to(values, (sel_dtype)from, NULL, &source));
    for (int to = 0; to < SEL_DTYPE_COUNT; to++) {
      if (!sel_dtype_is_float((sel_dtype)to)) continue;
      sel_loader_settings settings = {.size = sizeof settings, .batch_size = 12, .prefetch = 1};
      sel_loader_field field = {.size = sizeof field,
                                .rows = source,
                                .dtype = (sel_dtype)to,
                                .scale = 0.5,
                                .channels = 1,
                                .mean = &m,
                                .std = &d};
      sel_loader *l;
      bool more;
      char description[32];
      snprintf(description, sizeof description, "%s[12]", sel_dtype_name((sel_dtype)to));
      ASSERT_OK(sel_loader_new(&settings, 1, &field, &l));
      ASSERT_OK(sel_loader_start(l, 0, 0));
      ASSERT_OK(sel_loader_next(l, NULL, &got, &more));
      assert_sequence(got, description, -0.5, 0.125); /* exact in every float dtype */
      sel_release(got);
      sel_loader_release(l);
    }
    sel_release(source);
  }
  sel_release(values);
}
END_TEST

START_TEST(empty_data) {
  sel_loader_settings settings = {
      .size = sizeof settings, .batch_size = 4, .shuffle = true, .workers = 2, .prefetch = 3};
  sel_tensor *none = make_tensor(SEL_U8, 2, (int64_t[]){0, 3}), *t;
  sel_tensor *narrow = make_tensor(SEL_U8, 2, (int64_t[]){5, 0});
  sel_loader_field field = {.size = sizeof field, .rows = none, .dtype = SEL_F32, .scale = 1};
  sel_loader *l;
  bool more = true;
  ASSERT_OK(sel_loader_new(&settings, 1, &field, &l));
  ck_assert_int_eq(sel_loader_batches(l), 0);
  ASSERT_OK(sel_loader_start(l, 0, 0));
  ASSERT_OK(sel_loader_next(l, NULL, &t, &more));
  ck_assert(!more);
  sel_loader_release(l);
  field.rows = narrow;
  ASSERT_OK(sel_loader_new(&settings, 1, &field, &l));
  ASSERT_OK(sel_loader_start(l, 0, 1));
  ASSERT_OK(sel_loader_next(l, NULL, &t, &more));
  assert_sequence(t, "f32[1, 0]", 0, 0);
  sel_release(t);
  sel_loader_release(l);
  sel_release(none);
  sel_release(narrow);
}
END_TEST

START_TEST(refuses_mistakes) {
  sample s = make_sample();
  sel_tensor *shorter = make_tensor(SEL_U8, 1, (int64_t[]){5}), *view;
  sel_tensor *number = make_tensor(SEL_U8, 0, NULL), *fields[2];
  ASSERT_OK(sel_transpose(s.image, 1, 2, &view));
  const double zero = 0;
  const sel_loader_settings settings = {.size = sizeof settings, .batch_size = 4, .prefetch = 1};
  const sel_loader_field field = {
      .size = sizeof field, .rows = s.image, .dtype = SEL_F32, .scale = 1};
  sel_loader *l = NULL;
  bool more;
#define REFUSED_SETTING(change, status, ...)                                  \
  do {                                                                        \
    sel_loader_settings wrong = settings;                                     \
    wrong.change;                                                             \
    ASSERT_FAILS(status, sel_loader_new(&wrong, 1, &field, &l), __VA_ARGS__); \
  } while (0)
  REFUSED_SETTING(size = 3, SEL_E_ARGUMENT, "loader", "3");
  REFUSED_SETTING(batch_size = 0, SEL_E_ARGUMENT, "batch size");
  REFUSED_SETTING(workers = -1, SEL_E_ARGUMENT, "workers", "-1");
  REFUSED_SETTING(prefetch = 0, SEL_E_ARGUMENT, "prefetch");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_new(&settings, 0, &field, &l), "field");
#define REFUSED_FIELD(change, status, ...)                                                \
  do {                                                                                    \
    sel_loader_field both[2] = {field, field};                                            \
    both[1].change;                                                                       \
    ASSERT_FAILS(status, sel_loader_new(&settings, 2, both, &l), "field 1", __VA_ARGS__); \
  } while (0)
  REFUSED_FIELD(rows = shorter, SEL_E_SHAPE, "103 rows", "5");
  REFUSED_FIELD(rows = number, SEL_E_SHAPE, "u8[]");
  REFUSED_FIELD(rows = view, SEL_E_ARGUMENT, "contiguous", "u8[103, 5, 2]");
  REFUSED_FIELD(rows = NULL, SEL_E_ARGUMENT, "rows");
  REFUSED_FIELD(scale = 0, SEL_E_ARGUMENT, "scale");
  REFUSED_FIELD(channels = 3, SEL_E_SHAPE, "channels", "u8[103, 2, 5]", "3");
  REFUSED_FIELD(channels = 2, SEL_E_ARGUMENT, "mean");
  REFUSED_FIELD(dtype = SEL_DTYPE_COUNT, SEL_E_DTYPE, "dtype");
  sel_loader_field scaled = field, flat = field;
  scaled.dtype = SEL_I64;
  scaled.scale = 2;
  ASSERT_FAILS(SEL_E_DTYPE, sel_loader_new(&settings, 1, &scaled, &l), "float", "i64");
  flat.channels = 1;
  flat.mean = flat.std = &zero;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_new(&settings, 1, &flat, &l), "std", "0");
  ck_assert_ptr_null(l);

  l = make_loader(&s, 10, false, 1);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_next(l, NULL, fields, &more), "sel_loader_start");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_start(l, -1, 0), "epoch", "-1");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_start(l, 0, 12), "11", "12");
  ASSERT_OK(sel_loader_start(l, 0, 0));
  sel_interrupt();
  ASSERT_FAILS(SEL_E_INTERRUPTED, sel_loader_next(l, NULL, fields, &more), "interrupted");
  sel_interrupt_clear();
  sel_loader_release(l);
  sel_release(view);
  sel_release(shorter);
  sel_release(number);
  release_sample(&s);
}
END_TEST

typedef struct attempt {
  const sample *data;
  int workers;
} attempt;

static sel_status run_an_epoch(void *context) {
  const attempt *a = context;
  sel_loader_settings settings = {.size = sizeof settings,
                                  .batch_size = 30,
                                  .shuffle = true,
                                  .workers = a->workers,
                                  .prefetch = 2};
  sel_loader_field fields[] = {
      {.size = sizeof *fields, .rows = a->data->id, .dtype = SEL_F16, .scale = 1},
      {.size = sizeof *fields, .rows = a->data->image, .dtype = SEL_F32, .scale = 2}};
  sel_tensor *batch[2];
  sel_loader *l = NULL;
  bool more = true;
  sel_status status = sel_loader_new(&settings, 2, fields, &l);
  if (status == SEL_OK) status = sel_loader_start(l, 0, 0);
  while (status == SEL_OK && more) {
    status = sel_loader_next(l, NULL, batch, &more);
    if (status == SEL_OK && more) sel_release(batch[0]), sel_release(batch[1]);
  }
  sel_loader_release(l);
  return status;
}

START_TEST(survives_failing_allocations) {
  sample s = make_sample();
  for (int workers = 0; workers <= 2; workers++) {
    attempt a = {&s, workers};
    expect_memory_errors(run_an_epoch, &a);
  }
  release_sample(&s);
}
END_TEST

/* A batch whose delivery failed for want of memory comes when asked for again. */
START_TEST(gives_the_batch_after_a_failure) {
  sample s = make_sample();
  static epoch_result expected, got;
  for (int workers = 0; workers <= 2; workers++) {
    sel_loader *l = make_loader(&s, 10, false, workers);
    run_epoch(l, 1, 0, &expected);
    memset(&got, 0, sizeof got);
    ASSERT_OK(sel_loader_start(l, 1, 0));
    int failures = 0;
    for (int64_t n = 1; n > 0; got.rows += n) {
      for (int k = 0;; k++) {
        expect_allocations counts = {.fail_at = k};
        sel_tensor *fields[2];
        bool more;
        sel_set_allocator(expect_allocate, &counts);
        sel_status status = sel_loader_next(l, NULL, fields, &more);
        sel_set_allocator(NULL, NULL);
        if (status == SEL_OK) { /* nothing was left to fail */
          n = more ? sel_size(fields[0], 0) : 0;
          if (!more) break;
          ASSERT_OK(sel_read(fields[0], got.ids + got.rows, (size_t)n * sizeof *got.ids));
          ASSERT_OK(sel_read(fields[1], got.pixels + got.rows * 10, (size_t)n * 40));
          sel_release(fields[0]);
          sel_release(fields[1]);
          break;
        }
        ck_assert_int_eq(status, SEL_E_MEMORY);
        ck_assert_int_lt(k, 20);
        failures++;
      }
    }
    ck_assert_int_gt(failures, 0);
    ck_assert_int_eq(got.rows, ROWS);
    ck_assert_int_eq(memcmp(got.ids, expected.ids, sizeof got.ids), 0);
    ck_assert_int_eq(memcmp(got.pixels, expected.pixels, sizeof got.pixels), 0);
    sel_loader_release(l);
  }
  release_sample(&s);
}
END_TEST

RUN_SUITE("loader", every_row_once, pixels_belong_to_ids, same_batches_for_any_workers,
          resumes_in_mid_epoch, keeps_the_order_without_shuffle, ends_early, outlives_its_tensors,
          converts_every_dtype, normalises_every_dtype, empty_data, refuses_mistakes,
          survives_failing_allocations, gives_the_batch_after_a_failure)
