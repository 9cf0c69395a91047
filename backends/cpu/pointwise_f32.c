/* Pointwise rows in float. */
#include "functions_f32.h"
#include "pointwise.h"

#define CPU_FLOATS 1
#define CPU_ROWS CPU_NAME(cpu_rows_f32)
#include "pointwise_rows.h"
