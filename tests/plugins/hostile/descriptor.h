/* A descriptor that is right, except for what the including file defines otherwise. */
#ifndef DESCRIPTOR_H
#define DESCRIPTOR_H

#include <selenite/plugin.h>

#ifndef MAGIC
#define MAGIC SEL_PLUGIN_MAGIC
#endif
#ifndef MAJOR
#define MAJOR SEL_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR SEL_ABI_MINOR
#endif
#ifndef SIZE
#define SIZE sizeof(sel_plugin)
#endif
#ifndef NAME
#define NAME "hostile"
#endif
#ifndef VERSION
#define VERSION "1.0"
#endif
#ifndef KIND
#define KIND SEL_PLUGIN_LAYERS
#endif
#ifndef INIT
#define INIT init
static sel_status init(void) { return SEL_OK; }
#endif

SEL_EXPORT const sel_plugin sel_plugin_descriptor = {.magic = MAGIC,
                                                     .abi_major = MAJOR,
                                                     .abi_minor = MINOR,
                                                     .size = SIZE,
                                                     .name = NAME,
                                                     .version = VERSION,
                                                     .licence = "MIT",
                                                     .kind = KIND,
                                                     .init = INIT};

#endif
