/* Tensors: a shape, strides and a dtype over reference-counted memory of a device.
 *
 * A view shares its storage with the tensor it was made from; nothing else does. In C, dimensions
 * and positions count from 0, negative dimensions from the end. Integers stored inside tensors
 * (class ids, indices) always count from 0. Conversions of dtype or device are never implicit.
 *
 * Threads: a tensor may be read from several threads; writing, also of its gradient, is for one
 * thread at a time. Reference counts are atomic. Grad mode, default device, default generator and
 * the error text belong to the thread.
 */
#ifndef SELENITE_TENSOR_H
#define SELENITE_TENSOR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum sel_dtype {
  SEL_F32 = 0,
  SEL_F64,
  SEL_F16,  /* IEEE binary16, for storage; computed in f32 */
  SEL_BF16, /* upper half of an f32, for storage; computed in f32 */
  SEL_I64,
  SEL_I32,
  SEL_U8,
  SEL_BOOL, /* one byte, 0 or 1 */
  SEL_DTYPE_COUNT
} sel_dtype;

typedef struct sel_tensor sel_tensor;
typedef struct sel_device sel_device;

/* ---- dtypes ---- */

SEL_API size_t sel_dtype_size(sel_dtype dtype);      /* bytes of one element */
SEL_API const char *sel_dtype_name(sel_dtype dtype); /* "f32"; borrowed, static */
SEL_API bool sel_dtype_is_float(sel_dtype dtype);    /* f32, f64, f16, bf16 */
/* Reads "f32", "f64", "f16", "bf16", "i64", "i32", "u8", "bool", or PyTorch's "float32", "int64" */
SEL_API sel_status sel_dtype_parse(const char *name, sel_dtype *out);

/* ---- devices ---- */

/* "cpu", "opencl", "opencl:1" (the second device of that backend). Devices live as long as the
 * process: borrowed. */
SEL_API sel_status sel_device_find(const char *name, sel_device **out);
SEL_API const char *sel_device_name(const sel_device *device); /* as sel_device_find takes it */
/* One line about it from its backend: maker, model, instruction set. Borrowed; "" for none. */
SEL_API const char *sel_device_summary(const sel_device *device);
/* Bytes of memory it has in all; 0 where its backend doesn't say. */
SEL_API double sel_device_memory(const sel_device *device);
/* Device of new tensors on this thread; "cpu" at first. NULL without any backend. Borrowed. */
SEL_API sel_device *sel_default_device(void);
SEL_API sel_status sel_set_default_device(sel_device *device);
/* Waits until all work given to the device is done. */
SEL_API sel_status sel_synchronize(sel_device *device);
/* The i-th device of all loaded backends, counted from 0; NULL past the last. Borrowed. */
SEL_API sel_device *sel_device_at(int i);
/* Worker threads of all CPU work; 0 asks for one a core. */
SEL_API sel_status sel_set_num_threads(int n);
SEL_API int sel_num_threads(void);

typedef struct sel_memory_info {
  double live;        /* bytes of storages in use */
  double cached;      /* bytes kept for reuse */
  double peak;        /* largest `live` since start or the last reset */
  double allocations; /* requests that had to ask the system; constant in a steady training loop */
} sel_memory_info;
SEL_API void sel_memory(const sel_device *device, sel_memory_info *out);
/* The sum of `live` over all devices opened so far. */
SEL_API double sel_live_bytes(void);
SEL_API void sel_memory_reset_peak(sel_device *device);
SEL_API void sel_memory_release_cache(sel_device *device); /* back to the system */

/* What a device was given to do since it was opened. */
typedef struct sel_counters {
  double launches; /* kernels */
  double copies_to_device, bytes_to_device;
  double copies_to_host, bytes_to_host;
  double waits; /* of the host for the device */
} sel_counters;
/* False, and zeros, for a device that doesn't count: cpu, whose kernels are done when they return.
 */
SEL_API bool sel_device_counters(const sel_device *device, sel_counters *out);

/* Bytes allocated for tensors by this thread since the thread started, bookkeeping included. A
 * garbage-collected host compares it with its value at the last collection. */
SEL_API double sel_allocated_bytes(void);

/* ---- making ---- device NULL: the default device. Each returns a new reference. */

SEL_API sel_status sel_empty(int ndim, const int64_t *shape, sel_dtype dtype, sel_device *device,
                             sel_tensor **out);
SEL_API sel_status sel_full(int ndim, const int64_t *shape, double value, sel_dtype dtype,
                            sel_device *device, sel_tensor **out);
SEL_API sel_status sel_zeros(int ndim, const int64_t *shape, sel_dtype dtype, sel_device *device,
                             sel_tensor **out);
SEL_API sel_status sel_ones(int ndim, const int64_t *shape, sel_dtype dtype, sel_device *device,
                            sel_tensor **out);
