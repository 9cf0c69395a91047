/* A plugin that needs a function which nobody has. */
#include <selenite/base.h>

sel_status sel_function_of_the_future(void);
static sel_status start(void) { return sel_function_of_the_future(); }
#define INIT start
#include "descriptor.h"
