/* The .npy format (NEP 1) on streams of bytes, so that a file and an entry of a zip share it. */
#ifndef SEL_NPY_H
#define SEL_NPY_H

#include "core.h"
#include "selenite/tensor.h"

/* Bytes of one array, read from the start on. */
typedef struct sel__npy_source {
  uint64_t size;                                                     /* in all */
  sel_status (*read)(void *context, void *destination, size_t size); /* exactly `size` */
  void *context;
} sel__npy_source;

/* The array must fill the source exactly. New. */
sel_status sel__npy_parse(const sel__npy_source *source, sel_tensor **out);

enum { SEL__NPY_PROLOGUE_MAX = 512 };
/* Everything before the elements, as NumPy 2 writes it, 64-byte aligned; refuses dtypes NumPy has
 * not. */
sel_status sel__npy_prologue(const sel_tensor *t, char bytes[SEL__NPY_PROLOGUE_MAX], size_t *size);

#endif
