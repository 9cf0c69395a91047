/* Status codes, error messages, version, interruption.
 *
 * Every function that can fail returns a sel_status. On failure its out-parameters are untouched
 * and sel_error() holds one sentence that names the operation, what was expected and what was
 * found. The library never exits, never prints and never jumps.
 *
 * Ownership words used in all headers:
 *   new       the caller receives a reference and releases it;
 *   borrowed  valid while its parent lives, not released by the caller;
 *   taken     the callee owns it from now on, also when the call fails.
 *
 * The headers are plain declarations, so that LuaJIT's ffi.cdef reads them after the preprocessor
 * ran with SEL_FFI defined: constants are enums, not macros.
 */
#ifndef SELENITE_BASE_H
#define SELENITE_BASE_H

#ifndef SEL_FFI
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#if defined(SEL_FFI)
#define SEL_API
#define SEL_EXPORT
#define SEL_PRINTF(fmt, args)
#else
#define SEL_API __attribute__((visibility("default")))
#define SEL_EXPORT __attribute__((visibility("default")))
#define SEL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
  SEL_VERSION_MAJOR = 0,
  SEL_VERSION_MINOR = 1,
  SEL_VERSION_PATCH = 0,
  SEL_ABI_MAJOR = 1, /* also the SONAME of libselenite; a plugin must match it exactly */
  SEL_ABI_MINOR = 1, /* grows when something is appended; a plugin may be older, not newer */
  SEL_MAX_DIMS = 8
};

typedef enum sel_status {
  SEL_OK = 0,
  SEL_E_ARGUMENT,    /* a value the caller passed is out of range or of the wrong kind */
  SEL_E_SHAPE,       /* shapes don't fit together */
  SEL_E_DTYPE,       /* dtypes don't fit together */
  SEL_E_DEVICE,      /* tensors on different devices, or a device that is not there */
  SEL_E_MEMORY,      /* allocation failed; collect garbage and retry */
  SEL_E_UNSUPPORTED, /* the backend has no such kernel, the op no such gradient */
  SEL_E_AUTOGRAD,    /* the tape can't be followed: modified, freed, not recorded */
  SEL_E_FILE,        /* a file is missing, truncated or malformed */
  SEL_E_PLUGIN,      /* a plugin was refused */
  SEL_E_INTERRUPTED, /* sel_interrupt() was called */
  SEL_E_INTERNAL     /* a broken promise inside Selenite: please report */
} sel_status;

/* Text of the last failure on this thread; "" before the first. Borrowed until the next failure. */
SEL_API const char *sel_error(void);

/* Sets this thread's error text, returns `status`: `return sel_fail(SEL_E_SHAPE, "...", ...)`. */
SEL_API sel_status sel_fail(sel_status status, const char *format, ...) SEL_PRINTF(2, 3);

/* Puts "prefix: " before this thread's error text; containers name the path to a layer by it. */
SEL_API void sel_error_prefix(const char *prefix);

/* Short name of a status: "shape", "dtype", ... Borrowed, static. */
SEL_API const char *sel_status_name(sel_status status);

/* "0.1.0". Borrowed, static. */
SEL_API const char *sel_version(void);

/* Asks all threads to stop: every operation entered from now on fails with SEL_E_INTERRUPTED until
 * sel_interrupt_clear(). Async-signal-safe, so that a SIGINT handler may call it. */
SEL_API void sel_interrupt(void);
SEL_API void sel_interrupt_clear(void);
SEL_API bool sel_interrupted(void);

/* Replaces the allocator of all host-side bookkeeping (not of tensor data). Works like realloc:
 * size 0 frees. Call before anything else; NULL restores the C library's. Tests use it to fail each
 * allocation in turn. */
typedef void *(*sel_allocator)(void *context, void *pointer, size_t size);
SEL_API void sel_set_allocator(sel_allocator allocate, void *context);

#ifdef __cplusplus
}
#endif
#endif
