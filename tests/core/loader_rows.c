/* sel_loader: which rows take part, rows of different lengths, rows that a source makes or can't.
 */
#include "file_fixture.h"

static const sel_loader_settings defaults = {
    .size = sizeof defaults, .batch_size = 4, .seed = 5, .workers = 2, .prefetch = 2};

static sel_tensor *ids(int64_t n) {
  sel_tensor *t;
  ASSERT_OK(sel_arange(0, (double)n, 1, SEL_I64, NULL, &t));
  return t;
}

/* All numbers of the first field of an epoch, batch behind batch; returns how many. */
static int64_t run(sel_loader *l, int n_fields, int64_t epoch, int64_t first, int64_t *out) {
  int64_t n = 0;
  sel_tensor *fields[2];
  bool more;
  ASSERT_OK(sel_loader_start(l, epoch, first));
  for (;;) {
    ASSERT_OK(sel_loader_next(l, NULL, fields, &more));
    if (!more) return n;
    ASSERT_OK(sel_read(fields[0], out + n, tensor_bytes(fields[0])));
    n += sel_numel(fields[0]);
    for (int f = n_fields - 1; f >= 0; f--) {
      ck_assert_int_eq(sel_size(fields[f], 0), sel_size(fields[0], 0));
      sel_release(fields[f]);
    }
  }
}

/* ---- selected rows ---- */

static sel_loader *loader_of(sel_tensor *rows, bool shuffle) {
  sel_loader_settings settings = defaults;
  settings.shuffle = shuffle;
  sel_loader_field field = {.size = sizeof field, .rows = rows, .dtype = SEL_I64, .scale = 1};
  sel_loader *l;
  ASSERT_OK(sel_loader_new(&settings, 1, &field, &l));
  return l;
}

START_TEST(selected_rows_in_their_order) {
  const int64_t chosen[] = {9, 2, 2, 0, 7, 9, 1, 1, 1, 3, 4, 5, 6};
  int64_t got[64];
  sel_tensor *rows = ids(10);
  sel_loader *l = loader_of(rows, false);
  ck_assert_int_eq(sel_loader_rows(l), 10);
  ASSERT_OK(sel_loader_select(l, 13, chosen));
  ck_assert_int_eq(sel_loader_rows(l), 13);
  ck_assert_int_eq(sel_loader_batches(l), 4);
  ck_assert_int_eq(run(l, 1, 0, 0, got), 13);
  ck_assert_int_eq(memcmp(got, chosen, sizeof chosen), 0);
  ck_assert_int_eq(run(l, 1, 0, 3, got), 1);
  ck_assert_int_eq(got[0], 6);
  ASSERT_OK(sel_loader_select(l, 0, NULL));
  ck_assert_int_eq(run(l, 1, 0, 0, got), 0);
  sel_loader_release(l);
  sel_release(rows);
}
END_TEST

START_TEST(selected_rows_are_shuffled) {
  const int64_t chosen[] = {10, 20, 30, 40, 50, 60, 70};
  int64_t plain[8], got[8];
  sel_tensor *seven = ids(7), *many = ids(100);
  sel_loader *expected = loader_of(seven, true), *l = loader_of(many, true);
  ASSERT_OK(sel_loader_select(l, 7, chosen));
  for (int64_t epoch = 0; epoch < 3; epoch++) {
    ck_assert_int_eq(run(expected, 1, epoch, 0, plain), 7);
    ck_assert_int_eq(run(l, 1, epoch, 0, got), 7);
    for (int i = 0; i < 7; i++) ck_assert_int_eq(got[i], chosen[plain[i]]);
  }
  sel_loader_release(l);
  sel_loader_release(expected);
  sel_release(seven);
  sel_release(many);
}
END_TEST

START_TEST(selecting_ends_the_epoch) {
  sel_tensor *rows = ids(100), *t;
  sel_loader *l = loader_of(rows, true);
  bool more;
  for (int round = 0; round < 20; round++) {
    const int64_t row = round, wrong[] = {1, 100};
    ASSERT_OK(sel_loader_start(l, round, 0));
    ASSERT_OK(sel_loader_select(l, 1, &row));
    ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_next(l, NULL, &t, &more), "sel_loader_start");
    ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_select(l, 2, wrong), "0 to 99", "100", "place 1");
    ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_select(l, -1, NULL), "-1");
    int64_t got;
    ck_assert_int_eq(run(l, 1, 0, 0, &got), 1);
    ck_assert_int_eq(got, row);
  }
  sel_loader_release(l);
  sel_release(rows);
}
END_TEST

/* ---- rows of different lengths ---- */

