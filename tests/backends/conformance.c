/* Every kernel of every backend that loads, against plain references: one table of cases for all.
 *
 * usage: test_backends_conformance [BACKEND]      (all backends with a device when none is named)
 * A backend that is there but has no device says why and is left out.
 */
#include "cases.h"
#include "harness.h"

enum { SKIPPED = 77 };

static Suite *all_cases(void) {
  Suite *suite = suite_create(backend->name);
  TCase *cases[] = {memory_cases(), pointwise_cases(),  copy_cases(),     update_cases(),
                    reduce_cases(), scan_cases(),       gemm_cases(),     index_cases(),
                    sort_cases(),   softmax_cases(),    random_cases(),   cross_entropy_cases(),
                    conv_cases(),   pool_cases(),       upsample_cases(), norm_cases(),
                    cell_cases(),   recurrence_cases(), attention_cases()};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tcase_set_timeout(cases[i], 100);
    suite_add_tcase(suite, cases[i]);
  }
  return suite;
}

/* Number of failed tests on one device of the backend; -1 where it has none. */
static int test_backend(void) {
  const char *reason = "no reason given";
  if (backend->device_count(&reason) < 1) {
    printf("%s: no device: %s\n", backend->name, reason);
    return -1;
  }
  if (backend->device_open(0, &device) != SEL_OK) {
    printf("%s: %s\n", backend->name, sel_error());
    return 1;
  }
  printf("%s: %s\n", backend->name, backend->device_summary(device));
  fflush(stdout);
  SRunner *runner = srunner_create(all_cases());
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed;
}

int main(int argc, char **argv) {
  if (sel_init(NULL) != SEL_OK) {
    printf("%s\n", sel_error());
    /* A level this processor lacks can't be tested here. */
    return getenv("SELENITE_CPU_LEVEL") && strstr(sel_error(), "lacks") ? SKIPPED : 1;
  }
  int tested = 0, failed = 0;
  for (int i = 0; (backend = sel_backend_at(i)) != NULL; i++) {
    if (argc > 1 && strcmp(argv[1], backend->name) != 0) continue;
    const int failures = test_backend();
    tested += failures >= 0;
    failed += failures > 0 ? failures : 0;
  }
  if (!tested) printf("no backend to test\n");
  return failed ? 1 : tested ? 0 : SKIPPED;
}
