/* What an operation costs beside its kernel, from C: operations on one element, timed. Prints a
 * table, judges nothing; overhead.lua has the same rows from Lua. Built with the tests, run by
 * hand, on a machine that does nothing else.
 *
 * usage: bench_overhead
 */
#include <selenite/selenite.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { REPEATS = 500, ROUNDS = 400 };

static sel_tensor *x, *w; /* f32[1], f32[1, 1]; w requires a gradient */

static void must(sel_status status) {
  if (status == SEL_OK) return;
  fprintf(stderr, "%s\n", sel_error());
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void add(void) {
  sel_tensor *y;
  must(sel_add(x, x, &y));
  sel_release(y);
}
static void add_in_place(void) { must(sel_add_(x, x)); }
static void view(void) {
  sel_tensor *y;
  must(sel_unsqueeze(x, 0, &y));
  sel_release(y);
}
static void linear(void) {
  sel_tensor *y;
  must(sel_linear(x, w, NULL, &y));
  sel_release(y);
}
static void linear_and_backward(void) {
  sel_tensor *y;
  must(sel_linear(x, w, NULL, &y));
  must(sel_backward(1, &y, NULL, false, false));
  sel_release(y);
  must(sel_set_grad(w, NULL));
}

/* The best of many rounds, short enough to find the machine free. */
static void measure(const char *name, void (*run)(void)) {
  double best = 1e30;
  for (int round = 0; round < ROUNDS; round++) {
    const double start = now();
    for (int i = 0; i < REPEATS; i++) run();
    const double each = (now() - start) / REPEATS;
    if (each < best) best = each;
  }
  printf("%-24s %8.0f ns\n", name, best * 1e9);
  fflush(stdout);
}

int main(void) {
  must(sel_init(NULL));
  must(sel_zeros(1, (int64_t[]){1}, SEL_F32, NULL, &x));
  must(sel_zeros(2, (int64_t[]){1, 1}, SEL_F32, NULL, &w));
  must(sel_set_requires_grad(w, true));
  measure("add", add);
  measure("add in place", add_in_place);
  measure("view", view);
  sel_set_grad_enabled(false);
  measure("linear", linear);
  sel_set_grad_enabled(true);
  measure("linear, recorded", linear);
  measure("linear and backward", linear_and_backward);
  sel_release(x);
  sel_release(w);
  return 0;
}
