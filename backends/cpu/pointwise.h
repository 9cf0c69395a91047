/* The compiled rows of SEL_POINTWISE: one contiguous loop per row and compute type. */
#ifndef CPU_POINTWISE_H
#define CPU_POINTWISE_H

#include "kernels.h"

/* out[i] = row(a[i], b[i], c[i]) for i < n, with scalars s[0], s[1]; all of the row's compute type.
 * Inputs the row does not have are not read. out may be an input. */
typedef void cpu_row(int64_t n, const void *a, const void *b, const void *c, void *out,
                     const void *s);

/* By row; NULL where the row does not take the type. */
extern cpu_row *const CPU_NAME(cpu_rows_f32)[SEL_PW_COUNT];
extern cpu_row *const CPU_NAME(cpu_rows_f64)[SEL_PW_COUNT];
extern cpu_row *const CPU_NAME(cpu_rows_i64)[SEL_PW_COUNT];
extern cpu_row *const CPU_NAME(cpu_rows_i32)[SEL_PW_COUNT];
extern cpu_row *const CPU_NAME(cpu_rows_u8)[SEL_PW_COUNT];

#endif
