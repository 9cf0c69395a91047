/* Device memory: allocation, transfers, threads, the description. */
#include <stddef.h>

#include "cases.h"
#include "harness.h"

START_TEST(describes_itself) {
  ck_assert_uint_le(backend->size, sizeof(sel_backend));
  ck_assert_str_ne(backend->name, "");
  ck_assert_str_ne(backend->device_summary(device), "");
}
END_TEST

START_TEST(moves_bytes) {
  enum { BYTES = 1000 };
  unsigned char sent[BYTES], received[BYTES] = {0};
  for (int i = 0; i < BYTES; i++) sent[i] = (unsigned char)(i * 7);
  sel_buffer buffer;
  must(backend->allocate(device, BYTES, &buffer), "allocate");
  must(backend->write(device, buffer, 0, sent, BYTES), "write");
  must(backend->write(device, buffer, 100, sent, 50), "write");
  must(backend->read(device, received, buffer, 90, 70), "read");
  must(backend->synchronize(device), "synchronize");
  for (int i = 0; i < 70; i++) {
    const int from = 90 + i;
    ck_assert_int_eq(received[i], sent[from >= 100 && from < 150 ? from - 100 : from]);
  }
  backend->release(device, buffer, BYTES);
}
END_TEST

START_TEST(allocates_nothing) {
  sel_buffer buffer;
  must(backend->allocate(device, 0, &buffer), "allocate 0 bytes");
  must(backend->write(device, buffer, 0, "", 0), "write 0 bytes");
  must(backend->read(device, &buffer, buffer, 0, 0), "read 0 bytes");
  backend->release(device, buffer, 0);
}
END_TEST

START_TEST(aligns_host_memory) {
  for (size_t bytes = 1; bytes < (size_t)8 << 20; bytes = bytes * 3 + 1) {
    sel_buffer buffer;
    must(backend->allocate(device, bytes, &buffer), "allocate");
    if (backend->host_memory) ck_assert_uint_eq((uintptr_t)buffer % 64, 0);
    backend->release(device, buffer, bytes);
  }
}
END_TEST

START_TEST(reports_exhaustion) {
  sel_buffer buffer;
  ck_assert_int_eq(backend->allocate(device, SIZE_MAX / 4, &buffer), SEL_E_MEMORY);
  char size[32];
  snprintf(size, sizeof size, "%zu", SIZE_MAX / 4);
  ck_assert_msg(strstr(sel_error(), size) != NULL, "the message names no size: %s", sel_error());
}
END_TEST

START_TEST(counts_threads) {
  if (!backend->set_threads) return;
  must(backend->set_threads(device, 3), "set_threads");
  ck_assert_int_eq(backend->threads(device), 3);
  must(backend->set_threads(device, 0), "set_threads");
  ck_assert_int_ge(backend->threads(device), 1);
  ck_assert_int_eq(backend->set_threads(device, -1), SEL_E_ARGUMENT);
}
END_TEST

START_TEST(counts_work) {
  sel_counters before, after;
  sel_buffer buffer;
  char bytes[10] = "";
  const bool old = backend->size <= offsetof(sel_backend, ability) || !backend->ability;
  const sel_device_ability *about = old ? NULL : backend->ability("device");
  if (!about || !about->counters) return;
  must(backend->allocate(device, sizeof bytes, &buffer), "allocate");
  must(backend->synchronize(device), "synchronize");
  about->counters(device, &before);
  must(backend->write(device, buffer, 0, bytes, 10), "write");
  must(backend->write(device, buffer, 0, bytes, 4), "write");
  must(backend->read(device, bytes, buffer, 0, 7), "read");
  must(backend->synchronize(device), "synchronize");
  about->counters(device, &after);
  ck_assert_double_eq(after.launches - before.launches, 0);
  ck_assert_double_eq(after.copies_to_device - before.copies_to_device, 2);
  ck_assert_double_eq(after.bytes_to_device - before.bytes_to_device, 14);
  ck_assert_double_eq(after.copies_to_host - before.copies_to_host, 1);
  ck_assert_double_eq(after.bytes_to_host - before.bytes_to_host, 7);
  ck_assert_double_eq(after.waits - before.waits, 2);
  backend->release(device, buffer, sizeof bytes);
}
END_TEST

TCase *memory_cases(void) {
  TCase *cases = tcase_create("memory");
  tcase_add_test(cases, describes_itself);
  tcase_add_test(cases, moves_bytes);
  tcase_add_test(cases, allocates_nothing);
  tcase_add_test(cases, aligns_host_memory);
  tcase_add_test(cases, reports_exhaustion);
  tcase_add_test(cases, counts_threads);
  tcase_add_test(cases, counts_work);
  return cases;
}
