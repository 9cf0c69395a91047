/* A harmless plugin, whose name twin_b takes too. */
#define NAME "twin"
#include "descriptor.h"
