/* Compiled fused functions on disk, and in this process. */
#ifndef CPU_FUSE_CACHE_H
#define CPU_FUSE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

/* Decides on the folder: selenite/fuse in the user's cache folder, xdg_cache if that is an absolute
 * path, else home/.cache. Called once, before anything else. */
void cpu_fuse_cache_configure(const char *xdg_cache, const char *home);

/* The shared object that the compiler makes of `source` with `flags` (up to NULL), from the cache
 * or compiled now; for dlclose. NULL: there is none, and `reason` (of `size` bytes) says why. */
void *cpu_fuse_cache_open(const char *source, const char *const *flags, char *reason, size_t size);

#endif
