/* A plugin whose init loads another plugin. */
#include <selenite/plugin.h>

static sel_status start(void) {
  return sel_plugin_count() < 0 ? SEL_OK : sel_plugin_load("/elsewhere/other.so");
}
#define NAME "nested"
#define INIT start
#include "descriptor.h"
