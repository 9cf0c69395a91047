/* Looking at results, for the doors where operations are recorded: profile.c, fuse_call.c.
 *
 * Only where sel__inspecting(): all inputs and results are read.
 */
#ifndef SEL_INSPECT_H
#define SEL_INSPECT_H

#include "profile.h"

/* What an operation's inputs hold, seen before it runs: it may write into them. */
typedef struct sel__sight {
  sel_finiteness worst;
  sel_span maker; /* of the worst; 0: it was there before, or all is finite */
} sel__sight;

sel__sight sel__look_at_inputs(int n, sel_tensor *const *in);
/* Writes the result of event `span`, an operation that gave n tensors; fresh: it made their values,
 * and not a view of others. */
void sel__look_at_results(sel_span span, const sel__sight *inputs, int n, sel_tensor *const *out,
                          bool fresh);

#endif
