/* A harmless plugin with a layer type. */
#include "stub_type.h"

static const sel_layer_type type = STUB_TYPE("owned");
static sel_status start(void) { return sel_register_layer_type(&type); }
#define NAME "first_owner"
#define INIT start
#include "descriptor.h"
