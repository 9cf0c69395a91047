/* Built for a later minor version of the ABI, of which it uses a function. */
#include <selenite/base.h>

sel_status sel_function_of_the_future(void);
static sel_status start(void) { return sel_function_of_the_future(); }
#define MINOR (SEL_ABI_MINOR + 1)
#define INIT start
#include "descriptor.h"
