/* Draws from the thread's generator, for the files that make them. */
#ifndef SEL_RANDOM_H
#define SEL_RANDOM_H

#include "op.h"

/* Takes the counters that a draw of n elements uses (sel_random_args says which words make which
 * element): the thread's generator moves on by as many; seed and first counter into *out. */
void sel__take_counters(sel_random_op op, sel_dtype dtype, int64_t n, sel_generator *out);

#endif
