/* Pointwise rows in double. */
#include "functions_f64.h"
#include "pointwise.h"

#define CPU_FLOATS 1
#define CPU_ROWS CPU_NAME(cpu_rows_f64)
#include "pointwise_rows.h"
