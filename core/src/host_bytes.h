/* A tensor's elements as C-ordered bytes on the host: what a file holds. */
#ifndef SEL_HOST_BYTES_H
#define SEL_HOST_BYTES_H

#include "core.h"
#include "selenite/tensor.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "files are written from memory as it is, which must be little endian");

typedef struct sel__host_bytes {
  const void *data;
  size_t size;
  void *copy; /* NULL: data is the tensor's own memory */
} sel__host_bytes;

/* Copies only where memory is not the host's or has gaps. Valid while `t` lives and is not written.
 */
sel_status sel__host_bytes_get(const sel_tensor *t, sel__host_bytes *out);
void sel__host_bytes_release(sel__host_bytes *bytes);

/* Bytes of a shape that a file claims: false where an extent is negative, or where the product is
 * more than INT64_MAX (with extents 0 counted as 1: strides overflow then as well). */
bool sel__shape_bytes(int ndim, const int64_t *shape, sel_dtype dtype, uint64_t *bytes);
/* An uninitialised tensor on the CPU to read into. `data` may be NULL when it has no elements. */
sel_status sel__host_tensor(int ndim, const int64_t *shape, sel_dtype dtype, sel_tensor **out,
                            void **data);

/* A bool's byte is 0 or 1 inside Selenite; a file's may be any. */
void sel__clean_bools(uint8_t *data, size_t size);

#endif
