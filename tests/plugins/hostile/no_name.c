/* A plugin without a name. */
#define NAME NULL
#include "descriptor.h"
