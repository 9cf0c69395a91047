/* The text of a fused function to its graph; the language is described in selenite/fuse.h. */
#ifndef SEL_FUSE_PARSE_H
#define SEL_FUSE_PARSE_H

#include "fuse_graph.h"
#include "selenite/fuse.h"

typedef struct sel__fuse_parsed {
  sel__fuse_graph graph; /* the caller's to free, also after a failure */
  int inputs, outputs;
  int output[SEL_FUSE_OUTPUTS]; /* nodes */
} sel__fuse_parsed;

sel_status sel__fuse_parse(const char *text, sel__fuse_parsed *out);

#endif
