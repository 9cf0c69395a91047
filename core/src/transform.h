/* The transforms of one field of a loader: its checked list, and what is done to one image.
 *
 * transform.c checks the list and keeps it, transform_move.c does crops and flips, and
 * transform_change.c what comes after the conversion. Both draw from streams of their own for each
 * image and step, so the order of the calls means nothing, and neither allocates or can fail.
 */
#ifndef SEL_TRANSFORM_H
#define SEL_TRANSFORM_H

#include "core.h"
#include "philox.h"
#include "selenite/data.h"

typedef struct sel__transforms {
  int n, n_moves; /* crops and flips are the first n_moves */
  sel_transform *steps;
  int64_t from[3], to[3]; /* channels, height, width: of the rows' images, of the batch's */
  int64_t room[2];        /* largest height and width in between */
  sel_dtype rows, values; /* dtypes: before the conversion, after it */
  char *fills;            /* of step k, one element of the rows' dtype */
  char *erased;           /* of step k, one element a channel of the values' dtype */
} sel__transforms;

/* Checks the list of a field with good rows and keeps it. values: dtype of the converted values, or
 * SEL_DTYPE_COUNT where workers can't convert. New. */
sel_status sel__transforms_new(const sel_loader_field *field, sel_dtype values,
                               sel__transforms **out);
void sel__transforms_release(sel__transforms *transforms);

/* Bytes that moving an image needs. */
size_t sel__transforms_scratch(const sel__transforms *transforms);
/* Crops and flips: `image` itself where the list has none, else the result in `scratch`, which is
 * aligned for an int64_t. */
const char *sel__transforms_move(const sel__transforms *transforms, uint64_t seed,
                                 const char *image, void *scratch);
/* Erasing and custom steps, on converted values. */
void sel__transforms_change(const sel__transforms *transforms, uint64_t seed, char *values);

/* ---- draws ---- */

typedef struct sel__draws {
  uint64_t seed, counter;
} sel__draws;

/* The stream of step k for the image with `seed`. */
static inline sel__draws sel__draws_of(uint64_t seed, int k) {
  return (sel__draws){.seed = seed, .counter = (uint64_t)k << 32};
}

static inline uint64_t sel__draw_word(sel__draws *d) {
  uint32_t words[4];
  sel__philox(d->seed, d->counter++, words);
  return (uint64_t)words[1] << 32 | words[0];
}

/* Uniform in [0, 1), 53 bits. */
static inline double sel__draw(sel__draws *d) {
  return (double)(sel__draw_word(d) >> 11) * 0x1p-53;
}

/* Uniform in 0...n-1. */
static inline int64_t sel__draw_below(sel__draws *d, int64_t n) {
  return (int64_t)sel__philox_below(d->seed, &d->counter, (uint64_t)n);
}

#endif
