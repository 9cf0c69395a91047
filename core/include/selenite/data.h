/* Batches from host memory, made ahead of time by worker threads.
 *
 * A loader takes tensors with one example a row, chooses and shuffles rows, changes images at
 * random, fills rows of different lengths up to one, and hands out batches that depend on seed,
 * epoch and the chosen rows alone, never on the number of workers.
 */
#ifndef SELENITE_DATA_H
#define SELENITE_DATA_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sel_loader sel_loader;

typedef struct sel_loader_settings {
  size_t size;        /* sizeof(sel_loader_settings) */
  int64_t batch_size; /* rows a batch */
  bool shuffle;
  bool drop_last; /* leave out a last batch that is not full */
  uint64_t seed;  /* of the order and of the transforms */
  int workers;    /* threads; 0 makes each batch when it is asked for */
  int prefetch;   /* finished batches kept ready, at least 1 */
  /* Rows that a source can't make because of their file (SEL_E_FILE) are left out of their batch
   * and listed (sel_loader_skipped); a batch without any other is passed over. false:
   * sel_loader_next fails, and names the row. May lie outside `size`: false. */
  bool skip_failures;
} sel_loader_settings;

/* ---- sources ----
 * Rows that are made when a batch asks for them, such as pictures that are decoded from files. */

typedef struct sel_row_source {
  size_t size;   /* sizeof(sel_row_source) */
  int64_t count; /* rows */
  sel_dtype dtype;
  int ndim; /* of one row */
  int64_t shape[SEL_MAX_DIMS];
  /* Writes row `row`, from 0, to `out`: all its elements, C-ordered. Runs in several threads at
   * once; mustn't call the loader. A failure's text names the row in the user's words. */
  sel_status (*read)(void *context, int64_t row, void *out);
  /* The loader holds on to context between these two; either may be NULL. */
  void (*retain)(void *context);
  void (*release)(void *context);
  void *context;
} sel_row_source;

/* ---- transforms ----
 * Steps that change each image of a field as its batch is made, in the worker threads. Names and
 * meaning are those of torchvision.transforms. A row is one image: [height, width] or [channels,
 * height, width].
 *
 * The steps of a list are done in its order. Crops and flips come first: they move the elements of
 * the row, which is then converted, scaled and normalised. Erasing and custom steps come last: they
 * change the converted values.
 *
 * What is drawn depends on the loader's seed, the epoch, the row's place in the epoch and the
 * step's place in the list, and on nothing else: not on workers, batch size or the batch that the
 * epoch began with. Fields with the same list are changed alike, an image and its mask. */

typedef enum sel_transform_kind {
  SEL_TRANSFORM_RANDOM_CROP = 0, /* pads, then cuts height x width out at a random place */
  SEL_TRANSFORM_CENTER_CROP,     /* cuts height x width out of the middle; never pads */
  SEL_TRANSFORM_RANDOM_HORIZONTAL_FLIP,
  SEL_TRANSFORM_RANDOM_VERTICAL_FLIP,
  SEL_TRANSFORM_RANDOM_ERASING, /* overwrites a random rectangle (Zhong et al. 2020) */
  SEL_TRANSFORM_CUSTOM          /* calls fn */
} sel_transform_kind;

typedef enum sel_padding_mode {
  SEL_PADDING_CONSTANT = 0, /* fill */
  SEL_PADDING_EDGE,         /* the last element again */
  SEL_PADDING_REFLECT,      /* mirrored without the last element; less than the image's extent */
  SEL_PADDING_SYMMETRIC     /* mirrored with the last element; at most the image's extent */
} sel_padding_mode;

/* Changes one image in place: values [channels, height, width] of `dtype`, the field's, or f32 to
 * be rounded to f16 or bf16 afterwards. seed: a fresh number for this image, epoch and step. Runs
 * in several threads at once, on different images; mustn't call the loader. */
typedef void (*sel_transform_fn)(void *context, void *values, sel_dtype dtype,
                                 const int64_t shape[3], uint64_t seed);

