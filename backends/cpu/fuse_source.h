/* Fused functions as C. */
#ifndef CPU_FUSE_SOURCE_H
#define CPU_FUSE_SOURCE_H

#include "selenite/backend.h"

/* functions_f32.h and functions_f64.h with all they include; made by embed.cmake. */
extern const char cpu_text_functions_f32[], cpu_text_functions_f64[];

/* How many inputs a row has; 0 for rows that are no steps. */
int cpu_fuse_inputs(int op);

/* What a compiled program exports as cpu_fused: n positions, from dense inputs to dense outputs. */
typedef void cpu_fused(int64_t n, const void *const *in, void *const *out);

/* The C text of a program, for free(); NULL when memory is short. Made of the program's numbers and
 * our own rows alone: nothing a user wrote comes into it. */
char *cpu_fuse_source(const sel_fuse_program *program, sel_dtype compute);

#endif
