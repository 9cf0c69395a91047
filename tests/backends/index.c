/* Indexing: every op, every dtype, duplicates, large and tiny extents, indices out of range. */
#include "cases.h"
#include "harness.h"

static const char *const names[] = {"select", "add", "gather", "scatter", "scatter_add"};

typedef struct extents {
  int64_t outer, extent, count, inner;
} extents;

static bool by_element(sel_index_op op) { return op >= SEL_INDEX_GATHER; }
static bool adds(sel_index_op op) { return op == SEL_INDEX_ADD || op == SEL_INDEX_SCATTER_ADD; }
static bool reads(sel_index_op op) { return op == SEL_INDEX_SELECT || op == SEL_INDEX_GATHER; }

static sel_status run(sel_index_op op, const extents *e, const array *x, const array *index,
                      const array *out) {
  const sel_index_args args = {.op = op,
                               .x = operand_of(x),
                               .index = operand_of(index),
                               .out = operand_of(out),
                               .outer = e->outer,
                               .extent = e->extent,
                               .count = e->count,
                               .inner = e->inner};
  return backend->index(device, &args);
}

static void apply(sel_index_op op, const extents *e, const array *x, const array *index,
                  array *out) {
  for (int64_t o = 0; o < e->outer; o++)
    for (int64_t j = 0; j < e->count; j++)
      for (int64_t i = 0; i < e->inner; i++) {
        const int64_t packed = (o * e->count + j) * e->inner + i;
        const int64_t id = get_whole(index, by_element(op) ? packed : j);
        const int64_t spread = (o * e->extent + id) * e->inner + i;
        const int64_t from = reads(op) ? spread : packed, to = reads(op) ? packed : spread;
        if (sel_dtype_is_float(x->dtype))
          set(out, to, get(x, from) + (adds(op) ? get(out, to) : 0));
        else
          set_whole(out, to, get_whole(x, from) + (adds(op) ? get_whole(out, to) : 0));
      }
}

static void index_case(sel_index_op op, sel_dtype dtype, sel_dtype index_dtype, const extents *e) {
  char what[128];
  snprintf(what, sizeof what, "%s %s by %s, %lld x %lld x %lld, %lld indices", names[op],
           sel_dtype_name(dtype), sel_dtype_name(index_dtype), (long long)e->outer,
           (long long)e->extent, (long long)e->inner, (long long)e->count);
  const int64_t whole = e->outer * e->extent * e->inner, picked = e->outer * e->count * e->inner;
  const int64_t indices = by_element(op) ? picked : e->count;
  array x = array_new(dtype, 1, reads(op) ? &whole : &picked, OFFSET);
  array out = array_new(dtype, 1, reads(op) ? &picked : &whole, OFFSET);
  array index = array_new(index_dtype, 1, &indices, OFFSET);
  fill(&x, false), fill(&out, false);
  for (int64_t i = 0; i < indices; i++) set_whole(&index, i, below(e->extent));
  upload(&x), upload(&out), upload(&index);
  must(run(op, e, &x, &index, &out), what);
  array wanted = out;
  const size_t bytes = (size_t)out.room * sel_dtype_size(dtype);
  wanted.host = malloc(bytes);
  memcpy(wanted.host, out.host, bytes);
  apply(op, e, &x, &index, &wanted);
  download(&out);
  for (int64_t i = 0; i < out.numel; i++) expect_near(get(&out, i), get(&wanted, i), 0, what, i);
  free(wanted.host);
  array_free(&x), array_free(&out), array_free(&index);
}

static const extents cases_of[] = {
    {1, 10, 4, 1},  {1, 5, 40, 7},     {3, 6, 5, 4},     {2, 1, 3, 9},
    {40, 9, 11, 1}, {1, 300, 900, 64}, {4, 50, 200, 33}, {1, 3, 50000, 1},
    {0, 4, 3, 2},   {2, 5, 0, 3},      {2, 5, 3, 0},
};
enum { EXTENTS = sizeof cases_of / sizeof *cases_of };

START_TEST(every_op_and_dtype) {
  seed_numbers((uint64_t)_i);
  for (int op = 0; op <= SEL_INDEX_SCATTER_ADD; op++)
    for (sel_dtype dtype = 0; dtype < SEL_DTYPE_COUNT; dtype++) {
      if (adds((sel_index_op)op) && dtype == SEL_BOOL) continue;
      index_case((sel_index_op)op, dtype, dtype % 2 ? SEL_I32 : SEL_I64, &cases_of[_i]);
    }
}
END_TEST