/* One step. Members that the kind doesn't name aren't read. */
typedef struct sel_transform {
  size_t size; /* sizeof(sel_transform) */
  sel_transform_kind kind;
  double p;                      /* flips, erasing: the probability that it happens */
  int64_t height, width;         /* crops: of the result */
  int64_t padding[4];            /* random_crop: left, top, right, bottom */
  sel_padding_mode padding_mode; /* random_crop */
  double fill;                   /* random_crop, SEL_PADDING_CONSTANT: in the units of the rows */
  double scale[2];               /* erasing: least and most area, as part of the image's */
  double ratio[2];               /* erasing: least and most height / width */
  int n_values;                  /* erasing: 1, or one a channel */
  const double *values;          /* erasing: what is written, in the units of the batch */
  sel_transform_fn fn;           /* custom */
  void *context;                 /* custom: borrowed, as long as the loader lives */
} sel_transform;

/* ---- fields ---- */

/* How one field (tensor) of a batch is made from the rows: moved by crops and flips, converted to
 * `dtype`, then (x * scale - mean[c]) / std[c] for float dtypes, then erased. channels 0: no
 * normalisation; 1: one mean for all; else the extent of dim 1 of the field. */
typedef struct sel_loader_field {
  size_t size;      /* sizeof(sel_loader_field); of all fields of a call the same */
  sel_tensor *rows; /* borrowed by the call; the loader keeps a reference; on the CPU */
  sel_dtype dtype;
  double scale; /* 1 changes nothing */
  int channels;
  const double *mean, *std;
  int n_transforms; /* this and what follows may lie outside `size`: none */
  const sel_transform *transforms;
  /* Rows of different lengths: i64 [count + 1] on the CPU, rising from 0 to the extent of `rows`;
   * row i is then rows[offsets[i]] up to rows[offsets[i + 1] - 1]. A batch is as long as its
   * longest row, and shorter ones end in `padding`, in the units of the batch. Like `rows` borrowed
   * by the call. NULL: each element of dim 0 is a row. */
  sel_tensor *offsets;
  double padding;
  /* What makes the rows, in place of `rows` and `offsets`; copied. NULL: nothing does. */
  const sel_row_source *source;
} sel_loader_field;

/* ---- loaders ---- */

/* All fields have the same number of rows. New. */
SEL_API sel_status sel_loader_new(const sel_loader_settings *settings, int n_fields,
                                  const sel_loader_field *fields, sel_loader **out);
SEL_API void sel_loader_release(sel_loader *loader);          /* stops and joins the workers */
SEL_API int64_t sel_loader_batches(const sel_loader *loader); /* in one epoch */
SEL_API int64_t sel_loader_rows(const sel_loader *loader);    /* in one epoch */
/* The rows that take part in epochs started from now on, numbered from 0, some perhaps several
 * times, in this order; with `shuffle`, it is these that are shuffled. They are copied. Ends the
 * epoch that runs. */
SEL_API sel_status sel_loader_select(sel_loader *loader, int64_t n, const int64_t *rows);
/* Starts epoch number `epoch` (from 0) at batch number `first`, for resuming. */
SEL_API sel_status sel_loader_start(sel_loader *loader, int64_t epoch, int64_t first);
/* Another seed, of the epochs that are started from now on; the present one ends. */
SEL_API void sel_loader_reseed(sel_loader *loader, uint64_t seed);
/* The next batch: n_fields new tensors into fields and *more = true, or *more = false at the end of
 * the epoch. Batches are on `device` (NULL: the default device). */
SEL_API sel_status sel_loader_next(sel_loader *loader, sel_device *device, sel_tensor **fields,
                                   bool *more);
/* Rows that were left out so far, each counted once; why number i was, or NULL past the last:
 * borrowed until the next call of sel_loader_next. */
SEL_API int64_t sel_loader_skipped(const sel_loader *loader);
SEL_API const char *sel_loader_skipped_text(const sel_loader *loader, int64_t i);
/* Seconds the caller has waited in sel_loader_next since the loader was made. */
SEL_API double sel_loader_waited(const sel_loader *loader);

#ifdef __cplusplus
}
#endif
#endif
