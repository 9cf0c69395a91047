/* Pointwise rows in int32_t. */
#include "pointwise.h"

typedef int32_t T;
#define K(x) ((T)(x))

#include "whole_divide.h"

#define FLOOR_DIV whole_divide
#define FLOOR_MOD whole_mod

#define CPU_FLOATS 0
#define CPU_ROWS CPU_NAME(cpu_rows_i32)
#include "pointwise_rows.h"
