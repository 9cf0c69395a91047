/* Pointwise rows in int64_t. */
#include "pointwise.h"

typedef int64_t T;
#define K(x) ((T)(x))

#include "whole_divide.h"

#define FLOOR_DIV whole_divide
#define FLOOR_MOD whole_mod

#define CPU_FLOATS 0
#define CPU_ROWS CPU_NAME(cpu_rows_i64)
#include "pointwise_rows.h"
