/* A plugin without a version. */
#define VERSION ""
#include "descriptor.h"
