/* What all conformance cases share: the backend under test, arrays on it with a mirror on the host,
 * and comparison. Cases use nothing of a backend but its table of functions.
 *
 * An array is a shape of its own layout in a buffer with room to spare; elements the layout does
 * not reach hold a pattern, and every download checks that nobody wrote there.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selenite/selenite.h"

/* ---- the backend under test ---- */

extern const sel_backend *backend;
extern sel_backend_device device;

/* Fails the test with the backend's message unless the kernel succeeds. */
void must(sel_status status, const char *what);
/* The status of a kernel once it is done: of its call, or else of waiting for the device. */
sel_status settled(sel_status status);

/* Whether a dtype is to be tested: one of those that SEL_TEST_DTYPES names ("f32,i64"); all where
 * it isn't set. */
bool tested_dtype(sel_dtype dtype);

/* ---- arrays ---- */

typedef enum layout {
  CONTIGUOUS,
  OFFSET,          /* contiguous from element 3 on */
  PADDED,          /* rows lie apart */
  GAPS,            /* every second element */
  TRANSPOSED,      /* the first dim is the fastest */
  BROADCAST_FIRST, /* stride 0 along the first dim */
  BROADCAST_LAST,  /* along the last */
  BROADCAST_ALL,
  LAYOUTS,
  WRITABLE_LAYOUTS = BROADCAST_FIRST /* those before have all elements in different places */
} layout;

extern const char *const layout_names[LAYOUTS];

typedef struct array {
  sel_dtype dtype;
  int ndim;
  int64_t shape[SEL_MAX_DIMS], stride[SEL_MAX_DIMS], offset;
  int64_t numel;
  int64_t room; /* elements in the buffer */
  unsigned char *host;
  sel_buffer buffer;
} array;

array array_new(sel_dtype dtype, int ndim, const int64_t *shape, layout how);
array vector_new(sel_dtype dtype, int64_t n); /* contiguous */
void array_free(array *a);
void upload(array *a);
void download(array *a); /* checks the elements between */
sel_operand operand_of(const array *a);

/* Place in the buffer of the i-th element in C order. */
int64_t place(const array *a, int64_t i);
double get(const array *a, int64_t i);
int64_t get_whole(const array *a, int64_t i);
void set(array *a, int64_t i, double value);
void set_whole(array *a, int64_t i, int64_t value);

/* ---- numbers ---- */

void seed_numbers(uint64_t seed);
double number(void);      /* uniform in [0, 1) */
int64_t below(int64_t n); /* uniform whole number in [0, n) */
/* Fills with numbers the dtype holds: halves of whole numbers and fractions in [-3, 3], whole
 * numbers from a small range for integers; with `special`, also NaN, infinities and zeros of both
 * signs. */
void fill(array *a, bool special);

/* x as the dtype rounds it. */
double rounded(sel_dtype dtype, double x);
/* Distance from 1 to the next number of a float dtype; 0 for others. */
double epsilon(sel_dtype dtype);

/* Fails, naming `what`, position and both numbers, unless got is wanted up to tolerance * max(1,
 * |wanted|); NaN wants NaN, infinity the same infinity. */
void expect_near(double got, double wanted, double tolerance, const char *what, int64_t position);
/* Fails, naming the same, unless the whole numbers are equal. */
void expect_whole(int64_t got, int64_t wanted, const char *what, int64_t position);

#endif
