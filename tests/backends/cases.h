/* The families of conformance cases, one file each. */
#ifndef CASES_H
#define CASES_H

#include <check.h>

TCase *rows_cases(void); /* every pointwise operation; pointwise_cases: how they walk */
TCase *pointwise_cases(void);
TCase *copy_cases(void);
TCase *update_cases(void);
TCase *reduce_cases(void);
TCase *scan_cases(void);
TCase *gemm_cases(void);
TCase *index_cases(void);
TCase *sort_cases(void);
TCase *softmax_cases(void);
TCase *cross_entropy_cases(void);
TCase *random_cases(void);
TCase *conv_cases(void);
TCase *pool_cases(void);
TCase *upsample_cases(void);
TCase *norm_cases(void);
TCase *cell_cases(void);
TCase *recurrence_cases(void);
TCase *attention_cases(void);
TCase *memory_cases(void);

#endif
