/* A plugin with a layer type that first_owner has too. */
#include "stub_type.h"

static const sel_layer_type type = STUB_TYPE("owned");
static sel_status start(void) { return sel_register_layer_type(&type); }
#define NAME "second_owner"
#define INIT start
#include "descriptor.h"
