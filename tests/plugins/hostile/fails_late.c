/* A plugin whose init registers a backend and a layer type, and then fails. */
#include <selenite/backend.h>

#include "stub_type.h"

static const sel_layer_type type = STUB_TYPE("half_done");
static sel_backend backend;

static sel_status start(void) {
  backend = *sel_backend_at(0);
  backend.name = "half_done";
  sel_status status = sel_register_backend(&backend);
  if (status == SEL_OK) status = sel_register_layer_type(&type);
  if (status != SEL_OK) return status;
  return sel_fail(SEL_E_UNSUPPORTED, "the moon is not full");
}
#define NAME "fails_late"
#define INIT start
#include "descriptor.h"
