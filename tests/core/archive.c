/* sel_archive: order, replacing, lookup among thousands, failing allocations. */
#include "file_fixture.h"

START_TEST(keeps_order_and_replaces) {
  sel_archive *archive;
  sel_tensor *a = make_tensor(SEL_F32, 1, (int64_t[]){3}), *b = make_tensor(SEL_U8, 0, NULL);
  ASSERT_OK(sel_archive_new(&archive));
  ck_assert_int_eq(sel_archive_count(archive), 0);
  ck_assert_ptr_null(sel_archive_find(archive, "z"));
  ASSERT_OK(sel_archive_add(archive, "z", a));
  ASSERT_OK(sel_archive_add(archive, "", b));
  ASSERT_OK(sel_archive_add(archive, "a", a));
  ASSERT_OK(sel_archive_add(archive, "z", b));
  ck_assert_int_eq(sel_archive_count(archive), 3);
  ck_assert_str_eq(sel_archive_name(archive, 0), "z");
  ck_assert_str_eq(sel_archive_name(archive, 1), "");
  ck_assert_str_eq(sel_archive_name(archive, 2), "a");
  ck_assert_ptr_eq(sel_archive_tensor(archive, 0), b);
  ck_assert_ptr_eq(sel_archive_find(archive, "a"), a);
  ck_assert_ptr_null(sel_archive_name(archive, 3));
  ck_assert_ptr_null(sel_archive_tensor(archive, -1));
  sel_release(a); /* the archive's references keep them */
  sel_release(b);
  ck_assert_int_eq(sel_size(sel_archive_find(archive, "a"), 0), 3);
  sel_archive_release(archive);
  sel_archive_release(NULL);
}
END_TEST

START_TEST(keeps_metadata) {
  sel_archive *archive;
  ASSERT_OK(sel_archive_new(&archive));
  ASSERT_OK(sel_archive_set_metadata(archive, "format", "pt"));
  ASSERT_OK(sel_archive_set_metadata(archive, "epoch", "1"));
  ASSERT_OK(sel_archive_set_metadata(archive, "format", "sel"));
  ck_assert_int_eq(sel_archive_metadata_count(archive), 2);
  ck_assert_str_eq(sel_archive_metadata_key(archive, 0), "format");
  ck_assert_str_eq(sel_archive_metadata_value(archive, 0), "sel");
  ck_assert_str_eq(sel_archive_metadata_value(archive, 1), "1");
  ck_assert_ptr_null(sel_archive_metadata_key(archive, 2));
  ck_assert_int_eq(sel_archive_count(archive), 0);
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_archive_set_metadata(archive, "k", NULL), "value");
  ASSERT_FAILS(SEL_E_ARGUMENT, sel_archive_add(archive, "k", NULL), "tensor");
  sel_archive_release(archive);
}
END_TEST

START_TEST(finds_among_thousands) {
  enum { N = 20000 };
  sel_archive *archive;
  sel_tensor *t[2] = {make_tensor(SEL_U8, 0, NULL), make_tensor(SEL_U8, 0, NULL)};
  char name[32];
  ASSERT_OK(sel_archive_new(&archive));
  for (int i = 0; i < N; i++) {
    snprintf(name, sizeof name, "layer.%d.weight", i);
    ASSERT_OK(sel_archive_add(archive, name, t[i % 2]));
  }
  for (int i = 0; i < N; i++) {
    snprintf(name, sizeof name, "layer.%d.weight", i);
    ck_assert_str_eq(sel_archive_name(archive, i), name);
    ck_assert_ptr_eq(sel_archive_find(archive, name), t[i % 2]);
  }
  ck_assert_ptr_null(sel_archive_find(archive, "layer.20000.weight"));
  sel_archive_release(archive);
  sel_release(t[0]);
  sel_release(t[1]);
}
END_TEST

static sel_status fill(void *context) {
  sel_archive *archive = NULL;
  char name[] = "x0";
  sel_status status = sel_archive_new(&archive);
  for (int i = 0; i < 40 && status == SEL_OK; i++) {
    name[1] = (char)('0' + i);
    status = sel_archive_add(archive, name, context);
    if (status == SEL_OK) status = sel_archive_set_metadata(archive, name, name);
    if (status == SEL_OK) status = sel_archive_set_metadata(archive, name, "again");
  }
  sel_archive_release(archive);
  return status;
}

START_TEST(survives_failing_allocations) {
  sel_tensor *t = make_tensor(SEL_U8, 0, NULL);
  expect_memory_errors(fill, t);
  sel_release(t);
}
END_TEST

RUN_SUITE("archive", keeps_order_and_replaces, keeps_metadata, finds_among_thousands,
          survives_failing_allocations)
