/* A plugin whose second layer type contradicts itself. */
#include "stub_type.h"

static const sel_option option = {.name = "n", .default_text = "many", .doc = "a number"};
static const sel_layer_type good = STUB_TYPE("contradiction_good");
static sel_layer_type bad = STUB_TYPE("contradiction_bad");

static sel_status start(void) {
  bad.n_options = 1;
  bad.options = &option;
  sel_status status = sel_register_layer_type(&good);
  return status == SEL_OK ? sel_register_layer_type(&bad) : status;
}
#define NAME "contradiction"
#define INIT start
#include "descriptor.h"
