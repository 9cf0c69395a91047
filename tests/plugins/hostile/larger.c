/* A descriptor with fields that the host does not know. */
#define SIZE (sizeof(sel_plugin) + 8)
#include "descriptor.h"
