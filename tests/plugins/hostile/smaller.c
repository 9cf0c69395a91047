/* A descriptor that lacks fields which all hosts read. */
#define SIZE (sizeof(sel_plugin) - 8)
#include "descriptor.h"
