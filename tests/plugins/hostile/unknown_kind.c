/* A plugin of a kind that does not exist. */
#define KIND ((sel_plugin_kind)7)
#include "descriptor.h"
