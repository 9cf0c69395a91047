/* The recurrent cell's parts for those who walk through its steps: see cell.c. */
#ifndef CPU_CELL_H
#define CPU_CELL_H

#include "kernels.h"

/* Rows [begin, end) on the calling thread. */
void CPU_NAME(cpu_cell_rows)(const sel_cell_args *args, int64_t begin, int64_t end);

/* What all rows take one thread. */
double CPU_NAME(cpu_cell_nanoseconds)(const sel_cell_args *args);

#endif