static sel_tensor *offsets_of(int64_t n, const int64_t *offsets) {
  sel_tensor *t;
  ASSERT_OK(sel_from_data(1, &n, SEL_I64, NULL, offsets, (size_t)n * 8, &t));
  return t;
}

START_TEST(short_rows_are_filled_up) {
  const int64_t cuts[] = {0, 2, 2, 5, 6, 10}, order[] = {4, 1, 0, 3, 2, 1};
  sel_tensor *flat = ids(10), *offsets = offsets_of(6, cuts), *t;
  sel_loader_settings settings = defaults;
  settings.batch_size = 3;
  sel_loader_field field = {.size = sizeof field,
                            .rows = flat,
                            .dtype = SEL_I32,
                            .scale = 1,
                            .offsets = offsets,
                            .padding = -1};
  sel_loader *l;
  bool more;
  ASSERT_OK(sel_loader_new(&settings, 1, &field, &l));
  ck_assert_int_eq(sel_loader_rows(l), 5);
  ASSERT_OK(sel_loader_select(l, 6, order));
  ASSERT_OK(sel_loader_start(l, 0, 0));
  const char *const shapes[] = {"i32[3, 4]", "i32[3, 3]"};
  const int32_t expected[2][12] = {{6, 7, 8, 9, -1, -1, -1, -1, 0, 1, -1, -1},
                                   {5, -1, -1, 2, 3, 4, -1, -1, -1}};
  for (int b = 0; b < 2; b++) {
    int32_t got[12] = {0};
    char text[64];
    ASSERT_OK(sel_loader_next(l, NULL, &t, &more));
    ck_assert_str_eq(sel_describe(t, text, sizeof text), shapes[b]);
    ASSERT_OK(sel_read(t, got, tensor_bytes(t)));
    ck_assert_int_eq(memcmp(got, expected[b], tensor_bytes(t)), 0);
    sel_release(t);
  }
  sel_loader_release(l);
  sel_release(flat);
  sel_release(offsets);
}
END_TEST

START_TEST(padding_is_in_the_units_of_the_batch) {
  const int64_t cuts[] = {0, 1, 3};
  const double mean = 1, std = 0.5;
  sel_tensor *flat = make_tensor(SEL_U8, 2, (int64_t[]){3, 2}), *offsets = offsets_of(3, cuts), *t;
  sel_loader_field field = {.size = sizeof field,
                            .rows = flat,
                            .dtype = SEL_F16,
                            .scale = 2,
                            .channels = 1,
                            .mean = &mean,
                            .std = &std,
                            .offsets = offsets,
                            .padding = 7};
  sel_loader *l;
  bool more;
  ASSERT_OK(sel_loader_new(&defaults, 1, &field, &l));
  ASSERT_OK(sel_loader_start(l, 0, 0));
  ASSERT_OK(sel_loader_next(l, NULL, &t, &more));
  const double expected[] = {
      (11 * 2 - 1) / 0.5,  (48 * 2 - 1) / 0.5, 7, 7, (85 * 2 - 1) / 0.5, (122 * 2 - 1) / 0.5,
      (159 * 2 - 1) / 0.5, (196 * 2 - 1) / 0.5};
  for (int64_t i = 0; i < 8; i++) {
    double value;
    ASSERT_OK(sel_get(t, 3, (int64_t[]){i / 4, i / 2 % 2, i % 2}, &value));
    ck_assert_double_eq(value, expected[i]);
  }
  sel_release(t);
  sel_loader_release(l);
  sel_release(flat);
  sel_release(offsets);
}
END_TEST

START_TEST(refuses_wrong_offsets) {
  sel_tensor *flat = ids(10), *numbers = make_tensor(SEL_F32, 1, (int64_t[]){3});
  sel_loader *l = NULL;
  sel_loader_field field = {.size = sizeof field, .rows = flat, .dtype = SEL_I64, .scale = 1};
  const int64_t wrong[][3] = {{1, 5, 10}, {0, 5, 9}, {0, 11, 10}};
  const char *const expected[] = {"1 to 10", "0 to 9", "10 behind 11"};
  for (int i = 0; i < 3; i++) {
    field.offsets = offsets_of(3, wrong[i]);
    ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_new(&defaults, 1, &field, &l), "field 0", expected[i]);
    sel_release(field.offsets);
  }
  field.offsets = numbers;
  ASSERT_FAILS(SEL_E_SHAPE, sel_loader_new(&defaults, 1, &field, &l), "i64[rows + 1]", "f32[3]");
  field.offsets = offsets_of(3, (int64_t[]){0, 5, 10});
  field.dtype = SEL_U8;
  field.padding = 300;
  ASSERT_FAILS(SEL_E_DTYPE, sel_loader_new(&defaults, 1, &field, &l), "i64 to u8");
  field.dtype = SEL_I32;
  field.padding = 0.5;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_new(&defaults, 1, &field, &l), "padding", "0.5");
  const sel_transform flip = {
      .size = sizeof flip, .kind = SEL_TRANSFORM_RANDOM_HORIZONTAL_FLIP, .p = 1};
  field.padding = 0;
  field.n_transforms = 1;
  field.transforms = &flip;
  ASSERT_FAILS(SEL_E_SHAPE, sel_loader_new(&defaults, 1, &field, &l), "images");
  ck_assert_ptr_null(l);
  sel_release(field.offsets);
  sel_release(numbers);
  sel_release(flat);
}
END_TEST

