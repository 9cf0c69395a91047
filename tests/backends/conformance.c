/* Every kernel of a backend against plain references: one table of cases for all backends.
 *
 * usage: test_backends_conformance [BACKEND [FAMILY]]      (cpu; all families)
 * A backend that isn't built or has no device says why and is skipped, and so is a family that it
 * has no kernel for when it is asked for alone; else such families are listed as missing.
 */
#include <stddef.h>

#include "cases.h"
#include "harness.h"

enum { SKIPPED = 77, NO_KERNEL_NEEDED = 0 };

typedef struct family {
  const char *name;
  TCase *(*cases)(void);
  size_t kernel; /* where the backend's table has it */
} family;

#define FAMILY(name) \
  { #name, name##_cases, offsetof(sel_backend, name) }
static const family families[] = {
    {"memory", memory_cases, NO_KERNEL_NEEDED},
    {"rows", rows_cases, offsetof(sel_backend, pointwise)},
    FAMILY(pointwise),
    FAMILY(copy),
    FAMILY(update),
    FAMILY(reduce),
    FAMILY(scan),
    FAMILY(gemm),
    FAMILY(index),
    FAMILY(sort),
    FAMILY(softmax),
    FAMILY(random),
    FAMILY(cross_entropy),
    FAMILY(conv),
    FAMILY(pool),
    FAMILY(upsample),
    FAMILY(norm),
    FAMILY(cell),
    FAMILY(recurrence),
    FAMILY(attention),
};
enum { FAMILIES = sizeof families / sizeof *families };

static bool has(const family *f) {
  if (f->kernel == NO_KERNEL_NEEDED) return true;
  void (*kernel)(void);
  if (f->kernel + sizeof kernel > backend->size) return false;
  memcpy(&kernel, (const char *)backend + f->kernel, sizeof kernel);
  return kernel != NULL;
}

/* The families there are kernels for, or one of them alone; `found` counts them. */
static Suite *suite_of(const char *only, int *found) {
  Suite *suite = suite_create(backend->name);
  *found = 0;
  for (int i = 0; i < FAMILIES; i++) {
    if (only && strcmp(only, families[i].name) != 0) continue;
    if (!has(&families[i])) {
      printf("missing: %s has no kernel for %s\n", backend->name, families[i].name);
      continue;
    }
    TCase *cases = families[i].cases();
    tcase_set_timeout(cases, 100);
    suite_add_tcase(suite, cases);
    ++*found;
  }
  return suite;
}

/* Number of failed tests on one device of the backend; -1 where nothing could be tested. The
 * threads of a driver don't live through a fork, so only a backend on host memory has a process a
 * test. */
static int test_backend(const char *only) {
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
  int found;
  SRunner *runner = srunner_create(suite_of(only, &found));
  if (!backend->host_memory) srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return found ? failed : -1;
}

int main(int argc, char **argv) {
  if (sel_init(NULL) != SEL_OK) {
    printf("%s\n", sel_error());
    /* A level this processor lacks can't be tested here. */
    return getenv("SELENITE_CPU_LEVEL") && strstr(sel_error(), "lacks") ? SKIPPED : 1;
  }
  const char *wanted = argc > 1 ? argv[1] : "cpu";
  for (int i = 0; (backend = sel_backend_at(i)) != NULL; i++) {
    if (strcmp(wanted, backend->name) != 0) continue;
    const int failed = test_backend(argc > 2 ? argv[2] : NULL);
    return failed < 0 ? SKIPPED : failed > 0;
  }
  printf("no backend is named %s\n", wanted);
  return SKIPPED;
}
