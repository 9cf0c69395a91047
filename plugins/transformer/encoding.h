/* Positional encodings: how a position becomes part of what stands there. */
#ifndef TRANSFORMER_ENCODING_H
#define TRANSFORMER_ENCODING_H

#include "parameter.h"

extern const sel_layer_type transformer_sinusoidal_encoding, transformer_learned_encoding,
    transformer_rotary_encoding;

/* x plus the rows of a table for its positions, the first of which is `offset`. x: [..., length,
 * features] with batch_first, else [length, N, features] or [length, features]; table:
 * [positions, features], or the same with dims of extent 1 between. */
sel_status tf_add_positions(sel_tensor *x, sel_tensor *table, int64_t offset, bool batch_first,
                            sel_tensor **out);

/* The same as forward of a layer whose slot 0 is the table and whose state is this. */
typedef struct tf_encoding {
  bool batch_first;
  double dropout;
} tf_encoding;
sel_status tf_encoding_forward(sel_layer *self, sel_tensor *const *inputs, sel_tensor **outputs);

/* What the port `offset` holds; 0 where it is NULL. */
sel_status tf_read_offset(const sel_tensor *offset, int64_t *out);
#define TF_OFFSET_PORT \
  { "offset", "i64, one number: position of the first row; 0 where left out", true }

#define TF_D_MODEL                                                                           \
  {                                                                                          \
    .name = "d_model", .kind = SEL_OPTION_INT, .required = true, .low = 1, .high = INFINITY, \
    .doc = "features of a position"                                                          \
  }
#define TF_ENCODING_DROPOUT \
  TF_DROPOUT("0", "probability of an element of the sum to be zeroed while training")
#define TF_ENCODING_BATCH_FIRST \
  TF_BOOL("batch_first", "false", "whether inputs are [N, L, d_model] instead of [L, N, d_model]")

#endif
