/* Whether a file can be handed to dlopen. */
#ifndef SEL_PLUGIN_FILE_H
#define SEL_PLUGIN_FILE_H

#include "selenite/base.h"

/* Refuses what is no ELF file of this machine's word size, or is cut off. path: for the message
 * too. */
sel_status sel__plugin_file_check(const char *path);

#endif
