/* Built for a later minor version of the ABI than the host has. */
#define MINOR (SEL_ABI_MINOR + 1)
#include "descriptor.h"
