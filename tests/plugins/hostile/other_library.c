/* Linked against the libselenite of another major version, which is not installed. */
#define NAME "other_library"
#include "descriptor.h"
