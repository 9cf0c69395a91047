/* The parts of a vit: what vit.c, the builder, takes from vit_encoder.c. Names are those of
 * torchvision's VisionTransformer. */
#ifndef TRANSFORMER_VIT_H
#define TRANSFORMER_VIT_H

#include "parameter.h"

extern const sel_layer_type transformer_vit;

typedef struct vit_config {
  int64_t image, patch, channels, layers, heads, features, inner, classes;
  double dropout, attention_dropout;
  sel_dtype dtype;
} vit_config;

/* A child that runs its own children, each on what the one before gave. Borrowed, to be filled. */
sel_status vit_add_chain(sel_layer *self, const char *name, sel_layer **part);
/* From [N, 1 + patches, features] to the same. */
sel_status vit_add_encoder(sel_layer *self, const char *name, const vit_config *config);

#endif