/* ---- sources: row i is [i, i + 1]; those that a mask names fail ---- */

typedef struct fake {
  uint64_t bad;
  sel_status status;
  int holders;
} fake;

static sel_status fake_read(void *context, int64_t row, void *out) {
  fake *f = context;
  if (f->bad >> row & 1) return sel_fail(f->status, "row %d is bad", (int)row);
  ((int64_t *)out)[0] = row;
  ((int64_t *)out)[1] = row + 1;
  return SEL_OK;
}
static void fake_retain(void *context) { ((fake *)context)->holders++; }
static void fake_release(void *context) { ((fake *)context)->holders--; }

static sel_row_source source_of(fake *f, int64_t n) {
  return (sel_row_source){.size = sizeof(sel_row_source),
                          .count = n,
                          .dtype = SEL_I64,
                          .ndim = 1,
                          .shape = {2},
                          .read = fake_read,
                          .retain = fake_retain,
                          .release = fake_release,
                          .context = f};
}

static sel_loader *source_loader(fake *f, sel_tensor *labels, int workers, bool skip) {
  sel_loader_settings settings = defaults;
  settings.workers = workers;
  settings.skip_failures = skip;
  const sel_row_source source = source_of(f, sel_numel(labels));
  sel_loader_field fields[] = {
      {.size = sizeof *fields, .dtype = SEL_I64, .scale = 1, .source = &source},
      {.size = sizeof *fields, .rows = labels, .dtype = SEL_F32, .scale = 1}};
  sel_loader *l;
  ASSERT_OK(sel_loader_new(&settings, 2, fields, &l));
  return l;
}

START_TEST(a_source_makes_rows) {
  int64_t got[64];
  sel_tensor *labels = ids(10);
  for (int workers = 0; workers < 3; workers++) {
    fake f = {0};
    sel_loader *l = source_loader(&f, labels, workers, false);
    ck_assert_int_eq(f.holders, 1);
    ck_assert_int_eq(run(l, 2, 0, 0, got), 20);
    for (int i = 0; i < 20; i++) ck_assert_int_eq(got[i], i / 2 + i % 2);
    sel_loader_release(l);
    ck_assert_int_eq(f.holders, 0);
  }
  sel_release(labels);
}
END_TEST

START_TEST(a_bad_row_is_raised) {
  sel_tensor *labels = ids(10), *fields[2];
  bool more;
  for (int workers = 0; workers < 3; workers++) {
    fake f = {.bad = 1 << 5 | 1 << 6, .status = SEL_E_FILE};
    sel_loader *l = source_loader(&f, labels, workers, false);
    ASSERT_OK(sel_loader_start(l, 0, 0));
    ASSERT_OK(sel_loader_next(l, NULL, fields, &more));
    sel_release(fields[0]);
    sel_release(fields[1]);
    for (int again = 0; again < 2; again++) {
      ASSERT_FAILS(SEL_E_FILE, sel_loader_next(l, NULL, fields, &more), "row 5 is bad");
    }
    ck_assert_int_eq(sel_loader_skipped(l), 0);
    f.bad = 0; /* the file was mended */
    int64_t got[64];
    ck_assert_int_eq(run(l, 2, 0, 0, got), 20);
    sel_loader_release(l);
  }
  sel_release(labels);
}
END_TEST

