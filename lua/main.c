/* The `selenite` executable: LuaJIT with the library on its path, and what Lua alone can't do.
 *
 * All that concerns the user (options, running a script, printing errors) is Lua, in
 * selenite/command.lua. This file finds the tree it belongs to, starts the VM, and gives it the
 * modules written in C: states, interrupts, line_editor.
 */
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupts.h"
#include "line_editor.h"
#include "states.h"

static char library_source[PATH_MAX + 64]; /* how debug information names the library's folder */

/* Folder above share/lua/5.1: the executable's own in a build tree, its parent in an installed one.
 */
static bool find_prefix(char *prefix, size_t size) {
  char folder[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
  if (length <= 0) return false;
  folder[length] = '\0';
  for (int level = 0; level < 2; level++) {
    char *slash = strrchr(folder, '/');
    if (!slash) return false;
    *slash = '\0';
    char probe[PATH_MAX + 64];
    snprintf(probe, sizeof probe, "%s/share/lua/5.1/selenite/init.lua", folder);
    if (access(probe, R_OK) == 0) return (size_t)snprintf(prefix, size, "%s", folder) < size;
  }
  return false;
}

/* Puts the tree's Lua folder in front of package.path. */
static void set_path(lua_State *L, const char *prefix) {
  snprintf(library_source, sizeof library_source, "@%s/share/lua/5.1/selenite/", prefix);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "path");
  lua_pushfstring(L, "%s/share/lua/5.1/?.lua;%s/share/lua/5.1/?/init.lua;%s", prefix, prefix,
                  lua_tostring(L, -1));
  lua_setfield(L, -3, "path");
  lua_pop(L, 2);
}

/* Lets `require` find the modules of this executable. */
static void add_modules(lua_State *L) {
  static const luaL_Reg modules[] = {{"selenite.states", states_open},
                                     {"selenite.interrupts", interrupts_open},
                                     {"selenite.line_editor", line_editor_open},
                                     {NULL, NULL}};
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  luaL_register(L, NULL, modules);
  lua_pop(L, 2);
}

int main(int argc, char **argv) {
  char prefix[PATH_MAX];
  if (!find_prefix(prefix, sizeof prefix)) {
    fprintf(stderr, "selenite: can't find share/lua/5.1/selenite beside or above the executable\n");
    return EXIT_FAILURE;
  }
  lua_State *L = luaL_newstate();
  if (!L) {
    fprintf(stderr, "selenite: out of memory\n");
    return EXIT_FAILURE;
  }
  luaL_openlibs(L);
  set_path(L, prefix);
  add_modules(L);
  interrupts_install(L, library_source);

  /* status = require "selenite.command" (argv[0], argv[1], ...) */
  lua_getglobal(L, "require");
  lua_pushliteral(L, "selenite.command");
  int failed = lua_pcall(L, 1, 1, 0);
  if (!failed) {
    luaL_checkstack(L, argc, "too many arguments");
    for (int i = 0; i < argc; i++) lua_pushstring(L, argv[i]);
    failed = lua_pcall(L, argc, 1, 0);
  }
  int status = failed ? EXIT_FAILURE : (int)lua_tointeger(L, -1);
  if (failed) fprintf(stderr, "selenite: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return status;
}
