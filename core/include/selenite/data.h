/* Batches from host memory, made ahead of time by worker threads.
 *
 * A loader takes tensors with one example a row, shuffles rows, and hands out batches in an order
 * that depends on seed and epoch alone, never on the number of workers.
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
  uint64_t seed;  /* of the order */
  int workers;    /* threads; 0 makes each batch when it is asked for */
  int prefetch;   /* finished batches kept ready, at least 1 */
} sel_loader_settings;

/* How one field (tensor) of a batch is made from the rows: converted to `dtype`, then
 * (x * scale - mean[c]) / std[c] for float dtypes. channels 0: no normalisation; 1: one mean for
 * all; else the extent of dim 1 of the field. */
typedef struct sel_loader_field {
  size_t size;      /* sizeof(sel_loader_field) */
  sel_tensor *rows; /* borrowed by the call; the loader keeps a reference; on the CPU */
  sel_dtype dtype;
  double scale; /* 1 changes nothing */
  int channels;
  const double *mean, *std;
} sel_loader_field;

/* All fields have the same number of rows. New. */
SEL_API sel_status sel_loader_new(const sel_loader_settings *settings, int n_fields,
                                  const sel_loader_field *fields, sel_loader **out);
SEL_API void sel_loader_release(sel_loader *loader);          /* stops and joins the workers */
SEL_API int64_t sel_loader_batches(const sel_loader *loader); /* in one epoch */
SEL_API int64_t sel_loader_rows(const sel_loader *loader);
/* Starts epoch number `epoch` (from 0) at batch number `first`, for resuming. */
SEL_API sel_status sel_loader_start(sel_loader *loader, int64_t epoch, int64_t first);
/* The next batch: n_fields new tensors into fields and *more = true, or *more = false at the end of
 * the epoch. Batches are on `device` (NULL: the default device). */
SEL_API sel_status sel_loader_next(sel_loader *loader, sel_device *device, sel_tensor **fields,
                                   bool *more);
/* Seconds the caller has waited in sel_loader_next since the loader was made. */
SEL_API double sel_loader_waited(const sel_loader *loader);

#ifdef __cplusplus
}
#endif
#endif