START_TEST(bad_rows_are_skipped) {
  sel_tensor *labels = ids(10), *fields[2];
  int64_t got[64];
  float kept[4];
  bool more;
  for (int workers = 0; workers < 3; workers++) {
    fake f = {.bad = 1 << 0 | 1 << 2 | 0xf0, .status = SEL_E_FILE}; /* 4 to 7 are a batch */
    sel_loader *l = source_loader(&f, labels, workers, true);
    ASSERT_OK(sel_loader_start(l, 0, 0));
    ASSERT_OK(sel_loader_next(l, NULL, fields, &more));
    ASSERT_OK(sel_read(fields[1], kept, 8));
    ck_assert(kept[0] == 1 && kept[1] == 3);
    sel_release(fields[0]);
    sel_release(fields[1]);
    for (int epoch = 0; epoch < 2; epoch++) {
      const int64_t expected[] = {1, 2, 3, 4, 8, 9, 9, 10};
      ck_assert_int_eq(run(l, 2, epoch, 0, got), 8);
      ck_assert_int_eq(memcmp(got, expected, sizeof expected), 0);
    }
    ck_assert_int_eq(sel_loader_skipped(l), 6);
    ck_assert_str_eq(sel_loader_skipped_text(l, 1), "row 2 is bad");
    ck_assert_ptr_null(sel_loader_skipped_text(l, 6));
    ck_assert_ptr_null(sel_loader_skipped_text(l, -1));
    sel_loader_release(l);
  }
  sel_release(labels);
}
END_TEST

/* Only a file's fault lets a row be left out. */
START_TEST(other_failures_are_raised) {
  sel_tensor *labels = ids(10), *fields[2];
  bool more;
  fake f = {.bad = 2, .status = SEL_E_MEMORY};
  sel_loader *l = source_loader(&f, labels, 1, true);
  ASSERT_OK(sel_loader_start(l, 0, 0));
  ASSERT_FAILS(SEL_E_MEMORY, sel_loader_next(l, NULL, fields, &more), "row 1 is bad");
  sel_loader_release(l);
  sel_release(labels);
}
END_TEST

START_TEST(refuses_wrong_sources) {
  fake f = {0};
  sel_row_source source = source_of(&f, 3);
  sel_loader_field field = {.size = sizeof field, .dtype = SEL_I64, .scale = 1, .source = &source};
  sel_loader *l = NULL;
  source.ndim = SEL_MAX_DIMS;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_new(&defaults, 1, &field, &l), "field 0", "7 dims");
  source = source_of(&f, 3);
  source.size = 8;
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_loader_new(&defaults, 1, &field, &l), "source", "8");
  source = source_of(&f, 3);
  field.scale = 2; /* of integers */
  ASSERT_FAILS(SEL_E_DTYPE, sel_loader_new(&defaults, 1, &field, &l), "float");
  ck_assert_int_eq(f.holders, 0);
  ck_assert_ptr_null(l);
}
END_TEST

static sel_status skip_an_epoch(void *context) {
  sel_tensor *labels = context, *fields[2];
  fake f = {.bad = 0x71, .status = SEL_E_FILE};
  sel_loader_settings settings = defaults;
  settings.skip_failures = true;
  settings.workers = 0;
  const sel_row_source source = source_of(&f, sel_numel(labels));
  sel_loader_field description[] = {
      {.size = sizeof *description, .dtype = SEL_F32, .scale = 1, .source = &source},
      {.size = sizeof *description, .rows = labels, .dtype = SEL_I64, .scale = 1}};
  sel_loader *l = NULL;
  bool more = true;
  const int64_t chosen[] = {0, 3, 4, 5, 7, 1, 1, 9, 9, 8};
  sel_status status = sel_loader_new(&settings, 2, description, &l);
  if (status == SEL_OK) status = sel_loader_select(l, 10, chosen);
  if (status == SEL_OK) status = sel_loader_start(l, 0, 0);
  while (status == SEL_OK && more) {
    status = sel_loader_next(l, NULL, fields, &more);
    if (status == SEL_OK && more) sel_release(fields[0]), sel_release(fields[1]);
  }
  sel_loader_release(l);
  ck_assert_int_eq(f.holders, 0);
  return status;
}

/* Where a row's reason can't be kept, the row is skipped all the same: not every failure is one of
 * the epoch. */
START_TEST(survives_failing_allocations) {
  sel_tensor *labels = ids(10);
  ASSERT_OK(skip_an_epoch(labels));
  for (long n = 0;; n++) {
    expect_allocations counts = {.fail_at = n};
    sel_set_allocator(expect_allocate, &counts);
    sel_status status = skip_an_epoch(labels);
    sel_set_allocator(NULL, NULL);
    ck_assert_int_eq(counts.live, 0);
    ck_assert(status == SEL_OK || status == SEL_E_MEMORY);
    if (counts.made <= n) break;
  }
  sel_release(labels);
}
END_TEST

RUN_SUITE("loader_rows", selected_rows_in_their_order, selected_rows_are_shuffled,
          selecting_ends_the_epoch, short_rows_are_filled_up, padding_is_in_the_units_of_the_batch,
          refuses_wrong_offsets, a_source_makes_rows, a_bad_row_is_raised, bad_rows_are_skipped,
          other_failures_are_raised, refuses_wrong_sources, survives_failing_allocations)
