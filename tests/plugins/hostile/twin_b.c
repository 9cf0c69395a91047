/* A plugin with the name of twin_a. */
#define NAME "twin"
#include "descriptor.h"