/* Refused before anything is written, naming value and extent. */
START_TEST(out_of_range) {
  static const int64_t bad[] = {-1, 7, INT32_MIN, 1000000007};
  const extents e = {2, 7, 5, 3};
  const sel_dtype index_dtype = _i % 2 ? SEL_I32 : SEL_I64;
  for (int op = 0; op <= SEL_INDEX_SCATTER_ADD; op++)
    for (int b = 0; b < 4; b++) {
      const int64_t n = 2 * 7 * 3, indices = by_element((sel_index_op)op) ? 2 * 5 * 3 : 5;
      array x = vector_new(SEL_F32, n), out = vector_new(SEL_F32, n);
      array index = vector_new(index_dtype, indices);
      for (int64_t i = 0; i < n; i++) set(&x, i, 1), set(&out, i, 5);
      for (int64_t i = 0; i < indices; i++) set_whole(&index, i, i == indices - 1 ? bad[b] : 0);
      upload(&x), upload(&out), upload(&index);
      const sel_status returned = run((sel_index_op)op, &e, &x, &index, &out);
      ck_assert_int_eq(settled(returned), SEL_E_ARGUMENT);
      char value[32];
      snprintf(value, sizeof value, "%lld", (long long)bad[b]);
      ck_assert_msg(strstr(sel_error(), value) && strstr(sel_error(), "7)"),
                    "the message names neither value nor extent: %s", sel_error());
      download(&out); /* a kernel that fails at once has written nothing */
      for (int64_t i = 0; i < n && returned != SEL_OK; i++)
        expect_near(get(&out, i), 5, 0, names[op], i);
      must(backend->synchronize(device), "a failure is reported once");
      array_free(&x), array_free(&out), array_free(&index);
    }
}
END_TEST

START_TEST(nothing_to_index) {
  const extents e = {1, 0, 2, 1};
  array x = vector_new(SEL_F32, 1), out = vector_new(SEL_F32, 2), index = vector_new(SEL_I64, 2);
  set_whole(&index, 0, INT64_MIN), set_whole(&index, 1, 0);
  upload(&x), upload(&out), upload(&index);
  ck_assert_int_eq(settled(run(SEL_INDEX_SELECT, &e, &x, &index, &out)), SEL_E_ARGUMENT);
  array_free(&x), array_free(&out), array_free(&index);
}
END_TEST

/* Sums at one target are taken in C order, whoever takes them. */
START_TEST(same_for_every_thread_count) {
  const extents e = {1, 50, 3000, 40};
  if (!backend->set_threads) return;
  seed_numbers(9);
  for (int op = SEL_INDEX_ADD; op <= SEL_INDEX_SCATTER_ADD; op += 3) {
    const int64_t indices = op == SEL_INDEX_ADD ? e.count : e.count * e.inner;
    array x = vector_new(SEL_F32, e.count * e.inner), out = vector_new(SEL_F32, e.extent * e.inner);
    array index = vector_new(SEL_I64, indices);
    fill(&x, false);
    for (int64_t i = 0; i < out.numel; i++) set(&out, i, 0);
    for (int64_t i = 0; i < indices; i++) set_whole(&index, i, below(e.extent));
    upload(&x), upload(&index);
    array wanted = out;
    wanted.host = calloc((size_t)out.room, sizeof(float));
    apply((sel_index_op)op, &e, &x, &index, &wanted);
    for (int threads = 1; threads <= 4; threads++) {
      for (int64_t i = 0; i < out.numel; i++) set(&out, i, 0);
      upload(&out);
      must(backend->set_threads(device, threads), "set_threads");
      must(run((sel_index_op)op, &e, &x, &index, &out), names[op]);
      download(&out);
      for (int64_t i = 0; i < out.numel; i++)
        expect_near(get(&out, i), get(&wanted, i), 0, names[op], i);
    }
    free(wanted.host);
    array_free(&x), array_free(&out), array_free(&index);
  }
}
END_TEST

TCase *index_cases(void) {
  TCase *cases = tcase_create("index");
  tcase_add_loop_test(cases, every_op_and_dtype, 0, EXTENTS);
  tcase_add_loop_test(cases, out_of_range, 0, 2);
  tcase_add_test(cases, nothing_to_index);
  tcase_add_test(cases, same_for_every_thread_count);
  return cases;
}