/* Uninitialised, with t's shape, dtype and device; contiguous. */
SEL_API sel_status sel_empty_like(const sel_tensor *t, sel_tensor **out);
/* start, start+step, ... below (above, for a negative step) `end`. */
SEL_API sel_status sel_arange(double start, double end, double step, sel_dtype dtype,
                              sel_device *device, sel_tensor **out);
/* n evenly spaced values from start to end, both included. */
SEL_API sel_status sel_linspace(double start, double end, int64_t n, sel_dtype dtype,
                                sel_device *device, sel_tensor **out);
SEL_API sel_status sel_eye(int64_t rows, int64_t columns, sel_dtype dtype, sel_device *device,
                           sel_tensor **out);
/* Copies `bytes` of C-ordered host memory, which must be exactly the tensor's size. */
SEL_API sel_status sel_from_data(int ndim, const int64_t *shape, sel_dtype dtype,
                                 sel_device *device, const void *data, size_t bytes,
                                 sel_tensor **out);
/* A number that takes dtype and device of whatever it meets in a pointwise operation. It holds no
 * memory; other operations refuse it. */
SEL_API sel_status sel_scalar(double value, sel_tensor **out);

/* ---- references ---- */

SEL_API sel_tensor *sel_retain(sel_tensor *t); /* returns t, one reference more; NULL stays NULL */
SEL_API void sel_release(sel_tensor *t);       /* one reference less; NULL is allowed */
/* For a host language whose handles are released late: if the caller's reference is the only one,
 * drops t's memory and tape at once and returns true. t itself stays until it is released;
 * everything that needs elements refuses it from now on. Otherwise returns false, nothing done. */
SEL_API bool sel_tensor_free(sel_tensor *t);

/* ---- asking ---- */

SEL_API int sel_ndim(const sel_tensor *t);
SEL_API int64_t sel_size(const sel_tensor *t, int dim); /* -1 when dim is out of range */
SEL_API int64_t sel_stride(const sel_tensor *t, int dim);
SEL_API const int64_t *sel_shape(const sel_tensor *t);   /* sel_ndim extents; borrowed */
SEL_API const int64_t *sel_strides(const sel_tensor *t); /* in elements; borrowed */
SEL_API int64_t sel_offset(const sel_tensor *t);         /* of the first element in its storage */
SEL_API int64_t sel_numel(const sel_tensor *t);
SEL_API sel_dtype sel_tensor_dtype(const sel_tensor *t);
SEL_API sel_device *sel_tensor_device(const sel_tensor *t); /* borrowed */
SEL_API bool sel_is_contiguous(const sel_tensor *t);        /* C order without gaps */
SEL_API bool sel_shares_storage(const sel_tensor *a, const sel_tensor *b);
/* Times the shared storage was written in place. */
SEL_API int64_t sel_tensor_version(const sel_tensor *t);
/* "f32[2, 3]" into `buffer`, cut to `size`; returns buffer. */
SEL_API const char *sel_describe(const sel_tensor *t, char *buffer, size_t size);

/* ---- host access ---- */

/* First element of a tensor in host memory, or NULL when the device's memory is not the host's.
 * Borrowed. After writing through it, call sel_mark_written. */
SEL_API void *sel_data(const sel_tensor *t);
SEL_API sel_status sel_mark_written(sel_tensor *t);
/* Copies all elements in C order to host memory of exactly `bytes`, or from it. */
SEL_API sel_status sel_read(const sel_tensor *t, void *destination, size_t bytes);
SEL_API sel_status sel_write(sel_tensor *t, const void *source, size_t bytes);
/* The value of a tensor of one element, as a double (an i64 above 2^53 is rounded). */
SEL_API sel_status sel_item(const sel_tensor *t, double *out);
/* One element by position, `ndim` of them, counted from 0, negative from the end. */
SEL_API sel_status sel_get(const sel_tensor *t, int ndim, const int64_t *position, double *out);
SEL_API sel_status sel_set(sel_tensor *t, int ndim, const int64_t *position, double value);

/* ---- random numbers ----
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), counter
 * based: element i of a draw depends on seed, the draw's offset and i alone, so every backend and
 * thread count gives the same stream. The generator belongs to the thread. */
typedef struct sel_generator {
  uint64_t seed;
  uint64_t offset; /* counters used so far; each draw of n elements advances it */
} sel_generator;
SEL_API void sel_manual_seed(uint64_t seed); /* sets seed, offset 0 */
SEL_API void sel_generator_get(sel_generator *out);
SEL_API void sel_generator_set(const sel_generator *state);
/* A uniform integer in [0, n) from the thread's generator; for host-side choices like shuffling. */
SEL_API uint64_t sel_random_below(uint64_t n);

#ifdef __cplusplus
}
#endif
#endif
