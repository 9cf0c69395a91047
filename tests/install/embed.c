/* A program outside the tree that uses the installed library: y = x w on the CPU. */
#include <selenite/selenite.h>
#include <stdio.h>

static sel_status product(double *out) {
  sel_tensor *x = NULL, *w = NULL, *y = NULL, *sum = NULL;
  sel_status status = sel_init(NULL);
  if (!status) status = sel_full(2, (const int64_t[]){2, 3}, 1.0, SEL_F32, NULL, &x);
  if (!status) status = sel_full(2, (const int64_t[]){3, 4}, 2.0, SEL_F32, NULL, &w);
  if (!status) status = sel_matmul(x, w, &y);
  if (!status) status = sel_sum(y, 0, NULL, false, &sum);
  if (!status) status = sel_item(sum, out);
  sel_release(sum);
  sel_release(y);
  sel_release(w);
  sel_release(x);
  return status;
}

int main(void) {
  double sum = 0;
  if (product(&sum)) {
    fprintf(stderr, "%s\n", sel_error());
    return 1;
  }
  printf("%s %g\n", sel_version(), sum);
  return sum == 48 ? 0 : 1;
}
