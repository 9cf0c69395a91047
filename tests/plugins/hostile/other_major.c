/* Built for another major version of the ABI. */
#define MAJOR (SEL_ABI_MAJOR + 1)
#include "descriptor.h"
