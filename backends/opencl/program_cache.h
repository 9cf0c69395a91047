/* Compiled programs on disk, so that the next start of a script need not compile them again. */
#ifndef OPENCL_PROGRAM_CACHE_H
#define OPENCL_PROGRAM_CACHE_H

#include <stdbool.h>
#include <stddef.h>

/* Chooses the folder: $XDG_CACHE_HOME/selenite/opencl, or ~/.cache/selenite/opencl; none where
 * neither is known. Called once, before all others. */
void opencl_cache_locate(void);

/* Whether there is a folder. */
bool opencl_cache_keeps(void);

/* The binary stored for `key`: new memory, freed with free(). False where there is none, or where
 * its file doesn't hold what was written. */
bool opencl_cache_load(const char *key, unsigned char **binary, size_t *size);

/* Stores a binary for `key`, in place of what was there. What can't be stored is compiled again
 * next time: no failure is reported. */
void opencl_cache_store(const char *key, const unsigned char *binary, size_t size);

#endif
