/* Rows of SEL_POINTWISE evaluated one element at a time, as the list's text says: float rows in
 * double with the C library's functions, integer rows in int64_t. */
#ifndef POINTWISE_REFERENCE_H
#define POINTWISE_REFERENCE_H

#include "selenite/selenite.h"

typedef double real_row(double a, double b, double c, double s0, double s1);
typedef int64_t whole_row(int64_t a, int64_t b, int64_t c, int64_t s0, int64_t s1);

extern real_row *const real_rows[SEL_PW_COUNT];
extern whole_row *const whole_rows[SEL_PW_COUNT]; /* NULL where a row takes float dtypes only */

#endif
