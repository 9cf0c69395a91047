/* A plugin whose init fails without a word. */
#include <selenite/base.h>

static sel_status start(void) { return SEL_E_INTERNAL; }
#define INIT start
#include "descriptor.h"
