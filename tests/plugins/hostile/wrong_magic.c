/* A constant of the right name that is none of Selenite's. */
#define MAGIC 0x12345678
#include "descriptor.h"
