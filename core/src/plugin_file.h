/* Plugins as files: whether one can be handed to dlopen, and copies. */
#ifndef SEL_PLUGIN_FILE_H
#define SEL_PLUGIN_FILE_H

#include <stddef.h>

#include "selenite/base.h"

/* Refuses what is no ELF file of this machine's word size, or is cut off. path: for the message
 * too. */
sel_status sel__plugin_file_check(const char *path);
/* Copies the file into the folder for temporary files, TMPDIR or /tmp, under a name that nothing
 * had, which is written into `copy`; the caller unlinks it. One thread at a time. */
sel_status sel__plugin_file_copy(const char *path, char *copy, size_t size);

#endif
