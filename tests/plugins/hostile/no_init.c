/* A plugin that cannot be initialised. */
#define INIT NULL
#include "descriptor.h"
