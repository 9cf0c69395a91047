#include <selenite/selenite.h>
#include <stdio.h>

int main(void) {
  sel_tensor *x = NULL, *y = NULL;
  sel_status status = sel_init(NULL); /* finds the backends */
  if (status == SEL_OK) status = sel_full(1, (const int64_t[]){1}, 2, SEL_F32, NULL, &x);
  if (status == SEL_OK) status = sel_sqrt(x, &y);
  double number = 0;
  if (status == SEL_OK) status = sel_item(y, &number);
  if (status != SEL_OK) fprintf(stderr, "%s\n", sel_error());
  printf("%g\n", number); /*--> 1.41421 */
  sel_release(y);
  sel_release(x);
  return status != SEL_OK;
}
