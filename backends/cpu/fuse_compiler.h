/* The system's C compiler, for fused functions. */
#ifndef CPU_FUSE_COMPILER_H
#define CPU_FUSE_COMPILER_H

#include <stdbool.h>
#include <stddef.h>

/* Remembers where to look; called once, before anything else. wanted: a compiler's path, or its
 * name to be found in one of the absolute folders of `path`; "none" for no compiler; NULL: cc, gcc
 * or clang, whichever is found first. */
void cpu_compiler_configure(const char *wanted, const char *path);

/* Absolute path of the compiler, or NULL. Borrowed. */
const char *cpu_compiler_path(void);
/* Says which compiler it is, so that an upgrade shows: its file, size and date. Borrowed. */
const char *cpu_compiler_identity(void);

/* Makes a shared object of a C file. flags: up to NULL, for one instruction-set level. Started
 * without a shell, silent. */
bool cpu_compile(const char *const *flags, const char *source_path, const char *object_path);
/* The same flags as text, with those that are always given. */
void cpu_compile_flags_text(const char *const *flags, char *text, size_t size);

#endif
